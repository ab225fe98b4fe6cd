"""MS COCO's annotations: polygons, runs, crowds, and files that lie."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_trees import put_image

from classicseg import datasets
from classicseg.datasets._coco import _index, _mask, _numbers

codec = pytest.importorskip("pycocotools.mask", reason="COCO's annotations need pycocotools")

NAME, OTHER = "000000000139", "000000000285"
HEIGHT, WIDTH = 10, 12


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """The annotations of a file are kept: here each test writes its own."""
    _index.cache_clear()
    _numbers.cache_clear()


def square(x: int, y: int, width: int, height: int) -> list[list[float]]:
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def annotate(root: Path, *found: dict[str, Any], kind: str = "instances") -> Path:
    """Two images, of which the first has annotations."""
    for name in (NAME, OTHER):
        put_image(root / "val2017" / f"{name}.jpg", HEIGHT, WIDTH)
    path = root / "annotations" / f"{kind}_val2017.json"
    path.parent.mkdir(exist_ok=True)
    images = [
        {"id": int(name), "file_name": f"{name}.jpg", "height": HEIGHT, "width": WIDTH}
        for name in (NAME, OTHER)
    ]
    annotations = [{"id": k, "image_id": int(NAME), **one} for k, one in enumerate(found)]
    categories = [{"id": k, "name": str(k)} for k in range(1, 184)]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def test_objects_are_painted_as_classes(tmp_path: Path) -> None:
    """A bicycle (2) over a person (1): the pixels of both are void; a person more is not."""
    annotate(
        tmp_path,
        {"category_id": 1, "segmentation": square(0, 0, 6, 6)},
        {"category_id": 1, "segmentation": square(0, 0, 2, 2)},
        {"category_id": 2, "segmentation": square(4, 4, 6, 4)},
    )
    dataset = datasets.coco(tmp_path)
    assert dataset.ids == (NAME, OTHER) and dataset.n_classes == 81
    assert dataset.class_names[:3] == ("background", "person", "bicycle")
    labels = dataset.read(NAME).labels
    expected = np.zeros((HEIGHT, WIDTH), np.int32)
    expected[:6, :6] = 1
    expected[4:8, 4:10] = 2
    expected[4:6, 4:6] = 255
    np.testing.assert_array_equal(labels, expected)
    assert not dataset.read(OTHER).labels.any()
    assert len(pickle.dumps(dataset.reader)) < 1000
    other = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(other.read(NAME).labels, expected)


def test_runs_plain_and_packed_are_the_same(tmp_path: Path) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:7, 3:5] = 1
    packed = codec.encode(np.asfortranarray(mask))
    counts = [3 * HEIGHT + 2, 5, 5, 5, HEIGHT * WIDTH - 3 * HEIGHT - 17]
    crowd = {"category_id": 90, "iscrowd": 1}
    for runs in (counts, packed["counts"].decode()):
        _index.cache_clear()
        annotate(tmp_path, {**crowd, "segmentation": {"size": [HEIGHT, WIDTH], "counts": runs}})
        np.testing.assert_array_equal(datasets.coco(tmp_path)[0].labels, mask * 80)


def test_long_runs_are_unpacked_as_the_library_does(rng: np.random.Generator) -> None:
    for share in (0.001, 0.5):
        mask = np.asfortranarray(rng.random((300, 400)) < share).astype(np.uint8)
        runs = {"size": [300, 400], "counts": codec.encode(mask)["counts"].decode()}
        np.testing.assert_array_equal(_mask(runs, (300, 400), "here"), mask)


SIZE = [HEIGHT, WIDTH]


@pytest.mark.parametrize(
    "segmentation",
    [
        None,
        [],
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5, 6, 7]],
        [[1e9, 0, 1e9, 1e9, 0, 1e9]],
        [[0, 0, float("nan"), 1, 2, 2]],
        [["a"] * 6],
        {"size": SIZE},
        {"size": [99, 99], "counts": [99 * 99]},
        {"size": SIZE, "counts": [5]},
        {"size": SIZE, "counts": [-5, HEIGHT * WIDTH + 5]},
        {"size": SIZE, "counts": "zzzzzzzz"},
        {"size": SIZE, "counts": "PPYo0PPYo0PPYo0"},
        {"size": SIZE, "counts": ""},
        {"size": SIZE, "counts": "0" * 5},
        {"size": SIZE, "counts": 7},
        "text",
    ],
    ids=str,
)
def test_masks_that_lie_are_named(segmentation: object, tmp_path: Path) -> None:
    annotate(tmp_path, {"category_id": 1, "segmentation": segmentation})
    dataset = datasets.coco(tmp_path)
    with pytest.raises(ValueError, match=rf"annotation 0 of {NAME}\.jpg in .* is damaged"):
        dataset[0]
    assert dataset[1].labels.max() == 0


def test_files_that_are_damaged_are_named(tmp_path: Path) -> None:
    path = annotate(tmp_path)
    whole = path.read_text()
    bad = (
        *(whole[:100], "[]", '{"images": [{"id": 1}]}', '{"images": 3}', "\x00\xff"),
        *('{"images": []}', whole.replace('"000000000139.jpg"', "7"), "[" * 100_000),
    )
    for text in bad:
        _index.cache_clear()
        _numbers.cache_clear()
        path.write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=r"instances_val2017\.json"):
            datasets.coco(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"instances_val2017\.json is missing"):
        datasets.coco(tmp_path)
    with pytest.raises(FileNotFoundError, match="train2017 is missing"):
        datasets.coco(tmp_path, "train2017")


def test_images_that_do_not_fit_are_named(tmp_path: Path) -> None:
    annotate(tmp_path, {"category_id": 12, "segmentation": square(0, 0, 6, 6)})
    with pytest.raises(ValueError, match="has the category 12"):
        datasets.coco(tmp_path)[0]
    put_image(tmp_path / "val2017" / f"{NAME}.jpg", HEIGHT, WIDTH + 1)
    with pytest.raises(ValueError, match=r"tells 12 x 10 pixels of .*139\.jpg, which is 13 x 10"):
        datasets.coco(tmp_path)[0]
    (tmp_path / "val2017" / f"{NAME}.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{NAME}\.jpg is missing"):
        datasets.coco(tmp_path)
    assert datasets.coco(tmp_path, strict=False).ids == (OTHER,)


def test_stuff_from_the_challenges_files(tmp_path: Path) -> None:
    """Things first, then stuff; what is neither is void."""
    annotate(tmp_path, {"category_id": 90, "segmentation": square(0, 0, 4, 4)})
    annotate(
        tmp_path,
        {"category_id": 92, "segmentation": square(0, 0, 12, 6)},
        {"category_id": 183, "segmentation": square(0, 6, 6, 4)},
        kind="stuff",
    )
    dataset = datasets.coco_stuff(tmp_path)
    expected = np.full((HEIGHT, WIDTH), 255, np.int32)
    expected[:6] = 80
    expected[:4, :4] = 79
    np.testing.assert_array_equal(dataset[0].labels, expected)
    assert (dataset.class_names[79], dataset.class_names[80]) == ("toothbrush", "banner")
    assert dataset.n_classes == len(dataset.palette) == 171

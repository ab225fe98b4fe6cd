"""The samples: photographs of other packages, annotations of our own."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from classicseg import samples

GREY = {"camera", "coins"}


@pytest.fixture(scope="module", params=samples.names())
def sample(request: pytest.FixtureRequest) -> samples.Sample:
    return samples.load(request.param)


@pytest.fixture
def other_entry(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """The entry of sample 'coffee', to be changed for one test."""
    entry: dict[str, object] = dict(samples._entries()["coffee"])
    monkeypatch.setattr(samples, "_entries", lambda: {"coffee": entry})
    yield entry


def test_there_are_enough_samples_in_order() -> None:
    assert len(samples.names()) >= 6
    assert list(samples.names()) == sorted(set(samples.names()))


def test_sizes_and_types_agree(sample: samples.Sample) -> None:
    size = sample.image.shape[:2]
    assert sample.image.ndim == (2 if sample.name in GREY else 3)
    assert sample.image.ndim == 2 or sample.image.shape[2] == 3
    assert sample.image.dtype == sample.truth.dtype == sample.scribbles.dtype == np.uint8
    assert sample.mask.dtype == sample.void.dtype == bool
    for drawn in (sample.mask, sample.void, sample.truth, sample.scribbles):
        assert drawn.shape == size
    assert sample.description.endswith(".")
    assert "\n" not in sample.description


def test_the_photograph_is_read_in_rgb_order() -> None:
    suit = samples.load("astronaut").image[340, 150].astype(int)
    assert suit[0] > suit[1] + 50 > suit[2] + 50


@pytest.mark.parametrize("name", samples.names())
def test_files_hold_only_their_values(name: str) -> None:
    folder = resources.files(samples) / "annotations"
    for kind, values in (("mask", {0, 128, 255}), ("scribbles", {0, 1, 2})):
        with (folder / f"{name}_{kind}.png").open("rb") as file, Image.open(file) as image:
            assert image.mode == "L"
            assert set(np.unique(np.asarray(image)).tolist()) == values


def test_mask_void_and_truth_agree(sample: samples.Sample) -> None:
    assert not (sample.mask & sample.void).any()
    np.testing.assert_array_equal(sample.truth == 1, sample.mask)
    np.testing.assert_array_equal(sample.truth == 255, sample.void)
    assert 0.01 < sample.mask.mean() < 0.8
    assert sample.void.mean() < 0.06


def test_foreground_and_background_never_touch(sample: samples.Sample) -> None:
    background = ~sample.mask & ~sample.void
    assert not (ndimage.binary_dilation(sample.mask) & background).any()


def test_scribbles_lie_on_their_side(sample: samples.Sample) -> None:
    assert set(np.unique(sample.truth[sample.scribbles == 2])) == {1}
    assert set(np.unique(sample.truth[sample.scribbles == 1])) == {0}
    for label in (1, 2):
        strokes = sample.scribbles == label
        assert 0.0005 < strokes.mean() < 0.1
        # A line of 5 pixels' width is gone after three erosions: nobody fills areas.
        assert not ndimage.binary_erosion(strokes, iterations=4).any()


def test_rect_contains_the_foreground_loosely(sample: samples.Sample) -> None:
    height, width = sample.mask.shape
    x, y, w, h = sample.rect
    assert 0 <= x < x + w <= width
    assert 0 <= y < y + h <= height
    outside = np.ones(sample.mask.shape, bool)
    outside[y : y + h, x : x + w] = False
    assert not (sample.mask & outside).any()
    assert outside.any(), "GrabCut needs background outside the rectangle"
    rows, columns = (np.flatnonzero(sample.mask.any(axis)) for axis in (1, 0))
    slack = 0.02 * max(height, width) + 12
    assert max(columns[0] - x, x + w - 1 - columns[-1]) <= slack
    assert max(rows[0] - y, y + h - 1 - rows[-1]) <= slack


def test_masks_follow_edges_of_the_photograph(sample: samples.Sample) -> None:
    """A mask that is shifted, flipped or of another photograph loses the edges."""
    grey = sample.image.astype(float)
    grey = grey if grey.ndim == 2 else grey.mean(axis=2)
    steepness = ndimage.gaussian_gradient_magnitude(grey, 1)

    def on_boundary(mask: np.ndarray) -> float:
        boundary = ndimage.binary_dilation(mask, iterations=2) & ~mask
        return float(steepness[boundary].mean())

    here = on_boundary(sample.mask)
    for shift in ((8, 8), (8, -8), (-8, 8), (-8, -8)):
        assert here > 1.15 * on_boundary(np.roll(sample.mask, shift, (0, 1)))
    assert here > 1.15 * on_boundary(sample.mask[:, ::-1])


def test_arrays_belong_to_the_caller() -> None:
    first = samples.load("coins")
    for array in (first.image, first.mask, first.void, first.truth, first.scribbles):
        array[...] = 1
    again = samples.load("coins")
    assert (again.image != 1).any()
    assert set(np.unique(again.truth)) == {0, 1, 255}
    with pytest.raises(FrozenInstanceError):
        again.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "Coffee", "../samples", 3, None, ["coffee"]])
def test_unknown_name(name: object) -> None:
    with pytest.raises(ValueError, match=r"name is .*, expected one of astronaut, "):
        samples.load(name)  # type: ignore[arg-type]


def test_missing_package(other_entry: dict[str, object]) -> None:
    other_entry["package"] = "no_such_package"
    with pytest.raises(ModuleNotFoundError, match=r"sample 'coffee' lies in .*'no_such_package'"):
        samples.load("coffee")


def test_missing_file(other_entry: dict[str, object]) -> None:
    other_entry["file"] = "data/no_such_file.png"
    with pytest.raises(FileNotFoundError, match=r"'skimage' holds no data/no_such_file\.png"):
        samples.load("coffee")


def test_another_photograph_under_the_same_name(other_entry: dict[str, object]) -> None:
    other_entry["file"] = "data/astronaut.png"
    with pytest.raises(ValueError, match="not the photograph that was annotated"):
        samples.load("coffee")


def test_photographs_are_part_of_their_packages() -> None:
    """Not in a cache that was downloaded into."""
    text = (resources.files(samples) / "annotations" / "samples.json").read_text(encoding="utf-8")
    for entry in json.loads(text):
        module = importlib.import_module(entry["package"])
        assert module.__file__ is not None
        assert (Path(module.__file__).parent / entry["file"]).is_file()


def test_annotations_stay_small() -> None:
    folder = resources.files(samples) / "annotations"
    assert sum(len(file.read_bytes()) for file in folder.iterdir()) < 1_000_000

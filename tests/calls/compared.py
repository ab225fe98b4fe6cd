"""The cross table, and data sets out of small trees of files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data_trees import TREES, Tree, codes, put_image, put_list, put_sbd

from calls.values import IMAGE, LABELS, MASK, SEEDS, Call
from classicseg import compare, datasets
from classicseg.datasets import Dataset, Item

_FOLDER = tempfile.TemporaryDirectory()
_PLACE = Path(_FOLDER.name)
_PIXELS = (IMAGE * 255).astype(np.uint8)
_ITEM = Item("one", _PIXELS, MASK.astype(np.int32), (2, 1, 8, 7), SEEDS)
_FAST = "saliency:centre_prior+argmax"
_RESULT = compare.run([_FAST], [_ITEM])
_THREE = np.where(np.arange(120).reshape(10, 12) % 7 == 0, LABELS + 1, 0).astype(np.uint8)


def _run(**settings: Any) -> Any:
    result = compare.run(**settings)
    return [(row.counts, row.mean_iou, row.boundary_f) for row in result.rows]


def _segment(pipeline: str, **fixed: Any) -> Callable[..., Any]:
    return lambda pipeline=pipeline, **rest: compare.segment(pipeline=pipeline, **rest, **fixed)


def _write(comparison: Any, folder: Any, command: Any) -> Any:
    return [path.name for path in compare.write(comparison, folder, command)]


def _put_coco(root: Path) -> None:
    """A square of a person in the first of two images."""
    for k in (1, 2):
        put_image(root / "val2017" / f"{k}.jpg")
    images = [{"id": k, "file_name": f"{k}.jpg", "height": 3, "width": 4} for k in (1, 2)]
    square = {"id": 5, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir()
    path.write_text(
        json.dumps({"images": images, "annotations": [square], "categories": [{"id": 1}]})
    )


def _first(opened: Callable[..., Dataset]) -> Callable[..., Any]:
    """What a data set holds, and its first item."""

    def call(**settings: Any) -> Any:
        dataset = opened(**settings)
        item = dataset[0]
        return [len(dataset), dataset.palette, item.image, item.labels]

    return call


def _tree(tree: Tree, name: str = "", **more: Any) -> Call:
    """Opened by its own function, with all its settings."""
    root = tree.make(_PLACE / f"{tree.name}-{tree.split}")
    function = getattr(datasets, name or tree.name)
    split = {"split": tree.split or _SPLITS.get(tree.name)}
    return Call(
        f"datasets.{tree.name}",
        _first(function),
        {},
        {"root": root, **split, "strict": True, **more},
    )


_SPLITS = {
    "sbd": "val",
    "cityscapes": "val",
    "camvid": "val",
    "bsds500": "val",
    "coco_stuff": "val2017",
}
_OWN = [tree for tree in TREES if tree.name not in ("folder", "coco")]
_FOLDERS = next(tree for tree in TREES if tree.name == "folder").make(_PLACE / "named")
_GRADED = {"threshold": 0.5}
_put_coco(_PLACE / "coco")
_SBD = next(tree for tree in TREES if tree.name == "sbd").make(_PLACE / "sbd")
put_sbd(_SBD / "benchmark_RELEASE/dataset/cls/2007_000042.mat", codes(0))
_VOC = next(tree for tree in TREES if tree.name == "voc2012").make(_PLACE / "voc")
for _name in ("train", "val"):
    put_list(_SBD / f"benchmark_RELEASE/dataset/{_name}.txt", "2007_000033", "2007_000042")
    put_list(_VOC / f"VOCdevkit/VOC2012/ImageSets/Segmentation/{_name}.txt", "2007_000033")

CALLS: list[Call] = [
    Call(
        "compare.run",
        _run,
        {},
        {
            "pipelines": [_FAST],
            "data": [_ITEM],
            "engine": "native",
            "n_jobs": 1,
            "seed": 0,
            "progress": lambda done, n: None,
            "folder": _PLACE / "run",
            "fresh": True,
            "dask": None,
            "train": None,
            "say": lambda text: None,
        },
        {"pipelines": "pipeline"},
    ),
    Call(
        "compare.segment",
        _segment("gmm:rect+graphcut"),
        {"image": _PIXELS},
        {
            "pipeline": "gmm:rect+graphcut",
            "rect": (2, 1, 8, 7),
            "engine": "native",
            "seed": 0,
            "n_classes": 2,
            "name": "one",
        },
        {"rect": "rectangle", "n_classes": "classes"},
    ),
    Call(
        "compare.segment",
        _segment("gmm:scribbles+graphcut"),
        {"image": IMAGE, "scribbles": _THREE},
        {"n_classes": 3},
        {"n_classes": "scribbles"},
    ),
    Call("compare.names", compare.names, {}),
    Call("compare.default", compare.default, {}, {"n_classes": 2, "trained": True}),
    Call(
        "compare.table",
        lambda comparison: compare.table(comparison).row_count,
        {},
        {"comparison": _RESULT},
    ),
    Call(
        "compare.as_dict",
        lambda **rest: compare.as_dict(**rest)["seed"],
        {},
        {"comparison": _RESULT, "command": ["classicseg", "compare"]},
    ),
    Call(
        "compare.write",
        _write,
        {},
        {"comparison": _RESULT, "folder": _PLACE / "out", "command": ["classicseg"]},
        slow=True,
    ),
    Call("compare.Comparison.labels", _RESULT.labels, {}, {"image": "one"}),
    *(
        _tree(tree, **(_GRADED if tree.name in ("salient_objects", "fixations") else {}))
        for tree in _OWN
    ),
    Call(
        "datasets.voc2012",
        _first(datasets.voc2012),
        {},
        {"root": _VOC, "split": "train_aug", "sbd": _SBD, "strict": True},
    ),
    Call(
        "datasets.coco",
        _first(datasets.coco),
        {},
        {"root": _PLACE / "coco", "split": "val2017", "strict": True},
    ),
    Call(
        "datasets.open",
        _first(datasets.open),
        {},
        {"name": "folder", "root": _FOLDERS, "split": None, "strict": True},
    ),
    Call(
        "datasets.Dataset.read",
        datasets.open("folder", _FOLDERS).read,
        {},
        {"id": "a"},
        {"id": "item"},
    ),
    Call(
        "datasets.Dataset.select",
        lambda **rest: len(datasets.open("folder", _FOLDERS).select(**rest)),
        {},
        {"ids": ["a", "b"], "every": 1},
    ),
    Call(
        "datasets.Dataset.check",
        lambda **rest: len(datasets.open("folder", _FOLDERS).check(**rest)),
        {},
        {"progress": lambda done, n: None},
    ),
]

"""Semantic segmentation of CamVid by superpixels: what each feature and each CRF brings.

    python benchmarks/bench_semantic.py --every 1 --val-every 1

Trains on CamVid's train split, scores on val: 11 classes, void left out. Neighbouring frames are
much alike: `--every 4` trains on every fourth. Seconds are wall-clock and CPU time of this run.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import time
from typing import Any

import numpy as np
from common import data_folder, machine, save
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import ExtraTreesClassifier

from classicseg import datasets, densecrf, graphcut, semantic, superpixels, unary
from classicseg.metrics import ConfusionMatrix
from classicseg.semantic._estimator import columns, fit_rows
from classicseg.semantic._regions import GROUPS, rows_of

CLASSES = [
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
]
VOID = 255
SEED = 0
Frames = tuple[list[NDArray[np.uint8]], list[NDArray[np.int32]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Raw)
    parser.add_argument("--every", type=int, default=1, help="train on every n-th frame")
    parser.add_argument("--val-every", type=int, default=1, help="score every n-th frame")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--stages", type=int, default=2)
    parser.add_argument("--trees", type=int, default=60, help="of each classifier")
    parser.add_argument("--no-ablation", action="store_true", help="only the table of CRFs")
    options = parser.parse_args()

    model = semantic.SuperpixelClassifier(
        n_classes=len(CLASSES),
        ignore_index=VOID,
        n_stages=options.stages,
        estimator=ExtraTreesClassifier(options.trees, min_samples_leaf=10, n_jobs=options.jobs),
        n_jobs=options.jobs,
        random_state=SEED,
    )
    images, truths = camvid("train", options.every)
    clock = Clock()
    rows = model._describe(*model._checked(images, truths))
    features_cost = clock.read()
    model._fit_stages(rows)
    cost = clock.read()
    print(
        f"{len(images)} training frames, {sum(len(r.table) for r in rows)} superpixels: "
        f"features {features_cost}, all of fit {cost}",
        flush=True,
    )
    val, val_truths = camvid("val", options.val_every)
    results: dict[str, Any] = {
        "machine": machine("scikit-learn", "scikit-image"),
        "seed": SEED,
        "stages": options.stages,
        "trees": options.trees,
        "training frames": len(images),
        "validation frames": len(val),
        "fit seconds (wall, cpu)": [cost.wall, cost.cpu],
        "features seconds (wall, cpu)": [features_cost.wall, features_cost.cpu],
    }
    val_rows = [model._rows(image) for image in val]
    results["inference"] = inference(model, val_rows, val, val_truths)
    save("semantic", results)
    if not options.no_ablation:
        results["ablation"] = ablation(model, rows, val_rows, val_truths, options.jobs)
        save("semantic", results)


def inference(
    model: semantic.SuperpixelClassifier, rows: list[Any], images: list[Any], truths: list[Any]
) -> dict[str, Any]:
    scores = [model._region_scores(row) for row in rows]
    methods = {
        "none": lambda p, r, image: superpixels.spread(p.argmax(axis=1), r),
        "graph cut on superpixels": cut_superpixels,
        "grid CRF + graph cut on pixels": cut_pixels,
        "dense CRF": lambda p, r, image: densecrf.refine(superpixels.spread(p, r), image),
    }
    found = {}
    for name, method in methods.items():
        clock = Clock()
        matrix = ConfusionMatrix(len(CLASSES), VOID)
        for p, row, image, truth in zip(scores, rows, images, truths, strict=True):
            matrix.update(truth, method(p, row.regions, image))
        found[name] = {**figures(matrix), "seconds a frame": clock.read().wall / len(images)}
        print(name, {k: v for k, v in found[name].items() if k != "iou"}, flush=True)
    show("Inference", found)
    return found


def cut_superpixels(
    p: NDArray[np.float32], regions: NDArray[np.int32], image: NDArray[np.uint8]
) -> NDArray[np.int32]:
    """Potts on the adjacency graph: long boundaries without contrast are dear."""
    near = superpixels.adjacency(regions, image)
    sizes = np.bincount(regions.ravel())
    energy = unary.from_probabilities(p) * (sizes / sizes.mean())[:, np.newaxis]
    contrast = near.contrast
    assert contrast is not None
    weights = near.lengths / near.lengths.mean() * np.exp(-contrast / contrast.mean())
    cut = graphcut.alpha_expansion(energy, (near.pairs, 0.3 * weights))
    return superpixels.spread(cut.labels, regions)


def cut_pixels(
    p: NDArray[np.float32], regions: NDArray[np.int32], image: NDArray[np.uint8]
) -> NDArray[np.int32]:
    energy = unary.from_probabilities(superpixels.spread(p, regions))
    edges = graphcut.contrast_weights(image, gamma=4.0)
    return graphcut.alpha_expansion(energy, edges).labels


def ablation(
    model: semantic.SuperpixelClassifier,
    rows: list[Any],
    val_rows: list[Any],
    truths: list[Any],
    jobs: int,
) -> dict[str, Any]:
    """One stage, with more and more groups of features; then the second stage."""
    widths = group_widths(model)
    ends = np.cumsum([widths[group] for group in GROUPS])
    counts = np.concatenate([row.counts for row in rows])
    known = counts.sum(axis=1) > 0
    classes = counts.argmax(axis=1)[known]
    amounts = counts.max(axis=1)[known].astype(np.float32)
    table = np.concatenate([row.table for row in rows])[known]
    found: dict[str, Any] = {}

    def one_stage(name: str, keep: NDArray[np.int64], power: float | None) -> None:
        weights = model.set_params(class_weight=power)._row_weights(classes, amounts)
        tree = fit_rows(None, table[:, keep], classes, weights, SEED, jobs)
        matrix = ConfusionMatrix(len(CLASSES), VOID)
        for row, truth in zip(val_rows, truths, strict=True):
            scores = columns(tree, row.table[:, keep], len(CLASSES))
            matrix.update(truth, superpixels.spread(scores.argmax(axis=1), row.regions))
        found[name] = figures(matrix)
        print(name, {k: v for k, v in found[name].items() if k != "iou"}, flush=True)

    default = model.class_weight
    for group, end in zip(GROUPS, ends, strict=True):
        one_stage(("" if group == "color" else "+ ") + group, np.arange(end), default)
    for power in (0.0, 0.5, 1.0):
        one_stage(f"all, one stage, class_weight={power}", np.arange(ends[-1]), power)
    model.set_params(class_weight=default)
    show("One stage, no CRF", found)
    return found


def group_widths(model: semantic.SuperpixelClassifier) -> dict[str, int]:
    """Columns of each group."""
    image = np.zeros((8, 8, 3), np.uint8)
    regions = np.arange(64, dtype=np.int32).reshape(8, 8) // 8
    return {
        group: rows_of(image, regions, model.textons_, (group,))[0].shape[1] for group in GROUPS
    }


def figures(matrix: ConfusionMatrix) -> dict[str, Any]:
    return {
        "pixel accuracy": 100 * matrix.pixel_accuracy,
        "mean accuracy": 100 * matrix.mean_accuracy,
        "mIoU": 100 * matrix.mean_iou,
        "iou": (100 * matrix.iou).round(2).tolist(),
    }


def show(title: str, found: dict[str, Any]) -> None:
    table = Table("", "pixel acc.", "mean acc.", "mIoU", *CLASSES, title=title)
    for name, f in found.items():
        parts = (f["pixel accuracy"], f["mean accuracy"], f["mIoU"])
        table.add_row(name, *(f"{v:.1f}" for v in parts), *(f"{v:.0f}" for v in f["iou"]))
    Console(width=160).print(table)


def camvid(split: str, every: int) -> Frames:
    items = list(datasets.camvid(data_folder("camvid"), split).select(every=every))
    return [item.image for item in items], [item.labels for item in items]


@dataclasses.dataclass(frozen=True)
class Cost:
    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.0f} s ({self.cpu:.0f} s of CPU)"


class Clock:
    """Wall-clock and CPU seconds since it was made, of this process and its ended children."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), self._cpu()

    def read(self) -> Cost:
        return Cost(time.perf_counter() - self.wall, self._cpu() - self.cpu)

    @staticmethod
    def _cpu() -> float:
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system


class _Raw(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    pass


if __name__ == "__main__":
    main()

"""The shipped networks: alone, and with what decides after them.

    python benchmarks/bench_bridge.py figure_ground
    python benchmarks/bench_bridge.py street_scenes
    python benchmarks/bench_bridge.py cells

Graph cut, grid CRF (sum-product belief propagation), dense CRF and superpixels get their parameters
on other images than those scored: figure_ground's own held-out images for the scores on GrabCut and
VOC, training images for the other two. mIoU is of the pixels of all images together, boundary F the
mean over images; 95 % intervals by the bootstrap over images (percentiles), of the gain too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common import data_folder, machine, save
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import bootstrap

import classicseg as cs
from classicseg import bridge, datasets, densecrf, graphcut, gridcrf, superpixels
from classicseg.datasets import Dataset, Item
from classicseg.metrics import ConfusionMatrix

VOID = 255
SEED = 0
# Those of figure_ground that no weights have seen: whole sequences, and a part of the photographs.
HELD_OUT = ["davi_2[0-5]*", "coco_*03_*"]
Image = NDArray[np.uint8]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Scored:
    """A network's answer for one image."""

    image: Image
    truth: Labels
    probabilities: NDArray[np.float32]


Method = Callable[[Scored], Labels]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=["figure_ground", "street_scenes", "cells"])
    parser.add_argument("--every", type=int, default=1, help="score every n-th image")
    parser.add_argument("--tuning", type=int, default=12, help="images to choose parameters on")
    parser.add_argument("--budget", type=int, default=20, help="trials of densecrf.tune")
    options = parser.parse_args()

    network = bridge.load(options.network)
    n_classes = len(bridge.card(options.network).classes)
    tuning_set, test_sets = data(options.network)
    step = max(len(tuning_set) // options.tuning, 1)
    tuning = [answer(network, tuning_set[i]) for i in range(0, len(tuning_set), step)]
    methods, chosen = choose(tuning, n_classes, options.budget)
    results: dict[str, Any] = {
        "machine": machine("torch", "numpy", "scipy"),
        "tuning images": len(tuning),
        "parameters": chosen,
    }
    for name, scored in test_sets.items():
        picked = list(scored.select(every=options.every))
        results[name] = score(name, network, picked, methods, n_classes)
        save(f"bridge_{options.network}", results)


def data(network: str) -> tuple[Dataset, dict[str, Dataset]]:
    """Images to choose parameters on, and those to score."""
    if network == "figure_ground":
        folder = data_folder("figure_ground")
        every = datasets.folder(folder / "images", folder / "masks", 2, values=(0, 255))
        _, held_out = bridge.pick(every, HELD_OUT)
        return held_out, {
            "grabcut50": datasets.grabcut(data_folder("grabcut50")),
            "voc2012 salient": datasets.salient_objects(data_folder("voc2012")),
        }
    if network == "street_scenes":
        folder = data_folder("camvid")
        train, val = (datasets.camvid(folder, part) for part in ("train", "val"))
        return train, {"camvid val": val}
    slices = datasets.isbi2012(data_folder("isbi2012"))
    train, val = bridge.pick(slices, ["16", "17", "18", "19"])
    return train, {"isbi2012, 4 slices": val}


def answer(network: Any, item: Item) -> Scored:
    probabilities = np.exp(-bridge.unary(network, item.image, flip=True))
    return Scored(item.image, item.labels, probabilities)


def choose(
    tuning: list[Scored], n_classes: int, budget: int
) -> tuple[dict[str, Method], dict[str, Any]]:
    """Each method with the parameters that do best on the images for tuning."""
    families: dict[str, dict[Any, Method]] = {
        "graph cut": {gamma: graph_cut(gamma) for gamma in (0.5, 1, 2, 4, 8, 16)},
        "grid CRF": {gamma: grid_crf(gamma) for gamma in (0.25, 0.5, 1, 2, 4)},
        "superpixels": {size: pooled(size) for size in (25, 50, 100, 200)},
    }
    methods: dict[str, Method] = {"network alone": alone}
    before = total([alone(s) for s in tuning], tuning, n_classes).mean_iou
    chosen: dict[str, Any] = {"network alone": {"mIoU": before}}
    for name, family in families.items():
        found = {
            key: total([method(s) for s in tuning], tuning, n_classes).mean_iou
            for key, method in family.items()
        }
        best = max(found, key=lambda key: found[key])
        methods[name] = family[best]
        chosen[name] = {"best": best, "mIoU": found}
        print(name, chosen[name], flush=True)
    tuned = densecrf.tune(
        [(s.probabilities, s.image, s.truth) for s in tuning], budget=budget, rng=SEED
    )
    best_trial = max(tuned.trials, key=lambda trial: trial.score)
    parameters = tuned.parameters or best_trial.parameters
    methods["dense CRF"] = dense_crf(parameters)
    chosen["dense CRF"] = {
        "best": parameters,
        "gain on the half of them not searched": tuned.gain,
        "interval": tuned.interval,
    }
    print("dense CRF", chosen["dense CRF"], flush=True)
    return methods, chosen


def alone(scored: Scored) -> Labels:
    return scored.probabilities.argmax(axis=2)


def graph_cut(gamma: float) -> Method:
    """The least energy of Potts links that contrast weakens; expansion moves for many classes."""

    def decide(scored: Scored) -> Labels:
        energies = cs.unary.from_probabilities(scored.probabilities)
        edges = graphcut.contrast_weights(scored.image, gamma=gamma)
        return graphcut.alpha_expansion(energies, edges).labels

    return decide


def grid_crf(gamma: float) -> Method:
    """The same energy; the likeliest label of each pixel instead of the likeliest labelling."""

    def decide(scored: Scored) -> Labels:
        energies = cs.unary.from_probabilities(scored.probabilities)
        edges = graphcut.contrast_weights(scored.image, gamma=gamma)
        found = gridcrf.belief_propagation(energies, edges, marginals="sum", max_iter=6)
        assert found.marginals is not None
        return found.marginals.argmax(axis=-1)

    return decide


def pooled(pixels: int) -> Method:
    """The mean probabilities of superpixels of so many pixels."""

    def decide(scored: Scored) -> Labels:
        regions = superpixels.slic(scored.image, n_segments=max(scored.truth.size // pixels, 1))
        means = superpixels.pool(scored.probabilities, regions)
        return superpixels.spread(means.argmax(axis=1), regions)

    return decide


def dense_crf(parameters: Any) -> Method:
    return lambda scored: densecrf.refine(scored.probabilities, scored.image, **parameters)


def total(found: list[Labels], scored: list[Scored], n_classes: int) -> ConfusionMatrix:
    matrix = ConfusionMatrix(n_classes, VOID)
    for labels, one in zip(found, scored, strict=True):
        matrix.update(one.truth, labels)
    return matrix


def score(
    name: str, network: Any, items: Sequence[Item], methods: dict[str, Method], n_classes: int
) -> dict[str, Any]:
    counts = {key: np.zeros((len(items), n_classes, n_classes), np.int64) for key in methods}
    boundary = {key: np.zeros(len(items)) for key in methods}
    for i, item in enumerate(items):
        one = answer(network, item)
        for key, method in methods.items():
            labels = method(one)
            counts[key][i] = ConfusionMatrix(n_classes, VOID).update(one.truth, labels).counts
            boundary[key][i] = cs.metrics.boundary_f(one.truth, labels)
    base = "network alone"
    found: dict[str, Any] = {"images": len(items)}
    for key in methods:
        matrix = ConfusionMatrix(n_classes, VOID)
        matrix.counts = counts[key].sum(axis=0)
        found[key] = {
            "mIoU": matrix.mean_iou,
            "interval": interval(lambda i, key=key: mean_iou(counts[key][i]), len(items)),
            "boundary F": float(boundary[key].mean()),
            "boundary F interval": interval(lambda i, key=key: boundary[key][i].mean(), len(items)),
            "gain": matrix.mean_iou - mean_iou(counts[base]),
            "gain interval": interval(
                lambda i, key=key: mean_iou(counts[key][i]) - mean_iou(counts[base][i]), len(items)
            ),
            "iou": matrix.iou.tolist(),
            "pixel error": 1 - matrix.pixel_accuracy,
        }
    show(name, found, methods)
    return found


def mean_iou(counts: NDArray[np.int64]) -> float:
    matrix = ConfusionMatrix(counts.shape[-1], VOID)
    matrix.counts = counts.sum(axis=0)
    return matrix.mean_iou


def interval(statistic: Callable[[NDArray[np.int64]], float], n: int) -> tuple[float, float]:
    """Of a statistic of some images, given by their indices."""
    result = bootstrap(
        (np.arange(n),),
        statistic,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=np.random.default_rng(SEED),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def show(name: str, found: dict[str, Any], methods: Iterator[str] | dict[str, Method]) -> None:
    table = Table(
        "", "mIoU", "gain", "boundary F", "pixel error", title=f"{name}, {found['images']}"
    )
    for key in methods:
        f = found[key]
        (a, b), (c, d), (e, g) = f["interval"], f["gain interval"], f["boundary F interval"]
        table.add_row(
            key,
            f"{100 * f['mIoU']:.1f} ({100 * a:.1f}-{100 * b:.1f})",
            f"{100 * f['gain']:+.2f} ({100 * c:+.2f} to {100 * d:+.2f})",
            f"{100 * f['boundary F']:.1f} ({100 * e:.1f}-{100 * g:.1f})",
            f"{100 * f['pixel error']:.2f} %",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

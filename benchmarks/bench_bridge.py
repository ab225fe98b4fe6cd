"""The shipped networks: alone, and with what decides after them.

    python benchmarks/bench_bridge.py figure_ground
    python benchmarks/bench_bridge.py street_scenes
    python benchmarks/bench_bridge.py cells

Graph cut, grid CRF (sum-product belief propagation), dense CRF and superpixels get their parameters
on other images than those scored: the images are cut in two, and each half is scored with what was
best on the other. Photographs are shared out in turn; a film or a stack of slices is cut in the
middle. With --own-data the parameters come from the network's own data instead: what it learned
from, and for figure_ground what was held out of that. mIoU is of the pixels of all images together,
boundary F the mean over images; 95 % intervals by the bootstrap over images (percentiles), of the
gain too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
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
# Fewer images to choose parameters on than these are cut in four: densecrf.tune wants several.
FEW = 8
Image = NDArray[np.uint8]
Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Scored:
    """A network's answer for one image."""

    image: Image
    truth: Labels
    probabilities: NDArray[np.float32]


Method = Callable[[Scored], Labels]
Counts = NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", choices=["figure_ground", "street_scenes", "cells"])
    parser.add_argument("--every", type=int, default=1, help="score every n-th image")
    parser.add_argument("--tuning", type=int, default=12, help="images to choose parameters on")
    parser.add_argument("--budget", type=int, default=20, help="trials of densecrf.tune")
    parser.add_argument(
        "--own-data", action="store_true", help="choose them on the network's own data"
    )
    options = parser.parse_args()

    network = bridge.load(options.network)
    n_classes = len(bridge.card(options.network).classes)
    results: dict[str, Any] = {"machine": machine("torch", "numpy", "scipy")}
    own, sets = data(options.network)
    for name, (dataset, in_turn) in sets.items():
        counts, boundary, chosen = [], [], []
        indices = list(range(0, len(dataset), options.every))
        if options.own_data:
            parts = [(own, Part(dataset, indices))]
        else:
            parts = halves(dataset, indices, in_turn)
        n = sum(len(scored.indices) for _, scored in parts)
        for others, scored in parts:
            tuning = [answer(network, item) for item in others.spread_out(options.tuning)]
            methods, parameters = choose(tuning, n_classes, options.budget)
            chosen.append({"images": len(tuning), "parameters": parameters})
            for index in scored.indices:
                found = score(answer(network, scored.dataset[index]), methods, n_classes)
                counts.append(found[0])
                boundary.append(found[1])
                print(f"{name}: {len(counts)} of {n}", end="\r", flush=True)
        results[name] = summed(counts, boundary) | {"chosen": chosen}
        save(f"bridge_{options.network}{'_own_data' if options.own_data else ''}", results)
        show(name, results[name])


@dataclass(frozen=True)
class Part:
    """Some images of a data set."""

    dataset: Dataset
    indices: list[int]

    def spread_out(self, n: int) -> list[Item]:
        """About n of them, evenly."""
        step = max(len(self.indices) // n, 1)
        return [self.dataset[index] for index in self.indices[::step]]


def data(network: str) -> tuple[Part, dict[str, tuple[Dataset, bool]]]:
    """Its own data to choose parameters on; sets to score, and whether their images are alone."""
    if network == "figure_ground":
        folder = data_folder("figure_ground")
        photographs = datasets.folder(folder / "images", folder / "masks", 2, values=(0, 255))
        _, own = bridge.pick(photographs, HELD_OUT)
        sets = {
            "grabcut50": (datasets.grabcut(data_folder("grabcut50")), True),
            "voc2012 salient": (datasets.salient_objects(data_folder("voc2012")), True),
        }
    elif network == "street_scenes":
        own, val = (datasets.camvid(data_folder("camvid"), part) for part in ("train", "val"))
        sets = {"camvid val": (val, False)}
    else:
        slices = datasets.isbi2012(data_folder("isbi2012"))
        own, val = bridge.pick(slices, ["16", "17", "18", "19"])
        sets = {"isbi2012, 4 slices": (val, False)}
    return Part(own, list(range(len(own)))), sets


def halves(dataset: Dataset, indices: list[int], in_turn: bool) -> list[tuple[Part, Part]]:
    """Images to choose parameters on, and those to score with them: each half for the other."""
    middle = (len(indices) + 1) // 2
    first, second = (
        (indices[::2], indices[1::2]) if in_turn else (indices[:middle], indices[middle:])
    )
    one, other = Part(dataset, first), Part(dataset, second)
    return [(other, one), (one, other)]


def quarters(scored: Scored) -> list[Scored]:
    height, width = (side // 2 for side in scored.truth.shape)
    return [
        Scored(*(array[place] for array in (scored.image, scored.truth, scored.probabilities)))
        for rows in (slice(height), slice(height, None))
        for place in ((rows, slice(width)), (rows, slice(width, None)))
    ]


def answer(network: Any, item: Item) -> Scored:
    probabilities = np.exp(-bridge.unary(network, item.image, flip=True))
    return Scored(item.image, item.labels, probabilities)


def choose(
    tuning: list[Scored], n_classes: int, budget: int
) -> tuple[dict[str, Method], dict[str, Any]]:
    """Each method with the parameters that do best on the images for tuning."""
    if len(tuning) < FEW:
        tuning = [quarter for one in tuning for quarter in quarters(one)]
    families: dict[str, dict[Any, Method]] = {
        "graph cut": {gamma: graph_cut(gamma) for gamma in (0.125, 0.25, 0.5, 1, 2, 4, 8, 16)},
        "grid CRF": {
            (gamma, temperature): grid_crf(gamma, temperature)
            for gamma in (0.25, 0.5, 1)
            for temperature in (1, 2)
        },
        "superpixels": {size: pooled(size) for size in (10, 25, 50, 100, 200)},
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
        chosen[name] = {"best": best, "mIoU": {str(key): value for key, value in found.items()}}
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


def grid_crf(gamma: float, temperature: float) -> Method:
    """The same energy; the likeliest label of each pixel instead of the likeliest labelling."""

    def decide(scored: Scored) -> Labels:
        energies = cs.unary.from_probabilities(scored.probabilities) / temperature
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
    one: Scored, methods: dict[str, Method], n_classes: int
) -> tuple[dict[str, Counts], dict[str, float]]:
    """By method: the confusion matrix of an image, and its boundary F."""
    counts, boundary = {}, {}
    for name, method in methods.items():
        labels = method(one)
        counts[name] = ConfusionMatrix(n_classes, VOID).update(one.truth, labels).counts
        boundary[name] = float(cs.metrics.boundary_f(one.truth, labels))
    return counts, boundary


def summed(counts: list[dict[str, Counts]], boundary: list[dict[str, float]]) -> dict[str, Any]:
    """The scores of all images."""
    n = len(counts)
    found: dict[str, Any] = {"images": n}
    base = np.stack([one["network alone"] for one in counts])
    for name in counts[0]:
        each = np.stack([one[name] for one in counts])
        fs = np.array([one[name] for one in boundary])
        matrix = ConfusionMatrix(each.shape[-1], VOID)
        matrix.counts = each.sum(axis=0)
        found[name] = {
            "mIoU": matrix.mean_iou,
            "interval": interval(lambda i, each=each: mean_iou(each[i]), n),
            "boundary F": float(fs.mean()),
            "boundary F interval": interval(lambda i, fs=fs: fs[i].mean(), n),
            "gain": matrix.mean_iou - mean_iou(base),
            "gain interval": interval(
                lambda i, each=each: mean_iou(each[i]) - mean_iou(base[i]), n
            ),
            "iou": matrix.iou.tolist(),
            "pixel error": 1 - matrix.pixel_accuracy,
        }
    return found


def mean_iou(counts: Counts) -> float:
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


def show(name: str, found: dict[str, Any]) -> None:
    table = Table(
        "", "mIoU", "gain", "boundary F", "pixel error", title=f"{name}, {found['images']}"
    )
    for key, f in found.items():
        if not isinstance(f, dict):
            continue
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

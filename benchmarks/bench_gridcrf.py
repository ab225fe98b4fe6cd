"""The solvers of the local CRF on real network scores: energy, mIoU and seconds in one table.

    python benchmarks/bench_gridcrf.py --images 40

Unaries are a network's -log probabilities, edges the contrast weights of the 4-connected grid,
Potts. The weight gamma is the one with the best mIoU of TRW-S on as many other images as are
reported. Seconds are the processor's, on one thread, median of the images. Energies are means over
the images, above the mean of TRW-S's lower bounds: 0 is optimal. gco takes integers, here in
thousandths.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
from common import data_folder, machine, save
from rich.console import Console
from rich.progress import track
from rich.table import Table

import classicseg as cs

GAMMAS = (0.5, 2.0, 8.0)
N_CLASSES = {"voc2012": 21, "camvid": 11}
LOGITS = {"voc2012": "logits", "camvid": "val_logits"}
SEED = 0


def files(name: str) -> list[tuple[str, Path]]:
    """Ids, and files of a network's scores."""
    folder = data_folder(name) / LOGITS[name]
    return [(id, folder / f"{id}.npz") for id in opened(name).ids]


def opened(name):
    return cs.datasets.open(name, data_folder(name), "val")


def load(name, id, scores_file):
    item = opened(name).read(id)
    image, truth = item.image, item.labels
    scores = cs.io.read_scores(scores_file, shape=image.shape[:2], n_classes=N_CLASSES[name])
    return image, cs.unary.from_probabilities(scores), truth


def gco_moves(unary, weights, algorithm):
    import gco

    scaled = np.rint(unary * 1000).astype(np.int32)
    cost = (1 - np.eye(unary.shape[-1], dtype=np.int32)) * 1
    vertical = np.rint(weights[1, 0][:-1] * 1000).astype(np.int32)
    horizontal = np.rint(weights[0, 1][:, :-1] * 1000).astype(np.int32)
    labels = gco.cut_grid_graph(scaled, cost, vertical, horizontal, algorithm=algorithm)
    return labels.reshape(unary.shape[:2]).astype(np.int32)


def argmax(unary, weights):
    return unary.argmin(-1).astype(np.int32)


def solvers():
    return {
        "argmax": argmax,
        "ICM": lambda u, w: cs.gridcrf.icm(u, w).labels,
        "belief propagation": lambda u, w: cs.gridcrf.belief_propagation(u, w).labels,
        "TRW-S": lambda u, w: cs.gridcrf.trws(u, w),
        "expansion": lambda u, w: cs.graphcut.alpha_expansion(u, w, n_threads=1).labels,
        "swap": lambda u, w: cs.graphcut.alpha_beta_swap(u, w, n_threads=1).labels,
        "expansion (gco)": lambda u, w: gco_moves(u, w, "expansion"),
        "swap (gco)": lambda u, w: gco_moves(u, w, "swap"),
    }


def miou(name, pairs):
    matrix = cs.metrics.ConfusionMatrix(N_CLASSES[name])
    for truth, labels in pairs:
        matrix.update(truth, labels)
    return matrix.mean_iou


def best_gamma(name, chosen):
    results = {gamma: [] for gamma in GAMMAS}
    for paths in track(chosen, f"{name}: gamma"):
        image, unary, truth = load(name, *paths)
        for gamma in GAMMAS:
            weights = cs.graphcut.contrast_weights(image, gamma=gamma, connectivity=4)
            labels = cs.gridcrf.trws(unary, weights, max_iter=8).labels
            results[gamma].append((truth, labels))
    scores = {gamma: miou(name, pairs) for gamma, pairs in results.items()}
    return max(scores, key=scores.get), scores


def compare(console, name, count):
    everything = files(name)
    order = np.random.default_rng(SEED).permutation(len(everything))
    chosen = [everything[i] for i in order[: 2 * count]]
    gamma, scores = best_gamma(name, chosen[count:])
    rows = {solver: {"seconds": [], "energy": [], "pairs": []} for solver in solvers()}
    bounds, iterations = [], []
    for paths in track(chosen[:count], name):
        image, unary, truth = load(name, *paths)
        weights = cs.graphcut.contrast_weights(image, gamma=gamma, connectivity=4)
        for solver, run in solvers().items():
            begin = time.process_time()
            labels = run(unary, weights)
            used = time.process_time() - begin
            if isinstance(labels, cs.gridcrf.Labelling):
                bounds.append(float(labels.lower_bounds[-1]))
                iterations.append(len(labels.energies) - 1)
                labels = labels.labels
            rows[solver]["seconds"].append(used)
            rows[solver]["energy"].append(cs.gridcrf.energy(labels, unary, weights))
            rows[solver]["pairs"].append((truth, labels))
    bound = float(np.mean(bounds))
    table = Table(
        title=f"{name}: {count} images, gamma {gamma:g}, bound {bound:.1f}, "
        f"TRW-S {np.mean(iterations):.0f} iterations"
    )
    for title in ("solver", "energy", "above the bound %", "mIoU", "seconds"):
        table.add_column(title, justify="left" if title == "solver" else "right")
    result = {"gamma": gamma, "gammas": scores, "bound": bound, "images": count, "solvers": {}}
    for solver, row in rows.items():
        energy, used = float(np.mean(row["energy"])), float(np.median(row["seconds"]))
        score = 100 * miou(name, row["pairs"])
        table.add_row(
            solver,
            f"{energy:.1f}",
            f"{100 * (energy / bound - 1):.3f}",
            f"{score:.2f}",
            f"{used:.3f}",
        )
        result["solvers"][solver] = {"energy": energy, "miou": score, "seconds": used}
    console.print(table)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=40, help="reported, and to find gamma on")
    parser.add_argument("--data", choices=sorted(N_CLASSES), nargs="*", default=sorted(N_CLASSES))
    options = parser.parse_args()
    os.environ["CLASSICSEG_NUM_THREADS"] = "1"
    console = Console(width=100)
    console.print(machine("numpy"))
    for name in options.data:
        save(f"gridcrf_{name}", compare(console, name, options.images))


if __name__ == "__main__":
    main()

"""Expansion and swap moves against gco-wrapper on a network's scores: 500x375, 21 labels, Potts.

    python benchmarks/bench_expansion.py             # 8 images of voc2012, contrast weights
    python benchmarks/bench_expansion.py --gamma 50  # stronger edges; 10 by default

Unaries are -log p of the scores enlarged to the image, in thousandths as whole numbers; both
solvers get the same whole numbers and run until no move helps, ours from the cheapest labels, gco
from its own beginning, label 0. Every ratio is gco's time over ours, setting up included, one after
the other in the same run: by the clock, and by processor time, which other programs disturb less;
gco has one thread, so have we unless the column says otherwise. Energies come from one function.
maxflow.fastmin takes no weights of single edges: its rows have a uniform weight between 4-connected
pixels.
"""

from __future__ import annotations

import argparse
import time

import gco
import numpy as np
from common import data_folder, geometric_mean, machine, save
from rich.console import Console
from rich.table import Table
from skimage.segmentation import slic

import classicseg as cs

SCALE = 1000  # whole numbers are thousandths


def problems(count, gamma):
    folder = data_folder("voc2012")
    for file in sorted((folder / "logits").glob("*.npz")):
        image = cs.io.read_image(folder / "JPEGImages" / f"{file.stem}.jpg")
        if image.shape[:2] not in ((375, 500), (500, 375)):
            continue
        if count == 0:
            return
        count -= 1
        probabilities = cs.io.read_scores(file, shape=image.shape[:2])
        unary = np.rint(SCALE * cs.unary.from_probabilities(probabilities))
        weights = cs.graphcut.contrast_weights(image, gamma=gamma)
        weights = {offset: np.rint(SCALE * w) for offset, w in weights.items()}
        yield file.stem, image, unary.astype(np.float32), weights


def pairs_of(weights, shape):
    """The grid's edges as (pairs, weights)."""
    numbers = np.arange(shape[0] * shape[1]).reshape(shape)
    pairs, values = [], []
    for (dy, dx), weight in weights.items():
        here = (slice(0, shape[0] - dy), slice(max(0, -dx), shape[1] - max(0, dx)))
        first = numbers[here].ravel()
        pairs.append(np.stack([first, first + dy * shape[1] + dx], axis=1))
        values.append(weight[here].ravel())
    return np.concatenate(pairs), np.concatenate(values)


def energy(labels, unary, edges):
    pairs, weights = edges
    x = labels.ravel().astype(int)
    costs = unary.reshape(len(x), -1)
    cut = x[pairs[:, 0]] != x[pairs[:, 1]]
    return float(costs[np.arange(len(x)), x].sum(dtype=float) + weights[cut].sum(dtype=float))


def with_gco(unary, edges, move):
    """(N, L) whole numbers; `edges` without weights of 0."""
    n_nodes, n_labels = unary.shape
    graph = gco.GCO()
    graph.create_general_graph(n_nodes, n_labels, False)
    graph.set_data_cost(unary)
    graph.set_all_neighbors(*edges)
    graph.set_smooth_cost((1 - np.eye(n_labels)).astype(np.int32))
    getattr(graph, move)(-1)
    labels = graph.get_labels()
    graph.destroy_graph()
    return labels


def timed(run, *args, **options):
    clock, processor = time.perf_counter(), time.process_time()
    result = run(*args, **options)
    return time.perf_counter() - clock, time.process_time() - processor, result


def for_gco(edges):
    pairs, weights = edges
    kept = weights > 0
    columns = (pairs[kept, 0], pairs[kept, 1], weights[kept])
    return tuple(np.ascontiguousarray(column, np.intc) for column in columns)


def compare(name, unary, edges, pairs, move, ours):
    flat = unary.reshape(-1, unary.shape[-1])
    integers, columns = np.ascontiguousarray(flat, np.int32), for_gco(pairs)
    peer = timed(with_gco, integers, columns, move)
    runs = [timed(ours, unary, edges, n_threads=1) for _ in range(3)]
    threaded = [timed(ours, unary, edges)[0] for _ in range(3)]
    clock, processor = np.median([run[:2] for run in runs], axis=0)
    found = runs[0][2]
    assert found.energy == energy(found.labels, unary, pairs), "the energy is not of the labels"
    return {
        "problem": name,
        "gco_ms": 1e3 * peer[0],
        "ours_ms": 1e3 * float(clock),
        "ours_all_threads_ms": 1e3 * float(np.median(threaded)),
        "ratio": peer[0] / float(clock),
        "ratio_processor": peer[1] / float(processor),
        "energy_over_gco": found.energy / energy(peer[2], unary, pairs),
        "moves": len(found.energies) - 1,
    }


def superpixel_problem(image, unary, gamma):
    """Regions of an interim SLIC: summed unaries, weights by mean colour and length of boundary."""
    regions = slic(image, n_segments=3000, start_label=0)
    n = int(regions.max()) + 1
    sums = [np.bincount(regions.ravel(), unary[..., k].ravel(), n) for k in range(unary.shape[2])]
    colours = np.stack(
        [np.bincount(regions.ravel(), image[..., c].ravel(), n) for c in range(3)], 1
    )
    colours /= np.bincount(regions.ravel(), minlength=n)[:, None]
    sides = [(regions[:, :-1], regions[:, 1:]), (regions[:-1], regions[1:])]
    both = np.concatenate([np.stack([a[a != b], b[a != b]], 1) for a, b in sides])
    pairs, lengths = np.unique(np.sort(both, axis=1), axis=0, return_counts=True)
    distance = ((colours[pairs[:, 0]] - colours[pairs[:, 1]]) ** 2).sum(axis=1)
    weights = np.rint(SCALE * gamma * lengths * np.exp(-distance / (2 * distance.mean())))
    low = np.stack(sums, axis=1)
    # gco takes terms up to ten million.
    low = np.minimum(np.rint(low - low.min(axis=1, keepdims=True)), 9_999_999)
    return low.astype(np.float32), (pairs, weights)


def fastmin_row(name, unary):
    from maxflow.fastmin import aexpansion_grid

    weight = 2000.0
    edges = {(0, 1): weight, (1, 0): weight}
    pairs = pairs_of({k: np.full(unary.shape[:2], w) for k, w in edges.items()}, unary.shape[:2])
    potts = weight * (1 - np.eye(unary.shape[2]))
    peer = timed(aexpansion_grid, unary.astype(np.float64), potts)
    ours = timed(cs.graphcut.alpha_expansion, unary, edges, n_threads=1)
    return {
        "problem": name,
        "fastmin_ms": 1e3 * peer[0],
        "ours_ms": 1e3 * ours[0],
        "ratio": peer[0] / ours[0],
        "ratio_processor": peer[1] / ours[1],
        "energy_over_fastmin": ours[2].energy / energy(peer[2], unary, pairs),
    }


def show(console, title, rows):
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "problem" else "right")
    for row in rows:
        table.add_row(
            *(
                value
                if isinstance(value, str)
                else f"{value:.5g}"
                if "energy" in key
                else f"{value:.4g}"
                for key, value in row.items()
            )
        )
    console.print(table)
    clock = [row["ratio"] for row in rows]
    processor = [row["ratio_processor"] for row in rows]
    console.print(
        f"{title}: geometric mean {geometric_mean(clock):.1f}x by the clock "
        f"({min(clock):.1f}-{max(clock):.1f}), {geometric_mean(processor):.1f}x by processor time "
        f"({min(processor):.1f}-{max(processor):.1f})"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--gamma", type=float, default=10.0)
    parser.add_argument("--swap", action="store_true", help="also swap moves: gco's are slow")
    options = parser.parse_args()
    console = Console(width=140)
    console.print(machine("classicseg", "gco-wrapper", "PyMaxflow"))
    expansion, regions, swap, fastmin = [], [], [], []
    for number, (name, image, unary, edges) in enumerate(problems(options.images, options.gamma)):
        pairs = pairs_of(edges, unary.shape[:2])
        expand = cs.graphcut.alpha_expansion
        expansion.append(compare(name, unary, edges, pairs, "expansion", expand))
        summed, graph = superpixel_problem(image, unary, options.gamma)
        regions.append(compare(name, summed, graph, graph, "expansion", expand))
        if number < 2:
            fastmin.append(fastmin_row(name, unary))
            if options.swap:
                exchange = cs.graphcut.alpha_beta_swap
                swap.append(compare(name, unary, edges, pairs, "swap", exchange))
    results = {
        "expansion": expansion,
        "superpixels": regions,
        "swap": swap,
        "fastmin, uniform weight": fastmin,
    }
    for title, rows in results.items():
        if rows:
            show(console, f"{title}, gamma {options.gamma:g}", rows)
    save(f"expansion_gamma{options.gamma:g}", results)


if __name__ == "__main__":
    main()

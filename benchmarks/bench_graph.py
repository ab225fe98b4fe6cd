"""Max-flow on sparse graphs against PyMaxflow: superpixels, a pixel grid, a tetrahedral mesh.

    python benchmarks/bench_graph.py             # about 100,000 nodes each
    python benchmarks/bench_graph.py --memory    # peak memory of either, in its own process
    python benchmarks/bench_graph.py --order     # the same graphs with nodes in random order
    python benchmarks/bench_graph.py --dimacs    # reading a file of a million arcs

Superpixels: fast_slic's of enlarged and tiled photographs. GrabCut's energies after one round from
the central rectangle, summed over each region, and contrast weights x the length of the boundary.
`hard` fixes the regions outside the rectangle. Capacities are integers, thousandths. Every ratio is
PyMaxflow's time over ours for building (set_terminals and set_edges; ours lays out its arcs when it
solves), solving and reading the labels, one after the other in the same run; flows must be equal.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import maxflow
import numpy as np
from common import bsds_images, enlarged, geometric_mean, machine, save, seconds, spread
from fast_slic import Slic
from rich.console import Console
from rich.table import Table
from scipy.spatial import Delaunay
from skimage import data
from sklearn.datasets import load_sample_image

import classicseg as cs

SCALE = 1000  # integers are thousandths


@dataclass
class Problem:
    source: np.ndarray
    sink: np.ndarray
    pairs: np.ndarray
    weights: np.ndarray


def integers(values):
    return np.rint(SCALE * values).astype(np.int64)


def over_segmented(image, count, n_bands=4):
    """Regions numbered band by band: fast_slic makes at most 65,534 at a time."""
    labels, n = np.empty(image.shape[:2], np.int32), 0
    for rows in np.array_split(np.arange(len(image)), n_bands):
        band = np.ascontiguousarray(image[rows])
        regions, found = np.unique(
            Slic(num_components=count // n_bands, compactness=10).iterate(band),
            return_inverse=True,
        )
        labels[rows] = found.reshape(band.shape[:2]) + n
        n += len(regions)
    return labels, n


def superpixels(image, hard):
    """GrabCut's energies and contrast weights of regions."""
    labels, n = over_segmented(image, 118_000)
    height, width = labels.shape
    y, x = height // 8, width // 8
    trimap = np.zeros((height, width), np.uint8)
    trimap[y : height - y, x : width - x] = 3
    grabcut = cs.grabcut.GrabCut(image, max_iter=1).fit(trimap=trimap)

    def summed(values):
        return np.bincount(labels.ravel(), values.ravel(), minlength=n)

    background = summed(grabcut.background_gmm.energies(image).astype(np.float64))
    foreground = summed(grabcut.foreground_gmm.energies(image).astype(np.float64))
    difference = background - foreground
    edges = cs.superpixels.adjacency(labels, image)
    beta = 1 / (2 * np.mean(edges.contrast.astype(np.float64) ** 2))
    weights = 50 * edges.lengths * np.exp(-beta * edges.contrast.astype(np.float64) ** 2)
    source, sink = integers(np.maximum(difference, 0)), integers(np.maximum(-difference, 0))
    if hard:
        outside = summed((trimap == 0).astype(float)) > summed(np.ones(labels.shape)) / 2
        source[outside], sink[outside] = 0, 10**8
    return Problem(source, sink, edges.pairs, integers(weights))


def grid():
    """A 4-connected image as a graph."""
    image = enlarged(data.chelsea(), 384, 256)
    height, width = image.shape[:2]
    y, x = height // 8, width // 8
    grabcut = cs.grabcut.GrabCut(image, max_iter=1)
    grabcut.fit(rect=(x, y, width - 2 * x, height - 2 * y))
    difference = grabcut.background_gmm.energies(image) - grabcut.foreground_gmm.energies(image)
    found = cs.graphcut.contrast_weights(image, connectivity=4)
    number = np.arange(height * width).reshape(height, width)
    east = np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], 1)
    south = np.stack([number[:-1].ravel(), number[1:].ravel()], 1)
    weights = np.concatenate([found[0, 1][:, :-1].ravel(), found[1, 0][:-1].ravel()])
    difference = difference.ravel().astype(np.float64)
    return Problem(
        integers(np.maximum(difference, 0)),
        integers(np.maximum(-difference, 0)),
        np.concatenate([east, south]),
        integers(weights),
    )


def mesh():
    """Random points in a cube, joined by Delaunay's tetrahedra; a noisy ball against the rest."""
    rng = np.random.default_rng(0)
    points = rng.random((100_000, 3))
    points = points[np.argsort(points[:, 0])]
    corners = Delaunay(points).simplices
    sides = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    pairs = np.concatenate([np.sort(corners[:, side], axis=1) for side in sides])
    pairs = np.unique(pairs, axis=0)
    wish = 0.35 - np.linalg.norm(points - 0.5, axis=1)
    wish = 3 * np.sign(wish) + rng.normal(0, 8, len(points))
    weights = rng.exponential(1.5, len(pairs))
    return Problem(
        integers(np.maximum(wish, 0)), integers(np.maximum(-wish, 0)), pairs, integers(weights)
    )


def shuffled(problem):
    number = np.random.default_rng(0).permutation(len(problem.source))
    place = np.argsort(number)
    return Problem(
        problem.source[place], problem.sink[place], number[problem.pairs], problem.weights
    )


def problems():
    photos = [image[:320, :480] for _, image in bsds_images(16)]
    rows = [np.concatenate(photos[4 * r : 4 * r + 4], 1) for r in range(4)]
    images = {
        "china x4": enlarged(load_sample_image("china.jpg"), 2560, 1600),
        "chelsea x5.7": enlarged(data.chelsea(), 2560, 1600),
        "16 of bsds": np.ascontiguousarray(np.concatenate(rows)),
    }
    for hard in (False, True):
        for name, image in images.items():
            yield f"{name}, hard" if hard else name, superpixels(image, hard)
    yield "grid 384x256", grid()
    yield "mesh", mesh()


def ours(problem, n_threads):
    start = time.perf_counter()
    graph = cs.graphcut.Graph(len(problem.source))
    graph.set_terminals(problem.source, problem.sink)
    graph.set_edges(problem.pairs, problem.weights)
    built = time.perf_counter() - start
    cut = graph.solve(n_threads)
    return built, (cut.flow, cut.mask)


def pymaxflow(problem):
    """The whole graph in three calls: none of them loops in Python."""
    start = time.perf_counter()
    n = len(problem.source)
    graph = maxflow.GraphInt(n, len(problem.pairs))
    graph.add_nodes(n)
    nodes = np.arange(n)
    graph.add_edges(problem.pairs[:, 0], problem.pairs[:, 1], problem.weights, problem.weights)
    graph.add_grid_tedges(nodes, problem.source, problem.sink)
    built = time.perf_counter() - start
    return built, (graph.maxflow(), ~graph.get_grid_segments(nodes))


def compare(named, repeats, console):
    rows = []
    for name, problem in named:
        runs = []
        for _ in range(repeats):
            peer, (peer_built, expected) = seconds(pymaxflow, problem)
            times = []
            for n_threads in (1, 2):
                time_, (built, found) = seconds(ours, problem, n_threads)
                assert found[0] == expected[0], f"{name}: flows differ"
                assert np.array_equal(found[1], expected[1]), f"{name}: labels differ"
                times.append(time_)
            runs.append((peer, *times, peer_built, built))
        median = 1e3 * np.median(runs, axis=0)
        rows.append(
            {
                "graph": name,
                "nodes": len(problem.source),
                "edges": len(problem.pairs),
                **dict(
                    zip(
                        (
                            "pymaxflow_ms",
                            "ours_1_thread_ms",
                            "ours_2_threads_ms",
                            "pymaxflow_build_ms",
                            "ours_build_ms",
                        ),
                        median.tolist(),
                        strict=True,
                    )
                ),
                "all_ratios_1_thread": [r[0] / r[1] for r in runs],
                "all_ratios_2_threads": [r[0] / r[2] for r in runs],
            }
        )
    table = Table(title="PyMaxflow's time over ours, flows and labels equal")
    table.add_column("graph")
    for title in (
        "nodes",
        "edges",
        "PyMaxflow ms (build)",
        "ours ms, 1 / 2 threads (build)",
        "1 thread",
        "2 threads",
    ):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            row["graph"],
            f"{row['nodes']:,}",
            f"{row['edges']:,}",
            f"{row['pymaxflow_ms']:.0f} ({row['pymaxflow_build_ms']:.1f})",
            f"{row['ours_1_thread_ms']:.1f} / {row['ours_2_threads_ms']:.1f} "
            f"({row['ours_build_ms']:.1f})",
            spread(row["all_ratios_1_thread"]),
            spread(row["all_ratios_2_threads"]),
        )
    console.print(table)
    regions = [row for row in rows if "grid" not in row["graph"] and row["graph"] != "mesh"]
    for n_threads in ("1_thread", "2_threads"):
        ratios = [float(np.median(row[f"all_ratios_{n_threads}"])) for row in regions]
        console.print(
            f"superpixels, {n_threads.replace('_', ' ')}: geometric mean "
            f"{geometric_mean(ratios):.1f}x (graphs {min(ratios):.1f}-{max(ratios):.1f}x)"
        )
    return rows


def peak_kib():
    """Of this process alone: getrusage's figure begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


def memory(who, file):
    """Mebibytes at the peak, above what the process had before the solver started."""
    with np.load(file) as stored:
        problem = Problem(**stored)
    tiny = Problem(*np.ones((2, 2), np.int64), np.array([[0, 1]]), np.ones(1, np.int64))
    run = pymaxflow if who == "PyMaxflow" else lambda p: ours(p, 2)
    run(tiny)  # what loading the libraries takes is not the graph's
    before = peak_kib()
    run(problem)
    print(f"{who}: {(peak_kib() - before) / 1024:.1f} MiB")


def compare_memory():
    problem = superpixels(enlarged(data.chelsea(), 2560, 1600), False)
    print(f"{len(problem.source):,} nodes, {len(problem.pairs):,} edges")
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/problem.npz"
        np.savez(file, **vars(problem))
        for who in ("classicseg", "PyMaxflow"):
            subprocess.run([sys.executable, __file__, "--memory-of", who, file], check=True)


def time_dimacs():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 200_000, 400_000)
    pairs = np.stack([first, (first + rng.integers(1, 900, 400_000)) % 200_000], 1)
    graph = cs.graphcut.Graph(200_000)
    graph.set_terminals(*rng.integers(1, 1000, (2, 200_000)))
    graph.set_edges(pairs, rng.integers(1, 1000, 400_000), rng.integers(1, 1000, 400_000))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.max"
        written, _ = seconds(cs.graphcut.write_dimacs, file, graph)
        read, found = seconds(cs.graphcut.read_dimacs, file)
        size = file.stat().st_size / 1e6
        assert found.solve().flow == graph.solve().flow
    print(f"1,200,000 arcs, {size:.0f} MB: written in {written:.2f} s, read in {read:.2f} s")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--order", action="store_true")
    parser.add_argument("--dimacs", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.memory_of:
        memory(*options.memory_of)
    elif options.memory:
        compare_memory()
    elif options.dimacs:
        time_dimacs()
    else:
        console = Console(width=130)
        console.print(machine("classicseg", "PyMaxflow"))
        if options.order:
            compare(((name, shuffled(p)) for name, p in problems()), options.repeats, console)
        else:
            save("graph", compare(problems(), options.repeats, console))


if __name__ == "__main__":
    main()

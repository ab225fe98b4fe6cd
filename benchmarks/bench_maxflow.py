"""Max-flow against PyMaxflow on GrabCut energies: 8-connected, gamma 50, 5 + 5 Gaussians, integers.

    python benchmarks/bench_maxflow.py             # 12 images 481 x 321 and three 1920 x 1080
    python benchmarks/bench_maxflow.py --memory    # peak memory of either, in its own process

Every ratio is PyMaxflow's time over ours for graph building, solving and reading the labels, one
after the other in the same run; flows and labels must be equal.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import maxflow
import numpy as np
from common import bsds_images, enlarged, geometric_mean, machine, save, seconds, spread
from rich.console import Console
from rich.table import Table
from skimage import data
from sklearn.datasets import load_sample_image

import classicseg as cs

SCALE = 1000  # integers are thousandths


def energies(image, hard):
    """Integer terminals and weights after one round of GrabCut from the central rectangle."""
    height, width = image.shape[:2]
    x, y = width // 8, height // 8
    trimap = np.zeros((height, width), np.uint8)
    trimap[y : height - y, x : width - x] = 3
    grabcut = cs.grabcut.GrabCut(image, max_iter=1).fit(trimap=trimap)
    background = grabcut.background_gmm.energies(image).astype(np.float64)
    foreground = grabcut.foreground_gmm.energies(image).astype(np.float64)
    source = np.rint(SCALE * np.maximum(background - foreground, 0)).astype(np.int32)
    sink = np.rint(SCALE * np.maximum(foreground - background, 0)).astype(np.int32)
    if hard:
        source[trimap == 0], sink[trimap == 0] = 0, 450 * SCALE  # more than a pixel's edges
    weights = cs.graphcut.contrast_weights(image)
    weights = {offset: np.rint(SCALE * w).astype(np.int32) for offset, w in weights.items()}
    return source, sink, weights


def ours(source, sink, weights, n_threads):
    graph = cs.graphcut.GridGraph(source.shape)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    cut = graph.solve(n_threads)
    return cut.flow, cut.mask


def pymaxflow(source, sink, weights):
    graph = maxflow.GraphInt(source.size, len(weights) * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for (dy, dx), weight in weights.items():
        structure = np.zeros((3, 3))
        structure[1 + dy, 1 + dx] = 1
        graph.add_grid_edges(nodes, weight, structure, symmetric=True)
    graph.add_grid_tedges(nodes, source, sink)
    return graph.maxflow(), ~graph.get_grid_segments(nodes)


def large_images():
    yield "china x3", enlarged(load_sample_image("china.jpg"), 1920, 1080)
    yield "chelsea x4.3", enlarged(data.chelsea(), 1920, 1080)
    photos = [image for _, image in bsds_images(12)]
    rows = [np.concatenate([photos[(4 * r + c) % 12] for c in range(4)], 1) for r in range(4)]
    yield "bsds tiled", np.ascontiguousarray(np.concatenate(rows)[:1080, :1920])


def compare(size, images, repeats, console):
    rows = []
    for name, image in images:
        for hard in (False, True):
            problem = energies(image, hard)
            runs = []
            for _ in range(repeats):
                peer, expected = seconds(pymaxflow, *problem)
                times = []
                for n_threads in (1, 2):
                    time, found = seconds(ours, *problem, n_threads)
                    assert found[0] == expected[0], f"{name}: flows differ"
                    assert np.array_equal(found[1], expected[1]), f"{name}: labels differ"
                    times.append(time)
                runs.append((peer, *times))
            peer, one, two = np.median(runs, axis=0)
            rows.append(
                {
                    "size": size,
                    "image": name,
                    "outside": "hard" if hard else "open",
                    "pymaxflow_ms": 1e3 * peer,
                    "ours_1_thread_ms": 1e3 * one,
                    "ours_2_threads_ms": 1e3 * two,
                    "ratio_1_thread": float(np.median([r[0] / r[1] for r in runs])),
                    "ratio_2_threads": float(np.median([r[0] / r[2] for r in runs])),
                    "all_ratios_2_threads": [r[0] / r[2] for r in runs],
                }
            )
    table = Table(title=f"{size}, PyMaxflow's time over ours, flows and labels equal")
    for title in (
        "image",
        "outside",
        "PyMaxflow ms",
        "ours 1 / 2 threads ms",
        "1 thread",
        "2 threads",
    ):
        table.add_column(title, justify="left" if title in ("image", "outside") else "right")
    for row in rows:
        table.add_row(
            row["image"],
            row["outside"],
            f"{row['pymaxflow_ms']:.0f}",
            f"{row['ours_1_thread_ms']:.1f} / {row['ours_2_threads_ms']:.1f}",
            f"{row['ratio_1_thread']:.1f}x",
            spread(row["all_ratios_2_threads"]),
        )
    console.print(table)
    for outside in ("open", "hard"):
        chosen = [row for row in rows if row["outside"] == outside]
        one = geometric_mean([row["ratio_1_thread"] for row in chosen])
        two = [row["ratio_2_threads"] for row in chosen]
        console.print(
            f"{size}, outside {outside}: geometric mean {one:.1f}x on one thread, "
            f"{geometric_mean(two):.1f}x on two (images {min(two):.1f}-{max(two):.1f}x)"
        )
    return rows


def peak_kib():
    """Of this process alone: getrusage's figure begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


def memory(who, file):
    """Bytes per pixel at the peak, above what the process had before the solver started."""
    with np.load(file) as stored:
        source, sink = stored["source"], stored["sink"]
        offsets = ((0, 1), (1, -1), (1, 0), (1, 1))
        weights = {offset: stored[f"weights{i}"] for i, offset in enumerate(offsets)}
    before = peak_kib()
    if who == "ours":
        ours(source, sink, weights, 2)
    else:
        pymaxflow(source, sink, weights)
    peak = peak_kib()
    print(f"{who}: {(peak - before) * 1024 / source.size:.0f} bytes a pixel at 1920x1080")


def compare_memory():
    source, sink, weights = energies(enlarged(data.chelsea(), 1920, 1080), False)
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/problem.npz"
        arrays = {f"weights{i}": weights[offset] for i, offset in enumerate(sorted(weights))}
        np.savez(file, source=source, sink=sink, **arrays)
        for who in ("ours", "pymaxflow"):
            subprocess.run([sys.executable, __file__, "--memory-of", who, file], check=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if options.memory_of:
        memory(*options.memory_of)
        return
    if options.memory:
        compare_memory()
        return
    console = Console(width=110)
    console.print(machine("classicseg", "PyMaxflow"))
    rows = compare("481x321", bsds_images(12), options.repeats, console)
    rows += compare("1920x1080", large_images(), max(1, options.repeats // 2), console)
    save("maxflow", rows)


if __name__ == "__main__":
    main()

"""Max-flow on volumes against PyMaxflow: contrast weights, integers, three kinds of terminals.

    python benchmarks/bench_maxflow3d.py             # 160^3 6-, 80^3 26-connected, an EM stack
    python benchmarks/bench_maxflow3d.py --memory    # peak memory of either, in its own process
    python benchmarks/bench_maxflow3d.py --large     # 400^3, ours alone: time and peak memory

Volumes: "organ", a made-up scan (warped ellipsoids and a vessel, blurred, with noise and texture);
"field", a sum of smoothed random fields at five scales, cut at its median; "em", the ISBI 2012
electron microscopy stack (20 x 512 x 512, cells against membranes). Terminals: grey-value
likelihoods of both sides ("open"), those with a hard background rim ("hard"), or nothing but hard
seeds, the rim and the core of the object ("seeds"), so that all flow goes a long way.

Every ratio is PyMaxflow's time over ours for graph building, solving and reading the labels, one
after the other in the same run; the flows must be equal and our labels a minimum cut too.
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
from common import data_folder, geometric_mean, machine, save, seconds, spread
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt, gaussian_filter

import classicseg as cs

SCALE = 1000  # integers are thousandths
HARD = 10**7  # more than a pixel's edges


def noise(rng, shape, sigma, deviation):
    smooth = gaussian_filter(rng.normal(size=shape).astype(np.float32), sigma)
    return smooth * (deviation / smooth.std())


def organ(n):
    rng = np.random.default_rng(0)
    shape = (n, n, n)
    axes = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32)] * 3, indexing="ij")
    z, y, x = (axis + noise(rng, shape, n / 12, 0.07) for axis in axes)
    body = (z / 0.9) ** 2 + (y / 0.8) ** 2 + (x / 0.9) ** 2 < 1
    liver = ((z - 0.1) / 0.55) ** 2 + ((y + 0.05) / 0.4) ** 2 + ((x + 0.15) / 0.5) ** 2 < 1
    liver |= ((z + 0.2) / 0.3) ** 2 + ((y - 0.2) / 0.35) ** 2 + ((x - 0.35) / 0.25) ** 2 < 1
    vessel = ((y - 0.1) / 0.06) ** 2 + ((x - 0.1 + 0.2 * z) / 0.06) ** 2 < 1
    scan = np.where(body, 90, 20).astype(np.float32)
    scan[liver] = 130
    scan[vessel & body] = 170
    scan = gaussian_filter(scan, 0.8) + noise(rng, shape, 0.7, 18) + noise(rng, shape, 3, 8)
    return np.clip(np.rint(scan), 0, 255).astype(np.uint8), liver & ~vessel


def field(n):
    rng = np.random.default_rng(0)
    total = sum(
        gaussian_filter(rng.normal(size=(n,) * 3).astype(np.float32), s) * s**2
        for s in (1, 2, 4, 8, 16)
    )
    total -= total.min()
    grey = np.clip(np.rint(255 * total / total.max()), 0, 255).astype(np.uint8)
    return grey, grey > np.median(grey)


def em_stack():
    folder = data_folder("isbi2012")
    files = sorted((folder / "images").iterdir())
    truths = {file.stem: file for file in (folder / "labels").iterdir()}
    grey = np.stack([cs.io.read_image(file)[..., 0] for file in files])
    truth = np.stack([cs.io.read_image(truths[file.stem])[..., 0] for file in files]) > 127
    return grey, truth


def energies(volume, truth, terminals, connectivity, spacing=None):
    """Integer terminals and weights; 26 neighbours share the strength of 6."""
    gamma = 50.0 if connectivity == 6 else 12.5
    weights = cs.graphcut.contrast_weights(
        volume, gamma, connectivity=connectivity, spacing=spacing
    )
    weights = {offset: np.rint(SCALE * w).astype(np.int32) for offset, w in weights.items()}
    rim = np.ones(volume.shape, bool)
    rim[tuple(slice(3, -3) if n > 40 else slice(None) for n in volume.shape)] = False
    if terminals == "seeds":
        inside = distance_transform_edt(truth)
        source = np.where(inside > 0.7 * inside.max(), HARD, 0).astype(np.int32)
        sink = np.zeros_like(source)
    else:
        histograms = [
            gaussian_filter(np.bincount(volume[side], minlength=256) + 1.0, 2)
            for side in (~truth, truth)
        ]
        energy = [-np.log(h / h.sum()) for h in histograms]
        difference = (energy[0] - energy[1])[volume]
        source = np.rint(SCALE * np.maximum(difference, 0)).astype(np.int32)
        sink = np.rint(SCALE * np.maximum(-difference, 0)).astype(np.int32)
    if terminals != "open":
        source[rim], sink[rim] = 0, HARD
    return source, sink, weights


def ours(source, sink, weights, n_threads):
    graph = cs.graphcut.GridGraph(source.shape, 6 if len(weights) == 3 else 26)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    return graph.solve(n_threads)


def pymaxflow(source, sink, weights):
    graph = maxflow.GraphInt(source.size, len(weights) * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for offset, weight in weights.items():
        structure = np.zeros((3, 3, 3))
        structure[tuple(1 + step for step in offset)] = 1
        graph.add_grid_edges(nodes, weight, structure, symmetric=True)
    graph.add_grid_tedges(nodes, source, sink)
    return graph.maxflow(), ~graph.get_grid_segments(nodes)


def cost(source, sink, weights, mask):
    """Of a cut, to check that the masks are minimum cuts."""
    total = int(sink[mask].sum(dtype=np.int64)) + int(source[~mask].sum(dtype=np.int64))
    for offset, weight in weights.items():
        here = tuple(slice(max(0, -d), -d if d > 0 else None) for d in offset)
        there = tuple(slice(max(0, d), d if d < 0 else None) for d in offset)
        total += int(weight[here][mask[here] != mask[there]].sum(dtype=np.int64))
    return total


def compare(name, volume, truth, terminals, connectivity, spacing, repeats):
    problem = energies(volume, truth, terminals, connectivity, spacing)
    runs = []
    for _ in range(repeats):
        peer, (flow, _) = seconds(pymaxflow, *problem)
        times = []
        for n_threads in (1, 2):
            time, cut = seconds(ours, *problem, n_threads)
            assert cut.flow == flow, f"{name}: flows differ"
            times.append(time)
        runs.append((peer, *times))
    for mask in (cut.mask, cut.maximal_mask):
        assert cost(*problem, mask) == flow, f"{name}: not a minimum cut"
    peer, one, two = np.median(runs, axis=0)
    return {
        "volume": f"{name}, {' x '.join(map(str, volume.shape))}",
        "connectivity": connectivity,
        "terminals": terminals,
        "pymaxflow_s": peer,
        "ours_1_thread_s": one,
        "ours_2_threads_s": two,
        "ratio_1_thread": float(np.median([r[0] / r[1] for r in runs])),
        "ratio_2_threads": float(np.median([r[0] / r[2] for r in runs])),
        "all_ratios_2_threads": [r[0] / r[2] for r in runs],
    }


def show(rows, console):
    table = Table(title="PyMaxflow's time over ours, flows equal")
    titles = ("volume", "connected", "terminals", "PyMaxflow s", "ours 1 / 2 threads s")
    for title in (*titles, "1 thread", "2 threads"):
        table.add_column(title, justify="left" if title in ("volume", "terminals") else "right")
    for row in rows:
        table.add_row(
            row["volume"],
            str(row["connectivity"]),
            row["terminals"],
            f"{row['pymaxflow_s']:.1f}",
            f"{row['ours_1_thread_s']:.2f} / {row['ours_2_threads_s']:.2f}",
            f"{row['ratio_1_thread']:.1f}x",
            spread(row["all_ratios_2_threads"]),
        )
    console.print(table)
    for connectivity in (6, 26):
        chosen = [row for row in rows if row["connectivity"] == connectivity]
        if not chosen:
            continue
        one = geometric_mean([row["ratio_1_thread"] for row in chosen])
        two = [row["ratio_2_threads"] for row in chosen]
        console.print(
            f"{connectivity}-connected: geometric mean {one:.1f}x on one thread, "
            f"{geometric_mean(two):.1f}x on two ({min(two):.1f}-{max(two):.1f}x)"
        )


def peak_kib():
    """Of this process alone: getrusage's figure begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


def memory(who, file):
    """Bytes per voxel at the peak, above what the process had before the solver started."""
    with np.load(file) as stored:
        source, sink = stored["source"], stored["sink"]
        names = [name for name in stored if name.startswith("w")]
        weights = {tuple(int(c) - 1 for c in name[1:]): stored[name] for name in names}
    before = peak_kib()
    if who == "ours":
        ours(source, sink, weights, 2)
    else:
        pymaxflow(source, sink, weights)
    peak = (peak_kib() - before) * 1024 / source.size
    print(f"{who}, {3 if len(weights) == 3 else 13} edges a voxel: {peak:.0f} bytes a voxel")


def compare_memory():
    for n, connectivity in ((160, 6), (80, 26)):
        source, sink, weights = energies(*organ(n), "open", connectivity)
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/problem.npz"
            names = {o: "w" + "".join(str(1 + step) for step in o) for o in weights}
            arrays = {names[offset]: weight for offset, weight in weights.items()}
            np.savez(file, source=source, sink=sink, **arrays)
            for who in ("ours", "pymaxflow"):
                subprocess.run([sys.executable, __file__, "--memory-of", who, file], check=True)


def large(n):
    volume, truth = organ(n)
    problem = energies(volume, truth, "open", 6)
    del volume, truth
    own = sum(a.nbytes for a in (*problem[:2], *problem[2].values()))
    Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    before = peak_kib() * 1024
    time, cut = seconds(ours, *problem, 2)
    peak = peak_kib() * 1024
    print(
        f"{n}^3, 6-connected: {time:.1f} s on two threads, flow {cut.flow}; peak of the process "
        f"{peak / 1e9:.1f} GB, of which {own / 1e9:.1f} GB are the input; beside what was there "
        f"before {(peak - before) / n**3:.0f} bytes a voxel"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--size", type=int, default=160, help="of the 6-connected volumes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", help="one of organ, field, em")
    options = parser.parse_args()
    if options.memory_of:
        memory(*options.memory_of)
    elif options.memory:
        compare_memory()
    elif options.large:
        large(400)
    else:
        console = Console(width=120)
        console.print(machine("classicseg", "PyMaxflow"))
        makers = {"organ": organ, "field": field, "em": lambda _: em_stack()}
        rows = []
        for name, make in makers.items():
            if options.only not in (None, name):
                continue
            for connectivity in (6, 26):
                if name == "em" and connectivity == 26:
                    continue
                volume, truth = make(options.size if connectivity == 6 else options.size // 2)
                spacing = (5.0, 1.0, 1.0) if name == "em" else None
                for terminals in ("open",) if name == "em" else ("open", "hard", "seeds"):
                    arguments = (terminals, connectivity, spacing, options.repeats)
                    rows.append(compare(name, volume, truth, *arguments))
        show(rows, console)
        save(f"maxflow3d_{options.only}" if options.only else "maxflow3d", rows)


if __name__ == "__main__":
    main()

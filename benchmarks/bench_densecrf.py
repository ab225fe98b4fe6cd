"""The dense CRF against the authors' code (pydensecrf2): kernels 3/3 and 80/13/10, 10 iterations.

    python benchmarks/bench_densecrf.py             # 500 x 375 and 1920 x 1080, 2 and 21 labels
    python benchmarks/bench_densecrf.py --memory    # peak memory of either, in its own process

Every ratio is pydensecrf's time over ours from probabilities to labels, -log p and lattices
included. Either has a process of its own, which lives on, and they take turns; what is timed is the
second of two calls. (Memory that another one has given back may have to be fetched from the host
of a virtual machine first: up to half of the time at 1920 x 1080, for whoever comes next.) Seconds
of the processor are beside those of the clock, which other load on the machine stretches.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pydensecrf.densecrf as peers
from common import enlarged, machine, save, spread
from pydensecrf.utils import unary_from_softmax
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_image

import classicseg as cs

PARAMETERS = {
    "theta_gamma": 3.0,
    "smoothness": 3.0,
    "theta_alpha": 80.0,
    "theta_beta": 13.0,
    "weight": 10.0,
    "n_iterations": 10,
}


def problem(width, height, n_labels):
    """The photograph of a palace, and smooth random scores as of a coarse network."""
    image = enlarged(load_sample_image("china.jpg"), width, height)
    rng = np.random.default_rng(0)
    shape = (height // 4 + 1, width // 4 + 1)
    scores = [gaussian_filter(rng.standard_normal(shape), 6) * 30 for _ in range(n_labels)]
    scores = np.stack(scores, -1).repeat(4, 0).repeat(4, 1)[:height, :width]
    return cs.unary.to_probabilities(-scores), image


def ours(probabilities, image, n_threads):
    result = cs.densecrf.refine(
        probabilities, image, marginals=True, n_threads=n_threads, **PARAMETERS
    )
    return result.probabilities, result.labels


def pydensecrf(probabilities, image):
    height, width, n_labels = probabilities.shape
    crf = peers.DenseCRF2D(width, height, n_labels)
    labels_first = np.ascontiguousarray(probabilities.transpose(2, 0, 1))
    crf.setUnaryEnergy(unary_from_softmax(labels_first, clip=1e-5))
    crf.addPairwiseGaussian(sxy=3, compat=3)
    crf.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=10)
    marginals = np.array(crf.inference(10)).reshape(n_labels, height, width)
    return marginals.transpose(1, 2, 0), marginals.argmax(axis=0)


@functools.cache
def cached_problem(*size):
    return problem(*size)


def timed(size, n_threads, file):
    """Seconds of the clock and of the processor, of the second of two calls; 0 threads: pydensecrf.

    The result goes to the file.
    """
    given = cached_problem(*size)
    for _ in range(2):
        wall, user = time.perf_counter(), time.process_time()
        result = ours(*given, n_threads) if n_threads else pydensecrf(*given)
        seconds = time.perf_counter() - wall, time.process_time() - user
    np.savez(file, marginals=result[0], labels=result[1])
    return seconds


def compare(width, height, n_labels, repeats, folder):
    runs, differing, difference = [], 0.0, 0.0
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(1, spawn) as our_process,
        ProcessPoolExecutor(1, spawn) as their_process,
    ):
        for _ in range(repeats):
            row, found = [], []
            for n_threads in (0, 1, 2):
                process, file = our_process if n_threads else their_process, f"{folder}/found.npz"
                row += process.submit(timed, (width, height, n_labels), n_threads, file).result()
                with np.load(file) as result:
                    found.append((result["marginals"], result["labels"]))
            for marginals, labels in found[1:]:
                differing = max(differing, float((labels != found[0][1]).mean()))
                difference = max(difference, float(np.abs(marginals - found[0][0]).mean()))
            runs.append(row)
    assert differing < 1e-4 and difference < 1e-5, (differing, difference)
    times = np.array(runs)
    ratios = [times[:, 0] / times[:, 2], times[:, 0] / times[:, 4], times[:, 1] / times[:, 3]]
    return {
        "size": f"{width}x{height}",
        "labels": n_labels,
        "pydensecrf_ms": 1e3 * float(np.median(times[:, 0])),
        "ours_1_thread_ms": 1e3 * float(np.median(times[:, 2])),
        "ours_2_threads_ms": 1e3 * float(np.median(times[:, 4])),
        "ratios_1_thread": ratios[0].tolist(),
        "ratios_2_threads": ratios[1].tolist(),
        "ratios_1_thread_processor_time": ratios[2].tolist(),
        "argmax_differs": differing,
        "mean_difference": difference,
    }


def peak_kib():
    """Of this process alone: getrusage's figure begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status).group(1))


def memory_of(who, file):
    """Bytes per pixel at the peak, above what the process had with its input."""
    with np.load(file) as stored:
        probabilities, image = stored["probabilities"], stored["image"]
    small = probabilities[:8, :8].copy(), image[:8, :8].copy()
    pydensecrf(*small) if who == "pydensecrf" else ours(*small, 2)  # loads what is loaded late
    before = peak_kib()
    pydensecrf(probabilities, image) if who == "pydensecrf" else ours(probabilities, image, 2)
    print((peak_kib() - before) * 1024 / image[..., 0].size)


def compare_memory(console):
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for n_labels in (2, 21):
            file = f"{folder}/problem.npz"
            probabilities, image = problem(1920, 1080, n_labels)
            np.savez(file, probabilities=probabilities, image=image)
            row = {"labels": n_labels}
            for who in ("ours", "pydensecrf"):
                command = [sys.executable, __file__, "--memory-of", who, file]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                row[who] = float(done.stdout)
            console.print(
                f"1920x1080, {n_labels} labels: {row['ours']:.0f} bytes a pixel beyond the input, "
                f"pydensecrf {row['pydensecrf']:.0f}"
            )
            found.append(row)
    save("densecrf_memory", found)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    if options.memory_of:
        memory_of(*options.memory_of)
        return
    console = Console(width=110)
    console.print(machine("classicseg", "pydensecrf2"))
    if options.memory:
        compare_memory(console)
        return
    table = Table(title="pydensecrf's time over ours, probabilities to labels")
    headings = ("labels", "pydensecrf ms", "ours 1 / 2 threads ms", "1 thread", "2 threads")
    table.add_column("size")
    for title in (*headings, "1 thread, processor time", "argmax differs", "mean |dQ|"):
        table.add_column(title, justify="right")
    rows = []
    for size, repeats in (((500, 375), options.repeats), ((1920, 1080), options.repeats // 3)):
        for n_labels in (2, 21):
            with tempfile.TemporaryDirectory() as folder:
                row = compare(*size, n_labels, max(1, repeats), folder)
            rows.append(row)
            table.add_row(
                row["size"],
                str(n_labels),
                f"{row['pydensecrf_ms']:.0f}",
                f"{row['ours_1_thread_ms']:.0f} / {row['ours_2_threads_ms']:.0f}",
                spread(row["ratios_1_thread"]),
                spread(row["ratios_2_threads"]),
                spread(row["ratios_1_thread_processor_time"]),
                f"{row['argmax_differs']:.0e}",
                f"{row['mean_difference']:.0e}",
            )
    console.print(table)
    save("densecrf", rows)


if __name__ == "__main__":
    main()

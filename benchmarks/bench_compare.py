"""`compare.run` over many images: throughput with 1 and 2 processes, and memory over 10,000.

Peer: itself with one process. The images are crops of the bundled photographs, made when they are
asked for, so that no data set is needed. Each process uses one thread (CLASSICSEG_NUM_THREADS=1),
as two processes with two threads each would fight for two cores.

    python benchmarks/bench_compare.py throughput
    python benchmarks/bench_compare.py memory --images 10000
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("CLASSICSEG_NUM_THREADS", "1")

from common import machine, save, seconds, spread
from crops import crops
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

import classicseg as cs

PIPELINES = ["gmm:rect+grabcut", "gmm:rect+graphcut", "saliency:minimum_barrier+densecrf"]
LIGHT = ["saliency:centre_prior+argmax", "saliency:centre_prior+graphcut"]


def throughput(console: Console, count: int, repeats: int) -> dict[str, Any]:
    """Images a second with one and two processes, alternating."""
    data = crops(count, 200)
    cs.compare.run(PIPELINES, crops(4, 200), n_jobs=2)  # starts the processes
    rates: dict[int, list[float]] = {1: [], 2: []}
    scores = set()
    ideal = []
    for _ in range(repeats):
        alone, _ = seconds(counted, 1)
        together, _ = seconds(counted, 2)
        ideal.append(2 * alone / together)
        for jobs, found in rates.items():
            taken, result = seconds(cs.compare.run, PIPELINES, data, n_jobs=jobs)
            found.append(count / taken)
            scores.add(tuple(row.mean_iou for row in result.rows))
    assert len(scores) == 1  # the same results whoever did the work
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    table = Table("processes", "images a second", "ratio", title=f"{count} images of 200x200")
    for jobs, found in rates.items():
        table.add_row(str(jobs), spread(found), spread(ratios) if jobs == 2 else "1")
    table.add_row("2 that only count", "", spread(ideal))
    shares = [ratio / best for ratio, best in zip(ratios, ideal, strict=True)]
    table.add_row("2, of what 2 that only count reach", "", spread(shares))
    console.print(table)
    load = os.getloadavg()
    console.print(f"load of the machine: {load[0]:.1f} (1 minute), {load[2]:.1f} (15 minutes)")
    return {"images": count, "rates": rates, "ratios": ratios, "ideal": ideal, "load": load}


def counted(jobs: int) -> None:
    """So many processes count at once: what the machine has to give at that moment."""
    Parallel(n_jobs=2)(delayed(sum)(range(60_000_000)) for _ in range(jobs))


def memory(console: Console, count: int, jobs: int) -> dict[str, Any]:
    """What the process holds after every tenth of the images."""
    held: dict[int, float] = {}

    def progress(done: int, total: int) -> None:
        if done == 200 or done % max(1, total // 10) == 0:
            status = Path("/proc/self/status").read_text(encoding="ascii")
            (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
            held[done] = int(line.split()[1]) / 1024

    with tempfile.TemporaryDirectory() as folder:
        taken, result = seconds(
            cs.compare.run,
            LIGHT,
            crops(count, 48),
            n_jobs=jobs,
            folder=folder,
            progress=progress,
        )
        disk = sum(file.stat().st_size for file in Path(folder).rglob("*.npz"))
    assert not result.failures
    table = Table("images done", "MB held", title=f"{count} images, {jobs} process(es)")
    for done, size in held.items():
        table.add_row(str(done), f"{size:.0f}")
    console.print(table)
    rate = f"{count / taken:.0f} images a second"
    console.print(f"{rate}, {disk / count / 1000:.1f} kB of journal an image")
    return {"images": count, "jobs": jobs, "megabytes": held, "seconds": taken, "disk": disk}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("throughput", "memory"))
    parser.add_argument("--images", type=int, help="default: 60 for throughput, 10000 for memory")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="for memory")
    options = parser.parse_args()
    screen = Console()
    screen.print(machine("joblib", "numpy"))
    if options.what == "throughput":
        found = throughput(screen, options.images or 60, options.repeats)
    else:
        found = memory(screen, options.images or 10000, options.jobs)
    suffix = f"_{options.jobs}" if options.what == "memory" else ""
    save(f"compare_{options.what}{suffix}", {"machine": machine("joblib", "numpy"), **found})

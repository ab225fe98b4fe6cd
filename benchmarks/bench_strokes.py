"""Interactive GrabCut: the first cut, and what a stroke takes, against a cut from scratch.

    python benchmarks/bench_strokes.py

Photographs of the GrabCut data set, enlarged. After a rectangle and five rounds, strokes are
painted as a user would: along pixels that are wrong against the truth, with the label that they
should have. A stroke's time is that of painting it and of the new mask (`GrabCut.stroke`,
`GrabCut.refine`). The peers, in the same run: the same cut from scratch, and OpenCV's refinement
(GC_EVAL_FREEZE_MODEL, one round, on the same number of threads). The mask is compared with that of
the cut from scratch. "After a stopped round": as in the window, a round of learning is stopped (at
a fifth, a half and four fifths of a round's time) and the stroke comes right after; the time from
the order to stop to the new mask.
"""

from __future__ import annotations

import argparse
import threading
import time

import cv2
import numpy as np
from common import enlarged, grabcut_images, machine, save, seconds
from rich.console import Console
from rich.progress import track
from rich.table import Table

from classicseg._stop import Stop, Stopped
from classicseg.grabcut import GrabCut
from classicseg.grabcut._trimap_cut import TrimapCut

SIZES = ((1920, 1080), (4000, 3000))
IMAGES = ("doll", "person3", "flower", "teddy", "stone2", "elefant")
STROKES = 8  # on each photograph
ROUNDS = 5


def strokes(mask, truth, radius, rng):
    """A path of five points along wrong pixels, and the label that they should have."""
    wrong = np.flatnonzero(((truth == 1) & ~mask) | ((truth == 0) & mask))
    if len(wrong) == 0:
        return None
    start = np.array(np.unravel_index(rng.choice(wrong), mask.shape))
    label = int(truth[tuple(start)] == 1)
    path = [start]
    for _ in range(4):
        step = path[-1] + rng.normal(0, 2 * radius, 2)
        y, x = np.clip(np.rint(step), 0, np.array(mask.shape) - 1).astype(int)
        if (truth[y, x] == 255) == label and truth[y, x] != 255:
            path.append(np.array([y, x]))
    return np.array(path)[:, ::-1], label


def paint(grabcut, path, radius, label):
    grabcut.stroke(path, radius, label).refine()


def cut_from_scratch(grabcut):
    models = grabcut._models
    return TrimapCut(models._exact_cut._weights).solve(models._assignments, grabcut.trimap, 2)


def opencv_refine(image, trimap, models):
    cv2.grabCut(image, trimap, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)


def overtake(grabcut, after, path, radius, label):
    """Seconds from an order to stop a round of learning to the mask of a stroke; None: too late."""
    with Stop() as stop:
        ordered = []

        def order():
            ordered.append(time.perf_counter())
            stop.set()

        timer = threading.Timer(after, order)
        timer.start()
        try:
            grabcut.fit()
            timer.cancel()
            return None
        except Stopped:
            pass
    paint(grabcut, path, radius, label)
    return time.perf_counter() - ordered[0]


def measure(name, image, truth, rect, rng, with_opencv):
    grabcut = GrabCut(image, max_iter=1, n_threads=2)
    first, _ = seconds(grabcut.fit, rect=rect)
    radius = image.shape[1] / 240
    one_round, _ = seconds(grabcut.fit)
    overtaken = []
    for part in (0.2, 0.5, 0.8):
        stroke = strokes(grabcut.mask, truth, radius, rng)
        took = stroke and overtake(grabcut, part * one_round, stroke[0], radius, stroke[1])
        if took:
            mask, _ = cut_from_scratch(grabcut)
            overtaken.append({"ms": 1e3 * took, "equal": bool((mask == grabcut.mask).all())})
    grabcut.max_iter = ROUNDS - 2
    grabcut.fit()
    rows = []
    for number in range(STROKES):
        stroke = strokes(grabcut.mask, truth, radius, rng)
        if stroke is None:
            break
        path, label = stroke
        before = grabcut.mask
        took, _ = seconds(paint, grabcut, path, radius, label)
        row = {"ms": 1e3 * took, "changed": int((before != grabcut.mask).sum())}
        if number % 4 == 0:  # the peers are slow
            took, (mask, _) = seconds(cut_from_scratch, grabcut)
            row["cold_ms"] = 1e3 * took
            row["equal"] = bool((mask == grabcut.mask).all())
        rows.append(row)
    peer = None
    if with_opencv:
        bgr, trimap = np.ascontiguousarray(image[..., ::-1]), grabcut.trimap.copy()
        gmms = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, trimap, None, *gmms, 0, cv2.GC_INIT_WITH_MASK)
        peer = 1e3 * seconds(opencv_refine, bgr, trimap, gmms)[0]
    return {
        "image": name,
        "first_s": first,
        "round_s": one_round,
        "overtaken": overtaken,
        "strokes": rows,
        "opencv_ms": peer,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=len(IMAGES), help="photographs")
    parser.add_argument("--opencv", type=int, default=2, help="photographs with OpenCV's time")
    options = parser.parse_args()
    cv2.setNumThreads(2)
    console = Console(width=120)
    console.print(machine("opencv-python-headless"))
    photos = {name: (image, truth, rect) for name, image, truth, rect in grabcut_images()}
    table = Table(title="strokes, milliseconds")
    for column in ("size", "strokes", "median", "95 %", "largest", "cold", "OpenCV", "equal"):
        table.add_column(column, justify="right")
    results = []
    for width, height in SIZES:
        rng = np.random.default_rng(0)
        runs = []
        for number, name in enumerate(track(IMAGES[: options.images], f"{width}x{height}")):
            small, truth, box = photos[name]
            factor = max(width / small.shape[1], height / small.shape[0])
            image = enlarged(small, width, height)
            y, x = (
                np.minimum(np.arange(n) / factor, size - 1).astype(int)
                for n, size in zip((height, width), small.shape, strict=False)
            )
            x0, y0, w, h = (round(v * factor) for v in box)
            rect = (x0, y0, min(w, width - x0), min(h, height - y0))
            large = truth[y[:, None], x]
            runs.append(measure(name, image, large, rect, rng, number < options.opencv))
        times = np.array([row["ms"] for run in runs for row in run["strokes"]])
        cold = [row["cold_ms"] for run in runs for row in run["strokes"] if "cold_ms" in row]
        equal = [row["equal"] for run in runs for row in run["strokes"] if "equal" in row]
        peers = [run["opencv_ms"] for run in runs if run["opencv_ms"] is not None]
        table.add_row(
            f"{width}x{height}",
            str(len(times)),
            f"{np.median(times):.0f}",
            f"{np.percentile(times, 95):.0f}",
            f"{times.max():.0f}",
            f"{np.median(cold):.0f}",
            f"{np.median(peers):.0f}" if peers else "",
            f"{sum(equal)} of {len(equal)}",
        )
        firsts = [run["first_s"] for run in runs]
        console.print(f"{width}x{height}: first cut, one round, {np.round(firsts, 2)} s")
        late = [row for run in runs for row in run["overtaken"]]
        waits = [row["ms"] for row in late]
        console.print(
            f"after a stopped round ({np.median([run['round_s'] for run in runs]):.2f} s): median "
            f"{np.median(waits):.0f} ms, largest {max(waits):.0f}, mask as from scratch "
            f"{sum(row['equal'] for row in late)} of {len(late)}"
        )
        results.append({"size": f"{width}x{height}", "runs": runs})
    console.print(table)
    save("strokes", results)


if __name__ == "__main__":
    main()

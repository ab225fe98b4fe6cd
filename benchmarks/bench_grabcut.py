"""GrabCut against OpenCV's: time from a rectangle in 5 rounds, and quality on the GrabCut data set.

    python benchmarks/bench_grabcut.py speed
    python benchmarks/bench_grabcut.py quality

Speed: ratio of cv2.grabCut's time to ours, same rectangle, same number of threads (2), one after
the other in the same run, with the energy of either result under the same measure: colour models
learned from the result's own labels by the paper's rule, plus the cut's contrast weights.
Quality: wrong pixels in the whole image and inside the rectangle, IoU; the mixed rim is not scored.
"""

from __future__ import annotations

import argparse
import warnings

import cv2
import numpy as np
from common import enlarged, geometric_mean, grabcut_images, machine, save, seconds, spread
from rich.console import Console
from rich.progress import track
from rich.table import Table

import classicseg as cs

SIZES = ((500, 375), (1280, 720), (1920, 1080))
SPEED_IMAGES = ("doll", "person3", "flower", "teddy", "stone2", "elefant")


def opencv(image, rect, rounds, seed=0):
    mask = np.zeros(image.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(seed)
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, mask, rect, *models, rounds, cv2.GC_INIT_WITH_RECT)
    return (mask & 1).astype(bool)


def ours(image, rect, rounds, seed=0, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cs.grabcut.GrabCut(image, max_iter=rounds, rng=seed, **options).fit(rect=rect).mask


def energy(image, mask):
    """The paper's energy of a mask with the best mixtures found for it in three assignments."""
    best = np.inf
    weights = cs.graphcut.contrast_weights(image)
    smoothness = 0.0
    for (dy, dx), weight in weights.items():
        height, width = mask.shape
        here = mask[: height - dy, max(0, -dx) : width - max(0, dx)]
        there = mask[dy:, max(0, dx) : width + min(0, dx)]
        cut = here != there
        smoothness += float(weight[: height - dy, max(0, -dx) : width - max(0, dx)][cut].sum())
    for seed in range(3):
        data = 0.0
        for side in (mask, ~mask):
            colours = image[side].astype(np.float32)
            if len(colours):
                gmm = cs.grabcut.fit_gmm(colours, 5, seed)
                data += float(gmm.energies(colours[None].astype(np.uint8)).sum(dtype=np.float64))
        best = min(best, data + smoothness)
    return best


def speed(console, repeats):
    rows = []
    photos = {name: (image, rect) for name, image, _, rect in grabcut_images()}
    for width, height in SIZES:
        table = Table(title=f"{width}x{height}, rectangle, 5 rounds, 2 threads")
        for title in ("image", "cv2 ms", "ours ms", "ratio (range)", "energy ours / cv2"):
            table.add_column(title, justify="left" if title == "image" else "right")
        ratios, relative = [], []
        for name in SPEED_IMAGES:
            small, box = photos[name]
            image = enlarged(small, width, height)
            factor = max(width / small.shape[1], height / small.shape[0])
            x, y, w, h = (round(v * factor) for v in box)
            rect = (x, y, min(w, width - x), min(h, height - y))
            runs = []
            for _ in range(repeats if width < 1000 else 1):
                peer, theirs = seconds(opencv, image, rect, 5)
                mine = [seconds(ours, image, rect, 5, n_threads=2) for _ in range(3)]
                runs.append((peer, float(np.median([m[0] for m in mine]))))
            change = energy(image, mine[0][1]) / energy(image, theirs)
            peer, own = np.median(runs, axis=0)
            each = [r[0] / r[1] for r in runs]
            ratios.append(float(np.median(each)))
            relative.append(change)
            table.add_row(
                name, f"{1e3 * peer:.0f}", f"{1e3 * own:.0f}", spread(each), f"{change:.4f}"
            )
            rows.append(
                {
                    "size": f"{width}x{height}",
                    "image": name,
                    "cv2_ms": 1e3 * peer,
                    "ours_ms": 1e3 * own,
                    "ratios": each,
                    "energy_ratio": change,
                }
            )
        console.print(table)
        console.print(
            f"{width}x{height}: geometric mean {geometric_mean(ratios):.1f}x "
            f"(images {min(ratios):.1f}-{max(ratios):.1f}x), "
            f"energy {np.mean(relative):.4f} of cv2's (worst {max(relative):.4f})"
        )
    save("grabcut_speed", rows)


def scores(mask, truth, rect):
    x, y, w, h = rect
    inside = np.zeros(truth.shape, bool)
    inside[y : y + h, x : x + w] = True
    scored = truth != 255
    wrong = (mask != (truth == 1)) & scored
    both, either = mask & (truth == 1) & scored, (mask | (truth == 1)) & scored
    return (
        100 * wrong.sum() / scored.sum(),
        100 * (wrong & inside).sum() / (scored & inside).sum(),
        both.sum() / either.sum(),
    )


def quality(console, seeds):
    photos = list(grabcut_images())
    methods = {
        "cv2, 10 rounds": lambda image, rect, seed: opencv(image, rect, 10, seed),
        "ours, 10 rounds": lambda image, rect, seed: ours(image, rect, 10, seed),
        "ours, until settled": lambda image, rect, seed: ours(image, rect, None, seed),
        "ours, the paper's start, 10 rounds": lambda image, rect, seed: from_paper(
            image, rect, seed
        ),
    }
    table = Table(
        title=f"{len(photos)} images, mean over {seeds} seeds (range of the seeds' means)"
    )
    for title in ("method", "wrong, image %", "wrong, rectangle %", "IoU"):
        table.add_column(title, justify="left" if title == "method" else "right")
    rows = []
    for name, method in methods.items():
        means = []
        for seed in track(range(seeds), name, transient=True, disable=not console.is_terminal):
            found = [scores(method(im, rect, seed), truth, rect) for _, im, truth, rect in photos]
            means.append(np.mean(found, axis=0))
        mean, low, high = np.mean(means, 0), np.min(means, 0), np.max(means, 0)
        table.add_row(
            name,
            *(
                f"{m:.{d}f} ({a:.{d}f}-{b:.{d}f})"
                for m, a, b, d in zip(mean, low, high, (2, 2, 3), strict=True)
            ),
        )
        rows.append({"method": name, "by_seed": [list(map(float, m)) for m in means]})
    console.print(table)
    save("grabcut_quality", rows)


def from_paper(image, rect, seed):
    trimap = np.zeros(image.shape[:2], np.uint8)
    x, y, w, h = rect
    trimap[y : y + h, x : x + w] = 3
    return cs.grabcut.segment(image, trimap=trimap, max_iter=10, rng=seed)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "quality"))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    console = Console(width=110)
    console.print(machine("classicseg", "numpy") + f", OpenCV {cv2.__version__}")
    if options.what == "speed":
        cv2.setNumThreads(2)
        speed(console, options.repeats)
    else:
        quality(console, options.seeds)


if __name__ == "__main__":
    main()

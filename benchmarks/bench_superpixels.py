"""Superpixels against fast-slic, scikit-image and OpenCV: how fast, how good.

    python benchmarks/bench_superpixels.py speed      # 1000 segments, 10 iterations, Lab included
    python benchmarks/bench_superpixels.py quality    # bsds500 val, K = 100, 200, 400, 800, 1600

Speed: medians of alternating runs, of processor and of wall-clock time, and the ratios of the
peer's time by ours in the same round; above 1 we are faster. The image is scikit-image's coffee.

Quality: every peer is asked for such a number of segments that on average it returns K, within
2 %. Boundary recall with thick boundaries of both, ours dilated 5 x 5; the undersegmentation error
takes the smaller part of each overlap; means over the annotators, then over the images. Settings of
the method "refined" were chosen on 30 of the images (every third one): `held out` are the others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import data_folder, enlarged, machine, save
from matplotlib import pyplot as plt
from rich.console import Console
from rich.progress import track
from rich.table import Table
from skimage import data, segmentation
from threadpoolctl import threadpool_limits

import classicseg as cs

OURS = ("refined", "slic", "slico")
COUNTS = (100, 200, 400, 800, 1600)
SIZES = {"500x375": (500, 375), "1920x1080": (1920, 1080)}
MEASURES = ("BR", "UE", "ASA", "compactness", "explained variation")
Method = Callable[[np.ndarray, int], np.ndarray]


def ours(method: str, n_threads: int | None = None) -> Method:
    return lambda image, n: cs.superpixels.slic(image, n, method=method, n_threads=n_threads)


def fast_slic(n_threads: int = -1) -> Method:
    from fast_slic.avx2 import SlicAvx2

    return lambda image, n: SlicAvx2(
        num_components=n, compactness=10, num_threads=n_threads
    ).iterate(image, 10)


def scikit_image(image: np.ndarray, n: int) -> np.ndarray:
    return segmentation.slic(image, n, compactness=10, max_num_iter=10, start_label=0)


def opencv() -> dict[str, Method]:
    """OpenCV's, which only the contrib packages have."""
    import cv2

    if not hasattr(cv2, "ximgproc"):
        return {}

    def slic(image: np.ndarray, n: int) -> np.ndarray:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        side = max(round((image.shape[0] * image.shape[1] / n) ** 0.5), 2)
        regions = cv2.ximgproc.createSuperpixelSLIC(lab, cv2.ximgproc.SLIC, side, 10.0)
        regions.iterate(10)
        regions.enforceLabelConnectivity(25)
        return regions.getLabels()

    def seeds(image: np.ndarray, n: int) -> np.ndarray:
        height, width = image.shape[:2]
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        regions = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, n, 4, 2, 5, False)
        regions.iterate(lab, 10)
        return regions.getLabels()

    return {"OpenCV SLIC": slic, "OpenCV SEEDS": seeds}


def peers() -> dict[str, Method]:
    return {"fast-slic": fast_slic(), "scikit-image": scikit_image, **opencv()}


def compare_speed(console: Console, repeats: int) -> None:
    rows: list[dict[str, Any]] = []
    for size, (width, height) in SIZES.items():
        image = enlarged(data.coffee(), width, height)
        for threads in (1, 2):
            methods = {"refined": ours("refined", threads), "slic": ours("slic", threads)}
            methods["fast-slic"] = fast_slic(threads)
            if threads == 1:
                methods |= {name: peer for name, peer in peers().items() if name != "fast-slic"}
            slow = [name for name in methods if name not in ("refined", "slic", "fast-slic")]
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
            for i in track(
                range(repeats), f"{size}, {threads}", console=Console(stderr=True), transient=True
            ):
                for name, method in methods.items():
                    if name not in slow or i < 3:
                        times[name].append(seconds(method, image))
            for name in methods:
                row: dict[str, Any] = {"size": size, "threads": threads, "method": name}
                for kind, unit in enumerate(("cpu", "wall")):
                    own = [t[kind] for t in times[name]]
                    row[f"{unit} ms"] = 1e3 * float(np.median(own))
                    for mode in ("refined", "slic"):
                        pairs = zip(own, times[mode], strict=False)
                        row[f"{unit} by {mode}"] = [theirs / our[kind] for theirs, our in pairs]
                rows.append(row)
    table = Table(title="1000 segments, 10 iterations, Lab included; times as fast: median (range)")
    for title in ("size", "threads", "method", "cpu ms", "wall ms", "refined", "slic", "wall"):
        table.add_column(title, justify="left" if title == "method" else "right")
    for row in rows:
        ratios = [two_digits(row[key]) for key in ("cpu by refined", "cpu by slic")]
        ratios.append(two_digits(row["wall by refined"]))
        figures = [f"{row['cpu ms']:.1f}", f"{row['wall ms']:.1f}", *ratios]
        table.add_row(row["size"], str(row["threads"]), row["method"], *figures)
    console.print(table)
    save("superpixels_speed", rows)


def two_digits(values: list[float]) -> str:
    return f"{np.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def seconds(method: Method, image: np.ndarray) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    method(image, 1000)
    return time.process_time() - cpu, time.perf_counter() - wall


def samples() -> list[tuple[np.ndarray, list[np.ndarray]]]:
    dataset = cs.datasets.bsds500(data_folder("bsds500"))
    return [(item.image, list(item.segmentations)) for item in dataset]


def contiguous(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def asked_for(method: Method, images: list[np.ndarray], wanted: int) -> int:
    """The number to ask for so that on average `wanted` come back."""
    n = float(wanted)
    for _ in range(10):
        count = np.mean([len(np.unique(method(image, round(n)))) for image in images])
        if abs(count / wanted - 1) < 0.01:
            break
        n *= wanted / count
    return round(n)


def score(labels: np.ndarray, image: np.ndarray, truths: list[np.ndarray]) -> list[float]:
    sp = cs.superpixels
    by_truth = [
        (
            sp.boundary_recall(labels, truth),
            sp.undersegmentation_error(labels, truth),
            sp.achievable_accuracy(labels, truth),
        )
        for truth in truths
    ]
    means = np.mean(by_truth, axis=0).tolist()
    return [*means, sp.compactness(labels), sp.explained_variation(labels, image)]


def compare_quality(console: Console, every: int) -> None:
    images = samples()
    held_out = np.array([i % 3 != 0 or i >= 90 for i in range(len(images))])
    if every > 1:
        images = [image for image, chosen in zip(images, held_out, strict=True) if chosen][::every]
        held_out = np.ones(len(images), bool)
    parts = {"held out": held_out, "all": held_out | True}
    if held_out.all():
        del parts["all"]
    rows: list[dict[str, Any]] = []
    for wanted in COUNTS:
        for name, method in ({m: ours(m) for m in OURS} | peers()).items():
            n = wanted if name in OURS else asked_for(method, [i for i, _ in images[::2]], wanted)
            scores, counts = [], []
            for image, truths in track(
                images, f"{wanted} {name}", console=Console(stderr=True), transient=True
            ):
                labels = contiguous(method(image, n))
                counts.append(int(labels.max()) + 1)
                scores.append(score(labels, image, truths))
            for part, chosen in parts.items():
                mean = np.mean(np.array(scores)[chosen], axis=0)
                own = np.array(counts)[chosen]
                rows.append(
                    {"K": wanted, "images": part, "method": name, "asked for": n}
                    | dict(zip(MEASURES, map(float, mean), strict=True))
                    | {"count": float(own.mean()), "counts": [int(own.min()), int(own.max())]}
                )
    for part, chosen in parts.items():
        table = Table(title=f"{int(chosen.sum())} images of bsds500 val, {part}")
        for title in ("K", "method", *MEASURES, "returned", "from-to"):
            table.add_column(title, justify="left" if title == "method" else "right")
        for row in rows:
            if row["images"] == part:
                low, high = row["counts"]
                figures = [f"{row[m]:.3f}" for m in MEASURES]
                count = f"{row['count']:.0f}"
                table.add_row(str(row["K"]), row["method"], *figures, count, f"{low}-{high}")
        console.print(table)
    save("superpixels_quality", rows)
    draw(rows)


def draw(rows: list[dict[str, Any]]) -> None:
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.4))
    chosen = [row for row in rows if row["images"] == "held out"]
    for axis, measure in zip(axes, ("BR", "UE", "ASA", "explained variation"), strict=True):
        for name in dict.fromkeys(row["method"] for row in chosen):
            own = [row for row in chosen if row["method"] == name]
            style = "-" if name in OURS else "--"
            x, y = [row["count"] for row in own], [row[measure] for row in own]
            axis.plot(x, y, style, marker="o", markersize=3, label=name)
        axis.set(title=measure, xscale="log", xlabel="regions returned")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=8)
    figure.tight_layout()
    docs = Path(__file__).parent.parent / "docs" / "images"
    figure.savefig(docs / "superpixels_curves.png", dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "quality"))
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument(
        "--every", type=int, default=1, help="of the held-out images, every n-th only"
    )
    options = parser.parse_args()
    console = Console(width=120)
    console.print(machine("classicseg", "fast-slic", "scikit-image", "opencv-python-headless"))
    if not opencv():
        console.print("This OpenCV has no cv2.ximgproc: its SLIC and SEEDS are left out.")
    with threadpool_limits(1):
        if options.what == "speed":
            compare_speed(console, options.repeats)
        else:
            compare_quality(console, options.every)


if __name__ == "__main__":
    main()

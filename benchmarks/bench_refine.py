"""What the dense CRF adds to real networks' scores, with `refine`'s defaults and with others.

    python benchmarks/bench_refine.py

On the stored scores of two networks, CamVid val (11 classes) and Pascal VOC 2012 val (21 classes):
mean IoU, pixel accuracy, and mean IoU in the band of 5 pixels around true boundaries, of the
network alone and after `densecrf.refine`. The defaults were chosen on every other image (--half 0);
the table is about the images between them (--half 1, the default), which were looked at for nothing
else. Gains have 95 % bootstrap intervals over images.
"""

from __future__ import annotations

import argparse
import inspect

import numpy as np
from common import data_folder, machine, save, seconds
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import bootstrap

import classicseg as cs

BAND = 5
EVERYBODYS = {
    "theta_alpha": 80,
    "theta_beta": 13,
    "theta_gamma": 3,
    "weight": 10,
    "smoothness": 3,
    "n_iterations": 10,
}
DEEPLABS = {
    "theta_alpha": 49,
    "theta_beta": 5,
    "theta_gamma": 3,
    "weight": 4,
    "smoothness": 3,
    "n_iterations": 10,
}
WAYS = {"refine's defaults": {}, "80/13, 3/3 (copied)": EVERYBODYS, "DeepLab's": DEEPLABS}


def scored(name, logits):
    """A data set, and for each item the file of a network's scores."""
    folder = data_folder(name)
    dataset = cs.datasets.open(name, folder, "val")
    return [(dataset, id, folder / logits / f"{id}.npz") for id in dataset.ids]


def confusion(truth, labels, n_classes):
    """Of the whole image, and of the band around true boundaries."""
    everywhere = cs.metrics.ConfusionMatrix(n_classes).update(truth, labels)
    near = np.where(cs.metrics.band(truth, BAND), truth, 255)
    return everywhere.counts, cs.metrics.ConfusionMatrix(n_classes).update(near, labels).counts


def scores(counts):
    """Mean IoU, pixel accuracy, mean IoU in the band, in percent."""
    everywhere, near = (cs.metrics.ConfusionMatrix(counts.shape[-1]) for _ in range(2))
    everywhere.counts += counts[0]
    near.counts += counts[1]
    return 100 * np.array([everywhere.mean_iou, everywhere.pixel_accuracy, near.mean_iou])


def gains(before, after):
    """Of each score, with its interval."""

    def gain(chosen):
        return scores(after[chosen].sum(axis=0)) - scores(before[chosen].sum(axis=0))

    everything = np.arange(len(before))
    interval = bootstrap(
        (everything,), gain, vectorized=False, n_resamples=1000, method="percentile", rng=0
    ).confidence_interval
    return gain(everything), interval.low, interval.high


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--half", type=int, choices=(0, 1), default=1)
    parser.add_argument("--every", type=int, default=1, help="only each n-th image of the half")
    options = parser.parse_args()
    console = Console(width=120)
    console.print(machine("classicseg", "numpy"))
    rows = []
    for name, folder in (("camvid", "val_logits"), ("voc2012", "logits")):
        chosen = scored(name, folder)[options.half :: 2][:: options.every]
        table = Table(title=f"{name}, {len(chosen)} images: score (gain, 95 % interval)")
        for title in ("", "mIoU %", "pixel accuracy %", f"mIoU % in {BAND} px", "ms an image"):
            table.add_column(title, justify="left" if title == "" else "right")
        found = {way: [] for way in ("network alone", *WAYS)}
        times = {way: [] for way in found}
        quiet = not console.is_terminal
        for dataset, id, logits in track(chosen, name, transient=True, disable=quiet):
            item, n_classes = dataset.read(id), dataset.n_classes
            image, truth = item.image, item.labels
            p = cs.io.read_scores(logits, shape=image.shape[:2], n_classes=n_classes)
            found["network alone"].append(confusion(truth, p.argmax(axis=-1), n_classes))
            for way, parameters in WAYS.items():
                elapsed, labels = seconds(cs.densecrf.refine, p, image, **parameters)
                found[way].append(confusion(truth, labels, n_classes))
                times[way].append(1e3 * elapsed)
        before = np.array(found["network alone"])
        for way, counts in found.items():
            counts = np.array(counts)
            total = scores(counts.sum(axis=0))
            row = {"data": name, "images": len(chosen), "way": way, "scores": total.tolist()}
            cells = [f"{score:.2f}" for score in total]
            if way in WAYS:
                gain, low, high = gains(before, counts)
                cells = [
                    f"{c} ({g:+.2f}, {lo:+.2f} to {hi:+.2f})"
                    for c, g, lo, hi in zip(cells, gain, low, high, strict=True)
                ]
                row |= {"gain": gain.tolist(), "low": low.tolist(), "high": high.tolist()}
                row |= {"parameters": WAYS[way] or defaults(), "ms": float(np.median(times[way]))}
            cells.append(f"{np.median(times[way]):.0f}" if times[way] else "")
            table.add_row(way, *cells)
            rows.append(row)
        console.print(table)
    save("refine", rows)


def defaults():
    names = inspect.signature(cs.densecrf.refine).parameters
    return {name: names[name].default for name in (*EVERYBODYS, "temperature")}


if __name__ == "__main__":
    main()

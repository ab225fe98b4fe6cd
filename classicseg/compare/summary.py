"""All images together: rows of the cross table, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg import metrics
from classicseg.compare.journal import Journal
from classicseg.compare.scoring import (
    BOUNDARY_F,
    DONE,
    FAILED,
    LEFT_OUT,
    MEGABYTES,
    SCORES,
    SECONDS,
    WIDTHS,
    Record,
    means,
    right_true_found,
)

__all__ = ["Comparison", "Failure", "Row", "Table", "checked", "intervals"]

_RESAMPLES = 2000
# Resamples that are held at once: their weights are one number for each image.
_AT_ONCE = 100


@dataclass(frozen=True)
class Failure:
    """Why a pipeline has no labels for an image; for all pipelines, an image that is broken."""

    pipeline: str
    image: str
    error: str


@dataclass(frozen=True, eq=False)
class Row:
    """One pipeline over all images.

    Attributes
    ----------
    pipeline, engine : str
    pixel_accuracy, mean_accuracy, mean_iou, frequency_weighted_iou : float
        The four scores of the FCN paper, from the pixels of all images together.
    boundary_f : float
        Mean over the images of `metrics.boundary_f`.
    class_iou : (L,) float64
    band_iou : (W,) float64
        Mean IoU in bands around the true boundaries, `WIDTHS` pixels wide on either side.
    seconds, megabytes : float
        Medians over the images, of evidence and inference together; megabytes at the peak, above
        what the process held before.
    intervals : dict of str to (low, high)
        95 % bootstrap intervals over images of the first five scores, by name.
    counts : (L, L) int64
        Pixels of all images by true (rows) and found (columns) label.
    images : dict of str to (N,) float64
        By image: "mean_iou", "boundary_f", "seconds", "megabytes"; NaN where there is no result.
    failures : tuple of Failure
    n_left_out : int
        Images that the pipeline does not apply to; they count in no score.
    """

    pipeline: str
    engine: str
    pixel_accuracy: float
    mean_accuracy: float
    mean_iou: float
    frequency_weighted_iou: float
    boundary_f: float
    class_iou: NDArray[np.float64] = field(repr=False)
    band_iou: NDArray[np.float64] = field(repr=False)
    seconds: float
    megabytes: float
    intervals: Mapping[str, tuple[float, float]] = field(repr=False)
    counts: NDArray[np.int64] = field(repr=False)
    images: Mapping[str, NDArray[np.float64]] = field(repr=False)
    failures: tuple[Failure, ...] = field(repr=False)
    n_left_out: int = 0


@dataclass(frozen=True, eq=False)
class Comparison:
    """The cross table.

    Attributes
    ----------
    rows : tuple of Row
        Best mean IoU first; pipelines that failed on an image come after all others.
    dataset : str
    class_names : tuple of str
    palette : (L, 3) uint8
    void : int
    images : tuple of str
        Names, in order.
    engine, seed, n_jobs
        As given to `run`; 0 jobs stand for a cluster.
    left_out : dict of str to str
        Pipelines that do not apply to any of the images, and why.
    broken : tuple of Failure
        Images that could not be read; they count in no row.
    rects_of_truth : int
        How many images had no rectangle of a person's: theirs is the box of the truth, grown by
        2 % of the image's sides.
    warnings : dict of str to int
        What pipelines warned of, and how often.
    """

    rows: tuple[Row, ...]
    dataset: str
    class_names: tuple[str, ...]
    palette: NDArray[np.uint8] = field(repr=False)
    void: int
    images: tuple[str, ...] = field(repr=False)
    engine: str
    seed: int
    n_jobs: int
    left_out: Mapping[str, str] = field(repr=False)
    broken: tuple[Failure, ...]
    rects_of_truth: int
    warnings: Mapping[str, int] = field(repr=False)
    data: Any = field(repr=False)
    _journal: Journal = field(repr=False)
    _order: tuple[str, ...] = field(repr=False)
    _kept: Any = field(repr=False, default=None)

    @property
    def n_read(self) -> int:
        """How many images could be read."""
        gone = {failure.image for failure in self.broken}
        return sum(name not in gone for name in self.images)

    @property
    def failures(self) -> list[Failure]:
        """What went wrong: broken images, then the rows' failures."""
        return [*self.broken, *(failure for row in self.rows for failure in row.failures)]

    def finish(self) -> None:
        """Let the next run with this folder start anew; `write` does so at its end."""
        self._journal.finish()

    def labels(self, image: str) -> dict[str, NDArray[np.uint8] | NDArray[np.uint16]]:
        """What each pipeline found in an image, (H, W), read from the journal.

        Pipelines that failed on the image or do not apply to it are left out.

        Raises
        ------
        ValueError
            If there is no image of that name, or its record is damaged or gone.
        """
        if not isinstance(image, str) or image not in self.images:
            raise ValueError(f"image is {image!r}, expected one of {', '.join(self.images[:5])}...")
        if any(image == failure.image for failure in self.broken):
            return {}
        record = self._journal.read(self.images.index(image))
        return {
            name: record.labels[index]
            for index, name in enumerate(self._order)
            if record.state[index] == DONE
        }


def checked(comparison: Comparison) -> Comparison:
    """Check what is to be shown."""
    if not isinstance(comparison, Comparison):
        kind = type(comparison).__name__
        raise TypeError(f"comparison is a {kind}, expected a Comparison, as run gives it")
    return comparison


class Table:
    """Adds up records; holds no pixels, and for each image 12 bytes a pipeline and class."""

    def __init__(self, pipelines: Sequence[str], names: Sequence[str], n_classes: int) -> None:
        n, p = len(names), len(pipelines)
        self.pipelines, self.names = tuple(pipelines), names
        self.state = np.full((n, p), FAILED, np.uint8)
        self.sums = np.zeros((n, p, n_classes, 3), np.int32)
        self.numbers = np.full((n, p, 3), np.nan)
        self.counts = np.zeros((p, n_classes, n_classes), np.int64)
        self.bands = np.zeros((p, len(WIDTHS), n_classes, 3), np.int64)
        self.failures: dict[tuple[int, int], str] = {}
        self.reasons: dict[int, tuple[int, str]] = {}  # of the first image, by pipeline
        self.warnings: dict[str, int] = {}
        self.broken: dict[int, str] = {}
        self.rects_of_truth = 0

    def add(self, index: int, record: Record) -> None:
        """Count an image."""
        self.state[index], self.numbers[index] = record.state, record.numbers
        self.sums[index] = right_true_found(record.counts)
        self.counts += record.counts
        self.bands += record.bands
        self.rects_of_truth += record.rect_of_truth
        for p, reason in record.reasons.items():
            if record.state[p] == FAILED:
                self.failures[p, index] = reason
            else:
                self.reasons[p] = min(self.reasons.get(p, (index, reason)), (index, reason))
        for p, texts in record.warnings.items():
            for text in texts:
                line = f"{self.pipelines[p]}: {text}"
                self.warnings[line] = self.warnings.get(line, 0) + 1

    def left_out(self) -> dict[str, str]:
        """Pipelines that apply to no image, and why."""
        read = np.array([n not in self.broken for n in range(len(self.names))])
        return {
            name: self.reasons[p][1]
            for p, name in enumerate(self.pipelines)
            if p in self.reasons and (self.state[read, p] == LEFT_OUT).all()
        }

    def rows(self, engine: str, seed: int) -> list[Row]:
        """The pipelines that apply to some image, best first."""
        gone = self.left_out()
        ranges = intervals(self.sums, self.numbers[:, :, BOUNDARY_F], self.state == DONE, seed)
        failed: dict[int, list[Failure]] = {}
        for (p, index), reason in sorted(self.failures.items()):
            failure = Failure(self.pipelines[p], self.names[index], reason)
            failed.setdefault(p, []).append(failure)
        rows = [
            self._row(p, engine, ranges[p], failed.get(p, []))
            for p, name in enumerate(self.pipelines)
            if name not in gone
        ]
        return sorted(rows, key=lambda row: (len(row.failures), -np.nan_to_num(row.mean_iou)))

    def _row(
        self, p: int, engine: str, ranges: NDArray[np.float64], failures: list[Failure]
    ) -> Row:
        done = self.state[:, p] == DONE
        matrix = metrics.ConfusionMatrix(len(self.counts[p]), len(self.counts[p]))
        matrix.counts += self.counts[p]
        numbers = self.numbers[:, p]
        of_images = np.where(done, means(self.sums[:, p])[:, SCORES.index("mean_iou")], np.nan)
        return Row(
            pipeline=self.pipelines[p],
            engine=engine,
            pixel_accuracy=matrix.pixel_accuracy,
            mean_accuracy=matrix.mean_accuracy,
            mean_iou=matrix.mean_iou,
            frequency_weighted_iou=matrix.frequency_weighted_iou,
            boundary_f=_known(np.mean, numbers[:, BOUNDARY_F]),
            class_iou=matrix.iou,
            band_iou=means(self.bands[p])[:, SCORES.index("mean_iou")],
            seconds=_known(np.median, numbers[:, SECONDS]),
            megabytes=_known(np.median, numbers[:, MEGABYTES]),
            intervals={
                name: (float(low), float(high))
                for name, (low, high) in zip(SCORES, ranges, strict=True)
            },
            counts=self.counts[p],
            images={
                "mean_iou": of_images,
                "boundary_f": numbers[:, BOUNDARY_F],
                "seconds": numbers[:, SECONDS],
                "megabytes": numbers[:, MEGABYTES],
            },
            failures=tuple(failures),
            n_left_out=int((self.state[:, p] == LEFT_OUT).sum()),
        )


def intervals(
    sums: NDArray[np.int32],
    boundary_f: NDArray[np.float64],
    done: NDArray[np.bool_],
    seed: int,
) -> NDArray[np.float64]:
    """95 % percentile bootstrap intervals over images, (P, 5, 2), in the order of `SCORES`.

    Images are drawn with replacement, the same ones for every pipeline, and the pixels of those
    drawn are counted together. NaN where a pipeline has fewer than two images.

    Parameters
    ----------
    sums : (N, P, L, 3)
        By image, pipeline and class: found rightly, true, found.
    boundary_f, done : (N, P)
    seed : int
    """
    n, p = done.shape
    rng = np.random.default_rng(seed)
    drawn = np.empty((_RESAMPLES, p, len(SCORES)))
    for start in range(0, _RESAMPLES, _AT_ONCE):
        times = rng.multinomial(n, np.full(n, 1 / n), _AT_ONCE).astype(np.float64)
        for k in range(p):
            part = drawn[start : start + _AT_ONCE, k]
            part[:, :-1] = means((times @ sums[:, k].reshape(n, -1)).reshape(_AT_ONCE, -1, 3))
            known = ~np.isnan(boundary_f[:, k])
            with np.errstate(invalid="ignore"):
                part[:, -1] = (times @ np.nan_to_num(boundary_f[:, k])) / (times @ known)
    ranges = np.full((p, len(SCORES), 2), np.nan)
    for k in np.flatnonzero(done.sum(axis=0) >= 2).tolist():
        ranges[k] = np.nanpercentile(drawn[:, k], (2.5, 97.5), axis=0).T
    return ranges


def _known(statistic: Callable[..., Any], values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(statistic(known)) if known.size else math.nan

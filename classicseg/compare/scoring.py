"""What one image's labels score, as small arrays that can be added up over images."""

from __future__ import annotations

import io as bytes_io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from classicseg import metrics
from classicseg._arrays import ratio
from classicseg._checks import as_labels

__all__ = ["DONE", "FAILED", "LEFT_OUT", "WIDTHS", "Record", "Scorer"]

#: Half widths in pixels of the bands around boundaries in which IoU is also taken.
WIDTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40)

#: What became of a pipeline on an image.
DONE, FAILED, LEFT_OUT = 0, 1, 2

# Columns of `Record.numbers`.
BOUNDARY_F, SECONDS, MEGABYTES = 0, 1, 2


@dataclass(eq=False)
class Record:
    """One image, all pipelines (P), in their order.

    Attributes
    ----------
    name : str
        The image's.
    state : (P,) uint8
        `DONE`, `FAILED`, or `LEFT_OUT` where the pipeline does not apply to the image.
    counts : (P, L, L) int32
        Pixels by true (rows) and found (columns) label; void is not counted.
    bands : (P, W, L, 3) int32
        In a band of each of `WIDTHS`, by label: found rightly, true, found.
    numbers : (P, 3) float64
        Boundary F, seconds, megabytes at the peak.
    labels : (P, H, W) uint8 or uint16
    reasons : dict
        Why a pipeline failed or does not apply, by its index.
    warnings : dict
        What it warned of, by its index.
    rect_of_truth : bool
        Whether the rectangle was made from the truth.
    """

    name: str
    state: NDArray[np.uint8]
    counts: NDArray[np.int32]
    bands: NDArray[np.int32]
    numbers: NDArray[np.float64]
    labels: NDArray[np.uint8] | NDArray[np.uint16]
    reasons: dict[int, str] = field(default_factory=dict)
    warnings: dict[int, list[str]] = field(default_factory=dict)
    rect_of_truth: bool = False

    @staticmethod
    def empty(name: str, n_pipelines: int, n_classes: int, shape: tuple[int, ...]) -> Record:
        """A record in which nothing has been done yet."""
        small: Any = np.uint8 if n_classes <= 256 else np.uint16
        return Record(
            name,
            np.full(n_pipelines, FAILED, np.uint8),
            np.zeros((n_pipelines, n_classes, n_classes), np.int32),
            np.zeros((n_pipelines, len(WIDTHS), n_classes, 3), np.int32),
            np.full((n_pipelines, 3), np.nan),
            np.zeros((n_pipelines, *shape), small),
        )

    def pack(self) -> bytes:
        """As bytes for a file: a compressed .npz."""
        said: dict[str, Any] = {
            "name": self.name,
            "reasons": self.reasons,
            "warnings": self.warnings,
            "rect_of_truth": self.rect_of_truth,
        }
        file = bytes_io.BytesIO()
        np.savez_compressed(
            file,
            state=self.state,
            counts=self.counts,
            bands=self.bands,
            numbers=self.numbers,
            labels=self.labels,
            said=np.array(json.dumps(said)),
        )
        return file.getvalue()

    @staticmethod
    def unpack(packed: bytes, with_labels: bool = True) -> Record:
        """The record of `pack`; without its labels they are empty."""
        with np.load(bytes_io.BytesIO(packed), allow_pickle=False) as stored:
            said = json.loads(stored["said"].item())
            return Record(
                said["name"],
                stored["state"],
                stored["counts"],
                stored["bands"],
                stored["numbers"],
                stored["labels"] if with_labels else np.zeros((0, 0, 0), np.uint8),
                {int(index): reason for index, reason in said["reasons"].items()},
                {int(index): texts for index, texts in said["warnings"].items()},
                said["rect_of_truth"],
            )


class Scorer:
    """Scores many labels of one image: what depends on the truth alone is done once."""

    def __init__(self, truth: NDArray[np.int32], n_classes: int, void: int) -> None:
        self.truth, self.n_classes, self.void = truth, n_classes, void
        self._known = truth != void
        # In which of the bands a pixel begins to lie; the last stands for none.
        self._band = np.searchsorted(np.array(WIDTHS), _reach(truth))[self._known]
        self._true = truth[self._known]

    def score(self, record: Record, index: int, found: Any) -> None:
        """Write the scores of the labels that a pipeline found into a record.

        Raises
        ------
        TypeError, ValueError
            If they are no labels of the image.
        """
        labels = as_labels(found, "the pipeline's labels", self.truth.shape)
        if (high := int(labels.max())) >= self.n_classes:
            raise ValueError(f"the pipeline's labels hold {high}, expected 0..{self.n_classes - 1}")
        n = self.n_classes
        by_band = np.bincount(
            (self._band * n + self._true) * n + labels[self._known],
            minlength=(len(WIDTHS) + 1) * n * n,
        ).reshape(-1, n, n)
        within = by_band[:-1].cumsum(axis=0)
        record.counts[index] = by_band.sum(axis=0)
        record.bands[index] = right_true_found(within)
        record.numbers[index, BOUNDARY_F] = self._boundary_f(labels)
        record.labels[index] = labels
        record.state[index] = DONE

    def _boundary_f(self, labels: NDArray[np.int32]) -> float:
        if self.n_classes == 2:  # masks: the background has the same boundary
            return metrics.boundary_f(self.truth == 1, labels == 1)
        return metrics.boundary_f(self.truth, labels, ignore_index=self.void)


def right_true_found(counts: NDArray[Any]) -> NDArray[Any]:
    """Of confusion matrices (..., L, L): found rightly, true and found pixels of each class."""
    diagonal = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.stack([diagonal, counts.sum(axis=-1), counts.sum(axis=-2)], axis=-1)


def iou(sums: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of each class; NaN for a class that is nowhere."""
    right, true, found = np.moveaxis(sums, -1, 0)
    return ratio(right, true + found - right)


def means(sums: NDArray[Any]) -> NDArray[np.float64]:
    """The four scores of the FCN paper, (..., 4), of sums (..., L, 3): see `SCORES`."""
    right, true, _ = np.moveaxis(sums, -1, 0)
    overlap = iou(sums)
    total = true.sum(axis=-1)
    weighted = np.where(true > 0, true * overlap, 0).sum(axis=-1)
    return np.stack(
        [
            ratio(right.sum(axis=-1), total),
            _mean(ratio(right, true)),
            _mean(overlap),
            ratio(weighted, total),
        ],
        axis=-1,
    )


#: The scores in the order of `means`, then the boundary's.
SCORES: Sequence[str] = (
    "pixel_accuracy",
    "mean_accuracy",
    "mean_iou",
    "frequency_weighted_iou",
    "boundary_f",
)


def _reach(truth: NDArray[np.int32]) -> NDArray[np.float64]:
    """The half width of the narrowest band around the boundaries that holds a pixel."""
    touching = metrics.band(truth, 0.5)
    if not touching.any():
        return np.full(truth.shape, np.inf)
    reach: NDArray[np.float64] = ndimage.distance_transform_edt(~touching) + 0.5
    return reach


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over the last axis, NaN left out."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0).sum(axis=-1)
    return ratio(total, known.sum(axis=-1))

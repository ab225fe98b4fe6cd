"""A window moves over the image, a classifier says what it shows, the answers become a heat map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from classicseg._arrays import as_array
from classicseg._checks import finite, positive_int
from classicseg._lab import lab
from classicseg.semantic._estimator import (
    ClassWeight,
    ImageClassifier,
    columns,
    fit_rows,
    over_images,
)
from classicseg.semantic._grid import cover

__all__ = ["SlidingWindow", "window_features"]

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
Features = Callable[[NDArray[np.uint8]], NDArray[Any]]
# Windows that are described and classified at a time.
_BATCH = 1024
_LARGEST_WINDOW = 4096
_CELLS = 6


class SlidingWindow(ImageClassifier):
    """Any classifier of windows, slid over an image: heat maps, then masks of classes.

    In training a window's class is that of most of its labelled pixels. In prediction a pixel's
    probabilities are the mean over the windows that cover it; the last windows end at the border.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, optional
        Takes rows of `features`; it is cloned and fitted. Default: 60 extremely randomised trees.
    window : int or (height, width)
        Size in pixels. Default 32. Smaller images are continued by their border.
    stride : int
        Step in pixels. Default 8.
    features : callable, optional
        From windows (N, h, w, 3) uint8 to rows (N, F). Default: `window_features`.
    prefit : bool
        `estimator` is fitted already, to rows of `features` and classes 0..L-1: it is used as it
        is, and `fit` is not needed. Default False.
    class_weight, n_classes, ignore_index, n_jobs, random_state, progress
        As those of `SuperpixelClassifier`.

    Attributes
    ----------
    classes_, n_classes_
        As those of `SuperpixelClassifier`.
    estimator_ : classifier
        The fitted one.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import semantic
    >>> image = np.zeros((24, 32, 3), np.uint8)
    >>> image[:12] = (90, 140, 230)
    >>> labels = np.repeat([[0], [1]], 12, axis=0).repeat(32, axis=1)
    >>> model = semantic.SlidingWindow(window=4, stride=2).fit([image], [labels])
    >>> model.predict_proba(image).shape, model.masks(image)[[2, 20], 5].tolist()
    ((24, 32, 2), [[True, False], [False, True]])
    """

    def __init__(
        self,
        estimator: Any = None,
        window: int | tuple[int, int] = 32,
        stride: int = 8,
        features: Features | None = None,
        *,
        prefit: bool = False,
        class_weight: ClassWeight = 0.75,
        n_classes: int | None = None,
        ignore_index: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        progress: bool = True,
    ) -> None:
        self.estimator = estimator
        self.window = window
        self.stride = stride
        self.features = features
        self.prefit = prefit
        self.class_weight = class_weight
        self.n_classes = n_classes
        self.ignore_index = ignore_index
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.progress = progress

    def masks(self, image: ArrayLike, threshold: float = 0.5) -> NDArray[np.bool_]:
        """Where each class is at least as likely as a threshold: (H, W, L) bool.

        Raises
        ------
        TypeError, ValueError
            If the image is unusable or the threshold no number.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        return self.predict_proba(image) >= np.float64(finite(threshold, "threshold"))

    def predict_proba(self, image: ArrayLike) -> Array:
        """Heat maps: the probability of each class at each pixel, (H, W, L) float32.

        Raises
        ------
        TypeError, ValueError
            If the image is unusable.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        if self.prefit:
            self._adopt()
        return super().predict_proba(image)

    def _adopt(self) -> None:
        if not hasattr(self.estimator, "classes_"):
            raise NotFittedError(f"estimator {self.estimator!r} is not fitted: it has no classes_")
        self.estimator_ = self.estimator
        known = np.asarray(self.estimator.classes_)
        if known.dtype.kind not in "iu" or known.min() < 0:
            raise ValueError(f"estimator has the classes {known.tolist()}, expected 0..L-1")
        least = int(known.max()) + 1
        self.n_classes_ = least if self.n_classes is None else int(self.n_classes)
        if self.n_classes_ < least:
            raise ValueError(f"n_classes is {self.n_classes}, the estimator knows {least}")
        self.classes_ = np.arange(self.n_classes_)

    def _fit(self, images: list[Image], labels: list[NDArray[np.int32]]) -> None:
        if self.prefit:
            self._adopt()
            return
        seed = self._first_seed()
        settings = (self._sides(), positive_int(self.stride, "stride"), self._features())
        tasks = [
            (image, truth, self.n_classes_, *settings)
            for image, truth in zip(images, labels, strict=True)
        ]
        parts = over_images(
            _labelled_windows,
            tasks,
            "windows",
            self.n_jobs,
            self.progress,
        )
        rows = np.concatenate([part for part, _ in parts])
        classes = np.concatenate([part for _, part in parts])
        weights = self._row_weights(classes, np.ones(len(classes), np.float32))
        estimator = None if self.estimator is None else clone(self.estimator)
        self.estimator_ = fit_rows(estimator, rows, classes, weights, seed, self.n_jobs)

    def _probabilities(self, image: Image) -> Array:
        sides, shape = self._sides(), image.shape[:2]
        views, starts = _windows(image, sides, positive_int(self.stride, "stride"))
        scores = np.empty((len(starts[0]), len(starts[1]), self.n_classes_), np.float32)
        for row, windows in enumerate(views):
            described = _rows(windows, self._features())
            scores[row] = columns(self.estimator_, described, self.n_classes_)
        return cover(scores, starts, sides, (shape[0], shape[1]))

    def _sides(self) -> tuple[int, int]:
        sides = self.window if isinstance(self.window, tuple | list) else (self.window,) * 2
        if len(sides) != 2:
            raise ValueError(f"window is {self.window!r}, expected a number or (height, width)")
        height, width = (positive_int(side, "window", _LARGEST_WINDOW) for side in sides)
        return height, width

    def _features(self) -> Features:
        return window_features if self.features is None else self.features


def window_features(windows: NDArray[np.uint8]) -> Array:
    """Lab colours and gradient lengths of windows, as means over 6 x 6 cells.

    Parameters
    ----------
    windows : (N, h, w, 3) uint8 array

    Returns
    -------
    (N, F) float32 array
        Four numbers for each cell; fewer cells where a side has fewer pixels.

    Raises
    ------
    TypeError, ValueError
        If `windows` are none.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import semantic
    >>> semantic.window_features(np.zeros((2, 32, 32, 3), np.uint8)).shape
    (2, 144)
    """
    given = as_array(windows, "windows")
    if given.dtype != np.uint8:
        raise TypeError(f"windows has dtype {given.dtype}, expected uint8")
    if given.ndim != 4 or given.shape[3] != 3 or given.size == 0:
        raise ValueError(f"windows has shape {given.shape}, expected (N, h, w, 3)")
    windows = np.ascontiguousarray(given)
    n, height, width, _ = windows.shape
    colors = lab(windows.reshape(n * height, width, 3)).reshape(n, height, width, 3)
    slopes = [np.gradient(colors[..., 0], axis=a) for a in (1, 2) if colors.shape[a] > 1]
    lengths = np.sqrt(sum((s * s for s in slopes), np.zeros_like(colors[..., 0])))
    cells = np.concatenate([colors, lengths[..., np.newaxis]], axis=3)
    for axis, length in ((1, height), (2, width)):
        edges = np.unique(np.linspace(0, length, min(_CELLS, length) + 1).astype(int))
        shape = [1, 1, 1, 1]
        shape[axis] = -1
        cells = np.add.reduceat(cells, edges[:-1], axis=axis) / np.diff(edges).reshape(shape)
    return cells.reshape(n, -1).astype(np.float32)


def _labelled_windows(
    image: Image,
    truth: NDArray[np.int32],
    n_classes: int,
    sides: tuple[int, int],
    stride: int,
    features: Features,
) -> tuple[Array, NDArray[np.int64]]:
    images, _ = _windows(image, sides, stride)
    truths, _ = _windows(truth, sides, stride)
    rows, classes = [], []
    for windows, labels in zip(images, truths, strict=True):
        counts = np.stack([(labels == c).sum(axis=(1, 2)) for c in range(n_classes)], axis=1)
        known = counts.any(axis=1)
        if known.any():
            rows.append(_rows(windows[known], features))
            classes.append(counts[known].argmax(axis=1))
    if not rows:
        return np.empty((0, _rows(windows[:1], features).shape[1]), np.float32), np.empty(0, int)
    return np.concatenate(rows), np.concatenate(classes)


def _windows(
    array: NDArray[Any], sides: tuple[int, int], stride: int
) -> tuple[list[NDArray[Any]], tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each row of windows a view (N, h, w[, 3]), and where windows start."""
    missing = [max(side - length, 0) for side, length in zip(sides, array.shape, strict=False)]
    if any(missing):
        pad = [(0, m) for m in missing] + [(0, 0)] * (array.ndim - 2)
        array = np.pad(array, pad, mode="edge")
    y, x = (_starts(array.shape[a], sides[a], stride) for a in (0, 1))
    views = sliding_window_view(array, sides, axis=(0, 1))
    if array.ndim == 3:
        views = np.moveaxis(views, 2, -1)
    return [views[row][x] for row in y], (y, x)


def _starts(length: int, side: int, stride: int) -> NDArray[np.int64]:
    """Every `stride`-th, and one that ends at the border."""
    return np.unique(np.append(np.arange(0, length - side + 1, stride), length - side))


def _rows(windows: NDArray[np.uint8], features: Features) -> Array:
    parts = []
    for start in range(0, len(windows), _BATCH):
        batch = windows[start : start + _BATCH]
        part = np.asarray(features(batch))
        if part.ndim != 2 or len(part) != len(batch):
            raise ValueError(
                f"features made {part.shape} of {len(batch)} windows, expected ({len(batch)}, F)"
            )
        parts.append(part.astype(np.float32, copy=False))
    return np.concatenate(parts)

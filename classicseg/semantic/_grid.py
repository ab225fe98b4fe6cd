"""Grids of places in an image, and what lies between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["between", "cover", "places"]

Array = NDArray[np.float32]


def places(length: int, stride: int) -> NDArray[np.int64]:
    """Every `stride`-th of 0..length-1, centred.

    >>> places(10, 4).tolist(), places(2, 4).tolist()
    ([0, 4, 8], [0])
    """
    first = ((length - 1) % stride) // 2
    return np.arange(first, length, stride)


def between(
    scores: Array, y: NDArray[np.int64], x: NDArray[np.int64], shape: tuple[int, int]
) -> Array:
    """Bilinear between the places (rows y, columns x) of scores; beyond them the nearest."""
    rows, columns = _hats(y, shape[0]), _hats(x, shape[1])
    return _both(rows, scores, columns)


def cover(
    scores: Array,
    starts: tuple[NDArray[np.int64], NDArray[np.int64]],
    window: tuple[int, int],
    shape: tuple[int, int],
) -> Array:
    """At each pixel the mean score of the windows that cover it."""
    rows, columns = (
        _boxes(start, side, length)
        for start, side, length in zip(starts, window, shape, strict=True)
    )
    return _both(rows, scores, columns)


def _both(rows: sparse.csr_array, scores: Array, columns: sparse.csr_array) -> Array:
    n_rows, n_columns, n_classes = scores.shape
    tall = (rows @ scores.reshape(n_rows, -1)).reshape(-1, n_columns, n_classes)
    result = np.empty((rows.shape[0], columns.shape[0], n_classes), np.float32)
    for c in range(n_classes):
        result[..., c] = (columns @ np.ascontiguousarray(tall[..., c].T)).T
    return result


def _hats(at: NDArray[np.int64], length: int) -> sparse.csr_array:
    """(length, places) weights of linear interpolation."""
    pixel = np.arange(length)
    right = np.clip(np.searchsorted(at, pixel), 0, len(at) - 1)
    left = np.maximum(right - (at[right] > pixel), 0)
    gap = np.maximum(at[right] - at[left], 1)
    share = np.clip((pixel - at[left]) / gap, 0, 1).astype(np.float32)
    values = np.concatenate([1 - share, share])
    index = (np.concatenate([pixel, pixel]), np.concatenate([left, right]))
    return sparse.coo_array((values, index), shape=(length, len(at))).tocsr()


def _boxes(starts: NDArray[np.int64], side: int, length: int) -> sparse.csr_array:
    """(length, windows) weights of the windows that cover each pixel; they sum to 1."""
    rows = (starts[:, np.newaxis] + np.arange(side)).ravel()
    columns = np.repeat(np.arange(len(starts)), side)
    inside = rows < length
    rows, columns = rows[inside], columns[inside]
    share = (1 / np.bincount(rows, minlength=length)).astype(np.float32)
    return sparse.coo_array((share[rows], (rows, columns)), shape=(length, len(starts))).tocsr()

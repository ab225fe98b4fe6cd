"""Brush strokes and lassos."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skimage.draw import polygon

from classicseg._arrays import as_array

__all__ = ["fill", "paint"]

_FARTHEST = 1e9

Stroke = tuple[tuple[slice, slice], NDArray[np.bool_]]


def paint(shape: tuple[int, int], points: ArrayLike, radius: float) -> Stroke:
    """Pixels within `radius` of the path through `points` (N, 2) as (x, y).

    Returns a window of the image and the painted pixels in it; an empty one for a path outside.
    """
    path = _as_path(points, 1)
    x0, y0, x1, y1 = _bounds(path, radius, shape)
    painted = np.zeros((y1 - y0, x1 - x0), np.bool_)
    path = path - (x0, y0)
    for start, end in zip(path, path[1:] if len(path) > 1 else path, strict=False):
        _paint_segment(painted, start, end, radius)
    return (slice(y0, y1), slice(x0, x1)), painted


def fill(shape: tuple[int, int], points: ArrayLike) -> Stroke:
    """Pixels whose centres lie inside the closed path through `points` (N, 2) as (x, y)."""
    path = _as_path(points, 3)
    x0, y0, x1, y1 = _bounds(path, 0, shape)
    inside = np.zeros((y1 - y0, x1 - x0), np.bool_)
    columns, rows = (path - (x0, y0)).T
    inside[polygon(rows, columns, inside.shape)] = True
    return (slice(y0, y1), slice(x0, x1)), inside


def _as_path(points: ArrayLike, least: int) -> NDArray[np.float64]:
    given = as_array(points, "points")
    if given.dtype.kind not in "iuf":
        raise TypeError(f"points has dtype {given.dtype}, expected numbers")
    path = given.astype(np.float64)
    if path.ndim != 2 or path.shape[1] != 2 or len(path) < least:
        raise ValueError(f"points has shape {path.shape}, expected (N, 2) as (x, y), N >= {least}")
    if not (np.abs(path) <= _FARTHEST).all():
        raise ValueError(f"points holds NaN, or coordinates beyond {_FARTHEST:g} pixels")
    return path


def _bounds(
    path: NDArray[np.float64], margin: float, shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The window of an image (x0, y0, x1, y1) that a path with a margin reaches."""
    limits = shape[::-1]
    x0, y0 = np.clip(np.floor(path.min(axis=0) - margin), 0, limits).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(path.max(axis=0) + margin) + 1, 0, limits).astype(int).tolist()
    return x0, y0, x1, y1


def _paint_segment(
    painted: NDArray[np.bool_],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: float,
) -> None:
    height, width = painted.shape
    low = np.floor(np.minimum(start, end) - radius)
    high = np.ceil(np.maximum(start, end) + radius) + 1
    x0, y0 = (int(v) for v in np.clip(low, 0, (width, height)))
    x1, y1 = (int(v) for v in np.clip(high, 0, (width, height)))
    if x0 >= x1 or y0 >= y1:
        return
    x = np.arange(x0, x1) - start[0]
    y = np.arange(y0, y1)[:, None] - start[1]
    direction = end - start
    length = float(direction @ direction)
    # Where along the segment (0..1) each pixel's nearest point lies.
    along = np.clip((x * direction[0] + y * direction[1]) / length, 0, 1) if length > 0 else 0.0
    distance = (x - along * direction[0]) ** 2 + (y - along * direction[1]) ** 2
    painted[y0:y1, x0:x1] |= distance <= radius * radius

"""The contours of a mask, and the narrow ribbon of pixels along them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage.measure import find_contours

__all__ = ["HALF_WIDTH", "Contour", "Ribbon", "ribbon_of"]

# The paper's w, in pixels: the ribbon reaches so far to both sides.
HALF_WIDTH = 6

# A mask's contour is a staircase: its corners are rounded along so many points, but by no more
# than so many pixels.
_SMOOTHING = 1.5
_LARGEST_SHIFT = 0.5
# Contours go on so far beyond the image's edge, which keeps their ends out of the way.
_BEYOND = 2


@dataclass(frozen=True)
class Contour:
    """A run of contour points; closed, or from edge to edge of the image."""

    points: slice
    closed: bool


@dataclass(frozen=True)
class Ribbon:
    """Pixels within `HALF_WIDTH` of a contour, in the order of the points nearest to them."""

    contours: list[Contour]
    points: NDArray[np.float64]  # (T, 2) as (y, x), all contours in one array
    rows: NDArray[np.intp]  # (N,), of each pixel
    columns: NDArray[np.intp]
    nearest: NDArray[np.intp]  # the nearest point
    second: NDArray[np.intp]  # the other end of the nearest piece of the contour
    weight: NDArray[np.float64]  # of the second: 0 at the nearest point, 1/2 in the middle
    distance: NDArray[np.float64]  # to the contour, positive in the foreground


def ribbon_of(mask: NDArray[np.bool_]) -> Ribbon:
    """The ribbon of a mask; an empty one if it has one label only.

    A pixel belongs to the nearest contour. There are no contours along the image's own edges:
    what reaches them goes on outside.
    """
    contours, points, before, after = _contours(mask)
    size = 2 * (HALF_WIDTH + 1) + 1
    labels = mask.view(np.uint8)
    near = ndimage.maximum_filter(labels, size) != ndimage.minimum_filter(labels, size)
    rows, columns = np.nonzero(near)
    if len(points) == 0:
        empty = np.empty(0)
        index = np.empty(0, np.intp)
        return Ribbon([], points, index, index, index, index, empty, empty)
    pixels = np.column_stack([rows, columns]).astype(np.float64)
    far, nearest = cKDTree(points).query(pixels, distance_upper_bound=HALF_WIDTH + 1)
    reached = np.isfinite(far)
    rows, columns, nearest = rows[reached], columns[reached], nearest[reached]
    order = np.argsort(nearest, kind="stable")
    rows, columns, nearest = rows[order], columns[order], nearest[order].astype(np.intp)
    pixels = np.column_stack([rows, columns]).astype(np.float64)

    back = _project(pixels, points[before[nearest]], points[nearest])
    ahead = _project(pixels, points[nearest], points[after[nearest]])
    is_ahead = ahead.distance < back.distance
    distance = np.where(is_ahead, ahead.distance, back.distance)
    inside = np.where(is_ahead, ahead.inside, back.inside)
    # At sharp corners the nearest piece does not tell the sides apart, but the mask does.
    inside = np.where(distance > 1, mask[rows, columns], inside)
    second = np.where(is_ahead, after[nearest], before[nearest])
    weight = np.where(is_ahead, ahead.along, 1 - back.along)
    kept = distance <= HALF_WIDTH
    signed = np.where(inside, distance, -distance)
    parts = (rows, columns, nearest, second, weight, signed)
    return Ribbon(contours, points, *(part[kept] for part in parts))


def _contours(
    mask: NDArray[np.bool_],
) -> tuple[list[Contour], NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Contours, their points, and for each the one before and after it."""
    padded = np.pad(mask, _BEYOND, mode="edge")
    contours: list[Contour] = []
    points, before, after = [], [], []
    start = 0
    for line in find_contours(padded, 0.5, positive_orientation="high"):
        closed = bool((line[0] == line[-1]).all())
        smooth = _smoothed(line[:-1] if closed else line, closed) - _BEYOND
        index = np.arange(start, start + len(smooth))
        contours.append(Contour(slice(start, start + len(smooth)), closed))
        points.append(smooth)
        before.append(np.roll(index, 1) if closed else np.maximum(index - 1, start))
        after.append(np.roll(index, -1) if closed else np.minimum(index + 1, index[-1]))
        start += len(smooth)
    if not contours:
        none = np.empty(0, np.intp)
        return [], np.empty((0, 2)), none, none
    return contours, np.concatenate(points), np.concatenate(before), np.concatenate(after)


def _smoothed(line: NDArray[np.float64], closed: bool) -> NDArray[np.float64]:
    sigma = min(_SMOOTHING, len(line) / 16)
    mode = "wrap" if closed else "nearest"
    shift = ndimage.gaussian_filter1d(line, sigma, axis=0, mode=mode) - line
    length = np.hypot(shift[:, 0], shift[:, 1])[:, None]
    smooth: NDArray[np.float64] = line + shift * np.minimum(
        1, _LARGEST_SHIFT / np.maximum(length, _LARGEST_SHIFT)
    )
    return smooth


@dataclass(frozen=True)
class _Projection:
    along: NDArray[np.float64]
    distance: NDArray[np.float64]
    inside: NDArray[np.bool_]


def _project(
    pixels: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> _Projection:
    """Nearest points on pieces from start to end; infinitely far where these are the same."""
    direction = end - start
    offset = pixels - start
    squared = (direction**2).sum(axis=1)
    empty = squared == 0
    along = ((offset * direction).sum(axis=1) / np.where(empty, 1, squared)).clip(0, 1)
    rest = offset - along[:, None] * direction
    distance = np.where(empty, np.inf, np.hypot(rest[:, 0], rest[:, 1]))
    side = direction[:, 0] * offset[:, 1] - direction[:, 1] * offset[:, 0]
    return _Projection(along, distance, side > 0)

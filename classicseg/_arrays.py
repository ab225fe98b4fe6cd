"""Arrays from anything that a caller may pass, and small things done to them in several places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_array", "grown_box", "in_order", "parts_of", "ratio", "shape_of"]


def as_array(value: ArrayLike, name: str, what: str = "numbers") -> NDArray[Any]:
    """`numpy.asarray`, of any dtype."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be read as an array of {what}: {error}") from error


def shape_of(value: ArrayLike, name: str) -> tuple[int, ...]:
    return as_array(value, name).shape


def ratio(part: ArrayLike, whole: ArrayLike) -> NDArray[np.float64]:
    """A share of a number of pixels; NaN of none."""
    with np.errstate(invalid="ignore"):
        return np.divide(part, whole, dtype=np.float64)


def grown_box(mask: NDArray[np.bool_], share: float = 0.02) -> tuple[int, int, int, int]:
    """The box of a mask, grown by a share of the image's sides, as (x, y, width, height)."""
    height, width = mask.shape
    y, x = np.nonzero(mask)
    dx, dy = round(share * width), round(share * height)
    x0, y0 = max(int(x.min()) - dx, 0), max(int(y.min()) - dy, 0)
    x1, y1 = min(int(x.max()) + 1 + dx, width), min(int(y.max()) + 1 + dy, height)
    return x0, y0, x1 - x0, y1 - y0


def in_order(array: NDArray[Any]) -> NDArray[np.float32]:
    """As np.ascontiguousarray, a part at a time: Ctrl-C need not wait for all of it."""
    if array.dtype == np.float32 and array.flags.c_contiguous:
        return array
    copy = np.empty(array.shape, np.float32)
    with np.errstate(over="ignore"):
        for part in parts_of(array):
            copy[part] = array[part]
    return copy


def parts_of(array: NDArray[Any]) -> Iterator[slice]:
    """Rows of an array that together take a few hundredths of a second."""
    rows = max(1, (1 << 22) // array[0].size)
    return (slice(row, row + rows) for row in range(0, len(array), rows))

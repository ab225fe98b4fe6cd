"""Arrays from anything that a caller may pass, and small things done to them in several places."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_array", "grown_box", "ratio", "shape_of"]


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

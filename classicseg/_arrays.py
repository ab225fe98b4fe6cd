"""What NumPy makes of anything that a caller may pass, with errors that name the argument."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_array", "shape_of"]


def as_array(value: ArrayLike, name: str, what: str = "numbers") -> NDArray[Any]:
    """`numpy.asarray`, of any dtype."""
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be read as an array of {what}: {error}") from error


def shape_of(value: ArrayLike, name: str) -> tuple[int, ...]:
    return as_array(value, name).shape

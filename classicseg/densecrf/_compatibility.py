"""What it costs when two points have different labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array

Compatibility = tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]


def as_compatibility(compatibility: str | ArrayLike) -> Compatibility:
    """Weights (L,) of agreement and penalties (L, L) of pairs; neither of them for Potts' model."""
    if isinstance(compatibility, str):
        if compatibility != "potts":
            raise ValueError(
                f"compatibility is {compatibility!r}, expected 'potts', an array (L,) or (L, L)"
            )
        return None, None
    array = as_array(compatibility, "compatibility")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"compatibility has dtype {array.dtype}, expected real numbers")
    if array.ndim not in (1, 2) or array.size == 0 or array.shape[0] != array.shape[-1]:
        raise ValueError(f"compatibility has shape {array.shape}, expected (L,) or (L, L)")
    if not (np.abs(array.astype(np.float64)) <= 1e15).all():
        raise ValueError("compatibility holds values that are NaN, infinite or beyond 1e15")
    if array.ndim == 1:
        return np.ascontiguousarray(array, np.float32), None
    if not np.array_equal(array, array.T):
        raise ValueError(
            "compatibility is not symmetric: it is the cost of a pair of labels, in either order"
        )
    return None, np.ascontiguousarray(array, np.float32)


def check_labels(compatibility: Compatibility, n_labels: int) -> None:
    for array in compatibility:
        if array is not None and len(array) != n_labels:
            raise ValueError(
                f"compatibility is for {len(array)} labels, but the unary has {n_labels} "
                f"(its last axis)"
            )

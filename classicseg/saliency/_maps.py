"""What is measured: maps in [0, 1], alone and with masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_mask

__all__ = ["EPSILON", "Mask", "Values", "map_and_mask", "map_of"]

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

EPSILON = float(np.finfo(np.float64).eps)


def map_of(saliency: ArrayLike, name: str = "saliency") -> Values:
    """Check a map."""
    values = as_image(saliency, name=name)
    if values.shape[2] != 1:
        raise ValueError(f"{name} has shape {values.shape}, expected (H, W)")
    return values[..., 0].astype(np.float64) / 255


def map_and_mask(saliency: ArrayLike, mask: ArrayLike, name: str) -> tuple[Values, Mask]:
    """Check a map and a mask of its shape."""
    found = map_of(saliency)
    return found, as_mask(mask, name, found.shape)

"""The door of this module: regions, and images or volumes of any number of channels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import as_image, as_labels

__all__ = ["as_regions", "as_samples"]

# Labels index tables of their size: a larger one is a mistake, not a region.
_LARGEST = 2**28


def as_regions(labels: ArrayLike, name: str = "labels") -> NDArray[np.int32]:
    """Check regions: (H, W) or (D, H, W) whole numbers from 0, or -1 for pixels of no region."""
    array = as_array(labels, name)
    if array.ndim not in (2, 3):
        raise ValueError(f"{name} has shape {array.shape}, expected (H, W) or (D, H, W)")
    if array.dtype.kind == "i" and array.size and int(array.min()) == -1:
        regions = as_labels(np.maximum(array, 0), name, array.shape)
        regions[array == -1] = -1
    else:
        regions = as_labels(array, name, array.shape)
    high = int(regions.max())
    if high >= _LARGEST:
        raise ValueError(f"{name} holds the value {high}, expected labels under {_LARGEST}")
    if high < 0:
        raise ValueError(f"{name} holds only -1: there is no region")
    return regions


def as_samples(
    image: ArrayLike,
    shape: tuple[int, ...],
    *,
    name: str = "image",
    data_range: tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """Check an image or volume of a given shape, and convert it to `shape` + (C,) in 0..255."""
    array: NDArray[Any] = as_array(image, name)
    if array.shape != shape and array.shape[:-1] != shape:
        raise ValueError(
            f"{name} has shape {array.shape}, expected {shape} or {shape} and a channel axis"
        )
    samples = as_image(array.reshape(-1, 1), name=name, data_range=data_range)
    return samples.reshape(*shape, -1)

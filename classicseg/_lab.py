"""CIELAB of RGB: the one conversion of the package, by the superpixels' kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._kernels import ext

__all__ = ["LAB_BEYOND", "LAB_SCALE", "lab", "lab_planes"]

# What stands for a unit (lab.hpp), and how many numbers beyond the last the kernels may read.
LAB_SCALE = 256
LAB_BEYOND = 16


def lab_planes(rgb: NDArray[Any], n_threads: int = 1) -> NDArray[np.int16]:
    """Planes of L, a and b, one after the other, as whole numbers of 1 / `LAB_SCALE`.

    `rgb` is (..., 3), uint8 or float32 in 0..255. `LAB_BEYOND` zeros follow.
    """
    planes = np.empty(rgb.size + LAB_BEYOND, np.int16)
    planes[rgb.size :] = 0
    pixels = np.ascontiguousarray(rgb).reshape(-1, 3)
    convert = ext.lab_bytes if pixels.dtype == np.uint8 else ext.lab_floats
    convert(pixels, planes, n_threads)
    return planes


def lab(rgb: NDArray[Any], n_threads: int = 1) -> NDArray[np.float32]:
    """CIELAB (D65, L in 0..100) of (..., 3) uint8 or float32 in 0..255, within 0.01."""
    planes = lab_planes(rgb, n_threads)[: rgb.size].reshape(3, -1)
    values: NDArray[np.float32] = np.multiply(planes.T, np.float32(1 / LAB_SCALE), order="C")
    return values.reshape(rgb.shape)

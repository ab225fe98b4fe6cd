"""What the methods share: the size they work at, Lab colours, maps on the scale 0..1."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_uint8_image, check_threads
from classicseg._kernels import ext

Map = NDArray[np.float32]
Colors = NDArray[np.float32]


def shrunk(
    image: ArrayLike, side: int, n_threads: int | None = None, name: str = "image"
) -> Colors:
    """Check an image and make it RGB in 0..255, no side longer than `side` pixels.

    Areas are averaged. Of a large 8-bit image nothing larger than the result is made.
    """
    threads = check_threads(n_threads)
    pixels: NDArray[np.uint8] | Colors
    if getattr(image, "dtype", None) == np.uint8:
        pixels = as_uint8_image(image, name=name)
    else:
        pixels = as_image(image, name=name)
        if pixels.shape[2] == 1:
            pixels = np.repeat(pixels, 3, axis=2)
    height, width = pixels.shape[:2]
    if max(height, width) <= side:
        return pixels.astype(np.float32, copy=False)
    scale = side / max(height, width)
    shape = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = np.empty((*shape, 3), np.float32)
    shrink = ext.shrink_uint8 if pixels.dtype == np.uint8 else ext.shrink_float32
    shrink(pixels, small, threads)
    return small


def enlarged(values: Map, image: ArrayLike, n_threads: int | None = None) -> Map:
    """A map at the size of the image it belongs to, bilinearly."""
    height, width = np.shape(image)[:2]
    if values.shape == (height, width):
        return values
    large = np.empty((height, width), np.float32)
    ext.enlarge(np.ascontiguousarray(values, np.float32), large, check_threads(n_threads))
    return large


def stretched(values: NDArray[np.floating], least: float = 1e-6) -> Map:
    """Move to [0, 1], the lowest value at 0, the highest at 1; all 0 if they differ by `least`."""
    low, high = values.min(), values.max()
    if not high - low > least:
        return np.zeros(values.shape, np.float32)
    found: Map = ((values - low) / (high - low)).astype(np.float32)
    return found

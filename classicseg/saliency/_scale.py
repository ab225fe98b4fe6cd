"""What the methods share: the size they work at, Lab colours, maps on the scale 0..1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, check_threads, image_array
from classicseg._kernels import ext

Map = NDArray[np.float32]
Colors = NDArray[np.float32]
Kernels = dict[np.dtype[Any], Callable[[NDArray[Any], NDArray[np.float32], int], bool]]

# Which the kernels read as they are, without a copy.
_GREY: Kernels = {
    np.dtype(np.uint8): ext.grey_uint8,
    np.dtype(np.float32): ext.grey_float32,
    np.dtype(np.float64): ext.grey_float64,
}
_SHRINK: Kernels = {
    np.dtype(np.uint8): ext.shrink_uint8,
    np.dtype(np.float32): ext.shrink_float32,
    np.dtype(np.float64): ext.shrink_float64,
}
# To ask how many cores there are takes longer than to shrink and enlarge an image of this size.
_ONE_THREAD = 1_000_000


def shrunk(
    image: ArrayLike, side: int, n_threads: int | None = None, name: str = "image"
) -> Colors:
    """Check an image and make it RGB in 0..255, no side longer than `side` pixels.

    Areas are averaged. Of a large image of 8 bits, float32 or float64 nothing larger than the
    result is made.
    """
    pixels = image_array(image, name)
    threads = threads_for(pixels, n_threads)
    shape = _within(pixels.shape, side)
    if shape == pixels.shape[:2]:
        small = as_image(pixels, name=name)
    elif pixels.shape[2] == 1:
        small = _averaged(_GREY, pixels, shape, name, threads)[..., np.newaxis]
    else:
        small = _averaged(_SHRINK, pixels, (*shape, 3), name, threads)
    return small if small.shape[2] == 3 else np.repeat(small, 3, axis=2)


def shrunk_grey(image: ArrayLike, side: int, n_threads: int | None = None) -> Map:
    """Check an image and make it (H, W), the mean of red, green and blue in 0..255, in that way."""
    pixels = image_array(image, "image")
    threads = threads_for(pixels, n_threads)
    return _averaged(_GREY, pixels, _within(pixels.shape, side), "image", threads)


def threads_for(pixels: NDArray[Any], n_threads: int | None) -> int:
    """How many threads to shrink or enlarge an image with."""
    return 1 if n_threads is None and pixels.size < _ONE_THREAD else check_threads(n_threads)


def _within(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    height, width = shape[:2]
    if max(height, width) <= side:
        return height, width
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _averaged(
    kernels: Kernels, pixels: NDArray[Any], shape: tuple[int, ...], name: str, threads: int
) -> NDArray[np.float32]:
    small = np.empty(shape, np.float32)
    if pixels.dtype == np.uint8:
        kernels[pixels.dtype](np.ascontiguousarray(pixels), small, threads)
        return small
    if pixels.dtype.kind == "f":
        kind = np.dtype(np.float32 if pixels.dtype.itemsize <= 4 else np.float64)
        with np.errstate(over="ignore"):
            floats = np.ascontiguousarray(pixels, kind)
        if kernels[kind](floats, small, threads):
            small *= 255
            return small
    # 16 bits, or floats that rounding moved out of [0, 1], or an error.
    kernels[np.dtype(np.float32)](as_image(pixels, name=name), small, threads)
    return small


def enlarged(values: Map, image: ArrayLike, n_threads: int | None = None) -> Map:
    """A map at the size of the image it belongs to, bilinearly."""
    height, width = np.shape(image)[:2]
    if values.shape == (height, width):
        return values
    large = np.empty((height, width), np.float32)
    ext.enlarge(np.ascontiguousarray(values, np.float32), large, threads_for(large, n_threads))
    return large


def stretched(values: NDArray[np.floating], least: float = 1e-6) -> Map:
    """Move to [0, 1], the lowest value at 0, the highest at 1; all 0 if they differ by `least`."""
    low, high = values.min(), values.max()
    if not high - low > least:
        return np.zeros(values.shape, np.float32)
    found: Map = ((values - low) / (high - low)).astype(np.float32)
    return found

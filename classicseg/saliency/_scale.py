"""What the methods share: the size they work at, Lab colours, maps on the scale 0..1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, check_threads, image_array
from classicseg._kernels import ext

Map = NDArray[np.float32]
Colors = NDArray[np.float32]

_READ_AS_IS = tuple(np.dtype(kind) for kind in ("uint8", "float32", "float64"))


def shrunk(
    image: ArrayLike, side: int, n_threads: int | None = None, name: str = "image"
) -> Colors:
    """Check an image and make it RGB in 0..255, no side longer than `side` pixels.

    Areas are averaged. Of a large image nothing larger than the result is made, but where it is of
    another type than 8 bits, float32 and float64.
    """
    threads = check_threads(n_threads)
    pixels = image_array(image, name)
    shape = _within(pixels.shape, side)
    if shape == pixels.shape[:2]:
        small = as_image(pixels, name=name)
    elif pixels.shape[2] == 1:
        small = _averaged("grey", pixels, shape, name, threads)[..., np.newaxis]
    else:
        small = _averaged("shrink", pixels, (*shape, 3), name, threads)
    return small if small.shape[2] == 3 else np.repeat(small, 3, axis=2)


def shrunk_grey(image: ArrayLike, side: int, n_threads: int | None = None) -> Map:
    """Check an image and make it (H, W), the mean of red, green and blue in 0..255, in that way."""
    threads = check_threads(n_threads)
    pixels = image_array(image, "image")
    return _averaged("grey", pixels, _within(pixels.shape, side), "image", threads)


def _within(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    height, width = shape[:2]
    if max(height, width) <= side:
        return height, width
    scale = side / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _averaged(
    kernel: str, pixels: NDArray[Any], shape: tuple[int, ...], name: str, threads: int
) -> NDArray[np.float32]:
    small = np.empty(shape, np.float32)
    if pixels.dtype in _READ_AS_IS:
        shrink = getattr(ext, f"{kernel}_{pixels.dtype.name}")
        unit = shrink(np.ascontiguousarray(pixels), small, threads)
        if pixels.dtype == np.uint8:
            return small
        if unit:
            small *= 255
            return small
    # What is of another type, or not in [0, 1]: rounded away from it, or an error.
    getattr(ext, f"{kernel}_float32")(as_image(pixels, name=name), small, threads)
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

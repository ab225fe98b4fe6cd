"""The door: what a caller gave becomes what a kernel can trust, or a clear error.

Every public function passes its arrays through here once. The results are C-contiguous, in native
byte order and of one dtype. They may share memory with the caller's array where that already has
this form, so they are to be read, never written to.

What is no array of the right kind of numbers raises TypeError, a wrong shape or value ValueError;
the message names the argument, what came and what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array, in_order, parts_of
from classicseg._settings import (
    check_threads,
    finite,
    non_negative,
    positive,
    positive_int,
    void_label,
    whole,
)

__all__ = [
    "as_image",
    "as_labels",
    "as_mask",
    "as_probabilities",
    "as_rect",
    "as_scores",
    "as_seeds",
    "as_trimap",
    "as_uint8_image",
    "as_unary",
    "check_threads",
    "finite",
    "image_array",
    "non_negative",
    "positive",
    "positive_int",
    "void_label",
    "whole",
]

# Floats that a resize or a colour conversion pushed out of [0, 1] by rounding alone.
_ROUNDING = 1e-5
# How far from 1 the probabilities of a pixel may sum: float16 rounds within 5e-4.
SUM_TOLERANCE = 1e-3
_INT32_MAX = np.iinfo(np.int32).max


def as_image(
    image: ArrayLike,
    *,
    name: str = "image",
    data_range: tuple[float, float] | None = None,
    dimensions: int = 2,
) -> NDArray[np.float32]:
    """Check an image and convert it to the one colour scale of all kernels: (H, W, C) in 0..255.

    Takes (H, W), (H, W, 1) and (H, W, 3), and with 3 `dimensions` volumes, (D, H, W[, 1 or 3]),
    which become (D, H, W, C). C is 1 or 3, the result always a new array. uint8 is taken as is,
    uint16 is divided by 257, floats in [0, 1] are multiplied by 255. Every other kind of data needs
    `data_range`, the values that stand for black and white, between which it must lie.

    >>> as_image(np.full((2, 3), 0.5))[:, :, 0].tolist()
    [[127.5, 127.5, 127.5], [127.5, 127.5, 127.5]]
    """
    pixels = image_array(image, name) if dimensions == 2 else _volume_array(image, name)
    kind = pixels.dtype
    if data_range is None:
        if kind == np.uint8:
            return pixels.astype(np.float32, order="C")
        if kind == np.uint16:
            return _times(pixels, 1 / 257)
        if kind.kind != "f":
            hint = " (for a mask, multiply by 255 as uint8)" if kind.kind == "b" else ""
            raise TypeError(
                f"{name} has dtype {kind}, which has no natural range: expected uint8, uint16 or "
                f"floats in [0, 1]; pass data_range=(lo, hi) to say which values are black and "
                f"white{hint}"
            )
        lo, hi = 0.0, 1.0
    else:
        lo, hi = _as_data_range(data_range)

    low, high = _finite_extremes(pixels, name)
    slack = _ROUNDING * (hi - lo)
    if low < lo - slack or high > hi + slack:
        if data_range is None:
            hint = "pass data_range=(lo, hi) to say which values are black and white"
            if low >= 0 and 1 < high <= 255:
                hint = "for values in 0..255 pass data_range=(0, 255) or convert to uint8"
            raise ValueError(f"{name} holds floats in [{low:g}, {high:g}], expected [0, 1]; {hint}")
        raise ValueError(
            f"{name} holds values in [{low:g}, {high:g}], outside data_range=({lo:g}, {hi:g}); "
            f"clip it first if that is meant"
        )
    if lo == 0.0 and (kind.kind != "f" or kind.itemsize <= 4):
        scaled = _times(pixels, 255 / hi)
    else:
        # In double precision, because lo may be large beside hi - lo.
        wide = np.subtract(pixels, lo, dtype=np.float64, order="C")
        wide *= 255 / (hi - lo)
        scaled = wide.astype(np.float32)
    if low < lo or high > hi or hi != 1.0:
        np.clip(scaled, 0, 255, out=scaled)
    return scaled


def as_uint8_image(
    image: ArrayLike, *, name: str = "image", data_range: tuple[float, float] | None = None
) -> NDArray[np.uint8]:
    """Check an image as `as_image` does and convert it to 8-bit RGB, grey in all three channels."""
    pixels = image_array(image, name)
    if pixels.dtype == np.uint8 and data_range is None:
        eight_bit = pixels
    else:
        eight_bit = np.rint(as_image(image, name=name, data_range=data_range)).astype(np.uint8)
    if eight_bit.shape[2] == 1:
        eight_bit = np.repeat(eight_bit, 3, axis=2)
    return np.ascontiguousarray(eight_bit)


def as_labels(
    labels: ArrayLike, name: str = "labels", shape: tuple[int, ...] | None = None
) -> NDArray[np.int32]:
    """Check labels: (H, W) or `shape`, whole numbers from 0, of any integer type or bool."""
    array = _integers(labels, name, shape, what="labels", allow_bool=True)
    if array.dtype.kind == "i" and (low := int(array.min())) < 0:
        raise ValueError(f"{name} holds the value {low}, expected labels from 0 (void is 255)")
    if array.dtype.itemsize >= 4 and (high := int(array.max())) > _INT32_MAX:
        raise ValueError(f"{name} holds the value {high}, expected labels up to {_INT32_MAX}")
    return np.ascontiguousarray(array, dtype=np.int32)


def as_mask(
    mask: ArrayLike, name: str = "mask", shape: tuple[int, ...] | None = None
) -> NDArray[np.bool_]:
    """Check a mask: (H, W) or `shape`, bool, or integers that are 0 and 1 or 0 and 255."""
    array = _shaped(mask, name, shape, what="a mask")
    if array.dtype.kind == "b":
        return np.ascontiguousarray(array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}, expected bool (e.g. {name} > 0.5)")
    high = int(array.max())
    if int(array.min()) < 0 or high not in (0, 1, 255) or np.any((array != 0) & (array != high)):
        raise ValueError(
            f"{name} holds {_some_values(array)}, expected bool, or the values 0 and 1, or 0 and "
            f"255; compare it with the value that is meant (e.g. {name} == 1)"
        )
    return np.ascontiguousarray(array != 0)


def as_scores(
    value: ArrayLike, name: str, shape: tuple[int, ...] | None, *, what: str
) -> NDArray[np.float32]:
    """Check the shape and type of scores, (H, W, L) or `shape` + (L,), not their values."""
    array = _array(value, name, what)
    if array.dtype.kind == "b":
        raise TypeError(f"{name} has dtype bool, expected real numbers for {what}")
    if shape is None and array.ndim != 3:
        raise ValueError(f"{name} has shape {array.shape}, expected (H, W, L) for {what}")
    if shape is not None and (array.ndim != len(shape) + 1 or array.shape[:-1] != tuple(shape)):
        raise ValueError(
            f"{name} has shape {array.shape}, expected {tuple(shape)} and the labels after it for "
            f"{what}"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")
    return in_order(array)


def as_probabilities(
    probabilities: ArrayLike, name: str = "probabilities", shape: tuple[int, ...] | None = None
) -> NDArray[np.float32]:
    """Check probabilities, (H, W, L) or `shape` + (L,), and make each pixel's sum exactly one.

    They are real, not negative, and sum to 1 within 0.001. The result is a new array.

    >>> as_probabilities(np.full((1, 1, 2), 0.5)).tolist()
    [[[0.5, 0.5]]]
    """
    array = as_scores(probabilities, name, shape, what="probabilities")
    low, _ = _finite_extremes(array, name)
    if low < 0:
        raise ValueError(
            f"{name} holds the value {low:g}, expected probabilities from 0; scores before the "
            f"softmax go through classicseg.unary.from_scores"
        )
    with np.errstate(over="ignore"):
        sums = (array @ np.ones(array.shape[-1], np.float32))[..., np.newaxis]  # faster than sum
    error = np.abs(sums - 1)
    if not error.max() <= SUM_TOLERANCE:  # NaN too: a sum may overflow
        where = np.unravel_index(int(error.argmax()), error.shape)[:-1]
        at = ", ".join(map(str, where))
        raise ValueError(
            f"{name} sums to {float(sums[where][0]):g} over the last axis at pixel ({at}), "
            f"expected 1; the shape is {array.shape}, with the labels on the last axis"
        )
    normalised = np.empty_like(array)
    for part in parts_of(array):
        np.divide(array[part], sums[part], out=normalised[part])
    return normalised


def as_unary(
    unary: ArrayLike, name: str = "unary", shape: tuple[int, ...] | None = None
) -> NDArray[np.float32]:
    """Check energies, (H, W, L) or `shape` + (L,): finite in float32; lower is better."""
    array = as_scores(unary, name, shape, what="energies")
    low, high = float(array.min()), float(array.max())
    if math.isinf(low) or math.isinf(high):
        raise ValueError(
            f"{name} holds infinite energies; for a label that is ruled out use a large number, "
            f"or classicseg.unary.from_probabilities, which clips"
        )
    if math.isnan(low) or math.isnan(high):
        _finite_extremes(array, name)  # says where
    return array


def as_rect(
    rect: Sequence[float] | NDArray[Any], shape: Sequence[int], name: str = "rect"
) -> tuple[int, int, int, int]:
    """Check a rectangle (x, y, width, height), as OpenCV's, and clip it to an image's shape.

    >>> as_rect((-5, 2, 20, 3), (10, 10))
    (0, 2, 10, 3)
    """
    try:
        values = list(rect)
    except TypeError:
        raise TypeError(f"{name} is {rect!r}, expected (x, y, width, height)") from None
    if len(values) != 4 or isinstance(rect, str | bytes):
        raise ValueError(f"{name} is {rect!r}, expected four numbers (x, y, width, height)")
    x, y, width, height = (whole(value, f"{name} (x, y, width, height)") for value in values)
    if width <= 0 or height <= 0:
        raise ValueError(f"{name} has width {width} and height {height}, expected at least 1")
    rows, columns = int(shape[0]), int(shape[1])
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, columns), min(y + height, rows)
    if left >= right or top >= bottom:
        raise ValueError(
            f"{name} = (x={x}, y={y}, width={width}, height={height}) lies outside the image, "
            f"which is {columns} wide and {rows} high"
        )
    return left, top, right - left, bottom - top


def as_trimap(
    trimap: ArrayLike, shape: tuple[int, ...] | None = None, name: str = "trimap"
) -> NDArray[np.uint8]:
    """Check a trimap: 0 background, 1 foreground, 2 probably background, 3 probably foreground."""
    names = "0 background, 1 foreground, 2 probably background, 3 probably foreground"
    return _codes(trimap, name, shape, 3, names)


def as_seeds(
    seeds: ArrayLike, shape: tuple[int, ...] | None = None, name: str = "seeds"
) -> NDArray[np.uint8]:
    """Check scribbles: 0 unmarked, 1 background, 2 foreground."""
    return _codes(seeds, name, shape, 2, "0 unmarked, 1 background, 2 foreground")


def _times(pixels: NDArray[Any], factor: float) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = np.multiply(
        pixels, np.float32(factor), dtype=np.float32, order="C"
    )
    return scaled


def _as_data_range(data_range: tuple[float, float]) -> tuple[float, float]:
    try:
        lo, hi = data_range
    except (TypeError, ValueError):
        raise TypeError(f"data_range is {data_range!r}, expected (lo, hi)") from None
    lo, hi = finite(lo, "data_range"), finite(hi, "data_range")
    if not lo < hi or math.isinf(hi - lo):
        raise ValueError(f"data_range is ({lo:g}, {hi:g}), expected lo below hi")
    return lo, hi


def _array(value: ArrayLike, name: str, what: str) -> NDArray[Any]:
    """One array of real numbers or bools, in any layout."""
    if isinstance(value, list | tuple):
        raise TypeError(
            f"{name} is a {type(value).__name__}, expected one array for {what} (numpy.asarray "
            f"makes one; a batch is given one at a time)"
        )
    array = as_array(value, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} is {type(value).__name__} with dtype {array.dtype}, expected an array of real "
            f"numbers for {what}"
        )
    return array


def image_array(image: ArrayLike, name: str) -> NDArray[Any]:
    """Check that an array has the shape of an image and make it (H, W, C), its values unchecked."""
    array = _array(image, name, "an image")
    shape = array.shape
    expected = "expected (H, W) grey or (H, W, 3) RGB"
    if array.ndim not in (2, 3):
        hint = "; give the images of a batch one at a time" if array.ndim == 4 else ""
        raise ValueError(f"{name} has shape {shape}, {expected}{hint}")
    if array.ndim == 3 and shape[2] not in (1, 3):
        if shape[0] in (1, 3, 4) and shape[2] != 4:
            hint = f"the channels come first: use numpy.moveaxis({name}, 0, -1)"
        elif shape[2] == 4:
            hint = f"drop the alpha channel with {name}[..., :3]"
        elif shape[2] == 2:
            hint = f"drop the alpha channel with {name}[..., 0]"
        else:
            hint = f"{shape[2]} channels are not a colour image"
        raise ValueError(f"{name} has shape {shape}, {expected}; {hint}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {shape}, {expected}")
    return array if array.ndim == 3 else array[:, :, np.newaxis]


def _volume_array(volume: ArrayLike, name: str) -> NDArray[Any]:
    array = _array(volume, name, "a volume")
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] not in (1, 3)):
        raise ValueError(
            f"{name} has shape {array.shape}, expected (D, H, W) grey or (D, H, W, 3) RGB"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")
    return array if array.ndim == 4 else array[..., np.newaxis]


def _shaped(
    value: ArrayLike, name: str, shape: tuple[int, ...] | None, *, what: str
) -> NDArray[Any]:
    array = _array(value, name, what)
    if shape is None and array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, expected (H, W) for {what}")
    if shape is not None and array.shape != tuple(shape):
        raise ValueError(f"{name} has shape {array.shape}, expected {tuple(shape)} for {what}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")
    return array


def _integers(
    value: ArrayLike,
    name: str,
    shape: tuple[int, ...] | None,
    *,
    what: str,
    allow_bool: bool = False,
) -> NDArray[Any]:
    array = _shaped(value, name, shape, what=what)
    if array.dtype.kind not in ("biu" if allow_bool else "iu"):
        raise TypeError(f"{name} has dtype {array.dtype}, expected integers for {what}")
    return array


def _codes(
    value: ArrayLike, name: str, shape: tuple[int, ...] | None, largest: int, meaning: str
) -> NDArray[np.uint8]:
    array = _integers(value, name, shape, what=meaning)
    if int(array.min()) < 0 or int(array.max()) > largest:
        raise ValueError(f"{name} holds {_some_values(array)}, expected {meaning}")
    return np.ascontiguousarray(array, dtype=np.uint8)


def _finite_extremes(array: NDArray[Any], name: str) -> tuple[float, float]:
    low, high = float(array.min()), float(array.max())
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    bad = ~np.isfinite(array)
    where = ", ".join(map(str, np.unravel_index(int(bad.argmax()), array.shape)))
    raise ValueError(
        f"{name} holds {int(bad.sum())} values that are NaN or infinite, the first at ({where})"
    )


def _some_values(array: NDArray[Any]) -> str:
    values = np.unique(array)
    shown = ", ".join(map(str, values[:6].tolist()))
    return f"the values {shown}" + (f" and {len(values) - 6} more" if len(values) > 6 else "")

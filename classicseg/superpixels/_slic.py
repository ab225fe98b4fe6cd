"""SLIC superpixels of images and volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import (
    as_image,
    as_mask,
    check_threads,
    finite,
    non_negative,
    positive,
    positive_int,
)
from classicseg._kernels import ext
from classicseg._lab import LAB_BEYOND, LAB_SCALE, lab_planes
from classicseg._memory import expect_memory
from classicseg._settings import one_of

__all__ = ["slic"]

_LARGEST = 2**30
_METHODS = ("refined", "slic", "slico")


def slic(
    image: ArrayLike,
    n_segments: int = 250,
    compactness: float = 10.0,
    n_iterations: int = 10,
    *,
    method: str = "refined",
    mask: ArrayLike | None = None,
    spacing: Sequence[float] | None = None,
    channel_axis: int | None = -1,
    data_range: tuple[float, float] | None = None,
    n_threads: int | None = None,
) -> NDArray[np.int32]:
    """Divide an image into connected regions of similar colour and size.

    Pixels are clustered by colour and position: D^2 = dLab^2 + (compactness / S)^2 dxy^2, with S
    the side of a square of the mean region's area. What is not connected is taken apart, and
    regions that touch are merged, where that raises the sum of D^2 least, until `n_segments` are
    left.

    Parameters
    ----------
    image : (H, W), (H, W, C), (D, H, W) or (D, H, W, C) array
        Three channels are RGB and become CIELAB, L in 0..100; others count from 0 to 100 each.
    n_segments : int
        How many regions, at most one for each pixel. Default 250. Exactly so many come back unless
        fewer pieces than that were found (a constant image of awkward shape) or the mask falls
        into more pieces.
    compactness : float
        Weight of position against colour: larger is squarer. Default 10, the paper's.
    n_iterations : int
        Default 10, the paper's.
    method : "refined", "slic" or "slico"
        "refined", the default, starts from half as many clusters again, looks at an eighth, then
        a quarter of the rows in every iteration but the last, merges, and then moves single pixels
        across boundaries where that lowers D^2 and the boundary's length and keeps both sides
        connected.
        "slic" is the paper's formula alone. "slico" finds a compactness for each cluster.
    mask : (H, W) or (D, H, W) bool array, optional
        Pixels outside (False) belong to no region: -1.
    spacing : sequence of 2 or 3 floats, optional
        Size of a pixel along each axis. Default 1.
    channel_axis : int or None
        Where the channels are, -1 by default; None for none, as in a volume (D, H, W). An array of
        two axes never has any.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    (H, W) or (D, H, W) int32 array
        Labels 0..K-1, all of them used, each region connected along faces.

    Raises
    ------
    ValueError, TypeError
        For an unusable image or mask, numbers out of range, another method.

    References
    ----------
    R. Achanta, A. Shaji, K. Smith, A. Lucchi, P. Fua, S. Süsstrunk: SLIC superpixels compared to
    state-of-the-art superpixel methods. PAMI 2012. doi:10.1109/TPAMI.2012.120
    J. Yao, M. Boben, S. Fidler, R. Urtasun: Real-time coarse-to-fine topologically preserving
    segmentation. CVPR 2015. doi:10.1109/CVPR.2015.7298913

    Examples
    --------
    >>> image = np.zeros((4, 6), np.uint8)
    >>> image[:, 3:] = 255
    >>> slic(image, 2)[0].tolist()
    [0, 0, 0, 1, 1, 1]
    """
    n_segments = positive_int(n_segments, "n_segments")
    n_iterations = positive_int(n_iterations, "n_iterations", 10_000)
    if non_negative(compactness, "compactness") > 1e6:
        raise ValueError(f"compactness is {compactness}, expected at most 1e6")
    one_of(method, _METHODS, "method")
    threads = check_threads(n_threads)
    pixels = _channels_last(image, channel_axis)
    shape = pixels.shape[:-1]
    steps = _as_spacing(spacing, len(shape))
    inside: list[NDArray[np.uint8]] = []
    volume = shape if len(shape) == 3 else (1, *shape)
    if mask is not None:
        chosen = as_mask(mask, "mask", shape)
        if not chosen.any():
            raise ValueError("mask is False everywhere, expected some pixels inside")
        inside = [chosen.view(np.uint8).reshape(volume)]
    # Samples of 16 bits, labels, and what becomes of them.
    expect_memory((2 * pixels.shape[-1] + 40) * math.prod(volume), f"SLIC of shape {volume}")
    if math.prod(volume) >= _LARGEST:
        raise ValueError(f"image has shape {np.shape(image)}, expected under 2**30 pixels")
    planes = _planes(pixels, data_range, threads)
    if inside:  # seeds look at their neighbours' colours
        planes[:-LAB_BEYOND].reshape(pixels.shape[-1], -1)[:, inside[0].ravel() == 0] = 0
    labels = np.empty(volume, np.int32)
    ext.slic(
        planes,
        pixels.shape[-1],
        inside,
        labels,
        min(n_segments, labels.size),
        n_iterations,
        float(compactness) * LAB_SCALE,
        *steps,
        method == "slico",
        method == "refined",
        threads,
    )
    return labels.reshape(shape)


def _channels_last(image: ArrayLike, channel_axis: int | None) -> NDArray[Any]:
    array = as_array(image, "image")
    expected = "expected (H, W), (H, W, C), (D, H, W) with channel_axis=None, or (D, H, W, C)"
    if not 2 <= array.ndim <= 4:
        raise ValueError(f"image has shape {array.shape}, {expected}")
    if channel_axis is None or array.ndim == 2:
        array = array[..., np.newaxis]
    else:
        if isinstance(channel_axis, bool) or not isinstance(channel_axis, int | np.integer):
            raise TypeError(f"channel_axis is {channel_axis!r}, expected a whole number or None")
        if not -array.ndim <= channel_axis < array.ndim:
            raise ValueError(
                f"channel_axis is {channel_axis}, but image has shape {np.shape(image)}"
            )
        array = np.moveaxis(array, channel_axis, -1)
    if array.ndim not in (3, 4):
        raise ValueError(f"image has shape {np.shape(image)}, {expected}")
    if array.size == 0:
        raise ValueError(f"image is empty: its shape is {np.shape(image)}, {expected}")
    return array


def _as_spacing(spacing: Sequence[float] | None, axes: int) -> tuple[float, float, float]:
    if spacing is None:
        return 1.0, 1.0, 1.0
    try:
        values = [finite(float(value), "spacing") for value in spacing]
    except (TypeError, ValueError):
        raise TypeError(f"spacing is {spacing!r}, expected {axes} numbers") from None
    if len(values) != axes:
        raise ValueError(f"spacing has {len(values)} numbers, expected {axes}, one for each axis")
    values = [positive(value, "spacing") for value in values]
    if max(values) > 1e4 * min(values):
        raise ValueError(f"spacing is {spacing!r}, expected axes within a factor of 10000")
    scale = min(values)  # only ratios matter
    z, y, x = [1.0] * (3 - axes) + [value / scale for value in values]
    return z, y, x


def _planes(
    pixels: NDArray[Any], data_range: tuple[float, float] | None, n_threads: int
) -> NDArray[np.int16]:
    """One plane of whole numbers for each channel, one after the other."""
    n_channels = pixels.shape[-1]
    if n_channels == 3 and pixels.dtype == np.uint8 and data_range is None:
        return lab_planes(pixels, n_threads)
    values = as_image(pixels.reshape(-1, 1), data_range=data_range).reshape(-1, n_channels)
    if n_channels == 3:
        return lab_planes(values, n_threads)
    values *= LAB_SCALE * 100 / 255
    planes = np.empty(values.size + LAB_BEYOND, np.int16)
    planes[values.size :] = 0
    planes[:-LAB_BEYOND].reshape(n_channels, -1)[:] = np.rint(values, out=values).T
    return planes

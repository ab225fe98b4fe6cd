"""Contrast-sensitive weights between neighbouring pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, check_threads, non_negative
from classicseg._kernels import ext
from classicseg._offsets import Offset
from classicseg._settings import one_of, spacing_of
from classicseg.graphcut._neighbours import forward

__all__ = ["contrast_of", "contrast_weights", "cut_cost"]

# Of gamma and beta: weights and exponents stay within float32.
_STRONGEST = 1e30

Weights = dict[Offset, NDArray[np.float32]]


def contrast_weights(
    image: ArrayLike,
    gamma: float = 50.0,
    beta: float | None = None,
    connectivity: int = 8,
    *,
    spacing: float | Sequence[float] | None = None,
    data_range: tuple[float, float] | None = None,
    n_threads: int | None = None,
) -> Weights:
    """Weights of neighbouring pixels that are small across edges of the image or volume.

    ``gamma / distance * exp(-beta * |z_p - z_q|^2)``, with the distance between the pixels: in an
    image 1 or sqrt 2, unless `spacing` says otherwise.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array; a volume is (D, H, W) or (D, H, W, 3)
        Colours count in 0..255 units whatever the dtype.
    gamma : float
        Strength, non-negative. Default 50, the paper's value.
    beta : float, optional
        Contrast scale, non-negative, in 1 / colour units squared. Default: 1 / (2 <|z_p - z_q|^2>),
        the mean over all pairs of neighbours, or 0 for a constant image.
    connectivity : 4 or 8, for a volume 6 or 26
        Neighbours of a pixel; it tells volumes from images. Default 8.
    spacing : float or sequence of one for each axis, optional
        Distances between neighbours along the axes, as in a scan whose slices are further apart
        than its pixels. Default 1.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    dict of (dy, dx) to (H, W) float32, for a volume of (dz, dy, dx) to (D, H, W) float32
        Entry ``[y, x]`` belongs to the pair (y, x), (y + dy, x + dx); 0 where that is outside. What
        `GridGraph.set_edges` takes.

    Raises
    ------
    ValueError, TypeError
        For an unusable image, negative or non-finite parameters, another connectivity.

    References
    ----------
    Y. Boykov, M.-P. Jolly: Interactive graph cuts for optimal boundary and region segmentation of
    objects in N-D images. ICCV 2001. doi:10.1109/ICCV.2001.937505
    C. Rother, V. Kolmogorov, A. Blake: "GrabCut". SIGGRAPH 2004. doi:10.1145/1015706.1015720

    Examples
    --------
    >>> image = np.array([[0, 0, 255]], np.uint8)
    >>> contrast_weights(image, gamma=1.0, connectivity=4)[0, 1].round(3)
    array([[1.   , 0.368, 0.   ]], dtype=float32)

    A volume whose slices are 5 times as far apart as its pixels:

    >>> volume = np.full((2, 1, 2), 100, np.uint8)
    >>> weights = contrast_weights(volume, gamma=1.0, connectivity=6, spacing=(5, 1, 1))
    >>> weights[1, 0, 0][0], weights[0, 0, 1][0]
    (array([[0.2, 0.2]], dtype=float32), array([[1., 0.]], dtype=float32))
    """
    one_of(connectivity, (4, 8, 6, 26), "connectivity")
    dimensions = 2 if connectivity in (4, 8) else 3
    check_contrast(gamma, beta)
    distances = spacing_of(spacing, dimensions)
    pixels = as_image(image, data_range=data_range, dimensions=dimensions)
    return contrast_of(pixels, gamma, beta, connectivity, check_threads(n_threads), distances)


def contrast_strength(value: float, name: str) -> float:
    """Check gamma or beta."""
    if non_negative(value, name) > _STRONGEST:
        raise ValueError(f"{name} is {value:g}, expected at most {_STRONGEST:g}")
    return float(value)


def check_contrast(gamma: float, beta: float | None) -> None:
    contrast_strength(gamma, "gamma")
    if beta is not None:
        contrast_strength(beta, "beta")


def contrast_of(
    pixels: NDArray[np.float32],
    gamma: float,
    beta: float | None,
    connectivity: int,
    n_threads: int,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> Weights:
    """`contrast_weights` of a checked image or volume, (..., C)."""
    shape = pixels.shape[:-1]
    offsets = forward(connectivity)
    volume = pixels if len(shape) == 3 else pixels[np.newaxis]
    steps = [offset if len(offset) == 3 else (0, *offset) for offset in offsets]
    if beta is None:
        n_pairs = sum(
            math.prod(n - abs(step) for n, step in zip(shape, offset, strict=True))
            for offset in offsets
        )
        total = ext.sum_squared_differences(volume, steps, n_threads)
        beta = n_pairs / (2 * total) if total > 0 else 0.0
    strengths = [
        gamma / math.hypot(*(step * unit for step, unit in zip(offset, spacing, strict=False)))
        for offset in offsets
    ]
    weights = {offset: np.empty(shape, np.float32) for offset in offsets}
    arrays = [array.reshape(volume.shape[:3]) for array in weights.values()]
    ext.contrast_weights(volume, steps, strengths, beta, arrays, n_threads)
    return weights


def cut_cost(weights: Weights, mask: NDArray[np.bool_], n_threads: int) -> float:
    """Sum of the weights of an image between foreground and background."""
    arrays = [weights.get(offset) for offset in forward(8)]
    return float(ext.cut_cost(arrays, mask.view(np.uint8), n_threads))

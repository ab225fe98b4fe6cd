"""Contrast-sensitive weights between neighbouring pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, check_threads, non_negative
from classicseg._kernels import ext
from classicseg.graphcut._neighbours import Offset

__all__ = ["contrast_of", "contrast_weights", "cut_cost"]

Weights = dict[Offset, NDArray[np.float32]]

# The order of the kernel: east, south-west, south, south-east.
OFFSETS: tuple[Offset, ...] = ((0, 1), (1, -1), (1, 0), (1, 1))


def check_connectivity(connectivity: int) -> None:
    if connectivity not in (4, 8):
        raise ValueError(f"connectivity is {connectivity!r}, expected 4 or 8")


def contrast_weights(
    image: ArrayLike,
    gamma: float = 50.0,
    beta: float | None = None,
    connectivity: int = 8,
    *,
    data_range: tuple[float, float] | None = None,
    n_threads: int | None = None,
) -> Weights:
    """Weights of neighbouring pixels that are small across edges of the image.

    ``gamma / distance * exp(-beta * |z_p - z_q|^2)``, with the distance 1 or sqrt 2.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        Colours count in 0..255 units whatever the dtype.
    gamma : float
        Strength, non-negative. Default 50, the paper's value.
    beta : float, optional
        Contrast scale, non-negative, in 1 / colour units squared. Default: 1 / (2 <|z_p - z_q|^2>),
        the mean over all pairs of neighbours, or 0 for a constant image.
    connectivity : 4 or 8
        Neighbours of a pixel. Default 8.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    dict of (dy, dx) to (H, W) float32
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
    """
    check_connectivity(connectivity)
    non_negative(gamma, "gamma")
    if beta is not None:
        non_negative(beta, "beta")
    pixels = as_image(image, data_range=data_range)
    return contrast_of(pixels, gamma, beta, connectivity, check_threads(n_threads))


def contrast_of(
    pixels: NDArray[np.float32], gamma: float, beta: float | None, connectivity: int, n_threads: int
) -> Weights:
    """`contrast_weights` of a checked image."""
    height, width = pixels.shape[:2]
    diagonals = connectivity == 8
    if beta is None:
        n_pairs = height * (width - 1) + (height - 1) * width
        n_pairs += 2 * (height - 1) * (width - 1) if diagonals else 0
        total = ext.sum_squared_differences(pixels, diagonals, n_threads)
        beta = n_pairs / (2 * total) if total > 0 else 0.0
    arrays = [
        np.empty((height, width), np.float32) if diagonals or 0 in offset else None
        for offset in OFFSETS
    ]
    ext.contrast_weights(pixels, gamma, beta, arrays, n_threads)
    return {o: a for o, a in zip(OFFSETS, arrays, strict=True) if a is not None}


def cut_cost(weights: Weights, mask: NDArray[np.bool_], n_threads: int) -> float:
    """Sum of the weights between foreground and background."""
    arrays = [weights.get(offset) for offset in OFFSETS]
    return float(ext.cut_cost(arrays, mask.view(np.uint8), n_threads))

"""The saliency map of Itti, Koch and Niebur."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from classicseg.saliency._features import ANGLES, Features, pyramid
from classicseg.saliency._scale import Map, enlarged, shrunk, stretched

# The paper's: images of 640 x 480, nine levels, centres 2..4, surrounds 3 or 4 levels coarser, all
# maps added up at level 4.
_SIDE = 640
_CENTRES, _STEPS, _LEVEL = (2, 3, 4), (3, 4), 4
_PEAK = 0.05  # local maxima below this share of the scale are noise
# What a feature's contrast has to reach to be one: levels of 255, shares of the intensity.
_NOISE = {"intensity": 0.5, "color": 0.02}


def itti_koch(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Where the eye goes: contrast of intensity, colour and orientation at several scales.

    Each feature is compared across the levels of a pyramid, centre against surround. A map with
    few strong peaks counts more than one with many alike; the three kinds of features count the
    same.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 640 pixels along the longer
        side, as in the paper, and its map has 40.
    n_threads : int, optional
        For large images, which have to be made smaller. The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    References
    ----------
    Itti, Koch & Niebur, A Model of Saliency-based Visual Attention for Rapid Scene Analysis, 1998,
    doi:10.1109/34.730558.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((200, 300))
    >>> image[50:80, 100:130] = 1
    >>> found = saliency.itti_koch(image)
    >>> bool(found[65, 115] > 0.5 > 0.1 > found[180, 280])
    True
    """
    levels = pyramid(shrunk(image, _SIDE, n_threads), max(_CENTRES) + max(_STEPS) + 1)
    intensity = _conspicuity(levels, lambda f: f.intensity, _NOISE["intensity"])
    colors = _conspicuity(levels, lambda f: f.red_green, _NOISE["color"])
    colors = colors + _conspicuity(levels, lambda f: f.blue_yellow, _NOISE["color"])
    orientations = np.zeros_like(intensity)
    for angle in range(len(ANGLES)):

        def oriented(f: Features, angle: int = angle) -> Map:
            return f.orientations[angle]

        orientations += _promoted(_conspicuity(levels, oriented, _NOISE["intensity"]), 1e-6)
    kinds = (_promoted(kind, 1e-6) for kind in (intensity, colors, orientations))
    return enlarged(stretched(sum(kinds, np.zeros_like(intensity))), image, n_threads)


def _conspicuity(levels: list[Features], feature: Callable[[Features], Map], noise: float) -> Map:
    """Differences of centre and surround, each promoted, added up."""
    at = feature(levels[_LEVEL])
    total = np.zeros_like(at)
    for centre in _CENTRES:
        fine = feature(levels[centre])
        for step in _STEPS:
            coarse = enlarged(feature(levels[centre + step]), fine, 1)
            contrast = np.abs(fine - coarse)
            for _ in range(_LEVEL - centre):
                contrast = ndimage.gaussian_filter(contrast, 1, mode="nearest")[::2, ::2]
            total += _promoted(contrast, noise)
    return total


def _promoted(values: Map, noise: float) -> Map:
    """The paper's N: scale to [0, 1], times the squared distance of the top from the mean peak."""
    if values.max() <= noise:
        return np.zeros_like(values)
    scaled = stretched(values)
    tops = (scaled == ndimage.maximum_filter(scaled, 3)) & (scaled > _PEAK) & (scaled < 1)
    others = float(scaled[tops].mean()) if tops.any() else 0.0
    return scaled * np.float32((1 - others) ** 2)

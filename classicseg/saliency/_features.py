"""Early visual features, for Itti, Koch & Niebur's map and for graph-based saliency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.filters import gabor_kernel

from classicseg.saliency._scale import Colors, Map

ANGLES = (0.0, 45.0, 90.0, 135.0)
# Cycles a pixel and spread of the Gabor filters, at each level of a pyramid.
_FREQUENCY, _SPREAD = 0.25, 2.0
# Hue is not seen in the dark: colours count above a tenth of the greatest intensity.
_DARK = 0.1


@dataclass(frozen=True)
class Features:
    """Of one level of a pyramid: intensity, two opponent colours, four orientations; (H, W)."""

    intensity: Map
    red_green: Map
    blue_yellow: Map
    orientations: tuple[Map, ...]


def pyramid(rgb: Colors, n_levels: int) -> list[Features]:
    """Features of an image in 0..255 at its own size, at half of it, and so on."""
    levels = []
    for level in range(n_levels):
        if level > 0:
            rgb = ndimage.gaussian_filter(rgb, (1, 1, 0), mode="nearest")[::2, ::2]
        levels.append(_features(rgb))
    return levels


def _features(rgb: Colors) -> Features:
    intensity = rgb.mean(axis=2)
    seen = intensity > _DARK * intensity.max()
    shares = np.where(seen[..., np.newaxis], rgb / np.maximum(intensity, 1e-3)[..., np.newaxis], 0)
    r, g, b = np.moveaxis(shares, 2, 0)
    red, green, blue = r - (g + b) / 2, g - (r + b) / 2, b - (r + g) / 2
    yellow = (r + g) / 2 - np.abs(r - g) / 2 - b
    red, green, blue, yellow = (np.maximum(c, 0) for c in (red, green, blue, yellow))
    orientations = tuple(_orientation(intensity, angle) for angle in ANGLES)
    return Features(intensity, red - green, blue - yellow, orientations)


def _orientation(intensity: Map, angle: float) -> Map:
    kernel = gabor_kernel(_FREQUENCY, np.deg2rad(angle), sigma_x=_SPREAD, sigma_y=_SPREAD)
    kernel = kernel - kernel.mean()  # no answer to an even grey
    centred = (intensity - intensity.mean()).astype(np.float64)
    parts = (ndimage.convolve(centred, part, mode="nearest") for part in (kernel.real, kernel.imag))
    energy: Map = np.hypot(*parts).astype(np.float32)
    return energy

"""Border matting: the opacity along a mask's contours, and the foreground's colours there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.special import ndtr

from classicseg.grabcut._local_gaussians import (
    TRUSTED,
    Gaussians,
    local_gaussians,
    trust_of,
)
from classicseg.grabcut._ribbon import HALF_WIDTH, Ribbon, ribbon_of
from classicseg.grabcut._step_path import best_path

__all__ = ["Border", "border_alpha", "border_colours", "border_of"]

Array = NDArray[np.float64]

# The states of a contour point: the step's standard deviation, and where its centre lies, in
# pixels from the contour. Numbers of levels and weights of the smoothness are the paper's.
_SPREADS = np.linspace(0.3, 3.0, 10)
_CENTRES = np.linspace(-3, 3, 30)
_SPREAD_WEIGHT = 1000.0
_CENTRE_WEIGHT = 50.0

# Opacities and distances at which the data term is tabulated.
_OPACITIES = np.linspace(0, 1, 65)
_PER_PIXEL = 32
_CHUNK = 512  # contour points at once: some 6000 pixels, each with 300 states

# A pixel with more foreground than this shows nothing else in 8 bits.
_WHOLE = 1 - 1 / 510
# Foreground colours are looked for so far from the contour, in pixels.
_SEARCHED = 20


@dataclass(frozen=True)
class Border:
    """What is known along a mask's contours before matting."""

    pixels: NDArray[np.float32]
    mask: NDArray[np.bool_]
    ribbon: Ribbon
    gaussians: Gaussians
    known: NDArray[np.bool_]  # all of one side: the ribbon's other pixels may be mixed


def border_of(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> Border | None:
    """The border of a mask in an image of 0..255; None for a mask of one label only."""
    ribbon = ribbon_of(mask)
    if not ribbon.contours:
        return None
    trust = trust_of(mask.shape, ribbon)
    gaussians = local_gaussians(pixels, mask, trust, ribbon.points)
    # Where the ribbon left nothing to learn from, its deepest pixels are taken for known.
    known = trust == TRUSTED
    here = ribbon.rows, ribbon.columns
    background, foreground = gaussians.levels[:, ribbon.nearest]
    known[here] = trust[here] >= np.where(mask[here], foreground, background)
    return Border(pixels, mask, ribbon, gaussians, known)


def border_alpha(border: Border) -> Array:
    """Opacities of the ribbon's pixels, by the best step at each contour point."""
    unary = _data_term(border)
    spreads, centres = _best_steps(unary, border.ribbon)
    spread, centre = _between(spreads, border.ribbon), _between(centres, border.ribbon)
    return step(border.ribbon.distance, spread, centre)


def border_colours(border: Border, alpha: Array) -> NDArray[np.float32]:
    """The foreground's colours in the ribbon's pixels, free of the background's, (N, C).

    Where a pixel is not all foreground: the most likely colour, given the pixel's and the
    Gaussians at the contour point, and as far as it is background, instead, that of a pixel near
    by that is foreground: the one most like the most likely colour. (The paper takes the latter
    alone, which puts texture of other places into pixels that show their own: on textures the
    error where the opacity is over 0.8 is 20 to 40 % less so, on plain colours it is larger.)
    """
    ribbon, pixels = border.ribbon, border.pixels
    colours = pixels[ribbon.rows, ribbon.columns]
    mixed = np.flatnonzero(alpha <= _WHOLE)
    point = ribbon.nearest[mixed]
    likely = border.gaussians.foreground_given(colours[mixed], point, alpha[mixed])
    is_near = np.zeros(border.mask.shape, np.uint8)
    is_near[ribbon.rows, ribbon.columns] = 1
    size = 2 * (_SEARCHED - HALF_WIDTH) + 1
    offered = border.known & border.mask & (ndimage.maximum_filter(is_near, size) > 0)
    tree = cKDTree(np.column_stack([np.argwhere(offered), pixels[offered]]))
    places = np.column_stack([ribbon.rows, ribbon.columns])[mixed]
    _, index = tree.query(np.column_stack([places, likely]))
    opacity = alpha[mixed][:, None]
    colours[mixed] = opacity * likely.clip(0, 255) + (1 - opacity) * pixels[offered][index]
    return colours


def step(distance: Array, spread: Array, centre: Array) -> Array:
    """Opacity at a distance from the contour: a Gaussian's integral.

    Stretched by what of it lies outside of the ribbon, so that its ends are 0 and 1.
    """
    low = ndtr((-HALF_WIDTH - centre) / spread)
    high = ndtr((HALF_WIDTH - centre) / spread)
    opacity: Array = (ndtr((distance - centre) / spread) - low) / (high - low)
    return opacity.clip(0, 1)


def _best_steps(unary: NDArray[np.float32], ribbon: Ribbon) -> tuple[Array, Array]:
    """Spread and centre of the step at each contour point."""
    spread_cost = _SPREAD_WEIGHT * np.subtract.outer(_SPREADS, _SPREADS) ** 2
    centre_cost = _CENTRE_WEIGHT * np.subtract.outer(_CENTRES, _CENTRES) ** 2
    states = np.empty((len(unary), 2), np.intp)
    for contour in ribbon.contours:
        own = unary[contour.points]
        states[contour.points], _ = best_path(own, spread_cost, centre_cost, contour.closed)
    return _SPREADS[states[:, 0]], _CENTRES[states[:, 1]]


def _between(values: Array, ribbon: Ribbon) -> Array:
    """Values of contour points, interpolated at each pixel's nearest place of the contour."""
    weight = ribbon.weight
    mixed: Array = values[ribbon.nearest] * (1 - weight) + values[ribbon.second] * weight
    return mixed


def _data_term(border: Border) -> NDArray[np.float32]:
    """-log N(z; mu(alpha), Sigma(alpha)) of the pixels nearest to each point, for each state."""
    ribbon = border.ribbon
    distances = np.arange(-HALF_WIDTH * _PER_PIXEL, HALF_WIDTH * _PER_PIXEL + 1) / _PER_PIXEL
    opacity = step(distances[:, None, None], _SPREADS[:, None], _CENTRES)
    level = np.rint(opacity * (len(_OPACITIES) - 1)).astype(np.int32).reshape(len(distances), -1)
    row = np.rint((ribbon.distance + HALF_WIDTH) * _PER_PIXEL).astype(np.int32)

    n_points = len(ribbon.points)
    unary = np.zeros((n_points, level.shape[1]), np.float32)
    for first in range(0, n_points, _CHUNK):
        begin, end = np.searchsorted(ribbon.nearest, (first, first + _CHUNK))
        if begin == end:
            continue
        point = ribbon.nearest[begin:end]
        colours = border.pixels[ribbon.rows[begin:end], ribbon.columns[begin:end]]
        cost = _cost_of_opacities(colours, point, border.gaussians)
        at = np.arange(end - begin, dtype=np.int32)[:, None] * np.int32(len(_OPACITIES))
        of_states = cost.ravel().take(level[row[begin:end]] + at)
        runs = np.flatnonzero(np.diff(point, prepend=-1))
        unary[point[runs]] = np.add.reduceat(of_states, runs, axis=0)
    return unary.reshape(n_points, len(_SPREADS), len(_CENTRES))


def _cost_of_opacities(
    colours: NDArray[np.float32], point: NDArray[np.intp], gaussians: Gaussians
) -> NDArray[np.float32]:
    """-log N of each colour at each opacity, but for what is the same for all opacities."""
    offsets = gaussians.offsets(colours, point)
    cost = np.zeros((len(colours), len(_OPACITIES)))
    for k in range(colours.shape[1]):
        scale = gaussians.scale[point, k][:, None]
        variance = (1 - _OPACITIES) ** 2 + _OPACITIES**2 * scale
        residual = offsets[:, k, None] - _OPACITIES * gaussians.apart[point, k][:, None]
        cost += residual**2 / variance + np.log(variance)
    return (cost / 2).astype(np.float32)

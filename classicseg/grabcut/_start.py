"""Trimaps to start GrabCut from."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_mask, as_rect, as_seeds, as_trimap
from classicseg._gmm import assign, fit_gmm, some_colours

__all__ = ["both_sides_to_learn", "starting_trimap"]

# Pixels of the rectangle as typical of the outside as this part of the outside itself start as
# probably background. On grabcut50 that takes the error inside the rectangle from 7.6 % to
# 6.5 %, on other photographs with marked objects from 19.1 % to 18.9 %; larger parts do worse
# there.
_TYPICAL = 0.1


def starting_trimap(
    name: str,
    value: Any,
    pixels: NDArray[np.float32],
    engine: str,
    n_components: int,
    rng: np.random.Generator,
    n_threads: int,
) -> NDArray[np.uint8]:
    """The trimap of what a person gives: a rect, a trimap, a mask or scribbles."""
    shape = pixels.shape[0], pixels.shape[1]
    if name == "trimap":
        return as_trimap(value, shape).copy()
    if name == "mask":
        return from_mask(value, shape)
    if name == "scribbles":
        return from_scribbles(value, pixels, n_components, rng, n_threads)
    rect = as_rect(value, shape)
    if engine == "opencv":
        return from_window(shape, rect)
    return from_rect(rect, pixels, n_components, rng, n_threads)


def from_window(shape: tuple[int, ...], rect: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Background outside, probably foreground inside."""
    x, y, width, height = rect
    trimap = np.zeros(shape, np.uint8)
    trimap[y : y + height, x : x + width] = 3
    return trimap


def from_rect(
    rect: tuple[int, int, int, int],
    pixels: NDArray[np.float32],
    n_components: int,
    rng: np.random.Generator,
    n_threads: int,
) -> NDArray[np.uint8]:
    """Background outside; inside probably foreground, except what is typical of the outside."""
    trimap = from_window(pixels.shape[:2], rect)
    outside = trimap == 0
    if not outside.any():
        return trimap
    colours = some_colours(pixels, outside, rng)
    gmm = fit_gmm(colours, n_components, rng)
    typical = np.quantile(assign(colours[None], gmm, n_threads).energy, _TYPICAL)
    x, y, width, height = rect
    inside = (slice(y, y + height), slice(x, x + width))
    energy = assign(np.ascontiguousarray(pixels[inside]), gmm, n_threads).energy
    start = np.where(energy <= typical, np.uint8(2), np.uint8(3))
    if (
        start == 3
    ).any():  # else the rectangle holds nothing but background colours: no better idea
        trimap[inside] = start
    return trimap


def from_mask(mask: ArrayLike, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Probable labels everywhere."""
    return as_mask(mask, "mask", shape).view(np.uint8) | np.uint8(2)


def from_scribbles(
    scribbles: ArrayLike,
    pixels: NDArray[np.float32],
    n_components: int,
    rng: np.random.Generator,
    n_threads: int,
) -> NDArray[np.uint8]:
    """Hard labels where marked, elsewhere what the marks' colour models find likelier."""
    marks = as_seeds(scribbles, pixels.shape[:2], "scribbles")
    energies = []
    for value, what in ((1, "background (1)"), (2, "foreground (2)")):
        colours = pixels[marks == value]
        if len(colours) == 0:
            raise ValueError(f"scribbles has no {what} pixel, expected marks of both kinds")
        energies.append(assign(pixels, fit_gmm(colours, n_components, rng), n_threads).energy)
    trimap = (energies[1] < energies[0]).view(np.uint8) | np.uint8(2)
    trimap[marks == 1] = 0
    trimap[marks == 2] = 1
    return trimap


def both_sides_to_learn(mask: NDArray[np.bool_]) -> bool:
    """Whether there are pixels to learn both mixtures from; a warning if not."""
    if mask.any() and not mask.all():
        return True
    side = "foreground" if not mask.any() else "background"
    warnings.warn(
        f"GrabCut has no {side} pixel to learn from: the labels stay as they are",
        stacklevel=3,
    )
    return False

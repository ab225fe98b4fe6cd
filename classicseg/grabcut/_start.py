"""Trimaps to start GrabCut from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_mask, as_seeds
from classicseg._gmm import assign, fit_gmm

__all__ = ["from_mask", "from_rect", "from_scribbles"]


def from_rect(rect: tuple[int, int, int, int], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Background outside, probably foreground inside."""
    x, y, width, height = rect
    trimap = np.zeros(shape, np.uint8)
    trimap[y : y + height, x : x + width] = 3
    return trimap


def from_mask(mask: ArrayLike, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Probable labels everywhere."""
    return as_mask(mask, "mask", shape).view(np.uint8) | 2


def from_scribbles(
    pixels: NDArray[np.float32],
    scribbles: ArrayLike,
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
    trimap = (energies[1] < energies[0]).view(np.uint8) | 2
    trimap[marks == 1] = 0
    trimap[marks == 2] = 1
    return trimap

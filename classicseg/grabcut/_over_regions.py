"""GrabCut whose cut is over superpixels: colours are learned from pixels, regions are labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicseg import superpixels
from classicseg._gmm import assign, fit_gmm, learn, some_colours
from classicseg.grabcut._start import both_sides_to_learn
from classicseg.graphcut import alpha_expansion

__all__ = ["cut_regions"]


def cut_regions(
    pixels: NDArray[np.float32],
    trimap: NDArray[np.uint8],
    regions: NDArray[np.int32],
    edges: dict[tuple[int, ...], NDArray[np.float32]],
    n_components: int,
    max_iter: int,
    rng: np.random.Generator,
    n_threads: int,
) -> NDArray[np.bool_]:
    """The foreground of a checked image, from a trimap, as regions that agree in themselves.

    A region that hard pixels cut through is several. The energy is GrabCut's, of labellings that
    give all pixels of a region one label; each round learns the mixtures again and finds the exact
    cut, until nothing changes.
    """
    hard = np.where(trimap == 0, 1, np.where(trimap == 1, 2, 0))
    _, pieces = np.unique(regions.astype(np.int64) * 3 + hard, return_inverse=True)
    pieces = pieces.reshape(regions.shape).astype(np.int32)
    pairs, weights = superpixels.pool_edges(edges, pieces)
    n_pieces = int(pieces.max()) + 1
    kind = np.zeros(n_pieces, np.int64)
    kind[pieces] = hard
    # More than a piece's links together: no cut gives a hard piece the other label.
    links = np.bincount(pairs.ravel(), np.repeat(weights, 2), minlength=n_pieces)
    forced = np.zeros((n_pieces, 2))
    forced[kind == 1, 1] = forced[kind == 2, 0] = 1
    forced *= links[:, None] + 1

    mask: NDArray[np.bool_] = (trimap == 1) | (trimap == 3)
    sides = None
    for _ in range(max_iter):
        if not both_sides_to_learn(mask):
            break
        if sides is None:
            first = [
                fit_gmm(some_colours(pixels, m, rng), n_components, rng) for m in (~mask, mask)
            ]
            sides = [assign(pixels, gmm, n_threads) for gmm in first]
        components = (sides[0].component, sides[1].component)
        background, foreground = learn(pixels, mask, components, n_components, n_threads)
        assert background is not None and foreground is not None  # both sides have pixels
        sides = [assign(pixels, gmm, n_threads) for gmm in (background, foreground)]
        unary = np.stack([side.energy for side in sides], axis=-1)
        energies = superpixels.pool(unary, pieces, reduce="sum")
        energies = np.where(kind[:, None] > 0, forced, energies)
        cut = alpha_expansion(energies, (pairs, weights), n_threads=n_threads).labels == 1
        if np.array_equal(cut[pieces], mask):
            break
        mask = cut[pieces]
    return mask

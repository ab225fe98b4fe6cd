"""Interactive segmentation by one graph cut, and the binary cut of any evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_seeds, as_unary, check_threads, non_negative
from classicseg._gmm import assign, fit_gmm
from classicseg.graphcut._contrast import Weights, check_connectivity, contrast_of
from classicseg.graphcut._grid import Cut, GridGraph
from classicseg.graphcut._peers import check_engine, solve_with_pymaxflow

__all__ = ["cut_unary", "minimum_cut", "segment"]

BACKGROUND, FOREGROUND = 1, 2


def segment(
    image: ArrayLike,
    seeds: ArrayLike,
    *,
    n_components: int = 5,
    gamma: float = 50.0,
    beta: float | None = None,
    connectivity: int = 8,
    rng: int | np.random.Generator = 0,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.bool_]:
    """Separate foreground from background, given scribbles on both.

    The exact minimum of the energy of Boykov & Jolly: colour models learned from the scribbles,
    contrast-sensitive smoothness, and the scribbles themselves as hard constraints.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16, or floats in [0, 1].
    seeds : (H, W) integers
        0 = unmarked, 1 = background, 2 = foreground.
    n_components : int
        Components of each colour mixture, fewer where the scribbles hold fewer colours. Default 5.
    gamma : float
        Weight of the smoothness against the colour model. Default 50, GrabCut's value.
    beta : float, optional
        Contrast scale; default from the image, see `contrast_weights`.
    connectivity : 4 or 8
        Default 8: fewer metrication artefacts.
    rng : int or numpy Generator
        Seeds the mixtures' k-means.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    engine : "native" or "pymaxflow"
        Who solves the cut; the energy and its minimum are the same.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    (H, W) bool
        True = foreground.

    Raises
    ------
    ValueError, TypeError
        For unusable input, or scribbles of one kind only.
    ImportError
        If the engine's package is missing.

    References
    ----------
    Y. Boykov, M.-P. Jolly: Interactive graph cuts for optimal boundary and region segmentation of
    objects in N-D images. ICCV 2001. doi:10.1109/ICCV.2001.937505

    Examples
    --------
    >>> image = np.zeros((4, 6), np.uint8)
    >>> image[:, 3:] = 200
    >>> seeds = np.zeros((4, 6), int)
    >>> seeds[1, 0], seeds[1, 5] = 1, 2
    >>> segment(image, seeds)[0]
    array([False, False, False,  True,  True,  True])
    """
    check_engine(engine)
    check_connectivity(connectivity)
    non_negative(gamma, "gamma")
    if beta is not None:
        non_negative(beta, "beta")
    pixels = as_image(image, data_range=data_range)
    marks = as_seeds(seeds, pixels.shape[:2], "seeds")
    for value, what in ((BACKGROUND, "background (1)"), (FOREGROUND, "foreground (2)")):
        if not (marks == value).any():
            raise ValueError(f"seeds has no {what} pixel, expected scribbles of both kinds")
    threads = check_threads(n_threads)
    generator = np.random.default_rng(rng)
    energies = [
        assign(pixels, fit_gmm(pixels[marks == value], n_components, generator), threads).energy
        for value in (BACKGROUND, FOREGROUND)
    ]
    weights = contrast_of(pixels, gamma, beta, connectivity, threads)
    return minimum_cut(energies[0], energies[1], weights, marks, engine, threads).mask


def cut_unary(
    unary: ArrayLike,
    image: ArrayLike,
    *,
    seeds: ArrayLike | None = None,
    gamma: float = 50.0,
    beta: float | None = None,
    connectivity: int = 8,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.bool_]:
    """Binary graph cut of any two-label evidence over an image.

    The exact minimum of the sum of the unary energies and the contrast-sensitive weights between
    pixels of different labels.

    Parameters
    ----------
    unary : (H, W, 2) array
        Energies, lower is better; label 1 is the foreground.
    image : (H, W) or (H, W, 3) array
        Its edges attract the boundary.
    seeds : (H, W) integers, optional
        Hard constraints: 0 = none, 1 = background, 2 = foreground.
    gamma, beta, connectivity, data_range, engine, n_threads
        As in `segment`.

    Returns
    -------
    (H, W) bool
        True = label 1. Pixels that cost the same either way are False.

    Raises
    ------
    ValueError, TypeError
        For unusable input, more or fewer than two labels, shapes that differ.
    ImportError
        If the engine's package is missing.

    Examples
    --------
    >>> unary = np.zeros((1, 3, 2), np.float32)
    >>> unary[0, :, 0] = [0, 1, 9]  # label 0 is dear on the right
    >>> unary[0, :, 1] = [9, 2, 0]
    >>> cut_unary(unary, np.array([[10, 200, 210]], np.uint8), gamma=5)
    array([[False,  True,  True]])
    """
    check_engine(engine)
    check_connectivity(connectivity)
    non_negative(gamma, "gamma")
    if beta is not None:
        non_negative(beta, "beta")
    pixels = as_image(image, data_range=data_range)
    energies = as_unary(unary, "unary")
    if energies.shape != (*pixels.shape[:2], 2):
        raise ValueError(
            f"unary has shape {energies.shape}, expected {(*pixels.shape[:2], 2)}: the image's "
            "height and width, and two labels"
        )
    marks = None if seeds is None else as_seeds(seeds, pixels.shape[:2], "seeds")
    threads = check_threads(n_threads)
    weights = contrast_of(pixels, gamma, beta, connectivity, threads)
    return minimum_cut(energies[..., 0], energies[..., 1], weights, marks, engine, threads).mask


def minimum_cut(
    background: NDArray[np.float32],
    foreground: NDArray[np.float32],
    weights: Weights,
    seeds: NDArray[np.uint8] | None,
    engine: str,
    n_threads: int,
) -> Cut:
    """Minimum cut of two energy maps; the flow leaves out what every labelling pays."""
    source, sink = terminals_of(background, foreground)
    if seeds is not None:
        source[seeds == FOREGROUND], sink[seeds == FOREGROUND] = np.inf, 0
        source[seeds == BACKGROUND], sink[seeds == BACKGROUND] = 0, np.inf
    if engine == "pymaxflow":
        return solve_with_pymaxflow(source, sink, weights)
    graph = GridGraph(source.shape)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    return graph.solve(n_threads)


def terminals_of(
    background: NDArray[Any], foreground: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Source and sink capacities: the dearer label's energy above the cheaper one's."""
    with np.errstate(over="ignore"):  # an infinite difference rules a label out
        difference = background - foreground
    return np.maximum(difference, 0), np.maximum(-difference, 0)

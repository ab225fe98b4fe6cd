"""Interactive segmentation by one graph cut, and the binary cut of any evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_seeds, as_unary, check_threads
from classicseg._gmm import assign, fit_gmm
from classicseg._settings import generator_of, spacing_of
from classicseg.graphcut._contrast import Weights, check_contrast, contrast_of
from classicseg.graphcut._grid import Cut, GridGraph
from classicseg.graphcut._neighbours import check_connectivity
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
    connectivity: int | None = None,
    spacing: float | Sequence[float] | None = None,
    rng: int | np.random.Generator = 0,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.bool_]:
    """Separate foreground from background in an image or a volume, given scribbles on both.

    The exact minimum of the energy of Boykov & Jolly: colour models learned from the scribbles,
    contrast-sensitive smoothness, and the scribbles themselves as hard constraints.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array; a volume is (D, H, W) or (D, H, W, 3)
        uint8, uint16, or floats in [0, 1].
    seeds : (H, W) or (D, H, W) integers
        0 = unmarked, 1 = background, 2 = foreground. Their shape tells a volume from an image.
    n_components : int
        Components of each colour mixture, fewer where the scribbles hold fewer colours. Default 5.
    gamma : float
        Weight of the smoothness against the colour model. Default 50, GrabCut's value.
    beta : float, optional
        Contrast scale; default from the image, see `contrast_weights`.
    connectivity : 4 or 8, in a volume 6 or 26
        Default 8 in images, for fewer metrication artefacts, and 6 in volumes, where 26 take four
        times the memory.
    spacing : float or sequence of one for each axis, optional
        Distances between neighbours along the axes, as in `contrast_weights`. Default 1.
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
    (H, W) or (D, H, W) bool
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

    A volume of two slices, whose scribbles all lie in the first:

    >>> volume, marks = np.stack([image, image]), np.stack([seeds, 0 * seeds])
    >>> segment(volume, marks, spacing=(2.5, 1, 1))[1, 0]
    array([False, False, False,  True,  True,  True])
    """
    check_engine(engine)
    dimensions = 3 if getattr(seeds, "ndim", 2) == 3 else 2
    connectivity = check_connectivity(connectivity, dimensions)
    distances = spacing_of(spacing, dimensions)
    check_contrast(gamma, beta)
    pixels = as_image(image, data_range=data_range, dimensions=dimensions)
    shape = pixels.shape[:-1]
    marks = as_seeds(seeds, shape, "seeds")
    for value, what in ((BACKGROUND, "background (1)"), (FOREGROUND, "foreground (2)")):
        if not (marks == value).any():
            raise ValueError(f"seeds has no {what} pixel, expected scribbles of both kinds")
    threads = check_threads(n_threads)
    generator = generator_of(rng)
    mixtures = [
        fit_gmm(pixels[marks == value], n_components, generator)
        for value in (BACKGROUND, FOREGROUND)
    ]
    rows = pixels.reshape(-1, *pixels.shape[-2:])  # a volume's slices below each other
    background, foreground = (
        assign(rows, mixture, threads).energy.reshape(shape) for mixture in mixtures
    )
    weights = contrast_of(pixels, gamma, beta, connectivity, threads, distances)
    cut = minimum_cut(background, foreground, weights, marks, connectivity, engine, threads)
    return cut.mask


def cut_unary(
    unary: ArrayLike,
    image: ArrayLike,
    *,
    seeds: ArrayLike | None = None,
    gamma: float = 50.0,
    beta: float | None = None,
    connectivity: int | None = None,
    spacing: float | Sequence[float] | None = None,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.bool_]:
    """Binary graph cut of any two-label evidence over an image.

    The exact minimum of the sum of the unary energies and the contrast-sensitive weights between
    pixels of different labels.

    Parameters
    ----------
    unary : (H, W, 2) or (D, H, W, 2) array
        Energies, lower is better; label 1 is the foreground. The shape tells a volume from an
        image.
    image : (H, W) or (H, W, 3) array; a volume is (D, H, W) or (D, H, W, 3)
        Its edges attract the boundary.
    seeds : integers of the image's shape, optional
        Hard constraints: 0 = none, 1 = background, 2 = foreground.
    gamma, beta, connectivity, spacing, data_range, engine, n_threads
        As in `segment`.

    Returns
    -------
    (H, W) or (D, H, W) bool
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
    dimensions = 3 if getattr(unary, "ndim", 3) == 4 else 2
    connectivity = check_connectivity(connectivity, dimensions)
    distances = spacing_of(spacing, dimensions)
    check_contrast(gamma, beta)
    pixels = as_image(image, data_range=data_range, dimensions=dimensions)
    shape = pixels.shape[:-1]
    energies = as_unary(unary, "unary", shape if dimensions == 3 else None)
    if energies.shape != (*shape, 2):
        raise ValueError(
            f"unary has shape {energies.shape}, expected {(*shape, 2)}: the image's height and "
            "width, and two labels"
        )
    marks = None if seeds is None else as_seeds(seeds, shape, "seeds")
    threads = check_threads(n_threads)
    weights = contrast_of(pixels, gamma, beta, connectivity, threads, distances)
    background, foreground = energies[..., 0], energies[..., 1]
    cut = minimum_cut(background, foreground, weights, marks, connectivity, engine, threads)
    return cut.mask


def minimum_cut(
    background: NDArray[np.float32],
    foreground: NDArray[np.float32],
    weights: Weights,
    seeds: NDArray[np.uint8] | None,
    connectivity: int,
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
    graph = GridGraph(source.shape, connectivity)
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

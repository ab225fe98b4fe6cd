"""Salient objects as what is not background: robust background detection and geodesic saliency."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from skimage.filters import threshold_otsu

from classicseg.saliency._regions import (
    Mask,
    RegionGraph,
    Values,
    drawn,
    has_contrast,
    region_graph,
    shortest_paths,
    steps,
    within_two_steps,
)
from classicseg.saliency._scale import Map, stretched

# Zhu et al.'s, of their program where it differs from the paper (10, 0.25, 1, 10 and 0.1).
_SIGMA_PATH = 7.0
_SIGMA_PLACE = 0.4
_SIGMA_RIM = 1.0
_SIGMA_COLOR = 10.0
_LINK = 0.1
_BACKGROUND = 5.0
# A boundary connectivity beyond doubt, and the weight that such a region's 0 gets.
_SURELY, _FIXED = 3.0, 1000.0


def robust_background(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Salient objects by how little of their outline lies on the image's rim.

    On a graph of superpixels, background is what is connected, by colour, to much of the rim for
    its size. Contrast to likely background is the cue for foreground, and the map is the least
    squares compromise of both cues and smoothness between similar neighbours.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 400 pixels along the longer
        side, on superpixels of about 600.
    n_threads : int, optional
        The result does not depend on it.

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
    Zhu, Liang, Wei & Sun, Saliency Optimization from Robust Background Detection, 2014,
    doi:10.1109/CVPR.2014.360.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((90, 120, 3))
    >>> image[30:60, 40:80] = (1, 0, 0)
    >>> saliency.robust_background(image)[[45, 10], [60, 100]].round(1)
    array([1., 0.], dtype=float32)
    """
    graph = region_graph(image, n_threads)
    values = np.zeros(len(graph.rim))
    if has_contrast(graph):
        connectivity = boundary_connectivity(graph)
        foreground = background_contrast(graph, background_probability(connectivity))
        values = optimised(graph, connectivity, foreground)
    return drawn(values, graph, image, n_threads)


def geodesic(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Salient objects by the length of the shortest path to the image's rim, steps in colour.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 400 pixels along the longer
        side, on superpixels of about 600.
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    Notes
    -----
    This is the paper's version on superpixels. The rim has no weights here: those of the paper,
    by contrast among the regions of the rim, made the maps no better.

    References
    ----------
    Wei, Wen, Zhu & Sun, Geodesic Saliency Using Background Priors, 2012,
    doi:10.1007/978-3-642-33712-3_3.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((90, 120, 3))
    >>> image[30:60, 40:80] = (1, 0, 0)
    >>> saliency.geodesic(image)[[45, 10], [60, 100]].round(1)
    array([1., 0.], dtype=float32)
    """
    graph = region_graph(image, n_threads)
    values = np.zeros(len(graph.rim))
    if has_contrast(graph):
        values = shortest_paths(steps(graph), graph.touching)[:, graph.rim].min(axis=1)
    return drawn(values, graph, image, n_threads)


def boundary_connectivity(graph: RegionGraph) -> Values:
    """Length on the rim over the root of the area, of all that is like each region (eq. 3 to 6).

    Regions at the rim are linked: background that an object parts is one all the same.
    """
    paths = shortest_paths(steps(graph), graph.touching | _at_rim(graph))
    similar = np.exp(-0.5 * (paths / _SIGMA_PATH) ** 2)
    connectivity: Values = (similar @ graph.rim) / np.sqrt(similar.sum(axis=1))
    return connectivity


def background_probability(connectivity: Values) -> Values:
    """In [0, 1) (eq. 8)."""
    return 1 - np.exp(-0.5 * (connectivity / _SIGMA_RIM) ** 2)


def background_contrast(graph: RegionGraph, background: Values) -> Values:
    """Contrast to near background (eq. 7) in [0, 1]; low values, by Otsu's threshold, become 0."""
    nearness = np.exp(-0.5 * (graph.offsets / _SIGMA_PLACE) ** 2)
    values = stretched((graph.distances * nearness) @ background)
    low = values < threshold_otsu(values) if values.any() else True
    return np.where(low, 0, values).astype(np.float64)


def optimised(graph: RegionGraph, connectivity: Values, foreground: Values) -> Values:
    """The values of least cost (eq. 9): background at 0, foreground at 1, similar ones alike.

    Alike are regions that touch, that touch the same one, or that both lie at the rim.
    """
    probability = background_probability(connectivity)
    background = np.where(connectivity > _SURELY, _FIXED, _BACKGROUND * probability)
    near = within_two_steps(graph.touching) | _at_rim(graph)
    links = np.where(near, np.exp(-0.5 * (graph.distances / _SIGMA_COLOR) ** 2), 0)
    links += _LINK * graph.touching
    system = np.diag(links.sum(axis=1) + background + foreground) - links
    values: Values = np.linalg.solve(system, foreground)
    return values


def _at_rim(graph: RegionGraph) -> Mask:
    both: Mask = np.outer(graph.rim, graph.rim)
    np.fill_diagonal(both, False)
    return both

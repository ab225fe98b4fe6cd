"""Graph-based visual saliency."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from classicseg.saliency._features import pyramid
from classicseg.saliency._scale import Map, enlarged, shrunk, stretched

_SIDE = 256
_LEVELS = (1, 2)
_NODES = 32  # along the longer side of the maps
# Shares of the map's mean side: how far nodes see, where the paper says a tenth to a fifth, and the
# spread of the last blur.
_SIGMA, _BLUR = 0.2, 0.03
_NOISE = {"intensity": 0.5, "color": 0.02}

Values = NDArray[np.float64]


def gbvs(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Where the eye goes: where random walks that prefer differences spend their time.

    On each feature map (intensity, opponent colours, orientations) a walker steps from node to
    node, the likelier the more these differ and the nearer they are. The time it spends at each
    node is the activation; a second walk, which prefers active nodes, concentrates it. The maps
    are averaged by kind of feature.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works on maps of 32 nodes along the
        longer side, as in the paper, from an image of 256 pixels.
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

    Notes
    -----
    Walks favour nodes in the middle, which see more of the others: a centre prior that comes with
    the method.

    References
    ----------
    Harel, Koch & Perona, Graph-Based Visual Saliency, 2006,
    https://papers.nips.cc/paper/3095-graph-based-visual-saliency.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((60, 90))
    >>> image[20:32, 40:52] = 1
    >>> found = saliency.gbvs(image)
    >>> bool(found[26, 46] > 0.8 > 0.3 > found[55, 5])
    True
    """
    rgb = shrunk(image, _SIDE, n_threads)
    longer = max(rgb.shape[:2])
    nodes = min(_NODES, longer)
    shape = tuple(max(1, round(n * nodes / longer)) for n in rgb.shape[:2])
    nearness = _nearness(shape)
    features = pyramid(rgb, max(_LEVELS) + 1)
    total = np.zeros(shape)
    for level in (features[i] for i in _LEVELS):
        kinds = (
            ((level.intensity,), _NOISE["intensity"]),
            ((level.red_green, level.blue_yellow), _NOISE["color"]),
            (level.orientations, _NOISE["intensity"]),
        )
        for maps, noise in kinds:
            seen = [m for m in maps if np.ptp(m) > noise]
            for values in seen:
                total += _concentrated(_at_nodes(values, shape), nearness) / len(seen)
    blurred = ndimage.gaussian_filter(total, _BLUR * np.mean(shape), mode="nearest")
    return enlarged(stretched(blurred), image, n_threads)


def _at_nodes(values: Map, shape: tuple[int, ...]) -> Values:
    zoom = [n / m for n, m in zip(values.shape, shape, strict=True)]
    smooth = ndimage.gaussian_filter(values, [max(z / 2 - 0.5, 0) for z in zoom], mode="nearest")
    return enlarged(smooth, np.empty(shape), 1).astype(np.float64)


def _concentrated(values: Values, nearness: Values) -> Values:
    """A feature's activation and its concentration, with sum 1.

    Both are equilibria of walks, and need no iteration. Steps of weight |m_i - m_j| F_ij are as
    likely both ways, so that the time spent at i is in proportion to the sum of its weights. Steps
    of weight A_j F_ij become so when multiplied by A_i.
    """
    flat = values.ravel().astype(np.float64)
    activation = (np.abs(flat[:, np.newaxis] - flat) * nearness).sum(axis=1)
    concentrated = activation * (nearness @ activation)
    total = concentrated.sum()
    shares: Values = concentrated / (total if total > 0 else 1)
    return shares.reshape(values.shape)


def _nearness(shape: tuple[int, ...]) -> Values:
    y, x = (i.ravel().astype(np.float64) for i in np.indices(shape))
    squared = (y[:, np.newaxis] - y) ** 2 + (x[:, np.newaxis] - x) ** 2
    near: Values = np.exp(-squared / (2 * (_SIGMA * np.mean(shape)) ** 2))
    return near

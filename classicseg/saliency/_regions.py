"""An image as a graph of superpixels, for the methods that work on regions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csgraph
from scipy.spatial.distance import cdist

from classicseg import superpixels
from classicseg._lab import lab
from classicseg.saliency._scale import Map, enlarged, shrunk, stretched

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

# About 200 superpixels in an image of 400 x 300, as in the papers.
_SIDE = 400
_PIXELS = 600
# Lab differences that are rounding, not contrast.
_NOISE = 0.5


@dataclass(frozen=True)
class RegionGraph:
    """Superpixels: what they look like, where they are and which of them touch.

    Attributes
    ----------
    labels : (H, W) int32
        0..K-1.
    distances : (K, K)
        Between the mean colours in CIE Lab.
    offsets : (K, K)
        Between the mean places, over the image's longer side.
    rim : (K,) bool
        Whether it has a pixel at the image's rim.
    touching : (K, K) bool
        Whether two share a side of a pixel. No region touches itself.
    """

    labels: NDArray[np.int32]
    distances: Values
    offsets: Values
    rim: Mask
    touching: Mask


def region_graph(image: ArrayLike, n_threads: int | None) -> RegionGraph:
    """Check an image, make it smaller and divide it."""
    rgb = shrunk(image, _SIDE, n_threads)
    height, width = rgb.shape[:2]
    n_segments = max(1, round(height * width / _PIXELS))
    labels = superpixels.slic(rgb / np.float32(255), n_segments, n_threads=n_threads)
    y, x = np.indices((height, width)) / max(height, width)
    colors, places = (
        superpixels.pool(v, labels).astype(np.float64) for v in (lab(rgb), np.stack([y, x], axis=2))
    )
    rim = np.zeros(len(colors), bool)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        rim[line] = True
    touching = np.zeros((len(colors), len(colors)), bool)
    first, second = superpixels.adjacency(labels).pairs.T
    touching[first, second] = touching[second, first] = True
    return RegionGraph(labels, cdist(colors, colors), cdist(places, places), rim, touching)


def drawn(values: Values, graph: RegionGraph, image: ArrayLike, n_threads: int | None) -> Map:
    """Values of the regions as a map of the image, in [0, 1]."""
    return enlarged(stretched(values)[graph.labels], image, n_threads)


def has_contrast(graph: RegionGraph) -> bool:
    """Whether any two regions differ."""
    return bool(graph.distances.max() > _NOISE)


def steps(graph: RegionGraph) -> Values:
    """(K, K): distances of colour, less what a region differs by from its like nearby.

    Small differences would add up along a path through an even but shaded or textured background.
    What is taken away is the mean, over the regions, of the smallest difference from any region
    within two steps.
    """
    smallest = np.where(within_two_steps(graph.touching), graph.distances, np.inf).min(axis=1)
    known = np.isfinite(smallest)
    return np.maximum(graph.distances - (smallest[known].mean() if known.any() else 0), 0)


def within_two_steps(touching: Mask) -> Mask:
    """Who touches, or touches the same one; nobody is near itself."""
    near: Mask = touching | (touching.astype(np.float32) @ touching > 0)
    np.fill_diagonal(near, False)
    return near


def shortest_paths(lengths: Values, linked: Mask) -> Values:
    """(K, K): lengths of the shortest paths; infinite where there is none."""
    # An entry of 0 is an edge of no length here, not a missing one.
    graph = csgraph.csgraph_from_dense(np.where(linked, lengths, np.inf), null_value=np.inf)
    paths: Values = csgraph.dijkstra(graph, directed=False)
    return paths

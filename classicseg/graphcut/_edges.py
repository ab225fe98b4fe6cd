"""Edges of many-label problems at the door: between pixels of a grid, or nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._offsets import Offset, as_offset, with_neighbour
from classicseg.graphcut._capacities import as_capacities

__all__ = [
    "Edges",
    "GraphEdges",
    "GridEdges",
    "as_edges",
    "as_graph_edges",
    "as_pairs",
    "grid_weights",
]


@dataclass(frozen=True)
class GridEdges:
    """``weights[k, p]`` joins pixel p, in raster order, and p + steps[k]; 0 where there is none."""

    steps: NDArray[np.int32]
    weights: NDArray[np.float64]

    @property
    def load(self) -> float:
        """No less than the sum of the weights at any pixel."""
        return 2 * float(self.weights.max(axis=1).sum()) if self.weights.size else 0.0


@dataclass(frozen=True)
class GraphEdges:
    """Node i has the neighbours ``heads[first[i]:first[i + 1]]``, ascending; no loops."""

    first: NDArray[np.int64]
    heads: NDArray[np.int32]
    weights: NDArray[np.float64]

    @property
    def load(self) -> float:
        """The largest sum of the weights at a node."""
        sums = np.concatenate([[0.0], np.cumsum(self.weights)])
        return float(np.diff(sums[self.first]).max())


Edges = GridEdges | GraphEdges


def as_edges(edges: Any, shape: tuple[int, ...]) -> Edges:
    """Check edges: a dict of offsets for a grid, `(pairs, weights)` for the nodes of a graph."""
    if isinstance(edges, Mapping):
        return _grid_edges(edges, shape)
    if len(shape) != 1:
        raise TypeError(
            f"edges is a {type(edges).__name__}, expected a dict of offsets, such as "
            f"contrast_weights makes, for a grid of shape {shape}"
        )
    return _graph_edges(edges, shape[0])


def grid_weights(
    edges: Mapping[Any, ArrayLike], shape: tuple[int, ...]
) -> dict[Offset, NDArray[np.float64]]:
    """The weight of each pair of neighbours, at its earlier pixel, by the offset to the later one.

    Pairs of an offset and of its opposite are the same: their weights add up. Entries whose
    neighbour is outside are 0; offsets that lead outside from every pixel are left out.
    """
    found: dict[Offset, NDArray[np.float64]] = {}
    for given, value in edges.items():
        offset = as_offset(given, len(shape), "edges")
        back = tuple(-d for d in offset)
        later = max(offset, back)
        here = with_neighbour(offset)
        array = as_capacities(value, f"edges[{offset}]", shape, here)
        if all(abs(d) < size for d, size in zip(offset, shape, strict=True)):
            weights = found.setdefault(later, np.zeros(shape))
            weights[here if later == offset else with_neighbour(back)] += array[here]
    return found


def as_pairs(pairs: ArrayLike, name: str, n_nodes: int) -> NDArray[np.int64]:
    """Check the nodes that edges join; the result is a new array."""
    given = as_array(pairs, name)
    if given.shape == (0,):
        return np.zeros((0, 2), np.int64)
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"{name} has shape {given.shape}, expected (E, 2)")
    if given.dtype.kind not in "iu" and given.size:
        raise TypeError(f"{name} has dtype {given.dtype}, expected integers")
    if given.size:
        low, high = int(given.min()), int(given.max())
        if low < 0 or high >= n_nodes:
            wrong = low if low < 0 else high
            raise ValueError(f"{name} holds {wrong}, expected nodes from 0 to {n_nodes - 1}")
    return np.array(given, np.int64, order="C")


def as_graph_edges(edges: Any, n_nodes: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Check `(pairs, weights)`."""
    try:
        pairs, weights = edges
    except (TypeError, ValueError):
        raise TypeError(
            f"edges is a {type(edges).__name__}, expected (pairs (E, 2), weights (E,)) or a dict"
        ) from None
    ends = as_pairs(pairs, "edges[0]", n_nodes)
    return ends, as_capacities(weights, "edges[1]", (len(ends),)).astype(np.float64)


def _grid_edges(edges: Mapping[Any, ArrayLike], shape: tuple[int, ...]) -> GridEdges:
    strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    rows = [
        (sum(d * stride for d, stride in zip(offset, strides, strict=True)), weights.ravel())
        for offset, weights in grid_weights(edges, shape).items()
    ]
    rows.sort(key=lambda row: row[0])
    n_pixels = int(np.prod(shape))
    stacked = np.stack([row[1] for row in rows]) if rows else np.zeros((0, n_pixels))
    return GridEdges(np.array([row[0] for row in rows], np.int32), stacked)


def _graph_edges(edges: Any, n_nodes: int) -> GraphEdges:
    ends, values = as_graph_edges(edges, n_nodes)
    apart = ends[:, 0] != ends[:, 1]
    ends, values = ends[apart], values[apart]
    # Both ways, sorted, parallel edges added up.
    keys = np.concatenate([ends @ [n_nodes, 1], ends @ [1, n_nodes]])
    unique, group = np.unique(keys, return_inverse=True)
    sums = np.bincount(group, np.concatenate([values, values])).astype(np.float64)
    first = np.searchsorted(unique, np.arange(n_nodes + 1) * n_nodes)
    return GraphEdges(first.astype(np.int64), (unique % n_nodes).astype(np.int32), sums)

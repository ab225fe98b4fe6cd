"""Edges of many-label problems at the door: between pixels of a grid, or nodes of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg.graphcut._capacities import as_capacities

__all__ = ["Edges", "GraphEdges", "GridEdges", "as_edges"]


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
    try:
        pairs, weights = edges
    except (TypeError, ValueError):
        raise TypeError(
            f"edges is a {type(edges).__name__}, expected (pairs (E, 2), weights (E,)) or a dict"
        ) from None
    return _graph_edges(pairs, weights, shape[0])


def _grid_edges(edges: Mapping[Any, ArrayLike], shape: tuple[int, ...]) -> GridEdges:
    strides = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    found: dict[tuple[int, ...], tuple[int, NDArray[np.float64]]] = {}
    for offset, value in edges.items():
        step = _as_offset(offset, len(shape))
        if step in found or tuple(-d for d in step) in found:
            raise ValueError(
                f"edges has the offset {step} and its opposite, expected one of them: "
                "a label cost has no direction"
            )
        used = _with_neighbour(step)
        array = as_capacities(value, f"edges[{step}]", shape, used)
        weights = np.zeros(shape)
        # Kept at the first pixel of each pair.
        forward = next(d for d in step if d) > 0
        at = used if forward else _with_neighbour(tuple(-d for d in step))
        if all(abs(d) < size for d, size in zip(step, shape, strict=True)):
            weights[at] = array[used]
            linear = abs(sum(d * stride for d, stride in zip(step, strides, strict=True)))
            found[step] = (linear, weights.ravel())
        else:
            found[step] = (0, weights.ravel())
    rows = sorted((row for row in found.values() if row[0] > 0), key=lambda row: row[0])
    n_pixels = int(np.prod(shape))
    stacked = np.stack([row[1] for row in rows]) if rows else np.zeros((0, n_pixels))
    return GridEdges(np.array([row[0] for row in rows], np.int32), stacked)


def _as_offset(offset: Any, n_axes: int) -> tuple[int, ...]:
    names = {2: "(dy, dx)", 3: "(dz, dy, dx)"}.get(n_axes, f"{n_axes} whole numbers")
    try:
        step = tuple(int(d) for d in offset)
        whole = all(int(d) == d for d in offset)
    except (TypeError, ValueError, OverflowError):
        step, whole = (), False
    if not whole or len(step) != n_axes or not any(step):
        raise ValueError(f"edges has the offset {offset!r}, expected {names}, not all 0")
    return step


def _with_neighbour(offset: tuple[int, ...]) -> tuple[slice, ...]:
    """The part of a grid whose neighbour at the offset lies in the grid."""
    return tuple(slice(max(0, -d), -d if d > 0 else None) for d in offset)


def _graph_edges(pairs: ArrayLike, weights: ArrayLike, n_nodes: int) -> GraphEdges:
    ends = np.asarray(pairs)
    if ends.dtype.kind not in "iu" and ends.size:
        raise TypeError(f"edges[0] has dtype {ends.dtype}, expected integers (pairs of nodes)")
    if ends.size == 0:
        ends = np.zeros((0, 2), np.int64)
    if ends.ndim != 2 or ends.shape[1] != 2:
        raise ValueError(f"edges[0] has shape {ends.shape}, expected (E, 2)")
    if ends.size and (int(ends.min()) < 0 or int(ends.max()) >= n_nodes):
        raise ValueError(
            f"edges[0] holds nodes {int(ends.min())} to {int(ends.max())}, expected 0 to "
            f"{n_nodes - 1}, the rows of unary"
        )
    values = as_capacities(weights, "edges[1]", (len(ends),)).astype(np.float64)
    ends = ends.astype(np.int64)
    apart = ends[:, 0] != ends[:, 1]
    ends, values = ends[apart], values[apart]
    # Both ways, sorted, parallel edges added up.
    keys = np.concatenate([ends @ [n_nodes, 1], ends @ [1, n_nodes]])
    unique, group = np.unique(keys, return_inverse=True)
    sums = np.bincount(group, np.concatenate([values, values])).astype(np.float64)
    first = np.searchsorted(unique, np.arange(n_nodes + 1) * n_nodes)
    return GraphEdges(first.astype(np.int64), (unique % n_nodes).astype(np.int32), sums)

"""Cuts of images and volumes: their cost arc by arc, all of them, and one by augmenting paths."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

Offset = tuple[int, ...]
Shape = tuple[int, ...]
Weights = dict[Offset, np.ndarray]


def offsets(connectivity: int, symmetric: bool) -> list[Offset]:
    """One offset of each pair of opposites, or both."""
    dimensions, steps = {4: (2, 1), 8: (2, 2), 6: (3, 1), 26: (3, 3)}[connectivity]
    found = [
        tuple(int(n) - 1 for n in index)
        for index in np.ndindex(*(3,) * dimensions)
        if 0 < sum(abs(int(n) - 1) for n in index) <= steps
    ]
    return [o for o in found if not symmetric or o > (0,) * dimensions]


def random_problem(
    rng: np.random.Generator, shape: Shape, connectivity: int, symmetric: bool, top: int
) -> tuple[np.ndarray, np.ndarray, Weights]:
    """Integer capacities up to `top`, terminals up to three times as much, many zeros."""

    def draw(largest: int) -> np.ndarray:
        present = rng.random(shape) < rng.choice([0.3, 0.7, 1.0])
        return rng.integers(0, largest, shape, endpoint=True) * present

    weights = {o: draw(top) for o in offsets(connectivity, symmetric)}
    return draw(3 * top), draw(3 * top), weights


def smooth_problem(
    rng: np.random.Generator, shape: Shape, top: int
) -> tuple[np.ndarray, np.ndarray, Weights]:
    """Like an image's: large regions that want one side, edges that are weak here and there."""
    wish = gaussian_filter(rng.normal(size=shape), rng.uniform(2, 12))
    wish = np.rint(wish / np.abs(wish).max() * 2 * top).astype(np.int64)
    wish += rng.integers(-top // 2, top // 2, shape, endpoint=True)
    strength = np.exp(-3 * np.abs(gaussian_filter(rng.normal(size=shape), 1.5)) * 5)
    weights = {
        o: np.rint(top * strength * rng.uniform(0.5, 1, shape)).astype(np.int64)
        for o in offsets(8, True)
    }
    return np.maximum(wish, 0), np.maximum(-wish, 0), weights


def arcs(shape: Shape, weights: Weights) -> list[tuple[int, int, Any]]:
    """(from, to, capacity) of all arcs; pixels are numbered in raster order."""
    found = []
    for offset, array in weights.items():
        array = np.broadcast_to(array, shape)
        opposite = tuple(-step for step in offset)
        for here in np.ndindex(*shape):
            there = tuple(i + step for i, step in zip(here, offset, strict=True))
            if all(0 <= i < n for i, n in zip(there, shape, strict=True)):
                p, q = (int(np.ravel_multi_index(at, shape)) for at in (here, there))
                capacity = array[here].item()
                found.append((p, q, capacity))
                if opposite not in weights:
                    found.append((q, p, capacity))
    return found


def pair_slices(shape: Shape, offset: Offset) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The pixels that have a neighbour at the offset, and those neighbours."""
    ends = list(zip(shape, offset, strict=True))
    return (
        tuple(slice(max(0, -step), n - max(0, step)) for n, step in ends),
        tuple(slice(max(0, step), n + min(0, step)) for n, step in ends),
    )


def cut_cost(source: np.ndarray, sink: np.ndarray, weights: Weights, mask: np.ndarray) -> Any:
    """What the cut with that source side costs."""
    total = sink[mask].sum().item() + source[~mask].sum().item()
    for offset, array in weights.items():
        here, there = pair_slices(mask.shape, offset)
        cut = mask[here] & ~mask[there]
        if tuple(-step for step in offset) not in weights:
            cut |= ~mask[here] & mask[there]
        total += np.broadcast_to(array, mask.shape)[here][cut].sum().item()
    return total


@cache
def all_masks(n: int) -> np.ndarray:
    """(2^n, n) bool: every subset."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def all_minimum_cuts(
    source: np.ndarray, sink: np.ndarray, weights: Weights
) -> tuple[int, np.ndarray, np.ndarray]:
    """The least cost of all 2^n cuts, and what all, or any, of the best source sides hold."""
    inside = all_masks(source.size)
    costs = inside @ sink.ravel() + ~inside @ source.ravel()
    for p, q, capacity in arcs(source.shape, weights):
        costs = costs + capacity * (inside[:, p] & ~inside[:, q])
    best = inside[costs == costs.min()]
    shape = source.shape
    return int(costs.min()), best.all(axis=0).reshape(shape), best.any(axis=0).reshape(shape)


def augmenting_paths(
    source: np.ndarray, sink: np.ndarray, weights: Weights
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Edmonds & Karp: flow along shortest paths until there is none; both extreme source sides."""
    n = source.size
    start, end = n, n + 1
    residual: list[dict[int, Any]] = [{} for _ in range(n + 2)]

    def add(p: int, q: int, capacity: Any) -> None:
        residual[p][q] = residual[p].get(q, 0) + capacity
        residual[q].setdefault(p, 0)

    for p in range(n):
        add(start, p, source.ravel()[p].item())
        add(p, end, sink.ravel()[p].item())
    for p, q, capacity in arcs(source.shape, weights):
        add(p, q, capacity)

    def reached(first: int, forward: bool) -> dict[int, int]:
        parent = {first: first}
        queue = deque([first])
        while queue:
            p = queue.popleft()
            for q in residual[p]:
                if q not in parent and (residual[p][q] if forward else residual[q][p]) > 0:
                    parent[q] = p
                    queue.append(q)
        return parent

    flow = 0
    while end in (parent := reached(start, True)):
        path = [end]
        while path[-1] != start:
            path.append(parent[path[-1]])
        steps = list(zip(path[1:], path, strict=False))
        room = min(residual[p][q] for p, q in steps)
        for p, q in steps:
            residual[p][q] -= room
            residual[q][p] += room
        flow += room
    minimal, sinkwards = reached(start, True), reached(end, False)
    return (
        flow,
        np.array([p in minimal for p in range(n)]).reshape(source.shape),
        np.array([p not in sinkwards for p in range(n)]).reshape(source.shape),
    )


def pymaxflow(source: np.ndarray, sink: np.ndarray, weights: Weights) -> tuple[Any, np.ndarray]:
    """Flow and a minimum cut by the peer, in integers or in doubles."""
    import maxflow

    exact = source.dtype.kind == "i"
    graph = (maxflow.GraphInt if exact else maxflow.GraphFloat)()
    dtype = np.int64 if exact else np.float64
    nodes = graph.add_grid_nodes(source.shape)
    for offset, array in weights.items():
        structure = np.zeros((3,) * source.ndim)
        structure[tuple(1 + step for step in offset)] = 1
        both = tuple(-step for step in offset) not in weights
        graph.add_grid_edges(nodes, array.astype(dtype), structure, symmetric=both)
    graph.add_grid_tedges(nodes, source.astype(dtype), sink.astype(dtype))
    flow = graph.maxflow()
    return flow, ~graph.get_grid_segments(nodes)

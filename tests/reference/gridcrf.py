"""The slow, obvious ways: sums over nodes and edges, and all labellings one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def grid_edges(edges, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A dict of offsets as (pairs, weights)."""
    height, width = shape
    pairs, weights = [], []
    for (dy, dx), value in edges.items():
        array = np.broadcast_to(value, shape)
        for y, x in np.ndindex(shape):
            if 0 <= y + dy < height and 0 <= x + dx < width:
                pairs.append((y * width + x, (y + dy) * width + x + dx))
                weights.append(array[y, x])
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(weights, np.float64)


def energy(labels, unary, pairs, weights, cost) -> float:
    """Of a graph, unary (N, L)."""
    total = sum(float(unary[p, x]) for p, x in enumerate(labels))
    for (p, q), weight in zip(pairs, weights, strict=True):
        total += float(weight) * float(cost[labels[p], labels[q]])
    return total


def all_energies(unary, pairs, weights, cost) -> Iterator[tuple[tuple[int, ...], float]]:
    for labels in itertools.product(range(unary.shape[1]), repeat=len(unary)):
        yield labels, energy(labels, unary, pairs, weights, cost)


def min_marginals(unary, pairs, weights, cost) -> NDArray[np.float64]:
    """Least energy with each label at each node, above the least of all."""
    least = np.full(unary.shape, np.inf)
    nodes = np.arange(len(unary))
    for labels, value in all_energies(unary, pairs, weights, cost):
        least[nodes, labels] = np.minimum(least[nodes, labels], value)
    return least - least.min()


def marginals(unary, pairs, weights, cost) -> NDArray[np.float64]:
    """Probabilities of each label at each node under exp(-energy)."""
    total = np.zeros(unary.shape)
    nodes = np.arange(len(unary))
    for labels, value in all_energies(unary, pairs, weights, cost):
        total[nodes, labels] += np.exp(-value)
    return total / total.sum(axis=1, keepdims=True)

"""Energies of labellings, and the best move by trying all, slow and obvious."""

from __future__ import annotations

from itertools import product

import numpy as np

Pairs = list[tuple[int, int, float]]


def pairs_of(edges: object, shape: tuple[int, ...]) -> Pairs:
    """Pairs of nodes, numbered in raster order, and their weights."""
    if not isinstance(edges, dict):
        ends, weights = edges  # type: ignore[misc]
        return [(int(p), int(q), float(w)) for (p, q), w in zip(ends, weights, strict=True)]
    found = []
    for offset, weight in edges.items():
        weight = np.broadcast_to(weight, shape)
        for at in np.ndindex(*shape):
            to = tuple(a + d for a, d in zip(at, offset, strict=True))
            if all(0 <= a < size for a, size in zip(to, shape, strict=True)):
                p, q = (int(np.ravel_multi_index(where, shape)) for where in (at, to))
                found.append((p, q, float(weight[at])))
    return found


def cost_table(label_cost: object, n_labels: int) -> np.ndarray:
    cost = np.asarray(label_cost, float)
    return cost if cost.ndim else cost * (1 - np.eye(n_labels))


def energy(labels: np.ndarray, unary: np.ndarray, edges: object, label_cost: object = 1.0) -> float:
    x = np.ravel(labels)
    costs = unary.reshape(len(x), -1).astype(float)
    table = cost_table(label_cost, costs.shape[1])
    total = costs[np.arange(len(x)), x].sum()
    return float(total + sum(w * table[x[p], x[q]] for p, q, w in pairs_of(edges, labels.shape)))


def minimum(unary: np.ndarray, edges: object, label_cost: object = 1.0) -> float:
    """The smallest energy of all labellings."""
    shape, n_labels = unary.shape[:-1], unary.shape[-1]
    return min(
        energy(np.reshape(x, shape), unary, edges, label_cost)
        for x in product(range(n_labels), repeat=int(np.prod(shape)))
    )


def best_expansion(
    labels: np.ndarray, unary: np.ndarray, edges: object, label_cost: object = 1.0
) -> float:
    """The smallest energy within one expansion move of the labels, of any label."""
    x = np.ravel(labels)
    found = [
        energy(np.where(taken, alpha, x).reshape(labels.shape), unary, edges, label_cost)
        for alpha in range(unary.shape[-1])
        for taken in product([False, True], repeat=len(x))
    ]
    return min(found)


def best_swap(
    labels: np.ndarray, unary: np.ndarray, edges: object, label_cost: object = 1.0
) -> float:
    """The smallest energy within one swap move of the labels, of any two of them."""
    x = np.ravel(labels)
    found = []
    for a in range(unary.shape[-1]):
        for b in range(a):
            either = np.flatnonzero((x == a) | (x == b))
            for values in product([a, b], repeat=len(either)):
                y = x.copy()
                y[either] = values
                found.append(energy(y.reshape(labels.shape), unary, edges, label_cost))
    return min(found, default=energy(labels, unary, edges, label_cost))

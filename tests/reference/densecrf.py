"""The dense CRF twice: with sums over all pairs of points, and on the lattice, step by step."""

from __future__ import annotations

import numpy as np


def gaussian_kernel(features: np.ndarray) -> np.ndarray:
    """exp(-|f_i - f_j|^2 / 2) of all pairs of points (N, F)."""
    difference = features[:, None, :] - features[None, :, :]
    return np.exp(-0.5 * (difference**2).sum(axis=-1))


def lattice_kernel(features: np.ndarray) -> np.ndarray:
    """The same by the permutohedral lattice: (N, N), the filter as a matrix.

    Adams, Baek & Davis 2010: embed in the hyperplane sum = 0, find the enclosing simplex, splat
    with barycentric weights, blur with (1/2, 1, 1/2) along each axis, slice with the same weights.
    """
    n, d = features.shape
    vertices: dict[tuple[int, ...], int] = {}
    weights = []
    for point in _embed(features):
        weights.append(dict(_simplex(point)))
        for vertex in weights[-1]:
            vertices.setdefault(vertex, len(vertices))
    splat = np.zeros((len(vertices), n))
    for i, own in enumerate(weights):
        for vertex, weight in own.items():
            splat[vertices[vertex], i] = weight
    blurred = splat
    for axis in range(d + 1):
        step = np.full(d + 1, -1)
        step[axis] = d
        result = blurred.copy()
        for vertex, row in vertices.items():
            for sign in (-1, 1):
                other = vertices.get(tuple(int(c) for c in np.array(vertex) + sign * step))
                if other is not None:
                    result[row] += blurred[other] / 2
        blurred = result
    return splat.T @ blurred / (1 + 2.0**-d)


def _embed(features: np.ndarray) -> np.ndarray:
    """Points (N, d) in the hyperplane, (N, d + 1), scaled to the blur's deviation.

    In float32 and in the usual order of additions, because a point on the border of two simplices
    decides by its last bit which lattice points there are.
    """
    n, d = features.shape
    embedded = np.zeros((n, d + 1), np.float32)
    total = np.zeros(n, np.float32)
    for j in range(d, 0, -1):
        scale = np.float32((d + 1) * np.sqrt(2 / 3) / np.sqrt(j * (j + 1)))
        scaled = features[:, j - 1].astype(np.float32) * scale
        embedded[:, j] = total - np.float32(j) * scaled
        total += scaled
    embedded[:, 0] = total
    return embedded


def _simplex(point: np.ndarray) -> list[tuple[tuple[int, ...], float]]:
    """The vertices around a point with their weights."""
    k = len(point)
    cells = point * np.float32(1 / np.float32(k))
    corner = np.rint(cells).astype(int)
    difference = cells - corner
    surplus = int(corner.sum())
    order = sorted(range(k), key=lambda i: -difference[i])  # ties: in the order of the axes
    if surplus > 0:  # those that were rounded up by most come down
        changed, sign = order[k - surplus :], -1
    else:
        changed, sign = order[: -surplus or 0], 1
    for i in changed:
        corner[i] += sign
        difference[i] -= sign
    # The changed ones move to the other end of the order.
    order = changed + order[: k - surplus] if surplus > 0 else order[-surplus:] + changed
    ordered = difference[order].astype(float)
    found = []
    for m in range(k):
        vertex = corner * k + m
        vertex[order[k - m :]] -= k
        weight = 1 - (ordered[0] - ordered[-1]) if m == 0 else ordered[k - m - 1] - ordered[k - m]
        found.append((tuple(int(c) for c in vertex), float(weight)))
    return found


def normalize(kernel: np.ndarray, how: str) -> np.ndarray:
    sums = kernel.sum(axis=1)
    if how == "symmetric":
        return kernel / np.sqrt(sums[:, None] * sums[None, :])
    if how == "before":
        return kernel / sums[None, :]
    return kernel / sums[:, None] if how == "after" else kernel


def mean_field(
    unary: np.ndarray, kernel: np.ndarray, penalty: np.ndarray, n_iterations: int
) -> tuple[np.ndarray, list[float]]:
    """Marginals (N, L) and the free energy of the start and after each iteration.

    `kernel` is the weighted sum of the normalised kernels, the diagonal included.
    """
    q = _softmax(-unary)
    energies = [free_energy(q, unary, kernel, penalty)]
    for _ in range(n_iterations):
        q = _softmax(-unary - kernel @ q @ penalty)
        energies.append(free_energy(q, unary, kernel, penalty))
    return q, energies


def free_energy(q: np.ndarray, unary: np.ndarray, kernel: np.ndarray, penalty: np.ndarray) -> float:
    entropy = (q * np.log(np.maximum(q, 1e-300))).sum()
    return float(entropy + (q * unary).sum() + 0.5 * (q * (kernel @ q @ penalty)).sum())


def _softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

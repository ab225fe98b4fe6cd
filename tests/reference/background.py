"""Robust background detection and geodesic saliency, region by region."""

from __future__ import annotations

import math

import numpy as np


def steps(distances: np.ndarray, touching: np.ndarray) -> np.ndarray:
    """Colour distances less the mean smallest distance to a region at most two steps away."""
    n = len(distances)
    smallest = []
    for i in range(n):
        near = {j for j in range(n) if touching[i, j]}
        near |= {k for j in near for k in range(n) if touching[j, k]}
        near.discard(i)
        if near:
            smallest.append(min(distances[i, j] for j in near))
    texture = sum(smallest) / len(smallest) if smallest else 0.0
    return np.array([[max(d - texture, 0.0) for d in row] for row in distances])


def shortest_paths(lengths: np.ndarray, linked: np.ndarray) -> np.ndarray:
    """Floyd and Warshall's."""
    n = len(lengths)
    paths = np.full((n, n), math.inf)
    for i in range(n):
        paths[i, i] = 0.0
        for j in range(n):
            if linked[i, j]:
                paths[i, j] = lengths[i, j]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                paths[i, j] = min(paths[i, j], paths[i, k] + paths[k, j])
    return paths


def boundary_connectivity(paths: np.ndarray, rim: np.ndarray, sigma: float = 7.0) -> np.ndarray:
    """Equations 3 to 5 of Zhu et al. 2014."""
    found = []
    for row in paths:
        similar = [math.exp(-(d**2) / (2 * sigma**2)) for d in row]
        length = sum(s for s, at_rim in zip(similar, rim, strict=True) if at_rim)
        found.append(length / math.sqrt(sum(similar)))
    return np.array(found)


def background_contrast(
    distances: np.ndarray, offsets: np.ndarray, background: np.ndarray, sigma: float = 0.4
) -> np.ndarray:
    """Equation 7, before any scaling."""
    n = len(distances)
    return np.array(
        [
            sum(
                distances[i, j] * math.exp(-(offsets[i, j] ** 2) / (2 * sigma**2)) * background[j]
                for j in range(n)
            )
            for i in range(n)
        ]
    )


def cost(
    values: np.ndarray,
    background: np.ndarray,
    foreground: np.ndarray,
    distances: np.ndarray,
    touching: np.ndarray,
    rim: np.ndarray,
) -> float:
    """Equation 9, each pair once; colour sigma 10, 0.1 for regions that touch."""
    n = len(values)
    total = 0.0
    for i in range(n):
        total += background[i] * values[i] ** 2 + foreground[i] * (values[i] - 1) ** 2
        for j in range(i):
            common = any(touching[i, k] and touching[k, j] for k in range(n))
            weight = 0.1 * touching[i, j]
            if touching[i, j] or common or (rim[i] and rim[j]):
                weight += math.exp(-(distances[i, j] ** 2) / (2 * 10**2))
            total += weight * (values[i] - values[j]) ** 2
    return total

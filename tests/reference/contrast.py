"""Contrast-sensitive weights, pair by pair."""

from __future__ import annotations

import math

import numpy as np

OFFSETS = [(0, 1), (1, -1), (1, 0), (1, 1)]


def pairs(shape: tuple[int, ...], connectivity: int) -> list[tuple[int, int, int, int]]:
    """(y, x, dy, dx) of all pairs of neighbours."""
    h, w = shape[:2]
    return [
        (y, x, dy, dx)
        for dy, dx in OFFSETS
        if connectivity == 8 or 0 in (dy, dx)
        for y in range(h)
        for x in range(w)
        if 0 <= y + dy < h and 0 <= x + dx < w
    ]


def squared_difference(image: np.ndarray, y: int, x: int, dy: int, dx: int) -> float:
    p, q = np.atleast_1d(image[y, x]), np.atleast_1d(image[y + dy, x + dx])
    return sum((float(a) - float(b)) ** 2 for a, b in zip(p, q, strict=True))


def beta(image: np.ndarray, connectivity: int) -> float:
    differences = [squared_difference(image, *pair) for pair in pairs(image.shape, connectivity)]
    return len(differences) / (2 * sum(differences)) if sum(differences) else 0.0


def weights(
    image: np.ndarray, gamma: float, beta: float, connectivity: int
) -> dict[tuple[int, int], np.ndarray]:
    found = {
        (dy, dx): np.zeros(image.shape[:2])
        for dy, dx in OFFSETS
        if connectivity == 8 or 0 in (dy, dx)
    }
    for y, x, dy, dx in pairs(image.shape, connectivity):
        distance = math.hypot(dy, dx)
        difference = squared_difference(image, y, x, dy, dx)
        found[dy, dx][y, x] = gamma / distance * math.exp(-beta * difference)
    return found

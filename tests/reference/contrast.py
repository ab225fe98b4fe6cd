"""Contrast-sensitive weights of images and volumes, pair by pair."""

from __future__ import annotations

import math

import numpy as np

from reference.maxflow import Offset, offsets

Pixel = tuple[int, ...]


def pairs(shape: Pixel, connectivity: int) -> list[tuple[Pixel, Pixel, Offset]]:
    """All pairs of neighbours, and the offset between them."""
    found = []
    for offset in offsets(connectivity, symmetric=True):
        for here in np.ndindex(*shape):
            there = tuple(i + step for i, step in zip(here, offset, strict=True))
            if all(0 <= i < n for i, n in zip(there, shape, strict=True)):
                found.append((here, there, offset))
    return found


def squared_difference(image: np.ndarray, here: Pixel, there: Pixel) -> float:
    p, q = np.atleast_1d(image[here]), np.atleast_1d(image[there])
    return sum((float(a) - float(b)) ** 2 for a, b in zip(p, q, strict=True))


def dimensions(connectivity: int) -> int:
    return 2 if connectivity in (4, 8) else 3


def beta(image: np.ndarray, connectivity: int) -> float:
    shape = image.shape[: dimensions(connectivity)]
    differences = [
        squared_difference(image, here, there) for here, there, _ in pairs(shape, connectivity)
    ]
    return len(differences) / (2 * sum(differences)) if sum(differences) else 0.0


def weights(
    image: np.ndarray,
    gamma: float,
    beta: float,
    connectivity: int,
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
) -> dict[Offset, np.ndarray]:
    shape = image.shape[: dimensions(connectivity)]
    found = {offset: np.zeros(shape) for offset in offsets(connectivity, symmetric=True)}
    for here, there, offset in pairs(shape, connectivity):
        distance = math.hypot(*(step * unit for step, unit in zip(offset, spacing, strict=False)))
        difference = squared_difference(image, here, there)
        found[offset][here] = gamma / distance * math.exp(-beta * difference)
    return found

"""SLIC in plain steps on a planar image: what the kernel's method "slic" must give, bit for bit."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

F = np.float32


def slic(planes: np.ndarray, n: int, compactness: float, n_iterations: int) -> np.ndarray:
    """Labels of planes (C, H, W) of whole numbers."""
    _, height, width = planes.shape
    rows = min(max(math.floor(math.sqrt(n * height / width) + 0.5), 1), height, n)
    seeds, gap = [], [math.ceil(height / rows), 1]
    for j in range(rows):
        columns = n * (j + 1) // rows - n * j // rows
        gap[1] = max(gap[1], math.ceil(width / columns))
        for k in range(columns):
            seeds.append((int((j + 0.5) * height / rows), int((k + 0.5) * width / columns)))
    means = [start(planes, y, x) for y, x in seeds]
    interval = math.sqrt(height * width / n)
    place = (compactness / interval) ** 2
    reach = [max(math.ceil(interval), g) for g in gap]
    for i in range(n_iterations):
        labels = assign(planes, means, F(place), reach)
        if i + 1 < n_iterations:
            for k in range(n):
                own = np.nonzero(labels == k)
                if len(own[0]):
                    sums = [*map(np.sum, own), *planes[:, own[0], own[1]].sum(1, np.float64)]
                    means[k] = np.array([s / len(own[0]) for s in sums], F)
    return merge(planes, labels, n, place)


def start(planes: np.ndarray, cy: int, cx: int) -> np.ndarray:
    _, height, width = planes.shape
    least, best = math.inf, (cy, cx)
    for y in range(max(cy - 1, 1), min(cy + 2, height - 1)):
        for x in range(max(cx - 1, 1), min(cx + 2, width - 1)):
            dx = planes[:, y, x + 1] - planes[:, y, x - 1]
            dy = planes[:, y + 1, x] - planes[:, y - 1, x]
            gradient = F(0)
            for c in range(len(planes)):
                gradient += dx[c] * dx[c] + dy[c] * dy[c]
            if gradient < least:
                least, best = gradient, (y, x)
    return np.array([*best, *planes[:, best[0], best[1]]], F)


def assign(planes: np.ndarray, means: list, place: np.float32, reach: list[int]) -> np.ndarray:
    _, height, width = planes.shape
    nearest = np.full((height, width), np.inf, F)
    labels = np.full((height, width), -2)
    for k, mean in enumerate(means):
        cy, cx = math.floor(mean[0] + 0.5), math.floor(mean[1] + 0.5)
        ys = slice(max(cy - reach[0], 0), cy + reach[0] + 1)
        # Windows end at multiples of eight columns.
        xs = slice(max(cx - reach[1], 0) // 8 * 8, (cx + reach[1]) // 8 * 8 + 8)
        dy = (np.arange(height, dtype=F) - mean[0])[ys, None]
        dx = (np.arange(width, dtype=F) - mean[1])[None, xs]
        steps = [planes[c][ys, xs] - mean[2 + c] for c in range(len(planes))]
        color = steps[0] * steps[0]
        for step in steps[1:]:
            color = color + step * step
        d = place * dy * dy + place * (dx * dx) + color
        nearer = d < nearest[ys, xs]
        labels[ys, xs][nearer] = k
        nearest[ys, xs][nearer] = d[nearer]
    return labels


def merge(planes: np.ndarray, labels: np.ndarray, n: int, place: float) -> np.ndarray:
    pieces = np.zeros(labels.shape, int)
    count = 0
    for k in np.unique(labels):
        part, m = ndimage.label(labels == k)
        pieces += np.where(part > 0, part + count, 0)
        count += m
    # In order of first appearance.
    _, first, inverse = np.unique(pieces, return_index=True, return_inverse=True)
    pieces = np.argsort(np.argsort(first))[inverse].reshape(labels.shape)
    values = [*np.indices(labels.shape), *planes.astype(float)]
    weight = np.array([place, place] + [1.0] * len(planes))
    sizes = dict(enumerate(np.bincount(pieces.ravel()).astype(float)))
    sums = {k: np.array([v[pieces == k].sum() for v in values]) for k in sizes}

    def cost(a: int, b: int) -> float:
        d = sums[a] / sizes[a] - sums[b] / sizes[b]
        return float((weight * d * d).sum() * sizes[a] * sizes[b] / (sizes[a] + sizes[b]))

    touching = set()
    for u, v in ((pieces[1:], pieces[:-1]), (pieces[:, 1:], pieces[:, :-1])):
        touching |= {(min(p), max(p)) for p in zip(u.ravel(), v.ravel(), strict=True)}
    touching = {(a, b) for a, b in touching if a != b}
    while len(sizes) > n and touching:
        a, b = min(touching, key=lambda pair: (cost(*pair), pair))
        pieces[pieces == b] = a
        sizes[a] += sizes.pop(b)
        sums[a] = sums[a] + sums.pop(b)
        renamed = {tuple(a if k == b else k for k in pair) for pair in touching}
        touching = {(min(p), max(p)) for p in renamed if p[0] != p[1]}
    return np.unique(pieces, return_inverse=True)[1].reshape(labels.shape)

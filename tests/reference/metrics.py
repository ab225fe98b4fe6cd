"""Scores counted pixel by pixel."""

from __future__ import annotations

import math

import numpy as np


def confusion(truth: np.ndarray, labels: np.ndarray, n: int, void: int) -> np.ndarray:
    counts = np.zeros((n, n), int)
    for t, p in zip(truth.ravel().tolist(), labels.ravel().tolist(), strict=True):
        if t != void:
            counts[t, p] += 1
    return counts


def scores(counts: np.ndarray) -> tuple[float, float, float, float]:
    """Pixel accuracy, mean accuracy, mean IoU, frequency-weighted IoU, as the paper writes them."""
    n, total = len(counts), int(counts.sum())
    if total == 0:
        return (math.nan,) * 4
    accuracies, ious, weighted, right = [], [], 0.0, 0
    for i in range(n):
        t_i = int(sum(counts[i, j] for j in range(n)))
        p_i = int(sum(counts[j, i] for j in range(n)))
        n_ii = int(counts[i, i])
        right += n_ii
        if t_i:
            accuracies.append(n_ii / t_i)
            weighted += t_i * n_ii / (t_i + p_i - n_ii)
        if t_i + p_i:
            ious.append(n_ii / (t_i + p_i - n_ii))
    return (
        right / total,
        sum(accuracies) / len(accuracies),
        sum(ious) / len(ious),
        weighted / total,
    )


def boundary(mask: np.ndarray) -> list[tuple[int, int]]:
    """Pixels that differ from the one at the right, below, or diagonally below."""
    h, w = mask.shape
    return [
        (y, x)
        for y in range(h)
        for x in range(w)
        if any(
            y + dy < h and x + dx < w and mask[y + dy, x + dx] != mask[y, x]
            for dy, dx in ((0, 1), (1, 0), (1, 1))
        )
    ]


def boundary_f(truth: np.ndarray, mask: np.ndarray, radius: float) -> float:
    true, found = boundary(truth), boundary(mask)
    if not true or not found:
        return float(len(true) == len(found))

    def near(points: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        hits = sum(any(math.dist(a, b) <= radius for b in others) for a in points)
        return hits / len(points)

    precision, recall = near(found, true), near(true, found)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def band(labels: np.ndarray, width: float) -> np.ndarray:
    """Pixels within width - 1/2 of one that has a neighbour with another label."""
    h, w = labels.shape
    touching = [
        (y, x)
        for y in range(h)
        for x in range(w)
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if 0 <= y + dy < h and 0 <= x + dx < w and labels[y + dy, x + dx] != labels[y, x]
    ]
    near = np.zeros((h, w), bool)
    for y in range(h):
        for x in range(w):
            near[y, x] = any(math.dist((y, x), other) <= width - 0.5 for other in touching)
    return near

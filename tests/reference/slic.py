"""SLIC in plain steps on a planar image: what the kernel's method "slic" must give, bit for bit."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

F = np.float32


def slic(planes: np.ndarray, n: int, compactness: float, n_iterations: int) -> np.ndarray:
    """Labels of planes (C, H, W) of whole numbers."""
    planes = planes.astype(np.int64)
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
    step = compactness / interval
    reach = [
        max(min(math.ceil(interval), length), g)
        for length, g in zip((height, width), gap, strict=True)
    ]
    # Steps across a window and the tiles beyond it must not be more than 16 bits can hold.
    gain = min(1.0, 26000 / (step * max(reach[0] + 32, reach[1] + 16)))
    for i in range(n_iterations):
        labels = assign(planes, means, F(step * gain), F(gain), reach)
        if i + 1 < n_iterations:
            for k in range(n):
                own = np.nonzero(labels == k)
                if len(own[0]):
                    sums = [*map(np.sum, own), *planes[:, own[0], own[1]].sum(1)]
                    means[k] = np.array([s * (1 / len(own[0])) for s in sums], F)
    return merge(planes, without_specks(labels), n, step**2)


def start(planes: np.ndarray, cy: int, cx: int) -> np.ndarray:
    _, height, width = planes.shape
    least, best = math.inf, (cy, cx)
    for y in range(max(cy - 1, 1), min(cy + 2, height - 1)):
        for x in range(max(cx - 1, 1), min(cx + 2, width - 1)):
            dx = planes[:, y, x + 1] - planes[:, y, x - 1]
            dy = planes[:, y + 1, x] - planes[:, y - 1, x]
            gradient = (dx * dx + dy * dy).sum()
            if gradient < least:
                least, best = gradient, (y, x)
    return np.array([*best, *planes[:, best[0], best[1]]], F)


def word(x: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(x, -32767, 32767)).astype(np.int64)


def times(a: np.ndarray, b: np.ndarray | int) -> np.ndarray:
    return (a * b + 16384) >> 15


def assign(
    planes: np.ndarray, means: list, step: np.float32, gain: np.float32, reach: list[int]
) -> np.ndarray:
    """By tiles of 4 x 16 pixels, which look at the clusters whose windows they meet."""
    _, height, width = planes.shape
    labels = np.full((height, width), -2)
    fraction = min(int(F(gain) * F(32768) + F(0.5)), 32767)
    for top in range(0, height, 4):
        for left in range(0, width, 16):
            tile = np.s_[top : top + 4, left : left + 16]
            rows, columns = (np.arange(length) for length in labels[tile].shape)
            nearest = np.full(labels[tile].shape, 65536)
            for k, mean in enumerate(means):
                cy, cx = np.rint(mean[0]), np.rint(mean[1])
                if top > cy + reach[0] or top + len(rows) - 1 < cy - reach[0]:
                    continue
                if left // 16 > (cx + reach[1]) // 16 or left // 16 < max(cx - reach[1], 0) // 16:
                    continue
                dy = ((rows + top).astype(F) - mean[0]) * step
                down = np.minimum((dy * dy * F(1 / 32768) + F(0.5)).astype(np.int64), 65535)
                dx = word(columns.astype(F) * step) - word((mean[1] - F(left)) * step)
                across = times(np.clip(dx, -32768, 32767), np.clip(dx, -32768, 32767))
                d = down[:, None] + across
                for plane, color in zip(planes, word(mean[2:]), strict=True):
                    difference = np.clip(color - plane[tile], -32768, 32767)
                    if gain < 1:
                        difference = times(np.clip(difference, -32767, 32767), fraction)
                    d = d + times(difference, difference)
                d = np.minimum(d, 65535)
                labels[tile][d < nearest] = k
                nearest = np.minimum(nearest, d)
    return labels


def without_specks(labels: np.ndarray) -> np.ndarray:
    """Pixels that at most one of the four neighbours is like."""
    smooth = labels.copy()
    height, width = labels.shape
    for y in range(height):
        for x in range(1, width - 1):
            own = labels[y, x]
            up, down = labels[max(y - 1, 0), x], labels[min(y + 1, height - 1), x]
            left, right = labels[y, x - 1], labels[y, x + 1]
            same = [up, down, left, right].count(own)
            if same <= 1 and own >= 0:
                other = up if up == down else left if left == right else left if same == 0 else own
                if other >= 0:
                    smooth[y, x] = other
    return smooth


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

    def join(a: int, b: int) -> None:
        nonlocal touching
        a, b = min(a, b), max(a, b)
        pieces[pieces == b] = a
        sizes[a] += sizes.pop(b)
        sums[a] = sums[a] + sums.pop(b)
        renamed = {tuple(a if k == b else k for k in pair) for pair in touching}
        touching = {(min(p), max(p)) for p in renamed if p[0] != p[1]}

    # Specks of less than a sixteenth of a region go first, all by the costs as they are.
    into = {}
    for k in sizes:
        if sizes[k] < labels.size / n / 16:
            others = [a if b == k else b for a, b in touching if k in (a, b)]
            into[k] = min(others, key=lambda other: (cost(min(k, other), max(k, other)), other))
    at = {k: k for k in sizes}
    for k in sorted(into):
        a, b = at[k], at[into[k]]
        if a != b and len(sizes) > n:
            join(a, b)
            at = {p: min(a, b) if q in (a, b) else q for p, q in at.items()}
    while len(sizes) > n and touching:
        join(*min(touching, key=lambda pair: (cost(*pair), pair)))
    return np.unique(pieces, return_inverse=True)[1].reshape(labels.shape)

"""Minimum barrier distances, reconstruction, changes of size and spectra, step by step."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import ndimage


def raster_scan_barrier(channel: np.ndarray, seeds: np.ndarray, passes: int) -> np.ndarray:
    """Algorithm 1 of Zhang et al. 2015, for one channel of float32."""
    height, width = channel.shape
    infinite = np.float32(np.inf)
    high, low = np.where(seeds, channel, infinite), np.where(seeds, channel, -infinite)
    distance = np.where(seeds, np.float32(0), infinite)
    for number in range(passes):
        step = 1 if number % 2 == 0 else -1
        for y in range(height)[::step]:
            for x in range(width)[::step]:
                for v, u in ((y - step, x), (y, x - step)):
                    if not (0 <= v < height and 0 <= u < width):
                        continue
                    top = max(high[v, u], channel[y, x])
                    bottom = min(low[v, u], channel[y, x])
                    if top - bottom < distance[y, x]:
                        high[y, x], low[y, x] = top, bottom
                        distance[y, x] = top - bottom
    return distance


def exact_barrier(channel: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """For each pair of values, what is connected to a seed within them."""
    distance = np.full(channel.shape, np.inf)
    values = np.unique(channel)
    for low, high in itertools.combinations_with_replacement(values, 2):
        inside = (channel >= low) & (channel <= high)
        reached = inside & seeds.astype(bool)
        while True:
            grown = reached.copy()
            grown[1:] |= reached[:-1]
            grown[:-1] |= reached[1:]
            grown[:, 1:] |= reached[:, :-1]
            grown[:, :-1] |= reached[:, 1:]
            grown &= inside
            if (grown == reached).all():
                break
            reached = grown
        distance[reached] = np.minimum(distance[reached], float(high) - float(low))
    return distance


def shrink(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Area averages: shares of pixels as a matrix for each axis."""
    rows, columns = (_shares(n, m) for n, m in zip(image.shape[:2], (height, width), strict=True))
    return np.einsum("ij,jkc,lk->ilc", rows, image.astype(float), columns)


def enlarge(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, pixel centres at halves, ends repeated."""
    found = np.empty((height, width))
    for y, x in np.ndindex(height, width):
        v = min(max((y + 0.5) * values.shape[0] / height - 0.5, 0), values.shape[0] - 1)
        u = min(max((x + 0.5) * values.shape[1] / width - 0.5, 0), values.shape[1] - 1)
        v0, u0 = math.floor(v), math.floor(u)
        v1, u1 = min(v0 + 1, values.shape[0] - 1), min(u0 + 1, values.shape[1] - 1)
        above = (1 - u + u0) * values[v0, u0] + (u - u0) * values[v0, u1]
        below = (1 - u + u0) * values[v1, u0] + (u - u0) * values[v1, u1]
        found[y, x] = (1 - v + v0) * above + (v - v0) * below
    return found


def spectral_residual(grey: np.ndarray, sigma: float = 2.5) -> np.ndarray:
    """Hou & Zhang 2007: log amplitude less its mean of 3 x 3, with the phase; squared, blurred."""
    spectrum = np.fft.fft2(grey)
    amplitude, phase = np.abs(spectrum), np.angle(spectrum)
    log_amplitude = np.log(np.hypot(amplitude, 1e-6 * amplitude.max()))
    shifts = itertools.product((-1, 0, 1), repeat=2)
    mean = sum(np.roll(log_amplitude, shift, (0, 1)) for shift in shifts) / 9
    back = np.fft.ifft2(amplitude * np.exp(-mean + 1j * phase))
    energy = ndimage.gaussian_filter(np.abs(back) ** 2, sigma, mode="nearest")
    return (energy - energy.min()) / np.ptp(energy)


def _shares(n: int, m: int) -> np.ndarray:
    step = n / m
    i, j = np.arange(m)[:, np.newaxis], np.arange(n)
    overlap = np.minimum((i + 1) * step, j + 1) - np.maximum(i * step, j)
    return np.maximum(overlap, 0) / step

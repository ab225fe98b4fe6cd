"""The colours on both sides of a contour, near each of its points, as Gaussians."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicseg.grabcut._ribbon import Ribbon

__all__ = ["TRUSTED", "Gaussians", "local_gaussians", "trust_of"]

Array = NDArray[np.float64]

# The paper's L = 41: a square of colours, so far to all sides of the contour point.
_REACH = 20
# Variance that every channel has at least: the camera's noise, and what 8 bits round off.
_NOISE = 4.0
# The ribbon's pixels may be mixed and are left out where so many others remain. Else those count
# too that lie deeper than 3 pixels from the contour, or 1, or all: levels of trust 3, 2, 1, 0.
_ENOUGH = 20
_DEPTHS = (1.0, 3.0)
TRUSTED = 3  # outside of the ribbon

_TILE = 256


@dataclass(frozen=True)
class Gaussians:
    """Background and foreground at each of T contour points, in a basis that makes both diagonal.

    For x = basis (z - background) the background has mean 0 and covariance 1, the foreground the
    mean ``apart`` and the variances ``scale``. Of a mixture with opacity a of the foreground the
    mean is ``a apart`` and the variances are ``(1 - a)^2 + a^2 scale``.
    """

    background: Array  # (T, C) mean colours
    foreground: Array
    basis: Array  # (T, C, C)
    apart: Array  # (T, C)
    scale: Array
    levels: NDArray[np.uint8]  # (2, T), the trust of what background and foreground come from

    def offsets(self, colours: NDArray[np.float32], point: NDArray[np.intp]) -> Array:
        """x of colours (N, C) at points (N,)."""
        shifted = colours - self.background[point]
        offsets: Array = np.matmul(self.basis[point], shifted[:, :, None])[:, :, 0]
        return offsets

    def foreground_given(
        self, colours: NDArray[np.float32], point: NDArray[np.intp], alpha: Array
    ) -> Array:
        """The most likely foreground in mixed colours of known opacity."""
        opacity = alpha[:, None]
        apart, scale = self.apart[point], self.scale[point]
        residual = self.offsets(colours, point) - opacity * apart
        gain = opacity * scale / ((1 - opacity) ** 2 + opacity**2 * scale)
        shift = np.linalg.solve(self.basis[point], (gain * residual)[:, :, None])[:, :, 0]
        likely: Array = self.foreground[point] + shift
        return likely


def trust_of(shape: tuple[int, ...], ribbon: Ribbon) -> NDArray[np.uint8]:
    """How surely each pixel is all of one side: 3 outside of the ribbon, else 2, 1, 0."""
    trust = np.full(shape, TRUSTED, np.uint8)
    levels = np.searchsorted(_DEPTHS, np.abs(ribbon.distance))
    trust[ribbon.rows, ribbon.columns] = levels
    return trust


def local_gaussians(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    trust: NDArray[np.uint8],
    points: Array,
) -> Gaussians:
    """Maximum likelihood in the square around each contour point, on both sides of the mask."""
    low, low_spread, low_level = _side(pixels, ~mask, trust, points)
    high, high_spread, high_level = _side(pixels, mask, trust, points)
    # Cholesky's factor makes the background's covariance 1, the eigenvectors then turn the
    # foreground's onto the axes.
    whiten = np.linalg.inv(np.linalg.cholesky(low_spread))
    scale, axes = np.linalg.eigh(whiten @ high_spread @ whiten.transpose(0, 2, 1))
    basis = axes.transpose(0, 2, 1) @ whiten
    apart = np.matmul(basis, (high - low)[:, :, None])[:, :, 0]
    return Gaussians(low, high, basis, apart, scale, np.stack([low_level, high_level]))


def _side(
    pixels: NDArray[np.float32],
    side: NDArray[np.bool_],
    trust: NDArray[np.uint8],
    points: Array,
) -> tuple[Array, Array, NDArray[np.uint8]]:
    """Mean, covariance and level of trust at each point."""
    n_channels = pixels.shape[2]
    means = np.empty((len(points), n_channels))
    covariances = np.empty((len(points), n_channels, n_channels))
    levels = np.empty(len(points), np.uint8)
    open_points = np.arange(len(points))
    for level in range(TRUSTED, -1, -1):
        short = []
        for chosen, count, sums, products in _sums(pixels, side, trust, level, points, open_points):
            enough = count >= (_ENOUGH if level else 1)
            short.append(chosen[~enough])
            chosen, n = chosen[enough], count[enough]
            mean = sums[enough] / n[:, None]
            means[chosen] = mean
            covariances[chosen] = products[enough] / n[:, None, None]
            covariances[chosen] -= mean[:, :, None] * mean[:, None, :]
            levels[chosen] = level
        open_points = np.concatenate(short)
        if len(open_points) == 0:
            break
    assert len(open_points) == 0  # beside every contour point lie pixels of both sides
    return means, covariances + _NOISE * np.eye(n_channels), levels


def _sums(
    pixels: NDArray[np.float32],
    side: NDArray[np.bool_],
    trust: NDArray[np.uint8],
    level: int,
    points: Array,
    chosen: NDArray[np.intp],
) -> Iterator[tuple[NDArray[np.intp], Array, Array, Array]]:
    """Over the squares around the chosen points, tile by tile: counts, sums and products."""
    height, width = side.shape
    centres = np.rint(points[chosen]).astype(np.intp).clip(0, (height - 1, width - 1))
    tiles = centres // _TILE
    key = tiles[:, 0] * (width // _TILE + 1) + tiles[:, 1]
    order = np.argsort(key, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(key[order])) + 1):
        own = centres[members]
        top, left = (own.min(axis=0) - _REACH).clip(0).tolist()
        bottom, right = (own.max(axis=0) + _REACH + 1).tolist()
        part = slice(top, bottom), slice(left, right)
        used = side[part] & (trust[part] >= level)
        table = _integral(pixels[part], used)
        size = np.array(used.shape)
        low = (own - (top, left) - _REACH).clip(0)
        high = np.minimum(own - (top, left) + _REACH + 1, size)
        (y0, x0), (y1, x1) = low.T, high.T
        total = table[y1, x1] - table[y0, x1] - table[y1, x0] + table[y0, x0]
        n_channels = pixels.shape[2]
        products = total[:, 1 + n_channels :].reshape(-1, n_channels, n_channels)
        yield chosen[members], total[:, 0], total[:, 1 : 1 + n_channels], products


def _integral(pixels: NDArray[np.float32], used: NDArray[np.bool_]) -> Array:
    """Summed areas of 1, colours and their products where used."""
    height, width, n_channels = pixels.shape
    table = np.zeros((height + 1, width + 1, 1 + n_channels + n_channels**2))
    inner = table[1:, 1:]
    colours = np.where(used[:, :, None], pixels, 0).astype(np.float64)
    inner[:, :, 0] = used
    inner[:, :, 1 : 1 + n_channels] = colours
    products = colours[:, :, :, None] * colours[:, :, None, :]
    inner[:, :, 1 + n_channels :] = products.reshape(height, width, -1)
    np.cumsum(inner, axis=0, out=inner)
    np.cumsum(inner, axis=1, out=inner)
    return table

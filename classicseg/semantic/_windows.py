"""What lies around a region: its neighbours, and windows beside, above, below and far away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from classicseg import superpixels

__all__ = ["Surroundings"]

Array = NDArray[np.float32]

# Centre (row, column) and half sides (rows, columns), from the region's centroid, in quarters of
# the image's mean side; infinite ones reach to the border.
_ALL = np.inf
_WINDOWS = (
    (0.0, 0.0, 0.5, 0.5),
    (-0.5, 0.0, 0.25, 0.25),
    (0.5, 0.0, 0.25, 0.25),
    (0.0, -0.5, 0.25, 0.25),
    (0.0, 0.5, 0.25, 0.25),
    (-1.0, 0.0, 0.5, 0.5),
    (1.0, 0.0, 0.5, 0.5),
    (0.0, -1.0, 0.5, 0.5),
    (0.0, 1.0, 0.5, 0.5),
    (-_ALL, 0.0, 0.0, 0.25),
    (_ALL, 0.0, 0.0, 0.25),
    (0.0, 0.0, 0.25, _ALL),
)
# Samples of the image along its mean side.
_SAMPLES = 100


@dataclass(frozen=True)
class Surroundings:
    """Where the regions of an image lie: who touches whom, and a thinned-out map of them."""

    near: coo_array  # (K, K), each row the shares of the boundary
    grid: NDArray[np.int32]  # (rows, columns)
    corners: NDArray[np.int64]  # (windows, 4, K): top, bottom, left, right on the grid

    @classmethod
    def of(
        cls, regions: NDArray[np.int32], centroids: Array, near: superpixels.Adjacency
    ) -> Surroundings:
        height, width = regions.shape
        side = np.sqrt(height * width)
        step = max(1, round(side / _SAMPLES))
        grid = np.ascontiguousarray(regions[_thin(height, step)][:, _thin(width, step)])
        unit = side / 4 / step
        y, x = (centroids / np.float32(step)).T.astype(np.float64)
        corners = np.array(
            [
                [
                    *_span(y, dy, half_y, unit, grid.shape[0]),
                    *_span(x, dx, half_x, unit, grid.shape[1]),
                ]
                for dy, dx, half_y, half_x in _WINDOWS
            ]
        )
        return cls(_shares(near, len(centroids)), grid, corners)

    def neighbour_means(self, values: Array) -> Array:
        """Mean over the regions that touch each, weighted by the length of the boundary: (K, F)."""
        means: Array = (self.near @ values).astype(np.float32)
        return means

    def window_means(self, values: Array) -> Array:
        """Mean over each window, (K, windows * F); 0 where it lies outside of the image."""
        rows, columns = self.grid.shape
        table = np.zeros((rows + 1, columns + 1, values.shape[1]))
        np.cumsum(values[self.grid], axis=0, dtype=np.float64, out=table[1:, 1:])
        np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
        means = []
        for top, low, left, right in self.corners:
            total = table[low, right] - table[top, right] - table[low, left] + table[top, left]
            area = np.maximum((low - top) * (right - left), 1)[:, np.newaxis]
            means.append((total / area).astype(np.float32))
        return np.concatenate(means, axis=1)


def _thin(length: int, step: int) -> slice:
    return slice(min(step // 2, (length - 1) // 2), None, step)


def _span(
    centre: NDArray[np.float64], offset: float, half: float, unit: float, end: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """From and to on the grid; an infinite offset means all on that side."""
    low = centre + (offset - half) * unit if np.isfinite(offset) else centre * 0
    high = centre + (offset + half) * unit if np.isfinite(offset) else centre * 0 + end
    if offset == -np.inf:
        high = centre
    elif offset == np.inf:
        low = centre
    return _on_grid(low, end), _on_grid(high, end)


def _on_grid(edge: NDArray[np.float64], end: int) -> NDArray[np.int64]:
    return np.clip(np.rint(edge), 0, end).astype(np.int64)


def _shares(near: superpixels.Adjacency, n: int) -> coo_array:
    a, b = near.pairs.T
    lengths = np.concatenate([near.lengths, near.lengths]).astype(np.float64)
    rows = np.concatenate([a, b])
    total = np.bincount(rows, lengths, n)
    return coo_array((lengths / total[rows], (rows, np.concatenate([b, a]))), shape=(n, n)).tocsr()

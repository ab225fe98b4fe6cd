"""What can be said of each region: colour, histograms, place, size, texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import positive_int
from classicseg.superpixels._input import as_regions, as_samples
from classicseg.superpixels._regions import sums_by_region

__all__ = ["RegionFeatures", "features"]

# Rotation-invariant uniform patterns of 8 neighbours: 9 of them and one for all others.
_N_PATTERNS = 10
Array = NDArray[np.float32]


@dataclass(frozen=True)
class RegionFeatures:
    """One row for each region 0..K-1; zeros for a label that no pixel has.

    Attributes
    ----------
    size : (K,) int64
        Number of pixels.
    centroid : (K, 2) or (K, 3) float32
        Mean position in pixels: (row, column), in a volume (plane, row, column).
    mean_color, std_color : (K, C) float32
        In 0..255 units.
    histograms : (K, C, n_bins) float32
        Shares of equal bins of each channel; each histogram sums to 1.
    texture : (K, 12) float32
        Mean and standard deviation of the grey gradient's length, in 0..255 units a pixel, then
        the shares of the ten rotation-invariant uniform binary patterns.
    """

    size: NDArray[np.int64]
    centroid: Array
    mean_color: Array
    std_color: Array
    histograms: Array
    texture: Array

    def table(self) -> Array:
        """All columns side by side, (K, F) float32: what a classifier takes."""
        k = len(self.size)
        parts = (self.size[:, np.newaxis], self.centroid, self.mean_color, self.std_color)
        rows = [part.astype(np.float32).reshape(k, -1) for part in parts]
        return np.concatenate([*rows, self.histograms.reshape(k, -1), self.texture], axis=1)


def features(
    image: ArrayLike,
    labels: ArrayLike,
    n_bins: int = 8,
    *,
    data_range: tuple[float, float] | None = None,
) -> RegionFeatures:
    """Colour, histograms, place, size and texture of each region.

    Parameters
    ----------
    image : `labels.shape` or `labels.shape` + (C,) array
        uint8, uint16 or floats in [0, 1].
    labels : (H, W) or (D, H, W) integer array
        Regions from 0; -1 belongs to none.
    n_bins : int
        Bins of a channel's histogram, 1..256. Default 8.
    data_range : (lo, hi), optional
        Values of black and white, for other images.

    Returns
    -------
    RegionFeatures

    Raises
    ------
    ValueError, TypeError
        For unusable labels, an image of another shape, another number of bins.

    References
    ----------
    T. Ojala, M. Pietikäinen, T. Mäenpää: Multiresolution gray-scale and rotation invariant texture
    classification with local binary patterns. PAMI 2002. doi:10.1109/TPAMI.2002.1017623

    Examples
    --------
    >>> found = features(np.array([[0, 10, 255]], np.uint8), np.array([[0, 0, 1]]))
    >>> found.size.tolist(), found.centroid.tolist(), found.mean_color.tolist()
    ([2, 1], [[0.0, 0.5], [0.0, 2.0]], [[5.0], [255.0]])
    """
    regions = as_regions(labels)
    samples = as_samples(image, regions.shape, data_range=data_range)
    if positive_int(n_bins, "n_bins") > 256:
        raise ValueError(f"n_bins is {n_bins}, expected at most 256")
    colors = samples.reshape(regions.size, -1)
    n_channels = colors.shape[1]
    sums, sizes = sums_by_region(colors, regions)
    shares = 1 / np.maximum(sizes, 1)[:, np.newaxis]
    mean = sums * shares
    squares, _ = sums_by_region((colors - mean[regions.ravel()]) ** 2, regions)

    places = np.indices(regions.shape).reshape(regions.ndim, -1).T
    bins = np.minimum((colors * (n_bins / 256)).astype(np.int32), n_bins - 1)
    histograms = np.stack(
        [_histograms(regions, bins[:, c], n_bins, sizes) for c in range(n_channels)], axis=1
    )
    return RegionFeatures(
        sizes,
        (sums_by_region(places, regions)[0] * shares).astype(np.float32),
        mean.astype(np.float32),
        np.sqrt(squares * shares).astype(np.float32),
        histograms,
        _texture(samples, regions, sizes),
    )


def _texture(samples: Array, regions: NDArray[np.int32], sizes: NDArray[np.int64]) -> Array:
    from skimage.feature import local_binary_pattern

    grey = samples.mean(axis=-1)
    slopes = [np.gradient(grey, axis=a) for a in range(grey.ndim) if grey.shape[a] > 1]
    gradient = np.sqrt(sum((s * s for s in slopes), np.zeros_like(grey)))
    moments, _ = sums_by_region(np.stack([gradient, gradient**2], -1).reshape(-1, 2), regions)
    moments /= np.maximum(sizes, 1)[:, np.newaxis]
    moments[:, 1] = np.sqrt(np.maximum(moments[:, 1] - moments[:, 0] ** 2, 0))

    levels = np.rint(grey).astype(np.uint8)
    planes = levels.reshape(-1, *levels.shape[-2:])
    patterns = np.stack([local_binary_pattern(p, 8, 1, "uniform") for p in planes])
    shares = _histograms(regions, patterns.astype(np.int32).ravel(), _N_PATTERNS, sizes)
    return np.concatenate([moments.astype(np.float32), shares], axis=1)


def _histograms(
    regions: NDArray[np.int32], bins: NDArray[np.int32], n_bins: int, sizes: NDArray[np.int64]
) -> Array:
    inside = regions.ravel() >= 0
    index = regions.ravel()[inside].astype(np.int64) * n_bins + bins[inside]
    counts = np.bincount(index, minlength=len(sizes) * n_bins).reshape(len(sizes), n_bins)
    return (counts / np.maximum(sizes, 1)[:, np.newaxis]).astype(np.float32)

"""A row of numbers for each superpixel, in groups that can be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicseg import superpixels
from classicseg._lab import lab
from classicseg.semantic._channels import N_SMOOTHED, Textons, filter_bank
from classicseg.semantic._windows import Surroundings

__all__ = ["GROUPS", "LabelledRows", "Rows", "rows_of"]

GROUPS = ("color", "texture", "location", "shape", "context")
Array = NDArray[np.float32]


@dataclass(frozen=True)
class _Table:
    """What is known of the superpixels of one image."""

    table: Array  # (K, F)
    surroundings: Surroundings

    def context(self, scores: Array) -> Array:
        """The table, with what a classifier said of each region and of those around it."""
        around = self.surroundings
        parts = (scores, around.neighbour_means(scores), around.window_means(scores), self.table)
        return np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class Rows(_Table):
    """Of an image whose labels are wanted."""

    regions: NDArray[np.int32]  # (H, W)


@dataclass(frozen=True)
class LabelledRows(_Table):
    """Of a training image."""

    counts: NDArray[np.int64]  # (K, L) pixels of each class


def rows_of(
    image: NDArray[np.uint8],
    regions: NDArray[np.int32],
    textons: Textons,
    groups: tuple[str, ...],
) -> tuple[Array, Surroundings]:
    """The groups' columns (K, F), and who lies where."""
    colors = lab(image)
    responses = filter_bank(colors)
    known = superpixels.features(image, regions)
    near = superpixels.adjacency(regions)
    around = Surroundings.of(regions, known.centroid, near)

    mean = superpixels.pool(colors, regions)
    steps = colors - superpixels.spread(mean, regions)
    deviation = np.sqrt(superpixels.pool(steps * steps, regions))
    energy = superpixels.pool(np.abs(responses[:, :, N_SMOOTHED:]), regions)
    words = _shares_of_words(textons.assign(responses), regions, len(textons), known.size)

    found: dict[str, list[Array]] = {
        "color": [mean, deviation, known.histograms.reshape(len(mean), -1)],
        "texture": [energy, known.texture, words],
        "location": [_location(known.centroid, regions.shape)],
        "shape": [_shape(regions, known, near)],
    }
    if "context" in groups:
        beside = around.neighbour_means(np.concatenate([mean, deviation, energy, words], axis=1))
        far = around.window_means(np.concatenate([mean, deviation, energy], axis=1))
        found["context"] = [beside, mean - beside[:, : mean.shape[1]], far]
    parts = [part for group in GROUPS if group in groups for part in found[group]]
    return np.concatenate(parts, axis=1).astype(np.float32, copy=False), around


def _location(centroids: Array, shape: tuple[int, ...]) -> Array:
    """Row and column as shares of the sides, and the distance from the middle column."""
    place = (centroids + np.float32(0.5)) / np.array(shape, np.float32)
    return np.concatenate([place, np.abs(place[:, 1:] - np.float32(0.5))], axis=1)


def _shape(
    regions: NDArray[np.int32], known: superpixels.RegionFeatures, near: superpixels.Adjacency
) -> Array:
    """Size, extents, tilt, elongation, solidity against its ellipse, squared perimeter by size."""
    steps = np.indices(regions.shape, np.float32)
    steps -= np.moveaxis(superpixels.spread(known.centroid, regions), -1, 0)
    products = np.stack([steps[0] ** 2, steps[1] ** 2, steps[0] * steps[1]], axis=-1)
    rows, columns, mixed = superpixels.pool(products, regions).T.astype(np.float64)
    rows, columns = rows + 1 / 12, columns + 1 / 12  # a pixel has an extent too
    root = np.sqrt((rows - columns) ** 2 / 4 + mixed**2)
    large = (rows + columns) / 2 + root
    small = np.maximum((rows + columns) / 2 - root, 1 / 12)
    perimeter = np.bincount(
        near.pairs.ravel(), np.repeat(near.lengths, 2), minlength=len(known.size)
    )
    size = np.maximum(known.size, 1)
    side = np.sqrt(regions.size)
    parts = (
        size / regions.size,
        np.sqrt(rows) / side,
        np.sqrt(columns) / side,
        mixed / np.sqrt(rows * columns),
        np.sqrt(small / large),
        size / (4 * np.pi * np.sqrt(small * large)),
        perimeter**2 / size,
    )
    return np.stack(parts, axis=1).astype(np.float32)


def _shares_of_words(
    words: NDArray[np.int32], regions: NDArray[np.int32], n_words: int, sizes: NDArray[np.int64]
) -> Array:
    index = regions.ravel().astype(np.int64) * n_words + words.ravel()
    counts = np.bincount(index, minlength=len(sizes) * n_words).reshape(len(sizes), n_words)
    return (counts / np.maximum(sizes, 1)[:, np.newaxis]).astype(np.float32)

"""From pixels to regions and back: sums by region, scores pooled and spread, who touches whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._offsets import Offset, as_offset, with_neighbour
from classicseg._settings import one_of
from classicseg.superpixels._input import as_regions, as_samples

__all__ = ["Adjacency", "adjacency", "pool", "pool_edges", "spread", "sums_by_region"]

Regions = NDArray[np.int32]


@dataclass(frozen=True)
class Adjacency:
    """The regions that touch: the edges of a graph whose nodes are regions.

    Attributes
    ----------
    pairs : (E, 2) int32
        Neighbours, the smaller label first, in ascending order; each pair once.
    lengths : (E,) float32
        Length of the common boundary: the number of pixel faces between the two.
    contrast : (E,) float32 or None
        Mean Euclidean colour difference across those faces, in 0..255 units; None without an image.
    """

    pairs: NDArray[np.int32]
    lengths: NDArray[np.float32]
    contrast: NDArray[np.float32] | None


def adjacency(
    labels: ArrayLike,
    image: ArrayLike | None = None,
    *,
    data_range: tuple[float, float] | None = None,
) -> Adjacency:
    """The graph of regions that share a boundary.

    Pixels touch along faces: 4 neighbours in the plane, 6 in a volume.

    Parameters
    ----------
    labels : (H, W) or (D, H, W) integer array
        Regions from 0; -1 belongs to none.
    image : `labels.shape` or `labels.shape` + (C,) array, optional
        For the contrast. Colours count in 0..255 units whatever the dtype.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].

    Returns
    -------
    Adjacency
        `pairs`, `lengths`, `contrast`.

    Raises
    ------
    ValueError, TypeError
        For unusable labels or an image of another shape.

    Examples
    --------
    >>> image = np.array([[0, 0, 255], [0, 0, 255]], np.uint8)
    >>> graph = adjacency(np.array([[0, 0, 1], [0, 2, 1]]), image)
    >>> graph.pairs.tolist(), graph.lengths.tolist(), graph.contrast.tolist()
    ([[0, 1], [0, 2], [1, 2]], [1.0, 2.0, 1.0], [255.0, 0.0, 255.0])
    """
    regions = as_regions(labels)
    samples = None if image is None else as_samples(image, regions.shape, data_range=data_range)
    n = int(regions.max()) + 1
    keys, differences = [], []
    for axis in range(regions.ndim):
        offset = tuple(int(a == axis) for a in range(regions.ndim))
        here, there, border, key = _border(regions, offset)
        keys.append(key)
        if samples is not None:
            step = samples[here][border].astype(np.float64) - samples[there][border]
            differences.append(np.sqrt((step * step).sum(axis=1)))
    pairs, edge, faces = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    contrast = None
    if samples is not None:
        total = np.bincount(edge, np.concatenate(differences), len(pairs))
        contrast = (total / faces).astype(np.float32)
    return Adjacency(_ends(pairs, n), faces.astype(np.float32), contrast)


def pool(values: ArrayLike, labels: ArrayLike, *, reduce: str = "mean") -> NDArray[np.float32]:
    """What pixels say, summed up by region: unary energies (H, W, L) become (K, L).

    Parameters
    ----------
    values : `labels.shape` + (L,) or `labels.shape` array
        Energies, probabilities or any other numbers; finite.
    labels : (H, W) or (D, H, W) integer array
        Regions from 0 to K - 1; -1 belongs to none.
    reduce : "mean" or "sum"
        Default: the mean over the region's pixels. The sum makes energies over regions equal to
        those over pixels that are forced to agree.

    Returns
    -------
    (K, L) or (K,) float32
        Zero for labels that no pixel has.

    Raises
    ------
    ValueError, TypeError
        For values that are not finite or of another shape, unusable labels, another `reduce`.

    Examples
    --------
    >>> pool(np.array([[1.0, 3.0, 5.0]]), np.array([[0, 0, 1]])).tolist()
    [2.0, 5.0]
    """
    regions = as_regions(labels)
    one_of(reduce, ("mean", "sum"), "reduce")
    array = as_array(values, "values")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"values has dtype {array.dtype}, expected real numbers")
    if array.shape != regions.shape and array.shape[:-1] != regions.shape:
        raise ValueError(
            f"values has shape {array.shape}, expected {regions.shape}, perhaps with one more axis"
        )
    flat = array.reshape(regions.size, -1)
    totals, sizes = sums_by_region(flat, regions)
    if reduce == "mean":
        totals /= np.maximum(sizes, 1)[:, np.newaxis]
    with np.errstate(over="ignore"):
        pooled: NDArray[np.float32] = totals.astype(np.float32)
    if not np.isfinite(pooled).all():
        raise ValueError("values holds NaN or infinite numbers, or such that overflow in a sum")
    return pooled.reshape(len(sizes), *array.shape[regions.ndim :])


def pool_edges(
    edges: Mapping[Any, ArrayLike], labels: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Weights between pixels, summed up between regions: the edges of a graph of regions.

    With ``pool(unary, labels, reduce="sum")`` they make the energy of a labelling of the regions
    equal to that of their pixels, so that any solver of `graphcut` and `gridcrf` finds over regions
    what it would find over pixels that are forced to agree.

    Parameters
    ----------
    edges : dict of offset to array
        As `graphcut.contrast_weights` makes it: entry ``[y, x]`` of ``edges[dy, dx]`` is the weight
        between (y, x) and (y + dy, x + dx), a number stands for a constant array. Finite.
    labels : (H, W) or (D, H, W) integer array
        Regions from 0 to K - 1; -1 belongs to none.

    Returns
    -------
    pairs : (E, 2) int32
        Regions that an edge joins, the smaller label first, in ascending order; each pair once.
    weights : (E,) float64

    Raises
    ------
    ValueError, TypeError
        For unusable labels, offsets or weights.

    Examples
    --------
    >>> pairs, weights = pool_edges({(0, 1): 2.0, (1, 0): 1.0}, np.array([[0, 0, 1], [0, 2, 1]]))
    >>> pairs.tolist(), weights.tolist()
    ([[0, 1], [0, 2], [1, 2]], [2.0, 3.0, 2.0])
    """
    regions = as_regions(labels)
    if not isinstance(edges, Mapping):
        raise TypeError(f"edges is a {type(edges).__name__}, expected a dict of offset to array")
    n = int(regions.max()) + 1
    keys, strengths = [np.zeros(0, np.int64)], [np.zeros(0)]
    for given, value in edges.items():
        offset = as_offset(given, regions.ndim, "edges")
        array = as_array(value, f"edges[{offset}]")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"edges[{offset}] has dtype {array.dtype}, expected real numbers")
        if array.shape not in ((), regions.shape):
            raise ValueError(
                f"edges[{offset}] has shape {array.shape}, expected {regions.shape} or a number"
            )
        if any(abs(d) >= size for d, size in zip(offset, regions.shape, strict=True)):
            continue  # leads outside from every pixel
        here, _, border, key = _border(regions, offset)
        strength = np.broadcast_to(array, regions.shape)[here][border].astype(np.float64)
        if not np.isfinite(strength).all():
            raise ValueError(f"edges[{offset}] holds NaN or infinite weights, expected finite ones")
        keys.append(key)
        strengths.append(strength)
    pairs, edge = np.unique(np.concatenate(keys), return_inverse=True)
    weights = np.bincount(edge, np.concatenate(strengths), len(pairs)).astype(np.float64)
    return _ends(pairs, n), weights


def _border(regions: Regions, offset: Offset) -> tuple[Any, Any, Any, NDArray[np.int64]]:
    """Pixel pairs between different regions: both parts of the grid, where in them, their keys."""
    here, there = with_neighbour(offset), with_neighbour(tuple(-d for d in offset))
    a, b = regions[here], regions[there]
    border = np.nonzero((a != b) & (a >= 0) & (b >= 0))
    a, b = a[border].astype(np.int64), b[border].astype(np.int64)
    n = int(regions.max()) + 1
    return here, there, border, np.minimum(a, b) * n + np.maximum(a, b)


def _ends(keys: NDArray[np.int64], n: int) -> NDArray[np.int32]:
    return np.stack([keys // n, keys % n], axis=1).astype(np.int32)


def spread(values: ArrayLike, labels: ArrayLike, *, fill: float = 0) -> NDArray[Any]:
    """What regions say, given to each of their pixels: (K, ...) becomes `labels.shape` + (...).

    Parameters
    ----------
    values : (K, ...) array
        One row for each region, of any dtype.
    labels : (H, W) or (D, H, W) integer array
        Regions from 0 to K - 1; -1 belongs to none.
    fill : number
        What pixels of no region get. Default 0.

    Returns
    -------
    `labels.shape` + `values.shape[1:]` array of the values' dtype

    Raises
    ------
    ValueError, TypeError
        For unusable labels or too few values.

    Examples
    --------
    >>> spread([10, 20], np.array([[0, 0, 1]])).tolist()
    [[10, 10, 20]]
    """
    regions = as_regions(labels)
    table = as_array(values, "values")
    n = int(regions.max()) + 1
    if table.ndim == 0 or len(table) < n:
        raise ValueError(
            f"values has shape {table.shape}, expected a row for each of {n} regions in labels"
        )
    if int(regions.min()) >= 0:
        return table[regions]
    none = np.full((1, *table.shape[1:]), fill, table.dtype)
    return np.concatenate([table[:n], none])[regions]


def sums_by_region(
    flat: NDArray[Any], regions: Regions
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sums (K, C) of the columns of (pixels, C) by region, and the numbers of pixels (K,)."""
    n = int(regions.max()) + 1
    index = regions.ravel()
    if (inside := index >= 0).sum() < index.size:
        index, flat = index[inside], flat[inside]
    sizes = np.bincount(index, minlength=n)
    sums = np.empty((n, flat.shape[1]), np.float64)
    for c in range(flat.shape[1]):
        sums[:, c] = np.bincount(index, flat[:, c].astype(np.float64), n)
    return sums, sizes

"""How well regions keep to the true ones: the measures of the superpixel literature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from classicseg._settings import whole
from classicseg.superpixels._input import as_regions, as_samples
from classicseg.superpixels._regions import sums_by_region

__all__ = [
    "achievable_accuracy",
    "boundary_recall",
    "compactness",
    "explained_variation",
    "undersegmentation_error",
]


def boundary_recall(labels: ArrayLike, truth: ArrayLike, tolerance: int = 2) -> float:
    """Share of the true boundary that has a boundary of the regions nearby.

    Boundaries are thick: the pixels on both sides. The regions' own are dilated by a square of
    side ``2 * tolerance + 1``.

    Parameters
    ----------
    labels, truth : (H, W) or (D, H, W) integer arrays
        Regions, found and true.
    tolerance : int
        Chessboard distance in pixels. Default 2, the literature's value at 481 x 321.

    Returns
    -------
    float
        In [0, 1]; 1 where the truth has no boundary.

    Raises
    ------
    ValueError, TypeError
        For unusable labels, different shapes, a tolerance that is no whole number from 0.

    References
    ----------
    P. Neubert, P. Protzel: Superpixel benchmark and comparison. Forum Bildverarbeitung 2012.

    Examples
    --------
    >>> boundary_recall(np.array([[0, 1, 1, 1, 1, 1]]), np.array([[0, 0, 1, 1, 2, 2]]), 1)
    0.5
    """
    found, true = _two(labels, truth)
    reach = whole(tolerance, "tolerance")
    if reach < 0:
        raise ValueError(f"tolerance is {tolerance!r}, expected a whole number from 0")
    reach = min(reach, max(true.shape))
    wanted = _boundary(true)
    if not wanted.any():
        return 1.0
    near = ndimage.maximum_filter(_boundary(found).view(np.uint8), 2 * reach + 1)
    return float(near[wanted].mean())


def undersegmentation_error(labels: ArrayLike, truth: ArrayLike) -> float:
    """Share of pixels by which regions leak over true boundaries (Neubert and Protzel's).

    A region that overlaps a true one leaks by its smaller part, inside or outside of it.

    Parameters
    ----------
    labels, truth : (H, W) or (D, H, W) integer arrays
        Regions, found and true.

    Returns
    -------
    float
        0 is best.

    Raises
    ------
    ValueError, TypeError
        For unusable labels or different shapes.

    References
    ----------
    P. Neubert, P. Protzel: Superpixel benchmark and comparison. Forum Bildverarbeitung 2012.

    Examples
    --------
    >>> undersegmentation_error(np.array([[0, 0, 0, 0]]), np.array([[0, 0, 0, 1]]))
    0.5
    """
    region, _, overlap, sizes, n = _overlaps(labels, truth)
    return float(np.minimum(overlap, sizes[region] - overlap).sum() / n)


def achievable_accuracy(labels: ArrayLike, truth: ArrayLike) -> float:
    """Share of pixels that are right when each region takes its best true label.

    Parameters
    ----------
    labels, truth : (H, W) or (D, H, W) integer arrays
        Regions, found and true.

    Returns
    -------
    float
        In (0, 1]; no labelling of whole regions has a higher pixel accuracy.

    Raises
    ------
    ValueError, TypeError
        For unusable labels or different shapes.

    References
    ----------
    M.-Y. Liu, O. Tuzel, S. Ramalingam, R. Chellappa: Entropy rate superpixel segmentation. CVPR
    2011. doi:10.1109/CVPR.2011.5995323

    Examples
    --------
    >>> achievable_accuracy(np.array([[0, 0, 0, 0]]), np.array([[0, 0, 0, 1]]))
    0.75
    """
    region, _, overlap, sizes, n = _overlaps(labels, truth)
    best = np.zeros(len(sizes), np.int64)
    np.maximum.at(best, region, overlap)
    return float(best.sum() / n)


def compactness(labels: ArrayLike) -> float:
    """How round the regions are: isoperimetric quotients ``4 pi area / perimeter^2``, by area.

    The perimeter counts pixel edges, the image's border among them: a square has pi / 4.

    Parameters
    ----------
    labels : (H, W) integer array
        Regions from 0; -1 belongs to none.

    Returns
    -------
    float
        Mean over pixels, in (0, pi / 4].

    Raises
    ------
    ValueError, TypeError
        For unusable labels or a volume.

    References
    ----------
    A. Schick, M. Fischer, R. Stiefelhagen: Measuring and evaluating the compactness of
    superpixels. ICPR 2012.

    Examples
    --------
    >>> round(compactness(np.zeros((8, 8), int)), 4)
    0.7854
    """
    regions = as_regions(labels)
    if regions.ndim != 2:
        raise ValueError(f"labels has shape {regions.shape}, expected (H, W)")
    framed = np.pad(regions, 1, constant_values=-1)
    n = int(regions.max()) + 1
    perimeter = np.zeros(n)
    for axis in (0, 1):
        a, b = framed, np.roll(framed, -1, axis)
        for side in (a[a != b], b[a != b]):
            perimeter += np.bincount(side[side >= 0], minlength=n)
    area = np.bincount(regions[regions >= 0], minlength=n)
    there = area > 0
    quotient = 4 * np.pi * area[there] / perimeter[there] ** 2
    return float((quotient * area[there]).sum() / area.sum())


def explained_variation(
    labels: ArrayLike, image: ArrayLike, *, data_range: tuple[float, float] | None = None
) -> float:
    """Share of the colours' variance that the regions' mean colours keep.

    Parameters
    ----------
    labels : (H, W) or (D, H, W) integer array
        Regions from 0; -1 belongs to none, and is not counted.
    image : `labels.shape` or `labels.shape` + (C,) array
        uint8, uint16 or floats in [0, 1].
    data_range : (lo, hi), optional
        Values of black and white, for other images.

    Returns
    -------
    float
        In [0, 1]; 1 for an image of one colour.

    Raises
    ------
    ValueError, TypeError
        For unusable labels or an image of another shape.

    References
    ----------
    A. Moore, S. Prince, J. Warrell, U. Mohammed, G. Jones: Superpixel lattices. CVPR 2008.
    doi:10.1109/CVPR.2008.4587471

    Examples
    --------
    >>> explained_variation(np.array([[0, 0, 1]]), np.array([[0, 0, 255]], np.uint8))
    1.0
    """
    regions = as_regions(labels)
    samples = as_samples(image, regions.shape, data_range=data_range)
    flat = samples.reshape(regions.size, -1)[regions.ravel() >= 0].astype(np.float64)
    flat -= flat.mean(axis=0)
    total = float((flat * flat).sum())
    if total <= 1e-9 * flat.size:
        return 1.0
    sums, sizes = sums_by_region(flat, regions[regions >= 0])
    between = (sums * sums).sum(axis=1) / np.maximum(sizes, 1)
    return min(float(between.sum()) / total, 1.0)


def _two(labels: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    found = as_regions(labels)
    true = as_regions(truth, "truth")
    if found.shape != true.shape:
        raise ValueError(f"truth has shape {true.shape}, expected labels' shape {found.shape}")
    return found, true


def _boundary(regions: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Pixels with a face to another region, on both sides of it."""
    thick = np.zeros(regions.shape, bool)
    for axis in range(regions.ndim):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(regions.ndim))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(regions.ndim))
        differ = regions[low] != regions[high]
        thick[low] |= differ
        thick[high] |= differ
    return thick


def _overlaps(
    labels: ArrayLike, truth: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Region, true region and pixel count of each overlap; region sizes; pixels in both."""
    found, true = _two(labels, truth)
    both = (found >= 0) & (true >= 0)
    if not both.any():
        raise ValueError("labels and truth have no pixel that belongs to a region in both")
    a, b = found[both].astype(np.int64), true[both].astype(np.int64)
    end = int(b.max()) + 1
    keys = a * end + b
    if (int(a.max()) + 1) * end <= max(4 * len(a), 1 << 16):  # a table is quicker than sorting
        counts = np.bincount(keys)
        keys = np.flatnonzero(counts)
        overlap = counts[keys]
    else:
        keys, overlap = np.unique(keys, return_counts=True)
    region, true_region = np.divmod(keys, end)
    return region, true_region, overlap, np.bincount(a), len(a)

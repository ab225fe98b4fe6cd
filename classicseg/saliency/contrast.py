"""Global contrast of colours and of regions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from skimage.segmentation import felzenszwalb

from classicseg._lab import lab
from classicseg.saliency._scale import Colors, Map, enlarged, shrunk, stretched

Values = NDArray[np.float64]

_SIDE = 400
# The papers' settings.
_LEVELS = 12  # of each channel
_COVERED = 0.95  # share of the pixels whose colours are kept
_FEWEST, _MOST = 10, 256  # colours
_NEIGHBOURS = 4  # a colour is smoothed with a quarter of the colours
_REGIONS = {"scale": 300.0, "sigma": 0.5, "min_size": 50}
_SIGMA_PLACE_SQUARED = 0.4
_CENTRE = 9.0


def histogram_contrast(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Salient objects by how far their colour is from all other colours of the image.

    RGB is quantised to 12 levels a channel and the frequent colours, those of 95 % of the pixels,
    are kept. The saliency of a colour is its mean distance in CIE Lab to all pixels, smoothed over
    the most similar quarter of the colours.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 400 pixels along the longer
        side.
    n_threads : int, optional
        For large images, which have to be made smaller. The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    References
    ----------
    Cheng, Zhang, Mitra, Huang & Hu, Global Contrast Based Salient Region Detection, 2011,
    doi:10.1109/CVPR.2011.5995344.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60, 3))
    >>> image[10:20, 20:30] = (1, 0, 0)
    >>> saliency.histogram_contrast(image)[[15, 30], [25, 50]]
    array([1., 0.], dtype=float32)
    """
    rgb = shrunk(image, _SIDE, n_threads)
    index, colors, counts = palette(rgb)
    distances = cdist(colors, colors)
    values = _smoothed(distances @ (counts / counts.sum()), distances)
    return enlarged(stretched(values)[index], image, n_threads)


def region_contrast(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Salient objects by how far a region's colours are from those of the other regions.

    The image is divided into regions (Felzenszwalb & Huttenlocher's, of scikit-image). Each counts
    the contrast of its colour histogram to those of the others, large and near ones more, and
    regions far from the image's centre count less.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 400 pixels along the longer
        side.
    n_threads : int, optional
        For large images, which have to be made smaller. The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    References
    ----------
    Cheng, Zhang, Mitra, Huang & Hu, Global Contrast Based Salient Region Detection, 2011,
    doi:10.1109/CVPR.2011.5995344; the centre's weight is of the version of 2015,
    doi:10.1109/TPAMI.2014.2345401.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60, 3))
    >>> image[10:20, 20:30] = (1, 0, 0)
    >>> saliency.region_contrast(image)[[15, 30], [25, 50]]
    array([1., 0.], dtype=float32)
    """
    rgb = shrunk(image, _SIDE, n_threads)
    index, colors, _ = palette(rgb)
    height, width = index.shape
    regions = np.zeros(index.shape, np.int64)
    if min(index.shape) > 1:  # scikit-image's needs that
        regions = felzenszwalb((rgb / np.float32(255)).astype(np.float64), **_REGIONS)
    n = int(regions.max()) + 1
    bins = regions.ravel() * len(colors) + index.ravel()
    histograms = np.bincount(bins, minlength=n * len(colors)).reshape(n, len(colors))
    sizes = histograms.sum(axis=1)
    frequencies = histograms / sizes[:, np.newaxis]
    contrast = frequencies @ cdist(colors, colors) @ frequencies.T

    y, x = (i.ravel() for i in np.indices((height, width)))
    side = max(height, width)
    places = np.stack([np.bincount(regions.ravel(), i) / sizes / side for i in (y, x)], axis=1)
    nearness = np.exp(-cdist(places, places) / _SIGMA_PLACE_SQUARED)
    off_centre = np.hypot((y + 0.5) / height - 0.5, (x + 0.5) / width - 0.5)
    off_centre = np.bincount(regions.ravel(), off_centre) / sizes
    np.fill_diagonal(contrast, 0)  # a region is not its own contrast
    values = np.exp(-_CENTRE * off_centre**2) * ((nearness * contrast) @ sizes / sizes.sum())
    return enlarged(stretched(values)[regions], image, n_threads)


def palette(rgb: Colors) -> tuple[NDArray[np.int64], Values, NDArray[np.int64]]:
    """The frequent colours of an image: each pixel's number, mean Lab and count of each colour."""
    levels = np.minimum(rgb * np.float32(_LEVELS / 256), _LEVELS - 1).astype(np.int64)
    codes = (levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2]
    counts = np.bincount(codes.ravel(), minlength=_LEVELS**3)
    order = np.argsort(-counts, kind="stable")
    n = int(np.searchsorted(np.cumsum(counts[order]), _COVERED * codes.size)) + 1
    n_found = int(np.count_nonzero(counts))
    n = min(max(n, _FEWEST), _MOST, n_found)
    kept, rest = order[:n], order[n:n_found]
    number = np.zeros(_LEVELS**3, np.int64)
    number[kept] = np.arange(n)
    if rest.size:
        cubes = np.stack(np.unravel_index(np.arange(_LEVELS**3), (_LEVELS,) * 3), axis=1)
        number[rest] = cdist(cubes[rest], cubes[kept]).argmin(axis=1)
    index = number[codes]
    flat = index.ravel()
    members = np.bincount(flat, minlength=n)
    sums = [np.bincount(flat, channel, minlength=n) for channel in lab(rgb).reshape(-1, 3).T]
    return index, np.stack(sums, axis=1) / members[:, np.newaxis], members


def _smoothed(values: Values, distances: Values) -> Values:
    """Each colour's value becomes a mean over the most similar ones, the nearer the heavier."""
    n = max(len(values) // _NEIGHBOURS, 1)
    if n == 1:
        return values
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :n]
    reach = np.take_along_axis(distances, nearest, axis=1)
    weights = reach.sum(axis=1, keepdims=True) - reach
    total = weights.sum(axis=1)
    smooth: Values = (weights * values[nearest]).sum(axis=1) / np.where(total > 0, total, 1)
    return smooth

"""Fixations from the spectrum of a small image: spectral residual and image signature."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from classicseg._kernels import ext
from classicseg._lab import lab
from classicseg.saliency._scale import Map, enlarged, shrunk, shrunk_grey, stretched

Matrix = NDArray[np.float32]

_SIDE = 64
# The spread of the blur: of the residual's squares in pixels, of the signature's as a share.
_SIGMA_RESIDUAL = 2.5
_SIGMA_SIGNATURE = 0.045
# Units of Lab that are rounding and not an image.
_NOISE = 0.5


def spectral_residual(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Where the eye goes: what is left of the log spectrum when its smooth part is taken away.

    Natural images share the shape of their spectra. The difference of the log amplitude and its
    local mean, put back with the phase, is large where the image is not as most others.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works on its grey values at 64 pixels
        along the longer side, as in the paper, which finds this the scale of objects.
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
    Hou & Zhang, Saliency Detection: A Spectral Residual Approach, 2007,
    doi:10.1109/CVPR.2007.383267.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60))
    >>> image[10:20, 20:30] = 1
    >>> found = saliency.spectral_residual(image)
    >>> bool(found[9:21, 19:31].max() > 0.5 > 0.1 > found[35, 55])
    True
    """
    grey = shrunk_grey(image, _SIDE, n_threads)
    found = np.empty_like(grey)
    ext.spectral_residual(grey, _SIGMA_RESIDUAL, found)
    return enlarged(found, image, n_threads)


def image_signature(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Where the eye goes: the signs of the image's cosine transform, and nothing else, put back.

    For a sparse foreground on a background that is sparse in frequencies, the signs keep where the
    foreground is. The squares of what comes back are blurred and added up over the channels of
    CIE Lab.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 64 pixels along the longer
        side, as in the paper.
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
    Hou, Harel & Koch, Image Signature: Highlighting Sparse Salient Regions, 2012,
    doi:10.1109/TPAMI.2011.146.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60))
    >>> image[10:20, 20:30] = 1
    >>> found = saliency.image_signature(image)
    >>> bool(found[9:21, 19:31].max() > 0.9 > 0.1 > found[35, 55])
    True
    """
    colors = lab(shrunk(image, _SIDE, n_threads))
    total = np.zeros(colors.shape[:2], np.float32)
    for channel in np.moveaxis(colors, 2, 0):
        if np.ptp(channel) >= _NOISE:  # the signs of rounding errors would count as much
            back = fft.idctn(np.sign(fft.dctn(channel, norm="ortho")), norm="ortho")
            total += np.square(back)
    blurred = _blurred(total, _SIGMA_SIGNATURE * max(total.shape))
    return enlarged(stretched(blurred), image, n_threads)


def _blurred(values: Matrix, sigma: float) -> Matrix:
    rows, columns = (_gaussian(n, sigma) for n in values.shape)
    return np.asarray(rows @ values @ columns.T, np.float32)


# On images this small a filter is a product with a matrix, which is the filter of the identity:
# several times faster than scipy's own loops.


@cache
def _gaussian(n: int, sigma: float) -> Matrix:
    """Blurs along an axis of n, the ends repeated."""
    identity = np.eye(n, dtype=np.float32)
    filtered: Matrix = ndimage.gaussian_filter1d(identity, sigma, axis=0, mode="nearest")
    return filtered

"""Frequency-tuned salient region detection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from skimage import color

from classicseg.saliency._scale import enlarged, shrunk, stretched

# Photographs of the papers' sizes stay as they are; the blur means nothing at many megapixels.
_SIDE = 1000
# Differences in Lab, 0..100, that are rounding alone.
_NOISE = 1e-3
# The paper's 5 x 5 separable binomial kernel: a Gaussian that removes noise and fine texture.
_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16


def frequency_tuned(image: ArrayLike, *, n_threads: int | None = None) -> NDArray[np.float32]:
    """Salient objects by how far their colour is from the mean colour of the image.

    The saliency of a pixel is the distance in CIE Lab between the image's mean and the blurred
    image: a band-pass filter whose low cut-off is the whole image, so that regions are filled
    evenly and keep their outlines.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. Grey works, by lightness alone.
        Images above 1000 pixels along the longer side are made smaller first.
    n_threads : int, optional
        For such images. The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1], the least salient pixel at 0 and the most salient at 1; all 0 for an image of
        one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    Notes
    -----
    As in the paper, the mean is that of the image itself and the blur is the 5 x 5 binomial
    kernel, mirrored at the rim. Nothing but colour counts: a large object, or one in the colours
    of its background, is not found.

    References
    ----------
    Achanta, Hemami, Estrada & Süsstrunk, Frequency-tuned Salient Region Detection, 2009,
    doi:10.1109/CVPR.2009.5206596.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60, 3))
    >>> image[10:20, 20:30] = (1, 0, 0)
    >>> found = saliency.frequency_tuned(image)
    >>> found[[15, 30], [25, 50]].round(2)
    array([1.  , 0.04], dtype=float32)
    """
    rgb = shrunk(image, _SIDE, n_threads)
    lab = color.rgb2lab(rgb / np.float32(255)).astype(np.float32)
    blurred = ndimage.convolve1d(lab, _BINOMIAL, axis=0, mode="reflect")
    blurred = ndimage.convolve1d(blurred, _BINOMIAL, axis=1, mode="reflect")
    mean = lab.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    distance = np.sqrt(np.square(blurred - mean).sum(axis=2))
    return enlarged(stretched(distance, _NOISE), image, n_threads)

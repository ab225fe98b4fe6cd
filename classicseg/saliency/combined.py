"""Minimum barrier and robust background together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from classicseg.saliency._scale import Map, enlarged, shrunk, stretched
from classicseg.saliency.background import robust_background
from classicseg.saliency.minimum_barrier import contrasted, minimum_barrier

_SIDE = 400  # of the larger of the two methods


def combined(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Salient objects by `minimum_barrier` and `robust_background` together: the best map here.

    The mean of the two, with the contrast raised as in the former's post-processing. The one sees
    single pixels and finds thin parts, the other regions: where they agree they are mostly right.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 400 pixels along the longer
        side.
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    Notes
    -----
    Averaging is an old and hard to beat way to combine saliency maps; nothing is tuned here.

    References
    ----------
    Borji, Sihite & Itti, Salient Object Detection: A Benchmark, 2012,
    doi:10.1007/978-3-642-33709-3_30.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((90, 120, 3))
    >>> image[30:60, 40:80] = (1, 0, 0)
    >>> saliency.combined(image)[[45, 10], [60, 100]].round(1)
    array([1., 0.], dtype=float32)
    """
    small = shrunk(image, _SIDE, n_threads) / np.float32(255)
    total = minimum_barrier(small) + robust_background(small, n_threads=n_threads)
    return enlarged(contrasted(stretched(total)), image, n_threads)

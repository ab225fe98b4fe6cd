"""The centre prior, alone and as the weight of another map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from classicseg._arrays import shape_of
from classicseg._checks import non_negative, positive, positive_int
from classicseg.saliency._scale import Map, enlarged, shrunk, stretched

_LONGEST = 2**31
_WIDEST = 100
_SIDE = 256  # fixations have no detail


def centre_prior(
    shape_or_image: tuple[int, int] | ArrayLike, sigma: float = 0.25
) -> NDArray[np.float32]:
    """A Gaussian at the image's centre: photographers put there what they mean.

    It knows nothing of the image but its size, and is the baseline that a saliency method has to
    beat, for objects as well as for fixations.

    Parameters
    ----------
    shape_or_image : (H, W), or an image array
        Of an image only the size counts.
    sigma : float
        Standard deviation as a share of each side, so that the Gaussian is as wide as the image
        is. The default leaves 14 % at the middle of each edge and 2 % in the corners.

    Returns
    -------
    (H, W) float32 array
        exp(-(dx² + dy²) / 2 sigma²) with dx and dy in shares of the sides: 1 at the centre, where
        a pixel lies on it.

    Raises
    ------
    TypeError, ValueError
        If `shape_or_image` is neither a size nor an image, or `sigma` is not above 0.

    References
    ----------
    Tatler, The Central Fixation Bias in Scene Viewing, 2007, doi:10.1167/7.14.4.
    Judd, Ehinger, Durand & Torralba, Learning to Predict Where Humans Look, 2009,
    doi:10.1109/ICCV.2009.5459462 (where a centred Gaussian beats most saliency methods).

    Examples
    --------
    >>> from classicseg import saliency
    >>> saliency.centre_prior((3, 5)).round(2)
    array([[0.11, 0.3 , 0.41, 0.3 , 0.11],
           [0.28, 0.73, 1.  , 0.73, 0.28],
           [0.11, 0.3 , 0.41, 0.3 , 0.11]], dtype=float32)
    """
    width_of_bell = positive(sigma, "sigma")
    if isinstance(shape_or_image, tuple):
        if len(shape_or_image) != 2:
            raise ValueError(f"shape_or_image is {shape_or_image!r}, expected (H, W) or an image")
        height = positive_int(shape_or_image[0], "shape_or_image[0]", _LONGEST)
        width = positive_int(shape_or_image[1], "shape_or_image[1]", _LONGEST)
    else:
        shrunk(shape_or_image, _SIDE, name="shape_or_image")  # for the check alone
        height, width = np.shape(shape_or_image)[:2]
    with np.errstate(over="ignore"):  # of a bell that is narrower than a pixel
        y, x = (
            np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / width_of_bell) ** 2)
            for n in (height, width)
        )
    return np.outer(y.astype(np.float32), x.astype(np.float32))


def with_centre(
    saliency: ArrayLike,
    sigma: float = 0.2,
    blur: float = 0.02,
    *,
    n_threads: int | None = None,
) -> Map:
    """What a map says of fixations: blurred, and weighted towards the image's centre.

    People look near what draws them, and more at the middle whatever is there. A model of
    fixations that knows neither is beaten by a Gaussian at the centre.

    Parameters
    ----------
    saliency : array, (H, W)
        A map in [0, 1].
    sigma : float
        Of the centre prior, as a share of each side.
    blur : float
        Standard deviation of a Gaussian, as a share of the longer side; 0 for none.
    n_threads : int, optional
        For large maps, which have to be made smaller. The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        The product of blurred map and prior, moved to [0, 1]; all 0 for a map that is. It is
        computed at 256 pixels along the longer side.

    Raises
    ------
    TypeError, ValueError
        If `saliency` is no map in [0, 1], or a number is out of range.

    References
    ----------
    Judd, Durand & Torralba, A Benchmark of Computational Models of Saliency to Predict Human
    Fixations, 2012, hdl:1721.1/68590, which fits a blur and the centre's weight to each model.
    Here both defaults were chosen on 25 photographs of the data set by Judd et al. 2009,
    doi:10.1109/ICCV.2009.5459462.

    Examples
    --------
    >>> from classicseg import saliency
    >>> found = np.ones((3, 5))
    >>> saliency.with_centre(found, sigma=0.25)[1].round(2)
    array([0.18, 0.69, 1.  , 0.69, 0.18], dtype=float32)
    """
    reach = non_negative(blur, "blur")
    if reach > _WIDEST:
        raise ValueError(f"blur is {blur}, expected at most {_WIDEST}")
    if len(shape := shape_of(saliency, "saliency")) != 2:
        raise ValueError(f"saliency has shape {shape}, expected (H, W)")
    small = shrunk(saliency, _SIDE, n_threads, "saliency")[..., 0] / np.float32(255)
    blurred = ndimage.gaussian_filter(small, reach * max(small.shape), mode="nearest")
    return enlarged(stretched(blurred * centre_prior(small.shape, sigma)), saliency, n_threads)

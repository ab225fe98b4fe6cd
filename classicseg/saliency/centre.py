"""The centre prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, positive, positive_int


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
        height = positive_int(shape_or_image[0], "shape_or_image[0]")
        width = positive_int(shape_or_image[1], "shape_or_image[1]")
    else:
        height, width, _ = as_image(shape_or_image, name="shape_or_image").shape
    y, x = (
        np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / width_of_bell) ** 2)
        for n in (height, width)
    )
    return np.outer(y, x).astype(np.float32)

"""A map weighted by what one looks for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from classicseg._checks import as_image, as_mask, check_threads, non_negative
from classicseg._gmm import GMM, fit_gmm
from classicseg.saliency._scale import Map, stretched

# Of a class of pixels as many are used for its colours.
_STEEPEST = 1e30
_SAMPLE = 20000


def top_down(saliency: ArrayLike, relevance: ArrayLike, weight: float = 1.0) -> Map:
    """Weight a map by how likely each pixel is what one looks for.

    Parameters
    ----------
    saliency : array, (H, W)
        A bottom-up map in [0, 1].
    relevance : array, (H, W)
        In [0, 1]: the probability of a class, of a network for example, or `color_relevance`.
    weight : float
        The exponent of `relevance`; 0 leaves the map as it is.

    Returns
    -------
    (H, W) float32 array
        ``saliency * relevance ** weight``, moved to [0, 1]; all 0 where that is constant.

    Raises
    ------
    TypeError, ValueError
        If the arrays are no maps in [0, 1] of one shape, or `weight` is below 0.

    References
    ----------
    Navalpakkam & Itti, An Integrated Model of Top-Down and Bottom-Up Attention for Optimizing
    Detection Speed, 2006, doi:10.1109/CVPR.2006.54, for the idea of gains on bottom-up maps.

    Examples
    --------
    >>> from classicseg import saliency
    >>> saliency.top_down(np.array([[1.0, 1.0, 0.0]]), np.array([[0.1, 0.9, 0.9]])).round(2)
    array([[0.11, 1.  , 0.  ]], dtype=float32)
    """
    values, likely = as_image(saliency, name="saliency"), as_image(relevance, name="relevance")
    for array, name in ((values, "saliency"), (likely, "relevance")):
        if array.shape[2] != 1 or array.shape != values.shape:
            raise ValueError(f"{name} has shape {array.shape[:2]}, expected one map's (H, W)")
    exponent = min(non_negative(weight, "weight"), _STEEPEST)
    return stretched((values * (likely / 255) ** np.float32(exponent))[..., 0] / 255)


def color_relevance(
    image: ArrayLike, target: GMM | ArrayLike, *, rng: int = 0, n_threads: int | None = None
) -> Map:
    """How likely each colour is the target's rather than the rest of the image's.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    target : GMM, or bool array (H, W)
        The colours one looks for: a model, as `classicseg.grabcut.fit_gmm` makes it of any sample,
        or some pixels of this image that have them.
    rng : int
        Seed of the start of the mixtures.
    n_threads : int, optional
        The result does not depend on it.

    Returns
    -------
    (H, W) float32 array
        P(target | colour) in [0, 1], both models equally likely before. The rest's model is that
        of the whole image.

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense, a mask without pixels for example.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> image[5:10, 5:10] = (255, 0, 0)
    >>> seen = np.zeros((20, 30), bool)
    >>> seen[6, 6] = True
    >>> saliency.color_relevance(image, seen)[[7, 15], [7, 15]].round(2)
    array([0.96, 0.  ], dtype=float32)
    """
    threads = check_threads(n_threads)
    pixels = as_image(image)
    if isinstance(target, GMM):
        model = target
    else:
        wanted = as_mask(target, "target", pixels.shape[:2])
        if not wanted.any():
            raise ValueError("target marks no pixel, expected some with the colours to look for")
        model = fit_gmm(_sample(pixels[wanted]), rng=rng)
    rest = fit_gmm(_sample(pixels.reshape(-1, pixels.shape[2])), rng=rng)
    energies = (m.energies(pixels, data_range=(0, 255), n_threads=threads) for m in (model, rest))
    mine, others = energies
    found: Map = 1 / (1 + np.exp(np.clip(mine - others, -80, 80)))
    return found


def _sample(colours: Map) -> Map:
    return colours[:: max(1, len(colours) // _SAMPLE)]

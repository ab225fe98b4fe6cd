"""Boolean map saliency."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from classicseg._lab import lab
from classicseg.saliency._scale import Map, enlarged, shrunk, stretched

# The paper works at a width of 600 with an opening of 5, a dilation of 7 and thresholds 8 apart.
_SIDE = 200
_N_THRESHOLDS = 32
_OPENING = 3
_DILATION = 3
_SIGMA = 0.04  # of the last blur, as a share of the longer side
_NOISE = 0.5
_EIGHT = np.ones((3, 3), bool)


def boolean_map(image: ArrayLike, *, n_threads: int | None = None) -> Map:
    """Where the eye goes: what is surrounded, in many black-and-white versions of the image.

    Each channel of CIE Lab is cut at evenly spaced thresholds. In each cut, both of its sides,
    what does not touch the image's rim is attended. The maps count by how little they attend, and
    their sum is blurred.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 200 pixels along the longer
        side, a third of the paper's, with its structuring elements made smaller to match.
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
    Zhang & Sclaroff, Saliency Detection: A Boolean Map Approach, 2013,
    doi:10.1109/ICCV.2013.26.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60))
    >>> image[10:20, 20:30] = 1
    >>> saliency.boolean_map(image)[[15, 35], [25, 55]].round(1)
    array([1., 0.], dtype=float32)
    """
    colors = lab(shrunk(image, _SIDE, n_threads))
    total = np.zeros(colors.shape[:2])
    for channel in np.moveaxis(colors, 2, 0):
        low, high = float(channel.min()), float(channel.max())
        steps = np.arange(1, _N_THRESHOLDS + 1) / (_N_THRESHOLDS + 1)
        for threshold in low + (high - low) * steps if high - low > _NOISE else ():
            above = ndimage.binary_opening(channel > threshold, np.ones((_OPENING, _OPENING)))
            for side in (above, ~above):
                total += _attention(side)
    blurred = ndimage.gaussian_filter(total, _SIGMA * max(total.shape), mode="nearest")
    return enlarged(stretched(blurred), image, n_threads)


def _attention(side: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What is in the side and not connected to the rim, with an L2 norm of 1."""
    labels, n = ndimage.label(side, _EIGHT)
    attended = np.ones(n + 1, bool)
    attended[0] = False
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        attended[line] = False
    surrounded = attended[labels]
    if surrounded.any():
        surrounded = ndimage.binary_dilation(surrounded, _EIGHT, iterations=_DILATION // 2)
    attention: NDArray[np.float64] = surrounded / max(np.count_nonzero(surrounded) ** 0.5, 1.0)
    return attention

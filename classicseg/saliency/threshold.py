"""From a saliency map to a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, finite


def adaptive_threshold(saliency: ArrayLike) -> float:
    """The threshold of the salient-object benchmarks: twice the map's mean.

    Parameters
    ----------
    saliency : array, (H, W)
        Floats in [0, 1].

    Returns
    -------
    float
        In [0, 1]. At most the mean of the map's maximum and its mean, so that a map that is
        bright almost everywhere still has pixels above it.

    Raises
    ------
    TypeError, ValueError
        If `saliency` is no map in [0, 1].

    References
    ----------
    Achanta, Hemami, Estrada & Süsstrunk, Frequency-tuned Salient Region Detection, 2009,
    doi:10.1109/CVPR.2009.5206596 (section 4.2.2).

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import saliency
    >>> saliency.adaptive_threshold(np.array([[0.0, 0.0, 0.0, 0.8]]))
    0.4
    """
    values = as_image(saliency, name="saliency")
    if values.shape[2] != 1:
        raise ValueError(f"saliency has shape {values.shape}, expected (H, W)")
    # as_image works in 0..255, in which rounding is the same for all kinds of input.
    mean, high = float(values.mean(dtype=np.float64)) / 255, float(values.max()) / 255
    return min(2 * mean, (mean + high) / 2)


def to_mask(saliency: ArrayLike, threshold: float | None = None) -> NDArray[np.bool_]:
    """The pixels of a map that are salient.

    Parameters
    ----------
    saliency : array, (H, W)
        Floats in [0, 1].
    threshold : float, optional
        Default: `adaptive_threshold`.

    Returns
    -------
    (H, W) bool array
        True above the threshold; nowhere in a map of one value.

    Raises
    ------
    TypeError, ValueError
        If `saliency` is no map in [0, 1], or `threshold` no number.

    Examples
    --------
    >>> from classicseg import saliency
    >>> saliency.to_mask(np.array([[0.0, 0.0, 0.3, 0.8]]))
    array([[False, False, False,  True]])
    """
    at = adaptive_threshold(saliency) if threshold is None else finite(threshold, "threshold")
    values = as_image(saliency, name="saliency")
    if values.shape[2] != 1:
        raise ValueError(f"saliency has shape {values.shape}, expected (H, W)")
    mask: NDArray[np.bool_] = values[..., 0] > np.float32(255 * at)
    # The mean of equal values may be rounded to less than they are.
    return mask if values.max() > values.min() or threshold is not None else np.zeros_like(mask)

"""How good saliency maps are: against masks of objects, and against fixations of eyes.

Objects: `mae`, `precision_recall` with `f_measure`, `max_f`, `adaptive_f`, `s_measure`,
`e_measure`. Fixations: `auc_judd`, `auc_borji`, `nss` take a mask of fixated pixels; `cc`, `sim`
and `kl` a density of fixations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import positive
from classicseg.saliency._fixation_metrics import auc_borji, auc_judd, cc, kl, nss, sim
from classicseg.saliency._maps import EPSILON, Mask, Values, map_and_mask
from classicseg.saliency.threshold import to_mask

__all__ = [
    "PrecisionRecall",
    "adaptive_f",
    "auc_borji",
    "auc_judd",
    "cc",
    "e_measure",
    "f_measure",
    "kl",
    "mae",
    "max_f",
    "nss",
    "precision_recall",
    "s_measure",
    "sim",
]

_LEVELS = 256
_LARGEST_WEIGHT = 1e30


def mae(saliency: ArrayLike, truth: ArrayLike) -> float:
    """Mean absolute difference of a map and the true mask.

    Parameters
    ----------
    saliency : array, (H, W)
        Floats in [0, 1]; used as it is, not scaled.
    truth : bool array, (H, W)

    Raises
    ------
    TypeError, ValueError
        If the arrays are no map and no mask of one shape. The same holds for all functions here.

    Examples
    --------
    >>> mae(np.array([[0.25, 1.0]]), np.array([[False, True]]))
    0.125
    """
    found, true = map_and_mask(saliency, truth, "truth")
    return float(np.abs(found - true).mean())


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall of a map at each of 256 thresholds.

    Attributes
    ----------
    precision, recall : (256,) float64
        Entry t counts pixels of at least t / 255. Where no pixel is, the precision is 1.
    """

    precision: Values
    recall: Values


def precision_recall(saliency: ArrayLike, truth: ArrayLike) -> PrecisionRecall:
    """Precision and recall at all thresholds of a map that is scaled to [0, 1] and 256 levels.

    A data set's curve is the mean over its images that have foreground, and its max F is
    ``f_measure(mean precision, mean recall).max()``.

    Raises
    ------
    ValueError
        Also if `truth` has no foreground, of which no share can be found.

    Examples
    --------
    >>> curve = precision_recall(np.array([[0.0, 0.5, 1.0]]), np.array([[False, True, True]]))
    >>> curve.recall[[0, 100, 255]], curve.precision[[0, 100, 255]].round(2)
    (array([1. , 1. , 0.5]), array([0.67, 1.  , 1.  ]))
    """
    found, true = map_and_mask(saliency, truth, "truth")
    if not true.any():
        raise ValueError("truth has no foreground: leave such images out")
    low, high = found.min(), found.max()
    scaled = (found - low) / (high - low) if high > low else np.zeros_like(found)
    levels = np.rint(scaled * (_LEVELS - 1)).astype(np.int64)
    hits = _at_least(levels[true])
    positives = _at_least(levels.ravel())
    precision = np.where(positives > 0, hits / np.maximum(positives, 1), 1.0)
    return PrecisionRecall(precision, hits / true.sum())


def f_measure(precision: ArrayLike, recall: ArrayLike, beta_squared: float = 0.3) -> Values:
    """Weighted harmonic mean of precision and recall; 0 where both are 0.

    The default weighs precision higher, as all papers on salient objects do since Achanta et al.,
    2009, doi:10.1109/CVPR.2009.5206596.

    Examples
    --------
    >>> f_measure([0.5, 0.0], [1.0, 0.0]).round(4)
    array([0.5652, 0.    ])
    """
    p, r = (_share(value, name) for value, name in ((precision, "precision"), (recall, "recall")))
    if p.shape != r.shape:
        raise ValueError(f"recall has shape {r.shape}, expected precision's, {p.shape}")
    weight = positive(beta_squared, "beta_squared")
    if weight > _LARGEST_WEIGHT:
        raise ValueError(f"beta_squared is {beta_squared:g}, expected at most {_LARGEST_WEIGHT:g}")
    total = weight * p + r
    return np.divide((1 + weight) * p * r, total, out=np.zeros_like(total), where=total > 0)


def max_f(saliency: ArrayLike, truth: ArrayLike) -> float:
    """F at the best threshold for this map.

    Examples
    --------
    >>> max_f(np.array([[0.1, 0.7, 0.9]]), np.array([[False, True, True]]))
    1.0
    """
    curve = precision_recall(saliency, truth)
    return float(f_measure(curve.precision, curve.recall).max())


def adaptive_f(saliency: ArrayLike, truth: ArrayLike) -> float:
    """F of `to_mask`: at twice the map's mean.

    Examples
    --------
    >>> adaptive_f(np.array([[0.0, 0.0, 0.0, 0.9]]), np.array([[False, False, False, True]]))
    1.0
    """
    _, true = map_and_mask(saliency, truth, "truth")
    mask = to_mask(saliency)
    hits = float((mask & true).sum())
    precision, recall = hits / max(int(mask.sum()), 1), hits / max(int(true.sum()), 1)
    return float(f_measure(precision, recall))


def s_measure(saliency: ArrayLike, truth: ArrayLike) -> float:
    """Structural similarity of a map and a mask, of objects and of regions in equal parts.

    Fan, Cheng, Liu, Li & Borji, Structure-measure, 2017, doi:10.1109/ICCV.2017.487.

    Examples
    --------
    >>> truth = np.zeros((6, 6), bool)
    >>> truth[2:4, 2:4] = True
    >>> round(s_measure(truth.astype(float), truth), 6)
    1.0
    """
    found, true = map_and_mask(saliency, truth, "truth")
    if not true.any():
        return float(1 - found.mean())
    if true.all():
        return float(found.mean())
    share = true.mean()
    objects = share * _likeness(found[true]) + (1 - share) * _likeness(1 - found[~true])
    return float(max(0.0, 0.5 * objects + 0.5 * _region_similarity(found, true)))


def e_measure(saliency: ArrayLike, truth: ArrayLike) -> float:
    """Alignment of `to_mask` with the true mask, of pixels and of the means at once.

    Fan, Gong, Cao, Ren, Cheng & Borji, Enhanced-alignment Measure, 2018,
    doi:10.24963/ijcai.2018/97.

    Examples
    --------
    >>> truth = np.array([[True, False], [False, False]])
    >>> e_measure(truth.astype(float), truth), e_measure(1.0 - truth, truth)
    (1.0, 0.0)
    """
    _, true = map_and_mask(saliency, truth, "truth")
    mask = to_mask(saliency)
    if not true.any():
        return float(1 - mask.mean())
    if true.all():
        return float(mask.mean())
    a, b = mask - mask.mean(), true - true.mean()
    alignment = 2 * a * b / (a * a + b * b + EPSILON)
    return round(float(np.square(alignment + 1).mean() / 4), 12)


def _share(values: ArrayLike, name: str) -> Values:
    shares = as_array(values, name)
    if shares.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {shares.dtype}, expected numbers in [0, 1]")
    if shares.size and not (shares.min() >= 0 and shares.max() <= 1):
        raise ValueError(f"{name} holds NaN or values outside [0, 1]")
    return shares.astype(np.float64)


def _at_least(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are at each level or above."""
    counts = np.bincount(levels, minlength=_LEVELS)
    return np.cumsum(counts[::-1])[::-1]


def _likeness(values: Values) -> float:
    """The paper's similarity of values to 1: high and even."""
    mean = values.mean()
    return float(2 * mean / (mean * mean + 1 + values.std() + EPSILON))


def _region_similarity(found: Values, true: Mask) -> float:
    """SSIM of the four parts around the object's centre, weighted by their size."""
    y, x = (math.floor(i.mean() + 0.5) + 1 for i in np.nonzero(true))
    total = 0.0
    for rows in (slice(None, y), slice(y, None)):
        for columns in (slice(None, x), slice(x, None)):
            part, mask = found[rows, columns], true[rows, columns].astype(np.float64)
            if part.size:
                total += part.size / true.size * _ssim(part, mask)
    return total


def _ssim(a: Values, b: Values) -> float:
    n = max(a.size - 1, 1)
    da, db = a - a.mean(), b - b.mean()
    covariance = (da * db).sum() / n
    variances = (da * da).sum() / n + (db * db).sum() / n
    upper = 4 * a.mean() * b.mean() * covariance
    lower = (a.mean() ** 2 + b.mean() ** 2) * variances
    if upper != 0:
        return float(upper / (lower + EPSILON))
    return 1.0 if lower == 0 else 0.0

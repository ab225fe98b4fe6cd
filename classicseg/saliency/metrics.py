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
from classicseg._checks import as_image, as_mask, positive, positive_int
from classicseg._settings import generator_of, seed_of
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

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEVELS = 256
_LARGEST_WEIGHT = 1e30
_MOST_SPLITS = 1_000_000
_EPSILON = float(np.finfo(np.float64).eps)


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
    found, true = _map_and_mask(saliency, truth, "truth")
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
    found, true = _map_and_mask(saliency, truth, "truth")
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
    _, true = _map_and_mask(saliency, truth, "truth")
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
    found, true = _map_and_mask(saliency, truth, "truth")
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
    _, true = _map_and_mask(saliency, truth, "truth")
    mask = to_mask(saliency)
    if not true.any():
        return float(1 - mask.mean())
    if true.all():
        return float(mask.mean())
    a, b = mask - mask.mean(), true - true.mean()
    alignment = 2 * a * b / (a * a + b * b + _EPSILON)
    return round(float(np.square(alignment + 1).mean() / 4), 12)


def auc_judd(saliency: ArrayLike, fixations: ArrayLike) -> float:
    """Area under the ROC curve with the map's values at the fixations as thresholds.

    All other pixels are negatives. Judd, Durand & Torralba, A Benchmark of Computational Models of
    Saliency to Predict Human Fixations, 2012.

    Parameters
    ----------
    saliency : array, (H, W)
        Floats in [0, 1].
    fixations : bool array, (H, W)
        The fixated pixels: some, not all.

    Examples
    --------
    >>> auc_judd(np.array([[0.9, 0.1, 0.3]]), np.array([[True, False, False]]))
    1.0
    """
    found, fixated = _map_and_fixations(saliency, fixations)
    hits = found[fixated]
    thresholds = np.unique(hits)[::-1]
    true_rate = _share_at_least(hits, thresholds)
    false_rate = _share_at_least(found[~fixated], thresholds)
    return _area(false_rate, true_rate)


def auc_borji(
    saliency: ArrayLike, fixations: ArrayLike, n_splits: int = 100, rng: int = 0
) -> float:
    """Area under the ROC curve with as many negatives as fixations, drawn from all pixels.

    Mean over `n_splits` draws, each with thresholds at tenths of the scale. Borji, Tavakoli,
    Sihite & Itti, Analysis of Scores, Datasets, and Models in Visual Saliency Prediction, 2013,
    doi:10.1109/ICCV.2013.118.

    Parameters
    ----------
    saliency : array, (H, W)
        Floats in [0, 1].
    fixations : bool array, (H, W)
    n_splits : int
    rng : int
        Seed of the draws.

    Examples
    --------
    >>> auc_borji(np.full((4, 4), 0.5), np.eye(4, dtype=bool))
    0.5
    """
    positive_int(n_splits, "n_splits", _MOST_SPLITS)
    found, fixated = _map_and_fixations(saliency, fixations)
    low, high = found.min(), found.max()
    scaled = (found - low) / (high - low) if high > low else np.zeros_like(found)
    thresholds = np.linspace(1, 0, 11)
    hits = scaled[fixated]
    true_rate = _share_at_least(hits, thresholds)
    draws = generator_of(seed_of(rng))
    areas = []
    for _ in range(n_splits):
        negatives = scaled.ravel()[draws.integers(0, scaled.size, hits.size)]
        areas.append(_area(_share_at_least(negatives, thresholds), true_rate))
    return float(np.mean(areas))


def nss(saliency: ArrayLike, fixations: ArrayLike) -> float:
    """Mean at the fixations of the map with mean 0 and deviation 1; 0 for a constant map.

    Peters, Iyer, Itti & Koch, Components of Bottom-up Gaze Allocation in Natural Images, 2005,
    doi:10.1016/j.visres.2005.03.019.

    Examples
    --------
    >>> nss(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[True, False], [False, False]]))
    1.0
    """
    found, fixated = _map_and_fixations(saliency, fixations)
    return float(_standardised(found)[fixated].mean())


def cc(saliency: ArrayLike, density: ArrayLike) -> float:
    """Correlation of a map and a density of fixations; 0 where one is constant.

    Examples
    --------
    >>> round(cc(np.array([[0.0, 0.5, 1.0]]), np.array([[1.0, 0.5, 0.0]])), 6)
    -1.0
    """
    found, true = _map_and_density(saliency, density)
    return float((_standardised(found) * _standardised(true)).mean())


def sim(saliency: ArrayLike, density: ArrayLike) -> float:
    """Overlap of a map and a density of fixations, each with sum 1.

    Examples
    --------
    >>> sim(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]]))
    0.5
    """
    found, true = _map_and_density(saliency, density)
    return float(np.minimum(_distribution(found), _distribution(true)).sum())


def kl(saliency: ArrayLike, density: ArrayLike) -> float:
    """Kullback-Leibler divergence of a map from a density of fixations, each with sum 1; in nats.

    Bylinskii, Judd, Oliva, Torralba & Durand, What Do Different Evaluation Metrics Tell Us About
    Saliency Models?, 2019, doi:10.1109/TPAMI.2018.2815601 (for `cc` and `sim` too).

    Examples
    --------
    >>> round(kl(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0]])), 3)
    0.693
    """
    found, true = _map_and_density(saliency, density)
    p, q = _distribution(true), _distribution(found)
    return float((p * np.log(_EPSILON + p / (_EPSILON + q))).sum())


def _share(values: ArrayLike, name: str) -> Values:
    shares = as_array(values, name)
    if shares.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {shares.dtype}, expected numbers in [0, 1]")
    if shares.size and not (shares.min() >= 0 and shares.max() <= 1):
        raise ValueError(f"{name} holds NaN or values outside [0, 1]")
    return shares.astype(np.float64)


def _map(saliency: ArrayLike, name: str = "saliency") -> Values:
    values = as_image(saliency, name=name)
    if values.shape[2] != 1:
        raise ValueError(f"{name} has shape {values.shape}, expected (H, W)")
    return values[..., 0].astype(np.float64) / 255


def _map_and_mask(saliency: ArrayLike, mask: ArrayLike, name: str) -> tuple[Values, Mask]:
    found = _map(saliency)
    return found, as_mask(mask, name, found.shape)


def _map_and_fixations(saliency: ArrayLike, fixations: ArrayLike) -> tuple[Values, Mask]:
    found, fixated = _map_and_mask(saliency, fixations, "fixations")
    if not fixated.any() or fixated.all():
        raise ValueError(f"fixations marks {int(fixated.sum())} of {fixated.size}, expected some")
    return found, fixated


def _map_and_density(saliency: ArrayLike, density: ArrayLike) -> tuple[Values, Values]:
    found, true = _map(saliency), _map(density, "density")
    if found.shape != true.shape:
        raise ValueError(f"density has shape {true.shape}, expected saliency's, {found.shape}")
    return found, true


def _at_least(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are at each level or above."""
    counts = np.bincount(levels, minlength=_LEVELS)
    return np.cumsum(counts[::-1])[::-1]


def _share_at_least(values: Values, thresholds: Values) -> Values:
    below = np.searchsorted(np.sort(values), thresholds, side="left")
    return 1 - below / values.size


def _area(false_rate: Values, true_rate: Values) -> float:
    x = np.concatenate([[0.0], false_rate, [1.0]])
    y = np.concatenate([[0.0], true_rate, [1.0]])
    return float(np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1])) / 2)


def _standardised(values: Values) -> Values:
    centred = values - values.mean()
    deviation = centred.std()
    return centred / deviation if deviation > _EPSILON else np.zeros_like(values)


def _distribution(values: Values) -> Values:
    total = values.sum()
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)


def _likeness(values: Values) -> float:
    """The paper's similarity of values to 1: high and even."""
    mean = values.mean()
    return float(2 * mean / (mean * mean + 1 + values.std() + _EPSILON))


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
        return float(upper / (lower + _EPSILON))
    return 1.0 if lower == 0 else 0.0

"""How good saliency maps are against fixations of eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from classicseg._checks import positive_int
from classicseg._settings import generator_of, seed_of
from classicseg.saliency._maps import EPSILON, Mask, Values, map_and_mask, map_of

__all__ = ["auc_borji", "auc_judd", "cc", "kl", "nss", "sim"]

_MOST_SPLITS = 1_000_000


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
    return float((p * np.log(EPSILON + p / (EPSILON + q))).sum())


def _map_and_fixations(saliency: ArrayLike, fixations: ArrayLike) -> tuple[Values, Mask]:
    found, fixated = map_and_mask(saliency, fixations, "fixations")
    if not fixated.any() or fixated.all():
        raise ValueError(f"fixations marks {int(fixated.sum())} of {fixated.size}, expected some")
    return found, fixated


def _map_and_density(saliency: ArrayLike, density: ArrayLike) -> tuple[Values, Values]:
    found, true = map_of(saliency), map_of(density, "density")
    if found.shape != true.shape:
        raise ValueError(f"density has shape {true.shape}, expected saliency's, {found.shape}")
    return found, true


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
    return centred / deviation if deviation > EPSILON else np.zeros_like(values)


def _distribution(values: Values) -> Values:
    total = values.sum()
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)

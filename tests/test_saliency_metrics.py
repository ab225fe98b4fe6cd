"""Measures of saliency maps: hand-computed cases, scikit-learn, properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score, roc_auc_score

from classicseg import saliency
from classicseg.saliency import metrics


def a_map_and_a_mask(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.zeros((12, 17), bool)
    truth[3:9, 4:11] = True
    return np.clip(0.4 * truth + 0.6 * rng.random(truth.shape), 0, 1), truth


def test_precision_and_recall_are_those_of_scikit_learn() -> None:
    found, truth = a_map_and_a_mask(0)
    curve = metrics.precision_recall(found, truth)
    levels = np.rint(255 * (found - found.min()) / (found.max() - found.min()))
    for t in (0, 1, 90, 200, 255):
        mask = (levels >= t).ravel()
        assert curve.precision[t] == pytest.approx(precision_score(truth.ravel(), mask))
        assert curve.recall[t] == pytest.approx(recall_score(truth.ravel(), mask))


def test_f_by_hand() -> None:
    # precision 1/2, recall 1: 1.3 * 0.5 / (0.15 + 1)
    assert metrics.f_measure(0.5, 1.0) == pytest.approx(0.65 / 1.15)
    assert metrics.f_measure(0.5, 1.0, beta_squared=1) == pytest.approx(2 / 3)
    found = np.array([[0.9, 0.8, 0.0, 0.0, 0.0, 0.0]])
    truth = np.array([[True, False, False, True, False, False]])
    # Mean 0.283, threshold 0.567: two found, one right of two: precision 1/2, recall 1/2.
    assert metrics.adaptive_f(found, truth) == pytest.approx(0.5)
    # At the highest level alone: precision 1, recall 1/2.
    assert metrics.max_f(found, truth) == pytest.approx(1.3 * 0.5 / 0.8)


def test_s_measure_by_hand() -> None:
    truth = np.zeros((4, 4), bool)
    truth[1:3, 1:3] = True
    found = np.where(truth, 0.8, 0.2)
    alike = 2 * 0.8 / (0.8**2 + 1)  # of the object and, inverted, of the background
    # The centre (1.5, 1.5), rounded up to 2, cuts after row and column 3: four unequal parts.
    parts = []
    for rows, columns in ((slice(3), slice(3)), (slice(3), slice(3, 4))):
        x, y = found[rows, columns], truth[rows, columns].astype(float)
        n = x.size
        cov = ((x - x.mean()) * (y - y.mean())).sum() / (n - 1)
        low = (x.mean() ** 2 + y.mean() ** 2) * (x.var(ddof=1) + y.var(ddof=1))
        upper = 4 * x.mean() * y.mean() * cov
        parts.append((n / 16, upper / low if upper else float(low == 0)))
    (a, first), (b, second) = parts
    regions = a * first + 2 * b * second + (1 / 16) * 1.0  # the last: constant in both
    assert metrics.s_measure(found, truth) == pytest.approx(0.5 * alike + 0.5 * regions)


def test_the_figures_of_another_program() -> None:
    """What PySODMetrics 1.6.2 says of this map; its E-measure divides by n - 1."""
    y, x = np.indices((60, 80))
    found = np.exp(-((x - 30) ** 2 + (y - 25) ** 2) / 400) + 0.3 * ((x // 8 + y // 8) % 2)
    levels = np.rint(255 * (found - found.min()) / np.ptp(found)).astype(np.uint8)
    truth = np.zeros((60, 80), bool)
    truth[12:41, 17:52] = True
    assert metrics.s_measure(levels, truth) == pytest.approx(0.70779774, abs=2e-5)
    assert metrics.e_measure(levels, truth) * 4800 / 4799 == pytest.approx(0.78659453, abs=1e-6)
    assert metrics.adaptive_f(levels, truth) == pytest.approx(0.77625360, abs=1e-6)
    assert metrics.max_f(levels, truth) == pytest.approx(0.78675821, abs=1e-6)
    assert metrics.mae(levels, truth) == pytest.approx(0.25443219, abs=1e-6)


def test_measures_of_empty_and_full_masks() -> None:
    found = np.full((3, 4), 0.25)
    none, every = np.zeros((3, 4), bool), np.ones((3, 4), bool)
    assert metrics.s_measure(found, none) == 0.75
    assert metrics.s_measure(found, every) == 0.25
    assert metrics.e_measure(found, none) == 1  # nothing is above twice the mean
    assert metrics.e_measure(found, every) == 0
    with pytest.raises(ValueError, match="no foreground"):
        metrics.precision_recall(found, none)
    for fixations in (none, every):
        with pytest.raises(ValueError, match="expected some"):
            metrics.auc_judd(found, fixations)


def test_e_measure_by_hand() -> None:
    truth = np.array([[True, True, False, False]])
    found = np.array([[0.9, 0.1, 0.1, 0.1]])  # threshold 0.6: the first pixel
    a, b = np.array([1, 0, 0, 0]) - 0.25, np.array([1, 1, 0, 0]) - 0.5
    alignment = 2 * a * b / (a * a + b * b)
    assert metrics.e_measure(found, truth) == pytest.approx(((alignment + 1) ** 2 / 4).mean())


def test_auc_judd_is_the_area_where_fixations_have_all_values() -> None:
    rng = np.random.default_rng(1)
    fixations = rng.random((20, 30)) < 0.5
    found = np.round(np.clip(rng.random((20, 30)) + 0.3 * fixations, 0, 1), 1)
    expected = roc_auc_score(fixations.ravel(), found.ravel())
    assert metrics.auc_judd(found, fixations) == pytest.approx(expected, abs=1e-6)
    assert metrics.auc_borji(found, fixations) == pytest.approx((expected + 0.5) / 2, abs=0.02)


def test_auc_judd_by_hand() -> None:
    found = np.array([[0.9, 0.8, 0.7, 0.1]])
    fixations = np.array([[True, False, True, False]])
    # Points (0, 1/2) and (1/2, 1).
    assert metrics.auc_judd(found, fixations) == pytest.approx(0.5 * 0.75 + 0.5)


def test_nss_cc_sim_and_kl_by_hand() -> None:
    found = np.array([[0.8, 0.4, 0.4, 0.0]])
    density = np.array([[0.5, 0.5, 0.0, 0.0]])
    assert metrics.nss(found, density > 0) == pytest.approx((0.4 + 0.0) / np.sqrt(0.08) / 2)
    assert metrics.cc(found, density) == pytest.approx(np.corrcoef(found, density)[0, 1])
    assert metrics.sim(found, density) == pytest.approx(0.5 + 0.25)
    assert metrics.kl(found, density) == pytest.approx(0.5 * np.log(0.5 / 0.25))
    assert metrics.nss(np.full((1, 4), 0.3), density > 0) == 0
    assert metrics.cc(np.full((1, 4), 0.3), density) == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_truth_is_best_and_chance_is_worse(seed: int) -> None:
    found, truth = a_map_and_a_mask(seed)
    perfect = truth.astype(float)
    for measure in (metrics.max_f, metrics.adaptive_f, metrics.s_measure, metrics.e_measure):
        assert 0 <= measure(found, truth) <= measure(perfect, truth) == pytest.approx(1)
    assert metrics.mae(perfect, truth) == 0 < metrics.mae(found, truth)
    for measure in (metrics.auc_judd, metrics.auc_borji, metrics.nss):
        assert measure(1 - found, truth) < measure(found, truth) <= measure(perfect, truth)
    assert metrics.sim(found, found) == pytest.approx(1)
    assert metrics.cc(found, found) == pytest.approx(1)
    assert metrics.kl(found, found) == pytest.approx(0, abs=1e-9)
    # Flips of both change nothing but the draws of auc_borji and the rounding of the centre.
    for measure in (metrics.max_f, metrics.e_measure, metrics.auc_judd, metrics.nss, metrics.mae):
        assert measure(found[::-1, ::-1], truth[::-1, ::-1]) == pytest.approx(measure(found, truth))


def test_shapes_have_to_agree() -> None:
    for measure in (metrics.mae, metrics.max_f, metrics.s_measure, metrics.auc_judd, metrics.cc):
        with pytest.raises((ValueError, TypeError), match="shape"):
            measure(
                np.zeros((3, 4)),
                np.zeros((4, 3)) > 1 if measure is not metrics.cc else np.zeros((4, 3)),
            )


def test_to_mask_is_the_adaptive_threshold() -> None:
    found, _ = a_map_and_a_mask(3)
    np.testing.assert_array_equal(
        saliency.to_mask(found), found > saliency.adaptive_threshold(found)
    )
    np.testing.assert_array_equal(saliency.to_mask(found, 0.5), found > 0.5)
    assert not saliency.to_mask(np.full((4, 5), 0.7)).any()
    with pytest.raises(ValueError, match="threshold"):
        saliency.to_mask(found, float("nan"))

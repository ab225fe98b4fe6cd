"""Evidence as energies, against scipy's softmax and hand-computed cases."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax, softmax

from classicseg import unary


def test_probabilities_there_and_back(rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.ones(5), (6, 7)).astype(np.float32)
    energies = unary.from_probabilities(p, clip=1e-12)
    np.testing.assert_allclose(energies, -np.log(p), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(unary.to_probabilities(energies), p, atol=1e-6)


def test_energies_are_bounded_and_never_negative() -> None:
    one_hot = np.eye(3)[np.array([[0, 1, 2]])]
    energies = unary.from_probabilities(one_hot)
    assert energies.dtype == np.float32
    assert energies.min() == 0
    assert energies.max() == pytest.approx(-math.log(1e-5), rel=1e-6)
    assert unary.from_probabilities(one_hot, clip=0.1).max() == pytest.approx(-math.log(0.1))


@pytest.mark.parametrize("clip", [0, 1, -1, math.nan, 2.0])
def test_clip_must_be_a_probability(clip: float) -> None:
    with pytest.raises(ValueError, match="clip"):
        unary.from_probabilities(np.full((1, 1, 2), 0.5), clip=clip)


def test_scores_are_no_probabilities() -> None:
    with pytest.raises(ValueError, match="from_scores"):
        unary.from_probabilities(np.array([[[-1.0, 2.0]]]))
    with pytest.raises(ValueError, match=r"sums to 0\.9"):
        unary.from_probabilities(np.array([[[0.4, 0.5]]]))


@given(
    hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(-1e4, 1e4, width=32)),
    st.floats(0.1, 10),
)
def test_scores_match_scipy(logits: np.ndarray, temperature: float) -> None:
    energies = unary.from_scores(logits, temperature=temperature)
    expected = -log_softmax(logits.astype(np.float64) / temperature, axis=-1)
    np.testing.assert_allclose(energies, expected, rtol=1e-5, atol=1e-5)
    p = unary.to_probabilities(energies)
    np.testing.assert_allclose(p, softmax(-energies.astype(np.float64), axis=-1), atol=1e-6)
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-6)


def test_large_scores_do_not_overflow() -> None:
    energies = unary.from_scores(np.array([[[1e30, 1e30, -1e30]]]))
    assert energies[0, 0, :2] == pytest.approx([math.log(2)] * 2)
    assert np.isfinite(energies).all()
    assert unary.to_probabilities(energies)[0, 0].tolist() == [0.5, 0.5, 0]


def test_labels_by_hand() -> None:
    energies = unary.from_labels(np.array([[0, 3], [255, 1]], np.uint8), 4, certainty=0.4)
    assert energies.dtype == np.float32
    p = np.exp(-energies)
    np.testing.assert_allclose(p[0, 0], [0.4, 0.2, 0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(p[0, 1], [0.2, 0.2, 0.2, 0.4], rtol=1e-6)
    np.testing.assert_allclose(p[1, 0], 0.25, rtol=1e-6)


def test_labels_void() -> None:
    labels = np.array([[0, 1, 7]])
    with pytest.raises(ValueError, match=r"labels holds 7, expected 0\.\.1 or 255"):
        unary.from_labels(labels, 2)
    assert unary.from_labels(labels, 2, ignore_index=7)[0, 2] == pytest.approx([math.log(2)] * 2)
    with pytest.raises(ValueError, match="ignore_index"):
        unary.from_labels(labels, 300)
    # With 300 classes 255 is a class like any other once void is said to be elsewhere.
    energies = unary.from_labels(np.array([[255]]), 300, ignore_index=65535)
    assert energies[0, 0].argmin() == 255


@pytest.mark.parametrize(
    ("n_classes", "certainty", "error"),
    [(1, 0.7, ValueError), (2.0, 0.7, TypeError), (3, 1.0, ValueError), (3, 0.0, ValueError)],
)
def test_labels_bad_settings(n_classes: int, certainty: float, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"n_classes|certainty"):
        unary.from_labels(np.zeros((2, 2), int), n_classes, certainty)


def test_volumes_and_odd_layouts(rng: np.random.Generator) -> None:
    p = rng.dirichlet(np.ones(3), (2, 4, 5))
    assert unary.from_probabilities(p).shape == (2, 4, 5, 3)
    scores = rng.normal(size=(4, 6, 3)).astype(">f8")
    scores.flags.writeable = False
    before = scores.copy()
    view = scores[::-1, ::2]
    np.testing.assert_array_equal(unary.from_scores(view), unary.from_scores(view.copy()))
    unary.to_probabilities(scores)
    np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize("function", [unary.from_scores, unary.to_probabilities])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite(function, bad: float) -> None:
    energies = np.zeros((2, 2, 2))
    energies[1, 0, 1] = bad
    with pytest.raises(ValueError, match=r"NaN|infinite"):
        function(energies)


def test_energies_that_differ_by_more_than_float32_holds() -> None:
    energies = np.array([[[3e38, -3e38], [-3e38, -3e38]]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unary.to_probabilities(energies).tolist() == [[[0.0, 1.0], [0.5, 0.5]]]

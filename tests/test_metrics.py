"""Scores of labels, against slow twins, scikit-learn and hand-computed cases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import metrics as reference
from sklearn.metrics import confusion_matrix, jaccard_score

from classicseg import io, metrics
from classicseg.metrics import ConfusionMatrix

SHAPES = st.tuples(st.integers(1, 8), st.integers(1, 8))


def four(matrix: ConfusionMatrix) -> tuple[float, float, float, float]:
    return (
        matrix.pixel_accuracy,
        matrix.mean_accuracy,
        matrix.mean_iou,
        matrix.frequency_weighted_iou,
    )


@given(st.data(), st.integers(1, 6))
def test_confusion_matches_twin(data: st.DataObject, n: int) -> None:
    shape = data.draw(SHAPES)
    truth = data.draw(
        hnp.arrays(np.uint8, shape, elements=st.sampled_from([*range(n), 255])), label="truth"
    )
    labels = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(0, n - 1)), label="labels")
    matrix = ConfusionMatrix(n).update(truth, labels)
    expected = reference.confusion(truth, labels, n, 255)
    np.testing.assert_array_equal(matrix.counts, expected)
    assert four(matrix) == pytest.approx(reference.scores(expected), nan_ok=True)


def test_confusion_matches_sklearn(rng: np.random.Generator) -> None:
    truth, labels = rng.integers(0, 7, (2, 50, 60))
    matrix = ConfusionMatrix(7).update(truth, labels)
    expected = confusion_matrix(truth.ravel(), labels.ravel(), labels=range(7))
    np.testing.assert_array_equal(matrix.counts, expected)
    iou = jaccard_score(truth.ravel(), labels.ravel(), average=None)
    np.testing.assert_allclose(matrix.iou, iou)
    assert matrix.mean_iou == pytest.approx(iou.mean())


def test_scores_by_hand() -> None:
    truth = np.array([[0, 0, 0, 0, 1, 1, 255, 255]])
    labels = np.array([[0, 0, 0, 1, 1, 0, 1, 2]])
    matrix = ConfusionMatrix(4).update(truth, labels)
    np.testing.assert_array_equal(matrix.iou, [3 / 5, 1 / 3, np.nan, np.nan])
    np.testing.assert_array_equal(matrix.accuracy, [3 / 4, 1 / 2, np.nan, np.nan])
    assert matrix.pixel_accuracy == pytest.approx(4 / 6)
    assert matrix.mean_accuracy == pytest.approx(5 / 8)
    assert matrix.mean_iou == pytest.approx((3 / 5 + 1 / 3) / 2)
    assert matrix.frequency_weighted_iou == pytest.approx((4 * 3 / 5 + 2 / 3) / 6)


def test_a_class_only_predicted_counts_as_wrong() -> None:
    matrix = ConfusionMatrix(3).update(np.zeros((2, 2), int), np.array([[0, 0], [0, 2]]))
    np.testing.assert_array_equal(matrix.iou, [3 / 4, np.nan, 0])
    assert matrix.mean_iou == pytest.approx(3 / 8)
    assert matrix.mean_accuracy == pytest.approx(3 / 4)


def test_nothing_counted_is_nan() -> None:
    matrix = ConfusionMatrix(3)
    assert all(math.isnan(score) for score in four(matrix))
    matrix.update(np.full((3, 3), 255), np.full((3, 3), 255))
    assert matrix.counts.sum() == 0
    assert all(math.isnan(score) for score in four(matrix))
    assert "nan" in repr(matrix)


@pytest.mark.parametrize("wrong", [3, 254, 255])
def test_prediction_out_of_range(wrong: int) -> None:
    matrix = ConfusionMatrix(3)
    with pytest.raises(ValueError, match=rf"labels holds {wrong}, expected classes 0\.\.2"):
        matrix.update(np.zeros((1, 2), int), np.array([[0, wrong]]))
    assert matrix.counts.sum() == 0


def test_truth_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"truth holds 3, expected classes 0\.\.2 or 255"):
        ConfusionMatrix(3).update(np.full((1, 2), 3), np.zeros((1, 2), int))
    with pytest.raises(ValueError, match="-1"):
        ConfusionMatrix(3).update(np.full((1, 2), -1), np.zeros((1, 2), int))


def test_shapes_and_types() -> None:
    with pytest.raises(ValueError, match=r"labels has shape \(3, 2\), expected \(2, 3\)"):
        ConfusionMatrix(2).update(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(TypeError, match="float64"):
        ConfusionMatrix(2).update(np.zeros((2, 3)), np.zeros((2, 3), int))
    with pytest.raises(TypeError, match="n_classes"):
        ConfusionMatrix(2.0)  # type: ignore[arg-type]
    mask = np.array([[True, False]])
    assert ConfusionMatrix(2).update(mask, mask).pixel_accuracy == 1


def test_void_elsewhere() -> None:
    with pytest.raises(ValueError, match="ignore_index must be given"):
        ConfusionMatrix(300)
    with pytest.raises(ValueError, match="ignore_index is 2"):
        ConfusionMatrix(3, ignore_index=2)
    matrix = ConfusionMatrix(300, ignore_index=1000)
    matrix.update(np.array([[255, 1000, 299]]), np.array([[255, 0, 0]]))
    assert matrix.counts[255, 255] == 1
    assert matrix.counts[299, 0] == 1
    assert matrix.counts.sum() == 2


def test_sum_of_parts_is_the_whole(rng: np.random.Generator) -> None:
    truth, labels = rng.integers(0, 3, (2, 4, 10, 10))
    whole, parts = ConfusionMatrix(3), [ConfusionMatrix(3) for _ in range(4)]
    for part, t, p in zip(parts, truth, labels, strict=True):
        assert whole.update(t, p) is whole
        part.update(t, p)
    before = parts[0].counts.copy()
    total = parts[0] + parts[1] + parts[2] + parts[3]
    np.testing.assert_array_equal(total.counts, whole.counts)
    np.testing.assert_array_equal(parts[0].counts, before)
    assert parts[0].merge(parts[1]) is parts[0]
    np.testing.assert_array_equal(parts[0].counts, before + parts[1].counts)
    with pytest.raises(ValueError, match="n_classes"):
        whole.merge(ConfusionMatrix(4))
    with pytest.raises(TypeError):
        whole + 1  # type: ignore[operator]


def test_mask_iou() -> None:
    a, b = np.zeros((2, 4, 4), bool)
    assert metrics.mask_iou(a, b) == 1
    a[:2] = True
    assert metrics.mask_iou(a, b) == 0
    b[1:3] = True
    assert metrics.mask_iou(a, b) == pytest.approx(1 / 3)
    assert metrics.mask_iou(a, b, ignore=~a) == pytest.approx(1 / 2)
    assert metrics.mask_iou(a.astype(np.uint8) * 255, a) == 1
    with pytest.raises(ValueError, match="ignore has shape"):
        metrics.mask_iou(a, b, ignore=a[:2])


@given(st.data(), st.sampled_from([1.0, 1.5, 2.0, 3.0]))
@settings(max_examples=60)
def test_boundary_f_matches_twin(data: st.DataObject, radius: float) -> None:
    shape = data.draw(SHAPES)
    truth = data.draw(hnp.arrays(bool, shape))
    mask = data.draw(hnp.arrays(bool, shape))
    expected = reference.boundary_f(truth, mask, radius)
    assert metrics.boundary_f(truth, mask, radius) == pytest.approx(expected)


def test_boundary_f_of_classes_is_the_mean(rng: np.random.Generator) -> None:
    truth = np.kron(rng.integers(0, 3, (3, 3)), np.ones((4, 4), int))
    labels = np.roll(truth, 2, axis=0)
    labels[0, 0] = 5
    each = [reference.boundary_f(truth == k, labels == k, 1) for k in (0, 1, 2, 5)]
    assert metrics.boundary_f(truth, labels, 1) == pytest.approx(np.mean(each))


def test_boundary_f_tolerance_is_a_share_of_the_diagonal() -> None:
    truth = np.zeros((300, 400), bool)  # diagonal 500: 0.0075 of it, rounded up, is 4 pixels
    truth[:, 200:] = True
    assert metrics.boundary_f(truth, np.roll(truth, 4, axis=1)[:, :]) < 1  # the far edge wraps
    moved = np.zeros_like(truth)
    moved[:, 204:] = True
    assert metrics.boundary_f(truth, moved) == 1
    moved[:, 204] = False
    assert metrics.boundary_f(truth, moved) == 0
    assert metrics.boundary_f(truth, moved, 5) == 1
    assert metrics.boundary_f(truth, moved, 0.01) == 1


def test_boundary_f_edge_cases() -> None:
    empty, full, part = np.zeros((3, 9, 9), bool)
    full[:] = True
    part[3:6, 3:6] = True
    assert metrics.boundary_f(empty, empty) == 1
    assert metrics.boundary_f(empty, part) == 0
    assert metrics.boundary_f(part, empty) == 0
    assert metrics.boundary_f(full, full) == 1
    assert math.isnan(metrics.boundary_f(np.full((4, 4), 255), np.zeros((4, 4), int)))
    assert metrics.boundary_f(np.ones((1, 1), bool), np.ones((1, 1), bool)) == 1
    for tolerance in (0, -1, math.nan):
        with pytest.raises(ValueError, match="tolerance"):
            metrics.boundary_f(part, part, tolerance)


def test_boundary_f_leaves_void_out() -> None:
    truth = np.zeros((20, 20), int)
    truth[5:15, 5:15] = 255
    truth[7:13, 7:13] = 1
    labels = np.where(truth == 1, 1, 0)
    for grown in range(3):  # anywhere within the void rim is right
        labels[7 - grown : 13 + grown, 7 - grown : 13 + grown] = 1
        assert metrics.boundary_f(truth, labels, 1) == 1
    labels[2:18, 2:18] = 1
    assert metrics.boundary_f(truth, labels, 1) < 1


@given(st.data(), st.sampled_from([0.5, 1.0, 2.0, 3.5]))
@settings(max_examples=60)
def test_band_matches_twin(data: st.DataObject, width: float) -> None:
    labels = data.draw(hnp.arrays(np.int32, SHAPES, elements=st.integers(0, 2)))
    np.testing.assert_array_equal(metrics.band(labels, width), reference.band(labels, width))


def test_band_is_width_pixels_on_either_side() -> None:
    labels = np.zeros((30, 30), int)
    labels[:, 15:] = 1
    for width in range(1, 6):
        columns = np.flatnonzero(metrics.band(labels, width)[7])
        assert columns.tolist() == list(range(15 - width, 15 + width))
    assert not metrics.band(np.zeros((5, 5), int), 3).any()


def test_real_scores(shared_data: Path) -> None:
    """A network's published quality, within what 20 images can tell."""
    voc = shared_data / "voc2012"
    matrix, agreement = ConfusionMatrix(21), []
    for name in (voc / "val.txt").read_text().split()[:20]:
        truth = io.read_labels(voc / "SegmentationClass" / f"{name}.png")
        labels = io.read_scores(voc / "logits" / f"{name}.npz", shape=truth.shape).argmax(axis=-1)
        matrix.update(truth, labels)
        agreement.append(metrics.boundary_f(truth, labels))
    assert matrix.pixel_accuracy > 0.85
    assert 0.45 < matrix.mean_iou < 0.85
    assert 0.4 < np.mean(agreement) < 0.95

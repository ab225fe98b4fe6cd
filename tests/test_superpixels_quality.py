"""Quality measures: cases by hand, loops over pixels, what scikit-image has of them."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.segmentation import find_boundaries

from classicseg import superpixels as sp

HALVES = np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0)


def test_perfect_regions() -> None:
    assert sp.boundary_recall(HALVES, HALVES, 0) == 1
    assert sp.undersegmentation_error(HALVES, HALVES) == 0
    assert sp.achievable_accuracy(HALVES, HALVES) == 1
    assert sp.explained_variation(HALVES, HALVES.astype(float)) == 1


def test_by_hand() -> None:
    shifted = np.repeat([[0, 0, 0, 0, 1, 1]], 4, axis=0)  # one column off
    assert sp.boundary_recall(shifted, HALVES, 0) == 0.5  # the thick boundaries share a column
    assert sp.boundary_recall(shifted, HALVES, 1) == 1
    # Region 0 leaks 4 of its 16 pixels, once seen from either true half.
    assert sp.undersegmentation_error(shifted, HALVES) == pytest.approx(8 / 24)
    assert sp.achievable_accuracy(shifted, HALVES) == pytest.approx(20 / 24)
    assert sp.boundary_recall(HALVES, HALVES * 0) == 1  # no true boundary to miss
    assert sp.boundary_recall(HALVES * 0, HALVES) == 0
    # 4 x 3 pixels with perimeter 14, twice.
    assert sp.compactness(HALVES) == pytest.approx(4 * np.pi * 12 / 14**2)
    # The mean is 1/4: 0.75 is the total variation, 0.25 that of the means 0 and 1/2.
    image = np.array([[0, 0, 0, 1.0]])
    regions = np.array([[0, 0, 1, 1]])
    assert sp.explained_variation(regions, image) == pytest.approx(0.25 / 0.75)


@pytest.mark.parametrize("shape", [(13, 17), (4, 5, 6)])
def test_against_loops(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    labels, truth = rng.integers(0, 6, shape), rng.integers(0, 3, shape)
    truth[: shape[0] // 2] = 0
    leak, best = 0, 0
    for k in range(6):
        overlaps = [int(((labels == k) & (truth == t)).sum()) for t in range(3)]
        best += max(overlaps)
        leak += sum(min(o, sum(overlaps) - o) for o in overlaps)
    assert sp.undersegmentation_error(labels, truth) == pytest.approx(leak / labels.size)
    assert sp.achievable_accuracy(labels, truth) == pytest.approx(best / labels.size)
    for tolerance in (0, 1):
        wanted = np.argwhere(find_boundaries(truth, mode="thick"))
        own = np.argwhere(find_boundaries(labels, mode="thick"))
        near = [(np.abs(own - p).max(axis=1) <= tolerance).any() for p in wanted]
        assert sp.boundary_recall(labels, truth, tolerance) == pytest.approx(np.mean(near))


def test_large_labels_are_counted_too(rng: np.random.Generator) -> None:
    labels, truth = rng.integers(0, 6, (20, 20)), rng.integers(0, 3, (20, 20))
    far, apart = labels * 50_000, truth * 1000  # too many pairs for a table
    assert sp.undersegmentation_error(far, apart) == sp.undersegmentation_error(labels, truth)
    assert sp.achievable_accuracy(far, apart) == sp.achievable_accuracy(labels, truth)


def test_void_is_not_counted() -> None:
    labels, truth = np.array([[0, 0, -1, 1]]), np.array([[0, 1, 1, -1]])
    assert sp.achievable_accuracy(labels, truth) == 0.5
    assert sp.undersegmentation_error(labels, truth) == 1
    assert sp.explained_variation(labels, np.array([[0, 0, 0.7, 1]])) == 1
    assert sp.compactness(np.array([[0, -1]])) == pytest.approx(np.pi / 4)


def test_labels_permute(rng: np.random.Generator) -> None:
    labels, truth = rng.integers(0, 6, (20, 20)), rng.integers(0, 3, (20, 20))
    image = rng.random((20, 20))
    other = rng.permutation(6)[labels]
    assert sp.compactness(other) == pytest.approx(sp.compactness(labels))
    assert sp.boundary_recall(other, truth, 0) == sp.boundary_recall(labels, truth, 0)
    assert sp.undersegmentation_error(other, truth) == sp.undersegmentation_error(labels, truth)
    value = sp.explained_variation(labels, image)
    assert sp.explained_variation(other, image) == pytest.approx(value)
    assert sp.explained_variation(labels * 0, image) == pytest.approx(0, abs=1e-9)
    assert sp.explained_variation(np.arange(400).reshape(20, 20), image) == pytest.approx(1)
    assert sp.explained_variation(labels, image * 0) == 1


def test_errors_name_the_argument() -> None:
    with pytest.raises(ValueError, match=r"^truth has shape"):
        sp.boundary_recall(HALVES, HALVES.T)
    with pytest.raises(ValueError, match=r"^tolerance is -1"):
        sp.boundary_recall(HALVES, HALVES, -1)
    with pytest.raises(ValueError, match=r"^labels and truth have no pixel"):
        sp.achievable_accuracy(np.array([[0, -1]]), np.array([[-1, 0]]))
    with pytest.raises(ValueError, match=r"^labels has shape \(2, 2, 2\)"):
        sp.compactness(np.zeros((2, 2, 2), int))
    with pytest.raises(ValueError, match=r"^image has shape"):
        sp.explained_variation(HALVES, HALVES.T / 2)

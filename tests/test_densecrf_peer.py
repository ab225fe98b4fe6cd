"""The dense CRF against the authors' code, as wrapped by pydensecrf2."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

from classicseg import unary
from classicseg.densecrf import BilateralKernel, DenseCRF, GaussianKernel, refine

peers = pytest.importorskip("pydensecrf.densecrf")
NORMALIZATIONS = {
    "none": "NO_NORMALIZATION",
    "before": "NORMALIZE_BEFORE",
    "after": "NORMALIZE_AFTER",
    "symmetric": "NORMALIZE_SYMMETRIC",
}


def coffee(height: int = 150) -> np.ndarray:
    return (resize(data.coffee(), (height, height * 3 // 2)) * 255).astype(np.uint8)


def smooth_energies(rng: np.random.Generator, shape: tuple[int, int], n: int) -> np.ndarray:
    scores = rng.normal(0, 3, (shape[0] // 10 + 1, shape[1] // 10 + 1, n))
    scores = scores.repeat(10, 0).repeat(10, 1)[: shape[0], : shape[1]]
    return unary.from_scores(scores + rng.normal(0, 0.5, scores.shape))


def peer_marginals(energies, image, n_iterations=10, compat=(3, 10), normalization="symmetric"):
    height, width, n = energies.shape
    crf = peers.DenseCRF2D(width, height, n)
    crf.setUnaryEnergy(np.ascontiguousarray(energies.reshape(-1, n).T))
    how = getattr(peers, NORMALIZATIONS[normalization])
    crf.addPairwiseGaussian(sxy=3, compat=compat[0], normalization=how)
    crf.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=compat[1], normalization=how)
    found = np.array(crf.inference(n_iterations)).reshape(n, height, width)
    return np.moveaxis(found, 0, -1)


@pytest.mark.parametrize("n_labels", [2, 3, 8, 9, 21, 40])
def test_marginals_are_theirs(n_labels: int, rng: np.random.Generator) -> None:
    image = coffee()
    energies = smooth_energies(rng, image.shape[:2], n_labels)
    expected = peer_marginals(energies, image)
    found = DenseCRF().infer(energies, image)
    assert np.abs(found.probabilities - expected).mean() < 1e-5
    assert (found.labels != expected.argmax(-1)).mean() < 1e-4
    assert (found.labels != energies.argmin(-1)).mean() > 0.02  # and it does something


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_normalizations_are_theirs(normalization: str, rng: np.random.Generator) -> None:
    image = coffee(60)
    energies = smooth_energies(rng, image.shape[:2], 4)
    # Without normalisation the sums are some hundred times larger.
    weights = (0.02, 0.01) if normalization == "none" else (2, 3)
    expected = peer_marginals(energies, image, 5, weights, normalization)
    kernels = [GaussianKernel(3, weights[0]), BilateralKernel(80, 13, weights[1])]
    found = DenseCRF(kernels, normalization=normalization).infer(energies, image, 5)
    assert np.abs(found.probabilities - expected).mean() < 1e-5
    assert np.abs(found.probabilities - unary.to_probabilities(energies)).mean() > 1e-3


@pytest.mark.parametrize("n_labels", [2, 5])
def test_label_weights_and_penalties_are_theirs(n_labels: int, rng: np.random.Generator) -> None:
    """Theirs are energies of agreement and of pairs: ours are worths and costs."""
    image = coffee(60)
    energies = smooth_energies(rng, image.shape[:2], n_labels)
    worth = rng.uniform(0.5, 2, n_labels).astype(np.float32)
    found = DenseCRF([BilateralKernel(80, 13, 3)], compatibility=worth).infer(energies, image, 5)
    cost = rng.uniform(0, 2, (n_labels, n_labels)).astype(np.float32)
    cost = (cost + cost.T) / 2
    pairs = DenseCRF([BilateralKernel(80, 13, 3)], compatibility=cost).infer(energies, image, 5)
    for ours, compat in ((found, -3 * worth), (pairs, 3 * cost)):
        crf = peers.DenseCRF2D(image.shape[1], image.shape[0], n_labels)
        crf.setUnaryEnergy(np.ascontiguousarray(energies.reshape(-1, n_labels).T))
        crf.addPairwiseBilateral(sxy=80, srgb=13, rgbim=image, compat=compat)
        expected = np.array(crf.inference(5)).reshape(n_labels, *image.shape[:2])
        assert np.abs(ours.probabilities - np.moveaxis(expected, 0, -1)).mean() < 1e-5


def test_refine_runs_their_code(rng: np.random.Generator) -> None:
    image = coffee(80)
    given = unary.to_probabilities(smooth_energies(rng, image.shape[:2], 3))
    ours = refine(given, image, marginals=True)
    theirs = refine(given, image, marginals=True, engine="pydensecrf")
    assert np.abs(ours.probabilities - theirs.probabilities).mean() < 1e-5
    np.testing.assert_array_equal(refine(given, image, engine="pydensecrf"), theirs.labels)
    with pytest.raises(ValueError, match="engine is 'other'"):
        refine(given, image, engine="other")

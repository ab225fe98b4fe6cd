"""The dense CRF against slow twins, by its properties and in extreme cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import densecrf as reference

from classicseg.densecrf import (
    BilateralKernel,
    DenseCRF,
    FeatureKernel,
    GaussianKernel,
    MeanField,
    refine,
)
from classicseg.unary import from_probabilities

POTTS = {n: 1 - np.eye(n) for n in (1, 2, 3, 5)}


def positions(shape: tuple[int, ...], theta: float, spacing: tuple[float, ...]) -> np.ndarray:
    """x, y, z of each pixel in standard deviations, as the lattice's features are ordered."""
    axes = np.meshgrid(
        *(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"
    )
    return np.stack([axis.ravel() for axis in reversed(axes)], -1) / theta


def image_problem(rng: np.random.Generator, shape: tuple[int, ...], channels: int, n: int):
    image = (rng.random((*shape, channels)) * 80 + 80).astype(np.uint8)
    image[shape[0] // 2 :] += 60
    return rng.normal(0, 1.5, (*shape, n)).astype(np.float32), image


@pytest.mark.parametrize("normalization", ["symmetric", "before", "after", "none"])
@pytest.mark.parametrize(
    ("shape", "channels", "n_labels"),
    [((13, 17), 3, 2), ((12, 9), 1, 3), ((4, 5, 6), 1, 2), ((3, 5, 4), 3, 5), ((40,), 2, 3)],
)
def test_the_lattice_is_the_papers(shape, channels, n_labels, normalization, rng) -> None:
    """Marginals and free energies of the whole inference with a lattice in plain NumPy."""
    unary, image = image_problem(rng, shape, channels, n_labels)
    spacing = (1.0, 1.5, 0.7)[: len(shape)]
    kernels = [GaussianKernel(2.1, 0.7), BilateralKernel(6, 40, 1.3)]
    if normalization == "none":
        kernels = [GaussianKernel(2.1, 0.05), BilateralKernel(6, 40, 0.04)]
    place = positions(shape, 1, spacing)
    colours = image.reshape(-1, channels) / 40
    total = np.zeros((len(place), len(place)))
    for kernel, features in zip(
        kernels, (place / 2.1, np.concatenate([place / 6, colours], axis=1)), strict=True
    ):
        one = reference.normalize(reference.lattice_kernel(features), normalization)
        total += kernel.weight * one
    flat = unary.reshape(-1, n_labels).astype(float)
    expected, energies = reference.mean_field(flat, total, POTTS[n_labels], 4)
    crf = DenseCRF(kernels, normalization=normalization)
    found = crf.infer(unary, image, 4, spacing=spacing, free_energy=True)
    np.testing.assert_allclose(
        found.probabilities.reshape(expected.shape), expected, rtol=0, atol=2e-5
    )
    assert found.free_energy is not None
    np.testing.assert_allclose(found.free_energy, energies, rtol=1e-5, atol=1e-3)
    if n_labels > 1:
        assert (
            np.abs(expected - reference.mean_field(flat, 0 * total, POTTS[n_labels], 1)[0]).max()
            > 0.01
        )


@pytest.mark.parametrize("n_features", [1, 2, 3, 4, 5, 6])
def test_how_far_the_lattice_is_from_the_gaussian(n_features: int, rng) -> None:
    """The bound of docs/densecrf.md: a normalised filter of values in [0, 1] is off by less than
    0.12 anywhere and 0.03 on average, on points as dense as in images."""
    features = rng.random((1500, n_features)) * 3
    unary = np.zeros((1500, 2), np.float32)
    unary[:, 1] = np.where(features[:, 0] > 1.5, -1, 1) + rng.normal(0, 1, 1500)
    exact = reference.normalize(reference.gaussian_kernel(features), "after")
    q = reference._softmax(-unary.astype(float))
    # One iteration: log-odds are the filtered difference of the marginals minus the unaries'.
    crf = DenseCRF([FeatureKernel(1.0, 1.0)], normalization="after")
    p = crf.infer(unary, features=features, n_iterations=1).probabilities.astype(float)
    filtered = np.log(p[:, 1] / p[:, 0]) + unary[:, 1] - unary[:, 0]
    error = np.abs(filtered - exact @ (q[:, 1] - q[:, 0])) / 2
    assert error.max() < 0.12
    assert error.mean() < 0.03
    assert np.ptp(filtered) > 0.3  # it is no constant that is compared


def test_close_to_brute_force(rng) -> None:
    """All of it, on a small image: labels as with exact kernels, marginals near."""
    unary, image = image_problem(rng, (30, 32), 3, 3)
    unary[15:, :, 1] -= 1
    place = positions((30, 32), 1, (1, 1))
    features = np.concatenate([place / 10, image.reshape(-1, 3) / 30], axis=1)
    exact = sum(
        w * reference.normalize(reference.gaussian_kernel(f), "symmetric")
        for w, f in ((1.0, place / 2), (2.0, features))
    )
    expected, _ = reference.mean_field(unary.reshape(-1, 3).astype(float), exact, POTTS[3], 5)
    crf = DenseCRF([GaussianKernel(2, 1), BilateralKernel(10, 30, 2)])
    found = crf.infer(unary, image, 5)
    assert np.abs(found.probabilities.reshape(-1, 3) - expected).mean() < 0.03
    assert (found.labels.ravel() == expected.argmax(-1)).mean() > 0.97
    assert (found.labels.ravel() != unary.reshape(-1, 3).argmin(-1)).mean() > 0.1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3, 8, 9, 21]), st.booleans())
def test_properties(seed: int, n_labels: int, grey: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 90, 2))
    unary, image = image_problem(rng, shape, 1 if grey else 3, n_labels)
    kept = unary.copy()
    crf = DenseCRF([GaussianKernel(3, 2), BilateralKernel(20, 15, 5)])
    first = crf.infer(unary, image, 3, n_threads=1)
    np.testing.assert_allclose(first.probabilities.sum(-1), 1, atol=1e-5)
    np.testing.assert_array_equal(first.labels, first.probabilities.argmax(-1))
    assert first.labels.dtype == np.int32 and first.probabilities.dtype == np.float32
    for n_threads in (2, 3, 8):
        other = crf.infer(unary, image, 3, n_threads=n_threads)
        np.testing.assert_array_equal(first.probabilities, other.probabilities)
        np.testing.assert_array_equal(first.labels, other.labels)
    order = rng.permutation(n_labels)
    permuted = crf.infer(unary[..., order], image, 3)
    np.testing.assert_allclose(permuted.probabilities, first.probabilities[..., order], atol=1e-5)
    shifted = crf.infer(unary + np.float32(7), image, 3)
    np.testing.assert_allclose(shifted.probabilities, first.probabilities, atol=1e-4)
    np.testing.assert_array_equal(unary, kept)


def test_going_on_is_the_same_as_going_further(rng) -> None:
    for n_labels in (2, 5):
        unary, image = image_problem(rng, (40, 50), 3, n_labels)
        prepared = DenseCRF().prepare(image)
        further = prepared.infer(unary, 7)
        on = prepared.infer(unary, 4, start=prepared.infer(unary, 3))
        np.testing.assert_array_equal(on.probabilities, further.probabilities)
        assert on.n_iterations == further.n_iterations == 7
        np.testing.assert_array_equal(DenseCRF().infer(unary, image, 7).labels, further.labels)


def test_tolerance_ends_it(rng) -> None:
    unary, image = image_problem(rng, (30, 40), 3, 4)
    crf = DenseCRF([GaussianKernel(2, 1), BilateralKernel(15, 20, 1)])
    early = crf.infer(unary, image, 200, tol=1e-3)
    assert 2 < early.n_iterations < 100
    last = crf.infer(unary, image, early.n_iterations)
    before = crf.infer(unary, image, early.n_iterations - 1)
    np.testing.assert_array_equal(early.probabilities, last.probabilities)
    assert np.abs(last.probabilities - before.probabilities).max() <= 1e-3
    one_less = crf.infer(unary, image, early.n_iterations - 2)
    assert np.abs(before.probabilities - one_less.probabilities).max() > 1e-3


def test_free_energy_falls_where_theory_says_so(rng) -> None:
    """Parallel updates descend when the pairs' energy is concave: penalties that are a negative
    semidefinite form (per-label worths are) with a kernel matrix without negative eigenvalues; the
    lattice's has, of the size of its asymmetry."""
    unary, image = image_problem(rng, (25, 30), 3, 4)
    for compatibility in ("potts", np.array([0.5, 1, 2, 1])):
        crf = DenseCRF([BilateralKernel(10, 20, 3)], compatibility=compatibility)
        energies = crf.infer(unary, image, 15, free_energy=True).free_energy
        assert energies is not None and len(energies) == 16
        steps = np.diff(energies)
        assert (steps <= 1e-6 * np.abs(energies[0])).all()
        assert energies[-1] < energies[0] - 1
    place = positions((25, 30), 10, (1, 1))
    features = np.concatenate([place, image.reshape(-1, 3) / 20], axis=1)
    kernel = reference.normalize(reference.lattice_kernel(features[:300]), "symmetric")
    assert np.linalg.eigvalsh((kernel + kernel.T) / 2).min() > -1e-3  # beside 1


def test_matrices_and_worths_that_are_potts(rng) -> None:
    unary, image = image_problem(rng, (20, 30), 3, 5)
    expected = DenseCRF().infer(unary, image, 5).probabilities
    for compatibility in (np.ones(5), 1 - np.eye(5), 3 - np.eye(5)):
        found = DenseCRF(compatibility=compatibility).infer(unary, image, 5).probabilities
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_features_of_a_graph(rng) -> None:
    """A grid's positions as features are a Gaussian kernel; the order of points does not matter."""
    unary = rng.normal(0, 1, (11, 13, 3)).astype(np.float32)
    expected = DenseCRF([GaussianKernel(2, 3)]).infer(unary, n_iterations=4).probabilities
    features = positions((11, 13), 1, (1, 1))
    order = rng.permutation(11 * 13)
    crf = DenseCRF([FeatureKernel(2.0, 3)])
    found = crf.infer(unary.reshape(-1, 3)[order], features=features[order], n_iterations=4)
    np.testing.assert_allclose(found.probabilities, expected.reshape(-1, 3)[order], atol=1e-5)
    each = DenseCRF([FeatureKernel((2.0, 2.0), 3)]).infer(
        unary, features=features.reshape(11, 13, 2), n_iterations=4
    )
    np.testing.assert_allclose(each.probabilities, expected, atol=1e-5)


def test_batches(rng) -> None:
    problems = [image_problem(rng, shape, 3, n) for shape, n in (((9, 8), 2), ((5, 20), 4))]
    crf = DenseCRF()
    found = crf.infer([u for u, _ in problems], [i for _, i in problems], 3)
    for (unary, image), result in zip(problems, found, strict=True):
        np.testing.assert_array_equal(
            result.probabilities, crf.infer(unary, image, 3).probabilities
        )


def test_any_layout_of_the_arrays(rng) -> None:
    unary, image = image_problem(rng, (12, 15), 3, 3)
    expected = DenseCRF().infer(unary, image).probabilities
    for u, i in (
        (unary.astype(">f8"), image),
        (np.asfortranarray(unary), np.asfortranarray(image)),
        (unary, image.astype(np.uint16) * 257),
        (np.repeat(unary, 2, 0)[::2], np.repeat(image, 2, 1)[:, ::2]),
    ):
        np.testing.assert_allclose(DenseCRF().infer(u, i).probabilities, expected, atol=1e-5)
    unary.flags.writeable = image.flags.writeable = False
    np.testing.assert_array_equal(DenseCRF().infer(unary, image).probabilities, expected)


@pytest.mark.parametrize("n_labels", [1, 2, 3, 200])
def test_one_pixel_and_one_colour(n_labels: int, rng) -> None:
    for shape in ((1, 1), (1, 7), (6, 1)):
        unary = rng.normal(0, 1, (*shape, n_labels)).astype(np.float32)
        found = DenseCRF().infer(unary, np.zeros((*shape, 3), np.uint8))
        np.testing.assert_allclose(found.probabilities.sum(-1), 1, atol=1e-5)
    unary = np.zeros((40, 40, n_labels), np.float32)
    unary[20, 20, 0] = -5
    found = DenseCRF().infer(unary, np.full((40, 40, 3), 77, np.uint8))
    assert (found.labels == 0).all()


def test_extreme_parameters(rng) -> None:
    unary, image = image_problem(rng, (20, 25), 3, 3)
    soft = reference._softmax(-unary.reshape(-1, 3).astype(float)).reshape(unary.shape)
    zero = DenseCRF([GaussianKernel(3, 0), BilateralKernel(80, 13, 0)]).infer(unary, image)
    np.testing.assert_allclose(zero.probabilities, soft, atol=1e-6)
    none = DenseCRF([GaussianKernel(3, 5)]).infer(unary, n_iterations=0)
    np.testing.assert_allclose(none.probabilities, soft, atol=1e-6)
    for weight in (1e4, 1e10, 1e20):
        huge = DenseCRF([GaussianKernel(3, weight), BilateralKernel(80, 13, weight)])
        marginals = huge.infer(unary, image).probabilities
        np.testing.assert_allclose(marginals.sum(-1), 1, atol=1e-5)
    # Alone, a pixel agrees with itself; with everybody, all get one label.
    alone = DenseCRF([GaussianKernel(1e-3, 1)]).infer(unary, n_iterations=3)
    flat = unary.reshape(-1, 3).astype(float)
    expected, _ = reference.mean_field(flat, np.eye(len(flat)), POTTS[3], 3)
    np.testing.assert_allclose(alone.probabilities.reshape(-1, 3), expected, atol=1e-4)
    together = DenseCRF([BilateralKernel(1e6, 1e6, 20)]).infer(unary, image)
    assert len(np.unique(together.labels)) == 1


def test_two_labels_as_two_of_three(rng) -> None:
    """The path for two labels against the general one."""
    unary, image = image_problem(rng, (30, 41), 3, 2)
    three = np.concatenate([unary, np.full((30, 41, 1), 1e4, np.float32)], axis=-1)
    found = DenseCRF().infer(unary, image).probabilities
    np.testing.assert_allclose(
        DenseCRF().infer(three, image).probabilities[..., :2], found, atol=1e-5
    )
    with_energy = DenseCRF().infer(unary, image, free_energy=True)
    np.testing.assert_allclose(with_energy.probabilities, found, atol=1e-5)


def test_refine_sharpens_an_edge(rng) -> None:
    image = np.full((40, 60, 3), 30, np.uint8)
    image[:, 30:] = 180
    wrong = np.clip((np.arange(60) - 24) / 8, 0.1, 0.9)[None, :, None] * np.ones((40, 1, 1))
    probabilities = np.concatenate([1 - wrong, wrong], axis=-1)
    result = refine(probabilities, image, weight=10, marginals=True)
    assert isinstance(result, MeanField)
    truth = np.arange(60) >= 30
    assert (result.labels == truth).mean() > 0.99
    assert (probabilities.argmax(-1) == truth).mean() < 0.99
    np.testing.assert_array_equal(refine(probabilities, image, weight=10), result.labels)
    some = [
        refine(probabilities, image, weight=1, smoothness=0, temperature=t, marginals=True)
        for t in (1, 3)
    ]
    assert np.abs(some[0].probabilities - some[1].probabilities).max() > 0.01


def test_refine_is_inference_with_the_energies_of_its_probabilities(rng) -> None:
    """It makes energies and marginals in one array, beside the caller's."""
    for n_labels in (1, 2, 3, 21):
        image = (rng.random((70, 131, 3)) * 80 + 80).astype(np.uint8)
        given = rng.random((70, 131, n_labels)).astype(np.float32) ** 3
        given /= given.sum(-1, keepdims=True)
        given[3, 5] = np.eye(n_labels, dtype=np.float32)[0]
        kept = given.copy()
        crf = DenseCRF([GaussianKernel(1.5, 2), BilateralKernel(9, 30, 4)])
        expected = crf.infer(from_probabilities(given), image, 4)
        options = {"theta_gamma": 1.5, "smoothness": 2, "theta_alpha": 9, "theta_beta": 30}
        for n_threads in (1, 3):
            found = refine(
                given,
                image,
                weight=4,
                n_iterations=4,
                n_threads=n_threads,
                marginals=True,
                **options,
            )
            np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=2e-6)
            np.testing.assert_array_equal(found.labels, found.probabilities.argmax(-1))
        np.testing.assert_array_equal(given, kept)
    # A sum that is not quite one is made one.
    found = refine(given * np.float32(1.0004), image, marginals=True)
    np.testing.assert_allclose(
        found.probabilities, refine(given, image, marginals=True).probabilities, atol=1e-4
    )

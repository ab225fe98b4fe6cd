"""Colour mixtures: energies and statistics against loops, what is guaranteed of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import gmm as reference

from classicseg._gmm import GMM, Assignment, assign, fit_gmm, learn, nearest_centres
from classicseg._kernels import ext

LARGEST = 255.0


def random_gmm(rng: np.random.Generator, n: int, channels: int) -> GMM:
    weights = rng.random(n) + 0.1
    roots = rng.normal(0, 8, (n, channels, channels))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(channels)
    return GMM(weights / weights.sum(), rng.uniform(0, LARGEST, (n, channels)), covariances)


def random_pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(0, 256, shape).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n_components", [1, 2, 5, 255])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 64), (2, 131)])
def test_energies_pixel_by_pixel(
    shape: tuple[int, int], n_components: int, channels: int, rng: np.random.Generator
) -> None:
    gmm = random_gmm(rng, n_components, channels)
    pixels = random_pixels(rng, (*shape, channels))
    found = assign(pixels, gmm, 2)
    assert found.energy.dtype == np.float32 and found.component.dtype == np.uint8
    for y, x in {(0, 0), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, shape[1] // 3)} | {
        (int(rng.integers(shape[0])), int(rng.integers(shape[1]))) for _ in range(20)
    }:
        each = reference.component_energies(pixels[y, x], gmm.weights, gmm.means, gmm.covariances)
        assert found.energy[y, x] == pytest.approx(min(each), rel=2e-5, abs=1e-3)
        assert each[found.component[y, x]] == pytest.approx(min(each), rel=2e-5, abs=1e-3)


def test_energies_take_any_image(rng: np.random.Generator) -> None:
    gmm = random_gmm(rng, 3, 3)
    image = rng.integers(0, 256, (9, 11, 3), np.uint8)
    expected = gmm.energies(image)
    np.testing.assert_array_equal(expected, assign(image.astype(np.float32), gmm, 1).energy)
    np.testing.assert_allclose(gmm.energies(image / 255), expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(gmm.energies(image, n_threads=3), expected)
    np.testing.assert_array_equal(gmm.energies(image.astype(float), data_range=(0, 255)), expected)
    with pytest.raises(ValueError, match=r"^image has 1 channels, expected .* 3"):
        gmm.energies(image[..., 0])
    with pytest.raises(ValueError, match=r"^image "):
        gmm.energies(np.full((3, 3, 3), np.nan))


def test_densities_integrate_to_one() -> None:
    """The energy of one component is -log of a density: summed over all grey levels it is 1."""
    gmm = GMM(np.ones(1), np.array([[120.3]]), np.array([[[36.0]]]))
    levels = np.arange(256, dtype=np.uint8)[None]
    assert np.exp(-gmm.energies(levels)).sum() == pytest.approx(1, abs=1e-5)


def test_unwanted_blocks_do_not_disturb_the_wanted(rng: np.random.Generator) -> None:
    gmm = random_gmm(rng, 4, 3)
    pixels = random_pixels(rng, (20, 333, 3))
    everything = assign(pixels, gmm, 1)
    wanted = np.zeros((20, 333), bool)
    wanted[3:5, 100:103] = wanted[-1, -1] = wanted[0, 0] = True
    some = assign(pixels, gmm, 2, wanted)
    np.testing.assert_array_equal(some.energy[wanted], everything.energy[wanted])
    np.testing.assert_array_equal(some.component[wanted], everything.component[wanted])
    assert (some.energy == 0).sum() > 5000  # and most of the work is left out


def test_nearest_centres(rng: np.random.Generator) -> None:
    for channels in (1, 3):
        pixels = random_pixels(rng, (13, 70, channels))
        centres = rng.uniform(0, LARGEST, (6, channels))
        distances = ((pixels[..., None, :] - centres) ** 2).sum(axis=-1)
        found = nearest_centres(pixels, centres, 2)
        chosen = np.take_along_axis(distances, found[..., None].astype(int), -1)[..., 0]
        np.testing.assert_allclose(chosen, distances.min(axis=-1), rtol=1e-5, atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([1, 3]), st.integers(1, 6))
def test_learned_mixtures_are_the_maximum_likelihood(
    seed: int, channels: int, n_components: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 12, 2))
    spread = rng.choice([1, 40, 255])
    pixels = rng.integers(0, spread, (*shape, channels), endpoint=True).astype(np.float32)
    mask = rng.random(shape) < rng.choice([0.0, 0.1, 0.5, 1.0])
    components = [rng.integers(0, n_components, shape).astype(np.uint8) for _ in range(2)]
    if n_components > 2:
        components[0][components[0] == 1] = 0  # an empty component
    found = learn(pixels, mask, (components[0], components[1]), n_components, 3)
    for gmm, side, component in zip(found, (~mask, mask), components, strict=True):
        if not side.any():
            assert gmm is None
            continue
        assert gmm is not None
        weights, means, covariances = reference.maximum_likelihood(
            pixels[side], component[side], n_components
        )
        assert (gmm.weights > 0).all() and gmm.weights.sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(gmm.weights, weights, rtol=1e-12)
        np.testing.assert_allclose(gmm.means, means, rtol=1e-12, atol=1e-9)
        assert (np.linalg.eigvalsh(gmm.covariances) >= 0.01 * (1 - 1e-6)).all()
        for ours, plain in zip(gmm.covariances, covariances, strict=True):
            values, vectors = np.linalg.eigh(plain)
            clamped = (vectors * np.maximum(values, 0.01)) @ vectors.T
            np.testing.assert_allclose(ours, clamped, rtol=1e-7, atol=1e-7)


def test_no_other_allowed_covariance_is_likelier(rng: np.random.Generator) -> None:
    """Clamping from below is the optimum among covariances with eigenvalues of at least 0.01."""
    colours = rng.normal(100, [0.02, 3, 20], (200, 3)).astype(np.float32)  # flat in one direction
    gmm = fit_gmm(colours, 1)
    scatter = np.cov(colours.T.astype(float), bias=True)

    def energy(covariance: np.ndarray) -> float:
        return float(
            np.linalg.slogdet(covariance)[1] + np.trace(np.linalg.solve(covariance, scatter))
        )

    best = energy(gmm.covariances[0])
    assert np.linalg.eigvalsh(gmm.covariances[0])[0] == pytest.approx(0.01, rel=1e-6)
    for _ in range(300):
        step = rng.normal(0, 10.0 ** rng.uniform(-4, 1), (3, 3))
        values, vectors = np.linalg.eigh(gmm.covariances[0] + step + step.T)
        other = (vectors * np.maximum(values, 0.01)) @ vectors.T
        assert energy(other) >= best - 1e-9


def test_statistics_for_any_number_of_threads(rng: np.random.Generator) -> None:
    pixels = (rng.random((300, 41, 3)) * LARGEST).astype(np.float32)
    mask = rng.random((300, 41)) < 0.4
    components = tuple(rng.integers(0, 5, (300, 41)).astype(np.uint8) for _ in range(2))
    one = learn(pixels, mask, components, 5, 1)
    for n_threads in (2, 3, 8):
        other = learn(pixels, mask, components, 5, n_threads)
        for a, b in zip(one, other, strict=True):
            assert a is not None and b is not None
            np.testing.assert_array_equal(a.covariances, b.covariances)
            np.testing.assert_array_equal(a.means, b.means)


def test_assignment_and_learning_never_raise_the_energy(rng: np.random.Generator) -> None:
    """The two steps of GrabCut's learning both minimise the same sum."""
    pixels = random_pixels(rng, (40, 50, 3))
    mask = np.zeros((40, 50), bool)
    mask[10:30, 10:40] = True
    component = nearest_centres(pixels, rng.uniform(0, LARGEST, (5, 3)), 1)
    gmm = learn(pixels, mask, (component, component), 5, 1)[1]
    assert gmm is not None
    last = np.inf
    for _ in range(8):
        found: Assignment = assign(pixels, gmm, 1)
        total = float(found.energy[mask].sum(dtype=float))
        assert total <= last * (1 + 1e-7)
        last = total
        gmm = learn(pixels, mask, (found.component, found.component), len(gmm.weights), 1)[1]
        assert gmm is not None


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize("n_centres", [1, 2, 5, 9])
def test_kmeans(rng: np.random.Generator, n_channels: int, n_centres: int) -> None:
    for n in (10, 65, 700):
        colours = rng.integers(0, 256, size=(n, n_channels)).astype(np.float32)
        uniform = rng.random(n_centres)
        centres, counts = np.empty((n_centres, n_channels)), np.empty(n_centres, np.int64)
        ext.kmeans(colours, uniform, 4, centres, counts)
        expected = reference.kmeans(colours, uniform, 4)
        np.testing.assert_allclose(centres, expected[0], rtol=1e-5)
        np.testing.assert_array_equal(counts, expected[1])


def test_kmeans_of_few_colours() -> None:
    """Every one is a centre, however often it comes, whatever the random numbers."""
    colours = np.repeat(np.array([[0], [100], [200]], np.float32), (500, 1, 3), axis=0)
    for uniform in ([0.0, 0.0, 0.0], [0.999, 0.5, 1 - 2**-53], [0.5, 0.999, 0.001]):
        centres, counts = np.empty((3, 1)), np.empty(3, np.int64)
        ext.kmeans(colours, np.array(uniform), 2, centres, counts)
        assert sorted(zip(centres[:, 0], counts, strict=True)) == [(0, 500), (100, 1), (200, 3)]


def test_three_clusters_are_found(rng: np.random.Generator) -> None:
    centres = np.array([(30, 30, 200), (220, 40, 40), (90, 200, 90)])
    label = rng.choice(3, 3000, p=[0.6, 0.3, 0.1])
    colours = centres[label] + rng.normal(0, [2, 4, 6], (3000, 3))
    gmm = fit_gmm(colours, 3, rng=1)
    order = np.argsort(-gmm.weights)
    np.testing.assert_allclose(gmm.weights[order], np.bincount(label) / 3000, atol=1e-12)
    np.testing.assert_allclose(gmm.means[order], centres, atol=1)
    for covariance in gmm.covariances:
        np.testing.assert_allclose(np.diag(covariance), [4, 16, 36], rtol=0.25)


def test_fewer_colours_than_components() -> None:
    for n_colours in (1, 2, 4):
        colours = np.repeat(np.arange(n_colours)[:, None] * 30.0, 7, axis=0)
        gmm = fit_gmm(colours, 5)
        assert len(gmm.weights) == n_colours
        np.testing.assert_allclose(np.sort(gmm.means[:, 0]), np.arange(n_colours) * 30.0)
        np.testing.assert_allclose(gmm.covariances, 0.01)
    # Many pixels of two colours, one of them rare.
    rare = np.zeros((100_000, 3))
    rare[::3000] = 200
    assert len(fit_gmm(rare, 5).weights) in (1, 2)


def test_the_same_seed_gives_the_same_mixture(rng: np.random.Generator) -> None:
    colours = random_pixels(rng, (20_000, 3))
    first = fit_gmm(colours, rng=2)
    for again in (fit_gmm(colours, rng=2), fit_gmm(colours, rng=np.random.default_rng(2))):
        np.testing.assert_array_equal(again.covariances, first.covariances)
    assert (fit_gmm(colours, rng=3).means != first.means).any()
    assert len(first.weights) == 5


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((np.zeros((0, 3)),), "colours"),
        ((np.zeros((5, 2)),), "colours"),
        ((np.zeros(5),), "colours"),
        ((np.zeros((2, 3, 3)),), "colours"),
        ((np.full((5, 3), np.nan),), "colours"),
        ((np.full((5, 1), np.inf),), "colours"),
        ((np.zeros((5, 3), complex),), "colours"),
        ((np.zeros((5, 3), object),), "colours"),
        ((np.zeros((5, 3), bool),), "colours"),
        ((np.zeros((5, 3)), 0), "n_components"),
        ((np.zeros((5, 3)), -1), "n_components"),
        ((np.zeros((5, 3)), 256), "n_components"),
        ((np.zeros((5, 3)), 2.0), "n_components"),
        ((np.zeros((5, 3)), None), "n_components"),
    ],
)
def test_bad_arguments_are_named(arguments: Any, name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        fit_gmm(*arguments)

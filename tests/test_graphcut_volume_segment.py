"""Contrast weights with a spacing, and segmentation of volumes."""

from __future__ import annotations

import numpy as np
import pytest
from reference import contrast as reference
from reference import maxflow

from classicseg._gmm import fit_gmm
from classicseg.graphcut import contrast_weights, cut_unary, segment


@pytest.mark.parametrize("connectivity", [6, 26])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 4, 5), (6, 1, 3), (3, 4, 5), (2, 3, 3, 3), (17, 2, 9, 1)]
)
def test_contrast_weights_pair_by_pair(
    shape: tuple[int, ...], connectivity: int, rng: np.random.Generator
) -> None:
    volume = (rng.normal(128, 30, shape).clip(0, 255)).astype(np.uint8)
    scale = reference.beta(volume, connectivity)
    for gamma, beta, spacing in ((50.0, None, None), (3.0, 0.001, (2.5, 1.0, 0.5))):
        found = contrast_weights(volume, gamma, beta, connectivity, spacing=spacing, n_threads=2)
        used = scale if beta is None else beta
        expected = reference.weights(volume, gamma, used, connectivity, spacing or (1, 1, 1))
        assert found.keys() == expected.keys()
        for offset, weight in found.items():
            assert weight.dtype == np.float32
            np.testing.assert_allclose(weight, expected[offset], rtol=3e-6, atol=1e-30)


def test_spacing_of_images_and_one_number_for_all_axes(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (9, 11), np.uint8)
    for spacing, each in (((3.0, 0.5), (3.0, 0.5)), (2.0, (2.0, 2.0)), (np.array([1, 4]), (1, 4))):
        found = contrast_weights(image, 7.0, 0.001, spacing=spacing)
        expected = reference.weights(image, 7.0, 0.001, 8, each)
        for offset, weight in found.items():
            np.testing.assert_allclose(weight, expected[offset], rtol=1e-5)
    # A volume of one slice is an image.
    volume = contrast_weights(image[np.newaxis], connectivity=26, beta=0.001)
    for (dy, dx), weight in contrast_weights(image, beta=0.001).items():
        np.testing.assert_array_equal(volume[0, dy, dx][0], weight)


def test_bad_volumes_and_spacings_are_named() -> None:
    volume = np.zeros((3, 4, 5), np.uint8)
    for bad in (0, -1, np.nan, np.inf, (1, 1), (1, 1, 0), (1, 1, 1, 1), "abc", (1, 1, "x")):
        with pytest.raises((ValueError, TypeError), match=r"^spacing "):
            contrast_weights(volume, connectivity=6, spacing=bad)  # type: ignore[arg-type]
        with pytest.raises((ValueError, TypeError), match=r"^spacing "):
            segment(volume, volume, spacing=bad)  # type: ignore[arg-type]
    for shape in ((4, 5), (3, 4, 5, 2), (3, 4, 5, 3, 1), (0, 4, 5)):
        with pytest.raises(ValueError, match=r"^image (has shape|is empty)"):
            contrast_weights(np.zeros(shape, np.uint8), connectivity=6)
        with pytest.raises(ValueError, match=r"^image (has shape|is empty)"):
            segment(np.zeros(shape, np.uint8), volume)
    with pytest.raises(ValueError, match=r"^seeds has shape"):
        segment(np.zeros((4, 4, 5), np.uint8), volume)
    with pytest.raises(ValueError, match=r"^connectivity of a volume is 8, expected one of 6, 26"):
        segment(volume, volume, connectivity=8)
    with pytest.raises(ValueError, match=r"^unary has shape"):
        cut_unary(np.zeros((3, 4, 5, 3)), volume)


def ball(rng: np.random.Generator, colour: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bright ball in noise, scribbles on three slices, and the ball."""
    z, y, x = np.mgrid[:14, :22, :24]
    truth = (2 * (z - 7)) ** 2 + (y - 11) ** 2 + (x - 12) ** 2 < 64
    volume = np.where(truth[..., None], (190, 120, 90), (90, 100, 120))
    volume = (volume + rng.normal(0, 12, volume.shape)).clip(0, 255).astype(np.uint8)
    seeds = np.zeros(truth.shape, int)
    seeds[6:9, 10:13, 10:15], seeds[6:9, 1, :], seeds[0] = 2, 1, 1
    return (volume if colour else volume[..., 0]), seeds, truth


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("connectivity", [None, 6, 26])
def test_a_ball_is_found(colour: bool, connectivity: int | None, rng: np.random.Generator) -> None:
    volume, seeds, truth = ball(rng, colour)
    mask = segment(volume, seeds, connectivity=connectivity, spacing=(2, 1, 1), gamma=20)
    assert mask.shape == truth.shape and mask.dtype == bool
    assert not mask[seeds == 1].any() and mask[seeds == 2].all()
    assert (mask != truth).mean() < (0.001 if colour else 0.003)
    for n_threads in (1, 3):
        again = segment(
            volume,
            seeds,
            connectivity=connectivity,
            spacing=(2, 1, 1),
            gamma=20,
            n_threads=n_threads,
        )
        np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_the_energy_is_no_higher_than_the_peers(
    connectivity: int, rng: np.random.Generator
) -> None:
    """The energy of Boykov & Jolly, put together from the public parts."""
    pytest.importorskip("maxflow")
    volume, seeds, _ = ball(rng, True)
    options = {"connectivity": connectivity, "spacing": (2.0, 1.0, 1.0)}
    generator = np.random.default_rng(0)
    background, foreground = (
        fit_gmm(volume[seeds == value].astype(float), 5, generator)
        .energies(volume.reshape(-1, *volume.shape[2:]))
        .reshape(seeds.shape)
        .astype(float)
        for value in (1, 2)
    )
    weights = {o: w.astype(float) for o, w in contrast_weights(volume, **options).items()}
    free = seeds == 0
    cost = {}
    for engine in ("native", "pymaxflow"):
        mask = segment(volume, seeds, engine=engine, **options)
        terminals = np.where(free, background, 0), np.where(free, foreground, 0)
        cost[engine] = float(maxflow.cut_cost(*terminals, weights, mask))
    assert cost["native"] == pytest.approx(cost["pymaxflow"], rel=1e-6)


def test_one_slice_is_an_image(rng: np.random.Generator) -> None:
    volume, seeds, _ = ball(rng, True)
    image, marks = volume[7], seeds[7]
    for planar, spatial in ((4, 6), (8, 26)):
        flat = segment(image, marks, connectivity=planar)
        np.testing.assert_array_equal(
            segment(image[np.newaxis], marks[np.newaxis], connectivity=spatial)[0], flat
        )


def test_unaries_of_a_volume(rng: np.random.Generator) -> None:
    volume, seeds, truth = ball(rng, False)
    unary = np.stack([np.where(truth, 2.0, 0.0), np.where(truth, 0.0, 2.0)], -1)
    unary += rng.normal(0, 1.5, unary.shape)
    np.testing.assert_array_equal(cut_unary(unary, volume, gamma=0), unary[..., 1] < unary[..., 0])
    smooth = cut_unary(unary, volume, gamma=8, seeds=seeds)
    assert (smooth != truth).mean() < 0.01
    assert not smooth[seeds == 1].any() and smooth[seeds == 2].all()
    theirs = cut_unary(unary, volume, gamma=8, seeds=seeds, engine="pymaxflow")
    np.testing.assert_array_equal(smooth, theirs)

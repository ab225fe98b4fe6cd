"""Minimum barrier saliency: the kernels against their twins, the map on simple pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import saliency as reference
from skimage import color, morphology

from classicseg import io, saliency
from classicseg._kernels import ext
from classicseg._lab import lab
from classicseg.saliency.metrics import mae, max_f

SHAPES = [(1, 1), (2, 7), (7, 2), (9, 13), (40, 31)]


def barrier(
    image: NDArray[np.float32], seeds: NDArray[np.uint8], passes: int
) -> NDArray[np.float32]:
    found = np.empty(seeds.shape, np.float32)
    ext.minimum_barrier(image, seeds, passes, found)
    return found


def rim(shape: tuple[int, int]) -> NDArray[np.uint8]:
    seeds = np.ones(shape, np.uint8)
    seeds[1:-1, 1:-1] = 0
    return seeds


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("passes", [1, 2, 3])
def test_the_scan_is_its_twin_bit_for_bit(
    shape: tuple[int, int], passes: int, rng: np.random.Generator
) -> None:
    image = rng.normal(0, 40, (*shape, 3)).astype(np.float32)
    seeds = (rng.random(shape) < 0.1).astype(np.uint8)
    channels = [reference.raster_scan_barrier(image[..., c], seeds, passes) for c in range(3)]
    expected = channels[0] + channels[1] + channels[2]
    np.testing.assert_array_equal(barrier(image, seeds, passes), expected)


def test_the_scan_comes_close_to_the_exact_distance(rng: np.random.Generator) -> None:
    """From above, always; on smooth images most pixels are exact after the paper's three passes."""
    exactly, total = 0, 0
    for _ in range(8):
        steps = rng.integers(-1, 2, (2, 9, 9)).cumsum(axis=1).cumsum(axis=2)
        channel = (steps[0] + steps[1].T).astype(np.float32)
        image = np.repeat(channel[..., np.newaxis], 3, axis=2)
        seeds = rim(channel.shape)
        found = barrier(image, seeds, 3) / 3
        exact = reference.exact_barrier(channel, seeds)
        assert (found >= exact - 1e-5).all()
        many = barrier(image, seeds, 40) / 3
        assert (many <= found + 1e-5).all()
        exactly += int(np.isclose(found, exact, atol=1e-4).sum())
        total += found.size
    assert exactly > 0.85 * total


def test_a_wall_has_to_be_crossed() -> None:
    image = np.zeros((9, 9, 3), np.float32)
    image[2:7, 2:7] = 50
    image[3:6, 3:6] = 10
    found = barrier(image, rim((9, 9)), 3)
    assert (found[3:6, 3:6] == 150).all()  # up to 50 in each of three channels, whatever is inside
    image[4, 2:7] = 10  # a gap in the wall
    assert (barrier(image, rim((9, 9)), 3)[3:6, 3:6] == 30).all()


@pytest.mark.parametrize("shape", [*SHAPES, (64, 50)])
def test_reconstruction_is_that_of_scikit_image(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    mask = rng.random(shape).astype(np.float32)
    for marker in (np.where(rng.random(shape) < 0.05, mask, 0), mask * rng.random(shape)):
        values = marker.astype(np.float32)
        expected = morphology.reconstruction(values, mask, footprint=np.ones((3, 3)))
        ext.reconstruct(mask, values)
        np.testing.assert_array_equal(values, expected.astype(np.float32))


def test_reconstruction_follows_a_spiral() -> None:
    mask = np.zeros((15, 15), np.float32)
    mask[::2] = 1
    mask[1::4, -1] = mask[3::4, 0] = 1  # one way through all rows
    values = np.zeros_like(mask)
    values[-1, -1] = 1
    ext.reconstruct(mask, values)
    np.testing.assert_array_equal(values, mask)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_sizes_change_as_in_the_twins(height: int, width: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(height * 100 + width)
    to = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    small = np.empty((*to, 3), np.float32)
    ext.shrink_uint8(image, small, 1)
    np.testing.assert_allclose(small, reference.shrink(image, *to), rtol=1e-4, atol=1e-3)
    same = np.empty_like(small)
    ext.shrink_float32(image.astype(np.float32), same, 1)
    np.testing.assert_array_equal(small, same)
    large = np.empty((height, width), np.float32)
    ext.enlarge(np.ascontiguousarray(small[..., 0]), large, 1)
    expected = reference.enlarge(small[..., 0], height, width)
    np.testing.assert_allclose(large, expected, atol=1e-3)


def test_threads_change_nothing(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (701, 923, 3)).astype(np.uint8)
    expected = saliency.minimum_barrier(image, n_threads=1)
    for n_threads in (2, 3, 8):
        np.testing.assert_array_equal(
            saliency.minimum_barrier(image, n_threads=n_threads), expected
        )


def test_lab_is_that_of_scikit_image(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (50, 50, 3)).astype(np.uint8)
    np.testing.assert_allclose(lab(image.astype(np.float32)), color.rgb2lab(image), atol=0.1)
    grey = np.repeat(np.linspace(0, 255, 999, dtype=np.float32)[:, np.newaxis, np.newaxis], 3, 2)
    assert not lab(grey)[..., 1:].any()


def test_an_object_is_found_where_it_is() -> None:
    image = np.full((80, 120, 3), (40, 90, 40), np.uint8)
    image[25:50, 40:70] = (200, 30, 30)
    for options in ({}, {"background": False}, {"postprocess": False}):
        found = saliency.minimum_barrier(image, **options)
        assert found[27:48, 42:68].min() > 0.85
        assert found[:20].max() < 0.1


def test_the_background_measure_finds_an_object_at_the_edge() -> None:
    image = np.full((80, 120, 3), (40, 90, 40), np.uint8)
    image[30:, 40:70] = (200, 30, 30)
    with_it = saliency.minimum_barrier(image)
    without = saliency.minimum_barrier(image, background=False)
    assert with_it[32:70, 42:68].mean() > 0.8 > 0.1 > without[32:70, 42:68].mean()


def test_a_flipped_image_has_about_the_flipped_map() -> None:
    """About: the scans begin at the top left."""
    image = np.full((80, 120, 3), (40, 90, 40), np.uint8)
    image[25:50, 40:70] = (200, 30, 30)
    image[10:20, 80:100] = (90, 90, 200)
    found = saliency.minimum_barrier(image)
    np.testing.assert_allclose(
        saliency.minimum_barrier(image[::-1, ::-1])[::-1, ::-1], found, atol=0.02
    )


def test_minimum_barrier_finds_salient_objects_in_photographs(shared_data: Path) -> None:
    """Twelve images; what the whole data set gives stands in the documentation."""
    folder = shared_data / "voc2012"
    scores = []
    for path in sorted((folder / "salient").iterdir())[::16]:
        truth = io.read_image(path)[..., 0] >= 128
        if truth.any():
            image = io.read_image(folder / "JPEGImages" / f"{path.stem}.jpg")
            pair = [saliency.minimum_barrier(image), saliency.centre_prior(image)]
            scores.append([(max_f(m, truth), -mae(m, truth)) for m in pair])
    found, centre = np.mean(scores, axis=0)
    assert (found > centre + 0.05).all()

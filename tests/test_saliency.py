"""Saliency maps, against slow twins and hand-computed cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import ndimage
from skimage import color

from classicseg import io, saliency


def frequency_tuned_twin(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Formula (8) of the paper, pixel by pixel, with the rim mirrored."""
    lab = color.rgb2lab(image)
    height, width, _ = lab.shape
    padded = np.pad(lab, ((2, 2), (2, 2), (0, 0)), mode="symmetric")
    row = np.array([1, 4, 6, 4, 1]) / 16
    mean = lab.mean(axis=(0, 1))
    saliency_map = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            window = padded[y : y + 5, x : x + 5]
            blurred = np.einsum("i,j,ijc->c", row, row, window)
            saliency_map[y, x] = np.linalg.norm(mean - blurred)
    low, high = saliency_map.min(), saliency_map.max()
    return np.asarray((saliency_map - low) / (high - low), np.float64)


def test_frequency_tuned_is_the_formula_of_the_paper(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (13, 17, 3)).astype(np.uint8)
    found = saliency.frequency_tuned(image)
    assert found.dtype == np.float32
    assert found.shape == (13, 17)
    np.testing.assert_allclose(found, frequency_tuned_twin(image), atol=1e-5)


def test_frequency_tuned_finds_the_odd_one_out() -> None:
    image = np.full((60, 80, 3), (40, 90, 40), np.uint8)
    image[20:35, 30:50] = (200, 30, 30)
    found = saliency.frequency_tuned(image)
    assert found[24:31, 34:46].min() > 0.9
    assert found[:15].max() < 0.1


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
    )
)
def test_frequency_tuned_stays_within_zero_and_one(image: NDArray[np.uint8]) -> None:
    found = saliency.frequency_tuned(image)
    assert found.shape == image.shape[:2]
    assert np.isfinite(found).all()
    assert found.min() == 0
    assert found.max() in (0, 1)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_of_one_colour_has_no_salient_pixel(value: int) -> None:
    image = np.full((12, 9, 3), value, np.uint8)
    assert not saliency.frequency_tuned(image).any()


def test_frequency_tuned_takes_grey_floats_and_16_bits(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 256, (10, 12)).astype(np.uint8)
    expected = saliency.frequency_tuned(np.repeat(grey[:, :, np.newaxis], 3, axis=2))
    np.testing.assert_allclose(saliency.frequency_tuned(grey), expected, atol=1e-5)
    np.testing.assert_allclose(saliency.frequency_tuned(grey / 255), expected, atol=1e-5)
    sixteen = grey.astype(">u2") * 257
    np.testing.assert_allclose(saliency.frequency_tuned(sixteen), expected, atol=1e-5)


def test_frequency_tuned_leaves_its_input_alone(rng: np.random.Generator) -> None:
    image = rng.random((9, 11, 3)).astype(np.float32)
    before = image.copy()
    image.flags.writeable = False
    saliency.frequency_tuned(image)
    np.testing.assert_array_equal(image, before)


def test_centre_prior_at_hand_computed_points() -> None:
    prior = saliency.centre_prior((101, 201), sigma=0.2)
    assert prior.dtype == np.float32
    assert prior[50, 100] == 1
    # One standard deviation, 0.2 of 201 columns, to the right; and both ways.
    assert prior[50, 140] == pytest.approx(np.exp(-0.5 * (40 / 40.2) ** 2), rel=1e-5)
    assert prior[70, 140] == pytest.approx(
        np.exp(-0.5 * ((40 / 40.2) ** 2 + (20 / 20.2) ** 2)), rel=1e-5
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 2))
def test_centre_prior_is_symmetric_and_falls_from_the_centre(
    height: int, width: int, sigma: float
) -> None:
    prior = saliency.centre_prior((height, width), sigma)
    np.testing.assert_allclose(prior, prior[::-1, ::-1], rtol=1e-4)
    assert (np.diff(prior[: (height + 1) // 2], axis=0) >= 0).all()
    assert (np.diff(prior[:, : (width + 1) // 2], axis=1) >= 0).all()
    assert prior.min() >= 0
    assert prior.max() <= 1


def test_centre_prior_of_an_image_is_that_of_its_size(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (14, 23, 3)).astype(np.uint8)
    np.testing.assert_array_equal(saliency.centre_prior(image), saliency.centre_prior((14, 23)))


@pytest.mark.parametrize(
    ("argument", "error", "message"),
    [
        ((4, 5, 6), ValueError, r"expected \(H, W\)"),
        ((4, 0), ValueError, r"shape_or_image\[1\] is 0"),
        ((4.5, 3), TypeError, r"shape_or_image\[0\] is 4.5"),
        ("cat.png", TypeError, "shape_or_image"),
    ],
)
def test_centre_prior_says_what_is_wrong(
    argument: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        saliency.centre_prior(argument)  # type: ignore[arg-type]


def test_centre_prior_needs_a_width() -> None:
    with pytest.raises(ValueError, match="sigma is 0"):
        saliency.centre_prior((3, 3), sigma=0)


def test_with_centre_is_blurred_map_times_prior(rng: np.random.Generator) -> None:
    values = rng.random((40, 64)).astype(np.float32)
    blurred = ndimage.gaussian_filter(values.astype(np.float64), 0.05 * 64, mode="nearest")
    product = blurred * saliency.centre_prior((40, 64), 0.3)
    expected = (product - product.min()) / np.ptp(product)
    found = saliency.with_centre(values, 0.3, 0.05)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)
    sharp = values * saliency.centre_prior((40, 64), 0.2)
    np.testing.assert_allclose(
        saliency.with_centre(values, blur=0), (sharp - sharp.min()) / np.ptp(sharp), atol=1e-4
    )


def test_with_centre_of_a_large_map_is_computed_small() -> None:
    values = np.zeros((600, 900))
    values[200:300, 300:450] = 1
    expected = saliency.with_centre(values[::4, ::4], blur=0.05)
    for n_threads in (1, 3):
        found = saliency.with_centre(values, blur=0.05, n_threads=n_threads)
        assert found.shape == values.shape
        np.testing.assert_allclose(found[2::4, 2::4], expected, atol=0.03)
    assert not saliency.with_centre(np.zeros((7, 5))).any()
    assert saliency.with_centre(np.ones((1, 1))).shape == (1, 1)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.zeros((4, 4, 3)), {}, r"saliency has shape \(4, 4, 3\)"),
        (np.full((4, 4), 2.0), {}, "saliency holds floats"),
        (np.zeros((4, 4)), {"sigma": 0}, "sigma is 0"),
        (np.zeros((4, 4)), {"blur": -1}, "blur is -1"),
    ],
)
def test_with_centre_says_what_is_wrong(
    values: NDArray[np.float64], options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        saliency.with_centre(values, **options)


@pytest.mark.parametrize("bad", [np.zeros((3, 3, 2)), np.zeros((0, 3)), np.full((2, 2), np.nan)])
def test_frequency_tuned_refuses_what_is_no_image(bad: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="image"):
        saliency.frequency_tuned(bad)


def test_adaptive_threshold_is_twice_the_mean_and_below_the_maximum() -> None:
    sparse = np.zeros((10, 10))
    sparse[:2, :5] = 0.9
    assert saliency.adaptive_threshold(sparse) == pytest.approx(2 * 0.09)
    bright = np.full((10, 10), 0.9)
    bright[0] = 0.1
    assert saliency.adaptive_threshold(bright) == pytest.approx((0.82 + 0.9) / 2)
    assert saliency.adaptive_threshold(np.zeros((2, 2))) == 0


def test_adaptive_threshold_wants_a_map() -> None:
    with pytest.raises(ValueError, match=r"expected \(H, W\)"):
        saliency.adaptive_threshold(np.zeros((4, 4, 3)))


def test_both_maps_tell_objects_from_background_in_photographs(shared_data: Path) -> None:
    folder = shared_data / "grabcut50"
    scores: dict[str, list[float]] = {"frequency_tuned": [], "centre_prior": []}
    for path in sorted((folder / "images").iterdir())[::5]:
        image = io.read_image(path)
        truth = io.read_labels(next((folder / "truth").glob(path.stem + ".*")))
        for method, values in scores.items():
            found = getattr(saliency, method)(image)
            values.append(found[truth == 255].mean() - found[truth == 0].mean())
    assert np.mean(scores["frequency_tuned"]) > 0.1
    assert np.mean(scores["centre_prior"]) > 0.3

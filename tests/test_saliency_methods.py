"""What holds for every saliency method, and what each one is by its definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from reference import saliency as reference
from scipy import fft, ndimage
from skimage import color, data

from classicseg import grabcut, saliency
from classicseg._kernels import ext
from classicseg._lab import lab
from classicseg.saliency.contrast import palette
from classicseg.saliency.gbvs import _concentrated, _nearness

Method = Callable[..., NDArray[np.float32]]

OBJECTS = [
    "frequency_tuned",
    "histogram_contrast",
    "region_contrast",
    "minimum_barrier",
    "robust_background",
    "geodesic",
    "combined",
]
FIXATIONS = ["boolean_map", "gbvs", "image_signature", "itti_koch", "spectral_residual"]
METHODS = [*OBJECTS, *FIXATIONS]


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Method:
    found: Method = getattr(saliency, request.param)
    return found


def picture() -> NDArray[np.uint8]:
    image = np.full((96, 128, 3), (40, 90, 40), np.uint8)
    image[30:60, 50:84] = (200, 30, 30)
    return image


def check(found: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    assert found.dtype == np.float32
    assert found.shape == shape[:2]
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (1, 9, 3), (30, 2), (70, 90), (450, 31, 3)])
def test_all_sizes(method: Method, shape: tuple[int, ...], rng: np.random.Generator) -> None:
    check(method(rng.integers(0, 256, shape).astype(np.uint8)), shape)
    check(method(rng.random(shape)), shape)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_an_image_of_one_colour_has_no_salient_pixel(method: Method, value: float) -> None:
    assert not method(np.full((60, 80, 3), value)).any()
    assert not method(np.full((7, 5), value)).any()


def test_all_kinds_of_numbers_say_the_same(method: Method, rng: np.random.Generator) -> None:
    grey = (np.kron(rng.integers(0, 256, (6, 8)), np.ones((9, 9)))).astype(np.uint8)
    expected = method(np.repeat(grey[..., np.newaxis], 3, axis=2))
    for same in (grey, grey.astype(">u2") * 257, grey.astype(np.float64) / 255, grey[..., None]):
        np.testing.assert_allclose(method(same), expected, atol=2e-3)


def test_the_input_is_left_alone_and_the_output_repeats(method: Method) -> None:
    image = picture()
    image.flags.writeable = False
    before = image.copy()
    np.testing.assert_array_equal(method(image), method(image[::-1][::-1]))
    np.testing.assert_array_equal(image, before)


def test_the_odd_one_out_is_salient(method: Method) -> None:
    image = picture()
    found = method(image)
    around = np.zeros(image.shape[:2], bool)
    around[26:64, 46:88] = True
    assert found[around].mean() > 3 * found[~around].mean()
    assert around[np.unravel_index(found.argmax(), found.shape)]


# The others scan from the top left, make pyramids by every second pixel, or number regions.
@pytest.mark.parametrize(
    "name", ["frequency_tuned", "histogram_contrast", "spectral_residual", "image_signature"]
)
def test_a_mirrored_image_has_the_mirrored_map(name: str) -> None:
    method, image = getattr(saliency, name), picture()
    image[70:90, 10:30] = (40, 40, 220)
    found = method(image)
    for axis in (0, 1):
        np.testing.assert_allclose(np.flip(method(np.flip(image, axis)), axis), found, atol=2e-3)


@pytest.mark.parametrize("bad", [np.zeros((3, 3, 2)), np.zeros((0, 3)), np.full((9, 9), np.nan)])
def test_what_is_no_image_is_refused(method: Method, bad: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="image"):
        method(bad)
    with pytest.raises(TypeError, match="image"):
        method("cat.png")


def test_threads_do_not_change_the_spectral_residual(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (1500, 2100), np.uint8)
    for same in (image, image / 255):
        maps = [saliency.spectral_residual(same, n_threads=n) for n in (1, 2, 3, None)]
        for found in maps[1:]:
            np.testing.assert_array_equal(found, maps[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_values_of_large_float_images_are_checked(dtype: type, channels: int) -> None:
    """What the kernels find while they read is what a check before them says."""
    rng = np.random.default_rng(0)
    image = rng.random((301, 457, channels)).astype(dtype)
    small = np.empty((43, 64), np.float32)
    grey = {np.float32: ext.grey_float32, np.float64: ext.grey_float64}[dtype]
    assert grey(image, small, 1)
    for y, x, value in ((0, 0, np.nan), (300, 456, 1.5), (150, 200, -0.1), (7, 8, np.inf)):
        wrong = image.copy()
        wrong[y, x, -1] = value
        assert not grey(wrong, small, 1)
        for method in (saliency.spectral_residual, saliency.image_signature):
            with pytest.raises(ValueError, match="image holds"):
                method(wrong)
    swapped = image.astype(image.dtype.newbyteorder())
    np.testing.assert_array_equal(
        saliency.spectral_residual(swapped), saliency.spectral_residual(image)
    )
    image[5, 6] = 1 + 1e-6  # rounding
    expected = saliency.spectral_residual(np.minimum(image, 1))
    np.testing.assert_allclose(saliency.spectral_residual(image), expected, atol=1e-5)


def test_large_images_are_made_smaller_first(method: Method) -> None:
    """What 40 megapixels cost is measured in benchmarks/bench_saliency.py."""
    image = np.full((2400, 4000, 3), (40, 90, 40), np.uint8)
    image[800:1500, 1600:2500] = (200, 30, 30)
    found = method(image)
    check(found, image.shape)
    assert found[850:1450:50, 1650:2450:50].mean() > 2 * found[:600:50, ::50].mean()


def test_histogram_contrast_is_the_formula_of_the_paper(rng: np.random.Generator) -> None:
    """Few colours, all kept: saliency by pairs of pixels, before the smoothing."""
    colors = rng.integers(0, 256, (3, 3)).astype(np.uint8)
    index = rng.integers(0, 3, (12, 15))
    image = colors[index]
    lab = color.rgb2lab(image).reshape(-1, 3)
    values = np.linalg.norm(lab[:, np.newaxis] - lab, axis=2).mean(axis=1).reshape(index.shape)
    expected = (values - values.min()) / (values.max() - values.min())
    np.testing.assert_allclose(saliency.histogram_contrast(image), expected, atol=5e-3)


def test_the_palette_covers_the_pixels(rng: np.random.Generator) -> None:
    rgb = ndimage.gaussian_filter(rng.random((60, 70, 3)) * 255, (3, 3, 0)).astype(np.float32)
    rgb = (rgb - rgb.min()) * (255 / np.ptp(rgb))
    index, lab, counts = palette(rgb)
    np.testing.assert_array_equal(np.bincount(index.ravel(), minlength=len(counts)), counts)
    assert counts.min() > 0
    for i in (0, len(counts) - 1):
        expected = color.rgb2lab(rgb / 255)[index == i].mean(axis=0)
        np.testing.assert_allclose(lab[i], expected, atol=0.1)


def test_gbvs_activations_are_the_equilibria_of_the_walks(rng: np.random.Generator) -> None:
    values = rng.random((4, 5)).astype(np.float32)
    nearness = _nearness((4, 5))

    def walked(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = weights / weights.sum(axis=1, keepdims=True)
        share = np.full(len(steps), 1 / len(steps))
        for _ in range(5000):
            share = (share + share @ steps) / 2
        return share

    flat = values.ravel().astype(float)
    weights = np.array([[abs(a - b) for b in flat] for a in flat]) * nearness
    activation = walked(weights)
    expected = walked(np.tile(activation, (20, 1)) * nearness)
    found = _concentrated(values, nearness)
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-9)
    places = list(itertools.product(range(4), range(5)))
    sigma = 0.2 * 4.5
    for i, j in ((0, 0), (0, 7), (3, 19)):
        squared = sum((p - q) ** 2 for p, q in zip(places[i], places[j], strict=True))
        assert nearness[i, j] == pytest.approx(np.exp(-squared / (2 * sigma**2)))


@pytest.mark.parametrize("shape", [(48, 64), (64, 43), (1, 64), (2, 7), (3, 3), (37, 61), (64, 64)])
def test_spectral_residual_is_the_formula_of_the_paper(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    """No side above 64: nothing is shrunk or enlarged."""
    noise = rng.integers(0, 256, shape).astype(np.uint8)
    smooth = ndimage.gaussian_filter(noise, 2).astype(np.uint8)
    for grey in (noise, smooth):
        expected = reference.spectral_residual(grey.astype(float))
        np.testing.assert_allclose(saliency.spectral_residual(grey), expected, atol=1e-5)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "rocket"])
def test_spectral_residual_of_photographs(name: str) -> None:
    image = getattr(data, name)()
    height, width = image.shape[:2]
    scale = 64 / max(height, width)
    small = reference.shrink(image, round(height * scale), round(width * scale)).mean(axis=2)
    expected = reference.spectral_residual(small)
    large = reference.enlarge(expected, height, width)
    for same in (image, image / 255, (image / 255).astype(np.float32)):
        np.testing.assert_allclose(saliency.spectral_residual(same), large, atol=1e-5)


def test_image_signature_is_the_formula_of_the_paper(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (40, 64, 3)).astype(np.uint8)
    planes = np.moveaxis(lab(image.astype(np.float32)), 2, 0)
    signs = [np.sign(fft.dctn(channel.astype(np.float64), norm="ortho")) for channel in planes]
    total = sum(fft.idctn(s, norm="ortho") ** 2 for s in signs)
    blurred = ndimage.gaussian_filter(total, 0.045 * 64, mode="nearest")
    expected = (blurred - blurred.min()) / np.ptp(blurred)
    np.testing.assert_allclose(saliency.image_signature(image), expected, atol=1e-4)


def test_combined_is_the_mean_with_its_contrast_raised() -> None:
    image = picture()
    total = saliency.minimum_barrier(image) + saliency.robust_background(image)
    scaled = (total - total.min()) / np.ptp(total)
    raised = 1 / (1 + np.exp(-10 * (scaled - 0.5)))
    expected = (raised - raised.min()) / np.ptp(raised)
    np.testing.assert_allclose(saliency.combined(image), expected, atol=1e-4)
    threads = [
        saliency.combined(np.kron(image, np.ones((9, 9, 1)) / 255), n_threads=n) for n in (1, 3)
    ]
    np.testing.assert_array_equal(*threads)


def test_boolean_map_attends_what_is_surrounded() -> None:
    """A disc that touches the rim is no figure, the same disc inside is one."""
    inside, touching = np.zeros((60, 80)), np.zeros((60, 80))
    inside[20:35, 30:45] = touching[20:35, :15] = 1
    assert saliency.boolean_map(inside)[27, 37] > 0.9
    assert saliency.boolean_map(touching).max() == 0


def test_top_down_is_the_product() -> None:
    rng = np.random.default_rng(0)
    found, relevance = rng.random((2, 9, 11))
    product = found * relevance**2
    expected = (product - product.min()) / np.ptp(product)
    np.testing.assert_allclose(saliency.top_down(found, relevance, 2), expected, atol=1e-5)
    with pytest.raises(ValueError, match="relevance has shape"):
        saliency.top_down(found, relevance[:5])
    with pytest.raises(ValueError, match="weight"):
        saliency.top_down(found, relevance, -1)


def test_a_colour_model_chooses_among_objects() -> None:
    image = picture()
    image[70:90, 10:30] = (40, 40, 220)
    bottom_up = saliency.frequency_tuned(image)
    assert bottom_up[80, 20] > 0.3 and bottom_up[45, 66] > 0.3
    wanted = np.zeros(image.shape[:2], bool)
    wanted[75:80, 15:20] = True
    blue = saliency.top_down(bottom_up, saliency.color_relevance(image, wanted))
    assert blue[80, 20] > 0.9 > 0.1 > blue[45, 66]
    model = grabcut.fit_gmm(image[wanted].astype(np.float32))
    same = saliency.top_down(bottom_up, saliency.color_relevance(image, model))
    np.testing.assert_allclose(same, blue, atol=1e-5)
    with pytest.raises(ValueError, match="target marks no pixel"):
        saliency.color_relevance(image, np.zeros(image.shape[:2], bool))


@settings(max_examples=15, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_small_images_of_any_colours(image: NDArray[np.uint8]) -> None:
    for name in METHODS:
        check(getattr(saliency, name)(image), image.shape)

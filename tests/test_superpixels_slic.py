"""SLIC: against a slow twin; connected, contiguous and as many as asked for, whatever the image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import slic as reference
from scipy import ndimage
from skimage import data
from skimage.color import rgb2lab

from classicseg import superpixels as sp
from classicseg._kernels import ext

METHODS = ["refined", "slic", "slico"]


def expect_regions(labels: np.ndarray, mask: np.ndarray | None = None) -> int:
    """Labels 0..K-1, all there, each connected, -1 outside; returns K."""
    assert labels.dtype == np.int32
    inside = np.ones(labels.shape, bool) if mask is None else mask
    assert (labels[~inside] == -1).all() and (labels[inside] >= 0).all()
    k = int(labels.max()) + 1
    assert (np.bincount(labels[inside], minlength=k) > 0).all()
    for label, box in enumerate(ndimage.find_objects(labels + 1)):
        assert ndimage.label(labels[box] == label)[1] == 1
    return k


def nasty(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if kind == "constant":
        return np.full(shape, 77, np.uint8)
    if kind == "noise":
        return rng.integers(0, 256, shape, np.uint8)
    if kind == "checkerboard":
        return ((np.indices(shape).sum(axis=0) % 2) * 255).astype(np.uint8)
    ramp = np.indices(shape).sum(axis=0)
    return (ramp * 255 // max(int(ramp.max()), 1)).astype(np.uint8)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["constant", "noise", "checkerboard", "ramp"]),
    st.sampled_from(METHODS),
    st.sampled_from([0.0, 0.1, 10.0, 1e4]),
    st.integers(1, 4),
    st.booleans(),
    st.booleans(),
)
def test_regions_of_any_image(
    seed: int,
    kind: str,
    method: str,
    compactness: float,
    n_iterations: int,
    volume: bool,
    masked: bool,
) -> None:
    rng = np.random.default_rng(seed)
    axes = 3 if volume else 2
    shape = tuple(
        int(n) for n in rng.integers(1, rng.choice([4, 12, 40 if axes == 2 else 14]), axes)
    )
    channels = int(rng.choice([1, 2, 3]))
    image = nasty(kind, (*shape, channels), rng)
    n = int(rng.choice([1, 2, 5, 17, 10_000]))
    mask = None
    if masked:
        mask = rng.random(shape) < rng.choice([0.05, 0.5, 0.9])
        mask.flat[rng.integers(mask.size)] = True
    spacing = tuple(rng.choice([1.0, 0.3, 4.0], axes))
    options = {"method": method, "mask": mask, "spacing": spacing}
    labels = sp.slic(image, n, compactness, n_iterations, n_threads=2, **options)
    k = expect_regions(labels, mask)
    pieces = 1 if mask is None else ndimage.label(mask)[1]
    assert k <= max(n, pieces)
    for n_threads in (1, 3):
        again = sp.slic(image, n, compactness, n_iterations, n_threads=n_threads, **options)
        np.testing.assert_array_equal(again, labels)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("compactness", [1.0, 10.0, 40.0])
@pytest.mark.parametrize("shape", [(24, 31), (2, 50), (40, 9)])
def test_against_plain_steps(
    shape: tuple[int, int], compactness: float, channels: int, rng: np.random.Generator
) -> None:
    smooth = ndimage.gaussian_filter(rng.normal(size=(*shape, channels)), (3, 3, 0)) * 900 + 100
    image = np.clip(smooth, 0, 255).astype(np.uint8)
    if channels == 3:
        planes = np.empty(image.size, np.int16)
        ext.lab_bytes(image.reshape(-1, 3), planes, 1)
        planes = planes.reshape(3, *shape)
    else:
        scale = np.float32(256 * 100 / 255)
        planes = np.rint(np.moveaxis(image.astype(np.float32) * scale, -1, 0))
    for n in (1, 6, 15):
        expected = reference.slic(planes, n, compactness * 256, 5)
        found = sp.slic(image, n, compactness, 5, method="slic")
        np.testing.assert_array_equal(found, expected)


def test_lab_is_scikit_images(rng: np.random.Generator) -> None:
    colors = rng.integers(0, 256, (20_001, 3), np.uint8)
    colors[:4] = [[0, 0, 0], [255, 255, 255], [3, 2, 1], [0, 0, 255]]
    expected = rgb2lab(colors[None])[0].T
    bytes_, floats = np.empty((3, 20_001), np.int16), np.empty((3, 20_001), np.int16)
    ext.lab_bytes(colors, bytes_.ravel(), 2)
    ext.lab_floats(colors.astype(np.float32), floats.ravel(), 1)
    np.testing.assert_allclose(bytes_ / 256, expected, atol=0.01)
    np.testing.assert_array_equal(bytes_, floats)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_segments", [50, 250, 1000])
def test_as_many_as_asked_for_on_photographs(method: str, n_segments: int) -> None:
    for image in (data.astronaut()[::2, ::2], data.coffee()[::2, ::3], data.camera()[::2, ::2]):
        assert expect_regions(sp.slic(image, n_segments, method=method)) == n_segments


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (1, 300), (300, 1), (2, 3, 7), (48, 64)])
def test_any_image_of_any_size(
    shape: tuple[int, ...], method: str, rng: np.random.Generator
) -> None:
    axes = len(shape)
    n_pixels = int(np.prod(shape))
    noise = rng.integers(0, 256, (*shape, 3), np.uint8)
    step = noise // 2
    step[..., : shape[-1] // 2, :] += 128
    for image in (noise, step, step[..., 0], step / 255, step.astype("f4") / 255, step * 0):
        channels = -1 if image.ndim > axes else None
        for n in (1, 5, 40):
            labels = sp.slic(image, n, method=method, channel_axis=channels)
            assert 1 <= expect_regions(labels) <= min(n, n_pixels)


def test_quadrants() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, 30:, 0] = image[20:, :30, 1] = 255
    image[20:, 30:] = 255
    truth = (np.arange(40) >= 20)[:, None] * 2 + (np.arange(60) >= 30)
    for method in METHODS:
        found = sp.slic(image, 4, method=method)
        np.testing.assert_array_equal(found, truth)
        assert sp.achievable_accuracy(sp.slic(image, 60, method=method), truth) == 1


def test_refined_explains_more_than_the_plain_formula() -> None:
    for image in (data.astronaut()[::2, ::2], data.coffee()[::2, ::2], data.camera()[::2, ::2]):
        plain, refined = (
            sp.explained_variation(sp.slic(image, 200, method=method), image)
            for method in ("slic", "refined")
        )
        assert refined > plain + 0.003


def test_compactness_makes_squares() -> None:
    image = data.coffee()[::2, ::2]
    measured = [sp.compactness(sp.slic(image, 200, m)) for m in (1, 10, 100)]
    assert measured == sorted(measured) and measured[2] > 1.3 * measured[0]
    grid = sp.slic(np.zeros((60, 80), np.uint8), 48, method="slic")
    np.testing.assert_array_equal(np.bincount(grid.ravel()), 100)
    assert sp.compactness(grid) == pytest.approx(np.pi / 4)


def test_volume_spacing_and_mask(rng: np.random.Generator) -> None:
    volume = np.zeros((8, 24, 24), np.uint8)
    volume[4:] = 200
    labels = sp.slic(volume, 60, channel_axis=None)  # two layers of seeds
    assert expect_regions(labels) == 60
    assert not set(labels[:4].ravel()) & set(labels[4:].ravel())
    # Thick slices: regions are longer within a slice than they are across, in voxels.
    flat = sp.slic(volume * 0, 18, channel_axis=None, spacing=(6, 1, 1), method="slic")
    assert len(np.unique(flat[:, 0, 0])) > len(np.unique(flat[0, 0]))
    mask = np.zeros((30, 40), bool)
    mask[5:25, 5:20] = mask[10:20, 30:38] = True
    image = rng.integers(0, 256, (30, 40, 3), np.uint8)
    assert expect_regions(sp.slic(image, 20, mask=mask), mask) == 20
    # What lies outside does not matter.
    other = np.where(mask[..., None], image, 0)
    np.testing.assert_array_equal(
        sp.slic(other, 20, mask=mask, method="slico"), sp.slic(image, 20, mask=mask, method="slico")
    )


def test_the_same_picture_in_any_form(rng: np.random.Generator) -> None:
    image = data.astronaut()[100:200, 150:290]
    labels = sp.slic(image, 60)
    np.testing.assert_array_equal(sp.slic(image[::-1][::-1], 60), labels)
    np.testing.assert_array_equal(sp.slic(image.astype("u2") * 257, 60), labels)
    np.testing.assert_array_equal(sp.slic(image.astype(">i4"), 60, data_range=(0, 255)), labels)
    np.testing.assert_array_equal(sp.slic(np.moveaxis(image, -1, 0), 60, channel_axis=0), labels)
    frozen = image.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(sp.slic(frozen, 60), labels)
    grey = image[..., 0]
    np.testing.assert_array_equal(sp.slic(grey[..., None], 60), sp.slic(grey, 60))
    np.testing.assert_array_equal(sp.slic(grey[None], 60, channel_axis=None)[0], sp.slic(grey, 60))


def test_errors_name_the_argument() -> None:
    image = np.zeros((6, 8, 3), np.uint8)
    for options, error, message in [
        ({"n_segments": 0}, ValueError, "^n_segments is 0"),
        ({"n_segments": 2.5}, TypeError, "^n_segments is 2.5"),
        ({"n_iterations": 0}, ValueError, "^n_iterations is 0"),
        ({"n_iterations": 10**9}, ValueError, "^n_iterations is 1000000000"),
        ({"compactness": -1}, ValueError, "^compactness is -1"),
        ({"compactness": np.nan}, ValueError, "^compactness is nan"),
        ({"method": "best"}, ValueError, "^method is 'best', expected one of refined"),
        ({"mask": np.zeros((6, 8), bool)}, ValueError, "^mask is False everywhere"),
        ({"mask": np.ones((6, 7), bool)}, ValueError, r"^mask has shape \(6, 7\)"),
        ({"spacing": (1,)}, ValueError, "^spacing has 1 numbers, expected 2"),
        ({"spacing": (1, 0)}, ValueError, "^spacing is 0"),
        ({"spacing": 3}, TypeError, "^spacing is 3"),
        ({"spacing": (1, 1e9)}, ValueError, "^spacing is"),
        ({"channel_axis": 3}, ValueError, "^channel_axis is 3"),
        ({"channel_axis": 0.5}, TypeError, "^channel_axis is 0.5"),
        ({"n_threads": 0}, ValueError, "^n_threads"),
    ]:
        with pytest.raises(error, match=message):
            sp.slic(image, **options)
    for bad, error in [
        (np.zeros(4), ValueError),
        (image[:0], ValueError),
        (np.full((4, 4), np.nan), ValueError),
        (np.full((4, 4), 300.0), ValueError),
        (image.astype(int), TypeError),
        (image > 0, TypeError),
        ("picture", ValueError),
        (np.zeros((2, 2, 2, 2, 2), np.uint8), ValueError),
    ]:
        with pytest.raises(error, match=r"^image "):
            sp.slic(bad)

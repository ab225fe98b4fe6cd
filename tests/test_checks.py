"""The door: each kind of bad input is named, each kind of good one converted without harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classicseg import _checks as checks

GREY = np.arange(12, dtype=np.uint8).reshape(3, 4)
RGB = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)


@pytest.mark.parametrize("image", [GREY, GREY[:, :, np.newaxis], RGB])
def test_image_scales(image: np.ndarray) -> None:
    expected = image.reshape(3, 4, -1).astype(np.float32)
    for same in (
        image,
        image.astype(np.uint16) * 257,
        image / 255.0,
        (image / 255.0).astype(np.float32),
        image.astype(">u2") * 257,
        (image / 255.0).astype(">f8"),
    ):
        converted = checks.as_image(same)
        assert converted.dtype == np.float32 and converted.dtype.isnative
        assert converted.flags.c_contiguous and converted.flags.writeable
        np.testing.assert_allclose(converted, expected, rtol=1e-6, atol=1e-5)
    half = checks.as_image((image / 255.0).astype(np.float16))
    np.testing.assert_allclose(half, expected, atol=0.05)


@pytest.mark.parametrize(
    ("image", "data_range"),
    [
        (GREY.astype(np.int64), (0, 255)),
        (GREY.astype(np.float64), (0, 255)),
        (GREY - 1000.0, (-1000, -745)),
        (GREY.astype(np.uint16) + 60000, (60000, 60255)),
        (GREY.astype(np.int8), (0, 255)),
        (GREY, (0, 255)),
    ],
)
def test_image_data_range(image: np.ndarray, data_range: tuple[float, float]) -> None:
    converted = checks.as_image(image, data_range=data_range)
    np.testing.assert_allclose(converted[:, :, 0], GREY, atol=1e-3)


def test_image_bool_with_range() -> None:
    converted = checks.as_image(np.array([[True, False]]), data_range=(0, 1))
    assert converted[:, :, 0].tolist() == [[255, 0]]


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((3, 4), np.int32), TypeError, r"photo has dtype int32.*data_range"),
        (np.zeros((3, 4), bool), TypeError, r"photo has dtype bool.*mask"),
        (np.zeros((3, 4), complex), TypeError, "complex128"),
        (np.array([["a"]]), TypeError, "real numbers"),
        (np.array([[None]]), TypeError, "object"),
        ([[0.0, 1.0]], TypeError, r"photo is a list.*one at a time"),
        (None, TypeError, "photo is NoneType"),
        (np.full((3, 4), 1.5), ValueError, r"\[1\.5, 1\.5\], expected \[0, 1\].*0\.\.255"),
        (np.full((3, 4), 200.0), ValueError, r"data_range=\(0, 255\)"),
        (np.full((3, 4), -0.1), ValueError, r"-0\.1.*data_range=\(lo, hi\)"),
        (np.full((3, 4), np.nan), ValueError, r"12 values that are NaN.*\(0, 0, 0\)"),
        (np.full((3, 4), np.inf), ValueError, "infinite"),
        (np.zeros((0, 4)), ValueError, "photo is empty"),
        (np.zeros((4, 0, 3)), ValueError, "photo is empty"),
        (np.float64(1), ValueError, r"shape \(\)"),
        (np.zeros(5), ValueError, r"shape \(5,\)"),
        (np.zeros((2, 3, 4, 3)), ValueError, "batch one at a time"),
        (np.zeros((3, 40, 50)), ValueError, r"channels come first.*moveaxis\(photo, 0, -1\)"),
        (np.zeros((1, 40, 50)), ValueError, "channels come first"),
        (np.zeros((40, 50, 4)), ValueError, r"alpha channel with photo\[\.\.\., :3\]"),
        (np.zeros((40, 50, 2)), ValueError, r"alpha channel with photo\[\.\.\., 0\]"),
        (np.zeros((40, 50, 7)), ValueError, "7 channels"),
    ],
)
def test_bad_image(image: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.as_image(image, name="photo")
    with pytest.raises(error, match=message):
        checks.as_uint8_image(image, name="photo")


@pytest.mark.parametrize(
    "data_range", [(1, 0), (0, 0), (0, np.nan), (0, np.inf), (0,), 5, ("a", "b"), (-1e308, 1e308)]
)
def test_bad_data_range(data_range: Any) -> None:
    with pytest.raises((ValueError, TypeError), match="data_range"):
        checks.as_image(GREY, data_range=data_range)


def test_data_outside_its_range() -> None:
    with pytest.raises(ValueError, match=r"\[0, 11\], outside data_range=\(1, 20\)"):
        checks.as_image(GREY, data_range=(1, 20))


def test_rounding_is_forgiven_and_clipped() -> None:
    converted = checks.as_image(np.array([[-1e-7, 1 + 1e-7]]))
    assert converted.ravel().tolist() == [0, 255]


def test_image_leaves_the_caller_alone() -> None:
    image = np.linspace(0, 1, 36).reshape(3, 4, 3)
    image.flags.writeable = False
    before = image.copy()
    flipped = image[::-1, ::2]
    converted = checks.as_image(flipped)
    converted[:] = 0
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(
        checks.as_image(flipped), checks.as_image(np.ascontiguousarray(flipped))
    )


def test_uint8_image() -> None:
    assert np.shares_memory(checks.as_uint8_image(RGB), RGB)
    np.testing.assert_array_equal(checks.as_uint8_image(RGB), RGB)
    np.testing.assert_array_equal(checks.as_uint8_image(RGB[::-1]), RGB[::-1])
    assert checks.as_uint8_image(RGB[::-1]).flags.c_contiguous
    grey = checks.as_uint8_image(GREY)
    assert grey.shape == (3, 4, 3)
    assert (grey == GREY[:, :, np.newaxis]).all()
    everything = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.floor(everything / 257 + 0.5)
    np.testing.assert_array_equal(checks.as_uint8_image(everything)[:, :, 0], expected)
    levels = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(checks.as_uint8_image(levels / 255)[:, :, 0], levels)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, ">i4", np.uint32, np.int64, np.uint64])
def test_labels(dtype: Any) -> None:
    labels = np.array([[0, 1, 1], [1, 0, 0]]).astype(dtype)
    checked = checks.as_labels(labels)
    assert checked.dtype == np.int32 and checked.flags.c_contiguous
    np.testing.assert_array_equal(checked, labels.astype(int))


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (np.zeros((2, 2)), TypeError, "truth has dtype float64"),
        (np.array([[0, -3]]), ValueError, "truth holds the value -3"),
        (np.array([[2**31]]), ValueError, "2147483648"),
        (np.array([[2**63]], np.uint64), ValueError, "9223372036854775808"),
        (np.zeros((2, 2, 2), int), ValueError, r"\(2, 2, 2\), expected \(H, W\)"),
        (np.zeros((0, 2), int), ValueError, "truth is empty"),
        ([[1, 2]], TypeError, "list"),
    ],
)
def test_bad_labels(labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        checks.as_labels(labels, "truth")


def test_shape_is_demanded_in_any_rank() -> None:
    assert checks.as_labels(np.zeros((2, 3, 4), int), shape=(2, 3, 4)).shape == (2, 3, 4)
    with pytest.raises(ValueError, match=r"labels has shape \(2, 3\), expected \(3, 2\)"):
        checks.as_labels(np.zeros((2, 3), int), shape=(3, 2))


@pytest.mark.parametrize("on", [True, np.uint8(1), np.int64(255), np.uint16(255)])
def test_mask(on: Any) -> None:
    mask = np.zeros((2, 3), np.asarray(on).dtype)
    mask[1, 2] = on
    checked = checks.as_mask(mask)
    assert checked.dtype == bool
    assert np.argwhere(checked).tolist() == [[1, 2]]
    assert not checks.as_mask(np.zeros_like(mask)).any()


@pytest.mark.parametrize("values", [[0, 2], [0, 128, 255], [-1, 0], [0, 1, 255]])
def test_bad_mask_values(values: list[int]) -> None:
    with pytest.raises(ValueError, match=r"rim holds the values .*, expected bool"):
        checks.as_mask(np.array([values]), "rim")


def test_mask_of_floats() -> None:
    with pytest.raises(TypeError, match=r"mask > 0\.5"):
        checks.as_mask(np.zeros((2, 2)))


def test_probabilities() -> None:
    p = np.array([[[0.2, 0.8005]]])
    checked = checks.as_probabilities(p)
    assert checked.dtype == np.float32
    assert checked.sum() == pytest.approx(1, abs=1e-7)
    assert p[0, 0, 1] == 0.8005
    np.testing.assert_array_equal(checks.as_probabilities(np.array([[[0, 1]]])), [[[0, 1]]])
    assert checks.as_probabilities(np.full((2, 2, 2, 4), 0.25), shape=(2, 2, 2)).ndim == 4


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.full((2, 2, 2), 0.6), r"sums to 1\.2 .* pixel \(0, 0\)"),
        (np.array([[[1.5, -0.5]]]), "value -0.5.*from_scores"),
        (np.full((2, 2, 2), np.nan), "NaN"),
        (np.full((2, 2, 2), 1e39), "infinite"),
        (np.full((2, 2, 2), 3e38), "sums to inf"),
        (np.full((2, 2), 0.5), r"expected \(H, W, L\)"),
        (np.zeros((2, 2, 0)), "empty"),
        (np.zeros((2, 2, 2)), "sums to 0"),
    ],
)
def test_bad_probabilities(p: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checks.as_probabilities(p)


def test_bad_probabilities_shape() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3, 2\), expected \(3, 2\) and the labels after"):
        checks.as_probabilities(np.full((2, 3, 2), 0.5), shape=(3, 2))


def test_unary() -> None:
    unary = np.array([[[-1, 7]]], ">i2")
    assert checks.as_unary(unary).tolist() == [[[-1, 7]]]
    ready = np.zeros((2, 2, 3), np.float32)
    assert np.shares_memory(checks.as_unary(ready), ready)
    for bad, message in ((np.nan, "NaN"), (np.inf, "from_probabilities"), (1e39, "infinite")):
        with pytest.raises(ValueError, match=message):
            checks.as_unary(np.full((1, 1, 2), bad))
    with pytest.raises(TypeError, match="bool"):
        checks.as_unary(np.zeros((1, 1, 2), bool))


@given(
    st.tuples(*[st.integers(-20, 20)] * 2, *[st.integers(1, 30)] * 2),
    st.tuples(st.integers(1, 15), st.integers(1, 15)),
)
def test_rect_is_the_overlap(rect: tuple[int, int, int, int], shape: tuple[int, int]) -> None:
    x, y, width, height = rect
    inside = np.zeros((100, 100), bool)
    inside[30 + y : 30 + y + height, 30 + x : 30 + x + width] = True
    inside = inside[30 : 30 + shape[0], 30 : 30 + shape[1]]
    if not inside.any():
        with pytest.raises(ValueError, match="lies outside the image"):
            checks.as_rect(rect, shape)
        return
    x, y, width, height = checks.as_rect(rect, shape)
    again = np.zeros(shape, bool)
    again[y : y + height, x : x + width] = True
    assert x >= 0 and y >= 0 and inside.sum() == width * height
    np.testing.assert_array_equal(again, inside)


@pytest.mark.parametrize(
    ("rect", "error"),
    [
        ((1, 2, 3), ValueError),
        ((1, 2, 0, 3), ValueError),
        ((1, 2, 3, -3), ValueError),
        ((1, 2, 3.5, 3), ValueError),
        ((1, 2, np.nan, 3), ValueError),
        ((1, 2, True, 3), TypeError),
        ((1, 2, "3", 3), TypeError),
        ("1234", ValueError),
        (None, TypeError),
        (7, TypeError),
    ],
)
def test_bad_rect(rect: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="box"):
        checks.as_rect(rect, (10, 10), "box")


def test_rect_takes_numpy_and_whole_floats() -> None:
    rect = checks.as_rect(np.array([1.0, 2.0, 3.0, 4.0]), (10, 10, 3))
    assert rect == (1, 2, 3, 4)
    assert all(type(value) is int for value in rect)


@pytest.mark.parametrize(
    ("check", "largest"), [(checks.as_trimap, 3), (checks.as_seeds, 2)], ids=["trimap", "seeds"]
)
def test_codes(check: Any, largest: int) -> None:
    codes = np.arange(largest + 1, dtype=">i8")[np.newaxis]
    checked = check(codes, codes.shape)
    assert checked.dtype == np.uint8
    assert checked.tolist() == codes.tolist()
    for wrong in (-1, largest + 1, 256, 257):
        with pytest.raises(ValueError, match=f"thing holds the values {wrong}, expected 0"):
            check(np.array([[wrong]]), (1, 1), "thing")
    with pytest.raises(ValueError, match=r"expected \(5, 5\)"):
        check(codes, (5, 5))
    for dtype in (float, bool):
        with pytest.raises(TypeError, match="integers"):
            check(codes.astype(dtype), codes.shape)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (checks.positive, [1, 0.5, np.float32(2)], [0, -1, np.nan, np.inf, "1", True, None]),
        (checks.non_negative, [0, 3.5], [-1e-9, np.nan, None]),
        (checks.positive_int, [1, np.int64(3)], [0, -1, 1.0, True, "1", None]),
        (checks.whole, [-3, 2.0], [0.5, np.nan, "1"]),
    ],
)
def test_numbers(check: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert check(value, "gamma") == value
    for value in bad:
        with pytest.raises((ValueError, TypeError), match="gamma"):
            check(value, "gamma")


class TestThreads:
    @pytest.fixture(autouse=True)
    def no_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CLASSICSEG_NUM_THREADS", raising=False)

    def test_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLASSICSEG_NUM_THREADS", "7")
        assert checks.check_threads(3) == 3
        assert checks.check_threads(None) == 7

    @pytest.mark.parametrize("bad", ["0", "-1", "two", "1.5"])
    def test_bad_setting(self, bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLASSICSEG_NUM_THREADS", bad)
        with pytest.raises(ValueError, match=f"CLASSICSEG_NUM_THREADS is '{bad}'"):
            checks.check_threads(None)

    @pytest.mark.parametrize("bad", [0, -1, 1.5, "2", True, 2**40])
    def test_bad_argument(self, bad: Any) -> None:
        with pytest.raises((ValueError, TypeError), match="n_threads"):
            checks.check_threads(bad)

    def test_empty_setting_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CLASSICSEG_NUM_THREADS", "")
        assert checks.check_threads(None) >= 1

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
    def test_affinity(self) -> None:
        code = (
            "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
            "from classicseg._checks import check_threads; print(check_threads(None))"
        )
        root = Path(__file__).resolve().parents[1]
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
        )
        assert result.stdout.strip() == "1"

    def test_share_of_a_joblib_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        worker = checks.check_threads.__globals__["multiprocessing"].current_process()
        monkeypatch.setattr("joblib.cpu_count", lambda: 8)
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        assert checks.check_threads(None) == 8  # no worker: the variable is not ours
        monkeypatch.setattr(worker, "name", "LokyProcess-1")
        assert checks.check_threads(None) == 3
        monkeypatch.setenv("OMP_NUM_THREADS", "99")
        assert checks.check_threads(None) == 8

    def test_real_joblib_workers(self) -> None:
        from joblib import Parallel, delayed, parallel_config

        with parallel_config("loky", inner_max_num_threads=1):
            shares = Parallel(n_jobs=2)(delayed(checks.check_threads)(None) for _ in range(2))
        assert shares == [1, 1]

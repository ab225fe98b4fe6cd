"""Scores of networks from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import skimage.transform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classicseg import io


class TestScores:
    @given(
        h=st.integers(1, 9),
        w=st.integers(1, 9),
        height=st.integers(1, 20),
        width=st.integers(1, 20),
        is_logits=st.booleans(),
    )
    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    def test_enlarging_matches_scikit_image(
        self, h: int, w: int, height: int, width: int, is_logits: bool, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng([h, w, height, width])
        values = rng.normal(size=(3, h, w)) if is_logits else rng.dirichlet(np.ones(3), (h, w)).T
        values = values if is_logits else values.transpose(0, 2, 1)
        key = "logits" if is_logits else "probabilities"
        np.savez(tmp_path / "a.npz", **{key: values})
        read = io.read_scores(tmp_path / "a.npz", shape=(height, width))
        large = skimage.transform.resize(
            np.moveaxis(values, 0, -1), (height, width), 1, mode="edge", anti_aliasing=False
        )
        expected = scipy.special.softmax(large, axis=-1) if is_logits else large
        assert read.dtype == np.float32 and read.flags.c_contiguous
        np.testing.assert_allclose(read, expected, atol=1e-5)

    def test_the_first_class_is_the_first(self, tmp_path: Path) -> None:
        logits = np.zeros((3, 2, 4), np.float32)
        logits[1, 0, 3] = 5
        np.savez(tmp_path / "a.npz", logits=logits)
        read = io.read_scores(tmp_path / "a.npz")
        assert read.shape == (2, 4, 3)
        assert np.unravel_index(read.argmax(), read.shape) == (0, 3, 1)

    def test_scale(self, tmp_path: Path) -> None:
        stored = np.array([[[8]], [[-16]]], np.int8)
        for extra, factor in (({}, 1 / 8), ({"scale": 0.5}, 0.5), ({"scale": np.ones(1)}, 1)):
            np.savez(tmp_path / "a.npz", logits=stored, **extra)
            expected = scipy.special.softmax(stored[:, 0, 0].astype(float) * factor)
            np.testing.assert_allclose(io.read_scores(tmp_path / "a.npz")[0, 0], expected, 1e-5)

    def test_whole_numbers_as_probabilities(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", probabilities=np.array([[[51]], [[204]]], np.uint8))
        np.testing.assert_allclose(io.read_scores(tmp_path / "a.npz")[0, 0], [0.2, 0.8])

    def test_fewer_classes(self, tmp_path: Path, rng: np.random.Generator) -> None:
        logits = rng.normal(size=(4, 3, 3))
        np.savez(tmp_path / "a.npz", logits=logits)
        expected = scipy.special.softmax(logits[:3], axis=0)
        read = io.read_scores(tmp_path / "a.npz", n_classes=3)
        np.testing.assert_allclose(read, np.moveaxis(expected, 0, -1), rtol=1e-5)
        with pytest.raises(ValueError, match="4 classes, fewer than n_classes=5"):
            io.read_scores(tmp_path / "a.npz", n_classes=5)

    def test_npy(self, tmp_path: Path, rng: np.random.Generator) -> None:
        p = rng.dirichlet(np.ones(3), (4, 5)).astype(np.float32)
        path = tmp_path / "a.npy"
        for stored in (p, np.moveaxis(p, -1, 0)):
            np.save(path, stored)
            np.testing.assert_allclose(io.read_scores(path), p, rtol=1e-6)
        logits = rng.normal(size=(3, 4, 5)) * 5
        np.save(path, logits)
        expected = np.moveaxis(scipy.special.softmax(logits, axis=0), 0, -1)
        np.testing.assert_allclose(io.read_scores(path), expected, rtol=1e-4)
        np.save(path, np.full((2, 3, 4), 0.4))
        with pytest.raises(ValueError, match="sum to one neither"):
            io.read_scores(path)

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"scores": np.zeros((2, 3, 3))}, "holds .*scores.*expected one of"),
            ({"logits": np.zeros((2, 3, 3)), "probabilities": np.zeros((2, 3, 3))}, "one of"),
            ({"logits": np.zeros((3, 3))}, r"shape \(3, 3\)"),
            ({"logits": np.zeros((0, 3, 3))}, "shape"),
            ({"logits": np.zeros((2, 3, 3), complex)}, "complex"),
            ({"logits": np.full((2, 3, 3), np.nan)}, "NaN"),
            ({"logits": np.zeros((2, 3, 3), np.int16)}, "int16 and there is no `scale`"),
            ({"logits": np.zeros((2, 3, 3)), "scale": np.zeros(2)}, "one number"),
            ({"logits": np.zeros((2, 3, 3)), "scale": 0.0}, "scale"),
            ({"logits": np.zeros((2, 3, 3)), "scale": "x"}, "one number"),
            ({"probabilities": np.full((2, 3, 3), 0.6)}, "miss a sum of one"),
            ({"probabilities": np.zeros((2, 3, 3), np.uint8)}, "pixels without any"),
            ({"probabilities": np.array([[[-1.0]], [[2.0]]])}, "negative"),
            ({"logits": np.array([[[None]], [["x"]]])}, "pickle"),
        ],
    )
    def test_bad_archives(
        self, arrays: dict[str, np.ndarray], message: str, tmp_path: Path
    ) -> None:
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(ValueError, match=rf"bad\.npz cannot be read as scores: .*{message}"):
            io.read_scores(tmp_path / "bad.npz")

    @pytest.mark.parametrize("shape", [(0, 3), (3, -1), (2.5, 3)])
    def test_bad_shape(self, shape: Any, tmp_path: Path) -> None:
        with pytest.raises((ValueError, TypeError), match="shape"):
            io.read_scores(tmp_path / "any.npz", shape=shape)

    def test_real_files(self, shared_data: Path) -> None:
        for folder, n_classes, n_kept in (
            ("voc2012/logits", 21, 21),
            ("camvid/val_logits", 12, 11),
        ):
            path = next((shared_data / folder).glob("*.npz"))
            stored = np.load(path)["logits"]
            assert len(stored) == n_classes
            read = io.read_scores(path, n_classes=n_kept)
            expected = scipy.special.softmax(stored[:n_kept] / 8.0, axis=0)
            np.testing.assert_allclose(read, np.moveaxis(expected, 0, -1), rtol=1e-4, atol=1e-7)

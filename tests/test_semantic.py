"""Semantic segmentation by hand-made features: the manners that all three estimators have."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from classicseg import semantic

TREES = ExtraTreesClassifier(10, min_samples_leaf=2, random_state=0)
MODELS: list[Any] = [
    semantic.PatchClassifier(5, 3, n_textons=6, patches_per_image=300, estimator=TREES),
    semantic.SlidingWindow(TREES, 6, 3),
    semantic.SuperpixelClassifier(60, n_textons=6, estimator=TREES),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)


def scene(seed: int, shape: tuple[int, int] = (48, 64)) -> tuple[Any, Any]:
    """Sky above a striped ground, and a dark box on it; a rim of void around the box."""
    random = np.random.default_rng(seed)
    height, width = shape
    image = np.empty((height, width, 3))
    image[:] = (120, 160, 220)
    truth = np.zeros(shape, np.int32)
    horizon = height // 2 + int(random.integers(-3, 4))
    image[horizon:] = 110
    image[horizon::2, :] = 150
    truth[horizon:] = 1
    left = int(random.integers(4, width - 24))
    truth[horizon + 2 : horizon + 16, left - 1 : left + 19] = 255
    truth[horizon + 3 : horizon + 15, left : left + 18] = 2
    image[truth == 2] = (60, 20, 20)
    return np.clip(image + random.normal(0, 6, image.shape), 0, 255).astype(np.uint8), truth


IMAGES, TRUTHS = [list(part) for part in zip(*(scene(seed) for seed in range(4)), strict=True)]


def fitted(model: Any, **settings: Any) -> Any:
    return clone(model).set_params(**settings).fit(IMAGES, TRUTHS)


@every_model
def test_a_simple_scene_is_learned(model: Any) -> None:
    image, truth = scene(11)
    found = fitted(model)
    scores = found.predict_proba(image)
    assert scores.shape == (48, 64, 3) and scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=-1), 1, atol=1e-5)
    assert scores.min() >= 0
    labels = found.predict(image)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, scores.argmax(axis=-1))
    known = truth != 255
    assert (labels == truth)[known].mean() > 0.9
    assert found.score([image], [truth]) > 0.75
    assert found.classes_.tolist() == [0, 1, 2]


@every_model
def test_manners_of_scikit_learn(model: Any) -> None:
    copy = clone(model)
    assert copy is not model and str(copy.get_params()) == str(model.get_params())
    assert copy.set_params(class_weight=None).class_weight is None
    with pytest.raises(ValueError, match="nonsense"):
        copy.set_params(nonsense=1)
    for call in (copy.predict_proba, copy.predict):
        with pytest.raises(NotFittedError):
            call(IMAGES[0])
    with pytest.raises(NotFittedError):
        copy.score(IMAGES, TRUTHS)
    before = str(model.get_params())
    found = model.fit(IMAGES, TRUTHS)
    assert found is model and str(model.get_params()) == before
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict_proba(IMAGES[0]), found.predict_proba(IMAGES[0]))


@every_model
def test_any_number_of_jobs_gives_the_same(model: Any) -> None:
    one, two = (
        clone(model).set_params(n_jobs=n).fit(IMAGES[:2], TRUTHS[:2]).predict_proba(IMAGES[1])
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one, two)


@every_model
def test_random_state_decides(model: Any) -> None:
    free = ExtraTreesClassifier(5, max_depth=2)
    first, same, other = (
        fitted(model, estimator=free, random_state=s).predict_proba(IMAGES[1]) for s in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@every_model
def test_what_lies_under_void_does_not_count(model: Any) -> None:
    image, truth = IMAGES[0], TRUTHS[0].copy()
    truth[:, 32:] = 255
    wrong = np.where(truth == 255, 77, truth)  # another void label in the same places
    one = clone(model).fit([image], [truth]).predict_proba(image)
    two = clone(model).set_params(ignore_index=77).fit([image], [wrong]).predict_proba(image)
    np.testing.assert_array_equal(one, two)
    assert one.shape[-1] == 3
    with pytest.raises(ValueError, match=r"labels\[0\] holds 77, expected 0..2"):
        clone(model).set_params(n_classes=3).fit([image], [wrong])


@every_model
def test_images_that_are_all_void_are_borne(model: Any) -> None:
    truths = [*TRUTHS[:3], np.full_like(TRUTHS[3], 255)]
    assert clone(model).fit(IMAGES, truths).predict(IMAGES[0]).max() <= 2


@every_model
def test_class_weights_move_the_balance(model: Any) -> None:
    def mass(weight: Any) -> float:
        weak = ExtraTreesClassifier(10, max_depth=2, random_state=0)
        found = clone(model).set_params(estimator=weak, class_weight=weight)
        if "n_stages" in found.get_params():
            found.set_params(n_stages=1)  # one balance, not that of two stages
        return float(found.fit(IMAGES[:2], TRUTHS[:2]).predict_proba(IMAGES[2])[..., 2].mean())

    plain, balanced = mass(None), mass("balanced")
    assert plain == mass(0.0) and balanced == mass(1.0)
    # How the trees themselves change decides which of the two large weights gives more.
    assert mass({2: 0.05}) < plain < min(balanced, mass({2: 200.0}))
    with pytest.raises(ValueError, match="class_weight is 'even'"):
        mass("even")
    with pytest.raises(ValueError, match="class_weight names"):
        mass({3: 1.0})
    with pytest.raises(ValueError, match="no training pixel"):
        mass({0: 0.0, 1: 0.0, 2: 0.0})


@every_model
def test_a_class_nobody_has_seen_gets_nothing(model: Any) -> None:
    scores = fitted(model, n_classes=5).predict_proba(IMAGES[0])
    assert scores.shape[-1] == 5 and scores[..., 3:].max() == 0


@every_model
@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (1, 30), (5, 4)])
def test_tiny_images(model: Any, shape: tuple[int, int]) -> None:
    image, truth = scene(5)
    image, truth = image[20 : 20 + shape[0], : shape[1]], np.arange(np.prod(shape)).reshape(shape)
    found = clone(model).fit([*IMAGES, image], [*TRUTHS, truth % 2])
    assert found.predict_proba(image).shape == (*shape, 3)
    if truth.size > 1:
        small = clone(model).fit([image], [truth % 2]).predict_proba(image)
        assert np.isfinite(small).all()


@every_model
def test_grey_floats_constants_and_other_layouts(model: Any) -> None:
    found = fitted(model)
    image = IMAGES[0]
    wanted = found.predict_proba(image)
    np.testing.assert_array_equal(found.predict_proba(image / 255), wanted)
    np.testing.assert_array_equal(found.predict_proba(image.astype(np.uint16) * 257), wanted)
    np.testing.assert_array_equal(found.predict_proba(np.asfortranarray(image)), wanted)
    frozen = image.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(found.predict_proba(frozen), wanted)
    grey = image[..., 1]
    np.testing.assert_array_equal(
        found.predict_proba(grey), found.predict_proba(np.stack([grey] * 3, axis=-1))
    )
    assert np.isfinite(found.predict_proba(np.full((20, 30), 128, np.uint8))).all()
    flat = [np.full((20, 30, 3), 9, np.uint8)] * 2
    halves = [np.arange(600).reshape(20, 30) // 300] * 2
    assert np.isfinite(clone(model).fit(flat, halves).predict_proba(flat[0])).all()


@every_model
def test_another_classifier(model: Any) -> None:
    found = fitted(model, estimator=LogisticRegression(max_iter=50))
    assert (found.predict(IMAGES[0]) == TRUTHS[0])[TRUTHS[0] != 255].mean() > 0.8


@every_model
def test_bad_input_is_named(model: Any) -> None:
    fresh = clone(model)
    for images, labels, error, match in (
        (IMAGES[:2], TRUTHS[:1], ValueError, "images holds 2 and labels 1"),
        ([], [], ValueError, "images is empty"),
        (IMAGES[0], TRUTHS[0], TypeError, "images is a ndarray, expected a list"),
        (IMAGES[:1], [TRUTHS[0][:5]], ValueError, r"labels\[0\] has shape \(5, 64\)"),
        (IMAGES[:1], [TRUTHS[0] * 0], ValueError, "labels hold 1 classes"),
        (IMAGES[:1], [TRUTHS[0] * 0 + 255], ValueError, "labels hold 0 classes"),
        (IMAGES[:1], [TRUTHS[0] + 0.5], TypeError, r"labels\[0\] has dtype float64"),
        ([IMAGES[0] * 2.0], TRUTHS[:1], ValueError, r"images\[0\] holds floats"),
    ):
        with pytest.raises(error, match=match):
            fresh.fit(images, labels)
    with pytest.raises(ValueError, match="ignore_index is 1"):
        clone(model).set_params(ignore_index=1, n_classes=3).fit(IMAGES, TRUTHS)
    found = fitted(model)
    with pytest.raises(ValueError, match="image holds 1 values that are NaN"):
        found.predict(np.where(np.arange(12).reshape(3, 4) == 5, np.nan, 0.5))


@every_model
def test_progress_is_quiet_in_a_pipe(model: Any, capfd: pytest.CaptureFixture[str]) -> None:
    fitted(model, progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals")
def test_progress_shows_on_a_terminal() -> None:
    import pty

    code = (
        "import numpy as np; from classicseg import semantic\n"
        "semantic.SlidingWindow(window=2, stride=1).fit("
        "[np.zeros((6, 6), np.uint8)], [np.arange(36).reshape(6, 6) % 2])"
    )
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run([sys.executable, "-c", code], stderr=slave, env=environment, check=False)
    os.close(slave)
    assert done.returncode == 0
    assert b"windows" in os.read(master, 65536)


def test_a_window_that_was_fitted_elsewhere() -> None:
    """Any classifier with predict_proba: here one that was given rows by hand."""
    rows = np.array([[0.0], [50.0], [200.0], [255.0]])
    known = LogisticRegression().fit(rows, [0, 0, 1, 1])
    model = semantic.SlidingWindow(
        known, (2, 2), 2, features=lambda w: w.mean(axis=(1, 2, 3))[:, np.newaxis], prefit=True
    )
    image = np.zeros((4, 6), np.uint8)
    image[:, 4:] = 255
    assert model.predict(image).tolist() == [[0, 0, 0, 0, 1, 1]] * 4
    masks = model.masks(image, 0.9)
    assert masks.dtype == bool and masks[0, :, 1].tolist() == [False] * 4 + [True] * 2
    with pytest.raises(NotFittedError):
        clone(model).predict(image)


def test_heat_is_the_mean_of_the_windows_that_cover_a_pixel() -> None:
    class Bright:
        classes_ = np.array([0, 1])

        def predict_proba(self, rows: Any) -> Any:
            return np.column_stack([1 - rows[:, 0], rows[:, 0]])

    image = np.random.default_rng(0).integers(0, 256, (7, 9), dtype=np.uint8)
    model = semantic.SlidingWindow(
        Bright(), (3, 4), 2, features=lambda w: w.mean(axis=(1, 2, 3))[:, None] / 255, prefit=True
    )
    total, count = np.zeros(image.shape), np.zeros(image.shape)
    for y in (0, 2, 4):
        for x in (0, 2, 4, 5):  # the last ends at the border
            total[y : y + 3, x : x + 4] += image[y : y + 3, x : x + 4].mean() / 255
            count[y : y + 3, x : x + 4] += 1
    np.testing.assert_allclose(model.predict_proba(image)[..., 1], total / count, atol=1e-6)


def test_strided_patches_are_dense_ones_in_between() -> None:
    dense, strided = (fitted(MODELS[0], stride=s).predict_proba(IMAGES[0]) for s in (1, 4))
    np.testing.assert_allclose(dense[1::4, 1::4], strided[1::4, 1::4], atol=1e-6)
    np.testing.assert_allclose(strided[1, 3], (strided[1, 1] + strided[1, 5]) / 2, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (semantic.PatchClassifier(features=("colour",)), "features is"),
        (semantic.PatchClassifier(stride=0), "stride is 0"),
        (semantic.SlidingWindow(window=(1, 2, 3)), "window is"),
        (semantic.SlidingWindow(features=lambda w: w), "features made"),
    ],
)
def test_bad_settings_are_named(model: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        model.fit(IMAGES[:1], TRUTHS[:1])

"""OpenCV's GrabCut: as an engine, and as a peer that ours must not lose to."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from reference import gmm as reference_gmm
from reference import maxflow as reference

from classicseg import samples
from classicseg.grabcut import GrabCut, segment
from classicseg.graphcut import GridGraph, contrast_weights


def halved(name: str) -> tuple[np.ndarray, tuple[int, int, int, int], np.ndarray]:
    sample = samples.load(name)
    x, y, w, h = (n // 2 for n in sample.rect)
    return np.ascontiguousarray(sample.image[::2, ::2]), (x, y, w, h), sample.mask[::2, ::2]


def mixture_energies(image: np.ndarray, model: np.ndarray) -> np.ndarray:
    """OpenCV's data term (the mixture's sum) from its 65 numbers; the image is RGB."""
    weights, means = model[0, :5], model[0, 5:20].reshape(5, 3)
    covariances = model[0, 20:].reshape(5, 3, 3)
    colours, where = np.unique(image[..., ::-1].reshape(-1, 3), axis=0, return_inverse=True)
    used = weights > 0
    difference = colours[:, None].astype(float) - means[used]
    inverse = np.linalg.inv(covariances[used])
    energies = (
        -np.log(weights[used])
        + 0.5 * np.log(np.linalg.det(covariances[used]))
        + 0.5 * np.einsum("nki,kij,nkj->nk", difference, inverse, difference)
        + 1.5 * np.log(2 * np.pi)
    )
    for row in (0, len(colours) // 2, -1):
        slow = reference_gmm.mixture_energy(
            colours[row], weights[used], means[used], covariances[used]
        )
        assert -np.logaddexp.reduce(-energies[row]) == pytest.approx(slow, rel=1e-9)
    mixed: np.ndarray = -np.logaddexp.reduce(-energies, axis=1)[where.ravel()]
    return mixed.reshape(image.shape[:2])


@pytest.mark.parametrize("name", ["coffee", "chelsea", "flower", "rocket"])
def test_from_opencvs_mask_and_models_one_exact_cut_is_no_worse(name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    image, rect, _ = halved(name)
    trimap = np.zeros(image.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.setRNGSeed(0)
    cv2.grabCut(bgr, trimap, rect, *models, 3, cv2.GC_INIT_WITH_RECT)
    background, foreground = (mixture_energies(image, model) for model in models)
    weights = {o: w.astype(float) for o, w in contrast_weights(image).items()}
    least = np.minimum(background, foreground)
    hard = trimap == 0
    graph = GridGraph(image.shape[:2])
    graph.set_terminals(
        np.where(hard, 0, background - least), np.where(hard, np.inf, foreground - least)
    )
    graph.set_edges(weights)
    ours = graph.solve().mask
    theirs = (trimap & 1).astype(bool)
    cost, other = (
        reference.cut_cost(background, foreground, weights, mask) for mask in (ours, theirs)
    )
    assert not ours[hard].any()
    assert cost <= other + 1e-6 * abs(other)
    # Their cut is all but exact for the same energy, so that the comparison is a fair one.
    frozen = trimap.copy()
    cv2.grabCut(bgr, frozen, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
    again = reference.cut_cost(background, foreground, weights, frozen % 2 == 1)
    assert cost <= again + 1e-6 * abs(again)
    assert again == pytest.approx(cost, rel=1e-3)


def test_the_engine_is_opencv_itself() -> None:
    cv2 = pytest.importorskip("cv2")
    image, rect, truth = halved("coffee")
    grabcut = GrabCut(image, max_iter=3, engine="opencv", rng=5).fit(rect)
    seed = int(np.random.default_rng(5).integers(2**31))
    trimap = np.zeros(image.shape[:2], np.uint8)
    x, y, w, h = rect
    trimap[y : y + h, x : x + w] = 3
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(seed)
    bgr = np.ascontiguousarray(image[..., ::-1])
    cv2.grabCut(bgr, trimap, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    np.testing.assert_array_equal(grabcut.trimap, trimap)
    assert (grabcut.mask != truth).mean() < 0.15
    again = segment(image, rect, max_iter=3, engine="opencv", rng=5)
    np.testing.assert_array_equal(again, grabcut.mask)


def test_the_engine_respects_trimap_and_strokes() -> None:
    pytest.importorskip("cv2")
    image, (x, y, w, h), truth = halved("coffee")
    trimap = np.full(truth.shape, 2, np.uint8)
    trimap[y : y + h, x : x + w] = 3
    trimap[:6], trimap[90:100, 140:150] = 0, 1
    given = trimap.copy()
    grabcut = GrabCut(image, max_iter=2, engine="opencv").fit(trimap=trimap)
    np.testing.assert_array_equal(trimap, given)
    assert grabcut.trimap is not None
    hard = trimap < 2
    np.testing.assert_array_equal(grabcut.trimap[hard], trimap[hard])
    assert (grabcut.trimap[~hard] >= 2).all()
    grabcut.stroke([(20, 20), (60, 20)], 3, 1).refine()
    assert grabcut.mask[20, 20:60].all()
    grabcut.fit()
    assert grabcut.mask[20, 20:60].all()


def test_the_engine_takes_grey_and_deep_images() -> None:
    pytest.importorskip("cv2")
    image, rect, _ = halved("coins")
    mask = segment(image, rect, max_iter=2, engine="opencv")
    rgb = np.repeat(image[..., None], 3, axis=2)
    for other in (rgb, image / 255, image.astype(np.uint16) * 257):
        np.testing.assert_array_equal(segment(other, rect, max_iter=2, engine="opencv"), mask)


@pytest.mark.parametrize("value", [0, 1, 2, 3])
def test_an_empty_side_is_a_warning_with_the_engine_too(value: int) -> None:
    pytest.importorskip("cv2")  # its own answer is a failed assertion
    image = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    grabcut = GrabCut(image, engine="opencv")
    with pytest.warns(UserWarning, match="pixel to learn from"):
        grabcut.fit(trimap=np.full((10, 12), value))
    assert (grabcut.mask == value % 2).all()
    with pytest.warns(UserWarning, match="pixel to learn from"):
        grabcut.refine()


@pytest.mark.filterwarnings("ignore:GrabCut has no:UserWarning")
def test_a_foreground_that_vanishes_on_the_way_stops_the_engine() -> None:
    pytest.importorskip("cv2")
    vanished = 0
    for seed in range(20):
        image = np.random.default_rng(seed).integers(90, 110, (20, 24, 3), np.uint8)
        grabcut = GrabCut(image, engine="opencv").fit((9, 8, 4, 4))
        vanished += not grabcut.mask.any()
    assert vanished


def test_a_missing_opencv_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    image, rect, _ = halved("coffee")
    for call in (
        lambda: GrabCut(image, engine="opencv"),
        lambda: segment(image, rect, engine="opencv"),
    ):
        with pytest.raises(ImportError, match=r"needs OpenCV: pip install"):
            call()
    GrabCut(image[::4, ::4], max_iter=1).fit((5, 5, 30, 30))  # ours does not need it


@pytest.mark.parametrize("settings", [{"gamma": 10}, {"n_components": 3}])
def test_settings_that_opencv_has_built_in(settings: dict[str, Any]) -> None:
    pytest.importorskip("cv2")
    with pytest.raises(ValueError, match=r"n_components=5 and gamma=50"):
        GrabCut(np.zeros((5, 5), np.uint8), engine="opencv", **settings)


@pytest.mark.parametrize("name", ["coffee", "chelsea"])
def test_ours_reaches_opencvs_energy(name: str) -> None:
    """Under the same measure: ours, with the best mixtures of each mask."""
    pytest.importorskip("cv2")
    image, rect, _ = halved(name)
    theirs = segment(image, rect, max_iter=5, engine="opencv")
    ours = GrabCut(image, max_iter=5).fit(rect)
    # One round from a mask gives its energy or less.
    measured = GrabCut(image, max_iter=1).fit(mask=theirs)
    assert ours.energies[-1] <= measured.energies[-1] * 1.05

"""GrabCut: energies that fall, starts, trimaps, strokes, odd pictures."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reference import maxflow as reference

from classicseg import io, samples
from classicseg.grabcut import GMM, GrabCut, segment
from classicseg.graphcut import GridGraph, contrast_weights


def scene(rng: np.random.Generator, colour: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """A noisy disc on a noisy background of three stripes, uint8; and the disc."""
    y, x = np.mgrid[:60, :80]
    disc = (y - 30) ** 2 + (x - 42) ** 2 < 15**2
    image = np.select(
        [disc[..., None], (x < 30)[..., None], (x < 60)[..., None]],
        [(210, 130, 50), (40, 90, 140), (60, 120, 60)],
        (90, 60, 120),
    )
    image = (image + rng.normal(0, 15, image.shape)).clip(0, 255).round().astype(np.uint8)
    return (image if colour else image[..., 0]), disc


RECT = (20, 10, 45, 42)


def doubles(image: np.ndarray, gamma: float = 50) -> reference.Weights:
    return {o: w.astype(float) for o, w in contrast_weights(image, gamma).items()}


def energy_of(grabcut: GrabCut, image: np.ndarray) -> float:
    """The paper's energy of the present mask and mixtures."""
    assert grabcut.background_gmm is not None and grabcut.foreground_gmm is not None
    background = grabcut.background_gmm.energies(image).astype(float)
    foreground = grabcut.foreground_gmm.energies(image).astype(float)
    weights = doubles(image, grabcut.gamma)
    return float(reference.cut_cost(background, foreground, weights, grabcut.mask))


def assert_never_rises(grabcut: GrabCut, image: np.ndarray) -> None:
    """Within the documented bound."""
    height, width = image.shape[:2]
    weights = contrast_weights(image, grabcut.gamma)
    around = 4 * sum(float(w.max()) for w in weights.values())  # at a pixel, in and out
    of_pixels = 0.0
    for gmm, side in (
        (grabcut.background_gmm, ~grabcut.mask),
        (grabcut.foreground_gmm, grabcut.mask),
    ):
        if gmm is not None:
            of_pixels += np.abs(gmm.energies(image)[side]).sum(dtype=float)
    bound = 2.0**-26 * around * 5 * height * width + 1e-7 * of_pixels
    rises = np.diff(grabcut.energies)
    assert (rises <= bound).all(), f"{rises.max()} > {bound}"
    assert bound < 1e-4 * max(1, abs(grabcut.energies[-1]))  # or the test says nothing


@pytest.mark.parametrize("name", samples.names())
def test_energies_of_samples_never_rise(name: str) -> None:
    sample = samples.load(name)
    for start in ({"rect": sample.rect}, {"scribbles": sample.scribbles}):
        grabcut = GrabCut(sample.image, max_iter=6).fit(**start)
        assert 1 <= len(grabcut.energies) <= 6
        assert_never_rises(grabcut, sample.image)
        assert grabcut.energies[-1] == pytest.approx(energy_of(grabcut, sample.image), rel=1e-5)


def test_energies_of_the_grabcut_images_never_rise(shared_data: Path) -> None:
    files = sorted((shared_data / "grabcut50" / "images").iterdir())
    assert files
    for file in files:
        image = io.read_image(file)
        height, width = image.shape[:2]
        rect = (width // 8, height // 8, width * 3 // 4, height * 3 // 4)
        grabcut = GrabCut(image, max_iter=4).fit(rect)
        assert_never_rises(grabcut, image)


def test_energies_fall_to_a_fixed_point(rng: np.random.Generator) -> None:
    for seed in range(6):
        image = rng.integers(0, 256, (30, 40, 3), np.uint8)
        image[5:20, 8:30, 0] //= 3
        grabcut = GrabCut(image, gamma=seed % 3, rng=seed).fit(rect=(4, 3, 30, 20))
        assert grabcut.converged and grabcut.mask.any()
        assert_never_rises(grabcut, image)
        assert len(grabcut.energies) > 2
        assert grabcut.energies[-1] == pytest.approx(energy_of(grabcut, image), rel=1e-5)


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("start", ["rect", "trimap", "mask", "scribbles"])
def test_the_disc_is_found_from_every_start(
    start: str, colour: bool, rng: np.random.Generator
) -> None:
    image, disc = scene(rng, colour)
    trimap = np.where(disc, 3, 2)
    trimap[:5], trimap[28:32, 40:44] = 0, 1
    scribbles = np.zeros(disc.shape, int)
    scribbles[3:50:10, 3:77], scribbles[25:35, 40:44] = 1, 2
    scribbles[disc & (scribbles == 1)] = 0
    rough = np.roll(disc, 3, axis=1)
    given = {"rect": RECT, "trimap": trimap, "mask": rough, "scribbles": scribbles}[start]
    grabcut = GrabCut(image).fit(**{start: given})
    wrong = (grabcut.mask != disc).mean()
    assert wrong < 0.01
    assert_never_rises(grabcut, image)
    np.testing.assert_array_equal(grabcut.mask, segment(image, **{start: given}))
    np.testing.assert_array_equal(grabcut.mask, grabcut.trimap & 1)


def test_runs_are_reproducible_to_the_byte(rng: np.random.Generator) -> None:
    sample = samples.load("coffee")
    image, (x, y, w, h) = sample.image[::2, ::2], sample.rect
    rect = (x // 2, y // 2, w // 2, h // 2)

    def run(**settings: Any) -> tuple[bytes, tuple[float, ...], bytes]:
        grabcut = GrabCut(image, max_iter=4, **settings).fit(rect)
        assert grabcut.trimap is not None and grabcut.foreground_gmm is not None
        models = grabcut.foreground_gmm.covariances.tobytes()
        return grabcut.trimap.tobytes(), grabcut.energies, models

    first = run(rng=7, n_threads=1)
    assert run(rng=7, n_threads=1) == first
    assert run(rng=7, n_threads=2) == first
    assert run(rng=7, n_threads=3) == first
    assert run(rng=np.random.default_rng(7)) == first
    assert run(rng=8)[1] != first[1]


def test_hard_labels_never_change(rng: np.random.Generator) -> None:
    for _ in range(30):
        shape = tuple(int(n) for n in rng.integers(2, 40, 2))
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        trimap = rng.integers(0, 4, shape)
        trimap[0, 0], trimap[-1, -1] = 2, 3
        grabcut = GrabCut(image, max_iter=3, gamma=float(rng.choice([0, 50, 5000])))
        grabcut.fit(trimap=trimap)
        assert grabcut.trimap is not None and grabcut.trimap.dtype == np.uint8
        hard = trimap < 2
        np.testing.assert_array_equal(grabcut.trimap[hard], trimap[hard])
        assert (grabcut.trimap[~hard] >= 2).all()
        np.testing.assert_array_equal(grabcut.mask, grabcut.trimap & 1)


def test_outside_the_rectangle_is_background(rng: np.random.Generator) -> None:
    image, _ = scene(rng)
    image[:5] = image[25:30, 40:41]  # foreground's colour
    grabcut = GrabCut(image).fit(RECT)
    x, y, w, h = RECT
    outside = np.ones(image.shape[:2], bool)
    outside[y : y + h, x : x + w] = False
    assert grabcut.trimap is not None
    assert (grabcut.trimap[outside] == 0).all()
    assert (grabcut.trimap[~outside] >= 2).all()
    # A rectangle that reaches out of the image is clipped.
    clipped = GrabCut(image).fit((-10, 10, 75, 42)).mask
    np.testing.assert_array_equal(clipped, GrabCut(image).fit((0, 10, 65, 42)).mask)


def cold_cut(grabcut: GrabCut, image: np.ndarray) -> np.ndarray:
    """The exact cut with the present mixtures, put together from the public parts."""
    assert grabcut.trimap is not None
    assert grabcut.background_gmm is not None and grabcut.foreground_gmm is not None
    background = grabcut.background_gmm.energies(image).astype(float)
    foreground = grabcut.foreground_gmm.energies(image).astype(float)
    least = np.minimum(background, foreground)
    source, sink = background - least, foreground - least
    source[grabcut.trimap == 1], sink[grabcut.trimap == 1] = np.inf, 0
    source[grabcut.trimap == 0], sink[grabcut.trimap == 0] = 0, np.inf
    graph = GridGraph(image.shape[:2])
    graph.set_terminals(source, sink)
    graph.set_edges(doubles(image, grabcut.gamma))
    return graph.solve().mask


@pytest.mark.parametrize("start", ["rect", "trimap", "mask"])
def test_stroke_and_refine_equal_a_cold_cut(start: str, rng: np.random.Generator) -> None:
    image, disc = scene(rng)
    image = (image + rng.normal(0, 60, image.shape)).clip(0, 255).astype(np.uint8)
    trimap = np.where(disc, 3, 0)
    trimap[25:30, 40:45] = 1
    given = {"rect": RECT, "trimap": trimap, "mask": disc}[start]
    grabcut = GrabCut(image, gamma=10, max_iter=2).fit(**{start: given})
    models = (grabcut.background_gmm, grabcut.foreground_gmm)
    strokes = [
        ([(2, 2), (30, 5)], 2.5, 1),  # foreground where all was background
        ([(40, 30), (46, 33)], 3, 0),  # background in the middle of the disc
        ([(2, 2)], 6, 3),  # hard foreground becomes open
        ([(70, 55), (75, 20), (60, 40)], 4, 2),
        ([(42, 28)], 1, 1),
    ]
    changes = 0
    for points, radius, label in strokes:
        before = grabcut.mask.copy()
        grabcut.stroke(points, radius, label)
        grabcut.refine()
        assert (grabcut.background_gmm, grabcut.foreground_gmm) == models
        np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))
        assert grabcut.energies[-1] == pytest.approx(energy_of(grabcut, image), rel=1e-5)
        changes += int((grabcut.mask != before).sum())
    assert changes > 50
    grabcut.fit()
    assert grabcut.trimap is not None
    assert not grabcut.mask[30, 40] and grabcut.trimap[30, 40] == 0


def test_a_stroke_paints_a_round_brush() -> None:
    image = np.zeros((20, 30), np.uint8)
    image[5:15, 10:20] = 200
    y, x = np.mgrid[:20, :30]
    grabcut = GrabCut(image).fit(rect=(5, 2, 20, 16))
    before = grabcut.trimap
    assert before is not None
    grabcut.stroke([(7.0, 4.0), (7.0, 12.0)], 2, 1)
    assert grabcut.trimap is not None
    distance = np.hypot(x - 7, y - np.clip(y, 4, 12))
    np.testing.assert_array_equal(grabcut.trimap == 1, distance <= 2)
    unpainted = distance > 2
    np.testing.assert_array_equal(grabcut.trimap[unpainted], before[unpainted])
    grabcut.stroke([(-3, 19)], 5, 0)  # a dot, half outside
    np.testing.assert_array_equal(
        (grabcut.trimap == 0) & (before != 0) & (x < 5), np.zeros_like(image, bool)
    )
    assert (grabcut.trimap[np.hypot(x + 3, y - 19) <= 5] == 0).all()
    untouched = grabcut.trimap.copy()
    for far in ([(1e9, 1e9)], [(-50, -50), (-50, 90)], [(29, -40)]):
        grabcut.stroke(far, 3, 1)
        np.testing.assert_array_equal(grabcut.trimap, untouched)
    grabcut.stroke([(-1e6, 10), (1e6, 10)], 0.5, 1)  # right across
    assert (grabcut.trimap[10] == 1).all() and (grabcut.trimap == 1).sum() > 30
    grabcut.refine()
    assert grabcut.mask[10].all()


def test_an_empty_or_full_foreground_is_a_warning_and_an_answer(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (12, 15, 3), np.uint8)
    nothing, everything = np.zeros((12, 15), bool), np.ones((12, 15), bool)
    for mask, missing in ((nothing, "foreground"), (everything, "background")):
        for start in ({"mask": mask}, {"trimap": mask.astype(int)}):
            grabcut = GrabCut(image)
            with pytest.warns(UserWarning, match=f"no {missing} pixel to learn from"):
                grabcut.fit(**start)
            np.testing.assert_array_equal(grabcut.mask, mask)
            assert grabcut.energies == ()
            assert grabcut.background_gmm is None and grabcut.foreground_gmm is None
            with pytest.warns(UserWarning, match=f"no {missing}"):
                grabcut.refine()
            # A stroke brings the missing side, and the work can begin.
            grabcut.stroke([(7, 6)], 3, 0 if mask.all() else 1)
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                grabcut.refine()
            assert len(grabcut.energies) == 1
            assert grabcut.mask[6, 7] != mask[6, 7]
    with pytest.warns(UserWarning, match="no background"):
        assert segment(image, rect=(0, 0, 15, 12)).all()


@pytest.mark.filterwarnings("ignore:GrabCut has no:UserWarning")
def test_odd_pictures(rng: np.random.Generator) -> None:
    """Flat, two colours, tiny, long: an answer, with hard labels respected."""
    for shape in [(1, 1), (1, 2), (2, 1), (1, 50), (50, 1), (3, 3), (20, 30)]:
        pictures = [
            np.zeros((*shape, 3), np.uint8),
            np.full(shape, 255, np.uint8),
            np.where(np.arange(shape[1]) < shape[1] // 2, np.uint8(10), np.uint8(200))
            * np.ones(shape, np.uint8),
            rng.integers(0, 256, (*shape, 3), np.uint8),
        ]
        for image in pictures:
            h, w = shape
            for rect in [
                (0, 0, 1, 1),
                (w - 1, h - 1, 1, 1),
                (0, 0, w, h),
                (0, 0, w, max(1, h - 1)),
            ]:
                grabcut = GrabCut(image).fit(rect)
                x, y, width, height = rect
                outside = np.ones(shape, bool)
                outside[y : y + height, x : x + width] = False
                assert not grabcut.mask[outside].any()
                assert np.isfinite(grabcut.energies).all()
            one = np.zeros(shape, int)
            one[0, 0] = 1
            assert GrabCut(image).fit(trimap=one).mask.tolist() == one.astype(bool).tolist()
            if one.size > 1:
                grabcut = GrabCut(image).fit(trimap=np.where(one == 1, 1, 2))
                assert grabcut.mask[0, 0]
                assert_never_rises(grabcut, image)


def test_two_flat_colours_are_separated() -> None:
    image = np.full((20, 30, 3), 40, np.uint8)
    image[5:15, 10:20] = (200, 120, 50)
    grabcut = GrabCut(image).fit((6, 2, 18, 16))
    np.testing.assert_array_equal(grabcut.mask, image[..., 0] == 200)
    for gmm in (grabcut.background_gmm, grabcut.foreground_gmm):
        assert isinstance(gmm, GMM) and gmm.means.shape == (1, 3)
    assert grabcut.converged


def test_max_iter_counts_rounds_and_fit_goes_on(rng: np.random.Generator) -> None:
    sample = samples.load("astronaut")
    image, (x, y, w, h) = sample.image[::3, ::3], sample.rect
    rect = (x // 3, y // 3, w // 3, h // 3)
    whole = GrabCut(image, max_iter=4).fit(rect)
    assert len(whole.energies) == 4 and not whole.converged
    steps = GrabCut(image, max_iter=1).fit(rect)
    for _ in range(3):
        steps.fit()
    assert steps.energies == whole.energies
    np.testing.assert_array_equal(steps.mask, whole.mask)
    # A new start forgets.
    steps.fit(rect=(5, 5, 40, 40))
    assert len(steps.energies) == 1
    settled = GrabCut(image).fit(rect)
    assert settled.converged and len(settled.energies) > 4
    assert settled.energies[:4] == whole.energies


@pytest.mark.filterwarnings("ignore:GrabCut has no foreground:UserWarning")
def test_gamma_makes_boundaries_short(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (40, 40, 3), np.uint8)
    image[10:30, 10:30, 0] //= 2
    lengths = []
    for gamma in (0, 500):
        mask = GrabCut(image, gamma=gamma, max_iter=3).fit((5, 5, 30, 30)).mask
        lengths.append(int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()))
    assert lengths[0] > 3 * lengths[1]


def test_nothing_is_written_into_what_was_given(rng: np.random.Generator) -> None:
    image, disc = scene(rng)
    trimap = np.where(disc, 3, 2).astype(np.uint8)
    before = image.copy(), trimap.copy()
    image.flags.writeable = trimap.flags.writeable = False
    grabcut = GrabCut(image).fit(trimap=trimap)
    grabcut.stroke([(3, 3)], 2, 1).refine()
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(trimap, before[1])
    image.flags.writeable = trimap.flags.writeable = True
    grabcut = GrabCut(image).fit(trimap=trimap)
    mask = grabcut.mask
    image[:], trimap[:] = 0, 0
    np.testing.assert_array_equal(grabcut.refine().mask, mask)


def test_the_image_may_have_any_depth(rng: np.random.Generator) -> None:
    image, _ = scene(rng)
    mask = segment(image, RECT)
    for other in (image / 255, image.astype(np.uint16) * 257, np.asfortranarray(image)):
        np.testing.assert_array_equal(segment(other, RECT), mask)
    np.testing.assert_array_equal(segment(image * 1.0, RECT, data_range=(0, 255)), mask)

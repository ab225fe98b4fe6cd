"""Scribbles and any evidence to a mask by one cut."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from reference import maxflow as reference
from scipy.ndimage import gaussian_filter

from classicseg import samples
from classicseg._gmm import fit_gmm
from classicseg.graphcut import contrast_weights, cut_unary, segment


def two_regions(
    rng: np.random.Generator, colour: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A disc of one noisy colour on another, uint8; strokes on both; the disc."""
    y, x = np.mgrid[:60, :80]
    disc = (y - 28) ** 2 + (x - 45) ** 2 < 18**2
    image = np.where(disc[..., None], (200, 120, 60), (50, 90, 140)).astype(float)
    image = (image + rng.normal(0, 12, image.shape)).clip(0, 255).round().astype(np.uint8)
    seeds = np.zeros(disc.shape, int)
    seeds[5, 5:70], seeds[26:30, 40:50] = 1, 2
    return (image if colour else image[..., 0]), seeds, disc


def energy_of(
    image: np.ndarray, seeds: np.ndarray, mask: np.ndarray, gamma: float, connectivity: int
) -> float:
    """The energy of Boykov & Jolly, put together from the public parts."""
    rng = np.random.default_rng(0)
    channels = image.reshape(*image.shape[:2], -1)
    background, foreground = (
        fit_gmm(channels[seeds == value], 5, rng).energies(image).astype(float) for value in (1, 2)
    )
    weights = contrast_weights(image, gamma, connectivity=connectivity)
    doubles = {o: w.astype(float) for o, w in weights.items()}
    assert not mask[seeds == 1].any() and mask[seeds == 2].all()
    free = seeds == 0
    return float(
        reference.cut_cost(
            np.where(free, background, 0), np.where(free, foreground, 0), doubles, mask
        )
    )


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_a_disc_is_found(colour: bool, connectivity: int, rng: np.random.Generator) -> None:
    image, seeds, disc = two_regions(rng, colour)
    mask = segment(image, seeds, connectivity=connectivity)
    assert mask.shape == disc.shape and mask.dtype == bool
    np.testing.assert_array_equal(mask, disc)


def test_no_smoothness_leaves_the_colour_models_alone(rng: np.random.Generator) -> None:
    image, seeds, _ = two_regions(rng)
    generator = np.random.default_rng(0)
    background, foreground = (
        fit_gmm(image[seeds == value], 5, generator).energies(image) for value in (1, 2)
    )
    expected = np.where(seeds == 0, foreground < background, seeds == 2)
    np.testing.assert_array_equal(segment(image, seeds, gamma=0), expected)


def test_strong_smoothness_makes_the_boundary_shorter(rng: np.random.Generator) -> None:
    image, seeds, _ = two_regions(rng)
    noisy = (image + rng.normal(0, 60, image.shape)).clip(0, 255).astype(np.uint8)
    lengths = []
    for gamma in (0.0, 5.0, 500.0):
        mask = segment(noisy, seeds, gamma=gamma, beta=0)
        lengths.append(int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum()))
    assert lengths[0] > 2 * lengths[1] > 2 * lengths[2] > 0


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("colour", [True, False])
def test_pymaxflow_finds_the_same_energy(
    colour: bool, connectivity: int, rng: np.random.Generator
) -> None:
    pytest.importorskip("maxflow")
    image, seeds, _ = two_regions(rng, colour)
    image = (image + rng.normal(0, 50, image.shape)).clip(0, 255).astype(np.uint8)
    for gamma in (2.0, 50.0):
        energies = [
            energy_of(
                image,
                seeds,
                segment(image, seeds, gamma=gamma, connectivity=connectivity, engine=engine),
                gamma,
                connectivity,
            )
            for engine in ("native", "pymaxflow")
        ]
        assert energies[0] == pytest.approx(energies[1], rel=1e-6)


@pytest.mark.parametrize("name", ["coffee", "coins"])
def test_a_photograph(name: str) -> None:
    pytest.importorskip("maxflow")
    sample = samples.load(name)
    image = sample.image[::2, ::2]
    seeds = sample.scribbles[::2, ::2]
    masks = [segment(image, seeds, engine=engine) for engine in ("native", "pymaxflow")]
    ours, theirs = (energy_of(image, seeds, mask, 50, 8) for mask in masks)
    assert ours == pytest.approx(theirs, rel=1e-6)
    np.testing.assert_array_equal(masks[0], segment(image, seeds, n_threads=1))
    np.testing.assert_array_equal(masks[0], segment(image, seeds, n_threads=3))


@pytest.mark.parametrize("colour", [True, False])
def test_the_image_may_have_any_depth(colour: bool, rng: np.random.Generator) -> None:
    image, seeds, _ = two_regions(rng, colour)
    mask = segment(image, seeds, gamma=5)
    same: list[tuple[np.ndarray, dict[str, Any]]] = [
        (image / 255, {}),
        ((image / 255).astype(np.float32), {}),
        (image.astype(np.uint16) * 257, {}),
        (image.astype(">u2") * 257, {}),
        (np.asfortranarray(image), {}),
        (image.astype(int) - 100, {"data_range": (-100, 155)}),
    ]
    for other, settings in same:
        np.testing.assert_array_equal(segment(other, seeds, gamma=5, **settings), mask)


def test_swapped_seeds_swap_the_mask(rng: np.random.Generator) -> None:
    image, seeds, _ = two_regions(rng)
    image = (image + rng.normal(0, 50, image.shape)).clip(0, 255).astype(np.uint8)
    # One component: which side's k-means comes first does not matter.
    mask = segment(image, seeds, n_components=1, gamma=10)
    swapped = segment(image, np.where(seeds > 0, 3 - seeds, 0), n_components=1, gamma=10)
    np.testing.assert_array_equal(swapped, ~mask)


def test_the_same_seed_gives_the_same_mask(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (40, 50, 3), np.uint8)
    seeds = rng.integers(0, 3, (40, 50))
    masks = [segment(image, seeds, rng=s, gamma=1) for s in (3, 3, np.random.default_rng(3), 4)]
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])
    assert (masks[0] != masks[3]).any()


def test_seeds_win_over_everything(rng: np.random.Generator) -> None:
    """Whatever image, evidence and smoothness say, what was marked stays as marked."""
    for _ in range(60):
        shape = tuple(int(n) for n in rng.integers(1, 30, 2))
        image = rng.integers(0, 256, (*shape, 3), np.uint8)
        seeds = rng.integers(0, 3, shape) * (rng.random(shape) < rng.choice([0.05, 1]))
        unary = (1e4 * rng.normal(size=(*shape, 2))).astype(np.float32)
        gamma = float(rng.choice([0, 1, 1e6]))
        masks = [cut_unary(unary, image, seeds=seeds, gamma=gamma)]
        if {1, 2} <= set(np.unique(seeds)):
            masks.append(segment(image, seeds, gamma=gamma))
        if "maxflow" in sys.modules:
            masks.append(cut_unary(unary, image, seeds=seeds, gamma=gamma, engine="pymaxflow"))
        for mask in masks:
            assert mask[seeds == 2].all() and not mask[seeds == 1].any()


def test_cut_unary_minimises_its_energy(rng: np.random.Generator) -> None:
    pytest.importorskip("maxflow")
    for shape in [(1, 1), (1, 9), (30, 40), (90, 80)]:
        image = gaussian_filter(rng.random(shape), 1) if min(shape) > 1 else rng.random(shape)
        unary = (5 * rng.normal(size=(*shape, 2))).astype(np.float32)
        for connectivity in (4, 8):
            for beta in (None, 0.0, 0.01):
                mask = cut_unary(unary, image, gamma=3, beta=beta, connectivity=connectivity)
                weights = contrast_weights(image, 3, beta, connectivity)
                least = unary.min()  # PyMaxflow takes no negative capacities
                problem = (
                    (unary[..., 0] - least).astype(float),
                    (unary[..., 1] - least).astype(float),
                    {o: w.astype(float) for o, w in weights.items()},
                )
                flow, _ = reference.pymaxflow(*problem)
                assert reference.cut_cost(*problem, mask) == pytest.approx(flow, rel=1e-6)


def test_cut_unary_of_ties_is_background() -> None:
    image = np.full((4, 5), 0.5)
    assert not cut_unary(np.zeros((4, 5, 2)), image).any()
    assert not cut_unary(np.full((4, 5, 2), -7.5), image).any()


def test_cut_unary_swapped_labels_swap_the_mask(rng: np.random.Generator) -> None:
    image = rng.random((40, 30, 3))
    unary = rng.normal(size=(40, 30, 2)).astype(np.float32) * 20
    np.testing.assert_array_equal(
        cut_unary(unary, image, gamma=7), ~cut_unary(unary[..., ::-1], image, gamma=7)
    )


@pytest.mark.filterwarnings("error")
def test_cut_unary_takes_huge_energies() -> None:
    unary = np.zeros((1, 3, 2), np.float32)
    unary[0, 0] = [3e38, -3e38]
    unary[0, 2] = [-3e38, 3e38]
    mask = cut_unary(unary, np.zeros((1, 3), np.uint8))
    assert mask[0, 0] and not mask[0, 2]


@pytest.mark.parametrize("call", [segment, cut_unary])
def test_a_missing_engine_says_what_to_install(
    call: Any, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    image, seeds, _ = two_regions(rng)
    monkeypatch.setitem(sys.modules, "maxflow", None)
    given = (image, seeds) if call is segment else (np.zeros((60, 80, 2)), image)
    with pytest.raises(ImportError, match=r"needs PyMaxflow.*pip install 'classicseg\[peers\]'"):
        call(*given, engine="pymaxflow")
    call(*given)  # ours does not need it


IMAGE = np.zeros((4, 5, 3), np.uint8)
SEEDS = np.array([[1, 2, 0, 0, 0]] * 4)
UNARY = np.zeros((4, 5, 2))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"image": IMAGE.astype(float) - 1}, "image"),
        ({"image": np.full((4, 5), np.nan)}, "image"),
        ({"image": IMAGE.astype(object)}, "image"),
        ({"image": np.zeros((4, 5, 2), np.uint8)}, "image"),
        ({"image": np.zeros((0, 5), np.uint8)}, "image"),
        ({"seeds": SEEDS.T}, "seeds"),
        ({"seeds": SEEDS + 1}, "seeds"),
        ({"seeds": SEEDS - 1}, "seeds"),
        ({"seeds": SEEDS.astype(float)}, "seeds"),
        ({"seeds": "strokes"}, "seeds"),
        ({"gamma": -1}, "gamma"),
        ({"gamma": np.inf}, "gamma"),
        ({"gamma": None}, "gamma"),
        ({"beta": -1}, "beta"),
        ({"beta": np.nan}, "beta"),
        ({"connectivity": 6}, "connectivity"),
        ({"data_range": (0, 0)}, "data_range"),
        ({"engine": "boost"}, "engine"),
        ({"engine": None}, "engine"),
        ({"n_threads": 0}, "n_threads"),
    ],
)
def test_bad_arguments_are_named(given: dict[str, Any], name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        segment(**({"image": IMAGE, "seeds": SEEDS} | given))
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        cut_unary(**({"image": IMAGE, "seeds": SEEDS, "unary": UNARY} | given))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"seeds": np.minimum(SEEDS, 1)}, "seeds has no foreground"),
        ({"seeds": SEEDS // 2 * 2}, "seeds has no background"),
        ({"seeds": SEEDS * 0}, "seeds has no background"),
        ({"seeds": None}, "seeds"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 256}, "n_components"),
        ({"n_components": 2.0}, "n_components"),
    ],
)
def test_bad_arguments_of_segment(given: dict[str, Any], name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        segment(**({"image": IMAGE, "seeds": SEEDS} | given))


@pytest.mark.parametrize(
    "unary",
    [
        np.zeros((4, 5)),
        np.zeros((4, 5, 1)),
        np.zeros((4, 5, 3)),
        np.zeros((5, 4, 2)),
        np.full((4, 5, 2), np.nan),
        np.full((4, 5, 2), np.inf),
        np.full((4, 5, 2), 1e300),
        UNARY.astype(complex),
        UNARY.astype(bool),
        None,
    ],
)
def test_bad_evidence_is_named(unary: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^unary "):
        cut_unary(unary, IMAGE)


def test_nothing_is_written_into_what_was_given(rng: np.random.Generator) -> None:
    image, seeds, _ = two_regions(rng)
    unary = rng.normal(size=(60, 80, 2)).astype(np.float32)
    given = (image, seeds, unary)
    before = [a.copy() for a in given]
    for array in given:
        array.flags.writeable = False
    segment(image, seeds)
    cut_unary(unary, image, seeds=seeds)
    for array, then in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, then)

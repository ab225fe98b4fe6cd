"""Robust background and geodesic saliency: each step against its twin, and on simple pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from reference import background as reference
from scipy.spatial.distance import cdist
from skimage import color

from classicseg import io, saliency
from classicseg.saliency import _regions, background
from classicseg.saliency._regions import RegionGraph
from classicseg.saliency.metrics import mae, max_f

SIDE = 5
METHODS = (saliency.robust_background, saliency.geodesic)


def grid_graph(rng: np.random.Generator, spread: float = 15.0) -> RegionGraph:
    """A region for each cell of a grid, of random colours."""
    places = np.stack(np.indices((SIDE, SIDE)), axis=2).reshape(-1, 2)
    labels = np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)
    colors = rng.normal(50, spread, (SIDE * SIDE, 3))
    rim = ((places == 0) | (places == SIDE - 1)).any(axis=1)
    touching = cdist(places, places) == 1
    return RegionGraph(labels, cdist(colors, colors), cdist(places, places) / SIDE, rim, touching)


def chain(lightness: list[float], rim: list[int]) -> RegionGraph:
    """Regions in a row, each with its lightness."""
    n = len(lightness)
    values = np.array(lightness, float)[:, np.newaxis]
    index = np.arange(n)[:, np.newaxis]
    touching = np.abs(index - index.T) == 1
    at_rim = np.isin(np.arange(n), rim)
    return RegionGraph(
        np.arange(n, dtype=np.int32)[np.newaxis],
        np.abs(values - values.T),
        np.abs(index - index.T) / n,
        at_rim,
        touching,
    )


def picture() -> NDArray[np.uint8]:
    image = np.full((120, 160, 3), (40, 90, 40), np.uint8)
    image[40:80, 60:110] = (200, 30, 30)
    return image


@pytest.mark.parametrize("seed", range(5))
def test_each_step_is_its_twin(seed: int) -> None:
    graph = grid_graph(np.random.default_rng(seed))
    lengths = _regions.steps(graph)
    np.testing.assert_allclose(lengths, reference.steps(graph.distances, graph.touching))
    paths = _regions.shortest_paths(lengths, graph.touching)
    np.testing.assert_allclose(paths, reference.shortest_paths(lengths, graph.touching))

    linked = graph.touching | np.outer(graph.rim, graph.rim)
    connectivity = background.boundary_connectivity(graph)
    expected = reference.boundary_connectivity(reference.shortest_paths(lengths, linked), graph.rim)
    np.testing.assert_allclose(connectivity, expected)

    likely = background.background_probability(connectivity)
    np.testing.assert_allclose(likely, 1 - np.exp(-(expected**2) / 2))
    found = background.background_contrast(graph, likely)
    contrast = reference.background_contrast(graph.distances, graph.offsets, likely)
    scaled = (contrast - contrast.min()) / np.ptp(contrast)
    kept = found > 0
    np.testing.assert_allclose(found[kept], scaled[kept], atol=1e-6)
    assert 0 < kept.sum() < len(found)
    assert scaled[kept].min() > scaled[~kept].max()  # a threshold, and the rest is 0


@pytest.mark.parametrize("seed", range(5))
def test_the_optimum_has_the_least_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = grid_graph(rng)
    connectivity, foreground = rng.uniform(0, 4, 25), rng.uniform(0, 1, 25)
    values = background.optimised(graph, connectivity, foreground)
    likely = 1 - np.exp(-(connectivity**2) / 2)
    weights = np.where(connectivity > 3, 1000, 5 * likely)  # beyond doubt: held at 0
    assert (connectivity > 3).any()

    def cost(v: NDArray[np.float64]) -> float:
        return reference.cost(v, weights, foreground, graph.distances, graph.touching, graph.rim)

    least = cost(values)
    for i in range(25):
        for step in (-1e-3, 1e-3):
            moved = values.copy()
            moved[i] += step
            assert cost(moved) > least
    assert values.min() > 0 and values.max() < 1


def test_steps_take_the_texture_away_by_hand() -> None:
    """Smallest differences within two steps: 1, 1, 2, 6, 6; their mean is 3.2."""
    graph = chain([0, 1, 3, 10, 16], rim=[0])
    expected = np.maximum(graph.distances - 3.2, 0)
    np.testing.assert_allclose(_regions.steps(graph), expected)


def test_geodesic_distance_by_hand() -> None:
    """To the right there is a step of 40 to cross, to the left one of 10 and one of 30."""
    graph = chain([0, 0, 10, 10, 40, 40, 0, 0], rim=[0, 7])
    lengths = _regions.steps(graph)
    np.testing.assert_array_equal(lengths, graph.distances)  # each has its like next to it
    paths = _regions.shortest_paths(lengths, graph.touching)
    assert paths[:, graph.rim].min(axis=1).tolist() == [0, 0, 10, 10, 40, 40, 0, 0]
    assert paths[4, 0] == 40 and paths[3, 7] == 70


def test_boundary_connectivity_by_hand() -> None:
    """Two of four regions of the background lie at the rim, the object is two others."""
    graph = chain([0, 0, 80, 80, 0, 0], rim=[0, 5])
    connectivity = background.boundary_connectivity(graph)
    # The ends are linked along the rim, so that all of the background is one.
    np.testing.assert_allclose(connectivity[[0, 1, 4, 5]], 2 / np.sqrt(4), atol=1e-6)
    np.testing.assert_allclose(connectivity[[2, 3]], 0, atol=1e-6)


def test_the_graph_of_an_image() -> None:
    image = picture()
    graph = _regions.region_graph(image, 1)
    n = len(graph.rim)
    assert n == round(120 * 160 / 600)
    assert graph.labels.shape == (120, 160) and set(graph.labels.ravel()) == set(range(n))
    np.testing.assert_array_equal(graph.touching, graph.touching.T)
    lab = color.rgb2lab(image)
    for i in (0, n // 2, n - 1):
        inside = graph.labels == i
        y, x = np.nonzero(inside)
        assert graph.rim[i] == bool({0, 119} & set(y) or {0, 159} & set(x))
        mean = lab[inside].mean(axis=0)
        for j in (1, n // 3):
            other = graph.labels == j
            apart = np.linalg.norm(mean - lab[other].mean(axis=0))
            assert graph.distances[i, j] == pytest.approx(apart, abs=0.3)
            v, u = np.nonzero(other)
            between = np.hypot(y.mean() - v.mean(), x.mean() - u.mean()) / 160
            assert graph.offsets[i, j] == pytest.approx(between, abs=1e-5)
    grown = np.pad(graph.labels, 1, constant_values=-1)
    for i, j in ((0, 1), (3, 20)):
        here = grown == i
        sides = [np.roll(here, s, a) for s in (-1, 1) for a in (0, 1)]
        assert graph.touching[i, j] == any((grown[side] == j).any() for side in sides)


@pytest.mark.parametrize("method", METHODS)
def test_an_object_is_found_where_it_is(method: object) -> None:
    found = method(picture())  # type: ignore[operator]
    assert found[42:78, 62:108].min() > 0.9
    assert found[:35].max() < 0.1 and found[85:].max() < 0.1


def test_an_object_at_the_edge_is_one_all_the_same() -> None:
    """It lies on little of the rim: robust to that is what the method is named for."""
    image = np.full((120, 160, 3), (40, 90, 40), np.uint8)
    image[40:, 60:110] = (200, 30, 30)
    assert saliency.robust_background(image)[45:115, 65:105].min() > 0.9
    assert saliency.geodesic(image)[100:, 65:105].max() < 0.1


def test_background_that_an_object_parts_is_background() -> None:
    image = picture()
    image[:, 60:110] = (200, 30, 30)
    image[:, 110:] = (40, 90, 44)
    found = saliency.robust_background(image)
    assert found[:, :50].max() < 0.1 and found[:, 120:].max() < 0.1


@pytest.mark.parametrize("method", METHODS)
def test_threads_change_nothing(method: object, rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (301, 423, 3)).astype(np.uint8)
    expected = method(image, n_threads=1)  # type: ignore[operator]
    for n_threads in (2, 3, 8):
        np.testing.assert_array_equal(
            method(image, n_threads=n_threads),  # type: ignore[operator]
            expected,
        )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 60))
def test_maps_of_any_graph_are_finite(seed: int, spread: float) -> None:
    graph = grid_graph(np.random.default_rng(seed), spread)
    connectivity = background.boundary_connectivity(graph)
    assert (connectivity >= 0).all() and (connectivity <= SIDE * SIDE).all()
    foreground = background.background_contrast(
        graph, background.background_probability(connectivity)
    )
    values = background.optimised(graph, connectivity, foreground)
    assert values.min() >= -1e-9 and values.max() <= 1 + 1e-9


def test_both_find_salient_objects_in_photographs(shared_data: Path) -> None:
    """Twelve images; what the whole data set gives stands in the documentation."""
    folder = shared_data / "voc2012"
    scores = []
    for path in sorted((folder / "salient").iterdir())[::16]:
        truth = io.read_image(path)[..., 0] >= 128
        if truth.any():
            image = io.read_image(folder / "JPEGImages" / f"{path.stem}.jpg")
            maps = [method(image) for method in (*METHODS, saliency.centre_prior)]
            scores.append([(max_f(m, truth), -mae(m, truth)) for m in maps])
    *found, centre = np.mean(scores, axis=0)
    for values in found:
        assert (values > centre + 0.05).all()

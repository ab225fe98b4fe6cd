"""What the local CRF's solvers are given: special problems, and what makes no sense."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.segmentation import slic

from classicseg import graphcut, gridcrf, superpixels
from tests.reference import gridcrf as reference

SOLVERS = (gridcrf.icm, gridcrf.belief_propagation, gridcrf.trws)
UNARY = np.array([[[0, 2], [1, 0], [0, 2]]], np.float32)


@pytest.mark.parametrize("solve", SOLVERS)
def test_without_weights_every_node_has_its_best_label(solve, rng) -> None:
    unary = rng.normal(size=(5, 6, 4))
    for edges in ({}, {(0, 1): 0, (1, 1): 0}, {(0, 1): np.zeros((5, 6))}):
        result = solve(unary, edges)
        np.testing.assert_array_equal(result.labels, unary.argmin(-1))
        assert result.energy == pytest.approx(unary.min(-1).sum(), abs=1e-4)
        if result.lower_bounds is not None:
            assert result.lower_bounds[-1] == pytest.approx(result.energy, abs=1e-4)
    none = (np.zeros((0, 2), int), np.zeros(0))
    np.testing.assert_array_equal(solve(unary[0], none).labels, unary[0].argmin(-1))


@pytest.mark.parametrize("solve", [gridcrf.belief_propagation, gridcrf.trws])
@pytest.mark.parametrize("weight", [1e6, 1e20, 1e34])
def test_huge_weights_make_one_label(solve, weight, rng) -> None:
    unary = rng.random((6, 7, 3))
    unary[..., 1] -= 0.3
    result = solve(unary, {(0, 1): weight, (1, 0): weight}, max_iter=300)
    assert (result.labels == 1).all()
    assert np.isfinite(result.energies).all()
    assert result.energy == pytest.approx(unary[..., 1].sum(), abs=1e-3)


def test_huge_weights_leave_probabilities(rng) -> None:
    unary = rng.random((6, 7, 3)) * 100
    result = gridcrf.belief_propagation(unary, {(0, 1): 1e30, (1, 0): 1e-30}, marginals="sum")
    assert np.isfinite(result.marginals).all()
    np.testing.assert_allclose(result.marginals.sum(-1), 1, atol=1e-5)


def test_disconnected_parts_are_solved_each_for_itself(rng) -> None:
    unary = rng.normal(size=(8, 3)).astype(np.float32)
    pairs = np.array([[0, 3], [3, 5], [1, 2], [7, 6]])  # node 4 alone
    weights = rng.random(4)
    cost = np.where(np.eye(3, dtype=bool), 0, 1)
    optimum = min(e for _, e in reference.all_energies(unary, pairs, weights, cost))
    for solve in SOLVERS[1:]:
        assert solve(unary, (pairs, weights)).energy == pytest.approx(optimum, abs=1e-5)


def test_parallel_edges_add_up_and_loops_cost_one_node(rng) -> None:
    unary = rng.normal(size=(4, 3)).astype(np.float32)
    pairs = np.array([[0, 1], [1, 0], [1, 2], [2, 2], [3, 2], [0, 1], [2, 2]])
    weights = rng.random(7)
    for cost in (np.where(np.eye(3, dtype=bool), 0, 1), rng.normal(size=(3, 3))):
        energies = dict(reference.all_energies(unary, pairs, weights, cost.astype(np.float32)))
        for labels, value in energies.items():
            mine = gridcrf.energy(labels_of(labels), unary, (pairs, weights), label_cost=cost)
            assert mine == pytest.approx(value, abs=1e-5)
        for solve in SOLVERS[1:]:
            result = solve(unary, (pairs, weights), label_cost=cost)
            assert result.energy == pytest.approx(energies[tuple(result.labels)], abs=1e-5)
            assert result.energy == pytest.approx(min(energies.values()), abs=1e-5)


def labels_of(labels: tuple[int, ...]) -> np.ndarray:
    return np.array(labels, np.uint8)


def test_offsets_and_their_opposites_add_up(rng) -> None:
    unary, labels = rng.random((4, 5, 3)), rng.integers(3, size=(4, 5))
    for offset in ((0, 1), (1, 0), (1, 1), (1, -1)):
        one, two = rng.random((4, 5)), rng.random((4, 5))
        edges = {offset: one, (-offset[0], -offset[1]): two}
        pairs, weights = reference.grid_edges(edges, (4, 5))
        cost = np.where(np.eye(3, dtype=bool), 0, 0.7)
        wanted = reference.energy(labels.ravel(), unary.reshape(-1, 3), pairs, weights, cost)
        assert gridcrf.energy(labels, unary, edges, label_cost=0.7) == pytest.approx(wanted)


def test_other_dtypes_and_layouts_and_no_writing(rng) -> None:
    unary = rng.integers(0, 9, (6, 5, 4))
    weights = rng.integers(0, 3, (6, 5)).astype(np.float64)
    wanted = gridcrf.trws(unary, {(0, 1): weights})
    for array in (
        unary.astype(">f8"),
        np.asfortranarray(unary.astype(np.float16)),
        np.repeat(unary, 2, axis=2)[..., ::2],
    ):
        frozen = weights.astype(">f4")
        array.setflags(write=False)
        frozen.setflags(write=False)
        result = gridcrf.trws(array, {(0, 1): frozen})
        np.testing.assert_array_equal(result.labels, wanted.labels)
        assert result.energy == wanted.energy
    start = np.zeros((6, 5), np.int32)
    gridcrf.icm(unary, {(0, 1): weights}, labels=start)
    assert (start == 0).all()


@pytest.mark.parametrize("solve", SOLVERS)
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"unary": np.full((2, 2, 2), np.nan)}, ValueError, "unary"),
        ({"unary": np.zeros((0, 2, 2))}, ValueError, "unary"),
        ({"unary": np.zeros((2, 2))}, ValueError, "unary"),
        ({"unary": np.zeros(3)}, ValueError, "unary"),
        ({"unary": np.zeros((2, 2, 5000))}, ValueError, "5000 labels"),
        ({"unary": np.full((2, 2, 2), 1e37)}, ValueError, "add up"),
        ({"edges": {(0, 2): 1.0}}, ValueError, "offset"),
        ({"edges": {(0, 0): 1.0}}, ValueError, "offset"),
        ({"edges": {"east": 1.0}}, ValueError, "offset"),
        ({"edges": {(0, 1): np.ones((2, 2))}}, ValueError, "shape"),
        ({"edges": {(0, 1): -1.0}}, ValueError, "at least 0"),
        ({"edges": {(0, 1): np.nan}}, ValueError, "at least 0"),
        ({"edges": {(0, 1): np.inf}}, ValueError, "finite"),
        ({"edges": {(0, 1): 1e37}}, ValueError, "add up"),
        ({"edges": {(0, 1): "x"}}, TypeError, "dtype"),
        ({"edges": (np.array([[0, 1]]), 1.0)}, ValueError, "dict"),
        ({"edges": None}, ValueError, "dict"),
        ({"label_cost": -1.0}, ValueError, "label_cost"),
        ({"label_cost": np.nan}, ValueError, "label_cost"),
        ({"label_cost": np.ones((3, 3))}, ValueError, "label_cost"),
        ({"label_cost": np.full((2, 2), np.inf)}, ValueError, "label_cost"),
        ({"label_cost": "potts"}, TypeError, "label_cost"),
        ({"label_cost": [[0, 1], [2, 0]], "edges": {(0, -1): 1.0}}, ValueError, "symmetric"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"n_threads": 0}, ValueError, "n_threads"),
    ],
)
def test_what_makes_no_sense_is_named(solve, options, error, message) -> None:
    given = {"unary": UNARY, "edges": {(0, 1): 1.0}, **options}
    with pytest.raises(error, match=message):
        solve(**given)


@pytest.mark.parametrize(
    ("pairs", "weights", "error"),
    [
        (np.array([[0, 3]]), [1.0], ValueError),
        (np.array([[-1, 0]]), [1.0], ValueError),
        (np.array([0, 1]), [1.0], ValueError),
        (np.array([[0.0, 1.0]]), [1.0], TypeError),
        (np.array([[0, 1]]), [1.0, 2.0], ValueError),
        (np.array([[0, 1]]), [-1.0], ValueError),
    ],
)
def test_bad_graphs_are_named(pairs, weights, error) -> None:
    for solve in SOLVERS:
        with pytest.raises(error, match="edges"):
            solve(UNARY[0], (pairs, weights))


def test_labels_are_checked() -> None:
    for labels in ([[0, 1, 2]], [[0, -1, 0]], [[0, 1]]):
        with pytest.raises(ValueError, match="labels"):
            gridcrf.energy(np.array(labels), UNARY, {})
        with pytest.raises(ValueError, match="labels"):
            gridcrf.icm(UNARY, {}, labels=np.array(labels))
    with pytest.raises(ValueError, match="marginals"):
        gridcrf.belief_propagation(UNARY, {}, marginals="min")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="tol"):
        gridcrf.trws(UNARY, {}, tol=-1)
    with pytest.raises(ValueError, match="scale"):
        gridcrf.truncated_linear(3, -1, 2)


def test_two_labels_are_a_minimum_cut(rng) -> None:
    """Submodular binary energies: the bound is tight and the cut's energy is reached."""
    unary = rng.normal(size=(20, 30, 2)).astype(np.float32)
    weights = graphcut.contrast_weights(rng.integers(0, 256, (20, 30), np.uint8), gamma=0.8)
    graph = graphcut.GridGraph((20, 30))
    graph.set_terminals(unary[..., 0] - unary.min(-1), unary[..., 1] - unary.min(-1))
    graph.set_edges(weights)
    optimum = graph.solve().flow + unary.min(-1).sum(dtype=np.float64)
    result = gridcrf.trws(unary, weights, max_iter=500, tol=1e-7)
    assert result.lower_bounds[-1] <= optimum + 1e-3
    assert result.lower_bounds[-1] == pytest.approx(optimum, abs=0.05)
    assert optimum - 1e-3 <= result.energy <= optimum + 0.05


def test_superpixels_are_nodes_like_pixels() -> None:
    """Unaries summed over regions, boundary lengths as weights: the same energy."""
    image = data.coffee()[::8, ::8]
    regions = slic(image, n_segments=60, compactness=10, start_label=0)
    unary = np.abs(image[..., :1] / 64.0 - np.arange(4)).astype(np.float32)
    pooled = superpixels.pool(unary, regions, reduce="sum")
    graph = superpixels.adjacency(regions)
    pixels = {(0, 1): 1.0, (1, 0): 1.0}
    argmin = gridcrf.energy(pooled.argmin(1), pooled, (graph.pairs, graph.lengths))
    for solve in SOLVERS:
        result = solve(pooled, (graph.pairs, graph.lengths))
        assert result.labels.shape == (regions.max() + 1,)
        spread = result.labels[regions]
        assert result.energy == pytest.approx(gridcrf.energy(spread, unary, pixels), rel=1e-5)
        assert result.energy <= argmin

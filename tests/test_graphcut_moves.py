"""Expansion and swap: exact moves, bounds, peers, invariances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import moves as reference

from classicseg._offsets import with_neighbour
from classicseg.graphcut import alpha_beta_swap, alpha_expansion

FORWARD = ((0, 1), (1, -1), (1, 0), (1, 1))
METHODS = [alpha_expansion, alpha_beta_swap]


def grid_problem(
    rng: np.random.Generator, shape: tuple[int, ...], n_labels: int, high: int = 9
) -> tuple[np.ndarray, dict[Any, np.ndarray]]:
    """Whole numbers of any sign, weights with zeros among them."""
    unary = rng.integers(-high, high + 1, (*shape, n_labels))
    if len(shape) == 2:
        return unary, {offset: rng.integers(0, high, shape) for offset in FORWARD}
    offsets = ((0, 0, 1), (0, 1, 0), (1, 0, 0), (1, -1, 1))
    return unary, {offset: rng.integers(0, high, shape) for offset in offsets}


def graph_problem(
    rng: np.random.Generator, n_nodes: int, n_labels: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Loops, parallel edges and nodes without any."""
    pairs = rng.integers(0, n_nodes, (rng.integers(0, 3 * n_nodes), 2))
    unary = rng.integers(0, 10, (n_nodes, n_labels))
    return unary, (pairs, rng.integers(0, 6, len(pairs)))


def metric(rng: np.random.Generator, n_labels: int, kind: str) -> Any:
    if kind == "potts":
        return 2.0
    if kind == "truncated":
        steps = np.abs(np.arange(n_labels)[:, None] - np.arange(n_labels))
        return np.minimum(steps, 2)
    points = rng.normal(size=(n_labels, 3))
    return np.linalg.norm(points[:, None] - points, axis=-1)


def problem(rng: np.random.Generator, where: str) -> tuple[np.ndarray, Any]:
    if where == "graph":
        return graph_problem(rng, 6, 3)
    return grid_problem(rng, {"grid": (2, 3), "column": (5, 1), "volume": (2, 1, 3)}[where], 3)


@pytest.mark.parametrize("where", ["grid", "column", "volume", "graph"])
@pytest.mark.parametrize("kind", ["potts", "truncated", "points"])
def test_no_move_of_all_is_better(where: str, kind: str, rng: np.random.Generator) -> None:
    for _ in range(8):
        unary, edges = problem(rng, where)
        unary = unary - unary.min()
        cost = metric(rng, 3, kind)
        result = alpha_expansion(unary, edges, label_cost=cost)
        found = reference.energy(result.labels, unary, edges, cost)
        assert result.energy == pytest.approx(found, abs=1e-9)
        best = reference.best_expansion(result.labels, unary, edges, cost)
        assert found == pytest.approx(best, abs=1e-4)
        table = reference.cost_table(cost, 3)
        factor = 2 * table.max() / table[~np.eye(3, dtype=bool)].min()
        assert found <= factor * reference.minimum(unary, edges, cost) + 1e-6

        swapped = alpha_beta_swap(unary, edges, label_cost=cost)
        found = reference.energy(swapped.labels, unary, edges, cost)
        assert swapped.energy == pytest.approx(found, abs=1e-9)
        best = reference.best_swap(swapped.labels, unary, edges, cost)
        assert found == pytest.approx(best, abs=1e-4)


def test_swap_of_a_cost_that_is_no_metric(rng: np.random.Generator) -> None:
    squares = (np.arange(4) - np.arange(4)[:, None]) ** 2
    for _ in range(10):
        unary, edges = grid_problem(rng, (2, 3), 4)
        result = alpha_beta_swap(unary, edges, label_cost=squares)
        assert result.energy == reference.energy(result.labels, unary, edges, squares)
        assert result.energy == reference.best_swap(result.labels, unary, edges, squares)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), strength=st.sampled_from([0.3, 1, 4, 20]))
def test_two_labels_are_one_cut(seed: int, strength: float) -> None:
    from classicseg.graphcut import GridGraph

    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 30, 2))
    unary = rng.integers(-50, 50, (*shape, 2))
    edges = {offset: rng.integers(0, 1 + int(10 * strength), shape) for offset in FORWARD}
    graph = GridGraph(shape)
    low = unary.min(axis=-1)
    graph.set_terminals(unary[..., 1] - low, unary[..., 0] - low)
    graph.set_edges(edges)
    best = graph.solve(1).flow + low.sum()
    start = rng.integers(0, 2, shape)
    assert alpha_beta_swap(unary, edges).energy == best
    assert alpha_beta_swap(unary, edges, labels=start).energy == best
    assert alpha_expansion(unary, edges).energy == best
    assert alpha_expansion(unary, edges, labels=start).energy == best


def smooth_problem(
    rng: np.random.Generator, shape: tuple[int, int], n_labels: int, high: int = 30
) -> tuple[np.ndarray, dict[Any, np.ndarray]]:
    """Regions that larger moves pay in: noise over blocks."""
    blocks = rng.integers(0, 100, (shape[0] // 8 + 1, shape[1] // 8 + 1, n_labels))
    unary = np.kron(blocks, np.ones((8, 8, 1), int))[: shape[0], : shape[1]]
    unary = unary + rng.integers(0, 80, unary.shape)
    return unary, {offset: rng.integers(0, high, shape) for offset in FORWARD}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("high", [10, 60, 400])
def test_gco_is_not_better(method: Any, high: int, rng: np.random.Generator) -> None:
    gco = pytest.importorskip("gco")
    ratios = []
    for _ in range(4):
        unary, edges = smooth_problem(rng, (40, 51), 6, high)
        shape, n_labels = unary.shape[:2], unary.shape[2]
        pairs = np.array([(p, q, w) for p, q, w in reference.pairs_of(edges, shape) if w], np.int32)
        peer = gco.GCO()
        peer.create_general_graph(shape[0] * shape[1], n_labels, False)
        peer.set_data_cost(unary.reshape(-1, n_labels).astype(np.int32))
        first, second, weights = (np.ascontiguousarray(column) for column in pairs.T)
        peer.set_all_neighbors(first, second, weights)
        peer.set_smooth_cost((1 - np.eye(n_labels)).astype(np.int32))
        start = unary.argmin(axis=-1)
        for node, label in enumerate(start.ravel()):
            peer.init_label_at_site(node, int(label))
        (peer.expansion if method is alpha_expansion else peer.swap)(-1)
        theirs = reference.energy(peer.get_labels().reshape(shape), unary, edges)
        peer.destroy_graph()
        result = method(unary, edges)
        assert result.energy == reference.energy(result.labels, unary, edges)
        ratios.append(result.energy / theirs)
    # Both end where no move is better, but not always in the same place.
    assert max(ratios) < 1.02
    assert np.mean(ratios) < 1.005


@pytest.mark.parametrize("method", METHODS)
def test_energies_never_rise_and_threads_do_not_matter(
    method: Any, rng: np.random.Generator
) -> None:
    unary, edges = smooth_problem(rng, (150, 180), 5)
    results = [method(unary, edges, n_threads=n) for n in (1, 2, 3, 8)]
    for result in results[1:]:
        assert np.array_equal(result.labels, results[0].labels)
        assert np.array_equal(result.energies, results[0].energies)
    energies = results[0].energies
    assert (np.diff(energies) <= 0).all()
    assert energies[-1] == results[0].energy < energies[0]
    assert energies[0] == reference.energy(unary.argmin(axis=-1), unary, edges)
    assert results[0].labels.dtype == np.int32


@pytest.mark.parametrize("method", METHODS)
def test_grid_and_graph_are_the_same(method: Any, rng: np.random.Generator) -> None:
    unary, edges = smooth_problem(rng, (30, 41), 4)
    pairs = reference.pairs_of(edges, unary.shape[:2])
    # Some edges in two parts, either way round, and loops.
    ends = np.array([(p, q) for p, q, _ in pairs] + [(q, p) for p, q, _ in pairs] + [(3, 3)])
    weights = np.array([w // 3 for *_, w in pairs] + [w - w // 3 for *_, w in pairs] + [7])
    order = rng.permutation(len(ends))
    on_grid = method(unary, edges)
    on_graph = method(unary.reshape(-1, 4), (ends[order], weights[order]))
    assert np.array_equal(on_grid.labels.ravel(), on_graph.labels)
    assert on_grid.energy == on_graph.energy


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["truncated", "points"])
def test_labels_permute(method: Any, kind: str, rng: np.random.Generator) -> None:
    """The order of moves changes with the labels' names: results are as good, not the same."""
    unary, edges = smooth_problem(rng, (32, 33), 5)
    cost = metric(rng, 5, kind)
    names = rng.permutation(5)
    plain = method(unary, edges, label_cost=cost)
    permuted = method(unary[..., names], edges, label_cost=cost[np.ix_(names, names)])
    again = reference.energy(names[permuted.labels], unary, edges, cost)
    assert again == pytest.approx(permuted.energy)
    assert permuted.energy == pytest.approx(plain.energy, rel=0.02)


def test_two_labels_permute(rng: np.random.Generator) -> None:
    unary, edges = smooth_problem(rng, (32, 33), 2)
    unary = unary * 1000 + rng.integers(0, 1000, unary.shape)  # one minimum
    a = alpha_expansion(unary, edges).labels
    b = alpha_expansion(unary[..., ::-1], edges).labels
    assert np.array_equal(a, 1 - b)


@pytest.mark.parametrize("method", METHODS)
def test_zero_and_huge_weights(method: Any, rng: np.random.Generator) -> None:
    unary, _ = grid_problem(rng, (9, 11), 4)
    cheapest = unary.argmin(axis=-1)
    for none in ({}, {(0, 1): 0}, {(0, 50): 3}):
        assert np.array_equal(method(unary, none).labels, cheapest)
    one = method(unary, {(0, 1): 1e12, (1, 0): 1e12})
    assert len(np.unique(one.labels)) == 1
    # Expansion from one label reaches the best constant labelling.
    start = np.full(unary.shape[:2], 3)
    total = unary.sum(axis=(0, 1))
    best = method(unary, {(0, 1): 1e12, (1, 0): 1e12}, labels=start)
    assert best.energy == total.min()
    huge = rng.integers(0, 2**40, (9, 11))
    result = method(unary * 2.0**30, {(0, 1): huge})
    assert result.energy == pytest.approx(
        reference.energy(result.labels, unary * 2.0**30, {(0, 1): huge}), rel=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e9, 1e25])
def test_scale_does_not_matter(method: Any, scale: float, rng: np.random.Generator) -> None:
    unary, edges = smooth_problem(rng, (24, 25), 4)
    plain = method(unary, edges)
    scaled = method(unary * scale, {k: w * scale for k, w in edges.items()})
    assert scaled.energy == pytest.approx(plain.energy * scale, rel=1e-5)


def test_disconnected_parts_do_not_mix(rng: np.random.Generator) -> None:
    unary, (pairs, weights) = graph_problem(rng, 40, 4)
    apart = (pairs[:, 0] < 20) == (pairs[:, 1] < 20)
    pairs, weights = pairs[apart], weights[apart]
    whole = alpha_expansion(unary, (pairs, weights))
    first = pairs[:, 0] < 20
    parts = [
        alpha_expansion(unary[:20], (pairs[first], weights[first])),
        alpha_expansion(unary[20:], (pairs[~first] - 20, weights[~first])),
    ]
    assert np.array_equal(whole.labels, np.concatenate([part.labels for part in parts]))


def test_input_is_left_alone_and_any_layout_is_taken(rng: np.random.Generator) -> None:
    unary, edges = smooth_problem(rng, (20, 21), 3)
    expected = alpha_expansion(unary, edges)
    frozen = unary.astype(np.float32)
    frozen.flags.writeable = False
    layouts = [unary[::-1][::-1], np.asfortranarray(unary), unary.astype(">f8"), frozen]
    for layout in layouts:
        assert alpha_expansion(layout, edges).energy == expected.energy
    kept = {k: w.astype(float) for k, w in edges.items()}
    copies = {k: w.copy() for k, w in kept.items()}
    alpha_expansion(frozen, kept, label_cost=3.0)
    assert all(np.array_equal(kept[k], copies[k]) for k in kept)
    start = np.zeros((20, 21), np.int64)
    alpha_expansion(frozen, kept, labels=start)
    assert not start.any()


@pytest.mark.parametrize("method", METHODS)
def test_an_offset_and_its_opposite_add_up(method: Any) -> None:
    unary, weights = grid_problem(np.random.default_rng(5), (6, 7), 3)
    split: dict[Any, np.ndarray] = {}
    for (dy, dx), array in weights.items():
        back = np.zeros_like(array)
        half = array // 2
        split[dy, dx] = array - half
        back[with_neighbour((-dy, -dx))] = half[with_neighbour((dy, dx))]
        split[-dy, -dx] = back
    one, both = method(unary, weights), method(unary, split)
    np.testing.assert_array_equal(one.labels, both.labels)
    assert one.energy == both.energy


UNARY = np.zeros((4, 5, 3))
BAD: list[tuple[dict[str, Any], str]] = [
    ({"unary": np.zeros(3)}, "unary has shape"),
    ({"unary": np.zeros((0, 5, 3))}, "unary"),
    ({"unary": np.full((4, 5, 3), np.nan)}, "unary"),
    ({"edges": {(0, 0): 1}}, "edges has the offset"),
    ({"edges": {(0, 1, 1): 1}}, "edges has the offset"),
    ({"edges": {0: 1}}, "edges has the offset"),
    ({"edges": {(0, 0.5): 1}}, "edges has the offset"),
    ({"edges": {(0, 1): -1}}, r"edges\[\(0, 1\)\]"),
    ({"edges": {(0, 1): np.nan}}, r"edges\[\(0, 1\)\]"),
    ({"edges": {(0, 1): np.ones((5, 4))}}, r"edges\[\(0, 1\)\] has shape"),
    ({"edges": {(0, 1): 1e308}}, "overflow"),
    ({"edges": 3}, "edges is a int"),
    ({"edges": (np.zeros((1, 2), int), [1])}, "edges is a tuple"),
    ({"label_cost": -1}, "label_cost holds -1"),
    ({"label_cost": np.ones((2, 2))}, "label_cost has shape"),
    ({"label_cost": np.ones((3, 3))}, r"label_cost\[0, 0\] is 1"),
    ({"label_cost": [[0, 1, 1], [2, 0, 1], [1, 1, 0]]}, r"label_cost\[0, 1\] is 1"),
    ({"label_cost": [[0, 1, np.inf], [1, 0, 1], [np.inf, 1, 0]]}, "label_cost holds"),
    ({"label_cost": "potts"}, "label_cost"),
    ({"labels": np.full((4, 5), 3)}, "labels holds 3"),
    ({"labels": np.zeros((5, 4), int)}, "labels has shape"),
    ({"n_threads": 0}, "n_threads"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("wrong", "message"), BAD)
def test_bad_input_is_named(method: Any, wrong: dict[str, Any], message: str) -> None:
    arguments = {"unary": UNARY, "edges": {(0, 1): 1}, **wrong}
    with pytest.raises((ValueError, TypeError), match=message):
        method(**arguments)


@pytest.mark.parametrize(
    ("pairs", "weights", "message"),
    [
        ([[0, 4]], [1], "holds 4, expected nodes from 0 to 3"),
        ([[-1, 0]], [1], "holds -1"),
        ([[0, 1, 2]], [1], r"edges\[0\] has shape"),
        ([[0.0, 1.0]], [1], r"edges\[0\] has dtype"),
        ([[0, 1]], [1, 2], r"edges\[1\] has shape"),
        ([[0, 1]], [-1], r"edges\[1\] holds"),
    ],
)
def test_bad_graphs_are_named(pairs: Any, weights: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        alpha_expansion(np.zeros((4, 2)), (pairs, weights))


def test_triangles_are_named() -> None:
    squares = (np.arange(3) - np.arange(3)[:, None]) ** 2
    with pytest.raises(
        ValueError, match=r"label_cost\[0, 2\] = 4 is more than .*\[0, 1\].*\[1, 2\]"
    ):
        alpha_expansion(UNARY, {(0, 1): 1}, label_cost=squares)


@pytest.mark.parametrize("method", METHODS)
def test_one_pixel_one_label(method: Any) -> None:
    assert method(np.zeros((1, 1, 1)), {(0, 1): 1}).labels.tolist() == [[0]]
    assert method(np.array([[3, 1]]), (np.zeros((0, 2), int), [])).labels.tolist() == [1]
    assert method(np.array([[3, 1]]), ([], [])).energy == 1

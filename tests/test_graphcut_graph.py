"""Max-flow on sparse graphs: against all cuts, PyMaxflow and networkx; warm and relabelled."""

from __future__ import annotations

import numpy as np
import pytest
from cuts import same
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import graph as reference
from reference.graph import Problem

from classicseg import superpixels
from classicseg.graphcut import Cut, Graph, GridGraph


def assert_optimal(cut: Cut, problem: Problem) -> None:
    """Weak duality: a flow that equals the cost of a cut is maximal, and the cut minimal."""
    assert isinstance(cut.flow, int)
    assert (cut.mask <= cut.maximal_mask).all()
    assert reference.cut_cost(problem, cut.mask) == cut.flow
    assert reference.cut_cost(problem, cut.maximal_mask) == cut.flow


def any_problem(rng: np.random.Generator, largest: int) -> Problem:
    n_nodes = int(rng.integers(1, largest, endpoint=True))
    n_edges = int(rng.integers(0, 4 * n_nodes, endpoint=True))
    top = int(rng.choice([1, 2, 5, 1000]))
    return reference.random_problem(rng, n_nodes, n_edges, top, bool(rng.integers(2)))


def test_a_hand_computed_cut() -> None:
    graph = Graph(4)
    graph.set_terminals([9, 0, 0, 4] @ np.eye(4, dtype=int), np.array([0, 0, 3, 6]))
    graph.set_edges(np.array([[0, 1], [2, 1], [2, 3]]), np.array([5, 6, 7]))
    cut = graph.solve()
    # 3 of the 5 go to the third node, 2 on to the fourth; its own 4 go straight to the sink.
    assert cut.flow == 9
    assert cut.mask.tolist() == [True, False, False, False]
    assert cut.maximal_mask.tolist() == [True, True, True, True]


def test_directed_edges_and_parallel_ones() -> None:
    graph = Graph(2)
    graph.set_terminals(np.array([10, 0]), np.array([0, 10]))
    graph.set_edges(np.array([[0, 1]]), 3, 0)
    assert graph.solve().flow == 3
    graph.set_edges(np.array([[0, 1]]), 0, 3)
    assert graph.solve().flow == 0
    graph.set_edges(np.array([[0, 1], [1, 0], [0, 0], [0, 1]]), [1, 9, 100, 2] @ np.eye(4), 4)
    assert graph.solve().flow == 1 + 4 + 2


def test_all_cuts_of_small_graphs(rng: np.random.Generator) -> None:
    """Flow: the least cost of all 2^n cuts. Masks: what all of the best ones, or any, hold."""
    ties = 0
    for _ in range(2000):
        problem = any_problem(rng, 9)
        cost, smallest, largest = reference.all_minimum_cuts(problem)
        cut = problem.solve()
        assert cut.flow == cost
        np.testing.assert_array_equal(cut.mask, smallest)
        np.testing.assert_array_equal(cut.maximal_mask, largest)
        ties += bool((smallest != largest).any())
    assert ties > 100  # that there is something to be told apart


def test_pymaxflow_agrees(rng: np.random.Generator) -> None:
    pytest.importorskip("maxflow")
    for round_ in range(2000):
        problem = any_problem(rng, 2000 if round_ % 50 == 0 else 40)
        cut = problem.solve()
        assert cut.flow == reference.pymaxflow(problem)[0]
        assert_optimal(cut, problem)


def test_networkx_agrees(rng: np.random.Generator) -> None:
    pytest.importorskip("networkx")
    for _ in range(200):
        problem = any_problem(rng, 15)
        assert problem.solve().flow == reference.networkx_flow(problem)


def test_a_grid_is_a_graph(rng: np.random.Generator) -> None:
    shape = (40, 31)
    number = np.arange(40 * 31).reshape(shape)
    for _ in range(20):
        source, sink, east, south = rng.integers(0, 9, (4, *shape))
        grid = GridGraph(shape, 4)
        grid.set_terminals(source, sink)
        grid.set_edges({(0, 1): east, (1, 0): south})
        expected = grid.solve()
        sides = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
        pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in sides])
        weights = np.concatenate([east[:, :-1].ravel(), south[:-1].ravel()])
        cut = Problem(source.ravel(), sink.ravel(), pairs, weights).solve()
        assert cut.flow == expected.flow
        np.testing.assert_array_equal(cut.mask, expected.mask.ravel())
        np.testing.assert_array_equal(cut.maximal_mask, expected.maximal_mask.ravel())


def test_regions_cut_as_their_pixels_that_must_agree(rng: np.random.Generator) -> None:
    for _ in range(20):
        labels = np.arange(6 * 7).reshape(6, 7).repeat(5, 0).repeat(4, 1)
        labels = rng.permutation(42)[labels]
        unary = rng.integers(0, 9, (*labels.shape, 2))
        edges = superpixels.adjacency(labels)
        grid = GridGraph(labels.shape, 4)
        grid.set_terminals(unary[..., 0], unary[..., 1])
        grid.set_edges(
            {
                (0, 1): np.where(labels == np.roll(labels, -1, 1), 10**6, 3),
                (1, 0): np.where(labels == np.roll(labels, -1, 0), 10**6, 3),
            }
        )
        expected = grid.solve()
        pooled = superpixels.pool(unary, labels, reduce="sum").astype(int)
        cut = Problem(*pooled.T, edges.pairs, 3 * edges.lengths.astype(int)).solve()
        assert cut.flow == expected.flow
        np.testing.assert_array_equal(expected.mask, cut.mask[labels])
        np.testing.assert_array_equal(expected.maximal_mask, cut.maximal_mask[labels])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([5, 60, 1500]))
def test_other_numbers_for_the_nodes_and_edges_change_nothing(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    problem = any_problem(rng, size)
    cut = problem.solve()
    number = rng.permutation(len(problem.source))  # node i becomes number[i]
    order = rng.permutation(len(problem.pairs))
    there, back = (side[order] for side in problem.both)
    turned = rng.random(len(order)) < 0.5
    pairs = number[problem.pairs[order]]
    other = Problem(
        problem.source[np.argsort(number)],
        problem.sink[np.argsort(number)],
        np.where(turned[:, np.newaxis], pairs[:, ::-1], pairs),
        np.where(turned, back, there),
        np.where(turned, there, back),
    ).solve()
    assert same(Cut(other.flow, other.mask[number], other.maximal_mask[number]), cut)
    # Terminals and arcs reversed: the sink side becomes the source side.
    there, back = problem.both
    mirrored = Problem(problem.sink, problem.source, problem.pairs, back, there).solve()
    assert same(Cut(mirrored.flow, ~mirrored.maximal_mask, ~mirrored.mask), cut)


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[Problem, str]]:
    """A problem and some changes: of terminals, of capacities, of the edges themselves."""
    n_nodes = draw(st.sampled_from([1, 2, 5, 30, 700]))
    n_edges = draw(st.sampled_from([0, 1, n_nodes, 3 * n_nodes]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def problem() -> Problem:
        symmetric, top = draw(st.booleans()), draw(st.sampled_from([1, 4, 300, 10**6, 2**33]))
        new = reference.random_problem(rng, n_nodes, n_edges, top, symmetric)
        return new.times(1 / draw(st.sampled_from([1, 2, 8]))) if draw(st.booleans()) else new

    problems = [(problem(), "pairs")]
    for _ in range(4):
        old, new = problems[-1][0], problem()
        what = draw(
            st.sampled_from(["pairs", "weights", "terminals", "some terminals", "both", "nothing"])
        )
        if what != "pairs":
            new.pairs = old.pairs.copy()
        if what in ("weights", "nothing"):
            new.source, new.sink = old.source, old.sink
        if what == "some terminals":
            where = rng.random(n_nodes) < 0.1
            new.source = np.where(where, new.source, old.source)
            new.sink = np.where(where, new.sink, old.sink)
        if what in ("terminals", "some terminals", "nothing"):
            new.there, new.back = old.there, old.back
        problems.append((new, what))
    return problems


@settings(max_examples=200, deadline=None)
@given(changes(), st.sampled_from([1, 2]))
def test_warm_equals_cold(problems: list[tuple[Problem, str]], n_threads: int) -> None:
    graph = Graph(len(problems[0][0].source))
    for problem, what in problems:
        if what not in ("weights", "nothing"):
            graph.set_terminals(problem.source, problem.sink)
        if what not in ("terminals", "some terminals", "nothing"):
            graph.set_edges(problem.pairs, problem.there, problem.back)
        warm, cold = graph.solve(n_threads), problem.solve()
        # All floats here are multiples of 1/8 below 2**35: doubles hold their sums exactly.
        assert same(warm, cold)
        for mask in (warm.mask, warm.maximal_mask):
            assert reference.cut_cost(problem, mask) == warm.flow


def test_a_changed_problem_keeps_its_flow(rng: np.random.Generator) -> None:
    """Equal pairs in another array keep the solver; other pairs do not."""
    problem = reference.random_problem(rng, 50, 120, 9, False)
    graph = Graph(50)
    problem.put_into(graph)
    graph.solve()
    solver = graph._solver
    problem.pairs = problem.pairs.astype(np.uint16)
    problem.put_into(graph)
    graph.solve()
    assert graph._solver is solver
    problem.pairs = problem.pairs[::-1]
    problem.put_into(graph)
    assert same(graph.solve(), problem.solve())
    assert graph._solver is not solver


def path(n: int, weights: np.ndarray) -> Problem:
    source, sink = np.zeros((2, n), int)
    source[0], sink[-1] = 100, 90
    pairs = np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    return Problem(source, sink, pairs, weights)


def test_a_long_path(rng: np.random.Generator) -> None:
    weights = rng.integers(50, 80, 50_000 - 1)
    cut = path(50_000, weights).solve()
    assert cut.flow == weights.min()
    first, last = np.flatnonzero(weights == cut.flow)[[0, -1]]
    assert cut.mask.sum() == first + 1
    assert cut.maximal_mask.sum() == last + 1


def test_a_star(rng: np.random.Generator) -> None:
    """One node with all the edges."""
    n = 20_000
    source, sink = rng.integers(0, 9, (2, n))
    source[0] = sink[0] = 0
    pairs = np.stack([np.zeros(n - 1, int), np.arange(1, n)], 1)[rng.permutation(n - 1)]
    problem = Problem(source, sink, pairs, rng.integers(0, 5, n - 1), rng.integers(0, 5, n - 1))
    cut = problem.solve()
    assert cut.flow == reference.pymaxflow(problem)[0]
    assert_optimal(cut, problem)


def test_many_parallel_edges(rng: np.random.Generator) -> None:
    source, sink = np.array([10**6, 0, 0]), np.array([0, 0, 10**6])
    pairs = np.array([[0, 1], [1, 2]])[rng.integers(0, 2, 3000)]
    there, back = rng.integers(0, 9, (2, 3000))
    cut = Problem(source, sink, pairs, there, back).solve()
    assert cut.flow == min(there[pairs[:, 0] == side].sum() for side in (0, 1))


def test_without_edges_the_sign_decides(rng: np.random.Generator) -> None:
    source, sink = rng.integers(0, 4, (2, 300))
    for factor in (1, 2**50, np.float32(0.1), 0.1, 1e-300, 1e300):
        graph = Graph(300)
        graph.set_terminals(source * factor, sink * factor)
        cut = graph.solve()
        assert cut.flow == pytest.approx((np.minimum(source, sink) * factor).sum(), rel=1e-12)
        np.testing.assert_array_equal(cut.mask, source > sink)
        np.testing.assert_array_equal(cut.maximal_mask, source >= sink)


def test_nothing_set_is_an_empty_problem() -> None:
    cut = Graph(3).solve()
    assert cut.flow == 0 and isinstance(cut.flow, int)
    assert not cut.mask.any() and cut.maximal_mask.all()


def test_wide_integers(rng: np.random.Generator) -> None:
    """64-bit capacities, exact to the last unit where doubles no longer are."""
    for top in (2**31 - 1, 2**40, 2**50 + 1):
        for _ in range(50):
            problem = reference.random_problem(rng, 8, 12, top, bool(rng.integers(2)))
            cost, smallest, largest = reference.all_minimum_cuts(problem)
            cut = problem.solve()
            assert cut.flow == cost
            np.testing.assert_array_equal(cut.mask, smallest)
            np.testing.assert_array_equal(cut.maximal_mask, largest)
    graph = Graph(2)
    graph.set_terminals(np.array([2**60, 1]), np.array([3, 2**60 - 5]))
    graph.set_edges(np.array([[0, 1]]), 2**55 + 1)
    assert graph.solve().flow == 2**55 + 1 + 3 + 1

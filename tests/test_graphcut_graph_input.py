"""What Graph is given: refused by name, or taken in whatever form; how exact floats are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cuts import same
from reference import graph as reference
from reference.graph import Problem

from classicseg.graphcut import Graph

PAIRS = np.array([[0, 1], [1, 2], [2, 3], [0, 4]])
ONES = np.ones(5)


def holding(value: Any, dtype: Any = float, size: int = 5) -> np.ndarray:
    array = np.ones(size, dtype)
    array[2] = value
    return array


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-1, ValueError),
        (-0.5, ValueError),
        (np.nan, ValueError),
        (-np.inf, ValueError),
        ((1, 1, 1), ValueError),
        (np.ones((5, 1)), ValueError),
        (np.ones((0,)), ValueError),
        (holding(-1, size=4), ValueError),
        (np.array(2**62 + 1, np.uint64), ValueError),
        (1j, TypeError),
        (None, TypeError),
        ("many", TypeError),
        ([[1, 2], [3]], TypeError),
        (2**80, TypeError),
    ],
    ids=repr,
)
def test_bad_capacities_are_named(value: Any, error: type[Exception]) -> None:
    graph = Graph(5)
    with pytest.raises(error, match=r"^source "):
        graph.set_terminals(value, ONES)
    with pytest.raises(error, match=r"^sink "):
        graph.set_terminals(ONES, value)
    with pytest.raises(error, match=r"^weights "):
        graph.set_edges(PAIRS, value)
    if value is not None:  # which means symmetric
        with pytest.raises(error, match=r"^reverse_weights "):
            graph.set_edges(PAIRS, 1, value)
    assert graph.solve().flow == 0  # what was refused has left nothing behind


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ([[0, 5]], ValueError),
        ([[-1, 0]], ValueError),
        (np.array([[0, 2**40]]), ValueError),
        (np.array([[0, 2**63]], np.uint64), ValueError),
        ([[0, 1, 2]], ValueError),
        ([0, 1], ValueError),
        (7, ValueError),
        (np.zeros((2, 2, 2), int), ValueError),
        (np.zeros((2, 0), int), ValueError),
        ([[0.0, 1.0]], TypeError),
        ([[True, False]], TypeError),
        ([["a", "b"]], TypeError),
        ([[0, 1], [2]], TypeError),
        ([[0, 2**80]], TypeError),
        (None, ValueError),
    ],
    ids=repr,
)
def test_bad_pairs_are_named(pairs: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^pairs "):
        Graph(5).set_edges(pairs, 1)


@pytest.mark.parametrize("n", [0, -1, 2**29, 2**70, 2.5, np.nan, "3", None, True, (3,)])
def test_wrong_numbers_of_nodes_are_named(n: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^n_nodes (is|holds) "):
        Graph(n)


def test_the_number_of_edges_is_checked_where_it_is_given() -> None:
    for wrong in (-1, 2**30, 1.5, "4"):
        with pytest.raises((ValueError, TypeError), match=r"^n_edges (is|holds) "):
            Graph(5, wrong)  # type: ignore[arg-type]
    graph = Graph(5, 4)
    graph.set_edges(PAIRS, 1)
    with pytest.raises(ValueError, match="pairs has 3 edges, expected n_edges=4"):
        graph.set_edges(PAIRS[:3], 1)


@pytest.mark.parametrize("n_threads", [0, -1, 2.0, "2", True, np.nan])
def test_wrong_numbers_of_threads_are_named(n_threads: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^n_threads is "):
        Graph(5).solve(n_threads)


def test_infinite_capacities() -> None:
    graph = Graph(5)
    with pytest.raises(ValueError, match=r"^weights holds inf"):
        graph.set_edges(PAIRS, np.inf)
    with pytest.raises(ValueError, match=r"^source and sink are both infinite at \(2\)"):
        graph.set_terminals(holding(np.inf), holding(np.inf, np.float32))
    graph.set_edges(PAIRS, 2.5)
    graph.set_terminals(holding(np.inf), np.array([0, 0, 0, 0, np.inf]))
    cut = graph.solve()
    assert cut.mask.tolist() == [True, True, True, True, False]
    assert cut.flow == 2.5 + 1


def test_integers_that_are_too_large_to_add_up() -> None:
    graph = Graph(1000)
    ring = np.stack([np.arange(1000), np.roll(np.arange(1000), 1)], 1)
    for weight in (2**55, 2**61, 2**62):
        graph.set_edges(ring, weight)
        with pytest.raises(ValueError, match=r"capacities add up to .* expected at most 2\*\*62"):
            graph.solve()
    graph.set_edges(ring, 1e308)
    with pytest.raises(ValueError, match="weights add up to"):
        graph.solve()
    graph.set_edges(ring, 1)
    graph.set_terminals(2**60, 2**60)
    with pytest.raises(ValueError, match="capacities add up"):
        graph.solve()
    # Large numbers in place of infinity: only what flows has to be added up.
    source, sink = np.zeros((2, 1000), np.int64)
    source[:300], sink[500:] = 2**60, 2**60
    graph.set_terminals(source, sink)
    assert graph.solve().flow == 2


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">i4"])
def test_any_layout_and_type(dtype: str, rng: np.random.Generator) -> None:
    source, sink = rng.integers(0, 9, (2, 5)).astype(dtype)
    there, back = rng.integers(0, 5, (2, 4)).astype(dtype)
    plain = Problem(source, sink, PAIRS, there, back).solve()
    assert type(plain.flow) is (float if np.dtype(dtype).kind == "f" else int)
    read_only = there.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"x" + back.tobytes(), dtype, offset=1)
    for pairs in (
        PAIRS.astype(np.uint8),
        np.asfortranarray(PAIRS),
        PAIRS.astype(">i8"),
        np.repeat(PAIRS, 2, axis=0)[::2],
        PAIRS.tolist(),
    ):
        before = np.array(pairs)
        other = Problem(np.repeat(source, 3)[::3], sink[::-1].copy()[::-1], pairs, read_only)
        graph = Graph(5)
        graph.set_terminals(other.source, other.sink.tolist())
        graph.set_edges(pairs, other.there, unaligned)
        assert same(graph.solve(), plain)
        np.testing.assert_array_equal(pairs, before)


def test_a_later_change_of_the_callers_array_changes_nothing(rng: np.random.Generator) -> None:
    for dtype in (np.int32, np.int64, np.float32, np.float64):
        source, sink = rng.integers(0, 9, (2, 5)).astype(dtype)
        there, pairs = rng.integers(1, 9, 4).astype(dtype), PAIRS.astype(np.int32)
        expected = Problem(source, sink, pairs, there).solve()
        graph = Graph(5)
        graph.set_terminals(source, sink)
        graph.set_edges(pairs, there)
        source[:], sink[:], there[:], pairs[:] = 0, 100, 0, 0
        assert same(graph.solve(), expected)
        # Nor does a change of the result change the next one.
        cut = graph.solve()
        cut.mask[:] = True
        assert same(graph.solve(), expected)


@pytest.mark.parametrize("kind", ["near", "far", "wide", "float"])
def test_any_number_of_threads_gives_the_same(kind: str, rng: np.random.Generator) -> None:
    """50,000 nodes make four or eight parts. Ties make the masks tell apart what is unique."""
    n = 50_000
    number = np.arange(n).reshape(200, 250)
    sides = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in sides])
    if kind == "far":
        pairs = rng.permutation(n)[pairs]
    factor = {"wide": 2**34, "float": 0.125}.get(kind, 1)
    source, sink = rng.integers(0, 4, (2, n)) * factor
    problem = Problem(source, sink, pairs, rng.integers(0, 3, len(pairs)) * factor)
    one = problem.solve(1)
    assert one.flow == reference.cut_cost(problem, one.mask)
    assert one.flow == reference.cut_cost(problem, one.maximal_mask)
    assert (one.mask != one.maximal_mask).any()
    for n_threads in (2, 3, 8, None):
        assert same(problem.solve(n_threads), one)


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 24), (np.float64, 47)])
def test_flow_within_the_documented_bound(dtype: type, bits: int, rng: np.random.Generator) -> None:
    for _ in range(300):
        scale, spread = 10.0 ** rng.integers(-6, 7), rng.choice([0.1, 1.0, 4.0])

        def draw(size: int, scale: float = scale, spread: float = spread) -> np.ndarray:
            values = scale * np.exp(spread * rng.normal(size=size))
            return (values * (rng.random(size) < 0.8)).astype(dtype)

        problem = reference.random_problem(rng, int(rng.integers(1, 40)), 60, 1, False)
        n, n_edges = len(problem.source), len(problem.pairs)
        problem = Problem(draw(n), draw(n), problem.pairs, draw(n_edges), draw(n_edges))
        cut = problem.solve()
        exact, theirs = reference.pymaxflow(problem)
        proper = problem.pairs[:, 0] != problem.pairs[:, 1]
        larger = np.maximum(*problem.both).astype(np.float64) * proper
        load = sum(np.bincount(problem.pairs[:, side], larger, minlength=n) for side in (0, 1))
        half = 2 * load.max() * 2.0**-bits / 2
        doubles = 1e-11 * abs(exact) + 1e-300  # their rounding and our sums'
        wide = Problem(
            *(np.asarray(a, np.float64) for a in (problem.source, problem.sink)),
            problem.pairs,
            *(np.asarray(a, np.float64) for a in problem.both),
        )
        pays = Problem(
            *((a > 0).astype(int) for a in (problem.source, problem.sink)),
            problem.pairs,
            np.ones(n_edges, int),
            np.ones(n_edges, int),
        )
        for mask in (cut.mask, cut.maximal_mask):
            cost = float(reference.cut_cost(wide, mask))
            n_cut = reference.cut_cost(pays, mask)
            assert abs(cut.flow - cost) <= half * n_cut + doubles
            # Not better than the optimum, and worse by the rounding of both cuts at most.
            slack = half * (n_cut + reference.cut_cost(pays, theirs)) + doubles
            assert exact - doubles <= cost <= exact + slack


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-150, 1e150, 1e300])
def test_extreme_scales(scale: float) -> None:
    source, sink = np.array([4.0, 0, 0]) * scale, np.array([0, 1.0, 4.0]) * scale
    cut = Problem(source, sink, PAIRS[:2], np.array([3.0, 1.5]) * scale).solve()
    if scale < 2.0**-1000:  # below the smallest unit: no promise but an answer
        assert 0 <= cut.flow <= 8 * scale
    else:
        assert cut.flow == pytest.approx(2.5 * scale, rel=1e-12)
        assert cut.mask.tolist() == cut.maximal_mask.tolist() == [True, True, False]


def test_a_changed_scale_starts_anew(rng: np.random.Generator) -> None:
    """Small weights after large ones are not lost in the large ones' rounding, nor the reverse."""
    base = reference.random_problem(rng, 60, 150, 1000, False)
    graph = Graph(60)
    for factor in (1.0, 1e-9, 1e9, 2.0, 3.0, 1e-3):
        problem = base.times(factor)
        problem.put_into(graph)
        exact, _ = reference.pymaxflow(problem)
        assert graph.solve().flow == pytest.approx(exact, rel=1e-10)

"""Max-flow on grids: against all cuts, augmenting paths and PyMaxflow; warm, turned, parallel."""

from __future__ import annotations

import numpy as np
import pytest
from cuts import same, solve
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import maxflow as reference

from classicseg.graphcut import Cut, GridGraph

Problem = tuple[np.ndarray, np.ndarray, reference.Weights]


def assert_optimal(cut: Cut, source: np.ndarray, sink: np.ndarray, weights: dict) -> None:
    """Weak duality: a flow that equals the cost of a cut is maximal, and the cut minimal."""
    assert isinstance(cut.flow, int)
    assert (cut.mask <= cut.maximal_mask).all()
    assert reference.cut_cost(source, sink, weights, cut.mask) == cut.flow
    assert reference.cut_cost(source, sink, weights, cut.maximal_mask) == cut.flow


SMALL = [(1, 1), (1, 2), (2, 1), (2, 2), (1, 7), (7, 1), (2, 3), (3, 3), (2, 5), (3, 4), (1, 11)]


def test_a_hand_computed_cut() -> None:
    source, sink = np.array([[9, 0, 0, 4]]), np.array([[0, 0, 3, 6]])
    # 3 of the 5 go to the third pixel, 2 on to the fourth; its own 4 go straight to the sink.
    cut = solve(source, sink, {(0, 1): np.array([[5, 6, 7, 1000]])})
    assert cut.flow == 9
    assert cut.mask.tolist() == [[True, False, False, False]]
    assert cut.maximal_mask.tolist() == [[True, True, True, True]]


@pytest.mark.parametrize("shape", SMALL)
def test_all_cuts_of_small_grids(shape: tuple[int, int], rng: np.random.Generator) -> None:
    """Flow: the least cost of all 2^n cuts. Masks: what all of the best ones, or any, hold."""
    rounds = 400 if shape[0] * shape[1] < 10 else 120
    ties = 0
    for _ in range(rounds):
        connectivity = int(rng.choice([4, 8]))
        top = int(rng.choice([1, 2, 5, 1000]))
        problem = reference.random_problem(rng, shape, connectivity, bool(rng.integers(2)), top)
        cost, smallest, largest = reference.all_minimum_cuts(*problem)
        cut = solve(*problem, connectivity=connectivity)
        assert cut.flow == cost
        np.testing.assert_array_equal(cut.mask, smallest)
        np.testing.assert_array_equal(cut.maximal_mask, largest)
        ties += bool((smallest != largest).any())
    assert ties > rounds / 20  # that there is something to be told apart


@pytest.mark.parametrize("scale", [1, 2**20, 2**40])
def test_augmenting_paths_agree(scale: int, rng: np.random.Generator) -> None:
    for _ in range(40):
        shape = tuple(int(n) for n in rng.integers(1, 7, 2))
        problem = reference.random_problem(rng, shape, 8, bool(rng.integers(2)), 9)
        source, sink, weights = problem
        flow, smallest, largest = reference.augmenting_paths(*problem)
        cut = solve(source * scale, sink * scale, {o: w * scale for o, w in weights.items()})
        assert cut.flow == flow * scale
        np.testing.assert_array_equal(cut.mask, smallest)
        np.testing.assert_array_equal(cut.maximal_mask, largest)


def test_pymaxflow_agrees_on_small_grids(rng: np.random.Generator) -> None:
    pytest.importorskip("maxflow")
    for _ in range(1500):
        shape = tuple(int(n) for n in rng.integers(1, 14, 2))
        connectivity = int(rng.choice([4, 8]))
        top = int(rng.choice([1, 3, 20, 1000, 10**6]))
        problem = reference.random_problem(rng, shape, connectivity, bool(rng.integers(2)), top)
        cut = solve(*problem, connectivity=connectivity)
        assert cut.flow == reference.pymaxflow(*problem)[0]
        assert_optimal(cut, *problem)


@pytest.mark.parametrize("kind", ["noise", "smooth"])
def test_pymaxflow_agrees_on_large_grids(kind: str, rng: np.random.Generator) -> None:
    """Large enough for strips, their joins, and a start from coarser grids."""
    pytest.importorskip("maxflow")
    for round_ in range(12):
        shape = (220, 200) if round_ == 0 else tuple(int(n) for n in rng.integers(60, 260, 2))
        top = int(rng.choice([3, 50, 10**5]))
        if kind == "noise":
            problem = reference.random_problem(rng, shape, 8, bool(rng.integers(2)), top)
        else:
            problem = reference.smooth_problem(rng, shape, top)
        flow, _ = reference.pymaxflow(*problem)
        cut = solve(*problem, n_threads=int(rng.choice([1, 2, 3, 8])))
        assert cut.flow == flow
        assert_optimal(cut, *problem)


@pytest.mark.parametrize("kind", ["noise", "smooth", "wide"])
def test_any_number_of_threads_gives_the_same(kind: str, rng: np.random.Generator) -> None:
    """As many rows as four strips take. Ties make the masks tell apart what is unique."""
    shape = (2000, 320)
    if kind == "smooth":
        source, sink, weights = reference.smooth_problem(rng, shape, 4)
    else:
        source, sink, weights = reference.random_problem(rng, shape, 8, True, 2)
    factor = 2**36 if kind == "wide" else 1
    source, sink, weights = (
        source * factor,
        sink * factor,
        {o: w * factor for o, w in weights.items()},
    )
    one = solve(source, sink, weights, 1)
    assert_optimal(one, source, sink, weights)
    assert (one.mask != one.maximal_mask).any()
    for n_threads in (2, 3, 8, None):
        assert same(solve(source, sink, weights, n_threads), one)


@st.composite
def changes(draw: st.DrawFn) -> tuple[tuple[int, int], list[Problem]]:
    """A problem and three changes of its terminals, its edges, or both."""
    shape = draw(st.sampled_from([(1, 1), (1, 6), (5, 1), (3, 4), (9, 8), (70, 66)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def problem() -> Problem:
        symmetric, top = draw(st.booleans()), draw(st.sampled_from([1, 4, 300, 10**6, 2**33]))
        source, sink, weights = reference.random_problem(rng, shape, 8, symmetric, top)
        if draw(st.booleans()):
            divisor = draw(st.sampled_from([1.0, 2.0, 8.0]))
            source, sink = source / divisor, sink / divisor
            weights = {o: w / divisor for o, w in weights.items()}
        for o in list(weights):
            if draw(st.integers(0, 9)) == 0:
                del weights[o]
        return source, sink, weights

    problems = [problem()]
    for _ in range(3):
        source, sink, weights = problem()
        what = draw(st.sampled_from(["terminals", "edges", "both", "some terminals", "nothing"]))
        old = problems[-1]
        if what == "some terminals":
            where = rng.random(shape) < 0.1
            source, sink = np.where(where, source, old[0]), np.where(where, sink, old[1])
        if what in ("edges", "nothing"):
            source, sink = old[:2]
        if what not in ("edges", "both"):
            weights = old[2]
        problems.append((source, sink, weights))
    return shape, problems


@settings(max_examples=150, deadline=None)
@given(changes(), st.sampled_from([1, 2]))
def test_warm_equals_cold(case: tuple[tuple[int, int], list[Problem]], n_threads: int) -> None:
    shape, problems = case
    graph = GridGraph(shape)
    before: Problem | None = None
    for problem in problems:
        source, sink, weights = problem
        if before is None or source is not before[0] or sink is not before[1]:
            graph.set_terminals(source, sink)
        if before is None or weights is not before[2]:
            graph.set_edges(weights)
        before = problem
        warm, cold = graph.solve(n_threads), solve(*problem)
        # All floats here are multiples of 1/8 below 2**35: doubles hold their sums exactly.
        assert same(warm, cold)
        for mask in (warm.mask, warm.maximal_mask):
            assert reference.cut_cost(source, sink, weights, mask) == warm.flow
        assert isinstance(warm.flow, float if _has_floats(problem) else int)


def _has_floats(problem: Problem) -> bool:
    source, sink, weights = problem
    return any(a.dtype.kind == "f" for a in (source, sink, *weights.values()))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_a_turned_problem_has_a_turned_cut(seed: int, symmetric: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 90, 2))
    source, sink, weights = reference.random_problem(rng, shape, 8, symmetric, 3)
    cut = solve(source, sink, weights)
    turns = [
        (lambda a: a.T, lambda o: (o[1], o[0])),
        (lambda a: a[::-1], lambda o: (-o[0], o[1])),
        (lambda a: a[:, ::-1], lambda o: (o[0], -o[1])),
    ]
    for turn, turn_offset in turns:
        turned = {turn_offset(o): turn(w) for o, w in weights.items()}
        expected = Cut(cut.flow, turn(cut.mask), turn(cut.maximal_mask))
        assert same(solve(turn(source), turn(sink), turned), expected)
    # Terminals and arcs reversed: the sink side becomes the source side.
    reversed_ = {(-dy, -dx): np.zeros(shape, int) for dy, dx in weights}
    for (dy, dx), w in weights.items():
        rolled = np.roll(
            w, (dy, dx), (0, 1)
        )  # what leaves the grid is ignored at the other end too
        reversed_[-dy, -dx] = rolled if symmetric else w
    if symmetric:
        mirrored = solve(sink, source, reversed_)
        assert same(mirrored, Cut(cut.flow, ~cut.maximal_mask, ~cut.mask))


def serpent(n_bends: int, length: int) -> Problem:
    """A corridor that winds through the grid: distances as long as it has pixels."""
    shape = (2 * n_bends - 1, length)
    along, down = np.zeros(shape, int), np.zeros(shape, int)
    along[::2] = 5
    down[:-1:4, -1] = down[1:-1:4, -1] = 5
    down[2:-1:4, 0] = down[3:-1:4, 0] = 5
    source, sink = np.zeros(shape, int), np.zeros(shape, int)
    source[0, 0] = 7
    sink[-1, 0 if n_bends % 2 == 0 else -1] = 4
    return source, sink, {(0, 1): along, (1, 0): down}


def test_a_long_winding_way() -> None:
    """With the ways of several threads: tests/cpp/test_maxflow.cpp."""
    source, sink, weights = serpent(100, 60)
    cut = solve(source, sink, weights)
    assert cut.flow == 4
    assert cut.mask[::2].all() and cut.maximal_mask[::2].sum() == cut.mask[::2].sum()
    weights[0, 1][100, 30] = 1
    graph = GridGraph(source.shape)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    tight = graph.solve()
    assert tight.flow == 1
    assert 0 < tight.mask[::2].sum() < cut.mask[::2].sum()


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1)])
def test_one_row_and_one_column(shape: tuple[int, int], rng: np.random.Generator) -> None:
    n = max(shape)
    source, sink = np.zeros(shape, int), np.zeros(shape, int)
    source.flat[0], sink.flat[-1] = 100, 90
    weights = rng.integers(50, 80, n)
    cut = solve(source, sink, {(int(shape[0] > 1), int(shape[1] > 1)): weights.reshape(shape)})
    assert cut.flow == weights[:-1].min()
    first, last = np.flatnonzero(weights[:-1] == cut.flow)[[0, -1]]
    assert cut.mask.sum() == first + 1
    assert cut.maximal_mask.sum() == last + 1


def test_without_edges_the_sign_decides(rng: np.random.Generator) -> None:
    source, sink = rng.integers(0, 4, (2, 30, 20))
    for factor in (1, 2**50, np.float32(0.1), 0.1, 1e-300, 1e300):
        cut = solve(source * factor, sink * factor, {})
        assert cut.flow == pytest.approx((np.minimum(source, sink) * factor).sum(), rel=1e-12)
        np.testing.assert_array_equal(cut.mask, source > sink)
        np.testing.assert_array_equal(cut.maximal_mask, source >= sink)


def test_nothing_set_is_an_empty_problem() -> None:
    cut = GridGraph((2, 3)).solve()
    assert cut.flow == 0
    assert not cut.mask.any() and cut.maximal_mask.all()


def test_wide_integers(rng: np.random.Generator) -> None:
    """64-bit capacities, exact to the last unit where doubles no longer are."""
    pytest.importorskip("maxflow")
    for top in (2**31 - 1, 2**40, 2**53 + 1):
        for _ in range(20):
            shape = tuple(int(n) for n in rng.integers(1, 9, 2))
            problem = reference.random_problem(rng, shape, 8, True, top)
            problem = (problem[0] // 3, problem[1] // 3, problem[2])
            if top * 8 * shape[0] * shape[1] > 2**62 // 8:
                continue
            flow, smallest, largest = reference.augmenting_paths(*problem)
            cut = solve(*problem)
            assert cut.flow == flow
            np.testing.assert_array_equal(cut.mask, smallest)
            np.testing.assert_array_equal(cut.maximal_mask, largest)
    source, sink = np.array([[2**60, 1]]), np.array([[3, 2**60 - 5]])
    assert solve(source, sink, {(0, 1): 2**55 + 1}).flow == 2**55 + 1 + 3 + 1

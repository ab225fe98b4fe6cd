"""Floating-point capacities: how far off a flow may be, infinities, extreme ranges."""

from __future__ import annotations

import numpy as np
import pytest
from reference import maxflow as reference

from classicseg.graphcut import Cut, GridGraph, contrast_weights

Problem = tuple[np.ndarray, np.ndarray, reference.Weights]


def solve(source: np.ndarray, sink: np.ndarray, weights: reference.Weights) -> Cut:
    graph = GridGraph(source.shape)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    return graph.solve(2)


def unit(weights: reference.Weights, bits: int, shape: tuple[int, int]) -> float:
    """The documented bound of what capacities are rounded to multiples of."""
    h, w = shape
    inside = {
        (dy, dx): a[max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
        for (dy, dx), a in weights.items()
    }
    largest = {o: float(a.max()) if a.size else 0.0 for o, a in inside.items()}
    total = sum(top * (1 if (-o[0], -o[1]) in weights else 2) for o, top in largest.items())
    return total * 2.0**-bits


def n_cut(problem: Problem, mask: np.ndarray) -> int:
    """Pixels that pay for their side and edges that are cut."""
    source, sink, weights = problem
    ones = {o: np.ones_like(w) for o, w in weights.items()}
    pay = np.where(mask, sink, source) > 0
    zero = np.zeros_like(source)
    return int(pay.sum()) + int(reference.cut_cost(zero, zero, ones, mask))


def random_floats(
    rng: np.random.Generator, shape: tuple[int, int], symmetric: bool, dtype: type
) -> Problem:
    spread = rng.choice([0.1, 1.0, 4.0])

    def draw(scale: float) -> np.ndarray:
        values = scale * np.exp(spread * rng.normal(size=shape))
        return (values * (rng.random(shape) < 0.8)).astype(dtype)

    scale = 10.0 ** rng.integers(-6, 7)
    weights = {o: draw(scale) for o in reference.offsets(8, symmetric)}
    return draw(2 * scale), draw(2 * scale), weights


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 24), (np.float64, 47)])
def test_flow_within_the_documented_bound(dtype: type, bits: int, rng: np.random.Generator) -> None:
    pytest.importorskip("maxflow")
    for round_ in range(250):
        large = round_ % 50 == 0
        shape = tuple(int(n) for n in rng.integers(*((60, 120) if large else (1, 12)), 2))
        problem = random_floats(rng, shape, bool(rng.integers(2)), dtype)
        exact, theirs = reference.pymaxflow(*problem)
        cut = solve(*problem)
        assert isinstance(cut.flow, float)
        half = unit(problem[2], bits, shape) / 2
        doubles = 1e-13 * shape[0] * shape[1] * abs(exact) + 1e-300  # their rounding and our sums'
        for mask in (cut.mask, cut.maximal_mask):
            cost = float(reference.cut_cost(*_doubles(problem), mask))
            assert abs(cut.flow - cost) <= half * n_cut(problem, mask) + doubles
            # Not better than the optimum, and worse by the rounding of both cuts at most.
            slack = half * (n_cut(problem, mask) + n_cut(problem, theirs)) + doubles
            assert exact - doubles <= cost <= exact + slack


def _doubles(problem: Problem) -> Problem:
    source, sink, weights = problem
    wide = {o: w.astype(np.float64) for o, w in weights.items()}
    return source.astype(np.float64), sink.astype(np.float64), wide


def test_floats_that_are_integers_are_exact(rng: np.random.Generator) -> None:
    for dtype in (np.float32, np.float64):
        for _ in range(100):
            shape = tuple(int(n) for n in rng.integers(1, 30, 2))
            source, sink, weights = reference.random_problem(rng, shape, 8, False, 100)
            exact = solve(source, sink, weights)
            as_floats = {o: w.astype(dtype) for o, w in weights.items()}
            cut = solve(source.astype(dtype), sink.astype(dtype), as_floats)
            assert cut.flow == exact.flow
            np.testing.assert_array_equal(cut.mask, exact.mask)
            np.testing.assert_array_equal(cut.maximal_mask, exact.maximal_mask)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinite_terminals_force_their_side(dtype: type, rng: np.random.Generator) -> None:
    for _ in range(100):
        shape = tuple(int(n) for n in rng.integers(1, 12, 2))
        source, sink, weights = reference.random_problem(rng, shape, 8, True, 20)
        fixed = rng.integers(0, 6, shape)
        finite_source = np.where(fixed == 1, 0, source)
        finite_sink = np.where(fixed == 0, 0, sink)
        cut = solve(
            np.where(fixed == 0, np.inf, finite_source).astype(dtype),
            np.where(fixed == 1, np.inf, finite_sink).astype(dtype),
            {o: w.astype(dtype) for o, w in weights.items()},
        )
        for mask in (cut.mask, cut.maximal_mask):
            assert mask[fixed == 0].all() and not mask[fixed == 1].any()
        # As with integers that no cut can afford.
        hard = 10**6
        same = solve(
            np.where(fixed == 0, hard, finite_source),
            np.where(fixed == 1, hard, finite_sink),
            weights,
        )
        assert cut.flow == same.flow
        np.testing.assert_array_equal(cut.mask, same.mask)
        np.testing.assert_array_equal(cut.maximal_mask, same.maximal_mask)


def test_an_infinite_source_with_a_finite_sink_pays_the_sink() -> None:
    cut = solve(np.array([[np.inf, 0.0]]), np.array([[5.0, 1.0]]), {(0, 1): np.array([[0.5, 0]])})
    assert cut.flow == 5.5
    assert cut.mask.tolist() == [[True, False]]


def test_terminals_far_above_and_below_the_edges() -> None:
    source = np.array([[1e30, 1e-30, 0, 0]])
    sink = np.array([[0, 0, 1e-30, 1e30]])
    weights = {(0, 1): np.array([[1.0, 0.25, 1.0, 0]])}
    cut = solve(source, sink, weights)
    assert cut.flow == 0.25
    assert cut.mask.tolist() == [[True, True, False, False]]
    # Weights that rounding makes 0 keep nothing together, but break nothing either.
    tiny = {(0, 1): np.array([[1.0, 1e-40, 1.0, 0]])}
    assert solve(source, sink, tiny).flow == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-150, 1e150, 1e300])
def test_extreme_scales(scale: float) -> None:
    source, sink = np.array([[4.0, 0, 0]]) * scale, np.array([[0, 1.0, 4.0]]) * scale
    cut = solve(source, sink, {(0, 1): np.array([[3.0, 1.5, 0]]) * scale})
    if scale < 2.0**-1000:  # below the smallest unit: no promise but an answer
        assert 0 <= cut.flow <= 8 * scale
    else:
        assert cut.flow == pytest.approx(2.5 * scale, rel=1e-12)
        assert cut.mask.tolist() == cut.maximal_mask.tolist() == [[True, True, False]]


def test_sums_that_overflow_doubles_are_refused() -> None:
    with pytest.raises(ValueError, match="weights"):
        solve(np.zeros((2, 2)), np.ones((2, 2)), {(0, 1): np.full((2, 2), 1e308)})


def test_a_changed_scale_starts_anew(rng: np.random.Generator) -> None:
    """Small weights after large ones are not lost in the large ones' rounding, nor the reverse."""
    source, sink, weights = random_floats(rng, (20, 30), True, np.float32)
    graph = GridGraph((20, 30))
    for factor in (1, 1e-9, 1e9, 2, 3, 1e-3):
        problem = (
            source * np.float32(factor),
            sink * np.float32(factor),
            {o: w * np.float32(factor) for o, w in weights.items()},
        )
        graph.set_terminals(*problem[:2])
        graph.set_edges(problem[2])
        cost = float(reference.cut_cost(*_doubles(problem), graph.solve().mask))
        slack = unit(problem[2], 24, source.shape) * source.size * 5
        slack *= 4  # a unit up to four times as large may be kept
        exact, _ = reference.pymaxflow(*problem)
        assert abs(graph.solve().flow - exact) <= slack
        assert exact * (1 - 1e-12) <= cost <= exact + slack


def test_a_real_contrast_problem(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (90, 70, 3), np.uint8)
    weights = contrast_weights(image)
    source, sink = rng.random((2, 90, 70), np.float32) * 40
    problem = (source, sink, weights)
    cut = solve(*problem)
    exact, theirs = reference.pymaxflow(*problem)
    cost = float(reference.cut_cost(*_doubles(problem), cut.mask))
    slack = (
        unit(weights, 24, cut.mask.shape) / 2 * (n_cut(problem, cut.mask) + n_cut(problem, theirs))
    )
    assert exact * (1 - 1e-12) <= cost <= exact + slack
    np.testing.assert_array_equal(cut.mask, theirs)  # no ties in random floats

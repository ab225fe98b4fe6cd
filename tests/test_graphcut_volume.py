"""Max-flow on volumes: against all cuts, images, augmenting paths and PyMaxflow; warm, parallel."""

from __future__ import annotations

import numpy as np
import pytest
from cuts import same, solve
from reference import maxflow as reference
from scipy.ndimage import gaussian_filter

from classicseg.graphcut import Cut, GridGraph

Problem = tuple[np.ndarray, np.ndarray, reference.Weights]


def assert_optimal(cut: Cut, source: np.ndarray, sink: np.ndarray, weights: dict) -> None:
    """Weak duality: a flow that equals the cost of a cut is maximal, and the cut minimal."""
    assert isinstance(cut.flow, int)
    assert (cut.mask <= cut.maximal_mask).all()
    assert reference.cut_cost(source, sink, weights, cut.mask) == cut.flow
    assert reference.cut_cost(source, sink, weights, cut.maximal_mask) == cut.flow


def smooth_problem(
    rng: np.random.Generator, shape: tuple[int, ...], connectivity: int, top: int
) -> Problem:
    """Like a scan's: large regions that want one side, edges that are weak here and there."""
    wish = gaussian_filter(rng.normal(size=shape), rng.uniform(1, 5))
    wish = np.rint(wish / np.abs(wish).max() * 2 * top).astype(np.int64)
    wish += rng.integers(-top // 2, top // 2, shape, endpoint=True)
    strength = np.exp(-15 * np.abs(gaussian_filter(rng.normal(size=shape), 1.5)))
    weights = {
        o: np.rint(top * strength * rng.uniform(0.5, 1, shape)).astype(np.int64)
        for o in reference.offsets(connectivity, True)
    }
    return np.maximum(wish, 0), np.maximum(-wish, 0), weights


SMALL = [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2), (3, 2, 1), (1, 3, 3), (2, 1, 5)]
SMALL += [(3, 1, 3), (2, 2, 3), (11, 1, 1), (1, 11, 1)]


@pytest.mark.parametrize("shape", SMALL)
def test_all_cuts_of_small_volumes(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    """Flow: the least cost of all 2^n cuts. Masks: what all of the best ones, or any, hold."""
    rounds = 150 if np.prod(shape) < 10 else 50
    ties = 0
    for _ in range(rounds):
        connectivity = int(rng.choice([6, 26]))
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
@pytest.mark.parametrize("connectivity", [6, 26])
def test_augmenting_paths_agree(connectivity: int, scale: int, rng: np.random.Generator) -> None:
    for _ in range(15):
        shape = tuple(int(n) for n in rng.integers(1, 5, 3))
        problem = reference.random_problem(rng, shape, connectivity, bool(rng.integers(2)), 9)
        source, sink, weights = problem
        flow, smallest, largest = reference.augmenting_paths(*problem)
        scaled = (source * scale, sink * scale, {o: w * scale for o, w in weights.items()})
        cut = solve(*scaled, connectivity=connectivity)
        assert cut.flow == flow * scale
        np.testing.assert_array_equal(cut.mask, smallest)
        np.testing.assert_array_equal(cut.maximal_mask, largest)


def test_pymaxflow_agrees_on_small_volumes(rng: np.random.Generator) -> None:
    pytest.importorskip("maxflow")
    for round_ in range(600):
        shape = [int(n) for n in rng.integers(1, 9, 3)]
        if round_ % 4 == 0:
            shape[rng.integers(3)] = 1
        if round_ % 20 == 0:
            shape[rng.integers(3)] = 70
        connectivity = int(rng.choice([6, 26]))
        top = int(rng.choice([1, 3, 20, 1000, 10**6]))
        symmetric = bool(rng.integers(2))
        problem = reference.random_problem(rng, tuple(shape), connectivity, symmetric, top)
        cut = solve(*problem, connectivity=connectivity)
        assert cut.flow == reference.pymaxflow(*problem)[0]
        assert_optimal(cut, *problem)


@pytest.mark.parametrize("kind", ["noise", "smooth"])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_pymaxflow_agrees_on_large_volumes(
    kind: str, connectivity: int, rng: np.random.Generator
) -> None:
    """Large enough for slabs, their joins, and a start from coarser grids."""
    pytest.importorskip("maxflow")
    for shape in ((64, 21, 33), (33, 40, 17), (17, 9, 130)):
        top = int(rng.choice([3, 50, 10**5]))
        if kind == "noise":
            symmetric = bool(rng.integers(2))
            problem = reference.random_problem(rng, shape, connectivity, symmetric, top)
        else:
            problem = smooth_problem(rng, shape, connectivity, top)
        cut = solve(*problem, n_threads=int(rng.choice([1, 2, 3, 8])), connectivity=connectivity)
        assert cut.flow == reference.pymaxflow(*problem)[0]
        assert_optimal(cut, *problem)


@pytest.mark.parametrize("kind", ["noise", "smooth", "wide"])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_any_number_of_threads_gives_the_same(
    kind: str, connectivity: int, rng: np.random.Generator
) -> None:
    """Large enough for two slabs. Ties make the masks tell apart what is unique."""
    shape = (67, 60, 77)
    if kind == "smooth":
        source, sink, weights = smooth_problem(rng, shape, connectivity, 2)
    else:
        source, sink, weights = reference.random_problem(rng, shape, connectivity, True, 2)
    if kind == "wide":
        weights = {o: w * 2**34 for o, w in weights.items()}
        source, sink = source * 2**34, sink * 2**34
    one = solve(source, sink, weights, 1, connectivity)
    assert_optimal(one, source, sink, weights)
    assert (one.mask != one.maximal_mask).any()
    for n_threads in (2, None):
        assert same(solve(source, sink, weights, n_threads, connectivity), one)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_one_slice_is_an_image(axis: int, connectivity: int, rng: np.random.Generator) -> None:
    """Also one that lies across: a volume of a single row or column each slice."""
    for _ in range(20):
        shape = tuple(int(n) for n in rng.integers(1, 75, 2))
        planar = 4 if connectivity == 6 else 8
        source, sink, weights = reference.random_problem(rng, shape, planar, False, 5)
        image = solve(source, sink, weights, 2, planar)
        lifted = {tuple(np.insert(o, axis, 0).tolist()): w for o, w in weights.items()}
        volume = solve(
            np.expand_dims(source, axis),
            np.expand_dims(sink, axis),
            {o: np.expand_dims(w, axis) for o, w in lifted.items()},
            2,
            connectivity,
        )
        assert volume.flow == image.flow
        np.testing.assert_array_equal(volume.mask.squeeze(axis), image.mask)
        np.testing.assert_array_equal(volume.maximal_mask.squeeze(axis), image.maximal_mask)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_a_turned_volume_has_a_turned_cut(connectivity: int, rng: np.random.Generator) -> None:
    for _ in range(8):
        shape = tuple(int(n) for n in rng.integers(1, 40, 3))
        source, sink, weights = reference.random_problem(rng, shape, connectivity, False, 3)
        cut = solve(source, sink, weights, 2, connectivity)
        for axes in ((1, 0, 2), (2, 1, 0), (1, 2, 0)):
            turned = solve(
                source.transpose(axes),
                sink.transpose(axes),
                {tuple(o[a] for a in axes): w.transpose(axes) for o, w in weights.items()},
                2,
                connectivity,
            )
            expected = Cut(cut.flow, cut.mask.transpose(axes), cut.maximal_mask.transpose(axes))
            assert same(turned, expected)


@pytest.mark.parametrize("connectivity", [6, 26])
def test_warm_is_cold(connectivity: int, rng: np.random.Generator) -> None:
    """Any change of terminals, edges or both, with all kinds of numbers."""
    for shape in ((1, 1, 1), (3, 1, 4), (5, 6, 7), (34, 12, 15)):
        graph = GridGraph(shape, connectivity)
        for round_ in range(8):
            top = int(rng.choice([1, 4, 300, 10**6, 2**33]))
            symmetric = bool(rng.integers(2))
            source, sink, weights = reference.random_problem(
                rng, shape, connectivity, symmetric, top
            )
            if round_ % 3 == 2:
                source, sink = source / 8, sink / 8
                weights = {o: w / 8 for o, w in weights.items()}
            if round_ % 2 or round_ == 0:
                graph.set_edges(weights)
                edges = weights
            graph.set_terminals(source, sink)
            warm = graph.solve(int(rng.choice([1, 2, 3])))
            cold = solve(source, sink, edges, 1, connectivity)
            if isinstance(cold.flow, int):
                assert same(warm, cold)
                assert_optimal(warm, source, sink, edges)
            else:
                assert warm.flow == pytest.approx(cold.flow, rel=1e-9)


def test_zero_and_saturated_capacities() -> None:
    shape = (5, 6, 7)
    ones = np.ones(shape, int)
    edges = dict.fromkeys(reference.offsets(6, True), 0)
    cut = solve(3 * ones, 2 * ones, edges)
    assert cut.flow == 2 * ones.size and cut.mask.all() and cut.maximal_mask.all()
    cut = solve(0 * ones, 0 * ones, dict.fromkeys(edges, 9))
    assert cut.flow == 0 and not cut.mask.any() and cut.maximal_mask.all()
    # One voxel in the middle against all its neighbours: what its six edges carry, and no more.
    source, sink = 0 * ones, ones * 10
    sink[2, 3, 3], source[2, 3, 3] = 0, 100
    cut = solve(source, sink, dict.fromkeys(edges, 5))
    assert cut.flow == 30 and cut.mask.sum() == 1 and cut.mask[2, 3, 3]
    cut = solve(source, sink, dict.fromkeys(reference.offsets(26, True), 5), connectivity=26)
    assert cut.flow == 100 and not cut.mask.any()


@pytest.mark.parametrize("connectivity", [6, 26])
def test_largest_capacities(connectivity: int, rng: np.random.Generator) -> None:
    """The largest that 32 bits take, the next larger ones, and those that 64 bits just hold."""
    shape = (18, 17, 16)
    n = connectivity
    for top in ((2**29 - 1) // n, 2**29 // n + 1, 2**31 - 1, 2**62 // (16 * n * 5000)):
        weights = {
            o: np.where(rng.random(shape) < 0.7, top, rng.integers(0, top, shape))
            for o in reference.offsets(connectivity, False)
        }
        heads = rng.random(shape) < 0.5
        source, sink = np.where(heads, n * top, 0), np.where(heads, 0, n * top - 1)
        cut = solve(source, sink, weights, 2, connectivity)
        assert_optimal(cut, source, sink, weights)


@pytest.mark.parametrize(("dtype", "bits"), [(np.float32, 24), (np.float64, 47)])
@pytest.mark.parametrize("connectivity", [6, 26])
def test_floats_stay_within_the_documented_bound(
    connectivity: int, dtype: type, bits: int, rng: np.random.Generator
) -> None:
    pytest.importorskip("maxflow")
    for _ in range(40):
        shape = tuple(int(n) for n in rng.integers(1, 9, 3))
        weights = {
            o: np.exp(2 * rng.normal(size=shape)).astype(dtype)
            for o in reference.offsets(connectivity, True)
        }
        source, sink = np.exp(3 * rng.normal(size=(2, *shape))).astype(dtype)
        cut = solve(source, sink, weights, 2, connectivity)
        largest = [
            float(w[reference.pair_slices(shape, o)[0]].max(initial=0)) for o, w in weights.items()
        ]
        half_unit = sum(2 * top for top in largest) * 2.0**-bits / 2
        exact, _ = reference.pymaxflow(source, sink, weights)
        n_paid = source.size * (1 + connectivity / 2)
        assert cut.flow == pytest.approx(exact, abs=half_unit * n_paid + 1e-12 * exact)


def test_infinite_terminals_force_their_side(rng: np.random.Generator) -> None:
    shape = (9, 8, 7)
    for connectivity in (6, 26):
        weights = {o: rng.random(shape, np.float32) for o in reference.offsets(connectivity, True)}
        fixed = rng.integers(0, 6, shape)
        source = np.where(fixed == 1, np.inf, rng.random(shape, np.float32))
        sink = np.where(fixed == 2, np.inf, rng.random(shape, np.float32))
        sink[fixed == 1], source[fixed == 2] = 0, 0
        cut = solve(source, sink, weights, 2, connectivity)
        for mask in (cut.mask, cut.maximal_mask):
            assert mask[fixed == 1].all() and not mask[fixed == 2].any()


def test_bad_offsets_are_named() -> None:
    graph = GridGraph((3, 4, 5))
    assert graph.connectivity == 6
    for offset in ((0, 1), (0, 1, 1), (0, 0, 0), (2, 0, 0), "abc", 1):
        with pytest.raises(ValueError, match=r"^weights has the offset .* \(dz, dy, dx\)"):
            graph.set_edges({offset: 1})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"^weights has the offset"):
        GridGraph((3, 4)).set_edges({(0, 0, 1): 1})
    with pytest.raises(ValueError, match=r"^weights\[\(0, 0, 1\)\] has shape"):
        graph.set_edges({(0, 0, 1): np.ones((3, 4))})
    for connectivity in (4, 8, 18, 0, "6"):
        with pytest.raises(
            ValueError, match=r"^connectivity of a volume is .*, expected one of 6, 26"
        ):
            GridGraph((3, 4, 5), connectivity)  # type: ignore[arg-type]

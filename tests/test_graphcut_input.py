"""What GridGraph and contrast_weights are given: refused by name, or taken in whatever form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference import contrast as reference

from classicseg.graphcut import Cut, GridGraph, contrast_weights

SHAPE = (5, 7)
ONES = np.ones(SHAPE)


def holding(value: Any, dtype: Any = float, at: tuple[int, int] = (2, 3)) -> np.ndarray:
    array = np.ones(SHAPE, dtype)
    array[at] = value
    return array


BAD_CAPACITIES: list[tuple[Any, type[Exception]]] = [
    (holding(-1), ValueError),
    (holding(-1, int), ValueError),
    (holding(-1, np.int8), ValueError),
    (holding(np.nan), ValueError),
    (holding(np.nan, np.float32), ValueError),
    (holding(np.nan, np.float16), ValueError),
    (holding(-np.inf), ValueError),
    (holding(2**63, np.uint64), ValueError),
    (holding(2**62 + 1, np.int64), ValueError),
    (np.ones((7, 5)), ValueError),
    (np.ones((5, 7, 1)), ValueError),
    (np.ones((1, 5, 7)), ValueError),
    (np.ones((5, 1)), ValueError),
    (np.ones(7), ValueError),
    (np.ones((0, 7)), ValueError),
    (-1, ValueError),
    (float("nan"), ValueError),
    (ONES.astype(complex), TypeError),
    (ONES.astype(object), TypeError),
    (ONES.astype(str), TypeError),
    (ONES.astype("M8[s]"), TypeError),
    (ONES.astype("m8[s]"), TypeError),
    (np.zeros(SHAPE, [("a", int)]), TypeError),
    (None, TypeError),
    ("many", TypeError),
    (2**80, TypeError),
    ([[1, 2], [3]], TypeError),
    ({1: 2}, TypeError),
]


def identify(value: Any) -> str:
    return f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else repr(value)


@pytest.mark.parametrize(("value", "error"), BAD_CAPACITIES, ids=identify)
def test_bad_capacities_are_named(value: Any, error: type[Exception]) -> None:
    graph = GridGraph(SHAPE)
    with pytest.raises(error, match=r"^source "):
        graph.set_terminals(value, ONES)
    with pytest.raises(error, match=r"^sink "):
        graph.set_terminals(ONES, value)
    with pytest.raises(error, match=r"^weights\[\(0, 1\)\] "):
        graph.set_edges({(1, 0): ONES, (0, 1): value})
    assert graph.solve().flow == 0  # what was refused has left nothing behind


def test_infinite_capacities() -> None:
    graph = GridGraph(SHAPE)
    for infinite in (holding(np.inf), holding(np.inf, np.float32), np.longdouble("1e4000")):
        with pytest.raises(ValueError, match=r"^weights\[\(1, -1\)\] holds"):
            graph.set_edges({(1, -1): infinite})
        graph.set_terminals(infinite, 0)
        assert graph.solve().mask[2, 3]
    with pytest.raises(ValueError, match=r"^source and sink are both infinite"):
        graph.set_terminals(holding(np.inf), holding(np.inf, np.float32))
    graph.set_terminals(holding(np.inf), holding(np.inf, at=(0, 0)))
    assert graph.solve().mask[2, 3] and not graph.solve().mask[0, 0]


@pytest.mark.parametrize(
    ("offset", "connectivity"),
    [
        ((0, 0), 8),
        ((0, 2), 8),
        ((-2, 1), 8),
        ((1, 1), 4),
        ((-1, 1), 4),
        ((0, 1, 0), 8),
        ((1,), 8),
        (1, 8),
        ("01", 8),
        (None, 8),
        ((0.5, 1), 8),
    ],
)
def test_wrong_offsets_are_named(offset: Any, connectivity: int) -> None:
    with pytest.raises(ValueError, match=r"^weights has the offset "):
        GridGraph(SHAPE, connectivity).set_edges({offset: ONES})


@pytest.mark.parametrize("weights", [ONES, [((0, 1), ONES)], None, 3, "ab"])
def test_edges_that_are_no_dict(weights: Any) -> None:
    with pytest.raises(TypeError, match=r"^weights is a "):
        GridGraph(SHAPE).set_edges(weights)


@pytest.mark.parametrize(
    "shape",
    [
        (0, 3),
        (3, 0),
        (-1, 3),
        (3,),
        (3, 4, 5, 6),
        (0, 4, 5),
        (4, 5, -1),
        (2, 3, 4.5),
        (2**10, 2**10, 2**10),
        5,
        None,
        "ab",
        (2.5, 3),
        (np.nan, 3),
        (np.inf, 3),
        (2**15, 2**15),
        (2**40, 1),
        (1, 2**70),
        ("a", "b"),
        ((1, 2), 3),
    ],
)
def test_wrong_shapes_are_named(shape: Any) -> None:
    """What is too large for the solver is too large for most machines, too: that comes first."""
    wrong = (ValueError, TypeError, MemoryError)
    with pytest.raises(wrong, match=r"^shape is |^a graph of shape .* needs about "):
        GridGraph(shape)


@pytest.mark.parametrize("connectivity", [0, 6, 26, -8, "8", 4.5])
def test_wrong_connectivity_is_named(connectivity: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^connectivity of an image is "):
        GridGraph(SHAPE, connectivity)
    named = "image has shape" if connectivity in (6, 26) else "connectivity is "
    with pytest.raises((ValueError, TypeError), match=f"^{named}"):
        contrast_weights(np.zeros(SHAPE), connectivity=connectivity)


@pytest.mark.parametrize("n_threads", [0, -1, 2.0, "2", True, np.nan])
def test_wrong_numbers_of_threads_are_named(n_threads: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^n_threads is "):
        GridGraph(SHAPE).solve(n_threads)


def test_integers_that_are_too_large_to_add_up() -> None:
    graph = GridGraph((100, 100))
    graph.set_edges({(0, 1): 2**58})
    with pytest.raises(ValueError, match=r"capacities add up to .* expected at most 2\*\*62"):
        graph.solve()
    graph.set_edges({(0, 1): 2**61})
    with pytest.raises(ValueError, match="capacities add up"):
        graph.solve()
    graph.set_edges({})
    graph.set_terminals(2**60, 2**60)
    with pytest.raises(ValueError, match="capacities add up"):
        graph.solve()
    graph.set_terminals(1, 0)
    assert graph.solve().flow == 0  # and the graph is still good for other problems


def test_hard_integer_terminals_may_be_huge() -> None:
    """Large numbers in place of infinity: only what flows has to be added up."""
    graph = GridGraph((100, 100))
    source, sink = np.zeros((2, 100, 100), np.int64)
    source[:, 0], sink[:, -1] = 2**60, 2**60
    source[50, 99] = 5
    graph.set_terminals(source, sink)
    graph.set_edges({(0, 1): 7})
    assert graph.solve().flow == 700 + 5
    assert graph.solve().mask[:, 0].all() and not graph.solve().mask[:, -1].any()


def variants(array: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers in other memory."""
    spaced = np.zeros((array.shape[0] * 2, array.shape[1] * 3), array.dtype)
    spaced[::2, ::3] = array
    backwards = array[::-1, ::-1].copy()[::-1, ::-1]
    read_only = array.copy()
    read_only.flags.writeable = False
    unaligned = np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)
    return {
        "spaced": spaced[::2, ::3],
        "backwards": backwards,
        "Fortran": np.asfortranarray(array),
        "read-only": read_only,
        "unaligned": unaligned,
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "little-endian": array.astype(array.dtype.newbyteorder("<")),
        "a matrix of longs": array.astype(np.longdouble if array.dtype.kind == "f" else np.int64),
        "nested lists": array.tolist(),
    }


def solve(source: Any, sink: Any, weights: Any) -> Cut:
    graph = GridGraph(SHAPE)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    return graph.solve()


def assert_same(a: Cut, b: Cut) -> None:
    assert a.flow == b.flow
    np.testing.assert_array_equal(a.mask, b.mask)
    np.testing.assert_array_equal(a.maximal_mask, b.maximal_mask)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64, "f2", "f4", "f8"]
)
def test_any_layout_and_type(dtype: Any, rng: np.random.Generator) -> None:
    source, sink, east, south_west = rng.integers(0, 9, (4, *SHAPE)).astype(dtype)
    plain = solve(source, sink, {(0, 1): east, (1, -1): south_west})
    in_int64 = [a.astype(np.int64) for a in (source, sink, east, south_west)]
    assert_same(plain, solve(*in_int64[:2], {(0, 1): in_int64[2], (1, -1): in_int64[3]}))
    assert type(plain.flow) is (float if np.dtype(dtype).kind == "f" else int)
    for name in variants(source):
        a, b, c, d = (variants(x)[name] for x in (source, sink, east, south_west))
        before = [np.array(x) for x in (a, b, c, d)]
        assert_same(solve(a, b, {(0, 1): c, (1, -1): d}), plain)
        for now, then in zip((a, b, c, d), before, strict=True):
            np.testing.assert_array_equal(now, then)


def test_bools_and_broadcast_arrays_and_numbers(rng: np.random.Generator) -> None:
    source = rng.random(SHAPE) < 0.5
    plain = solve(source.astype(int), 1 - source.astype(int), {(1, 0): np.full(SHAPE, 2)})
    assert_same(solve(source, ~source, {(1, 0): np.broadcast_to(np.int16(2), SHAPE)}), plain)
    assert_same(solve(source, ~source, {(1, 0): 2}), plain)
    assert_same(solve(source, ~source, {(1.0, 0.0): np.full(SHAPE, 2)}), plain)
    assert_same(solve(source, ~source, {(-1, 0): np.full(SHAPE, 2)}), plain)


def test_a_later_change_of_the_callers_array_changes_nothing(rng: np.random.Generator) -> None:
    for dtype in (np.int32, np.int64, np.float32, np.float64):
        source, sink, east = rng.integers(0, 9, (3, *SHAPE)).astype(dtype)
        expected = solve(source, sink, {(0, 1): east})
        graph, weights = GridGraph(SHAPE), {(0, 1): east}
        graph.set_terminals(source, sink)
        graph.set_edges(weights)
        source[:], sink[:], east[:] = 0, 100, 0
        weights[1, 0] = np.full(SHAPE, 50)
        assert_same(graph.solve(), expected)
        # Nor does a change of the result change the next one.
        cut = graph.solve()
        cut.mask[:] = True
        cut.maximal_mask[:] = False
        assert_same(graph.solve(), expected)


def test_entries_that_leave_the_grid_are_ignored(rng: np.random.Generator) -> None:
    source, sink = rng.integers(0, 9, (2, *SHAPE)).astype(float)
    for offset, outside in {
        (0, 1): np.s_[:, -1],
        (1, 0): np.s_[-1],
        (-1, 0): np.s_[0],
        (1, -1): np.s_[:, 0],
    }.items():
        weights = rng.integers(0, 5, SHAPE).astype(float)
        weights[outside] = 0
        plain = solve(source, sink, {offset: weights})
        for rubbish in (-7, np.nan, np.inf, 1e300):
            weights[outside] = rubbish
            assert_same(solve(source, sink, {offset: weights}), plain)


BAD_CONTRAST: list[tuple[Callable[[], Any], str]] = [
    (lambda: contrast_weights(np.full(SHAPE, np.nan)), "image"),
    (lambda: contrast_weights(np.full(SHAPE, 300.0)), "image"),
    (lambda: contrast_weights(np.zeros((5, 7, 4), np.uint8)), "image"),
    (lambda: contrast_weights(np.zeros((0, 7), np.uint8)), "image"),
    (lambda: contrast_weights(ONES.astype(complex)), "image"),
    (lambda: contrast_weights(ONES, gamma=-1), "gamma"),
    (lambda: contrast_weights(ONES, gamma=np.nan), "gamma"),
    (lambda: contrast_weights(ONES, gamma="50"), "gamma"),
    (lambda: contrast_weights(ONES, beta=-0.1), "beta"),
    (lambda: contrast_weights(ONES, beta=np.inf), "beta"),
    (lambda: contrast_weights(ONES, data_range=(1, 0)), "data_range"),
    (lambda: contrast_weights(ONES, n_threads=0), "n_threads"),
]


@pytest.mark.parametrize(("call", "name"), BAD_CONTRAST)
def test_bad_arguments_of_contrast_weights(call: Callable[[], Any], name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        call()


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 1), (4, 5), (3, 17), (5, 6, 3), (70, 9, 3)])
def test_contrast_weights_pair_by_pair(
    shape: tuple[int, ...], connectivity: int, rng: np.random.Generator
) -> None:
    image = (rng.normal(128, 30, shape).clip(0, 255)).astype(np.uint8)
    scale = reference.beta(image, connectivity)
    for gamma, beta in ((50.0, None), (3.0, 0.001), (1.0, 0.0), (0.0, None)):
        found = contrast_weights(image, gamma, beta, connectivity, n_threads=2)
        used = scale if beta is None else beta
        expected = reference.weights(image, gamma, used, connectivity)
        assert found.keys() == expected.keys()
        for offset, weight in found.items():
            assert weight.dtype == np.float32
            np.testing.assert_allclose(weight, expected[offset], rtol=3e-6, atol=1e-30)


def test_contrast_weights_of_a_constant_image_and_of_extreme_contrast() -> None:
    flat = contrast_weights(np.full((3, 4), 0.25), gamma=2)
    np.testing.assert_allclose(flat[0, 1][:, :-1], 2, rtol=1e-6)
    sharp = contrast_weights(np.array([[0, 255]], np.uint8), beta=1e30)
    assert sharp[0, 1].tolist() == [[0, 0]]


def test_contrast_weights_for_any_number_of_threads(rng: np.random.Generator) -> None:
    image = rng.random((130, 1100, 3), np.float32)
    one = contrast_weights(image, n_threads=1)
    for n_threads in (2, 3, 8):
        for offset, weight in contrast_weights(image, n_threads=n_threads).items():
            np.testing.assert_array_equal(weight, one[offset])

"""The local CRF's solvers against all labellings of small problems."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classicseg import gridcrf
from tests.reference import gridcrf as reference

FOUR = ((0, 1), (1, 0))
EIGHT = ((0, 1), (1, -1), (1, 0), (1, 1))
THREADS = (1, 2, 3, 8)


def label_costs(form: str, n: int, rng: np.random.Generator) -> np.ndarray:
    if form == "potts":
        return np.where(np.eye(n, dtype=bool), 0, np.float32(rng.random() * 2))
    if form == "linear":
        return gridcrf.truncated_linear(n, rng.random(), rng.random() * 2)
    if form == "quadratic":
        return gridcrf.truncated_quadratic(n, rng.random() / 2, rng.random() * 4)
    if form == "quadratic, never truncated":
        return gridcrf.truncated_quadratic(n, 0.3, 1e9)
    matrix = rng.normal(size=(n, n)).astype(np.float32)
    return (matrix + matrix.T) / 2 if form == "symmetric" else matrix


FORMS = ("potts", "linear", "quadratic", "quadratic, never truncated", "symmetric", "any")


def random_grid(shape, n_labels, offsets, rng, strength=1.5):
    unary = rng.normal(size=(*shape, n_labels)).astype(np.float32)
    edges = {o: (rng.random(shape) * strength).astype(np.float32) for o in offsets}
    return unary, edges


def solvers(unary, edges, cost, **options):
    yield gridcrf.icm(unary, edges, label_cost=cost, **options)
    yield gridcrf.belief_propagation(unary, edges, label_cost=cost, **options)
    yield gridcrf.belief_propagation(unary, edges, label_cost=cost, marginals="sum", **options)
    yield gridcrf.trws(unary, edges, label_cost=cost, tol=0, **options)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("offsets", [FOUR, EIGHT])
def test_bound_optimum_and_results_are_in_order(form, offsets, rng) -> None:
    for shape, n_labels in (((2, 3), 3), ((3, 3), 2), ((1, 4), 4), ((1, 1), 3), ((4, 1), 1)):
        unary, edges = random_grid(shape, n_labels, offsets, rng)
        cost = label_costs(form, n_labels, rng)
        pairs, weights = reference.grid_edges(edges, shape)
        flat = unary.reshape(-1, n_labels)
        optimum = min(e for _, e in reference.all_energies(flat, pairs, weights, cost))
        for edges_given, unary_given in ((edges, unary), ((pairs, weights), flat)):
            for result in solvers(unary_given, edges_given, cost):
                again = reference.energy(result.labels.ravel(), flat, pairs, weights, cost)
                assert result.energy == pytest.approx(again, abs=1e-5)
                assert result.energy >= optimum - 1e-5
                if result.lower_bounds is not None:
                    assert (np.diff(result.lower_bounds) >= 0).all()
                    assert result.lower_bounds[-1] <= optimum + 1e-5
                    assert len(result.lower_bounds) == len(result.energies)
                    # Small problems are nearly always tight; the bound must at least come close.
                    start = flat.min(axis=1).sum() + weights.sum() * cost.min()
                    assert optimum - result.lower_bounds[-1] <= 0.2 * (optimum - start) + 1e-5


@pytest.mark.parametrize("form", FORMS)
def test_exact_on_trees(form, rng) -> None:
    for trial in range(6):
        n_nodes, n_labels = 7, 3
        unary = rng.normal(size=(n_nodes, n_labels)).astype(np.float32)
        if trial % 2:  # a path in another order than the nodes' numbers
            order = rng.permutation(n_nodes)
            pairs = np.stack([order[:-1], order[1:]], axis=1)
        else:
            pairs = np.array([(rng.integers(i), i) for i in range(1, n_nodes)])
        weights = rng.random(len(pairs)) * 2
        cost = label_costs(form, n_labels, rng)
        wanted = reference.min_marginals(unary, pairs, weights, cost)
        optimum = min(e for _, e in reference.all_energies(unary, pairs, weights, cost))
        edges = (pairs, weights)
        bp = gridcrf.belief_propagation(unary, edges, label_cost=cost, tol=0, marginals="max")
        np.testing.assert_allclose(bp.marginals, wanted, atol=2e-5)
        assert bp.energy == pytest.approx(optimum, abs=1e-5)
        soft = gridcrf.belief_propagation(
            unary, edges, label_cost=cost, tol=0, marginals="sum", max_iter=20
        )
        np.testing.assert_allclose(
            soft.marginals, reference.marginals(unary, pairs, weights, cost), atol=5e-6
        )
        trees = gridcrf.trws(unary, edges, label_cost=cost, tol=0, max_iter=500)
        assert trees.energy == pytest.approx(optimum, abs=1e-5)
        assert trees.lower_bounds[-1] == pytest.approx(optimum, abs=1e-4)


def test_marginals_of_one_row_are_exact(rng) -> None:
    unary, edges = random_grid((1, 6), 3, FOUR, rng)
    pairs, weights = reference.grid_edges(edges, (1, 6))
    cost = label_costs("potts", 3, rng)
    result = gridcrf.belief_propagation(unary, edges, label_cost=cost, marginals="sum", tol=0)
    wanted = reference.marginals(unary[0], pairs, weights, cost)
    np.testing.assert_allclose(result.marginals[0], wanted, atol=2e-6)
    assert result.marginals.shape == (1, 6, 3) and result.marginals.dtype == np.float32
    np.testing.assert_allclose(result.marginals.sum(-1), 1, atol=1e-6)
    tree = gridcrf.trws(unary, edges, label_cost=cost, marginals=True, tol=0)
    exact = reference.min_marginals(unary[0], pairs, weights, cost)
    np.testing.assert_allclose(tree.marginals[0], exact, atol=2e-5)


@pytest.mark.parametrize("form", FORMS[:4])
@pytest.mark.parametrize("n_labels", [2, 5, 8, 9, 21, 40, 70])
def test_fast_messages_are_those_of_the_matrix(form, n_labels, rng) -> None:
    """One row: min-marginals by dynamic programming over the cost matrix."""
    length = 5
    unary = (rng.normal(size=(1, length, n_labels)) * 3).astype(np.float32)
    weights = (rng.random((1, length)) * 2).astype(np.float32)
    cost = label_costs(form, n_labels, rng)
    result = gridcrf.belief_propagation(
        unary, {(0, 1): weights}, label_cost=cost, marginals="max", tol=0
    )
    left = np.zeros((length, n_labels))
    right = np.zeros((length, n_labels))
    for i in range(1, length):
        pair = weights[0, i - 1] * cost.astype(np.float64)
        left[i] = ((left[i - 1] + unary[0, i - 1])[:, np.newaxis] + pair).min(0)
    for i in range(length - 2, -1, -1):
        pair = weights[0, i] * cost.astype(np.float64)
        right[i] = ((right[i + 1] + unary[0, i + 1])[:, np.newaxis] + pair).min(0)
    wanted = unary[0] + left + right
    np.testing.assert_allclose(
        result.marginals[0], wanted - wanted.min(1, keepdims=True), atol=3e-5
    )
    assert result.energy == pytest.approx(wanted.min(), abs=1e-4)


@pytest.mark.parametrize("offsets", [FOUR, EIGHT])
@pytest.mark.parametrize("form", ["potts", "linear", "quadratic", "any"])
def test_threads_change_nothing(form, offsets, rng) -> None:
    unary, edges = random_grid((181, 233), 8, offsets, rng)  # enough for several threads
    cost = label_costs(form, 8, rng)
    one = list(solvers(unary, edges, cost, max_iter=3, n_threads=1))
    for n in THREADS[1:]:
        for a, b in zip(one, solvers(unary, edges, cost, max_iter=3, n_threads=n), strict=True):
            np.testing.assert_array_equal(a.labels, b.labels)
            np.testing.assert_array_equal(a.energies, b.energies)
            if a.lower_bounds is not None:
                np.testing.assert_array_equal(a.lower_bounds, b.lower_bounds)
            if a.marginals is not None:
                np.testing.assert_array_equal(a.marginals, b.marginals)


def test_instruction_sets_agree() -> None:
    code = (
        "import numpy as np, hashlib\n"
        "from classicseg import gridcrf as g\n"
        "r = np.random.default_rng(1); u = r.normal(size=(40, 50, 11)).astype(np.float32)\n"
        "e = {o: r.random((40, 50)) for o in ((0, 1), (1, -1), (1, 0), (1, 1))}\n"
        "for c in (1.0, g.truncated_linear(11, .3, 1), g.truncated_quadratic(11, .1, 2),\n"
        "          r.random((11, 11))):\n"
        "    a = g.trws(u, e, label_cost=c, max_iter=5, tol=0)\n"
        "    b = g.belief_propagation(u, e, label_cost=c, max_iter=5, marginals='sum')\n"
        "    i = g.icm(u, e, label_cost=c)\n"
        "    for x in (a.labels, a.lower_bounds, b.marginals, i.labels, i.energies):\n"
        "        print(hashlib.sha256(x.tobytes()).hexdigest())\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **env},
            text=True,
            check=True,
            capture_output=True,
        ).stdout
        for env in ({}, {"CLASSICSEG_ISA": "baseline"})
    ]
    assert outputs[0] and outputs[0] == outputs[1]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_labels_permute_with_labels(seed) -> None:
    rng = np.random.default_rng(seed)
    unary, edges = random_grid((6, 7), 5, EIGHT, rng)
    cost = label_costs("symmetric", 5, rng)
    order = rng.permutation(5)
    permuted = cost[np.ix_(order, order)]
    for a, b in zip(
        solvers(unary, edges, cost, max_iter=5),
        solvers(unary[..., order], edges, permuted, max_iter=5),
        strict=True,
    ):
        if a.marginals is not None:  # sums in another order; ties may break the other way
            np.testing.assert_allclose(a.marginals[..., order], b.marginals, atol=1e-3)
            continue
        np.testing.assert_array_equal(a.labels, order[b.labels])
        np.testing.assert_allclose(a.energies, b.energies, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_icm_never_rises_and_ends_where_no_change_of_one_label_helps(seed) -> None:
    rng = np.random.default_rng(seed)
    shape, n = (int(rng.integers(1, 9)), int(rng.integers(1, 9))), 4
    unary, edges = random_grid(shape, n, EIGHT, rng, strength=3)
    cost = label_costs(str(rng.choice(FORMS)), n, rng)
    result = gridcrf.icm(unary, edges, label_cost=cost, labels=rng.integers(n, size=shape))
    assert result.converged
    assert (np.diff(result.energies) <= 1e-9).all()
    for y, x in np.ndindex(shape):
        for label in range(n):
            other = result.labels.copy()
            other[y, x] = label
            changed = gridcrf.energy(other, unary, edges, label_cost=cost)
            assert changed >= result.energy - 1e-5


def test_a_grid_is_the_graph_of_its_edges(rng) -> None:
    shape = (9, 11)
    unary, edges = random_grid(shape, 6, EIGHT, rng)
    pairs, weights = reference.grid_edges(edges, shape)
    for form in FORMS:
        cost = label_costs(form, 6, rng)
        grid = gridcrf.trws(unary, edges, label_cost=cost, max_iter=10, tol=0)
        graph = gridcrf.trws(
            unary.reshape(-1, 6), (pairs, weights), label_cost=cost, max_iter=10, tol=0
        )
        np.testing.assert_allclose(grid.lower_bounds, graph.lower_bounds, atol=1e-4)
        assert grid.energy == pytest.approx(graph.energy, abs=1e-3)

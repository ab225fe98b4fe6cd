"""Solve a grid's problem, and compare cuts."""

from __future__ import annotations

import numpy as np
from reference import maxflow as reference

from classicseg.graphcut import Cut, GridGraph


def solve(
    source: np.ndarray,
    sink: np.ndarray,
    weights: reference.Weights,
    n_threads: int | None = 1,
    connectivity: int | None = None,
) -> Cut:
    graph = GridGraph(source.shape, connectivity)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    return graph.solve(n_threads)


def same(a: Cut, b: Cut) -> bool:
    return (
        a.flow == b.flow
        and np.array_equal(a.mask, b.mask)
        and np.array_equal(a.maximal_mask, b.maximal_mask)
    )

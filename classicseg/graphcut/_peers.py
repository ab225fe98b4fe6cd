"""The same cut by PyMaxflow, for comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._settings import one_of
from classicseg.graphcut._contrast import Weights
from classicseg.graphcut._grid import Cut

ENGINES = ("native", "pymaxflow")


def check_engine(engine: str) -> None:
    one_of(engine, ENGINES, "engine")


def solve_with_pymaxflow(
    source: NDArray[np.float32], sink: NDArray[np.float32], weights: Weights
) -> Cut:
    """The minimum cut by Boykov-Kolmogorov's algorithm, in double precision."""
    try:
        import maxflow
    except ImportError:
        raise ImportError(
            "engine='pymaxflow' needs PyMaxflow (GPL-3): pip install 'classicseg[peers]'"
        ) from None
    # Infinite terminals must stay above what a pixel's edges carry, and sums must stay finite.
    hard = 1.0 + 4.0 * len(weights) * max((float(w.max()) for w in weights.values()), default=0.0)
    graph: Any = maxflow.GraphFloat(source.size, len(weights) * source.size)
    nodes = graph.add_grid_nodes(source.shape)
    for offset, weight in weights.items():
        structure = np.zeros((3,) * source.ndim)
        structure[tuple(1 + step for step in offset)] = 1
        graph.add_grid_edges(nodes, weight.astype(np.float64), structure, symmetric=True)
    graph.add_grid_tedges(
        nodes,
        np.where(np.isinf(source), hard, source.astype(np.float64)),
        np.where(np.isinf(sink), hard, sink.astype(np.float64)),
    )
    flow = graph.maxflow()
    mask = ~graph.get_grid_segments(nodes)
    return Cut(float(flow), mask, mask)

"""Cuts of sparse graphs: their cost edge by edge, all of them, and the peers'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from classicseg.graphcut import Cut, Graph
from reference.maxflow import all_masks


@dataclass
class Problem:
    """Capacities of a graph; `back` is None where it is symmetric."""

    source: np.ndarray
    sink: np.ndarray
    pairs: np.ndarray
    there: np.ndarray
    back: np.ndarray | None = None

    @property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        return self.there, self.there if self.back is None else self.back

    def times(self, factor: Any) -> Problem:
        back = None if self.back is None else self.back * factor
        return Problem(
            self.source * factor, self.sink * factor, self.pairs, self.there * factor, back
        )

    def solve(self, n_threads: int | None = 1) -> Cut:
        graph = Graph(len(self.source), len(self.pairs))
        self.put_into(graph)
        return graph.solve(n_threads)

    def put_into(self, graph: Graph) -> None:
        graph.set_terminals(self.source, self.sink)
        graph.set_edges(self.pairs, self.there, self.back)


def random_problem(
    rng: np.random.Generator, n_nodes: int, n_edges: int, top: int, symmetric: bool
) -> Problem:
    """Any pairs at all, loops and parallel edges among them, many capacities zero."""

    def draw(size: int, largest: int) -> np.ndarray:
        present = rng.random(size) < rng.choice([0.3, 0.7, 1.0])
        return rng.integers(0, largest, size, endpoint=True) * present

    near = rng.integers(0, n_nodes, (n_edges, 1)) + rng.integers(-3, 4, (n_edges, 2))
    far = rng.integers(0, n_nodes, (n_edges, 2))
    pairs = np.where(rng.random((n_edges, 1)) < rng.choice([0.0, 0.5, 1.0]), near % n_nodes, far)
    back = None if symmetric else draw(n_edges, top)
    return Problem(draw(n_nodes, 3 * top), draw(n_nodes, 3 * top), pairs, draw(n_edges, top), back)


def cut_cost(problem: Problem, mask: np.ndarray) -> Any:
    """What the cut with that source side costs."""
    total = problem.sink[mask].sum().item() + problem.source[~mask].sum().item()
    first, second = (mask[problem.pairs[:, side]] for side in (0, 1))
    there, back = problem.both
    return total + there[first & ~second].sum().item() + back[second & ~first].sum().item()


def all_minimum_cuts(problem: Problem) -> tuple[int, np.ndarray, np.ndarray]:
    """The least cost of all 2^n cuts, and what all, or any, of the best source sides hold."""
    inside = all_masks(len(problem.source))
    costs = inside @ problem.sink + ~inside @ problem.source
    first, second = (inside[:, problem.pairs[:, side]] for side in (0, 1))
    there, back = problem.both
    costs = costs + (first & ~second) @ there + (second & ~first) @ back
    best = inside[costs == costs.min()]
    return int(costs.min()), best.all(axis=0), best.any(axis=0)


def pymaxflow(problem: Problem) -> tuple[Any, np.ndarray]:
    """Flow and a minimum cut by the peer, in integers or in doubles."""
    import maxflow

    exact = problem.source.dtype.kind == "i"
    graph = (maxflow.GraphInt if exact else maxflow.GraphFloat)()
    dtype = np.int64 if exact else np.float64
    nodes = graph.add_grid_nodes(len(problem.source))
    proper = problem.pairs[:, 0] != problem.pairs[:, 1]  # it takes no loops
    if proper.any():
        there, back = (np.asarray(side, dtype)[proper] for side in problem.both)
        graph.add_edges(problem.pairs[proper, 0], problem.pairs[proper, 1], there, back)
    graph.add_grid_tedges(nodes, problem.source.astype(dtype), problem.sink.astype(dtype))
    flow = graph.maxflow()
    return flow, ~graph.get_grid_segments(nodes)


def networkx_flow(problem: Problem) -> int:
    """The flow by another peer, with none of our conventions but the terminals'."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(["source", "sink"])

    def add(tail: Any, head: Any, capacity: int) -> None:
        before = graph.get_edge_data(tail, head, {"capacity": 0})["capacity"]
        graph.add_edge(tail, head, capacity=before + int(capacity))

    for node, (source, sink) in enumerate(zip(problem.source, problem.sink, strict=True)):
        add("source", node, source)
        add(node, "sink", sink)
    for (i, j), there, back in zip(problem.pairs.tolist(), *problem.both, strict=True):
        add(i, j, there)
        add(j, i, back)
    return int(networkx.maximum_flow_value(graph, "source", "sink"))

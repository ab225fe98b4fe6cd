"""Max-flow / min-cut on any sparse graph."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import check_threads, whole
from classicseg._kernels import ext
from classicseg._memory import expect_memory
from classicseg.graphcut._capacities import Kind, as_capacities, as_terminals
from classicseg.graphcut._edges import as_pairs
from classicseg.graphcut._grid import Cut

__all__ = ["Graph"]

# Node numbers and distances share 32 bits in the kernel, and arc numbers have 31.
_MAX_NODES = 2**29
_MAX_EDGES = 2**30
# What an edge and a node take with 32-bit capacities.
_EDGE_BYTES, _NODE_BYTES = 24, 30


@dataclass(frozen=True)
class _Edges:
    pairs: NDArray[np.int32]
    forward: NDArray[Any]
    backward: NDArray[Any]  # the same object where the edges are symmetric


class Graph:
    """A max-flow problem on any sparse graph, such as the adjacency of superpixels, solved exactly.

    Set the capacities with `set_terminals` and `set_edges`, then `solve`. After a change of either,
    `solve` starts from the flow that is there, as long as the edges join the same nodes. Arcs lie
    in compressed rows: about 50 bytes an edge and 40 a node with what was set. It is fastest where
    neighbours have close numbers, as superpixels do that are numbered row by row.

    Capacities are exact or rounded as `GridGraph`'s: integers exactly; floats to multiples of a
    power of two that is at most 2**-24 for float32, 2**-47 for float64 (2**-35 at ten million
    nodes) of what the edges of one node carry, at most, twice (away from it and towards it), and at
    least 2**-1000. The flow is then off by at most half of that for each edge and node cut.

    Parameters
    ----------
    n_nodes : int
        At least 1, under 2**29.
    n_edges : int, optional
        How many edges there are. Not needed; where it is given, `set_edges` takes no other number.

    Raises
    ------
    ValueError, TypeError
        For another number of nodes or edges.

    References
    ----------
    The method is described in ``classicseg/_core/graph_search.hpp``; it follows A. Goldberg et al.:
    Faster and more dynamic maximum flow by incremental breadth-first search. ESA 2015.
    doi:10.1007/978-3-662-48350-3_52

    Examples
    --------
    >>> graph = Graph(3)
    >>> graph.set_terminals(source=np.array([5, 0, 0]), sink=np.array([0, 0, 5]))
    >>> graph.set_edges(pairs=np.array([[0, 1], [1, 2]]), weights=np.array([3, 2]))
    >>> cut = graph.solve()
    >>> cut.flow, cut.mask
    (2, array([ True,  True, False]))
    """

    def __init__(self, n_nodes: int, n_edges: int | None = None) -> None:
        self.n_nodes = _count(n_nodes, "n_nodes", 1, _MAX_NODES)
        self.n_edges = None if n_edges is None else _count(n_edges, "n_edges", 0, _MAX_EDGES)
        zeros = np.zeros(self.n_nodes, np.int32)
        self._terminals: tuple[NDArray[Any], NDArray[Any]] = (zeros, zeros)
        none = np.zeros(0, np.int32)
        self._edges = _Edges(np.zeros((0, 2), np.int32), none, none)
        self._solver: _Solver | None = None
        self._solving = threading.Lock()

    def set_terminals(self, source: ArrayLike, sink: ArrayLike) -> None:
        """Set, or replace, the capacities between the nodes and the terminals.

        Parameters
        ----------
        source : (n_nodes,) array or number
            ``source[i]`` is paid when i ends on the sink side. At least 0; ``inf`` forces i to the
            source side.
        sink : (n_nodes,) array or number
            ``sink[i]`` is paid when i ends on the source side.

        Raises
        ------
        ValueError, TypeError
            For another shape, negative values, NaN, infinity in both at one node, or integers above
            2**62.
        """
        self._terminals = as_terminals(source, sink, (self.n_nodes,))

    def set_edges(
        self, pairs: ArrayLike, weights: ArrayLike, reverse_weights: ArrayLike | None = None
    ) -> None:
        """Set, or replace, the edges and their capacities.

        Parameters
        ----------
        pairs : (E, 2) integers
            The nodes that each edge joins. Edges between the same two nodes add up; an edge from a
            node to itself is never cut.
        weights : (E,) array or number
            Capacity from the first node of each pair to the second, at least 0.
        reverse_weights : (E,) array or number, optional
            Capacity from the second to the first. Default: `weights`, a symmetric graph.

        Raises
        ------
        ValueError, TypeError
            For other shapes, nodes that there are not, negative or non-finite values.
        """
        checked = as_pairs(pairs, "pairs", self.n_nodes).astype(np.int32)
        if len(checked) >= _MAX_EDGES:
            expect_memory(_EDGE_BYTES * len(checked), f"a graph of {len(checked)} edges")
            raise ValueError(f"pairs has {len(checked)} edges, expected under 2**30")
        if self.n_edges is not None and len(checked) != self.n_edges:
            raise ValueError(f"pairs has {len(checked)} edges, expected n_edges={self.n_edges}")
        shape = (len(checked),)
        forward = as_capacities(weights, "weights", shape)
        backward = forward
        if reverse_weights is not None:
            backward = as_capacities(reverse_weights, "reverse_weights", shape)
            dtype = np.result_type(forward, backward)
            forward = forward.astype(dtype, copy=False)
            backward = backward.astype(dtype, copy=False)
        if np.array_equal(checked, self._edges.pairs):
            checked = self._edges.pairs  # the same object tells the solver that it may stay warm
        self._edges = _Edges(checked, forward, backward)

    def solve(self, n_threads: int | None = None) -> Cut:
        """Find the maximum flow and both extreme minimum cuts.

        Parameters
        ----------
        n_threads : int, optional
            Default: all cores. The result does not depend on it.

        Returns
        -------
        Cut
            With masks of shape (n_nodes,).

        Raises
        ------
        ValueError
            If integer capacities are too large to be added up in 64 bits, or floats in doubles.
        MemoryError
            If the graph does not fit.
        """
        threads = check_threads(n_threads)
        edges, terminals = self._edges, self._terminals
        load_of = getattr(ext, f"largest_load_{edges.forward.dtype.name}")
        load = load_of(edges.pairs, edges.forward, edges.backward, self.n_nodes)
        kind = Kind.of(load, [edges.forward], terminals)
        with self._solving:
            # Taken out while it works: one that an exception stopped half-way is not used again.
            solver, self._solver = self._solver, None
            if solver is None or not solver.can_take(kind, edges):
                solver = None  # frees the old one before the new one needs its memory
                size = f"a graph of {self.n_nodes} nodes and {len(edges.pairs)} edges"
                per_edge, per_node = (40, 40) if kind.wide else (_EDGE_BYTES, _NODE_BYTES)
                expect_memory(per_edge * len(edges.pairs) + per_node * self.n_nodes, size)
                solver = _Solver(self.n_nodes, kind)
            cut = solver.solve(edges, terminals, threads)
            self._solver = solver
        return cut


class _Solver:
    """A kernel's graph, and what was put into it last."""

    def __init__(self, n_nodes: int, kind: Kind) -> None:
        self.n_nodes = n_nodes
        self.kind = kind
        self._graph = ext.GraphMaxflow(n_nodes, kind.wide, kind.limit)
        self._edges: _Edges | None = None
        self._terminals: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._base: int | float = 0

    def can_take(self, kind: Kind, edges: _Edges) -> bool:
        """Whether the flow that is there is of use for these edges."""
        same_pairs = self._edges is not None and self._edges.pairs is edges.pairs
        return same_pairs and self.kind.can_take(kind)

    def solve(
        self, edges: _Edges, terminals: tuple[NDArray[Any], NDArray[Any]], n_threads: int
    ) -> Cut:
        scale = self.kind.scale
        if self._edges is None:
            both = self._converted(edges.forward, edges.backward)
            build = getattr(self._graph, f"build_{both[0].dtype.name}")
            build(edges.pairs, *both, scale or 1.0)
        elif self._edges is not edges:
            old = self._edges.forward, self._edges.backward
            all_four = self._converted(edges.forward, edges.backward, *old)
            change = getattr(self._graph, f"change_{all_four[0].dtype.name}")
            change(edges.pairs, *all_four, scale or 1.0)
        self._edges = edges
        if self._terminals is not terminals:
            source, sink, *before = self._converted(*terminals, *(self._terminals or ()))
            set_terminals = getattr(self._graph, f"set_terminals_{source.dtype.name}")
            self._base = set_terminals(source, sink, *(before or (None, None)), scale or 1.0)
            self._terminals = terminals
        minimal = np.empty(self.n_nodes, np.uint8)
        maximal = np.empty(self.n_nodes, np.uint8)
        flow = self._graph.solve(minimal, maximal, n_threads)
        total = self._base + (flow if scale is None else flow / scale)
        return Cut(total, minimal.view(np.bool_), maximal.view(np.bool_))

    def _converted(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        """In one dtype; integers among floating-point capacities become floats."""
        dtype = np.result_type(*arrays)
        if self.kind.scale is not None and dtype.kind == "i":
            dtype = np.dtype(np.float64)
        return [array.astype(dtype, copy=False) for array in arrays]


def _count(value: int, name: str, low: int, end: int) -> int:
    number = whole(value, name)
    if not low <= number < end:
        raise ValueError(f"{name} is {value!r}, expected {low} to 2**{end.bit_length() - 1} - 1")
    return number

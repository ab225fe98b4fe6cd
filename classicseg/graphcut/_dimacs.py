"""Max-flow problems in DIMACS files."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from classicseg._files import atomic, explained, path_of
from classicseg._kernels import ext
from classicseg.graphcut._graph import Graph

__all__ = ["read_dimacs", "write_dimacs"]

_MAX_CAPACITY = 2**62


def read_dimacs(path: str | os.PathLike[str]) -> Graph:
    """Read a maximum-flow problem from a DIMACS file.

    Parameters
    ----------
    path : path
        ``p max NODES ARCS``, then ``n NODE s``, ``n NODE t``, ``a TAIL HEAD CAPACITY`` in any
        order, one to a line; ``c`` begins a comment. Capacities are whole numbers up to 2**62.

    Returns
    -------
    Graph
        Node ``i`` is the file's node ``i + 1``. The file's source and sink are among them: they
        have no edges, and end on their sides. Arcs from the source and to the sink are the
        terminals' capacities; those into the source or out of the sink never carry any flow to the
        sink, and are left out. The flow counts an arc from the source straight to the sink.
        Opposite and parallel arcs make one edge.

    Raises
    ------
    FileNotFoundError, PermissionError, IsADirectoryError
        If there is no file that can be read.
    ValueError
        For a malformed file, with the number of the line.

    References
    ----------
    The format: D. Johnson, C. McGeoch (editors): Network flows and matching, first DIMACS
    implementation challenge. 1993. doi:10.1090/dimacs/012

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "small.max"
    ...     _ = file.write_text("p max 3 2\\nn 1 s\\nn 3 t\\na 1 2 5\\na 2 3 4\\n")
    ...     cut = read_dimacs(file).solve()
    >>> cut.flow, cut.mask
    (4, array([ True,  True, False]))
    """
    with explained(path, "a DIMACS max-flow problem"):
        n_nodes, start, end, arcs = ext.parse_dimacs(path_of(path).read_bytes())
        return _graph_of(n_nodes, start - 1, end - 1, arcs)


def write_dimacs(path: str | os.PathLike[str], graph: Graph) -> None:
    """Write a maximum-flow problem to a DIMACS file, whole or not at all.

    Parameters
    ----------
    path : path
        An existing file is replaced.
    graph : Graph
        Its capacities must be integers. Node ``i`` becomes the file's node ``i + 1``; the source
        and the sink come after all of them. Edges and arcs without capacity are left out.

    Raises
    ------
    TypeError
        For floating-point capacities.
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be made there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> graph = Graph(2)
    >>> graph.set_terminals(source=np.array([5, 0]), sink=np.array([0, 5]))
    >>> graph.set_edges(pairs=np.array([[0, 1]]), weights=3, reverse_weights=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_dimacs(Path(folder) / "small.max", graph)
    ...     print((Path(folder) / "small.max").read_text())
    p max 4 3
    n 3 s
    n 4 t
    a 3 1 5
    a 2 4 5
    a 1 2 3
    <BLANKLINE>
    """
    if not isinstance(graph, Graph):
        raise TypeError(f"graph is a {type(graph).__name__}, expected a Graph")
    (source, sink), edges = graph._terminals, graph._edges
    for name, array in (("terminals", source), ("edges", edges.forward)):
        if array.dtype.kind == "f":
            raise TypeError(
                f"graph's {name} are {array.dtype}, expected integers: the format has no others "
                "(multiply by a factor and round)"
            )
    start, end = graph.n_nodes + 1, graph.n_nodes + 2
    nodes = np.arange(1, graph.n_nodes + 1)
    first, second = edges.pairs[:, 0] + 1, edges.pairs[:, 1] + 1
    groups = [
        (np.full_like(nodes, start), nodes, source),
        (nodes, np.full_like(nodes, end), sink),
        (first, second, edges.forward * (first != second)),
        (second, first, edges.backward * (first != second)),
    ]
    tails, heads, capacities = (np.concatenate(columns) for columns in zip(*groups, strict=True))
    used = capacities > 0
    arcs = (column[used].tolist() for column in (tails, heads, capacities))
    lines = "".join(map("a {} {} {}\n".format, *arcs))
    text = f"p max {end} {int(used.sum())}\nn {start} s\nn {end} t\n{lines}"
    with atomic(path) as file:
        file.write(text.encode())


def _graph_of(n_nodes: int, start: int, end: int, arcs: NDArray[np.int64]) -> Graph:
    tail, head, capacity = arcs[:, 0] - 1, arcs[:, 1] - 1, arcs[:, 2]
    from_source, to_sink = tail == start, head == end
    straight = from_source & to_sink
    source = _sums(head, capacity, from_source & ~straight, n_nodes)
    sink = _sums(tail, capacity, to_sink & ~straight, n_nodes)
    # No edges keep the terminals' own nodes on their sides, and what goes straight pays either way.
    direct = _sums(tail, capacity, straight, n_nodes)[start]
    if direct >= _MAX_CAPACITY:
        raise ValueError("the arcs from the source to the sink carry 2**62 or more")
    source[start], sink[start] = direct + 1, direct
    source[end], sink[end] = 0, 1
    useless = from_source | to_sink | (head == start) | (tail == end) | (tail == head)
    between = np.flatnonzero(~useless)
    pairs, weights, reverse_weights = _merged(tail[between], head[between], capacity[between])
    graph = Graph(n_nodes)
    graph.set_terminals(source, sink)
    graph.set_edges(pairs, weights, reverse_weights)
    return graph


def _merged(
    tail: NDArray[np.int64], head: NDArray[np.int64], capacity: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """One edge for all arcs between two nodes: the pairs, and capacities there and back."""
    key = np.minimum(tail, head) << 32 | np.maximum(tail, head)
    keys, edge = np.unique(key, return_inverse=True)
    forward = tail < head
    pairs = np.stack([keys >> 32, keys & (2**32 - 1)], 1)
    weights = _sums(edge, capacity, forward, len(keys))
    return pairs, weights, _sums(edge, capacity, ~forward, len(keys))


def _sums(
    place: NDArray[np.int64], values: NDArray[np.int64], chosen: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    """Exact sums of the chosen values that have the same place."""
    where, what = place[chosen], values[chosen]
    sums = np.zeros(size, np.int64)
    if where.size and np.bincount(where, what).max() > _MAX_CAPACITY:
        raise ValueError("parallel arcs carry more than 2**62 together")
    np.add.at(sums, where, what)
    return sums

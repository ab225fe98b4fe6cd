"""Max-flow / min-cut on pixel grids."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import check_threads
from classicseg._kernels import ext
from classicseg.graphcut._capacities import Kind, as_capacities, as_terminals

__all__ = ["Cut", "GridGraph"]

# The kernel's directions: raster order, the opposite of number k is number 7 - k.
_DIRECTIONS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
# Node numbers and distances share 32 bits in the kernel.
_MAX_NODES = 2**29


@dataclass(frozen=True)
class Cut:
    """A minimum cut.

    Attributes
    ----------
    flow : int or float
        The maximum flow, which is the cost of the cut: an int where all capacities are integers.
    mask : (H, W) bool
        True on the source side, in the smallest of the minimum cuts' source sides.
    maximal_mask : (H, W) bool
        The largest one. Both are unique: they do not depend on the number of threads or on what
        was solved before. They differ where the minimum cut is not unique.
    """

    flow: int | float
    mask: NDArray[np.bool_]
    maximal_mask: NDArray[np.bool_]


class GridGraph:
    """A max-flow problem on a 4- or 8-connected pixel grid, solved exactly.

    Set the capacities with `set_terminals` and `set_edges`, then `solve`. After a change of either,
    `solve` starts from the flow that is there and costs a fraction of the first time. The grid is
    implicit: no node or edge objects, about 90 bytes a pixel.

    Integer capacities are solved exactly, and so are the masks. Floating-point capacities are
    rounded to multiples of a power of two before they are solved exactly. It is at most 2**-24 for
    float32, 2**-47 for float64 (2**-35 at ten megapixels) of the largest capacities of the up to 8
    edges at a pixel, added up, and at least 2**-1000. The flow is then off by at most half of that
    for each edge and pixel cut.

    Parameters
    ----------
    shape : (H, W)
        At most 2**29 pixels, margins included.
    connectivity : 4 or 8
        Which neighbours edges lead to. Default 8.

    Raises
    ------
    ValueError, TypeError
        For another shape or connectivity.

    References
    ----------
    The method is described in ``classicseg/_core/sweep_repair.hpp``; it follows A. Goldberg et al.:
    Faster and more dynamic maximum flow by incremental breadth-first search. ESA 2015.
    doi:10.1007/978-3-662-48350-3_52

    Examples
    --------
    >>> graph = GridGraph((1, 3), connectivity=4)
    >>> graph.set_terminals(source=np.array([[5, 0, 0]]), sink=np.array([[0, 0, 5]]))
    >>> graph.set_edges({(0, 1): np.array([[3, 2, 0]])})
    >>> cut = graph.solve()
    >>> cut.flow, cut.mask
    (2, array([[ True,  True, False]]))
    """

    def __init__(self, shape: tuple[int, int], connectivity: int = 8) -> None:
        self.shape = _check_shape(shape)
        if connectivity not in (4, 8):
            raise ValueError(f"connectivity is {connectivity!r}, expected 4 or 8")
        self.connectivity = connectivity
        self._edges: dict[int, NDArray[Any]] = {}
        self._largest: dict[int, int | float] = {}  # capacity of each direction's edges
        zeros = np.zeros(self.shape, np.int32)
        self._terminals: tuple[NDArray[Any], NDArray[Any]] = (zeros, zeros)
        self._solver: _Solver | None = None
        self._solving = threading.Lock()

    def set_terminals(self, source: ArrayLike, sink: ArrayLike) -> None:
        """Set, or replace, the capacities between the pixels and the terminals.

        Parameters
        ----------
        source : (H, W) array or number
            ``source[p]`` is paid when p ends on the sink side. At least 0; ``inf`` forces p to
            the source side.
        sink : (H, W) array or number
            ``sink[p]`` is paid when p ends on the source side.

        Raises
        ------
        ValueError, TypeError
            For another shape, negative values, NaN, infinity in both at one pixel, or integers
            above 2**62.
        """
        self._terminals = as_terminals(source, sink, self.shape)

    def _set_checked_terminals(self, source: NDArray[Any], sink: NDArray[Any]) -> None:
        """`set_terminals` of new arrays that are known to be right and that nobody writes to."""
        self._terminals = (source, sink)

    def set_edges(self, weights: Mapping[tuple[int, int], ArrayLike]) -> None:
        """Set, or replace, the capacities between neighbouring pixels.

        Parameters
        ----------
        weights : dict of (dy, dx) to (H, W) array or number
            Entry ``[y, x]`` is the capacity from (y, x) to (y + dy, x + dx), at least 0; entries
            whose neighbour is outside the grid are ignored. An offset given without its opposite
            is symmetric; given with it, each direction has its own capacity. Offsets left out have
            no edges. `contrast_weights` makes such a dict.

        Raises
        ------
        ValueError, TypeError
            For an offset that is no neighbour, another shape, negative or non-finite values.
        """
        if not isinstance(weights, Mapping):
            raise TypeError(f"weights is a {type(weights).__name__}, expected a dict of (dy, dx)")
        edges: dict[int, NDArray[Any]] = {}
        for offset, value in weights.items():
            if offset not in _DIRECTIONS or (self.connectivity == 4 and 0 not in offset):
                raise ValueError(
                    f"weights has the offset {offset!r}, expected neighbours (dy, dx) of a "
                    f"{self.connectivity}-connected grid"
                )
            direction = _DIRECTIONS.index(offset)
            used = _pixels_with_neighbour(_DIRECTIONS[direction])
            edges[direction] = as_capacities(value, f"weights[{offset}]", self.shape, used)
        if edges:
            dtype = np.result_type(*edges.values())
            edges = {k: array.astype(dtype, copy=False) for k, array in edges.items()}
        self._edges = edges
        self._largest = {k: _largest(array, _DIRECTIONS[k]) for k, array in edges.items()}

    def solve(self, n_threads: int | None = None) -> Cut:
        """Find the maximum flow and both extreme minimum cuts.

        Parameters
        ----------
        n_threads : int, optional
            Default: all cores. The result does not depend on it.

        Returns
        -------
        Cut

        Raises
        ------
        ValueError
            If integer capacities are too large to be added up in 64 bits, or floats in doubles.
        MemoryError
            If the graph does not fit.
        """
        threads = check_threads(n_threads)
        edges, terminals = self._edges, self._terminals
        kind = Kind.of(_load(self._largest), edges.values(), terminals)
        with self._solving:
            # Taken out while it works: one that an exception stopped half-way is not used again.
            solver, self._solver = self._solver, None
            if solver is None or not solver.kind.can_take(kind):
                solver = None  # frees the old one before the new one needs its memory
                solver = _Solver(self.shape, kind)
            cut = solver.solve(edges, terminals, threads)
            self._solver = solver
        return cut


def _largest(array: NDArray[Any], offset: tuple[int, int]) -> Any:
    used = array[_pixels_with_neighbour(offset)]
    return used.max().item() if used.size else 0


def _load(largest: Mapping[int, int | float]) -> Any:
    """No less than what the edges of any pixel carry, away from it or towards it."""
    return sum(largest[k] if 7 - k in largest else 2 * largest[k] for k in largest)


class _Solver:
    """A kernel's graph, and what was put into it last."""

    def __init__(self, shape: tuple[int, int], kind: Kind) -> None:
        self.shape = shape
        self.kind = kind
        self._graph = ext.GridMaxflow(*shape, kind.wide, kind.limit)
        self._edges: dict[int, NDArray[Any]] | None = None
        self._terminals: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._base: int | float = 0

    def solve(
        self,
        edges: dict[int, NDArray[Any]],
        terminals: tuple[NDArray[Any], NDArray[Any]],
        n_threads: int,
    ) -> Cut:
        scale = self.kind.scale
        if self._edges is not edges:
            symmetric = not any(7 - k in edges for k in edges)
            arrays = {k: self._converted(array) for k, array in edges.items()}
            suffix = next(iter(arrays.values())).dtype.name if arrays else "int32"
            towards = [arrays.get(k) for k in range(8)]
            set_arcs = getattr(self._graph, f"set_arcs_{suffix}")
            set_arcs(towards, symmetric, scale or 1.0, n_threads)
            self._edges = edges
        if self._terminals is not terminals:
            now = [self._converted(array) for array in terminals]
            before: list[NDArray[Any]] = []
            if self._terminals is not None:
                before = [self._converted(array) for array in self._terminals]
                dtype = np.result_type(now[0], before[0])
                now = [array.astype(dtype, copy=False) for array in now]
                before = [array.astype(dtype, copy=False) for array in before]
            set_terminals = getattr(self._graph, f"set_terminals_{now[0].dtype.name}")
            self._base = set_terminals(*now, before, scale or 1.0, n_threads)
            self._terminals = terminals
        minimal = np.empty(self.shape, np.uint8)
        maximal = np.empty(self.shape, np.uint8)
        flow = self._graph.solve(minimal, maximal, n_threads)
        total = self._base + (flow if scale is None else flow / scale)
        return Cut(total, minimal.view(np.bool_), maximal.view(np.bool_))

    def _converted(self, array: NDArray[Any]) -> NDArray[Any]:
        """Integers among floating-point capacities become floats."""
        if self.kind.scale is not None and array.dtype.kind == "i":
            return array.astype(np.float64)
        return array


def _check_shape(shape: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = (int(n) for n in shape if int(n) == n)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"shape is {shape!r}, expected (height, width)") from None
    if height < 1 or width < 1:
        raise ValueError(f"shape is {shape!r}, expected at least one row and one column")
    nodes = (height + 2) * ((width + 9) // 8 * 8)
    if nodes >= _MAX_NODES:
        raise ValueError(f"shape is {shape!r}, {nodes} nodes with margins, expected under 2**29")
    return height, width


def _pixels_with_neighbour(offset: tuple[int, int]) -> tuple[slice, slice]:
    """The part of a grid whose neighbour at the offset lies in the grid."""
    dy, dx = offset
    return (
        slice(max(0, -dy), -dy if dy > 0 else None),
        slice(max(0, -dx), -dx if dx > 0 else None),
    )

"""Max-flow / min-cut on the pixels of images and volumes."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import check_threads
from classicseg._kernels import ext
from classicseg._memory import expect_memory
from classicseg._offsets import Offset, with_neighbour
from classicseg._stop import Stopped
from classicseg.graphcut._capacities import Kind, as_capacities, as_terminals
from classicseg.graphcut._neighbours import OFFSETS, check_connectivity

__all__ = ["Cut", "GridGraph"]

# Node numbers and distances share 32 bits in the kernel.
_MAX_NODES = 2**29
# What the least demanding grid takes for each.
_LEAST_BYTES = 55


@dataclass(frozen=True)
class Cut:
    """A minimum cut.

    Attributes
    ----------
    flow : int or float
        The maximum flow, which is the cost of the cut: an int where all capacities are integers.
    mask : (H, W) or (D, H, W) bool
        True on the source side, in the smallest of the minimum cuts' source sides.
    maximal_mask : (H, W) or (D, H, W) bool
        The largest one. Both are unique: they do not depend on the number of threads or on what
        was solved before. They differ where the minimum cut is not unique.
    """

    flow: int | float
    mask: NDArray[np.bool_]
    maximal_mask: NDArray[np.bool_]


class GridGraph:
    """A max-flow problem on the pixels of an image or a volume, solved exactly.

    Set the capacities with `set_terminals` and `set_edges`, then `solve`. After a change of either,
    `solve` starts from the flow that is there and costs a fraction of the first time. The grid is
    implicit: no node or edge objects; the solver takes about 65 bytes a pixel of an image, 55 of a
    6-connected and 190 of a 26-connected volume beside a copy of what was set, up to twice that
    where it needs 64-bit capacities.

    Integer capacities are solved exactly, and so are the masks. Floating-point capacities are
    rounded to multiples of a power of two before they are solved exactly. It is at most 2**-24 for
    float32, 2**-47 for float64 (2**-35 at ten megapixels) of the largest capacities of the edges at
    a pixel, added up, and at least 2**-1000. The flow is then off by at most half of that for each
    edge and pixel cut.

    Parameters
    ----------
    shape : (H, W) or (D, H, W)
        Of an image or a volume; at most 2**29 pixels, margins included.
    connectivity : 4 or 8, in a volume 6 or 26
        Which neighbours edges lead to. Default 8 in images and 6 in volumes.

    Raises
    ------
    ValueError, TypeError
        For another shape or connectivity.
    MemoryError
        If it is so large that no machine like this one can hold it.

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

    A volume, with a number for the capacities of all edges along the first axis:

    >>> graph = GridGraph((3, 1, 1))
    >>> graph.set_terminals(source=np.array([5, 0, 0]).reshape(3, 1, 1), sink=1)
    >>> graph.set_edges({(1, 0, 0): 3})
    >>> cut = graph.solve()
    >>> cut.flow, cut.mask.ravel()
    (3, array([ True,  True,  True]))
    """

    def __init__(self, shape: tuple[int, ...], connectivity: int | None = None) -> None:
        self.shape = _check_shape(shape)
        self.connectivity = check_connectivity(connectivity, len(self.shape))
        self._edges: dict[Offset, NDArray[Any]] = {}
        self._largest: dict[Offset, int | float] = {}  # capacity of each offset's edges
        zeros = np.zeros(self.shape, np.int32)
        self._terminals: tuple[NDArray[Any], NDArray[Any]] = (zeros, zeros)
        self._solver: _Solver | None = None
        self._solving = threading.Lock()

    def set_terminals(self, source: ArrayLike, sink: ArrayLike) -> None:
        """Set, or replace, the capacities between the pixels and the terminals.

        Parameters
        ----------
        source : array of the grid's shape, or number
            ``source[p]`` is paid when p ends on the sink side. At least 0; ``inf`` forces p to
            the source side.
        sink : array of the grid's shape, or number
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

    def set_edges(self, weights: Mapping[Offset, ArrayLike]) -> None:
        """Set, or replace, the capacities between neighbouring pixels.

        Parameters
        ----------
        weights : dict of (dy, dx) or (dz, dy, dx) to array of the grid's shape, or number
            Entry ``[y, x]`` is the capacity from (y, x) to (y + dy, x + dx), at least 0, and
            likewise in volumes; entries whose neighbour is outside the grid are ignored. An offset
            given without its opposite is symmetric; given with it, each direction has its own
            capacity. Offsets left out have no edges. `contrast_weights` makes such a dict.

        Raises
        ------
        ValueError, TypeError
            For an offset that is no neighbour, another shape, negative or non-finite values.
        """
        axes = "(dy, dx)" if len(self.shape) == 2 else "(dz, dy, dx)"
        if not isinstance(weights, Mapping):
            raise TypeError(f"weights is a {type(weights).__name__}, expected a dict of {axes}")
        neighbours = OFFSETS[self.connectivity]
        edges: dict[Offset, NDArray[Any]] = {}
        for given, value in weights.items():
            if given not in neighbours:
                raise ValueError(
                    f"weights has the offset {given!r}, expected neighbours {axes} of a "
                    f"{self.connectivity}-connected grid"
                )
            offset = neighbours[neighbours.index(given)]  # in plain ints
            used = with_neighbour(offset)
            edges[offset] = as_capacities(value, f"weights[{given}]", self.shape, used)
        if edges:
            dtype = np.result_type(*edges.values())
            edges = {offset: array.astype(dtype, copy=False) for offset, array in edges.items()}
        self._edges = edges
        self._largest = {offset: _largest(array, offset) for offset, array in edges.items()}

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
                solver = _Solver(self.shape, self.connectivity, kind)
            try:
                cut = solver.solve(edges, terminals, threads)
            except Stopped:
                # Searches stop between pushes: what flow there is can be gone on from.
                self._solver = solver if solver.has_flow else None
                raise
            self._solver = solver
        return cut

    @property
    def _has_solution(self) -> bool:
        """Whether `_solve_again` has one to go on from: an interrupt may have lost it."""
        return self._solver is not None and self._solver.solved

    def _solve_again(
        self,
        source: NDArray[Any],
        sink: NDArray[Any],
        corner: tuple[int, int],
        mask: NDArray[np.bool_],
        n_threads: int,
    ) -> tuple[int, int, int, int]:
        """Replace an image's terminals in a window after `solve`; solve again by work near it.

        `mask` is the minimal cut before, and after. Returns the window (y0, y1, x0, x1) outside of
        which it has stayed. The terminals must have come from `_set_checked_terminals`; they are
        written to.
        """
        window = tuple(
            slice(start, start + size) for start, size in zip(corner, source.shape, strict=True)
        )
        before = [np.ascontiguousarray(array[window]) for array in self._terminals]
        with self._solving:
            solver, self._solver = self._solver, None
            assert solver is not None  # `_has_solution`
            box = solver.solve_again(source, sink, before, corner, mask, n_threads)
            self._solver = solver
        for array, part in zip(self._terminals, (source, sink), strict=True):
            array[window] = part
        return box


def _opposite(offset: Offset) -> Offset:
    return tuple(-step for step in offset)


def _largest(array: NDArray[Any], offset: Offset) -> Any:
    used = array[with_neighbour(offset)]
    return used.max().item() if used.size else 0


def _load(largest: Mapping[Offset, int | float]) -> Any:
    """No less than what the edges of any pixel carry, away from it or towards it."""
    return sum(largest[o] if _opposite(o) in largest else 2 * largest[o] for o in largest)


class _Solver:
    """A kernel's graph, and what was put into it last."""

    def __init__(self, shape: tuple[int, ...], connectivity: int, kind: Kind) -> None:
        self.shape = shape
        self.kind = kind
        per_pixel = {8: 65, 4: 65, 6: 55, 26: 190}[connectivity] * (2 if kind.wide else 1)
        expect_memory(per_pixel * math.prod(shape), f"a graph of shape {shape}")
        if len(shape) == 2:
            self._graph = ext.GridMaxflow(*shape, kind.wide, kind.limit)
            self._directions = OFFSETS[8]  # of which a 4-connected grid has no diagonals
        else:
            self._graph = ext.GridMaxflow(*shape, connectivity, kind.wide, kind.limit)
            self._directions = OFFSETS[connectivity]
        self._edges: dict[Offset, NDArray[Any]] | None = None
        self._terminals: tuple[NDArray[Any], NDArray[Any]] | None = None
        self._base: int | float = 0
        self.has_flow = False  # one that fits the capacities
        self.solved = False  # and is a maximum one

    def solve(
        self,
        edges: dict[Offset, NDArray[Any]],
        terminals: tuple[NDArray[Any], NDArray[Any]],
        n_threads: int,
    ) -> Cut:
        scale = self.kind.scale
        had_flow, self.has_flow, self.solved = self.has_flow, False, False
        if self._edges is not edges:
            symmetric = not any(_opposite(offset) in edges for offset in edges)
            arrays = {offset: self._converted(array) for offset, array in edges.items()}
            suffix = next(iter(arrays.values())).dtype.name if arrays else "int32"
            towards = [arrays.get(offset) for offset in self._directions]
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
        self.has_flow = had_flow  # the first search has several stages, between which there is none
        flow = self._graph.solve(_rows(minimal), _rows(maximal), n_threads)
        self.has_flow = self.solved = True
        total = self._base + (flow if scale is None else flow / scale)
        return Cut(total, minimal.view(np.bool_), maximal.view(np.bool_))

    def solve_again(
        self,
        source: NDArray[Any],
        sink: NDArray[Any],
        before: list[NDArray[Any]],
        corner: tuple[int, int],
        mask: NDArray[np.bool_],
        n_threads: int,
    ) -> tuple[int, int, int, int]:
        terminals = [self._converted(array) for array in (source, sink, *before)]
        again = getattr(self._graph, f"solve_again_{terminals[0].dtype.name}")
        scale = self.kind.scale or 1.0
        box: tuple[int, int, int, int] = again(
            *terminals, *corner, scale, mask.view(np.uint8), n_threads
        )
        return box

    def _converted(self, array: NDArray[Any]) -> NDArray[Any]:
        """Rows for the kernel. Integers among floating-point capacities become floats."""
        if self.kind.scale is not None and array.dtype.kind == "i":
            array = array.astype(np.float64)
        return _rows(array)


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    """A volume's rows below each other, as the kernel takes it: a view."""
    return array.reshape(-1, array.shape[-1])


def _check_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    try:
        checked = tuple(int(n) for n in shape if int(n) == n)
        if len(checked) != len(shape) or len(checked) not in (2, 3):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        message = f"shape is {shape!r}, expected (height, width) or (depth, height, width)"
        raise ValueError(message) from None
    if min(checked) < 1:
        raise ValueError(f"shape is {shape!r}, expected at least one pixel along each axis")
    nodes = (checked[-1] + 9) // 8 * 8
    for n in checked[:-1]:
        nodes *= n + 2
    if nodes >= _MAX_NODES:
        expect_memory(_LEAST_BYTES * nodes, f"a graph of shape {checked}")
        raise ValueError(f"shape is {shape!r}, {nodes} nodes with margins, expected under 2**29")
    return checked

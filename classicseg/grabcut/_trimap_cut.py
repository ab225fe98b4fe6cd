"""The exact cut between two energy maps under a trimap, warm from one call to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicseg._gmm import Assignment
from classicseg._kernels import ext
from classicseg._stop import Stopped
from classicseg.graphcut._contrast import Weights, cut_cost
from classicseg.graphcut._grid import GridGraph

__all__ = ["Sides", "TrimapCut", "Window", "union", "window_of"]

Window = tuple[slice, slice]
Sides = tuple[Assignment, Assignment]  # background, foreground


class TrimapCut:
    """Solves on the part of the image that is open, and keeps its graph while that part shrinks."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._graph: GridGraph | None = None
        self._window: Window = (slice(0, 0), slice(0, 0))  # what the graph covers
        self._cut = np.zeros((0, 0), np.bool_)  # its last one
        self._mask = np.zeros((0, 0), np.bool_)  # of the image

    def solve(
        self, sides: Sides, trimap: NDArray[np.uint8], n_threads: int
    ) -> tuple[NDArray[np.bool_], float]:
        """The best mask and its energy; pixels of trimap 0 and 1 keep their side."""
        mask: NDArray[np.bool_] = trimap == 1
        window = _open_window(trimap)
        self._mask = mask
        graph, self._graph = self._graph, None  # until it is known to be of this mask
        if window is None:
            return mask, _energy(self._weights, sides, mask, n_threads)
        if graph is None or not _contains(self._window, window):
            self._window = window
            graph = GridGraph(trimap[window].shape)
            graph.set_edges({o: weight[window] for o, weight in self._weights.items()})
        graph._set_checked_terminals(*_terminals(sides, trimap, self._window, n_threads))
        try:
            self._cut = graph.solve(n_threads).mask
        except Stopped:
            self._graph = graph  # it has no solution, but a flow to go on from
            raise
        mask[self._window] = self._cut
        energy = _energy(self._weights, sides, mask, n_threads)
        self._graph = graph
        return mask, energy

    def solve_again(
        self, sides: Sides, trimap: NDArray[np.uint8], changed: Window, n_threads: int
    ) -> tuple[Window, NDArray[np.bool_], float] | None:
        """The best mask after a change of energies or trimap in a window, by work near it.

        Returns the window outside of which the mask has stayed, the mask in it, and by how much its
        energy differs from that of the mask before; None where the graph does not cover the change.
        """
        graph = self._graph
        if graph is None or not graph._has_solution or not _contains(self._window, changed):
            return None
        self._graph = None  # until it is known to be of the mask again
        source, sink = _terminals(sides, trimap, changed, n_threads)
        top, left = (side.start for side in self._window)
        corner = changed[0].start - top, changed[1].start - left
        y0, y1, x0, x1 = graph._solve_again(source, sink, corner, self._cut, n_threads)
        window = slice(top + y0, top + y1), slice(left + x0, left + x1)
        near = _around(window, trimap.shape)
        weights, energies = _part_of(self._weights, sides, near)
        before = _energy(weights, energies, np.ascontiguousarray(self._mask[near]), n_threads)
        mask = self._cut[y0:y1, x0:x1]
        self._mask[window] = mask
        now = _energy(weights, energies, np.ascontiguousarray(self._mask[near]), n_threads)
        self._graph = graph
        return window, mask, now - before


def _energy(weights: Weights, sides: Sides, mask: NDArray[np.bool_], n_threads: int) -> float:
    """What a mask costs: its pixels' energies and the weights of the pairs that it separates."""
    background, foreground = sides[0].energy, sides[1].energy
    data: float = ext.data_energy(background, foreground, mask.view(np.uint8), n_threads)
    return data + cut_cost(weights, mask, n_threads)


def _part_of(weights: Weights, sides: Sides, window: Window) -> tuple[Weights, Sides]:
    """Weights and energies in a window of an image."""
    background, foreground = (
        Assignment(
            np.ascontiguousarray(side.energy[window]), np.ascontiguousarray(side.component[window])
        )
        for side in sides
    )
    inside = {o: np.ascontiguousarray(weight[window]) for o, weight in weights.items()}
    return inside, (background, foreground)


def _around(window: Window, shape: tuple[int, ...]) -> Window:
    """A window and its neighbours in an image."""
    rows, columns = (
        slice(max(0, side.start - 1), min(size, side.stop + 1))
        for side, size in zip(window, shape, strict=True)
    )
    return rows, columns


def union(a: Window | None, b: Window) -> Window:
    """The smallest window with both in it."""
    if a is None:
        return b
    rows, columns = (
        slice(min(i.start, j.start), max(i.stop, j.stop)) for i, j in zip(a, b, strict=True)
    )
    return rows, columns


def _terminals(
    sides: Sides, trimap: NDArray[np.uint8], window: Window, n_threads: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows, columns = window
    shape = rows.stop - rows.start, columns.stop - columns.start
    source, sink = np.empty(shape, np.float32), np.empty(shape, np.float32)
    corner = rows.start, columns.start
    background, foreground = sides[0].energy, sides[1].energy
    ext.trimap_terminals(background, foreground, trimap, *corner, source, sink, n_threads)
    return source, sink


def _open_window(trimap: NDArray[np.uint8]) -> Window | None:
    """The smallest window with all open pixels and their neighbours; None if none is open."""
    inner = window_of(trimap >= 2)
    return None if inner is None else _around(inner, trimap.shape)


def window_of(mask: NDArray[np.bool_]) -> Window | None:
    """The smallest window with all true pixels; None if none is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _contains(outer: Window, inner: Window) -> bool:
    return all(o.start <= i.start and i.stop <= o.stop for o, i in zip(outer, inner, strict=True))

"""The exact cut between two energy maps under a trimap, warm from one call to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicseg._kernels import ext
from classicseg.graphcut._contrast import Weights
from classicseg.graphcut._grid import GridGraph

__all__ = ["TrimapCut"]

Window = tuple[slice, slice]


class TrimapCut:
    """Solves on the part of the image that is open, and keeps its graph while that part shrinks."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._graph: GridGraph | None = None
        self._window: Window = (slice(0, 0), slice(0, 0))  # what the graph covers

    def solve(
        self,
        background: NDArray[np.float32],
        foreground: NDArray[np.float32],
        trimap: NDArray[np.uint8],
        n_threads: int,
    ) -> NDArray[np.bool_]:
        """The best mask; pixels of trimap 0 and 1 keep their side."""
        mask: NDArray[np.bool_] = trimap == 1
        window = _open_window(trimap)
        if window is None:
            return mask
        if self._graph is None or not _contains(self._window, window):
            self._window = window
            self._graph = GridGraph(trimap[window].shape)
            self._graph.set_edges({o: weight[window] for o, weight in self._weights.items()})
        inside = self._window
        source = np.empty(self._graph.shape, np.float32)
        sink = np.empty(self._graph.shape, np.float32)
        corner = inside[0].start, inside[1].start
        ext.trimap_terminals(background, foreground, trimap, *corner, source, sink, n_threads)
        self._graph._set_checked_terminals(source, sink)
        mask[inside] = self._graph.solve(n_threads).mask
        return mask


def _open_window(trimap: NDArray[np.uint8]) -> Window | None:
    """The smallest window with all open pixels and their neighbours; None if none is open."""
    is_open = trimap >= 2
    rows = np.flatnonzero(is_open.any(axis=1))
    columns = np.flatnonzero(is_open.any(axis=0))
    if len(rows) == 0:
        return None
    return (
        slice(max(0, int(rows[0]) - 1), min(trimap.shape[0], int(rows[-1]) + 2)),
        slice(max(0, int(columns[0]) - 1), min(trimap.shape[1], int(columns[-1]) + 2)),
    )


def _contains(outer: Window, inner: Window) -> bool:
    return all(o.start <= i.start and i.stop <= o.stop for o, i in zip(outer, inner, strict=True))

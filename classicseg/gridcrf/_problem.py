"""The door of all solvers: unary, edges and label costs become what the kernels take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import shape_of
from classicseg._checks import as_labels, as_unary
from classicseg._kernels import ext
from classicseg.graphcut._edges import as_graph_edges, grid_weights
from classicseg.gridcrf._costs import Costs, Form, as_costs

Edges = Mapping[tuple[int, int], ArrayLike] | tuple[ArrayLike, ArrayLike] | Sequence[ArrayLike]

# Towards later pixels in raster order.
_OFFSETS = ((0, 1), (1, -1), (1, 0), (1, 1))
# What stands behind the last label. Sums of energies stay well below it, and below float32's end.
_FAR = 1e37
_LARGEST = 1e36
_MAX_NODES = 2**31 - 1


@dataclass(frozen=True)
class Problem:
    """A checked energy function."""

    shape: tuple[int, ...]  # of the labels
    unary: NDArray[np.float32]  # (N, L)
    costs: Costs
    nodes: Any  # the kernel's grid or graph
    n_slots: int  # messages
    is_grid: bool
    least_pairwise: float  # a lower bound of the sum over all edges

    @property
    def n_labels(self) -> int:
        return int(self.unary.shape[1])

    def kernel_costs(self, padded: int | None = None) -> Any:
        """The label costs in rows of `padded` floats (default: as short as a kernel takes)."""
        n = self.n_labels
        rows = [_rows(matrix, padded or -(-n // 8) * 8) for matrix in self._matrices()]
        lowest = float(self.costs.matrix.min())
        c = self.costs
        return ext.LabelCosts(int(c.form), n, c.scale, c.limit, lowest, *rows)

    def _matrices(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self.costs.matrix, self.costs.matrix.T

    def energy(self, labels: NDArray[np.int32], kernel_costs: Any, n_threads: int) -> float:
        return float(self.nodes.energy(kernel_costs, self.unary, labels, n_threads))

    def start(self) -> NDArray[np.int32]:
        """The best label of every node alone."""
        best: NDArray[np.int32] = self.unary.argmin(axis=1).astype(np.int32)
        return best


def as_problem(unary: ArrayLike, edges: Edges, label_cost: ArrayLike) -> Problem:
    """Check an energy function on a grid, unary (H, W, L), or on a graph, (N, L)."""
    shape = shape_of(unary, "unary")
    if len(shape) not in (2, 3):
        raise ValueError(
            f"unary has shape {shape}, expected (H, W, L) with a dict of weights, or (N, L) with "
            f"(pairs, weights)"
        )
    energies = as_unary(unary, shape=shape[:-1])
    n_labels = energies.shape[-1]
    costs = as_costs(label_cost, n_labels)
    flat = energies.reshape(-1, n_labels)
    if len(flat) > _MAX_NODES:
        raise ValueError(f"unary has {len(flat)} nodes, expected under 2**31")
    if isinstance(edges, Mapping):
        if energies.ndim != 3:
            raise ValueError(
                f"unary has shape {shape}, expected (H, W, L) where edges is a dict of weights"
            )
        return _grid_problem(flat, energies.shape[:2], edges, costs)
    if energies.ndim != 2:
        raise ValueError(
            f"unary has shape {shape}, expected (N, L) where edges is (pairs, weights); a grid "
            f"takes a dict of (dy, dx), which graphcut.contrast_weights makes"
        )
    return _graph_problem(flat, edges, costs)


def as_start(labels: ArrayLike, problem: Problem) -> NDArray[np.int32]:
    """Check a labelling of a problem; the result is a new flat array."""
    checked = as_labels(labels, shape=problem.shape)
    if (high := int(checked.max())) >= problem.n_labels:
        raise ValueError(
            f"labels holds the value {high}, expected 0 to {problem.n_labels - 1}, the labels of "
            f"unary"
        )
    return checked.ravel().copy()


def _grid_problem(
    unary: NDArray[np.float32],
    shape: tuple[int, ...],
    edges: Mapping[tuple[int, int], ArrayLike],
    costs: Costs,
) -> Problem:
    for offset in edges:
        if not isinstance(offset, tuple) or not (_is_later(offset) or _is_later(_back(offset))):
            raise ValueError(f"edges has the offset {offset!r}, expected neighbours (dy, dx)")
        if not costs.symmetric and not _is_later(offset):
            raise ValueError(
                f"edges has the offset {offset!r} and label_cost is not symmetric, expected "
                f"offsets among {_OFFSETS}"
            )
    height, width = shape
    total = grid_weights(edges, shape)
    diagonals = any(dx * dy for dy, dx in total)
    used = _OFFSETS if diagonals else ((0, 1), (1, 0))
    zeros = np.zeros((height, width))
    arrays = [total.get(offset, zeros) for offset in used]
    load = 2 * sum(float(array.max()) for array in arrays)
    _check_range(unary, load, costs)
    offsets = [
        (*offset, array.astype(np.float32)) for offset, array in zip(used, arrays, strict=True)
    ]
    return Problem(
        shape=(height, width),
        unary=unary,
        costs=costs,
        nodes=ext.LocalGrid(height, width, offsets),
        n_slots=height * width * len(used),
        is_grid=True,
        least_pairwise=_least(arrays, costs),
    )


def _graph_problem(unary: NDArray[np.float32], edges: Any, costs: Costs) -> Problem:
    n_nodes = len(unary)
    nodes, strength = as_graph_edges(edges, n_nodes)
    loops = nodes[:, 0] == nodes[:, 1]
    if loops.any():  # a cost of one node alone
        own = np.bincount(nodes[loops, 0], strength[loops], n_nodes)
        diagonal = np.diag(costs.matrix).astype(np.float64)
        with np.errstate(over="ignore"):
            unary = (unary + own[:, np.newaxis] * diagonal).astype(np.float32)
        if not np.isfinite(unary).all():
            raise ValueError("unary and the weights of edges from a node to itself overflow")
        nodes, strength = nodes[~loops], strength[~loops]

    # Edges of the same two nodes become one, sorted by the earlier and then by the later node.
    first, second = nodes.min(axis=1), nodes.max(axis=1)
    flipped = (nodes[:, 0] > nodes[:, 1]) & (not costs.symmetric)
    key, group = np.unique((first * n_nodes + second) * 2 + flipped, return_inverse=True)
    strength = np.bincount(group.ravel(), strength, len(key)).astype(np.float64)
    first, second, flipped = key // 2 // n_nodes, key // 2 % n_nodes, key % 2
    counts = np.bincount(first, minlength=n_nodes), np.bincount(second, minlength=n_nodes)
    starts = [np.concatenate(([0], np.cumsum(count))) for count in counts]
    load = np.bincount(first, strength, n_nodes) + np.bincount(second, strength, n_nodes)
    _check_range(unary, float(load.max()), costs)
    graph = ext.LocalGraph(
        n_nodes,
        np.stack([first, second], axis=1).astype(np.int32),
        strength.astype(np.float32),
        flipped.astype(np.uint8),
        starts[0].astype(np.int64),
        starts[1].astype(np.int64),
        np.argsort(second, kind="stable").astype(np.int64),
    )
    return Problem(
        shape=(n_nodes,),
        unary=unary,
        costs=costs,
        nodes=graph,
        n_slots=len(key),
        is_grid=False,
        least_pairwise=_least([strength], costs),
    )


def _least(weights: list[NDArray[np.float64]], costs: Costs) -> float:
    return sum(float(array.sum()) for array in weights) * float(costs.matrix.min())


def _is_later(offset: tuple[Any, ...]) -> bool:
    return offset in _OFFSETS


def _back(offset: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(-d for d in offset)


def _check_range(unary: NDArray[np.float32], load: float, costs: Costs) -> None:
    """Whether all sums at a node stay in the range of floats."""
    largest = (
        max(-float(unary.min()), float(unary.max())) * 2
        + load * float(np.abs(costs.matrix).max()) * 2
    )
    if not (largest < _LARGEST and load < _LARGEST):
        raise ValueError(
            f"unary, edges and label_cost add up to {largest:g} at one node, expected under "
            f"{_LARGEST:g}"
        )


def _rows(matrix: NDArray[np.float32], padded: int) -> NDArray[np.float32]:
    """Rows of this length; behind the last label the first is repeated."""
    n = len(matrix)
    rows = np.empty((n, padded), np.float32)
    rows[:, :n] = matrix
    rows[:, n:] = matrix[:, :1]
    return rows


def padded_length(problem: Problem) -> int:
    """Floats in a row of labels: whole registers."""
    n = problem.n_labels
    return 4 if n <= 4 and problem.is_grid else -(-n // 8) * 8


def padded_unary(problem: Problem) -> tuple[NDArray[np.float32], float]:
    """Unaries less their node's minimum, in padded rows, and the sum of the minima."""
    least = problem.unary.min(axis=1)
    rows = aligned((len(least), padded_length(problem)))
    rows[:, problem.n_labels :] = _FAR
    np.subtract(problem.unary, least[:, np.newaxis], out=rows[:, : problem.n_labels])
    return rows, float(least.sum(dtype=np.float64))


def aligned(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Zeros that begin at a cache line."""
    size = shape[0] * shape[1]
    memory = np.zeros(size + 16, np.float32)
    begin = -(memory.ctypes.data // 4) % 16
    return memory[begin : begin + size].reshape(shape)


__all__ = ["Edges", "Form", "Problem", "as_problem", "as_start", "padded_unary"]

"""Many labels by graph cuts: expansion and swap moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import shape_of
from classicseg._checks import as_labels, as_unary, check_threads
from classicseg._kernels import ext
from classicseg._memory import expect_memory
from classicseg.graphcut._edges import Edges, GridEdges, as_edges
from classicseg.graphcut._label_cost import as_label_cost, check_semi_metric, check_triangles

__all__ = ["Labelling", "alpha_beta_swap", "alpha_expansion"]

# Bits of the whole numbers that moves are decided with; the sums at a node stay below twice that.
_NARROW_BITS = 28
_WIDE_BITS = 50
# Bits of label costs that are no small whole numbers.
_COST_BITS = 16
# Unaries so much larger than the edges at a node need 64 bits for both.
_NARROW_RATIO = 2.0**6
# Pixels, and neighbours of all pixels together, are counted in 32 bits, less what the kernel marks.
_MAX_NODES = 2**29
_MAX_ARCS = 2**31 - 8


@dataclass(frozen=True)
class Labelling:
    """What expansion or swap moves came to.

    Attributes
    ----------
    labels : (H, W) or (N,) int32
    energy : float
        Of the labels.
    energies : (M + 1,) float64
        Of the labels to begin with and after each of the M moves tried; never rises.
    """

    labels: NDArray[np.int32]
    energy: float
    energies: NDArray[np.float64]


def alpha_expansion(
    unary: ArrayLike,
    edges: Any,
    *,
    label_cost: ArrayLike = 1.0,
    labels: ArrayLike | None = None,
    n_threads: int | None = None,
) -> Labelling:
    """Labels of low energy for a metric label cost, by expansion moves.

    The energy is ``sum_p unary[p, x_p] + sum_pq weight_pq * label_cost[x_p, x_q]``. A move offers
    one label to all pixels at once and finds the best set that takes it, by a minimum cut; moves go
    on until no label's move lowers the energy. The result is at most
    ``2 * max(label_cost) / min(label_cost off the diagonal)`` times the optimum's energy where no
    unary is negative (Potts: 2 times), and in practice within a few per cent.

    Parameters
    ----------
    unary : (H, W, L), (D, H, W, L) or (N, L) array
        Energies of the labels, lower is better; float32.
    edges : dict of offset to array, or (pairs, weights)
        Weights of pairs of neighbours, at least 0. For a grid a dict like that of
        `contrast_weights`: entry ``[y, x]`` of ``edges[dy, dx]`` belongs to (y, x) and
        (y + dy, x + dx); any offset will do. For a graph ``(pairs (E, 2), weights (E,))``. Parallel
        edges (an offset and its opposite) add up, loops count for nothing.
    label_cost : number or (L, L) array
        Cost of a pair of neighbours' labels: a metric. Default 1 between different labels (Potts).
    labels : array of the pixels' shape, optional
        Where to begin. Default: the label of the smallest unary.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    Labelling

    Raises
    ------
    ValueError, TypeError
        For unusable input; a label cost that is no metric, naming the labels that break it.

    Notes
    -----
    Moves are decided in whole numbers: exactly where all energies, weights and costs are whole
    (and sums at a pixel stay below 2**28 or, in 64 bits, 2**50), else after rounding to about
    2**-28 of the largest. A move is taken only if the energy itself becomes smaller.

    References
    ----------
    Y. Boykov, O. Veksler, R. Zabih: Fast approximate energy minimization via graph cuts. IEEE TPAMI
    23(11), 2001. doi:10.1109/34.969114

    V. Kolmogorov, R. Zabih: What energy functions can be minimized via graph cuts? IEEE TPAMI
    26(2), 2004. doi:10.1109/TPAMI.2004.1262177

    Examples
    --------
    >>> unary = np.array([[[0, 3, 3], [1, 0, 3], [3, 3, 0]]])  # a row of three pixels
    >>> result = alpha_expansion(unary, {(0, 1): 2})
    >>> result.labels, result.energy
    (array([[0, 0, 2]], dtype=int32), 3.0)
    """
    problem = _Problem(unary, edges, label_cost, labels, n_threads)
    if problem.cost is not None:
        check_triangles(problem.cost)
    moves = [(alpha,) for alpha in range(problem.n_labels)]
    return problem.minimise(moves, lambda solver: solver.expand)


def alpha_beta_swap(
    unary: ArrayLike,
    edges: Any,
    *,
    label_cost: ArrayLike = 1.0,
    labels: ArrayLike | None = None,
    n_threads: int | None = None,
) -> Labelling:
    """Labels of low energy for a semi-metric label cost, by swap moves.

    As `alpha_expansion`, but a move redistributes two labels among the pixels that have either of
    them. The label cost need not obey the triangle inequality; there is no bound on the energy.

    Parameters
    ----------
    unary, edges, labels, n_threads
        As in `alpha_expansion`.
    label_cost : number or (L, L) array
        Symmetric, at least 0, and 0 on the diagonal. Default 1 between different labels (Potts).

    Returns
    -------
    Labelling

    Raises
    ------
    ValueError, TypeError
        For unusable input; a label cost that is no semi-metric, naming the labels that break it.

    References
    ----------
    Y. Boykov, O. Veksler, R. Zabih: Fast approximate energy minimization via graph cuts. IEEE TPAMI
    23(11), 2001. doi:10.1109/34.969114

    Examples
    --------
    >>> unary = np.array([[0, 9, 9], [3, 4, 0], [9, 9, 0]])  # three nodes in a chain
    >>> squares = (np.arange(3) - np.arange(3)[:, None]) ** 2  # no metric
    >>> alpha_beta_swap(unary, ([[0, 1], [1, 2]], [1, 1]), label_cost=squares).labels
    array([0, 2, 2], dtype=int32)
    """
    problem = _Problem(unary, edges, label_cost, labels, n_threads)
    moves = list(combinations(range(problem.n_labels), 2))
    return problem.minimise(moves, lambda solver: solver.swap)


class _Problem:
    """A checked problem."""

    def __init__(
        self,
        unary: ArrayLike,
        edges: Any,
        label_cost: ArrayLike,
        labels: ArrayLike | None,
        n_threads: int | None,
    ) -> None:
        shape = shape_of(unary, "unary")
        if len(shape) < 2:
            raise ValueError(f"unary has shape {shape}, expected (H, W, L) or (N, L)")
        self.shape = shape[:-1]
        self.unary = as_unary(unary, "unary", self.shape).reshape(-1, shape[-1])
        self.n_labels = shape[-1]
        self.labels = None
        if labels is not None:
            self.labels = as_labels(labels, "labels", self.shape).ravel()
            if (high := int(self.labels.max())) >= self.n_labels:
                raise ValueError(f"labels holds {high}, expected labels below {self.n_labels}")
        self.edges: Edges = as_edges(edges, self.shape)
        cost = as_label_cost(label_cost, self.n_labels)
        check_semi_metric(cost)
        self.cost = cost if cost.ndim else None
        if not cost.ndim:  # Potts: its strength goes into the weights
            with np.errstate(over="ignore"):  # `_arithmetic` says so
                np.multiply(self.edges.weights, float(cost), out=self.edges.weights)
        self.threads = check_threads(n_threads)

    def minimise(
        self, moves: Sequence[tuple[int, ...]], kind: Callable[[Any], Callable[..., float]]
    ) -> Labelling:
        solver = self._solver()
        move = kind(solver)
        energies = [solver.start(self.labels, self.threads)]
        # A move is not tried again before another one has changed something.
        n_changes = 0
        tried: dict[tuple[int, ...], int] = {}
        while any(tried.get(labels) != n_changes for labels in moves):
            for labels in moves:
                if tried.get(labels) == n_changes:
                    continue
                change = move(*labels, self.threads)
                n_changes += change < 0
                tried[labels] = n_changes
                energies.append(energies[-1] + change)
        result = np.empty(len(self.unary), np.int32)
        solver.get_labels(result)
        return Labelling(result.reshape(self.shape), energies[-1], np.array(energies))

    def _solver(self) -> Any:
        wide, scale, cost_scale = self._arithmetic()
        arguments = (self.unary, self.cost, scale, cost_scale, wide)
        edges = self.edges
        n_arcs = 2 * edges.weights.size if isinstance(edges, GridEdges) else len(edges.heads)
        # The unaries in planes; weights; the graph of a move that looks at everything, twice.
        width = 8 if wide else 4
        needed = (width * self.n_labels + 60) * len(self.unary) + (3 * width + 12) * n_arcs
        expect_memory(needed, f"moves of {len(self.unary)} pixels and {n_arcs} neighbours")
        if len(self.unary) >= _MAX_NODES:
            raise ValueError(f"unary has {len(self.unary)} pixels, expected under 2**29")
        if n_arcs > _MAX_ARCS:
            raise ValueError(f"edges has {n_arcs} neighbours of pixels, expected under 2**31")
        if isinstance(edges, GridEdges):
            return ext.LabelMoves(*arguments, edges.steps, edges.weights, self.threads)
        return ext.LabelMoves(*arguments, edges.first, edges.heads, edges.weights, self.threads)

    def _arithmetic(self) -> tuple[bool, float, float]:
        """Whether 64 bits are needed, and what energies and label costs are multiplied by."""
        span, whole = ext.unary_range(self.unary, self.threads)
        dearest = 1.0 if self.cost is None else float(self.cost.max())
        with np.errstate(over="ignore", invalid="ignore"):
            load = self.edges.load * dearest
        largest = max(span, load)
        if not np.isfinite(largest * len(self.unary)):
            raise ValueError(
                f"unary, and edges times label_cost, add up to {largest:g} at a pixel: sums "
                f"overflow"
            )
        wide_bits = min(_WIDE_BITS, 61 - len(self.unary).bit_length())
        whole_cost = self.cost is None or (_whole(self.cost) and dearest <= 2**_COST_BITS)
        if whole and whole_cost and largest <= 2.0**wide_bits and _whole(self.edges.weights):
            return largest > 2**_NARROW_BITS, 1.0, 1.0
        wide = not whole_cost or span > _NARROW_RATIO * load
        bits = wide_bits if wide else _NARROW_BITS
        cost_scale = 1.0 if whole_cost else _power_of_two(_COST_BITS, dearest)
        return wide, _power_of_two(bits, largest), cost_scale


def _power_of_two(bits: int, largest: float) -> float:
    """The largest power of two times which `largest` stays below 2**bits."""
    return float(2.0 ** min(bits - int(np.frexp(largest)[1]), 1000))


def _whole(array: NDArray[np.float64]) -> bool:
    return bool((np.rint(array) == array).all())

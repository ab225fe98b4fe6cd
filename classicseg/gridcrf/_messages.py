"""Loopy belief propagation and sequential tree-reweighted message passing."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import check_threads, non_negative, positive_int
from classicseg._memory import expect_memory
from classicseg._settings import one_of, yes_or_no
from classicseg.gridcrf._problem import (
    Edges,
    Problem,
    aligned,
    as_problem,
    padded_length,
    padded_unary,
)
from classicseg.gridcrf._results import Labelling


def belief_propagation(
    unary: ArrayLike,
    edges: Edges,
    *,
    label_cost: ArrayLike = 1.0,
    max_iter: int = 50,
    tol: float = 1e-4,
    marginals: Literal["max", "sum"] | None = None,
    n_threads: int | None = None,
) -> Labelling:
    """Loopy belief propagation: max-product (min-sum), or sum-product for marginals.

    An iteration passes messages through the nodes in raster order (a graph's in the order of their
    numbers) and back, each at once used by the next. On a tree, one whose nodes are numbered along
    it at the latest after two, it is exact. With loops it need not converge, and the best labelling
    of all iterations is returned.

    Parameters
    ----------
    unary, edges, label_cost
        The energy: see `energy`.
    max_iter : int
        Iterations at most. Default 50.
    tol : float
        It ends when an iteration changes the energy by at most `tol` of what it is above the sum of
        the nodes' least unaries, or, for marginals "sum", no probability by more than `tol`.
    marginals : "max" or "sum", optional
        Also return min-marginals, of the same messages, or probabilities. "sum" passes the messages
        of sum-product instead, and `labels` are the most probable ones.
    n_threads : int, optional
        Default: all cores; graphs use one. The result does not depend on it.

    Returns
    -------
    Labelling

    Raises
    ------
    ValueError, TypeError
        As `energy`.

    References
    ----------
    P. Felzenszwalb, D. Huttenlocher: Efficient belief propagation for early vision. IJCV 70, 2006.
    doi:10.1007/s11263-006-7899-4
    R. Szeliski et al.: A comparative study of energy minimization methods for Markov random fields
    with smoothness-based priors. TPAMI 30, 2008. doi:10.1109/TPAMI.2007.70844

    Examples
    --------
    >>> unary = np.array([[[0, 2], [1, 0], [0, 2]]])
    >>> result = belief_propagation(unary, {(0, 1): 0.75}, marginals="sum")
    >>> result.labels
    array([[0, 0, 0]], dtype=int32)
    >>> result.marginals[0, 1].round(3)
    array([0.53, 0.47], dtype=float32)
    """
    threads = check_threads(n_threads)
    max_iter, tol = positive_int(max_iter, "max_iter"), non_negative(tol, "tol")
    if marginals is not None:
        one_of(marginals, ("max", "sum"), "marginals")
    problem = as_problem(unary, edges, label_cost)
    if marginals == "sum":
        return _sum_product(problem, max_iter, tol, threads)
    messages = _Messages(problem, tree_reweighted=False, n_threads=threads)
    best = _Best(problem, messages)
    converged = False
    while not converged and len(best.energies) <= max_iter:
        messages.iterate()
        before, now = best.energies[-1], best.update()
        converged = len(best.energies) > 2 and abs(now - before) <= tol * best.height
    return best.result(converged, messages.min_marginals() if marginals else None)


def trws(
    unary: ArrayLike,
    edges: Edges,
    *,
    label_cost: ArrayLike = 1.0,
    max_iter: int = 200,
    tol: float = 1e-5,
    marginals: bool = False,
    n_threads: int | None = None,
) -> Labelling:
    """Sequential tree-reweighted message passing (TRW-S): labels, and a bound for all labellings.

    The bound is the sum of the minima over chains of nodes that share the energy. How far the
    energy is above it says how much a better labelling could bring at most.

    Parameters
    ----------
    unary, edges, label_cost
        The energy: see `energy`.
    max_iter : int
        Iterations, forward and back, at most. Default 200.
    tol : float
        It ends when the energy is at most `tol` above the bound, or an iteration raises the bound
        by at most that. In units of what the energy is above the sum of the nodes' least unaries.
        The bound may creep for long where weights outdo the unaries: with 0 it goes on until
        nothing moves or `max_iter` ends it.
    marginals : bool
        Also return the (tree-reweighted) min-marginals.
    n_threads : int, optional
        Default: all cores; graphs use one. The result does not depend on it.

    Returns
    -------
    Labelling
        Messages are float32: the bound may lie above the least energy by that rounding, around 1e-6
        of the sum of the energies' absolute values.

    Raises
    ------
    ValueError, TypeError
        As `energy`.

    References
    ----------
    V. Kolmogorov: Convergent tree-reweighted message passing for energy minimization. TPAMI 28,
    2006. doi:10.1109/TPAMI.2006.200

    Examples
    --------
    >>> unary = np.array([[[0, 2], [1, 0], [0, 2]]])
    >>> result = trws(unary, {(0, 1): 0.75})
    >>> result.labels, result.energy, float(result.lower_bounds[-1])
    (array([[0, 0, 0]], dtype=int32), 1.0, 1.0)
    """
    threads = check_threads(n_threads)
    max_iter, tol = positive_int(max_iter, "max_iter"), non_negative(tol, "tol")
    yes_or_no(marginals, "marginals")
    problem = as_problem(unary, edges, label_cost)
    messages = _Messages(problem, tree_reweighted=True, n_threads=threads)
    best = _Best(problem, messages)
    bounds = [messages.offset + problem.least_pairwise]
    converged = False
    while not converged and len(best.energies) <= max_iter:
        bound = messages.iterate()
        best.update()
        bounds.append(max(bound, bounds[-1]))
        raised = bounds[-1] - bounds[-2]
        settled = len(bounds) > 2 and raised <= tol * best.height
        converged = settled or best.energy - bounds[-1] <= tol * best.height
    return best.result(converged, messages.min_marginals() if marginals else None, np.array(bounds))


def _sum_product(problem: Problem, max_iter: int, tol: float, n_threads: int) -> Labelling:
    messages = _Messages(problem, tree_reweighted=False, n_threads=n_threads, sum_product=True)
    costs = problem.kernel_costs()
    energies = [problem.energy(problem.start(), costs, n_threads)]
    before = np.full(problem.unary.shape, np.inf, np.float32)
    converged = False
    while not converged and len(energies) <= max_iter:
        now = messages.probabilities()
        labels = now.argmax(axis=1).astype(np.int32)
        energies.append(problem.energy(labels, costs, n_threads))
        converged = float(np.abs(now - before).max()) <= tol
        before = now
    return Labelling(
        labels=labels.reshape(problem.shape),
        energy=energies[-1],
        energies=np.array(energies),
        marginals=now.reshape(*problem.shape, -1),
        converged=converged,
    )


class _Messages:
    """The messages of a problem and the labels that they were last read off to."""

    def __init__(
        self,
        problem: Problem,
        *,
        tree_reweighted: bool,
        n_threads: int,
        sum_product: bool = False,
    ) -> None:
        self.problem = problem
        self.labels = np.zeros(len(problem.unary), np.int32)
        padded = padded_length(problem)
        numbers = (problem.n_slots + len(problem.unary)) * padded
        expect_memory(4 * numbers, f"messages between {len(problem.unary)} nodes")
        self._unary, self.offset = padded_unary(problem)
        self._messages = aligned((problem.n_slots, padded))
        self._costs = problem.kernel_costs(padded)
        self._kind = (tree_reweighted, sum_product)
        self._n_threads = n_threads

    def iterate(self) -> float:
        """One pass forward and one back, which sets the labels; returns the lower bound."""
        self._sweep(forward=True)
        return self.offset + self._sweep(forward=False, labels=self.labels)

    def beliefs(self) -> NDArray[np.float32]:
        """One more iteration, and each node's unary plus incoming messages, (N, L)."""
        values = np.empty_like(self.problem.unary)
        self._sweep(forward=True)
        self._sweep(forward=False, beliefs=values)
        return values

    def min_marginals(self) -> NDArray[np.float32]:
        values = self.beliefs()
        values -= values.min(axis=1, keepdims=True)
        return values.reshape(*self.problem.shape, -1)

    def probabilities(self) -> NDArray[np.float32]:
        values = self.min_marginals().reshape(self.problem.unary.shape)
        np.exp(-values, out=values)
        values /= values.sum(axis=1, keepdims=True)
        return values

    def _sweep(
        self,
        *,
        forward: bool,
        labels: NDArray[np.int32] | None = None,
        beliefs: NDArray[np.float32] | None = None,
    ) -> float:
        tree_reweighted, sum_product = self._kind
        nodes: Any = self.problem.nodes
        bound = nodes.sweep(
            self._costs,
            self._unary,
            self._messages,
            forward,
            tree_reweighted,
            sum_product,
            labels,
            beliefs,
            self._n_threads,
        )
        return float(bound)


class _Best:
    """The best labelling so far, and the energy of each."""

    def __init__(self, problem: Problem, messages: _Messages) -> None:
        self._problem = problem
        self._messages = messages
        self._costs = problem.kernel_costs()
        self._labels = problem.start()
        self.energy = problem.energy(self._labels, self._costs, messages._n_threads)
        self.energies = [self.energy]

    @property
    def height(self) -> float:
        """What the best energy is above the sum of the nodes' least unaries."""
        return abs(self.energy - self._messages.offset)

    def update(self) -> float:
        """Score the labels of an iteration and return their energy."""
        labels = self._messages.labels
        now = self._problem.energy(labels, self._costs, self._messages._n_threads)
        self.energies.append(now)
        if now < self.energy:
            self.energy, self._labels = now, labels.copy()
        return now

    def result(
        self,
        converged: bool,
        marginals: NDArray[np.float32] | None,
        lower_bounds: NDArray[np.float64] | None = None,
    ) -> Labelling:
        return Labelling(
            labels=self._labels.reshape(self._problem.shape),
            energy=self.energy,
            energies=np.array(self.energies),
            lower_bounds=lower_bounds,
            marginals=marginals,
            converged=converged,
        )

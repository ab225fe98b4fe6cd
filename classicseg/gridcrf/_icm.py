"""The energy of a labelling, and iterated conditional modes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from classicseg._arrays import as_array
from classicseg._checks import check_threads, positive_int
from classicseg.gridcrf._problem import Edges, as_problem, as_start
from classicseg.gridcrf._results import Labelling


def energy(
    labels: ArrayLike,
    unary: ArrayLike,
    edges: Edges,
    *,
    label_cost: ArrayLike = 1.0,
    n_threads: int | None = None,
) -> float:
    """The energy that all solvers minimise, in double precision.

    ``sum_p unary[p, x_p] + sum_(p, q) weight_pq * label_cost[x_p, x_q]``

    Parameters
    ----------
    labels : (H, W) or (N,) integers
        0..L-1.
    unary : (H, W, L) or (N, L) array
        Energies, -log probability: lower is better.
    edges : dict of (dy, dx) to (H, W) array, or (pairs, weights)
        For a grid, the weights of the pairs (y, x), (y + dy, x + dx), as
        `graphcut.contrast_weights` makes them; an offset and its opposite add up. For a graph,
        (E, 2) integers and (E,) weights; edges of the same two nodes add up. Weights are at least
        0.
    label_cost : float or (L, L) array
        A number is the cost of any two different labels (Potts). Default 1. In an array,
        ``[i, j]`` is the cost of label i at the first node of a pair and j at the second. See
        `truncated_linear` and `truncated_quadratic`.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        For other shapes, labels that unary has not, non-finite or negative weights, or numbers so
        large that sums leave the range of float32.

    Examples
    --------
    >>> unary = np.array([[[0, 2], [1, 0], [0, 2]]])
    >>> energy([[0, 1, 0]], unary, {(0, 1): 0.75})
    1.5
    >>> energy([[0, 0, 0]], unary, {(0, 1): 0.75})
    1.0
    """
    threads = check_threads(n_threads)
    problem = as_problem(unary, edges, label_cost)
    flat = as_start(as_array(labels, "labels"), problem)
    return problem.energy(flat, problem.kernel_costs(), threads)


def icm(
    unary: ArrayLike,
    edges: Edges,
    *,
    label_cost: ArrayLike = 1.0,
    labels: ArrayLike | None = None,
    max_iter: int = 100,
    n_threads: int | None = None,
) -> Labelling:
    """Iterated conditional modes: each node in turn takes the label that suits its neighbours.

    The fastest of the solvers, and the first to get stuck; it never goes up.

    Parameters
    ----------
    unary, edges, label_cost
        The energy: see `energy`.
    labels : (H, W) or (N,) integers, optional
        Where to start. Default: the label of least unary at each node.
    max_iter : int
        Rounds over all nodes, at most. It ends when a round changes nothing.
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
    J. Besag: On the statistical analysis of dirty pictures. J. R. Statist. Soc. B 48, 1986.
    doi:10.1111/j.2517-6161.1986.tb01412.x

    Examples
    --------
    >>> unary = np.array([[[0, 2], [1, 0], [0, 2]]])
    >>> result = icm(unary, {(0, 1): 0.75})
    >>> result.labels, result.energy
    (array([[0, 0, 0]], dtype=int32), 1.0)
    """
    threads = check_threads(n_threads)
    max_iter = positive_int(max_iter, "max_iter")
    problem = as_problem(unary, edges, label_cost)
    now = problem.start() if labels is None else as_start(as_array(labels, "labels"), problem)
    costs = problem.kernel_costs()
    energies = [problem.energy(now, costs, threads)]
    converged = False
    while not converged and len(energies) <= max_iter:
        converged = problem.nodes.icm(costs, problem.unary, now, threads) == 0
        energies.append(problem.energy(now, costs, threads))
    return Labelling(
        labels=now.reshape(problem.shape),
        energy=energies[-1],
        energies=np.array(energies),
        converged=converged,
    )

"""What neighbours with different labels cost: checks that moves rely on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array

__all__ = ["as_label_cost", "check_semi_metric", "check_triangles"]

# Part of the largest cost by which a triangle may fail, for costs that were computed in float32.
_ROUNDING = 1e-6


def as_label_cost(label_cost: ArrayLike, n_labels: int) -> NDArray[np.float64]:
    """Check a label cost: a number for Potts, or (L, L); finite."""
    cost = as_array(label_cost, "label_cost")
    if cost.dtype.kind not in "biuf":
        raise TypeError(f"label_cost has dtype {cost.dtype}, expected real numbers")
    if cost.shape not in ((), (n_labels, n_labels)):
        raise ValueError(
            f"label_cost has shape {cost.shape}, expected a number or {(n_labels, n_labels)}: "
            f"unary has {n_labels} labels"
        )
    if not np.isfinite(cost).all():
        raise ValueError("label_cost holds NaN or infinite values, expected finite costs")
    return np.array(cost, np.float64, order="C")


def check_semi_metric(cost: NDArray[np.float64]) -> None:
    """At least 0, symmetric, 0 between equal labels."""
    if cost.min() < 0:
        raise ValueError(f"label_cost holds {cost.min():g}, expected costs of at least 0")
    if cost.ndim == 0:
        return
    unequal = np.argwhere(cost != cost.T)
    if len(unequal):
        a, b = unequal[0].tolist()
        raise ValueError(
            f"label_cost[{a}, {b}] is {cost[a, b]:g} and label_cost[{b}, {a}] is {cost[b, a]:g}, "
            "expected a symmetric cost"
        )
    kept = np.flatnonzero(cost.diagonal())
    if len(kept):
        a = int(kept[0])
        raise ValueError(f"label_cost[{a}, {a}] is {cost[a, a]:g}, expected 0 for equal labels")


def check_triangles(cost: NDArray[np.float64]) -> None:
    """No way round over a third label is cheaper."""
    slack = _ROUNDING * cost.max()
    for b in range(len(cost)):
        excess = cost - (cost[:, b, np.newaxis] + cost[b])
        if excess.max() > slack:
            a, c = np.unravel_index(int(excess.argmax()), cost.shape)
            raise ValueError(
                f"label_cost is no metric: label_cost[{a}, {c}] = {cost[a, c]:g} is more than "
                f"label_cost[{a}, {b}] + label_cost[{b}, {c}] = {cost[a, b]:g} + {cost[b, c]:g}; "
                "alpha_beta_swap takes it"
            )

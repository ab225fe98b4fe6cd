"""Costs of pairs of labels, and which of them the kernels have a fast way for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import non_negative, positive_int
from classicseg.graphcut._label_cost import as_label_cost

_MAX_LABELS = 4096
# Costs that differ from a known form by no more than this are of that form: floats round.
_ROUNDING = 1e-6


def truncated_linear(n_labels: int, scale: float, limit: float) -> NDArray[np.float32]:
    """Label costs ``min(scale * |i - j|, limit)``, for labels that are levels, such as depths.

    The solvers recognise this form, and take n log n steps for a message in place of n^2.

    Parameters
    ----------
    n_labels : int
    scale, limit : float
        At least 0.

    Returns
    -------
    (n_labels, n_labels) float32

    Raises
    ------
    ValueError, TypeError
        For negative or non-finite parameters.

    Examples
    --------
    >>> truncated_linear(4, 1.0, 2.0)[0]
    array([0., 1., 2., 2.], dtype=float32)
    """
    return _truncated(n_labels, scale, limit, 1)


def truncated_quadratic(n_labels: int, scale: float, limit: float) -> NDArray[np.float32]:
    """Label costs ``min(scale * (i - j)^2, limit)``.

    The solvers recognise this form, and take n steps for a message in place of n^2, or n times the
    distance at which the cost is truncated where that is short.

    Parameters
    ----------
    n_labels : int
    scale, limit : float
        At least 0.

    Returns
    -------
    (n_labels, n_labels) float32

    Raises
    ------
    ValueError, TypeError
        For negative or non-finite parameters.

    Examples
    --------
    >>> truncated_quadratic(4, 1.0, 5.0)[0]
    array([0., 1., 4., 5.], dtype=float32)
    """
    return _truncated(n_labels, scale, limit, 2)


def _truncated(n_labels: int, scale: float, limit: float, power: int) -> NDArray[np.float32]:
    n = positive_int(n_labels, "n_labels", _MAX_LABELS)
    levels = np.arange(n, dtype=np.float64)
    distance = np.abs(levels[:, np.newaxis] - levels) ** power
    limit, scale = non_negative(limit, "limit"), non_negative(scale, "scale")
    with np.errstate(over="ignore"):
        costs = np.minimum(scale * distance, limit).astype(np.float32)
    if not np.isfinite(costs).all():
        raise ValueError(f"scale {scale:g} and limit {limit:g} give costs beyond float32")
    return costs


class Form(IntEnum):
    """The kernel's kinds of label costs."""

    POTTS = 0
    LINEAR = 1
    QUADRATIC = 2
    MATRIX = 3


@dataclass(frozen=True)
class Costs:
    """A checked cost of labels."""

    form: Form
    scale: float
    limit: float
    matrix: NDArray[np.float32]  # (L, L)

    @property
    def symmetric(self) -> bool:
        return bool(np.array_equal(self.matrix, self.matrix.T))


def as_costs(label_cost: ArrayLike, n_labels: int) -> Costs:
    """Check `label_cost`: a number, the cost of any two different labels, or (L, L)."""
    if n_labels > _MAX_LABELS:
        raise ValueError(f"unary has {n_labels} labels, expected at most {_MAX_LABELS}")
    cost = as_label_cost(label_cost, n_labels)
    if not cost.ndim:
        cost = np.where(np.eye(n_labels, dtype=bool), 0, non_negative(cost.item(), "label_cost"))
    with np.errstate(over="ignore"):
        matrix = np.ascontiguousarray(cost, dtype=np.float32)
    if not np.isfinite(matrix).all():
        raise ValueError("label_cost holds values that are infinite in float32")
    return Costs(*_form(matrix), matrix)


def _form(matrix: NDArray[np.float32]) -> tuple[Form, float, float]:
    """The form of a cost matrix, its scale and its limit."""
    n = len(matrix)
    row = matrix[0].astype(np.float64)
    scale, limit = float(row[1]) if n > 1 else 0.0, float(row.max())
    distance = np.abs(np.arange(n)[:, np.newaxis] - np.arange(n))
    if row[0] == 0 and row.min() >= 0:
        step = np.arange(n, dtype=np.float64)
        known = {
            Form.POTTS: np.where(step > 0, scale, 0),
            Form.LINEAR: np.minimum(scale * step, limit),
            Form.QUADRATIC: np.minimum(scale * step**2, limit),
        }
        for form, values in known.items():
            if np.abs(matrix - values[distance]).max() <= _ROUNDING * limit:
                return form, scale, limit
    return Form.MATRIX, 0.0, 0.0

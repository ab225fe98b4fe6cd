"""The best sequence of states along a contour, by dynamic programming."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_path"]

Path = NDArray[np.intp]


def best_path(
    unary: NDArray[np.float32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    closed: bool,
) -> tuple[Path, float]:
    """The states (a_t, b_t) that minimise ``sum_t unary[t, a_t, b_t] + V(t, t + 1)``.

    V is ``first[a_t, a_t+1] + second[b_t, b_t+1]``, both symmetric. On a closed contour the last
    point and the first are neighbours too.

    Exact: a closed contour is cut open at a point, whose state must be the same at both ends.
    Where that does not hold for the best open path, its cost is a lower bound, and the states
    allowed at the cut are split between the two ends' and both parts solved, the lowest bound
    first (B. Appleton, C. Sun: Circular shortest paths by branch and bound. Pattern Recognition
    2003. doi:10.1016/S0031-3203(03)00122-5).

    Parameters
    ----------
    unary : (T, A, B) array
    first, second : (A, A) and (B, B) arrays

    Returns
    -------
    (T, 2) array of indices, and the sum
    """
    length, *states = unary.shape
    if not closed:
        cost, _, path = _open_path(unary, first, second, None)
        return np.column_stack(np.unravel_index(path, states)), cost
    # The cut is where the data is most decided: there few halvings are needed.
    flat = unary.reshape(length, -1)
    cut = int(np.argmax(flat.mean(axis=1) - flat.min(axis=1)))
    turned = np.roll(unary, -cut, axis=0)
    allowed = np.ones(states, np.bool_)
    count = 0
    queue = [(*_solved(turned, first, second, allowed, count), allowed)]
    while True:
        cost, _, end, path, allowed = heapq.heappop(queue)
        start = int(path[0])
        if start == end:
            path = np.roll(path, cut)
            return np.column_stack(np.unravel_index(path, states)), cost
        for half in _halves(allowed, start, end):
            count += 1
            heapq.heappush(queue, (*_solved(turned, first, second, half, count), half))


def _solved(
    unary: NDArray[np.float32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    count: int,
) -> tuple[float, int, int, Path]:
    """Bound, a number that settles ties, the state on coming back to the start, and the path."""
    cost, end, path = _open_path(unary, first, second, allowed)
    return cost, count, end, path


def _halves(
    allowed: NDArray[np.bool_], start: int, end: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Two sets of states, with start in one and end in the other."""
    ends = np.unravel_index([start, end], allowed.shape)
    axis = 0 if ends[0][0] != ends[0][1] else 1
    index = np.arange(allowed.shape[axis])
    low = index <= (ends[axis][0] + ends[axis][1]) // 2
    low = low[:, None] if axis == 0 else low[None, :]
    return allowed & low, allowed & ~low


def _open_path(
    unary: NDArray[np.float32],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    allowed: NDArray[np.bool_] | None,
) -> tuple[float, int, Path]:
    """The best path from the first point to the last, or with `allowed` on to the first again.

    There, at both ends, the state must be an allowed one, and half of the point's cost is paid.
    Returns cost, last state, path.
    """
    arrived = np.empty(unary.shape)  # cost of the best way to each state
    arrived[0] = unary[0] if allowed is None else np.where(allowed, unary[0] / 2, np.inf)
    for before, after, own in zip(arrived, arrived[1:], unary[1:], strict=False):
        np.add(_moved(before, first, second), own, out=after)
    if allowed is None:
        last = arrived[-1]
    else:
        last = np.where(allowed, _moved(arrived[-1], first, second) + unary[0] / 2, np.inf)
    end = state = int(last.argmin())
    path = np.empty(len(unary), np.intp)
    if allowed is None:
        path[-1] = end
    for t in range(len(unary) - (allowed is None) - 1, -1, -1):
        a, b = divmod(state, unary.shape[2])
        path[t] = state = int((arrived[t] + (first[a][:, None] + second[b])).argmin())
    return float(last.flat[end]), end, path


def _moved(
    cost: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cost of the best way to each state of the next point, which is moved to from any state."""
    best = (cost[:, None, :] + first[:, :, None]).min(axis=0)
    moved: NDArray[np.float64] = (best.T[:, :, None] + second[:, None, :]).min(axis=0)
    return moved

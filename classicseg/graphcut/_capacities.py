"""Capacities at the door, and which arithmetic they need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array

__all__ = ["Kind", "as_capacities", "as_terminals"]

# The kernel adds an excess and the residual capacities around a node: at most three limits.
_NARROW_LIMIT = 2**29
_WIDE_LIMIT = 2**60
# Sums over all nodes stay below this.
_MAX_TOTAL = 2**62
# Floating-point capacities are multiplied by at most 2 to the power of this.
_MAX_EXPONENT = 1000


def as_capacities(
    value: ArrayLike,
    name: str,
    shape: tuple[int, ...],
    used: tuple[slice, ...] = (),
    infinite: bool = False,
) -> NDArray[Any]:
    """A private copy of capacities in int32, int64, float32 or float64, not negative.

    A number stands for a constant array. Only the `used` part of an array is looked at.
    """
    given = as_array(value, name)
    if given.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {given.dtype}, expected integers or floats")
    if given.shape not in ((), shape):
        raise ValueError(f"{name} has shape {given.shape}, expected {shape} or a number")
    relevant = given[used] if given.shape else given
    if relevant.size:
        low, high = relevant.min(), relevant.max()
        if not low >= 0:
            raise ValueError(f"{name} holds {low}, expected capacities of at least 0")
        if not infinite and not high <= np.finfo(np.float64).max:
            raise ValueError(f"{name} holds {high}, expected finite capacities")
    else:
        high = np.zeros((), given.dtype)
    if given.dtype.kind == "f":
        dtype = np.dtype(np.float32 if given.dtype.itemsize <= 4 else np.float64)
        if infinite and given.dtype.itemsize > 8 and not np.isfinite(np.float64(high)):
            dtype = np.dtype(np.float64)
    else:
        if int(high) > _MAX_TOTAL:
            raise ValueError(f"{name} holds {high}, expected integers of at most 2**62")
        dtype = np.dtype(np.int32 if int(high) < 2**31 else np.int64)
    with np.errstate(over="ignore", invalid="ignore"):  # in entries that are ignored
        return np.array(np.broadcast_to(given, shape), dtype, order="C")


def as_terminals(
    source: ArrayLike, sink: ArrayLike, shape: tuple[int, ...]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Private copies of the capacities to the terminals in one dtype; one of the two may be inf."""
    first = as_capacities(source, "source", shape, infinite=True)
    second = as_capacities(sink, "sink", shape, infinite=True)
    if first.dtype.kind == second.dtype.kind == "f":
        both = np.isinf(first) & np.isinf(second)
        if both.any():
            where = ", ".join(map(str, np.unravel_index(int(both.argmax()), shape)))
            raise ValueError(
                f"source and sink are both infinite at ({where}), expected one at most"
            )
    dtype = np.result_type(first, second)
    return first.astype(dtype, copy=False), second.astype(dtype, copy=False)


@dataclass(frozen=True)
class Kind:
    """Which arithmetic a problem needs.

    wide : 64-bit capacities instead of 32-bit ones.
    limit : more than the edges of any node carry away or bring, in scaled units.
    scale : what floats are multiplied by; None for integers.
    """

    wide: bool
    limit: int
    scale: float | None

    @staticmethod
    def of(
        load: Any, edges: Iterable[NDArray[Any]], terminals: tuple[NDArray[Any], NDArray[Any]]
    ) -> Kind:
        """`load`: no less than what the edges of any node carry, away from it or towards it."""
        dtypes = [array.dtype for array in (*edges, *terminals)]
        n_nodes = terminals[0].size
        if all(dtype.kind == "i" for dtype in dtypes):
            limit = 1 << int(load).bit_length()
            wide = limit > _NARROW_LIMIT
            # What can flow between nodes, and what flows straight from the source to the sink.
            total = n_nodes * limit
            direct: float = n_nodes * min(int(array.max()) for array in terminals)
            if direct > _MAX_TOTAL:
                direct = float(np.minimum(*terminals).sum(dtype=np.float64))
            if limit > _WIDE_LIMIT or total > _MAX_TOTAL or direct > _MAX_TOTAL:
                raise ValueError(
                    f"capacities add up to as much as {max(total, direct):.3g}, expected at most "
                    "2**62 in all: divide them by a common factor"
                )
            return Kind(wide, limit, None)
        wide = any(dtype == np.float64 for dtype in dtypes)
        if load == 0:  # only the sign of source - sink matters
            return Kind(wide, 1, 2.0**_MAX_EXPONENT)
        both_ways = 2 * float(load)
        if not np.isfinite(both_ways):
            raise ValueError(f"weights add up to {float(load):g} at a node: sums overflow")
        bits = min(50, 62 - n_nodes.bit_length()) if wide else 27
        exponent = min(bits - int(np.frexp(both_ways)[1]), _MAX_EXPONENT)
        return Kind(wide, 1 << bits, 2.0**exponent)

    def can_take(self, other: Kind) -> bool:
        """Whether a problem of the other kind can go on from this one's flow without loss."""
        if (other.scale is None) != (self.scale is None) or other.wide != self.wide:
            return False
        if other.scale is None or self.scale is None:
            return other.limit <= self.limit
        # A smaller scale would be lost in rounding, a larger one could overflow.
        return other.limit <= self.limit and other.scale / 4 <= self.scale <= other.scale

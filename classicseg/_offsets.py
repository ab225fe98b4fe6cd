"""Offsets from a pixel of a grid to its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Offset", "as_offset", "with_neighbour"]

Offset = tuple[int, ...]


def as_offset(offset: Any, n_axes: int, name: str) -> Offset:
    """Check a key of a dict of edges: whole numbers, one for each axis, not all 0."""
    names = {2: "(dy, dx)", 3: "(dz, dy, dx)"}.get(n_axes, f"{n_axes} whole numbers")
    try:
        step = tuple(int(d) for d in offset)
        whole = all(int(d) == d for d in offset)
    except (TypeError, ValueError, OverflowError):
        step, whole = (), False
    if not whole or len(step) != n_axes or not any(step):
        raise ValueError(f"{name} has the offset {offset!r}, expected {names}, not all 0")
    return step


def with_neighbour(offset: Sequence[int]) -> tuple[slice, ...]:
    """The part of a grid whose neighbour at the offset lies in the grid."""
    return tuple(slice(max(0, -step), -step if step > 0 else None) for step in offset)

"""Which pixels of a grid are neighbours."""

from __future__ import annotations

import itertools
from typing import Any

from classicseg._offsets import Offset
from classicseg._settings import one_of

__all__ = ["OFFSETS", "check_connectivity", "forward"]

# In raster order, which is the kernels': the opposite of number k is number n - 1 - k.
OFFSETS: dict[int, tuple[Offset, ...]] = {
    connectivity: tuple(
        offset
        for offset in itertools.product((-1, 0, 1), repeat=dimensions)
        if 0 < sum(map(abs, offset)) <= steps
    )
    for connectivity, dimensions, steps in ((4, 2, 1), (8, 2, 2), (6, 3, 1), (26, 3, 3))
}


def check_connectivity(connectivity: Any, dimensions: int) -> int:
    """The number of neighbours of a pixel; None is 8 in an image and 6 in a volume."""
    choices = (4, 8) if dimensions == 2 else (6, 26)
    if connectivity is None:
        return 8 if dimensions == 2 else 6
    of = "an image" if dimensions == 2 else "a volume"
    return int(one_of(connectivity, choices, f"connectivity of {of}"))


def forward(connectivity: int) -> tuple[Offset, ...]:
    """One offset of each pair of opposites: the one that leads to later pixels."""
    offsets = OFFSETS[connectivity]
    return offsets[len(offsets) // 2 :]

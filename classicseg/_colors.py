"""Colours for classes, for meanings and for numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import positive_int

Color = tuple[int, int, int]
Picture = NDArray[np.uint8]

ORANGE: Color = (230, 159, 0)
SKY_BLUE: Color = (86, 180, 233)
BLUE: Color = (0, 114, 178)
VERMILION: Color = (213, 94, 0)
YELLOW: Color = (240, 228, 66)

# Viridis at equal steps, by Smith and van der Walt: brightness alone tells the value.
VIRIDIS = np.array(
    [
        (68, 1, 84),
        (72, 40, 120),
        (62, 74, 137),
        (49, 104, 142),
        (38, 130, 142),
        (31, 158, 137),
        (53, 183, 121),
        (110, 206, 88),
        (181, 222, 43),
        (253, 231, 37),
    ],
    np.float64,
)


def palette(n: int) -> Picture:
    """The colours of Pascal VOC: black, maroon, green, olive, navy, ...

    Parameters
    ----------
    n : int
        How many, at most 256. Number 255, cream, is void.

    Returns
    -------
    (n, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If `n` is no whole number in 1..256.

    Examples
    --------
    >>> from classicseg import viz
    >>> viz.palette(3).tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    positive_int(n, "n", 256)
    # Bits 0, 1, 2 of a class number are the highest bits of red, green and blue, bits 3, 4, 5 the
    # next ones, and so on.
    index = np.arange(n)
    colors = np.zeros((n, 3), np.uint8)
    for bit in range(8):
        for channel in range(3):
            colors[:, channel] |= ((index >> (3 * bit + channel) & 1) << (7 - bit)).astype(np.uint8)
    return colors


def as_color(color: Sequence[int], name: str = "color") -> Picture:
    """Check a colour."""
    single: Picture = _table(color, name, (3,))
    return single


def as_colors(colors: ArrayLike) -> Picture:
    """Check a table of colours, one in each row."""
    return _table(colors, "colors", (len(as_array(colors, "colors").reshape(-1)) // 3, 3))


def _table(colors: ArrayLike, name: str, shape: tuple[int, ...]) -> Picture:
    table = as_array(colors, name)
    if table.shape != shape or table.dtype.kind not in "iu" or table.size == 0:
        raise ValueError(f"{name} is {colors!r}, expected (red, green, blue) in 0..255")
    if table.min() < 0 or table.max() > 255:
        raise ValueError(f"{name} holds {table.min()}..{table.max()}, expected 0..255")
    return table.astype(np.uint8)

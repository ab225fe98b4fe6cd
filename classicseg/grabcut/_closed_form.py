"""Closed-form matting by PyMatting, in the ribbon of border matting."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg.grabcut._border import Border

__all__ = ["closed_form_alpha", "closed_form_colours"]

Array = NDArray[np.float64]

# Known pixels around the ribbon that are given along.
_MARGIN = 4


def closed_form_alpha(border: Border) -> Array:
    """Opacities of the ribbon's pixels."""
    pymatting = _pymatting()
    height, width = border.mask.shape
    if min(height, width) < 3:  # the squares of which PyMatting compares the colours
        raise ValueError(
            f"image is {width} wide and {height} high, expected at least 3 x 3 pixels for "
            f"matting='closed-form'"
        )
    part = _part(border)
    if border.known.all():  # in tiny images
        return border.mask[border.ribbon.rows, border.ribbon.columns].astype(np.float64)
    trimap = np.where(border.known, border.mask, 0.5)[part]
    opacity = pymatting.estimate_alpha_cf(_rgb(border, part), trimap)
    return _in_ribbon(border, part, opacity).clip(0, 1)


def closed_form_colours(border: Border, alpha: Array) -> NDArray[np.float32]:
    """The foreground's colours in the ribbon's pixels, (N, C)."""
    pymatting = _pymatting()
    part = _part(border)
    opacity = border.mask.astype(np.float64)
    opacity[border.ribbon.rows, border.ribbon.columns] = alpha
    colours = pymatting.estimate_foreground_ml(_rgb(border, part), opacity[part])
    n_channels = border.pixels.shape[2]
    found = 255 * _in_ribbon(border, part, colours)[:, :n_channels]
    return found.clip(0, 255).astype(np.float32)


def _pymatting() -> Any:
    try:
        import pymatting
    except ImportError:
        raise ImportError(
            "matting='closed-form' needs PyMatting: pip install 'classicseg[matting]'"
        ) from None
    return pymatting


def _part(border: Border) -> tuple[slice, slice]:
    """The smallest window with the ribbon and a margin in it."""
    height, width = border.mask.shape
    rows, columns = border.ribbon.rows, border.ribbon.columns
    return (
        slice(max(0, int(rows.min()) - _MARGIN), min(height, int(rows.max()) + _MARGIN + 1)),
        slice(max(0, int(columns.min()) - _MARGIN), min(width, int(columns.max()) + _MARGIN + 1)),
    )


def _rgb(border: Border, part: tuple[slice, slice]) -> Array:
    pixels = border.pixels[part] / np.float64(255)
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def _in_ribbon(border: Border, part: tuple[slice, slice], values: NDArray[Any]) -> Array:
    rows, columns = border.ribbon.rows, border.ribbon.columns
    found: Array = values[rows - part[0].start, columns - part[1].start]
    return found.astype(np.float64)

"""What the interactive cut-out shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classicseg.grabcut._view import View

__all__ = ["FIRST_STEPS", "HELP", "MODES", "Picture"]

MODES = ("contour", "tint", "checkerboard", "mask", "split")

FIRST_STEPS = (
    ("1.", "Drag a rectangle around the object."),
    ("2.", "Paint where it is wrong: key 1 is foreground, 0 background."),
    ("3.", "s saves, q quits, h shows all keys."),
)
HELP = (
    ("drag", "rectangle around the object (right button: at any time)"),
    ("1  0", "brush: foreground, background"),
    ("3  2", "brush: probably foreground, probably background"),
    ("[  ]", "smaller, larger brush"),
    ("l", "lasso: draw around an area, it gets the brush's label"),
    ("n", "learn the colours again from the present cut"),
    ("u  y", "undo, redo"),
    ("r", "reset"),
    ("v", "next view: contour, tint, checkerboard, mask, split"),
    ("wheel  + -", "zoom; f shows all of the photo"),
    ("middle drag", "pan; also w a d x"),
    ("s", "save mask, cut-out and session"),
    ("h", "this help"),
    ("q  Esc", "quit"),
)


@dataclass(frozen=True)
class Picture:
    """What is to be drawn: labels, and what is on top of them."""

    labels: NDArray[np.uint8]
    view: View
    mode: str
    started: bool
    rectangle: tuple[float, float, float, float] | None  # x0, y0, x1, y1 in the photo
    stroke: tuple[tuple[float, float], ...]  # not yet taken in
    stroke_label: int
    stroke_radius: float  # in the photo; 0 for a lasso
    cursor: tuple[float, float] | None  # on the canvas
    brush: tuple[int, float] | None  # label and radius on the canvas, where the tool is a brush
    status: str
    message: str
    show_help: bool
    busy: bool

"""Draws what the editor shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg.grabcut._picture import FIRST_STEPS, HELP, Picture
from classicseg.grabcut._view import View

__all__ = ["STATUS_HEIGHT", "draw"]

Pixels = NDArray[np.uint8]

STATUS_HEIGHT = 52
# BGR, as OpenCV draws.
_PAPER, _INK, _QUIET, _ACCENT = (34, 32, 30), (238, 236, 232), (160, 156, 150), (64, 180, 255)
_FOREGROUND, _BACKGROUND = (80, 220, 90), (70, 70, 240)
_LABEL_COLOURS = (_BACKGROUND, _FOREGROUND, (150, 150, 245), (160, 235, 165))
_SQUARE = 12  # of the checkerboard
_ANTIALIASED = 16  # cv2.LINE_AA


def draw(photo: Pixels, picture: Picture) -> Pixels:
    """The canvas as a BGR image: the photo in the chosen mode, tools, the status line below.

    Parameters
    ----------
    photo : (H, W, 3) uint8
        RGB.
    picture : Picture
        See `Editor.picture`.
    """
    import cv2

    view = picture.view
    width, height = view.canvas
    shown, inside = _sample(cv2, np.ascontiguousarray(photo), view)
    shown = shown[..., ::-1]
    if picture.started:
        labels, _ = _sample(cv2, picture.labels, view, nearest=True)
        shown = _MODES[picture.mode](cv2, shown, labels & 1 == 1)
    canvas = np.empty((height + STATUS_HEIGHT, width, 3), np.uint8)
    canvas[:] = _PAPER
    canvas[:height][inside] = shown[inside]
    if not picture.started:
        _draw_marks(cv2, canvas, picture)
    _draw_tools(cv2, canvas[:height], picture)
    if picture.show_help:
        _draw_lines(cv2, canvas[:height], "classicseg grabcut", HELP, 150)
    elif not picture.started and picture.rectangle is None and not picture.stroke:
        _draw_lines(cv2, canvas[:height], "", FIRST_STEPS, 28)
    _draw_status(cv2, canvas[height:], picture)
    return canvas


def _sample(
    cv2: Any, image: Pixels, view: View, nearest: bool = False
) -> tuple[Pixels, NDArray[np.bool_]]:
    """An image of the photo's size as the canvas shows it, and where it does."""
    width, height = view.canvas
    begin_x, begin_y = max(0, int(view.left)), max(0, int(view.top))
    end_x = min(view.photo[0], int(np.ceil(view.left + width / view.scale)) + 1)
    end_y = min(view.photo[1], int(np.ceil(view.top + height / view.scale)) + 1)
    part = image[begin_y:end_y, begin_x:end_x]
    left, top = view.left - begin_x, view.top - begin_y
    scale = view.scale
    if scale < 1 and not nearest:
        # Averaged first: a warp alone would pick single pixels.
        size = max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale))
        factor = size[0] / part.shape[1], size[1] / part.shape[0]
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        left, top = left * factor[0], top * factor[1]
        scale_x, scale_y = scale / factor[0], scale / factor[1]
    else:
        scale_x = scale_y = scale
    # Canvas to part: pixel centres are at whole numbers.
    matrix = np.array(
        [
            [1 / scale_x, 0, left + 0.5 / scale_x - 0.5],
            [0, 1 / scale_y, top + 0.5 / scale_y - 0.5],
        ]
    )
    smooth = cv2.INTER_LINEAR if 1 <= scale < 4 and not nearest else cv2.INTER_NEAREST
    flags = smooth | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(part, matrix, (width, height), flags=flags, borderMode=1)
    x = view.left + (np.arange(width) + 0.5) / view.scale
    y = view.top + (np.arange(height) + 0.5) / view.scale
    inside = ((y >= 0) & (y < view.photo[1]))[:, None] & ((x >= 0) & (x < view.photo[0]))
    return sampled, inside


def _contour(cv2: Any, shown: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    out = shown.copy()
    inside = mask.view(np.uint8)
    square = np.ones((3, 3), np.uint8)
    # The canvas's edge is no contour.
    line = inside & ~cv2.erode(inside, square, borderType=cv2.BORDER_REPLICATE)
    out[cv2.dilate(line, square) > 0] = (20, 20, 20)
    out[line > 0] = (60, 230, 255)
    return out


def _tint(cv2: Any, shown: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    out = shown.copy()
    grey = shown.mean(axis=2, keepdims=True)
    out[~mask] = (0.30 * shown + 0.25 * grey + 0.30 * np.array(_BACKGROUND)).astype(np.uint8)[~mask]
    return out


def _checkerboard(cv2: Any, shown: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    y, x = np.indices(mask.shape)
    squares = np.where((y // _SQUARE + x // _SQUARE) % 2 == 0, 204, 236).astype(np.uint8)
    return np.where(mask[..., None], shown, squares[..., None])


def _mask(cv2: Any, shown: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    return np.repeat((mask * np.uint8(255))[..., None], 3, axis=2)


def _split(cv2: Any, shown: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    out = _checkerboard(cv2, shown, mask)
    middle = mask.shape[1] // 2
    out[:, :middle] = shown[:, :middle]
    out[:, middle - 1 : middle + 1] = _INK
    return out


_MODES = {
    "contour": _contour,
    "tint": _tint,
    "checkerboard": _checkerboard,
    "mask": _mask,
    "split": _split,
}


def _draw_marks(cv2: Any, canvas: Pixels, picture: Picture) -> None:
    """Scribbles that wait for those of the other side."""
    height = picture.view.canvas[1]
    labels, inside = _sample(cv2, picture.labels, picture.view, nearest=True)
    for value in (0, 1):
        marked = (labels == value) & inside
        part = canvas[:height][marked]
        canvas[:height][marked] = (part // 2 + np.array(_LABEL_COLOURS[value]) // 2).astype(
            np.uint8
        )


def _draw_tools(cv2: Any, canvas: Pixels, picture: Picture) -> None:
    view = picture.view
    if picture.rectangle is not None:
        x0, y0, x1, y1 = picture.rectangle
        corners = [_point(view.to_canvas(x, y)) for x, y in ((x0, y0), (x1, y1))]
        cv2.rectangle(canvas, *corners, (20, 20, 20), 3, _ANTIALIASED)
        cv2.rectangle(canvas, *corners, _ACCENT, 1, _ANTIALIASED)
    if picture.stroke:
        points = np.array([_point(view.to_canvas(*p)) for p in picture.stroke], np.int32)
        colour = _LABEL_COLOURS[picture.stroke_label]
        thick = max(1, round(2 * picture.stroke_radius * view.scale))
        cv2.polylines(canvas, [points], picture.stroke_radius == 0, colour, thick, _ANTIALIASED)
        if len(points) == 1:
            cv2.circle(canvas, points[0].tolist(), max(1, thick // 2), colour, -1, _ANTIALIASED)
    if picture.brush is not None and picture.cursor is not None:
        label, radius = picture.brush
        centre = _point(picture.cursor)
        cv2.circle(canvas, centre, max(1, round(radius)), (20, 20, 20), 3, _ANTIALIASED)
        cv2.circle(canvas, centre, max(1, round(radius)), _LABEL_COLOURS[label], 1, _ANTIALIASED)


def _draw_lines(
    cv2: Any, canvas: Pixels, title: str, lines: tuple[tuple[str, str], ...], column: int
) -> None:
    """Lines of text in two columns on a dark panel in the lower left corner."""
    line, pad = 26, 18
    width = min(canvas.shape[1] - 24, column + 490)
    height = min(canvas.shape[0] - 24, line * (len(lines) + (title != "")) + 2 * pad - 8)
    part = canvas[-12 - height : -12, 12 : 12 + width]
    part[:] = (part * 0.18 + np.array(_PAPER) * 0.82).astype(np.uint8)
    y = pad + 12
    if title:
        _text(cv2, part, title, (pad, y), _INK, 0.6)
        y += line
    for left, right in lines:
        _text(cv2, part, left, (pad, y), _ACCENT, 0.46)
        _text(cv2, part, right, (pad + column, y), _INK, 0.46)
        y += line


def _draw_status(cv2: Any, bar: Pixels, picture: Picture) -> None:
    bar[0] = (70, 66, 62)
    _text(cv2, bar, picture.message, (12, 21), _INK, 0.5)
    _text(cv2, bar, picture.status, (12, 42), _ACCENT if picture.busy else _QUIET, 0.45)
    hint = "h: help"
    (wide, _), _ = cv2.getTextSize(hint, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    _text(cv2, bar, hint, (bar.shape[1] - wide - 12, 21), _QUIET, 0.45)


def _text(
    cv2: Any,
    canvas: Pixels,
    text: str,
    at: tuple[int, int],
    colour: tuple[int, int, int],
    size: float,
) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, _ANTIALIASED)


def _point(at: tuple[float, float]) -> tuple[int, int]:
    """Whole canvas pixels, near enough that OpenCV's arithmetic holds them."""
    x, y = (round(min(max(v, -20_000.0), 20_000.0)) for v in at)
    return x, y

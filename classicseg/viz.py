"""Pictures of labels, masks and maps, as plain (H, W, 3) uint8 arrays.

Colours for meanings are from the palette of Okabe and Ito, which stays apart for colour-blind
eyes; colours for classes are Pascal VOC's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from classicseg._arrays import as_array
from classicseg._checks import (
    as_image,
    as_labels,
    as_mask,
    as_rect,
    as_seeds,
    as_uint8_image,
    positive_int,
)
from classicseg._colors import (
    BLUE,
    ORANGE,
    SKY_BLUE,
    VERMILION,
    VIRIDIS,
    YELLOW,
    Color,
    Picture,
    as_color,
    as_colors,
    palette,
)
from classicseg._settings import as_void, finite
from classicseg._sheet import sheet
from classicseg.metrics import band

__all__ = [
    "BLUE",
    "ORANGE",
    "SKY_BLUE",
    "VERMILION",
    "YELLOW",
    "contour",
    "cutout",
    "difference",
    "draw_rect",
    "draw_scribbles",
    "heat",
    "overlay",
    "palette",
    "sheet",
]


_VOID = 255


def overlay(
    image: ArrayLike, labels: ArrayLike, alpha: float = 0.5, *, colors: ArrayLike | None = None
) -> Picture:
    """Lay labels over an image in translucent colour.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    labels : array, (H, W)
        Integer labels, each in its colour, void (255) left clear; or a bool mask, of which the
        foreground is coloured.
    alpha : float
        0 shows the image alone, 1 the colours alone.
    colors : (n, 3) uint8 array, optional
        One colour for each label, Pascal VOC's by default, which repeat after 255 labels.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense, or there are more labels than `colors`.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.overlay(np.zeros((1, 2)), np.array([[1, 255]]), alpha=1.0).tolist()
    [[[128, 0, 0], [0, 0, 0]]]
    """
    picture = as_uint8_image(image)
    if not 0 <= finite(alpha, "alpha") <= 1:
        raise ValueError(f"alpha is {alpha}, expected a number from 0 to 1")
    if as_array(labels, "labels").dtype.kind == "b":
        shown = as_mask(labels, "labels", picture.shape[:2])
        table = np.array([(0, 0, 0), ORANGE], np.uint8)
        indices = shown.astype(np.int32)
    else:
        indices = as_labels(labels, "labels", picture.shape[:2])
        shown = indices != _VOID
        table = palette(_VOID)
        indices = np.where(shown, indices % _VOID if colors is None else indices, 0)
    if colors is not None:
        table = as_colors(colors)
        if (high := int(indices.max())) >= len(table):
            raise ValueError(f"labels holds {high}, but there are {len(table)} colors")
    # Eight bits of alpha: (256 - a) image + a colour, in integers.
    a = round(alpha * 256)
    mixed = picture.astype(np.uint32) * (256 - a) + table[indices].astype(np.uint32) * a
    mixed = ((mixed + 128) >> 8).astype(np.uint8)
    result: Picture = np.where(shown[:, :, np.newaxis], mixed, picture)
    return result


def contour(
    image: ArrayLike, labels: ArrayLike, thickness: int = 4, *, color: Color = YELLOW
) -> Picture:
    """Draw the boundaries between labels onto an image, with a dark rim that keeps them visible.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    labels : array, (H, W)
        Integer labels or a bool mask. Void (255) is a label like any other here.
    thickness : int
        Of the line, in pixels, half of it on either side of the boundary, made even.
    color : (red, green, blue)

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.contour(np.zeros((1, 6)), np.array([[0, 0, 0, 1, 1, 1]]), 2)[0, :, 0].tolist()
    [0, 32, 240, 240, 32, 0]
    """
    picture = as_uint8_image(image).copy()
    half = (positive_int(thickness, "thickness") + 1) // 2
    checked = as_labels(labels, "labels", picture.shape[:2])
    picture[band(checked, half + 1)] = 32
    picture[band(checked, half)] = as_color(color)
    return picture


def cutout(image: ArrayLike, mask: ArrayLike, *, square: int = 12) -> Picture:
    """Show the foreground on a checkerboard.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    mask : array, (H, W)
        A mask, or opacities as floats in [0, 1].
    square : int
        The side of the board's squares in pixels.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.cutout(np.zeros((1, 3)), np.array([[0.0, 0.5, 1.0]]))[0, :, 0].tolist()
    [255, 128, 0]
    """
    picture = as_uint8_image(image)
    size = picture.shape[:2]
    if as_array(mask, "mask").dtype.kind == "f":
        opacity = as_image(mask, name="mask")[:, :, 0] / np.float32(255)
        if opacity.shape != size:
            raise ValueError(f"mask has shape {opacity.shape}, expected {size}")
    else:
        opacity = as_mask(mask, "mask", size).astype(np.float32)
    side = min(positive_int(square, "square"), max(size))
    y, x = (np.arange(n) // side for n in size)
    board = np.where((y[:, np.newaxis] + x) % 2 == 0, np.float32(255), np.float32(204))
    opacity = opacity[:, :, np.newaxis]
    mixed = picture * opacity + board[:, :, np.newaxis] * (1 - opacity)
    result: Picture = np.rint(mixed).astype(np.uint8)
    return result


def difference(truth: ArrayLike, labels: ArrayLike, *, ignore_index: int = _VOID) -> Picture:
    """Show where labels are wrong.

    Parameters
    ----------
    truth, labels : arrays, (H, W)
        Two masks of bool: foreground that was found is white, background dark, what was wrongly
        added vermilion, what was missed blue. Or integer labels: right is white, wrong vermilion,
        void in `truth` grey.
    ignore_index : int
        The void label.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If the arrays are no labels or differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> truth, mask = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])
    >>> viz.difference(truth, mask)[0].tolist()
    [[235, 235, 235], [0, 114, 178], [213, 94, 0], [48, 48, 48]]
    """
    right, background, void = (235, 235, 235), (48, 48, 48), (160, 160, 160)
    expected = as_labels(truth, "truth")
    found = as_labels(labels, "labels", expected.shape)
    as_void(ignore_index)
    if np.asarray(truth).dtype.kind == "b" and np.asarray(labels).dtype.kind == "b":
        table = np.array([background, VERMILION, BLUE, right], np.uint8)
        kinds = expected * 2 + found
    else:
        table = np.array([VERMILION, right, void], np.uint8)
        kinds = np.where(expected == ignore_index, 2, (expected == found).astype(np.int32))
    picture: Picture = table[kinds]
    return picture


def heat(values: ArrayLike, data_range: tuple[float, float] = (0.0, 1.0)) -> Picture:
    """Show a map of numbers, a saliency or a probability, in the colours of viridis.

    Parameters
    ----------
    values : array, (H, W)
        Real numbers within `data_range`.
    data_range : (lo, hi)
        The values of the darkest and the brightest colour.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If `values` are not finite, out of range, or not (H, W).

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.heat(np.array([[0.0, 1.0]])).tolist()
    [[[68, 1, 84], [253, 231, 37]]]
    """
    gray = as_image(values, name="values", data_range=data_range)
    if gray.shape[2] != 1:
        raise ValueError(f"values has shape {gray.shape}, expected (H, W)")
    steps = np.linspace(0, 255, len(VIRIDIS))
    table = np.stack([np.interp(np.arange(256), steps, channel) for channel in VIRIDIS.T], axis=1)
    picture: Picture = np.rint(table).astype(np.uint8)[np.rint(gray[:, :, 0]).astype(np.uint8)]
    return picture


def draw_rect(
    image: ArrayLike,
    rect: tuple[int, int, int, int],
    *,
    color: Color = YELLOW,
    thickness: int = 4,
) -> Picture:
    """Draw a rectangle's outline, from its edge inwards, with a dark rim.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    rect : (x, y, width, height)
        In pixels; clipped to the image.
    color : (red, green, blue)
    thickness : int
        In pixels, without the rim of one pixel on the inner side.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.draw_rect(np.zeros((9, 9)), (0, 0, 9, 9), thickness=1)[4, :, 0].tolist()
    [240, 32, 0, 0, 0, 0, 0, 32, 240]
    """
    picture = as_uint8_image(image).copy()
    x, y, width, height = as_rect(rect, picture.shape)
    line = positive_int(thickness, "thickness")
    box = picture[y : y + height, x : x + width]
    inner = box[line : height - line, line : width - line].copy()
    box[:] = as_color(color)
    if inner.size:
        rim = box[line : height - line, line : width - line]
        rim[:] = 32
        rim[1:-1, 1:-1] = inner[1:-1, 1:-1]
    return picture


def draw_scribbles(
    image: ArrayLike,
    seeds: ArrayLike,
    *,
    foreground: Color = ORANGE,
    background: Color = SKY_BLUE,
) -> Picture:
    """Draw scribbles onto an image, with a dark rim.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    seeds : integer array, (H, W)
        0 unmarked, 1 background, 2 foreground.
    foreground, background : (red, green, blue)

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> viz.draw_scribbles(np.zeros((1, 4)), np.array([[0, 0, 0, 2]]))[0, :, 0].tolist()
    [0, 0, 32, 230]
    """
    picture = as_uint8_image(image).copy()
    marks = as_seeds(seeds, picture.shape[:2])
    picture[ndimage.binary_dilation(marks > 0, np.ones((3, 3)))] = 32
    picture[marks == 1] = as_color(background, "background")
    picture[marks == 2] = as_color(foreground, "foreground")
    return picture

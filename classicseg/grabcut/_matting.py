"""Soft cut-outs: opacities along a mask's border, and colours without the background's tint."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_mask
from classicseg._settings import one_of
from classicseg.grabcut._border import Border, border_alpha, border_colours, border_of

__all__ = ["alpha", "alpha_of", "cutout", "cutout_of"]

Array = NDArray[np.float64]


def alpha(
    image: ArrayLike,
    mask: ArrayLike,
    matting: str = "border",
    *,
    data_range: tuple[float, float] | None = None,
) -> NDArray[np.float32]:
    """Opacity of a mask's foreground: soft along its contours, 0 and 1 elsewhere.

    Border matting, section 4 of the GrabCut paper. Pixels within 6 pixels of a contour mix a
    foreground and a background whose colours are Gaussian near by (41 x 41 pixels). Across the
    contour the opacity is a step, whose place and width at each contour point are found by dynamic
    programming: they explain the colours and change slowly along the contour. That is for edges
    with no hair or fur; where there is some, "closed-form" finds more of it.

    Here the step is a Gaussian's integral, of a standard deviation of 0.3 to 3 pixels, centred up
    to 3 pixels from the mask's contour, whose staircase is smoothed first. Closed contours are
    solved exactly, in one pass over their points where the colours decide, else in a few.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16, or floats in [0, 1].
    mask : (H, W) bool array
        True = foreground. Right to within 3 pixels.
    matting : "border" or "closed-form"
        "closed-form" is PyMatting's (Levin et al. 2008), in the same ribbon of pixels: it supposes
        no step, and takes more time and over ten times the memory on large photographs.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].

    Returns
    -------
    (H, W) float32 array
        In [0, 1]. A mask of one label stays as it is.

    Raises
    ------
    ValueError, TypeError
        For an unusable image or mask, or another matting, or an image of less than 3 x 3 pixels
        for "closed-form".
    ImportError
        If PyMatting is wanted and missing.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake: "GrabCut": interactive foreground extraction using iterated
    graph cuts. SIGGRAPH 2004. doi:10.1145/1015706.1015720

    A. Levin, D. Lischinski, Y. Weiss: A closed-form solution to natural image matting. PAMI 2008.
    doi:10.1109/TPAMI.2007.1177

    Examples
    --------
    >>> image = np.full((20, 20), 40, np.uint8)
    >>> image[:, 10:] = 200
    >>> image[:, 9] = 80  # a quarter of it is foreground
    >>> opacity = alpha(image, image > 100)
    >>> (100 * opacity[10, 7:12]).round().tolist()
    [0.0, 0.0, 26.0, 100.0, 100.0]
    """
    pixels = as_image(image, data_range=data_range)
    return alpha_of(pixels, as_mask(mask, shape=pixels.shape[:2]), matting)


def cutout(
    image: ArrayLike,
    mask: ArrayLike,
    matting: str = "border",
    *,
    data_range: tuple[float, float] | None = None,
) -> NDArray[np.uint8]:
    """The foreground alone, with soft edges that carry no tint of the background: RGBA.

    The opacities are those of `alpha`. In pixels that are not all foreground the colour is an
    estimate from the foreground near by (after section 4.2 of the paper; with "closed-form"
    PyMatting's `estimate_foreground_ml`), also in those along the edge that are all transparent,
    so that programs which scale the picture without regard to opacity draw no dark rim. What lies
    farther off is black and transparent: nothing of the background is left in the file.

    Parameters
    ----------
    image, mask, matting, data_range
        As in `alpha`.

    Returns
    -------
    (H, W, 4) uint8 array
        Red, green, blue (not multiplied by the opacity) and opacity, as PNG stores them.

    Raises
    ------
    ValueError, TypeError, ImportError
        As `alpha`.

    Examples
    --------
    >>> image = np.full((20, 20), 40, np.uint8)
    >>> image[:, 10:] = 200
    >>> image[:, 9] = 80
    >>> cutout(image, image > 100)[10, [0, 9, 19]].tolist()
    [[0, 0, 0, 0], [200, 200, 200, 67], [200, 200, 200, 255]]
    """
    pixels = as_image(image, data_range=data_range)
    return cutout_of(pixels, as_mask(mask, shape=pixels.shape[:2]), matting)


def alpha_of(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], matting: str
) -> NDArray[np.float32]:
    """`alpha` of an image in 0..255."""
    _check(matting)
    opacity = mask.astype(np.float32)
    border = border_of(pixels, mask)
    if border is not None:
        opacity[border.ribbon.rows, border.ribbon.columns] = _opacities(border, matting)
    return opacity


def cutout_of(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], matting: str
) -> NDArray[np.uint8]:
    """`cutout` of an image in 0..255."""
    _check(matting)
    rgba = np.zeros((*mask.shape, 4), np.uint8)
    rgba[mask, :3] = np.rint(pixels[mask])
    rgba[mask, 3] = 255
    border = border_of(pixels, mask)
    if border is None:
        return rgba
    here = border.ribbon.rows, border.ribbon.columns
    opacity = _opacities(border, matting)
    if matting == "border":
        colours = border_colours(border, opacity)
    else:
        from classicseg.grabcut._closed_form import closed_form_colours

        colours = closed_form_colours(border, opacity)
    rgba[(*here, slice(3))] = np.rint(colours)
    rgba[(*here, 3)] = np.rint(255 * opacity)
    return rgba


def _opacities(border: Border, matting: str) -> Array:
    if matting == "border":
        return border_alpha(border)
    from classicseg.grabcut._closed_form import closed_form_alpha

    return closed_form_alpha(border)


def _check(matting: str) -> None:
    one_of(matting, ("border", "closed-form"), "matting")

"""The door of the dense CRF: unaries, images, features and spacings of any number of axes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array, shape_of
from classicseg._checks import as_image

Shape = tuple[int, ...]


def label_shape(scores: ArrayLike, name: str) -> Shape:
    """The shape of scores (..., L) without the labels: 1 to 3 axes."""
    shape = shape_of(scores, name)
    if not 2 <= len(shape) <= 4:
        raise ValueError(
            f"{name} has shape {shape}, expected (H, W, L), (D, H, W, L) or (N, L); a batch is a "
            f"list of arrays"
        )
    if 0 in shape:
        raise ValueError(f"{name} is empty: its shape is {shape}")
    return shape[:-1]


def hint_at_layout(scores: ArrayLike, image: ArrayLike | None, name: str) -> None:
    """Complain where scores and image only fit with their axes in another order."""
    if image is None:
        return
    scores_shape, image_shape = shape_of(scores, name), shape_of(image, "image")
    grid = scores_shape[:-1]
    if image_shape in (grid, image_shape[: len(grid)] and (*grid, *image_shape[len(grid) :][:1])):
        return
    labels_first = scores_shape[1:]
    if image_shape[: len(labels_first)] == labels_first:
        raise ValueError(
            f"{name} has shape {scores_shape} and image {image_shape}: the labels come first, use "
            f"numpy.moveaxis({name}, 0, -1)"
        )


def channels_of(
    image: ArrayLike, shape: Shape, data_range: tuple[float, float] | None
) -> NDArray[np.float32]:
    """An image of that shape, with any number of channels after it or none, as (N, C) in 0..255."""
    array = as_array(image, "image")
    given, n = array.shape, len(shape)
    if given[:n] != shape or array.ndim > n + 1:
        names = ("depth", "height", "width")[-n:] if n > 1 else ("length",)
        expected = f"{shape} ({', '.join(names)}), alone or with the channels after it"
        hint = ""
        if array.ndim == n + 1 and given[1:] == shape:
            hint = "; the channels come first: use numpy.moveaxis(image, 0, -1)"
        elif n >= 2 and given[:n] == (*shape[:-2], shape[-1], shape[-2]):
            hint = (
                f"; height and width are swapped, it is {given[n - 2]} high and {given[n - 1]} "
                f"wide: use numpy.swapaxes(image, {n - 2}, {n - 1}), or on the unary"
            )
        raise ValueError(f"image has shape {given}, expected {expected}{hint}")
    flat = array.reshape(int(np.prod(shape)), -1)
    return as_image(flat, data_range=data_range)[..., 0]


def features_of(features: ArrayLike, shape: Shape) -> NDArray[np.float32]:
    """Features (..., F) of points of that shape, as (N, F)."""
    array = as_array(features, "features")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"features has dtype {array.dtype}, expected real numbers")
    if array.ndim != len(shape) + 1 or array.shape[:-1] != shape or array.shape[-1] == 0:
        raise ValueError(
            f"features has shape {array.shape}, expected {shape} and the features after it"
        )
    with np.errstate(over="ignore"):
        flat = np.ascontiguousarray(array, np.float32).reshape(-1, array.shape[-1])
    if not np.isfinite(flat).all():
        raise ValueError("features holds values that are NaN or infinite in float32")
    return flat

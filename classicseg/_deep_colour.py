"""Colour of 16 bits a channel, of which Pillow keeps only the upper halves."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

__all__ = ["deep_colour", "read_deep_colour"]


def deep_colour(image: ImageFile.ImageFile) -> set[str]:
    """The raw modes of a file of such colour that is opened and not loaded; none of any other."""
    raw_modes = {_raw_mode(tile) for tile in image.tile}
    if image.mode.startswith(("I", "F")):
        return set()
    deep = ";16" in "".join(raw_modes) or max(_tiff_bits(image)) > 8
    return raw_modes if deep else set()


def _raw_mode(tile: Any) -> str:
    arguments = tile.args
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _tiff_bits(image: Image.Image) -> tuple[int, ...]:
    """Bits of each channel in a TIFF: of a planar one the raw modes do not tell."""
    tags = getattr(image, "tag_v2", {})
    return tuple(tags.get(258, ())) or (8,)


def read_deep_colour(path: str | os.PathLike[str], raw_modes: set[str]) -> NDArray[np.uint16]:
    """Read it in two passes.

    Its decoder takes the bytes of a number in either order, and keeps the one that it holds for
    the upper one: asked for the wrong order, it gives the lower halves.
    """
    raw_mode = "/".join(sorted(raw_modes))
    channels, _, order = raw_mode.partition(";16")
    order = order.replace("N", "L" if sys.byteorder == "little" else "B")
    if raw_mode == "LA;16B":
        four_bytes = _decoded_as(path, "RGBA")
        upper, lower = four_bytes[:, :, :1], four_bytes[:, :, 1:2]
    elif channels in ("RGB", "RGBA", "RGBX") and order in ("L", "B"):
        other = {"L": "B", "B": "L"}[order]
        upper, lower = (_decoded_as(path, f"{channels};16{o}") for o in (order, other))
    else:
        raise ValueError(f"its layout {raw_mode!r} of deep colour is not known; save it as PNG")
    pixels = upper[:, :, :3].astype(np.uint16)
    pixels <<= 8
    pixels |= lower[:, :, :3]
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def _decoded_as(path: str | os.PathLike[str], raw_mode: str) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        image.tile = [
            tile._replace(
                args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
            )
            for tile in image.tile
        ]
        image.load()
        return np.asarray(ImageOps.exif_transpose(image))

"""Images, labels, masks and scores from files and into them.

Whatever is written appears whole or not at all: it goes into a temporary file in the same folder,
reaches the disk, and then takes the name.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageFile, ImageOps

from classicseg._arrays import as_array
from classicseg._checks import as_labels, as_mask
from classicseg._colors import palette
from classicseg._deep_colour import deep_colour, read_deep_colour
from classicseg._files import atomic, explained, path_of
from classicseg._scores import read_scores

__all__ = [
    "atomic",
    "read_image",
    "read_labels",
    "read_mask",
    "read_scores",
    "write_image",
    "write_json",
    "write_labels",
    "write_mask",
    "write_text",
]


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Read an image as RGB.

    Grey is written into all three channels, palettes and CMYK are converted, an EXIF orientation
    is applied. An alpha channel is dropped, not composited: the colours are those in the file. Of
    several frames the first is read. Colour profiles are not applied.

    Parameters
    ----------
    path : path
        Any format that Pillow reads.

    Returns
    -------
    (H, W, 3) array
        uint16 for PNG and TIFF files with 16 bits per channel, uint8 for all others.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file.
    ValueError
        If it is empty, damaged, no image, larger than Pillow's limit against decompression
        bombs (179 megapixels), or has another kind of pixel (32-bit floats for example).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "grey.png"
    ...     io.write_image(path, np.full((2, 3), 7, np.uint8))
    ...     image = io.read_image(path)
    >>> image.shape, image[0, 0].tolist()
    ((2, 3, 3), [7, 7, 7])
    """
    with _opened(path) as image:
        raw_modes = deep_colour(image)
        image.load()
        if raw_modes:
            return read_deep_colour(path, raw_modes)
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I"):
            grey = np.asarray(upright)
            if grey.min() < 0 or grey.max() > 65535:
                raise ValueError(f"its grey values {grey.min()}..{grey.max()} exceed 16 bits")
            return np.repeat(grey.astype(np.uint16)[:, :, np.newaxis], 3, axis=2)
        if upright.mode == "F":
            raise ValueError("it holds floating-point pixels, expected 8 or 16 bits per channel")
        return np.array(upright.convert("RGB"))


def read_labels(path: str | os.PathLike[str]) -> NDArray[np.int32]:
    """Read a label image: the indices of a palette PNG, or the values of a grey one.

    Returns
    -------
    (H, W) int32 array
        As in the file; 255 is void by convention.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file.
    ValueError
        If it is empty, damaged, or in colour without a palette.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.png"
    ...     io.write_labels(path, np.array([[0, 20], [255, 1]]))
    ...     io.read_labels(path).tolist()
    [[0, 20], [255, 1]]
    """
    with _opened(path) as image:
        image.load()
        if image.mode not in ("1", "L", "P") and not image.mode.startswith("I"):
            raise ValueError(f"its mode is {image.mode}, expected labels as a palette or in grey")
        return as_labels(np.asarray(image), "the file's array")


def read_mask(path: str | os.PathLike[str]) -> NDArray[np.bool_]:
    """Read a mask: an image with the values 0 and 1, or 0 and 255, in grey or in equal channels.

    Returns
    -------
    (H, W) bool array
        True is foreground.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file.
    ValueError
        If it is empty or damaged, or other values occur, as in a mask saved as JPEG.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mask.png"
    ...     io.write_mask(path, np.array([[True, False]]))
    ...     io.read_mask(path).tolist()
    [[True, False]]
    """
    with _opened(path) as image:
        image.load()
        if image.mode in ("RGB", "RGBA"):
            channels = np.asarray(image)[:, :, :3]
            if (channels != channels[:, :, :1]).any():
                raise ValueError("it is in colour, expected a mask")
            return as_mask(channels[:, :, 0], "the file's array")
        return as_mask(np.asarray(image), "the file's array")


def write_image(path: str | os.PathLike[str], image: ArrayLike) -> None:
    """Write an image, in the format that the file's ending names.

    Parameters
    ----------
    path : path
        Its folder must exist. An existing file is replaced. JPEG is written at quality 95.
    image : array
        (H, W), (H, W, 3) or (H, W, 4), the last with alpha: uint8, or floats in [0, 1], which
        are rounded to 8 bits; or (H, W) uint16 (PNG, TIFF).

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be made there.
    TypeError, ValueError
        If the array is no image, or the format is unknown or cannot hold it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_image(Path(folder) / "black.png", np.zeros((4, 4, 3)))
    """
    pixels = as_array(image, "image")
    if pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,), (4,)) or pixels.size == 0:
        raise ValueError(f"image has shape {pixels.shape}, expected (H, W), (H, W, 3) or (H, W, 4)")
    if pixels.dtype.kind == "f":
        if not (pixels.min() >= 0 and pixels.max() <= 1):
            raise ValueError("image holds floats outside [0, 1], or NaN")
        pixels = np.rint(pixels * 255.0).astype(np.uint8)
    elif pixels.dtype == np.uint16 and pixels.ndim == 2:
        pixels = pixels.astype(np.uint16)
    elif pixels.dtype != np.uint8:
        raise TypeError(
            f"image has dtype {pixels.dtype} and shape {pixels.shape}, expected uint8, floats in "
            f"[0, 1], or uint16 in grey"
        )
    _save(path, Image.fromarray(np.ascontiguousarray(pixels)))


def write_labels(path: str | os.PathLike[str], labels: ArrayLike) -> None:
    """Write labels as a PNG with the palette of Pascal VOC.

    Parameters
    ----------
    path : path
        Must end in `.png`.
    labels : integer array, (H, W)
        In 0..255; 255 is void by convention.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be made there.
    TypeError, ValueError
        If `labels` are none, or over 255, or the name ends otherwise.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_labels(Path(folder) / "labels.png", np.eye(3, dtype=int))
    """
    indices = as_labels(labels)
    if (high := int(indices.max())) > 255:
        raise ValueError(f"labels holds the value {high}, expected at most 255 in a file")
    image = Image.fromarray(indices.astype(np.uint8))
    image.putpalette(palette(256).tobytes())
    _save(path, image, lossless=True)


def write_mask(path: str | os.PathLike[str], mask: ArrayLike) -> None:
    """Write a mask as a grey PNG: 0 background, 255 foreground.

    Parameters
    ----------
    path : path
        Must end in `.png`.
    mask : bool array, (H, W)
        Or integers that are 0 and 1, or 0 and 255.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be made there.
    TypeError, ValueError
        If `mask` is none, or the name ends otherwise.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_mask(Path(folder) / "mask.png", np.eye(3, dtype=bool))
    """
    _save(path, Image.fromarray(as_mask(mask).astype(np.uint8) * np.uint8(255)), lossless=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, lines ending as they are.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_text(Path(folder) / "note.txt", "done")
    """
    if not isinstance(text, str):
        raise TypeError(f"text is a {type(text).__name__}, expected a str")
    with atomic(path) as file:
        file.write(text.encode())


def write_json(path: str | os.PathLike[str], data: object) -> None:
    """Write JSON: NumPy's numbers and arrays as plain ones, NaN and infinities as null.

    Raises
    ------
    TypeError
        If `data` holds anything that JSON has no form for.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     io.write_json(Path(folder) / "result.json", {"iou": float("nan")})
    ...     (Path(folder) / "result.json").read_text()
    '{\\n  "iou": null\\n}\\n'
    """
    try:
        text = json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"data has no form in JSON: {error}") from error
    write_text(path, text + "\n")


def _save(path: str | os.PathLike[str], image: Image.Image, *, lossless: bool = False) -> None:
    suffix = path_of(path).suffix.lower()
    if lossless and suffix != ".png":
        raise ValueError(f"{path} must end in .png, which keeps every value")
    kind = Image.registered_extensions().get(suffix)
    if kind is None or kind not in Image.SAVE:
        raise ValueError(f"{path}: the ending {suffix!r} names no image format")
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    with atomic(path) as file:
        try:
            image.save(file, format=kind, **options)
        except (OSError, KeyError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk, not the format
                raise
            raise ValueError(f"{path}: {kind} cannot hold this image: {error}") from None


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[ImageFile.ImageFile]:
    with explained(path, "an image"), warnings.catch_warnings():
        # Up to twice the limit against decompression bombs Pillow only warns: large photographs.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            yield image


def _plain(data: object) -> object:
    if isinstance(data, np.generic | np.ndarray):
        data = data.tolist()
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {_plain(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain(value) for value in data]
    return os.fspath(data) if isinstance(data, os.PathLike) else data

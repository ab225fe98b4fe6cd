"""Files that are written whole or not at all, and errors that name the file."""

from __future__ import annotations

import os
import secrets
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

# What Pillow's and NumPy's readers raise on damaged files.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    ArithmeticError,
    LookupError,
    MemoryError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    zipfile.BadZipFile,
    NotImplementedError,  # zipfile's, for a compression that it does not know
)


def path_of(path: str | os.PathLike[str], name: str = "path") -> Path:
    """Check what is to be a path, of a file that may exist or not."""
    if not isinstance(path, str | os.PathLike) or isinstance(os.fspath(path), bytes):
        raise TypeError(f"{name} is {path!r}, expected a path")
    if "\0" in os.fspath(path):
        raise ValueError(f"{name} is {path!r}, expected a path without null characters")
    return Path(path)


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when all went well.

    A link is followed. On an error, or an interrupt, an existing file stays as it was.

    Parameters
    ----------
    path : path
        Its folder must exist.

    Yields
    ------
    binary file

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be made there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with io.atomic(Path(folder) / "scores.npy") as file:
    ...         np.save(file, np.zeros(3))
    """
    target = path_of(path).resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected a file's name")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {target.parent} does not exist")
    temporary = target.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        if error.errno and error.filename is None:  # a full disk does not say which file it is
            error.filename = str(path)
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def explained(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Turn whatever a reader says about a damaged file into one kind of error with its name."""
    file = path_of(path)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder, expected a file with {what}")
    if file.exists() and not file.is_file():
        raise ValueError(f"{file} is no regular file, expected {what}")
    if file.exists() and file.stat().st_size == 0:
        raise ValueError(f"{file} is empty, expected {what}")
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except Image.DecompressionBombError as error:
        raise ValueError(
            f"{file} is too large: {error}; set PIL.Image.MAX_IMAGE_PIXELS if it can be trusted"
        ) from error
    except _DAMAGE as error:
        known = not isinstance(error, UnidentifiedImageError)
        reason = error if known else "it is of no known format"
        raise ValueError(f"{file} cannot be read as {what}: {reason}") from error

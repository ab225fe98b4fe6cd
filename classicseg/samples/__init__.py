"""Photographs with ground truth, to try every method on and to compare them.

The photographs are those that lie inside the installed scikit-image and scikit-learn; nothing is
fetched. The masks, rectangles and scribbles were drawn for this project and lie in `annotations`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classicseg._settings import one_of

__all__ = ["Sample", "load", "names"]

# Grey values of the mask files; all else is background.
_FOREGROUND, _VOID = 255, 128


@dataclass(frozen=True, eq=False)
class Sample:
    """A photograph and what a person drew on it.

    Attributes
    ----------
    name : str
        The name that `load` knows it by.
    image : (H, W, 3) or (H, W) uint8 array
        RGB or grey.
    mask : (H, W) bool array
        True where the pixel is foreground for sure.
    void : (H, W) bool array
        True where a person could not decide: mixed pixels along the boundary, mostly. These are
        not to be scored.
    truth : (H, W) uint8 array
        Both in one, as `metrics` takes it: 0 background, 1 foreground, 255 void.
    rect : (x, y, width, height)
        In pixels; the box a person would drag around the foreground, all of it inside.
    scribbles : (H, W) uint8 array
        0 unmarked, 1 a stroke on the background, 2 a stroke on the foreground.
    description : str
        What the foreground is, in one line.
    """

    name: str
    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    void: NDArray[np.bool_]
    truth: NDArray[np.uint8]
    rect: tuple[int, int, int, int]
    scribbles: NDArray[np.uint8]
    description: str


class _Entry(TypedDict):
    """A sample in `annotations/samples.json`; `size` is (width, height)."""

    name: str
    package: str
    file: str
    size: list[int]
    rect: list[int]
    description: str


def names() -> tuple[str, ...]:
    """Name all samples, in alphabetical order.

    Returns
    -------
    tuple of str
        What `load` takes.

    Examples
    --------
    >>> from classicseg import samples
    >>> samples.names()
    ('astronaut', 'camera', 'chelsea', 'china', 'coffee', 'coins', 'flower', 'rocket')
    """
    return tuple(_entries())


def load(name: str) -> Sample:
    """Load a photograph with its mask, rectangle and scribbles.

    Parameters
    ----------
    name : str
        One of `names()`.

    Returns
    -------
    Sample
        With arrays of its own: they may be written to.

    Raises
    ------
    ValueError
        If there is no sample of that name, or the photograph is not the one that was annotated.
    ModuleNotFoundError
        If the package that holds the photograph is not installed.
    FileNotFoundError
        If the package does not hold it.

    Examples
    --------
    >>> from classicseg import samples
    >>> sample = samples.load("coffee")
    >>> sample.image.shape, sample.mask.shape, sample.rect
    ((400, 600, 3), (400, 600), (64, 10, 428, 389))
    """
    one_of(name, names(), "name")
    entry = _entries()[name]
    image = _photograph(entry)
    drawn = _pixels(_annotations() / f"{name}_mask.png")
    mask = drawn == _FOREGROUND
    void = drawn == _VOID
    truth = mask.astype(np.uint8)
    truth[void] = 255
    x, y, width, height = entry["rect"]
    return Sample(
        name=name,
        image=image,
        mask=mask,
        void=void,
        truth=truth,
        rect=(x, y, width, height),
        scribbles=_pixels(_annotations() / f"{name}_scribbles.png"),
        description=entry["description"],
    )


def _annotations() -> Traversable:
    return resources.files(__name__) / "annotations"


@cache
def _entries() -> dict[str, _Entry]:
    entries: list[_Entry] = json.loads(
        (_annotations() / "samples.json").read_text(encoding="utf-8")
    )
    return {entry["name"]: entry for entry in entries}


def _photograph(entry: _Entry) -> NDArray[np.uint8]:
    package, file = entry["package"], entry["file"]
    try:
        path = resources.files(package).joinpath(*file.split("/"))
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"the photograph of sample {entry['name']!r} lies in the package {package!r}, "
            f"which cannot be imported: {error}",
            name=error.name,
        ) from error
    if not path.is_file():
        raise FileNotFoundError(
            f"the photograph of sample {entry['name']!r} is missing: the installed {package!r} "
            f"holds no {file}"
        )
    image = _pixels(path)
    width, height = entry["size"]
    if image.shape[:2] != (height, width):
        raise ValueError(
            f"the installed {package}/{file} has height and width {image.shape[:2]}, expected "
            f"{(height, width)}: it is not the photograph that was annotated"
        )
    return image


def _pixels(path: Traversable) -> NDArray[np.uint8]:
    """Read an 8-bit file: (H, W) if it is grey, else (H, W, 3)."""
    with path.open("rb") as file, Image.open(file) as image:
        return np.array(image if image.mode == "L" else image.convert("RGB"))

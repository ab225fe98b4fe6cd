"""What the readers share: finding folders and files, and labels out of files, or why not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._checks import as_labels, as_uint8_image
from classicseg._files import explained, path_of
from classicseg._settings import yes_or_no
from classicseg.datasets._dataset import VOID, Item
from classicseg.io import read_image, read_labels

__all__ = [
    "ENDINGS",
    "Classes",
    "as_classes",
    "as_split",
    "find",
    "listed",
    "matlab_labels",
    "no_split",
    "pictures",
    "present",
    "read_pair",
    "read_pixels",
    "same_size",
]

ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".webp"}
PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Classes:
    """What the numbers in a file of labels stand for.

    Attributes
    ----------
    values : tuple of tuple of int
        For each class, the values that stand for it.
    void : tuple of int
        The values of pixels that nobody decided on.
    """

    values: tuple[tuple[int, ...], ...]
    void: tuple[int, ...] = (VOID,)

    @classmethod
    def count(cls, n_classes: int, void: tuple[int, ...] = (VOID,)) -> Classes:
        """Classes that stand for themselves."""
        return cls(tuple((k,) for k in range(n_classes)), void)


def no_split(name: str, split: str | None) -> None:
    """Check the split of a data set that has none."""
    if split is not None:
        raise ValueError(f"split is {split!r}, but {name} has none")


def as_split(split: str) -> str:
    """Check the name of a part of a data set."""
    if not isinstance(split, str):
        raise TypeError(f"split is {split!r}, expected a name such as 'val'")
    if not split or "\0" in split or Path(split).name != split:
        raise ValueError(f"split is {split!r}, expected a name such as 'val'")
    return split


def find(root: PathLike, name: str, inside: Sequence[str], holds: str) -> Path:
    """The folder that holds `holds`: the root, or one of those usually inside it."""
    top = path_of(root, "root")
    for place in ("", *inside):
        if (top / place / holds).exists():
            return top / place
    if not top.is_dir():
        raise NotADirectoryError(f"{root} is no folder, expected the root of {name}")
    raise FileNotFoundError(
        f"{top / holds} is missing: the root of {name} holds it "
        f"(classicseg datasets {name} shows the layout)"
    )


def listed(path: Path) -> tuple[str, ...]:
    """The names in a text file, one in a line; what follows a space is of no interest."""
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none"
        raise FileNotFoundError(f"{path} is missing: the lists there are {there}")
    with explained(path, "a list of names"):
        lines = path.read_text(encoding="utf-8").splitlines()
    names = tuple(line.split()[0] for line in lines if line.strip())
    if not names:
        raise ValueError(f"{path} names nothing")
    return names


def pictures(folder: Path, what: str = "images") -> list[Path]:
    """The images of a folder, in the order of their names."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder, expected one with {what}")
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".")  # as macOS leaves them
    )


def present(
    names: Iterable[str], files: Callable[[str], Sequence[Path]], strict: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Those whose files are all there, and why the others are left out.

    Raises
    ------
    FileNotFoundError
        If a file is missing and `strict`, or nothing is left.
    """
    yes_or_no(strict, "strict")
    folders: dict[Path, set[str]] = {}
    found: list[str] = []
    missing: dict[str, str] = {}
    for name in names:
        for path in files(name):
            if path.parent not in folders:
                folders[path.parent] = (
                    {entry.name for entry in os.scandir(path.parent)}
                    if path.parent.is_dir()
                    else set()
                )
            if path.name not in folders[path.parent]:
                missing[name] = f"{path} is missing"
                break
        else:
            found.append(name)
    if missing and (strict or not found):
        others = f", and files of {len(missing) - 1} more" if len(missing) > 1 else ""
        raise FileNotFoundError(f"{next(iter(missing.values()))}{others}")
    return tuple(found), missing


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """An image as (H, W, 3) uint8."""
    image = read_image(path)
    with explained(path, "an image"):  # it may be of no pixels
        return np.ascontiguousarray(as_uint8_image(image))


def same_size(labels: NDArray[Any], path: Path, image: NDArray[Any], picture: Path) -> None:
    """Complain where labels and image differ in size."""
    if labels.shape[:2] != image.shape[:2]:
        raise ValueError(
            f"{path} is {labels.shape[1]} x {labels.shape[0]} pixels, but its image {picture} is "
            f"{image.shape[1]} x {image.shape[0]}"
        )


def as_classes(values: NDArray[np.integer], classes: Classes, path: Path) -> NDArray[np.int32]:
    """Turn a file's values into classes and void, complaining about any other value."""
    known = [value for group in (*classes.values, classes.void) for value in group]
    low, high = min(known), max(known)
    table = np.full(high - low + 2, -1, np.int32)  # the last one stands for what is out of range
    table[np.array(classes.void, int) - low] = VOID
    for label, group in enumerate(classes.values):
        table[np.array(group, int) - low] = label
    where = values.astype(np.int64) - low
    where[(where < 0) | (where > high - low)] = high - low + 1
    labels: NDArray[np.int32] = table[where]
    if labels.min() < 0:
        wrong = int(values[labels < 0].min())
        raise ValueError(f"{path} holds the label {wrong}, expected {_expected(classes)}")
    return labels


def read_pair(id: str, picture: Path, path: Path, classes: Classes) -> Item:
    """An item of two files, an image and one with a value at each pixel."""
    image = read_pixels(picture)
    values = read_labels(path)
    same_size(values, path, image, picture)
    return Item(id, image, as_classes(values, classes, path))


def matlab_labels(found: Any, path: Path, *, first: int = 0) -> NDArray[np.int32]:
    """The array `Segmentation` of a struct out of a Matlab file, as labels from 0."""
    if not isinstance(found, dict) or not isinstance(found.get("Segmentation"), np.ndarray):
        raise ValueError(f"{path} holds no 'Segmentation' where it should be")
    values = found["Segmentation"]
    if values.dtype.kind == "f" and (values == np.floor(values)).all():
        values = values.astype(np.int64)  # Matlab's habit
    try:
        labels = as_labels(values, "the array of labels")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if labels.min() < first:
        raise ValueError(f"{path} holds the region {labels.min()}, expected numbers from {first}")
    return labels - np.int32(first)


def _expected(classes: Classes) -> str:
    n = len(classes.values)
    plain = classes.values == Classes.count(n).values
    span = f"0..{n - 1}" if plain else ", ".join(str(v) for group in classes.values for v in group)
    void = f", or {', '.join(map(str, classes.void))} for void" if classes.void else ""
    return f"{span} for the {n} classes{void}"

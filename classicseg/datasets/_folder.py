"""Any folder of images, and one of masks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from classicseg._checks import positive_int
from classicseg._colors import as_colors, palette
from classicseg._files import explained, path_of
from classicseg._settings import int_from, sequence_of, yes_or_no
from classicseg.datasets._dataset import VOID, Dataset, Item
from classicseg.datasets._layout import Classes, as_split, listed, pictures, read_pair

__all__ = ["Files", "Pair", "folder", "match", "named_folder"]


@dataclass(frozen=True)
class Pair:
    """Two folders, and what the files of an id end in: small when pickled, for a million ids too.

    Attributes
    ----------
    images, masks : Path
    image_endings, mask_endings : tuple of str
        Those that occur, the dot included.
    """

    images: Path
    masks: Path
    image_endings: tuple[str, ...]
    mask_endings: tuple[str, ...]

    def files(self, id: str) -> tuple[Path, Path]:
        """The image of an id, and its mask."""
        return (
            _named(self.images, id, self.image_endings),
            _named(self.masks, id, self.mask_endings),
        )


_LARGEST_LABEL = 2**16 - 1


@dataclass(frozen=True)
class Files:
    """Reads images with masks in which every value stands for a class."""

    pair: Pair
    classes: Classes

    def __call__(self, id: str) -> Item:
        return read_pair(id, *self.pair.files(id), self.classes)


def folder(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    classes: int | Sequence[str],
    *,
    values: Sequence[int] | None = None,
    ignore_index: int = VOID,
    colors: ArrayLike | None = None,
    strict: bool = True,
) -> Dataset:
    """Find every image in a folder and the mask of the same name in another.

    Parameters
    ----------
    images, masks : path
        Masks are PNGs or other lossless files with a label at each pixel; endings may differ. In
        one and the same folder, masks are the PNGs, and images the others.
    classes : int or sequence of str
        How many there are, or their names; at most 255.
    values : sequence of int, optional
        The label that stands for each class in the files, such as ``(0, 255)``; 0, 1, 2, ... by
        default.
    ignore_index : int
        The void label in the files. A class may have it: then the files know no void.
    colors : (L, 3) uint8 array, optional
        Of the classes; Pascal VOC's by default.
    strict : bool
        False leaves out images whose mask is missing, unreadable or of another size.

    Returns
    -------
    Dataset
        With 255 as void. Its ids are the files' names without endings.

    Raises
    ------
    NotADirectoryError
        If there is no such folder.
    ValueError
        If there are no images, an image has no mask or several, or their sizes differ.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import datasets, io
    >>> with tempfile.TemporaryDirectory() as place:
    ...     io.write_image(Path(place) / "cat.jpg", np.zeros((6, 8, 3), np.uint8))
    ...     io.write_mask(Path(place) / "cat.png", np.eye(6, 8, dtype=bool))
    ...     dataset = datasets.folder(place, place, ("floor", "cat"), values=(0, 255))
    ...     dataset.ids, int(dataset.read("cat").labels.sum())
    (('cat',), 6)
    """
    names = _names(classes)
    images, masks = path_of(images, "images"), path_of(masks, "masks")
    given = range(len(names)) if values is None else values
    known = sequence_of(given, "values", f"{len(names)} labels")
    chosen = tuple(int_from(0, value, "values", _LARGEST_LABEL) for value in known)
    int_from(0, ignore_index, "ignore_index", _LARGEST_LABEL)
    if len(chosen) != len(names) or len(set(chosen)) != len(chosen):
        raise ValueError(f"values is {chosen}, expected {len(names)} different labels from 0")
    void = () if ignore_index in chosen else (int(ignore_index),)
    files = Classes(tuple((int(value),) for value in chosen), void)
    ids, pair, skipped = match(images, masks, strict=strict)
    for id in ids:
        try:
            _check_sizes(*pair.files(id))
        except ValueError as error:
            if strict:
                raise
            skipped[id] = str(error)
    return Dataset(
        Path(images).resolve().name,
        names,
        palette(len(names)) if colors is None else _colors(colors, len(names)),
        tuple(id for id in ids if id not in skipped),
        Files(pair, files),
        strict=strict,
        skipped=skipped,
    )


def named_folder(
    root: str | os.PathLike[str], split: str | None = None, *, strict: bool = True
) -> Dataset:
    """A folder with `images`, `masks` and `classes.txt`, which names a class in each line."""
    place = path_of(root, "root")
    names = tuple(" ".join(line.split()) for line in listed_lines(place / "classes.txt"))
    part = "" if split is None else as_split(split)
    return folder(place / "images" / part, place / "masks" / part, names, strict=strict)


def listed_lines(path: Path) -> list[str]:
    """The lines of a file of names, which may hold spaces."""
    listed(path)
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def match(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    *,
    ending: str = "",
    strict: bool = True,
) -> tuple[tuple[str, ...], Pair, dict[str, str]]:
    """Ids, where their files are, and why some are left out; a mask's name may have an `ending`."""
    yes_or_no(strict, "strict")
    found = pictures(Path(images))
    if Path(images).resolve() == Path(masks).resolve():  # photographs beside their masks
        candidates = [path for path in found if path.suffix.lower() == ".png"]
        found = [path for path in found if path.suffix.lower() != ".png"]
    else:
        candidates = pictures(Path(masks), "masks")
    if not found:
        raise ValueError(f"{images} holds no images")
    by_name = _by_name(found, "images")
    where = _by_name(candidates, "masks")
    ids = tuple(name for name in by_name if name + ending in where)
    missing = [path for name, path in by_name.items() if name + ending not in where]
    if missing and (strict or not ids):
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(f"{missing[0].name}{others} of {images} has no mask in {masks}")
    pair = Pair(
        Path(images),
        Path(masks),
        tuple(sorted({path.suffix for path in found})),
        tuple(sorted({ending + path.suffix for path in candidates})),
    )
    return ids, pair, {path.stem: f"{path} has no mask in {masks}" for path in missing}


def _by_name(paths: Sequence[Path], what: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise ValueError(f"{path} and {found[path.stem]} are {what} of the same name")
        found[path.stem] = path
    return found


def _named(folder: Path, id: str, endings: Sequence[str]) -> Path:
    for ending in endings:
        if (path := folder / f"{id}{ending}").is_file():
            return path
    raise FileNotFoundError(f"{folder / id}{endings[0]} is missing")


def _names(classes: int | Sequence[str]) -> tuple[str, ...]:
    if isinstance(classes, str):
        raise TypeError(f"classes is the string {classes!r}, expected a number or a list of names")
    if isinstance(classes, Sequence):
        names = tuple(classes)
    else:
        names = tuple(f"class {k}" for k in range(positive_int(classes, "n_classes", VOID)))
    if not 1 <= len(names) <= VOID:
        raise ValueError(f"n_classes is {len(names)}, expected at most {VOID}")
    return names


def _colors(colors: ArrayLike, n: int) -> NDArray[np.uint8]:
    table = as_colors(colors)
    if len(table) != n:
        raise ValueError(f"colors holds {len(table)}, expected {n}: one for each class")
    return table


def _check_sizes(picture: Path, mask: Path) -> None:
    """Quickly, by the files' heads; a rotated photograph is left to the reader."""
    sizes = []
    for path in (picture, mask):
        with explained(path, "an image"), Image.open(path) as image:
            sizes.append(image.size)
    if sizes[0] not in (sizes[1], sizes[1][::-1]):
        (width, height), (w, h) = sizes
        raise ValueError(
            f"{mask} is {w} x {h} pixels, but its image {picture} is {width} x {height}"
        )

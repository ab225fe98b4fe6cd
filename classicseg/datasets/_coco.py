"""MS COCO: objects, and objects with stuff, as a class at each pixel."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._colors import palette
from classicseg._files import explained, path_of
from classicseg.datasets._coco_names import STUFF, THINGS
from classicseg.datasets._dataset import VOID, Dataset, Item
from classicseg.datasets._layout import (
    Classes,
    as_split,
    find,
    present,
    read_pair,
    read_pixels,
)

__all__ = ["coco", "coco_stuff"]

# What the .png files of COCO-Stuff hold: a category's number less one.
_STUFF_CODES = Classes(tuple((number - 1,) for number in (*THINGS, *STUFF)))


@dataclass(frozen=True)
class _Instances:
    """Polygons and runs, painted one over the other.

    Small when pickled: another process reads the annotations itself, once.
    """

    images: Path
    annotations: Path

    def files(self, id: str) -> tuple[Path]:
        """An item's image."""
        return (self.images / f"{id}.jpg",)

    def __call__(self, id: str) -> Item:
        (picture,) = self.files(id)
        image = read_pixels(picture)
        labels = np.zeros(image.shape[:2], np.int32)
        categories = {number: label for label, number in enumerate(THINGS, 1)}
        for mask, category in _masks(self.annotations, id, image, picture):
            label = categories[category]
            clash = mask & (labels != 0) & (labels != label)
            labels[mask] = label
            labels[clash] = VOID
        return Item(id, image, labels)


@dataclass(frozen=True)
class _Stuff:
    """The challenge's annotations: every pixel is stuff or thing, told in two files."""

    images: Path
    annotations: Path
    things: Path

    def files(self, id: str) -> tuple[Path]:
        """An item's image."""
        return (self.images / f"{id}.jpg",)

    def __call__(self, id: str) -> Item:
        (picture,) = self.files(id)
        image = read_pixels(picture)
        labels = np.full(image.shape[:2], VOID, np.int32)
        categories = {number: label for label, number in enumerate((*THINGS, *STUFF))}
        for source in (self.things, self.annotations):
            for mask, category in _masks(source, id, image, picture):
                if category in categories:  # not 183: "other", where things are
                    labels[mask & (labels == VOID)] = categories[category]
        return Item(id, image, labels)


@dataclass(frozen=True)
class _Maps:
    """The .png files of COCO-Stuff."""

    images: Path
    maps: Path

    def files(self, id: str) -> tuple[Path, Path]:
        """An item's image and its labels."""
        return self.images / f"{id}.jpg", self.maps / f"{id}.png"

    def __call__(self, id: str) -> Item:
        return read_pair(id, *self.files(id), _STUFF_CODES)


def coco(root: str | os.PathLike[str], split: str = "val2017", *, strict: bool = True) -> Dataset:
    """Open MS COCO, its objects painted into labels.

    Parameters
    ----------
    root : path
        With `annotations/instances_SPLIT.json` and the images in `SPLIT` or `images/SPLIT`.
    split : str
        "val2017" (5000), "train2017" (118287), or those of 2014.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        Background and the 80 classes. Where objects of different classes overlap, which nobody
        decided on, is void; a crowd is its class.

    Raises
    ------
    ImportError
        If pycocotools is not installed: ``pip install 'classicseg[datasets]'``.

    References
    ----------
    Lin et al., Microsoft COCO: Common Objects in Context, 2014, doi:10.1007/978-3-319-10602-1_48.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.coco("coco"))  # doctest: +SKIP
    5000
    """
    annotations = find(root, "coco", (), "annotations") / "annotations"
    images = _images(annotations.parent, "coco", as_split(split))
    path = annotations / f"instances_{split}.json"
    reader = _Instances(images, path)
    ids, skipped = present(_numbers(path), reader.files, strict)
    names = ("background", *THINGS.values())
    return Dataset("coco", names, palette(81), ids, reader, strict=strict, skipped=skipped)


def coco_stuff(
    root: str | os.PathLike[str], split: str = "val2017", *, strict: bool = True
) -> Dataset:
    """Open COCO-Stuff: the things of COCO, and grass, sky, walls, ... around them.

    Parameters
    ----------
    root : path
        With the images in `SPLIT` or `images/SPLIT`, and either the maps
        `stuffthingmaps_trainval2017/SPLIT/*.png` (or `stuffthingmaps/SPLIT`), or
        `annotations/stuff_SPLIT.json` and `annotations/instances_SPLIT.json`.
    split : str
        "val2017" (5000) or "train2017" (118287).
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        80 things, then 91 kinds of stuff: 171 classes in the order of their categories' numbers.

    Raises
    ------
    ImportError
        If the labels are in .json files and pycocotools is not installed:
        ``pip install 'classicseg[datasets]'``.

    References
    ----------
    Caesar, Uijlings & Ferrari, COCO-Stuff: Thing and Stuff Classes in Context, 2018,
    doi:10.1109/CVPR.2018.00132.

    Examples
    --------
    >>> from classicseg import datasets
    >>> datasets.coco_stuff("coco").n_classes  # doctest: +SKIP
    171
    """
    names = (*THINGS.values(), *STUFF.values())
    reader: _Maps | _Stuff
    top = path_of(root, "root")
    images = _images(top, "coco_stuff", as_split(split))
    for maps in ("stuffthingmaps_trainval2017", "stuffthingmaps"):
        if (folder := top / maps / split).is_dir():
            reader = _Maps(images, folder)
            found = sorted(path.stem for path in images.glob("*.jpg"))
            if not found:
                raise FileNotFoundError(f"{images} holds no *.jpg")
            ids, skipped = present(found, reader.files, strict)
            break
    else:
        annotations = find(top, "coco_stuff", (), "annotations") / "annotations"
        path = annotations / f"stuff_{split}.json"
        things = annotations / f"instances_{split}.json"
        _numbers(things)
        reader = _Stuff(images, path, things)
        ids, skipped = present(_numbers(path), reader.files, strict)
    return Dataset("coco_stuff", names, palette(171), ids, reader, strict=strict, skipped=skipped)


def _images(root: Path, name: str, split: str) -> Path:
    return find(root, name, ("images",), split) / split


@lru_cache(maxsize=4)
def _numbers(path: Path) -> dict[str, int]:
    """For each image's name without ending its number."""
    found = {Path(image["file_name"]).stem: number for number, image in _index(path).imgs.items()}
    if not found:
        raise ValueError(f"{path} names no images")
    return found


@lru_cache(maxsize=4)
def _index(path: Path) -> Any:
    """The annotations of a file, by image; kept, as they take long to read."""
    try:
        from pycocotools.coco import COCO
    except ModuleNotFoundError as error:
        raise ImportError(
            "COCO's annotations need pycocotools: pip install 'classicseg[datasets]'",
            name=error.name,
        ) from error
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    with explained(path, "COCO's annotations"), contextlib.redirect_stdout(io.StringIO()):
        try:
            index = COCO(str(path))
        except (AssertionError, AttributeError, RecursionError) as error:
            raise ValueError(f"it is no such file: {error}") from error
        for image in index.imgs.values():
            sizes = (image.get("height"), image.get("width"))
            named = isinstance(image.get("file_name"), str)
            if not named or not all(isinstance(size, int) for size in sizes):
                raise ValueError(f"the image {image.get('id')} lacks its name or its size")
    return index


def _masks(
    path: Path, id: str, image: NDArray[np.uint8], picture: Path
) -> Iterator[tuple[NDArray[np.bool_], int]]:
    """The masks of an image and their categories."""
    index = _index(path)
    number = _numbers(path).get(id)
    if number is None:
        raise ValueError(f"{path} does not name {picture.name}")
    told = index.imgs[number]
    size = (told["height"], told["width"])
    if size != image.shape[:2]:
        raise ValueError(
            f"{path} tells {size[1]} x {size[0]} pixels of {picture}, which is "
            f"{image.shape[1]} x {image.shape[0]}"
        )
    known = {*THINGS, *STUFF, 183}
    for annotation in index.imgToAnns.get(number, []):
        where = f"the annotation {annotation.get('id')} of {picture.name} in {path}"
        if annotation.get("category_id") not in known:
            raise ValueError(f"{where} has the category {annotation.get('category_id')!r}")
        yield _mask(annotation.get("segmentation"), size, where), annotation["category_id"]


def _mask(segmentation: Any, size: tuple[int, int], where: str) -> NDArray[np.bool_]:
    """Polygons, or runs, plain or packed."""
    from pycocotools import mask as codec

    height, width = size
    try:
        if isinstance(segmentation, dict):
            if tuple(segmentation["size"]) != size:
                raise ValueError(f"its runs are of {segmentation['size']}")
            counts = segmentation["counts"]
            runs = _unpacked(counts) if isinstance(counts, str) else np.array(counts)
            if runs.ndim != 1 or runs.size == 0 or runs.min() < 0 or runs.sum() != height * width:
                raise ValueError("its runs do not fill the image")
            inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
            return inside.reshape(width, height).T  # by columns
        if not segmentation or any(len(p) < 6 or len(p) % 2 for p in segmentation):
            raise ValueError("its polygons have fewer than three corners")
        # Far corners would make the library draw, and hold, a line of that length.
        corners = np.concatenate([np.asarray(p, np.float64) for p in segmentation])
        if not (np.abs(corners) <= 2 * max(size)).all():
            raise ValueError("its polygons leave the image")
        mask = codec.decode(codec.merge(codec.frPyObjects(segmentation, height, width)))
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise ValueError(f"{where} is damaged: {error}") from error
    return np.asarray(mask, bool)


def _unpacked(text: str) -> NDArray[np.int64]:
    """Lengths of runs from COCO's text: 5 bits in a character, a sixth tells that more follow.

    From the fourth on, what is coded is the difference from the length two before.
    """
    codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((codes & 32) == 0)
    if len(ends) == 0 or ends[-1] != len(codes) - 1 or codes.min() < 0 or codes.max() > 63:
        raise ValueError("its packed runs are cut off")
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = 5 * (np.arange(len(codes)) - np.repeat(starts, ends - starts + 1))
    if places.max() > 35:
        raise ValueError("its packed runs are too long")
    values = np.add.reduceat((codes & 31) << places, starts)
    values[(codes[ends] & 16) != 0] -= 1 << 5 * (ends - starts + 1)[(codes[ends] & 16) != 0]
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values

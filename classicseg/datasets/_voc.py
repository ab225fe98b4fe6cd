"""Pascal VOC 2012, and the masks that the Semantic Boundaries Dataset adds to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classicseg._colors import palette
from classicseg._files import path_of
from classicseg.datasets._dataset import Dataset, Item
from classicseg.datasets._layout import (
    Classes,
    as_classes,
    as_split,
    find,
    listed,
    matlab_labels,
    present,
    read_pair,
    read_pixels,
    same_size,
)
from classicseg.datasets._matlab import read_matlab

__all__ = ["VOC_CLASSES", "sbd", "voc2012"]

VOC_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
    *("chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant"),
    *("sheep", "sofa", "train", "tvmonitor"),
)
_CODES = Classes.count(len(VOC_CLASSES))


@dataclass(frozen=True)
class _Reader:
    """Images in one folder; labels as PNG in another, or as .mat in a third."""

    images: Path
    pngs: Path | None
    mats: Path | None = None
    from_mats: frozenset[str] = frozenset()

    def files(self, id: str) -> tuple[Path, Path]:
        """An item's image and its labels."""
        picture = self.images / f"{id}.jpg"
        if self.mats is not None and (self.pngs is None or id in self.from_mats):
            return picture, self.mats / f"{id}.mat"
        assert self.pngs is not None
        return picture, self.pngs / f"{id}.png"

    def __call__(self, id: str) -> Item:
        picture, path = self.files(id)
        if path.suffix == ".png":
            return read_pair(id, picture, path, _CODES)
        image = read_pixels(picture)
        values = _sbd_labels(path)
        same_size(values, path, image, picture)
        return Item(id, image, as_classes(values, _CODES, path))


def voc2012(
    root: str | os.PathLike[str],
    split: str = "val",
    *,
    sbd: str | os.PathLike[str] | None = None,
    strict: bool = True,
) -> Dataset:
    """Open Pascal VOC 2012, its segmentation part.

    Parameters
    ----------
    root : path
        The folder `VOC2012`, or one that holds it or `VOCdevkit/VOC2012`: with `JPEGImages`,
        `SegmentationClass` and `ImageSets/Segmentation`.
    split : str
        "train" (1464), "val" (1449), "trainval", or "train_aug" (10582): train with the masks of
        the Semantic Boundaries Dataset. For that, either `SegmentationClassAug` holds all masks
        as PNGs, or `sbd` is given.
    sbd : path, optional
        The root of the Semantic Boundaries Dataset, for "train_aug": all its images but those of
        VOC's val; where VOC has a mask of its own, that one is taken.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        21 classes; the objects' rims are void.

    References
    ----------
    Everingham, Van Gool, Williams, Winn & Zisserman, The Pascal Visual Object Classes Challenge,
    2010, doi:10.1007/s11263-009-0275-4. Hariharan, Arbelaez, Bourdev, Maji & Malik, Semantic
    Contours from Inverse Detectors, 2011, doi:10.1109/ICCV.2011.6126343.

    Examples
    --------
    >>> from classicseg import datasets
    >>> val = datasets.voc2012("VOCdevkit/VOC2012")  # doctest: +SKIP
    >>> val.class_names[15]  # doctest: +SKIP
    'person'
    """
    place = find(root, "voc2012", ("VOC2012", "VOCdevkit/VOC2012"), "JPEGImages")
    as_split(split)
    lists = place / "ImageSets" / "Segmentation"
    lists = lists if lists.is_dir() else place
    images, pngs = place / "JPEGImages", place / "SegmentationClass"
    if split != "train_aug":
        if sbd is not None:
            raise ValueError(f"sbd is for the split 'train_aug', not for {split!r}")
        return _dataset("voc2012", listed(lists / f"{split}.txt"), _Reader(images, pngs), strict)
    if sbd is None:
        found = [lists / f"{name}.txt" for name in ("train_aug", "trainaug")]
        path = next((path for path in found if path.is_file()), found[0])
        if not (place / "SegmentationClassAug").is_dir():
            raise FileNotFoundError(
                f"{place / 'SegmentationClassAug'} is missing: 'train_aug' needs it, or sbd="
            )
        return _dataset(
            "voc2012", listed(path), _Reader(images, place / "SegmentationClassAug"), strict
        )
    other = _sbd_root(path_of(sbd, "sbd"))
    own = listed(lists / "train.txt")
    added = {name for part in ("train", "val") for name in listed(other / f"{part}.txt")}
    added -= {*own, *listed(lists / "val.txt")}
    reader = _Reader(images, pngs, other / "cls", frozenset(added))
    return _dataset("voc2012", sorted({*own, *added}), reader, strict)


def sbd(root: str | os.PathLike[str], split: str = "val", *, strict: bool = True) -> Dataset:
    """Open the Semantic Boundaries Dataset, as it is distributed: labels in .mat files.

    Parameters
    ----------
    root : path
        The folder `dataset`, or one that holds it or `benchmark_RELEASE/dataset`: with `img`,
        `cls`, `train.txt` and `val.txt`.
    split : str
        "train" (8498), "val" (2857), or any other list that lies there, such as "train_noval".
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        The 21 classes of Pascal VOC; it knows no void.

    References
    ----------
    Hariharan, Arbelaez, Bourdev, Maji & Malik, Semantic Contours from Inverse Detectors, 2011,
    doi:10.1109/ICCV.2011.6126343.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.sbd("benchmark_RELEASE", "train"))  # doctest: +SKIP
    8498
    """
    place = _sbd_root(root)
    reader = _Reader(place / "img", None, place / "cls")
    return _dataset("sbd", listed(place / f"{as_split(split)}.txt"), reader, strict)


def _dataset(name: str, ids: tuple[str, ...] | list[str], reader: _Reader, strict: bool) -> Dataset:
    found, skipped = present(ids, reader.files, strict)
    return Dataset(
        name, VOC_CLASSES, palette(len(VOC_CLASSES)), found, reader, strict=strict, skipped=skipped
    )


def _sbd_root(root: str | os.PathLike[str]) -> Path:
    return find(root, "sbd", ("dataset", "benchmark_RELEASE/dataset"), "cls")


def _sbd_labels(path: Path) -> NDArray[np.int32]:
    return matlab_labels(read_matlab(path, "GTcls"), path)

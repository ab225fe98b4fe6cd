"""Divisions into regions: BSDS500's by several people, and the cells of ISBI 2012."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classicseg._checks import as_labels, as_uint8_image
from classicseg._colors import palette
from classicseg._files import explained, path_of
from classicseg.datasets._dataset import Dataset, Item
from classicseg.datasets._folder import Files, match
from classicseg.datasets._layout import (
    Classes,
    as_classes,
    as_split,
    find,
    matlab_labels,
    no_split,
    pictures,
    present,
    read_pixels,
    same_size,
)
from classicseg.datasets._matlab import read_matlab

__all__ = ["bsds500", "isbi2012"]

_CELLS = ("membrane", "cell")
_CELL_CODES = Classes(((0,), (255,)), void=())


@dataclass(frozen=True)
class _Bsds:
    place: Path
    split: str

    def files(self, id: str) -> tuple[Path, Path]:
        """An item's image and what people drew."""
        return (
            self.place / "images" / self.split / f"{id}.jpg",
            self.place / "groundTruth" / self.split / f"{id}.mat",
        )

    def __call__(self, id: str) -> Item:
        picture, path = self.files(id)
        image = read_pixels(picture)
        drawn = read_matlab(path, "groundTruth")
        if not isinstance(drawn, list) or not drawn:
            raise ValueError(f"{path} holds no segmentations")
        found = tuple(matlab_labels(one, path, first=1) for one in drawn)
        for one in found:
            same_size(one, path, image, picture)
        return Item(id, image, found[0], segmentations=found)


def bsds500(root: str | os.PathLike[str], split: str = "val", *, strict: bool = True) -> Dataset:
    """Open the Berkeley segmentation data, BSDS500.

    Parameters
    ----------
    root : path
        With `data/images/SPLIT` and `data/groundTruth/SPLIT`, or the folder `BSR` or
        `BSR/BSDS500` above it.
    split : str
        "train" (200), "val" (100) or "test" (200).
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        Regions, numbered from 0 in each image, are no classes: there are no class names, and
        `void` is -1, as every pixel has a region. `segmentations` are those of all people (4 to
        9), `labels` the first one's.

    References
    ----------
    Arbelaez, Maire, Fowlkes & Malik, Contour Detection and Hierarchical Image Segmentation, 2011,
    doi:10.1109/TPAMI.2010.161.

    Examples
    --------
    >>> from classicseg import datasets
    >>> item = datasets.bsds500("BSR")[0]  # doctest: +SKIP
    >>> len(item.segmentations), item.labels.max()  # doctest: +SKIP
    """
    place = find(root, "bsds500", ("data", "BSDS500/data", "BSR/BSDS500/data"), "groundTruth")
    images = place / "images" / as_split(split)
    found = [path.stem for path in pictures(images) if path.suffix == ".jpg"]
    if not found:
        raise FileNotFoundError(f"{images} holds no *.jpg")
    reader = _Bsds(place, split)
    ids, skipped = present(found, reader.files, strict)
    none = np.zeros((0, 3), np.uint8)
    return Dataset("bsds500", (), none, ids, reader, void=-1, strict=strict, skipped=skipped)


@dataclass(frozen=True)
class _Volume:
    """The slices of two TIFF files with many pages each."""

    images: Path
    labels: Path

    def __call__(self, id: str) -> Item:
        image = np.ascontiguousarray(as_uint8_image(_page(self.images, int(id))))
        values = as_labels(_page(self.labels, int(id)))
        same_size(values, self.labels, image, self.images)
        return Item(id, image, as_classes(values, _CELL_CODES, self.labels))


def isbi2012(
    root: str | os.PathLike[str], split: str | None = None, *, strict: bool = True
) -> Dataset:
    """Open the neurons under the electron microscope of the ISBI 2012 challenge.

    Parameters
    ----------
    root : path
        With `train-volume.tif` and `train-labels.tif`, 30 slices each, or with folders `images`
        and `labels` of single slices.
    split : None
        The labels of the challenge's test volume are not public.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        Two classes, membrane (0 in the files) and cell (255); no void.

    References
    ----------
    Arganda-Carreras et al., Crowdsourcing the Creation of Image Segmentation Algorithms for
    Connectomics, 2015, doi:10.3389/fnana.2015.00142.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.isbi2012("isbi2012"))  # doctest: +SKIP
    30
    """
    no_split("isbi2012", split)
    skipped: dict[str, str] = {}
    reader: Files | _Volume
    top = path_of(root, "root")
    if (top / "images").is_dir() and (top / "labels").is_dir():
        ids, pair, skipped = match(top / "images", top / "labels", strict=strict)
        ids = tuple(sorted(ids, key=lambda name: (len(name), name)))  # 2 before 10
        reader = Files(pair, _CELL_CODES)
    else:
        place = find(root, "isbi2012", (), "train-volume.tif")
        reader = _Volume(place / "train-volume.tif", place / "train-labels.tif")
        n_images, n_labels = _n_pages(reader.images), _n_pages(reader.labels)
        if n_images != n_labels and strict:
            raise ValueError(
                f"{reader.labels} holds {n_labels} pages, but {reader.images} holds {n_images}"
            )
        ids = tuple(str(k) for k in range(min(n_images, n_labels)))
        for k in range(len(ids), n_images):
            skipped[str(k)] = f"{reader.labels} holds {n_labels} pages"
    return Dataset("isbi2012", _CELLS, palette(2), ids, reader, strict=strict, skipped=skipped)


def _n_pages(path: Path) -> int:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    with explained(path, "a TIFF file of many pages"), Image.open(path) as image:
        return int(getattr(image, "n_frames", 1))


def _page(path: Path, k: int) -> NDArray[np.uint8]:
    with explained(path, f"a TIFF file with a page {k}"), Image.open(path) as image:
        image.seek(k)
        page = np.array(image.convert("L"))
        if not page.size:
            raise ValueError("it has no pixels")
        return page

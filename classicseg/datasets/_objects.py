"""One object on its background: the GrabCut set, salient objects, and where people look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classicseg._arrays import grown_box
from classicseg._checks import positive
from classicseg._colors import palette
from classicseg._files import explained, path_of
from classicseg.datasets._dataset import VOID, Dataset, Item
from classicseg.datasets._folder import Pair, match
from classicseg.datasets._layout import Classes, as_classes, no_split, read_pixels, same_size
from classicseg.io import read_labels

__all__ = ["fixations", "grabcut", "salient_objects"]

_TWO = ("background", "foreground")
_INSIDE = 128
_GRABCUT_CODES = Classes(((0,), (255,)), void=(128,))
# Folders of images and of maps, as the usual data sets have them, and the ending of a map's name.
_GRABCUT = (("data_GT", "boundary_GT", ""), ("images", "truth", ""))
_SALIENT = (
    ("images", "masks", ""),
    ("images", "ground_truth_mask", ""),  # ECSSD
    ("Imgs", "Imgs", ""),  # MSRA10K
    ("imgs", "gt", ""),  # HKU-IS
    ("DUT-OMRON-image", "pixelwiseGT-new-PNG", ""),
    ("DUTS-TR-Image", "DUTS-TR-Mask", ""),
    ("DUTS-TE-Image", "DUTS-TE-Mask", ""),
    ("JPEGImages", "salient", ""),
)
_FIXATIONS = (
    ("images", "fixation_maps", ""),
    ("ALLSTIMULI", "ALLFIXATIONMAPS", "_fixMap"),  # MIT1003
    ("images", "maps", ""),  # SALICON
)


@dataclass(frozen=True)
class _GrabCut:
    pair: Pair
    rects: Path

    def __call__(self, id: str) -> Item:
        picture, path = self.pair.files(id)
        image, values = read_pixels(picture), _grey(path)
        same_size(values, path, image, picture)
        labels = as_classes(values, _GRABCUT_CODES, path)
        if not (labels == 1).any():
            raise ValueError(f"{path} holds no foreground")
        return Item(id, image, labels, rect=self._rect(id, labels))

    def _rect(self, id: str, labels: NDArray[np.int32]) -> tuple[int, int, int, int]:
        """The authors', where it is there: 128 inside, 64 and 0 outside."""
        path = self.rects / f"{id}.bmp"
        if not path.is_file():
            return grown_box(labels == 1)
        drawn = _grey(path)
        same_size(drawn, path, labels, self.pair.files(id)[0])
        if not (drawn == _INSIDE).any():
            raise ValueError(f"{path} holds no rectangle: no pixel is {_INSIDE}")
        return grown_box(drawn == _INSIDE, 0)


@dataclass(frozen=True)
class _Graded:
    """Maps of how much a place drew people; from `threshold` on it is foreground."""

    pair: Pair
    threshold: float

    def __call__(self, id: str) -> Item:
        picture, path = self.pair.files(id)
        image, values = read_pixels(picture), _grey(path)
        same_size(values, path, image, picture)
        density = values.astype(np.float32) / np.float32(255)
        labels = (values >= self.threshold * 255).astype(np.int32)
        return Item(id, image, labels, density=density)


def grabcut(
    root: str | os.PathLike[str], split: str | None = None, *, strict: bool = True
) -> Dataset:
    """Open the data set of the GrabCut paper: 50 photographs with one object each.

    Parameters
    ----------
    root : path
        With `data_GT` and `boundary_GT`, and `boundary_GT_rect` where there is one; or with
        `images` and `truth`.
    split : None
        There is none.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        Background and foreground; the rim of mixed pixels is void. `rect` is that of
        `boundary_GT_rect`, else the foreground's box, grown by 2 % of the image's sides.

    References
    ----------
    Rother, Kolmogorov & Blake, GrabCut, 2004, doi:10.1145/1015706.1015720.

    Examples
    --------
    >>> from classicseg import datasets
    >>> datasets.grabcut("grabcut")[0].rect  # doctest: +SKIP
    """
    no_split("grabcut", split)
    ids, pair, skipped = _matched(root, "grabcut", _GRABCUT, strict)
    reader = _GrabCut(pair, path_of(root, "root") / "boundary_GT_rect")
    return Dataset("grabcut", _TWO, palette(2), ids, reader, strict=strict, skipped=skipped)


def salient_objects(
    root: str | os.PathLike[str],
    split: str | None = None,
    *,
    threshold: float = 0.5,
    strict: bool = True,
) -> Dataset:
    """Open a folder of images with masks of what stands out, graded or not.

    Parameters
    ----------
    root : path
        With two folders: `images` and `masks`, or the names that MSRA10K, ECSSD, HKU-IS,
        DUT-OMRON and DUTS come with.
    split : None
        There is none.
    threshold : float
        A mask's grey, of 1, from which on a pixel is foreground. Masks may be graded by how many
        people agreed, or smeared by JPEG.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        Background and foreground; `density` is the graded mask.

    References
    ----------
    Borji, Cheng, Jiang & Li, Salient Object Detection: A Benchmark, 2015,
    doi:10.1109/TIP.2015.2487833.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.salient_objects("MSRA10K_Imgs_GT"))  # doctest: +SKIP
    10000
    """
    no_split("salient_objects", split)
    return _graded(root, "salient_objects", _SALIENT, threshold, strict)


def fixations(
    root: str | os.PathLike[str],
    split: str | None = None,
    *,
    threshold: float = 0.5,
    strict: bool = True,
) -> Dataset:
    """Open a folder of images with maps of where people looked.

    Parameters
    ----------
    root : path
        With `images` and `fixation_maps` (or `maps`), or MIT1003's `ALLSTIMULI` and
        `ALLFIXATIONMAPS`, of which `*_fixMap.jpg` is read.
    split : None
        There is none.
    threshold : float
        The map's grey, of 1, from which on a place counts as looked at in `labels`.
    strict : bool
        False leaves out what is missing.

    Returns
    -------
    Dataset
        `density` is the map, in [0, 1], which `saliency.auc` and its like take; `labels` are two
        classes, for what wants classes.

    References
    ----------
    Judd, Ehinger, Durand & Torralba, Learning to Predict Where Humans Look, 2009,
    doi:10.1109/ICCV.2009.5459462.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.fixations("MIT1003"))  # doctest: +SKIP
    1003
    """
    no_split("fixations", split)
    return _graded(root, "fixations", _FIXATIONS, threshold, strict)


def _graded(
    root: str | os.PathLike[str],
    name: str,
    layouts: tuple[tuple[str, str, str], ...],
    threshold: float,
    strict: bool,
) -> Dataset:
    level = positive(threshold, "threshold")
    if level > 1:
        raise ValueError(f"threshold is {level:g}, expected at most 1")
    ids, pair, skipped = _matched(root, name, layouts, strict)
    return Dataset(
        name, _TWO, palette(2), ids, _Graded(pair, level), strict=strict, skipped=skipped
    )


def _matched(
    root: str | os.PathLike[str],
    name: str,
    layouts: tuple[tuple[str, str, str], ...],
    strict: bool,
) -> tuple[tuple[str, ...], Pair, dict[str, str]]:
    """The first of the layouts whose folders are there."""
    top = path_of(root, "root")
    if not top.is_dir():
        raise NotADirectoryError(f"{root} is no folder, expected the root of {name}")
    for images, maps, ending in layouts:
        if (top / images).is_dir() and (top / maps).is_dir():
            return match(top / images, top / maps, ending=ending, strict=strict)
    known = "; ".join(dict.fromkeys(f"{images}, {maps}" for images, maps, _ in layouts))
    raise FileNotFoundError(f"{root} holds none of the pairs of folders of {name}: {known}")


def _grey(path: Path) -> NDArray[np.int32]:
    """A grey image's values, also where it was saved in equal channels or as black and white."""
    with explained(path, "a grey map"), Image.open(path) as image:
        in_colour = image.mode in ("RGB", "RGBA")
    if in_colour:
        colors = read_pixels(path)
        if (colors != colors[:, :, :1]).any():
            raise ValueError(f"{path} is in colour, expected a grey map")
        values = colors[:, :, 0].astype(np.int32)
    else:
        values = read_labels(path)
    if values.max() > VOID:
        raise ValueError(f"{path} holds {values.max()}, expected 0..255")
    # 0 and 1 are as good as 0 and 255, but for JPEG, where 1 is a smeared 0.
    zero_one = values.max() == 1 and path.suffix.lower() not in (".jpg", ".jpeg")
    return values * VOID if zero_one else values

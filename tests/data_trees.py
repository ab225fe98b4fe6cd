"""Miniature data sets, in the layouts that the real ones come in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat

Labels = NDArray[np.integer]

# What the first image of each holds, in the file; three rows of four, the last pixel void.
HEIGHT, WIDTH = 3, 4


def put_image(path: Path, height: int = HEIGHT, width: int = WIDTH, grey: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), grey, np.uint8)).save(path)


def put_png(path: Path, labels: Labels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(labels, np.uint8)).save(path)


def put_sbd(path: Path, labels: Labels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"Segmentation": np.asarray(labels, np.uint8), "CategoriesPresent": np.unique(labels)}
    savemat(path, {"GTcls": content})


def put_bsds(path: Path, labels: Labels) -> None:
    """Two people: the second put the halves together."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = np.empty((1, 2), object)
    for k, one in enumerate((labels, np.ones_like(labels))):
        drawn[0, k] = {
            "Segmentation": np.asarray(one, np.uint16),
            "Boundaries": np.zeros(one.shape, bool),
        }
    savemat(path, {"groundTruth": drawn})


def put_regions(path: Path, labels: Labels) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(" ".join(str(v) for v in row) for row in labels) + "\n")


def put_list(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(names) + "\n")


@dataclass(frozen=True)
class Tree:
    """A small data set, to be made and then damaged.

    Attributes
    ----------
    name : str
        That `datasets.open` knows.
    split : str or None
    build : callable
        Makes it in a folder.
    truth : str
        The file of the first item's labels, in that folder.
    put : callable
        Writes such a file.
    in_file, expected : array
        What it holds, and what comes out.
    wrong : int or None
        A value that has no place in it.
    n_classes : int
    ids : tuple of str
    """

    name: str
    split: str | None
    build: Callable[[Path], None]
    truth: str
    put: Callable[[Path, Labels], None]
    in_file: Labels
    expected: Labels
    wrong: int | None
    n_classes: int
    ids: tuple[str, ...]

    def make(self, root: Path) -> Path:
        self.build(root)
        self.put(root / self.truth, self.in_file)
        return root


def codes(*values: int) -> Labels:
    """Twelve pixels, of these values in turn."""
    return np.resize(np.array(values), (HEIGHT, WIDTH))


def _voc(root: Path) -> None:
    for name in ("2007_000033", "2007_000042"):
        put_image(root / "VOCdevkit/VOC2012/JPEGImages" / f"{name}.jpg")
        put_png(root / "VOCdevkit/VOC2012/SegmentationClass" / f"{name}.png", codes(0))
    lists = root / "VOCdevkit/VOC2012/ImageSets/Segmentation"
    put_list(lists / "val.txt", "2007_000033", "2007_000042")


def _voc_aug(root: Path) -> None:
    for name in ("2008_000002", "2008_000008"):
        put_image(root / "JPEGImages" / f"{name}.jpg")
        put_png(root / "SegmentationClassAug" / f"{name}.png", codes(0))
    put_list(root / "ImageSets/Segmentation/trainaug.txt", "2008_000002", "2008_000008")


def _sbd(root: Path) -> None:
    for name in ("2008_000002", "2008_000008"):
        put_image(root / "benchmark_RELEASE/dataset/img" / f"{name}.jpg")
        put_sbd(root / "benchmark_RELEASE/dataset/cls" / f"{name}.mat", codes(0))
    put_list(root / "benchmark_RELEASE/dataset/val.txt", "2008_000002", "2008_000008")


def _cityscapes(kind: str) -> Callable[[Path], None]:
    def build(root: Path) -> None:
        for city in ("frankfurt", "munster"):
            name = f"{city}_000000_000294"
            put_image(root / f"leftImg8bit/val/{city}/{name}_leftImg8bit.png")
            put_png(root / f"gtFine/val/{city}/{name}_gtFine_{kind}.png", codes(7))

    return build


def _stanford(root: Path) -> None:
    for name in ("0000047", "0000051"):
        put_image(root / "iccv09Data/images" / f"{name}.jpg")
        put_regions(root / "iccv09Data/labels" / f"{name}.regions.txt", codes(0))


def _camvid(root: Path) -> None:
    for name in ("0016E5_07959", "0016E5_07961"):
        put_image(root / "CamVid/val" / f"{name}.png")
        put_png(root / "CamVid/valannot" / f"{name}.png", codes(0))


def _bsds(root: Path) -> None:
    for name in ("101085", "101087"):
        put_image(root / "BSR/BSDS500/data/images/val" / f"{name}.jpg")
        put_bsds(root / "BSR/BSDS500/data/groundTruth/val" / f"{name}.mat", codes(1))


def _grabcut(root: Path) -> None:
    for name in ("banana1", "bush"):
        put_image(root / "data_GT" / f"{name}.jpg")
        put_png(root / "boundary_GT" / f"{name}.bmp", codes(0, 255))


def _salient(root: Path) -> None:
    for name in ("100039", "100080"):
        put_image(root / "Imgs" / f"{name}.jpg")
        put_png(root / "Imgs" / f"{name}.png", codes(0, 255))


def _fixations(root: Path) -> None:
    for name in ("i05", "i06"):
        put_image(root / "ALLSTIMULI" / f"{name}.jpeg")
        put_png(root / "ALLFIXATIONMAPS" / f"{name}_fixMap.png", codes(0, 255))
        put_png(root / "ALLFIXATIONMAPS" / f"{name}_fixPts.png", codes(0))


def _isbi(root: Path) -> None:
    for k in (0, 1):
        put_image(root / f"images/{k}.png")
        put_png(root / f"labels/{k}.png", codes(255))


def _stuff(root: Path) -> None:
    for name in ("000000000139", "000000000285"):
        put_image(root / "images/val2017" / f"{name}.jpg")
        put_png(root / "stuffthingmaps_trainval2017/val2017" / f"{name}.png", codes(255))


def _folder(root: Path) -> None:
    put_list(root / "classes.txt", "floor", "a cat")
    for name in ("a", "b"):
        put_image(root / "images" / f"{name}.jpg")
        put_png(root / "masks" / f"{name}.png", codes(0))


_VOC = "VOCdevkit/VOC2012/SegmentationClass/2007_000033.png"
_CITY = "gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_"
_CITIES = ("frankfurt_000000_000294", "munster_000000_000294")
_STILLS = ("2008_000002", "2008_000008")

# fmt: off
TREES = [
    Tree("voc2012", "val", _voc, _VOC, put_png,
         codes(0, 15, 20, 255), codes(0, 15, 20, 255), 21, 21, ("2007_000033", "2007_000042")),
    Tree("voc2012", "train_aug", _voc_aug, "SegmentationClassAug/2008_000002.png", put_png,
         codes(0, 15, 20, 255), codes(0, 15, 20, 255), 77, 21, _STILLS),
    Tree("sbd", None, _sbd, "benchmark_RELEASE/dataset/cls/2008_000002.mat", put_sbd,
         codes(0, 15, 20), codes(0, 15, 20), 21, 21, _STILLS),
    Tree("cityscapes", None, _cityscapes("labelIds"), f"{_CITY}labelIds.png", put_png,
         codes(7, 8, 33, 0, 4, 18), codes(0, 1, 18, 255, 255, 255), 34, 19, _CITIES),
    Tree("cityscapes", "val", _cityscapes("labelTrainIds"), f"{_CITY}labelTrainIds.png", put_png,
         codes(0, 18, 255), codes(0, 18, 255), 19, 19, _CITIES),
    Tree("stanford_background", "all", _stanford, "iccv09Data/labels/0000047.regions.txt",
         put_regions, codes(0, 7, -1, -2), codes(0, 7, 255, 255), 8, 8, ("0000047", "0000051")),
    Tree("camvid", None, _camvid, "CamVid/valannot/0016E5_07959.png", put_png,
         codes(0, 10, 11), codes(0, 10, 255), 12, 11, ("0016E5_07959", "0016E5_07961")),
    Tree("bsds500", None, _bsds, "BSR/BSDS500/data/groundTruth/val/101085.mat", put_bsds,
         codes(1, 2, 300), codes(0, 1, 299), 0, 0, ("101085", "101087")),
    Tree("grabcut", None, _grabcut, "boundary_GT/banana1.bmp", put_png,
         codes(0, 128, 255), codes(0, 255, 1), 64, 2, ("banana1", "bush")),
    Tree("salient_objects", None, _salient, "Imgs/100039.png", put_png,
         codes(0, 127, 128, 255), codes(0, 0, 1, 1), None, 2, ("100039", "100080")),
    Tree("fixations", None, _fixations, "ALLFIXATIONMAPS/i05_fixMap.png", put_png,
         codes(0, 127, 128, 255), codes(0, 0, 1, 1), None, 2, ("i05", "i06")),
    Tree("isbi2012", None, _isbi, "labels/0.png", put_png,
         codes(0, 255), codes(0, 1), 1, 2, ("0", "1")),
    Tree("coco_stuff", None, _stuff, "stuffthingmaps_trainval2017/val2017/000000000139.png",
         put_png, codes(0, 12, 91, 181, 255), codes(0, 11, 80, 170, 255), 11, 171,
         ("000000000139", "000000000285")),
    Tree("folder", None, _folder, "masks/a.png", put_png,
         codes(0, 1, 255), codes(0, 1, 255), 2, 2, ("a", "b")),
]
# fmt: on

"""Any data set by its name, for the command line."""

from __future__ import annotations

import os
from collections.abc import Callable

from classicseg._settings import one_of
from classicseg.datasets import _coco, _objects, _regions, _streets, _voc
from classicseg.datasets._bundled import bundled
from classicseg.datasets._dataset import Dataset
from classicseg.datasets._folder import named_folder
from classicseg.datasets._sources import SOURCES

__all__ = ["guide", "names", "open"]

_OPENERS: dict[str, Callable[..., Dataset]] = {
    "voc2012": _voc.voc2012,
    "sbd": _voc.sbd,
    "coco": _coco.coco,
    "coco_stuff": _coco.coco_stuff,
    "cityscapes": _streets.cityscapes,
    "stanford_background": _streets.stanford_background,
    "camvid": _streets.camvid,
    "bsds500": _regions.bsds500,
    "grabcut": _objects.grabcut,
    "salient_objects": _objects.salient_objects,
    "fixations": _objects.fixations,
    "isbi2012": _regions.isbi2012,
    "folder": named_folder,
}


def names() -> tuple[str, ...]:
    """Name the data sets that `open` knows.

    Examples
    --------
    >>> from classicseg import datasets
    >>> "bundled" in datasets.names()
    True
    """
    return ("bundled", *_OPENERS)


def open(
    name: str,
    root: str | os.PathLike[str] | None = None,
    split: str | None = None,
    strict: bool = True,
) -> Dataset:
    """Open a data set by its name.

    Parameters
    ----------
    name : str
        One of `names()`.
    root : path
        The folder that holds it; needless for "bundled".
    split : str, optional
        The part of it: "val", "train", ...; what is usually scored by default.
    strict : bool
        Whether to complain about files that are missing or damaged; False skips and counts them.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If there is no such data set or split, or no root was given.
    OSError
        If a file or folder is missing.

    Examples
    --------
    >>> from classicseg import datasets
    >>> len(datasets.open("bundled"))
    8
    """
    one_of(name, names(), "name")
    if name == "bundled":
        if root is not None or split is not None:
            raise ValueError("the bundled photographs take neither a root nor a split")
        return bundled()
    if root is None:
        raise ValueError(f"{name} needs the folder that holds it as root")
    given = {} if split is None else {"split": split}
    return _OPENERS[name](root, strict=strict, **given)


def guide(name: str | None = None) -> str:
    """Tell where a data set comes from, under what terms, and how it is expected to lie.

    Nothing is fetched: most have terms that a person has to agree to.

    Parameters
    ----------
    name : str, optional
        One of `names()`; all by default.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such data set.

    Examples
    --------
    >>> from classicseg import datasets
    >>> print(datasets.guide("stanford_background"))
    stanford_background: Stanford Background, 715 scenes, 8 classes
      from    http://dags.stanford.edu/projects/scenedataset.html
      terms   None stated; images from LabelMe, MSRC, Pascal VOC and Geometric Context.
      splits  val, train, all
      layout  ROOT = iccv09Data, or the folder above it
                images/0000047.jpg
                labels/0000047.regions.txt               a line for each row: 0..7, negative = void
    """
    if name is not None:
        one_of(name, names(), "name")
    return "\n\n".join(_guide(one) for one in (names() if name is None else (name,)))


def _guide(name: str) -> str:
    if name == "bundled":
        return (
            "bundled: photographs inside scikit-image and scikit-learn, two classes\n"
            "  from    already here\n"
            "  terms   those of the two packages; the annotations are classicseg's (MIT)"
        )
    source = SOURCES[name]
    rows = [("from", "\n".join(source.home)), ("terms", source.terms)]
    rows += [("splits", ", ".join(source.splits)), ("layout", source.layout.strip("\n"))]
    text = [f"{name}: {source.title}"]
    for title, lines in rows:
        for k, line in enumerate(lines.splitlines()):
            text.append(f"  {title if k == 0 else '':8}{line}".rstrip())
    return "\n".join(text)

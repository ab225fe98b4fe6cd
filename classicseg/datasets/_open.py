"""Any data set by its name, for the command line."""

from __future__ import annotations

import os
from collections.abc import Callable

from classicseg.datasets._bundled import bundled
from classicseg.datasets._dataset import Dataset

__all__ = ["names", "open"]

_OPENERS: dict[str, Callable[..., Dataset]] = {}


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
    if name not in names():
        raise ValueError(f"name is {name!r}, expected one of {', '.join(names())}")
    if name == "bundled":
        if root is not None or split is not None:
            raise ValueError("the bundled photographs take neither a root nor a split")
        return bundled()
    if root is None:
        raise ValueError(f"{name} needs the folder that holds it as root")
    given = {} if split is None else {"split": split}
    return _OPENERS[name](root, strict=strict, **given)

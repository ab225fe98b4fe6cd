"""Data sets as pairs of an image and its labels, checked before anything is learned from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import numpy as np
from numpy.typing import NDArray

from classicseg import datasets
from classicseg._checks import as_labels, as_uint8_image
from classicseg._settings import sequence_of
from classicseg.datasets import Dataset

__all__ = ["VOID", "Pair", "Pairs", "as_pairs", "count_classes", "folder", "pick"]

VOID = 255
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """A data set as (image, labels), read when asked for; see `folder`.

    Attributes
    ----------
    dataset : Dataset
        With at least one class, and 255 as void.
    """

    dataset: Dataset

    def __post_init__(self) -> None:
        if self.dataset.void != VOID or not 1 <= self.dataset.n_classes <= VOID:
            raise ValueError(
                f"{self.dataset.name} has {self.dataset.n_classes} classes and "
                f"{self.dataset.void} as void, expected 1..{VOID} and {VOID}"
            )

    @property
    def n_classes(self) -> int:
        """How many classes there are, void not counted."""
        return self.dataset.n_classes

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Pair:  # type: ignore[override]  # no slices: see pick
        item = self.dataset[index]
        return item.image, item.labels.astype(np.uint8)


def as_pairs(data: Dataset | Sequence[Pair]) -> Sequence[Pair]:
    """What `train` was given, as pairs."""
    return Pairs(data) if isinstance(data, Dataset) else data


def folder(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    n_classes: int,
    *,
    values: Sequence[int] | None = None,
    ignore_index: int = VOID,
) -> Pairs:
    """Find every image in a folder and the mask of the same name in another.

    `datasets.folder` as pairs.

    Parameters
    ----------
    images, masks : path
        Masks are PNGs or other lossless files with a label at each pixel; endings may differ.
    n_classes : int
        At most 255.
    values : sequence of int, optional
        The label that stands for each class in the files, such as ``(0, 255)``; 0, 1, 2, ... by
        default.
    ignore_index : int
        The void label in the files, where nothing is learned or scored. A class may have it: then
        the files know no void.

    Returns
    -------
    Pairs
        A sequence of (image, labels): (H, W, 3) uint8, and (H, W) uint8 with 255 as void.

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
    >>> from classicseg import bridge, io
    >>> with tempfile.TemporaryDirectory() as place:
    ...     io.write_image(Path(place) / "cat.jpg", np.zeros((6, 8, 3), np.uint8))
    ...     io.write_mask(Path(place) / "cat.png", np.eye(6, 8, dtype=bool))
    ...     pairs = bridge.folder(place, place, 2, values=(0, 255))
    ...     len(pairs), int(pairs[0][1].sum())
    (1, 6)
    """
    return Pairs(
        datasets.folder(images, masks, n_classes, values=values, ignore_index=ignore_index)
    )


def pick(pairs: Pairs, patterns: Sequence[str]) -> tuple[Pairs, Pairs]:
    """Split pairs into those whose names match no pattern, and those that match one.

    Parameters
    ----------
    pairs : Pairs
    patterns : sequence of str
        Of names without their endings, with ``*``, ``?`` and ``[...]`` as in a shell.

    Returns
    -------
    rest, picked : Pairs

    Raises
    ------
    ValueError
        If a pattern matches nothing, or nothing is left.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import bridge, io
    >>> with tempfile.TemporaryDirectory() as place:
    ...     for name in ("a1", "a2", "b1"):
    ...         io.write_image(Path(place) / f"{name}.jpg", np.zeros((6, 8, 3), np.uint8))
    ...         io.write_mask(Path(place) / f"{name}.png", np.eye(6, 8, dtype=bool))
    ...     train, held_out = bridge.pick(bridge.folder(place, place, 2, values=(0, 255)), ["b*"])
    ...     len(train), len(held_out)
    (2, 1)
    """
    patterns = sequence_of(patterns, "patterns", "a list of patterns")
    names = pairs.dataset.ids
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"patterns holds {pattern!r}, expected a str")
        if not any(fnmatch(name, pattern) for name in names):
            raise ValueError(
                f"patterns: the pattern {pattern!r} matches none of the {len(names)} images"
            )
    held = [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    rest = [name for name in names if name not in set(held)]
    if not rest:
        raise ValueError(f"{', '.join(patterns)} match all {len(names)} images: none is left")
    return Pairs(pairs.dataset.select(rest)), Pairs(pairs.dataset.select(held))


def count_classes(
    data: Sequence[Pair],
    n_classes: int,
    name: str,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int64]:
    """Read every pair once, complain about what does not fit, and count each class's pixels."""
    if len(data) == 0:
        raise ValueError(f"{name} is empty, expected pairs of an image and its labels")
    counts = np.zeros(n_classes, np.int64)
    for i in range(len(data)):
        image, truth = data[i]
        pixels = as_uint8_image(image, name=f"the image of {name}[{i}]")
        labels = as_labels(truth, f"the labels of {name}[{i}]", pixels.shape[:2])
        wrong = (labels >= n_classes) & (labels != VOID)
        if wrong.any():
            raise ValueError(
                f"the labels of {name}[{i}] hold {int(labels[wrong].max())}, expected classes "
                f"0..{n_classes - 1} or {VOID} for void"
            )
        counts += np.bincount(labels[labels != VOID], minlength=n_classes)
        if progress is not None:
            progress(i + 1, len(data))
    if not counts.any():
        raise ValueError(f"{name} holds nothing but void")
    return counts

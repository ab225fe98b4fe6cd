"""Data sets as pairs of an image and its labels, checked before anything is learned from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import numpy as np
from numpy.typing import NDArray

from classicseg._checks import as_labels, as_uint8_image
from classicseg._settings import sequence_of
from classicseg.datasets import Dataset

__all__ = ["VOID", "Pair", "Pairs", "as_pairs", "count_classes", "pick"]

VOID = 255
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """A data set as (image, labels), read when asked for.

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


def pick(data: Dataset, patterns: Sequence[str]) -> tuple[Dataset, Dataset]:
    """Split a data set into the items whose names match no pattern, and those that match one.

    Parameters
    ----------
    data : datasets.Dataset
    patterns : sequence of str
        Of names without their endings, with ``*``, ``?`` and ``[...]`` as in a shell.

    Returns
    -------
    rest, picked : datasets.Dataset

    Raises
    ------
    ValueError
        If a pattern matches nothing, or nothing is left.

    Examples
    --------
    >>> from classicseg import bridge, datasets
    >>> train, held_out = bridge.pick(datasets.bundled(), ["c*"])
    >>> len(train), held_out.ids
    (3, ('camera', 'chelsea', 'china', 'coffee', 'coins'))
    """
    if not isinstance(data, Dataset):
        raise TypeError(f"data is a {type(data).__name__}, expected a Dataset")
    patterns = sequence_of(patterns, "patterns", "a list of patterns")
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"patterns holds {pattern!r}, expected a str")
        if not any(fnmatch(name, pattern) for name in data.ids):
            raise ValueError(
                f"patterns: the pattern {pattern!r} matches none of the {len(data)} images"
            )
    held = [name for name in data.ids if any(fnmatch(name, pattern) for pattern in patterns)]
    rest = [name for name in data.ids if name not in set(held)]
    if not rest:
        raise ValueError(f"{', '.join(patterns)} match all {len(data)} images: none is left")
    return data.select(rest), data.select(held)


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

"""A data set: a list of names, and how to read what belongs to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import index as as_index

import numpy as np
from numpy.typing import NDArray

from classicseg._checks import positive_int
from classicseg._settings import function_of, strings_of, yes_or_no

__all__ = ["VOID", "Dataset", "Item"]

VOID = 255


@dataclass(frozen=True, eq=False)
class Item:
    """A picture and what is known of it.

    Attributes
    ----------
    id : str
        The name that `Dataset.read` knows it by.
    image : (H, W, 3) uint8 array
    labels : (H, W) int32 array
        A class at each pixel, or the data set's `void`.
    rect : (x, y, width, height), optional
        The box that a person drew around the foreground.
    scribbles : (H, W) uint8 array, optional
        0 unmarked, 1 + the class where a stroke is: 1 background, 2 foreground where these are the
        two classes.
    segmentations : tuple of (H, W) int32 arrays
        What several people drew, where several did. `labels` is then the first.
    density : (H, W) float32 array, optional
        How much people looked at a place, in [0, 1].
    """

    id: str
    image: NDArray[np.uint8]
    labels: NDArray[np.int32]
    rect: tuple[int, int, int, int] | None = None
    scribbles: NDArray[np.uint8] | None = None
    segmentations: tuple[NDArray[np.int32], ...] = ()
    density: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Item]):
    """Pictures with labels, read one at a time when asked for.

    It holds names, not pixels: small, quick to make, and it can be pickled, so that other
    processes read what they work on.

    Attributes
    ----------
    name : str
    class_names : tuple of str
    palette : (L, 3) uint8 array
        A colour for each class.
    ids : tuple of str
        The names of the items, in order.
    reader : callable
        What makes an `Item` of a name. It raises OSError or ValueError, naming the file and the
        reason.
    void : int
        The label of pixels that nobody decided on.
    strict : bool
        False lets `for item in dataset` pass over what cannot be read. Asking for one item always
        raises.
    skipped : dict
        What is left out because `strict` is False: name and reason. It grows while items are read
        in a loop.

    Examples
    --------
    >>> from classicseg import datasets
    >>> dataset = datasets.bundled()
    >>> dataset.name, len(dataset), dataset.n_classes, dataset.ids[4]
    ('bundled', 8, 2, 'coffee')
    >>> item = dataset.read("coffee")
    >>> item.image.shape, item.labels.dtype, item.rect
    ((400, 600, 3), dtype('int32'), (64, 10, 428, 389))
    >>> dataset.select(every=4).ids
    ('astronaut', 'coffee')
    """

    name: str
    class_names: tuple[str, ...]
    palette: NDArray[np.uint8]
    ids: tuple[str, ...]
    reader: Callable[[str], Item]
    void: int = VOID
    strict: bool = True
    skipped: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        yes_or_no(self.strict, "strict")

    @property
    def n_classes(self) -> int:
        """How many classes there are, void not counted."""
        return len(self.class_names)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> Item:  # type: ignore[override]  # no slices: see select
        return self.reader(self.ids[as_index(index)])

    def __iter__(self) -> Iterator[Item]:
        for name in self.ids:
            try:
                item = self.reader(name)
            except (OSError, ValueError) as error:
                if self.strict:
                    raise
                self.skipped[name] = str(error)
                continue
            yield item

    def read(self, id: str) -> Item:
        """Read the item of a name.

        Raises
        ------
        ValueError
            If there is none of that name, or it is damaged.
        OSError
            If a file is missing.
        """
        if not isinstance(id, str):
            raise TypeError(f"id is {id!r}, expected a string")
        if id not in self.ids:
            raise ValueError(f"{self.name} holds no item {id!r}, but {_some(self.ids)}")
        return self.reader(id)

    def select(self, ids: Sequence[str] | None = None, *, every: int = 1) -> Dataset:
        """Keep some items.

        Parameters
        ----------
        ids : sequence of str, optional
            The names of those to keep, in the order wanted; all by default.
        every : int
            Of those, the first and each `every`-th after it.

        Raises
        ------
        ValueError
            If an item is unknown or named twice.
        """
        chosen = self.ids
        if ids is not None:
            chosen = strings_of(ids, "ids")
        if unknown := sorted(set(chosen) - set(self.ids)):
            raise ValueError(f"{self.name} holds no item {unknown[0]!r}, but {_some(self.ids)}")
        if len(set(chosen)) != len(chosen):
            raise ValueError("ids names an item twice")
        return replace(
            self, ids=chosen[:: positive_int(every, "every")], skipped=dict(self.skipped)
        )

    def check(self, progress: Callable[[int, int], None] | None = None) -> Dataset:
        """Read everything once, and leave out what cannot be read.

        Parameters
        ----------
        progress : callable, optional
            Called with how many are done and how many there are.

        Returns
        -------
        Dataset
            Of the items that are whole; `skipped` says why the others are not.
        """
        if progress is not None:
            function_of(progress, "progress")
        good, skipped = [], dict(self.skipped)
        for done, name in enumerate(self.ids, 1):
            try:
                self.reader(name)
            except (OSError, ValueError) as error:
                skipped[name] = str(error)
            else:
                good.append(name)
            if progress is not None:
                progress(done, len(self.ids))
        return replace(self, ids=tuple(good), skipped=skipped)


def _some(names: Sequence[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more

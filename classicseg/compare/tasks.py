"""What evidence is given, and what it gives: the two forms that every pipeline passes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import grown_box
from classicseg._checks import as_labels, as_rect, as_seeds, as_uint8_image, positive_int
from classicseg._settings import seed_of
from classicseg.densecrf import DenseCRF

__all__ = ["DoesNotApply", "Evidence", "Labels", "Task", "as_task", "box_of_truth"]

# Marks are 1 + a class, in 16 bits.
_MOST_CLASSES = 2**16 - 1

Labels = NDArray[np.int32] | NDArray[np.bool_]


class DoesNotApply(ValueError):
    """Raised by an evidence or an inference that an image is none for.

    No rectangle, too many classes: the pipeline is then left out for that image, with the reason,
    and does not count as failed.

    Examples
    --------
    >>> from classicseg import compare
    >>> def reddish(task):
    ...     if task.n_classes != 2:
    ...         raise compare.DoesNotApply(f"reddish knows two classes, not {task.n_classes}")
    """


@dataclass(frozen=True)
class Task:
    """An image and what a person marked on it.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
    rect : (x, y, width, height), optional
        Around the foreground: outside is background.
    scribbles : (H, W) uint8 array, optional
        0 unmarked, 1 + the class elsewhere: of two classes 1 is background, 2 foreground.
    engine : str
        Who solves it, one of `ENGINES`.
    seed : int
        Of the random numbers that start k-means.
    n_classes : int
    name : str
        The image's, by which stored scores are found.
    """

    image: NDArray[np.uint8]
    rect: tuple[int, int, int, int] | None = None
    scribbles: NDArray[np.uint8] | None = None
    engine: str = "native"
    seed: int = 0
    n_classes: int = 2
    name: str = ""

    def needs_two_classes(self, who: str) -> None:
        """Raise `DoesNotApply` where there are more classes than foreground and background."""
        if self.n_classes != 2:
            raise DoesNotApply(f"{who} knows two classes, not {self.n_classes}")


@dataclass(frozen=True)
class Evidence:
    """What is known before neighbours are asked.

    Attributes
    ----------
    unary : (H, W, L) float32 array
        Energies of the classes, lower is better; where a person marked, the others' are too dear.
    trimap : (H, W) uint8 array, optional
        For GrabCut: 0 background, 1 foreground, 2 probably background, 3 probably foreground. By
        default the likelier of the two, "probably".
    gamma : float
        The weight of the links between neighbours that suits the unary: 50 is the literature's
        for energies of colour models.
    rect : (x, y, width, height), optional
        Where a rectangle is all that was marked: GrabCut has a better start for it than `trimap`.
    crf : densecrf.DenseCRF, optional
        The dense CRF that suits the unary. By default one whose strength follows `gamma`.
    """

    unary: NDArray[np.float32]
    trimap: NDArray[np.uint8] | None = None
    gamma: float = 50.0
    rect: tuple[int, int, int, int] | None = None
    crf: DenseCRF | None = None


def as_task(
    image: ArrayLike,
    rect: tuple[int, int, int, int] | None,
    scribbles: ArrayLike | None,
    engine: str,
    seed: int,
    n_classes: int = 2,
    name: str = "",
) -> Task:
    """Check what a person gives."""
    positive_int(n_classes, "n_classes", _MOST_CLASSES)
    seed_of(seed, "seed")
    if not isinstance(name, str):
        raise TypeError(f"name is {name!r}, expected a string")
    pixels = as_uint8_image(image)
    size = pixels.shape[:2]
    return Task(
        pixels,
        None if rect is None else as_rect(rect, size),
        None if scribbles is None else _as_scribbles(scribbles, size, n_classes),
        engine,
        seed,
        n_classes,
        name,
    )


def _as_scribbles(scribbles: ArrayLike, size: tuple[int, ...], n_classes: int) -> NDArray[np.uint8]:
    if n_classes == 2:
        return as_seeds(scribbles, size, "scribbles")
    marks = as_labels(scribbles, "scribbles", size)
    if (high := int(marks.max())) > n_classes:
        raise ValueError(f"scribbles holds {high}, expected 0 or 1 + a class, up to {n_classes}")
    return marks.astype(np.uint8 if n_classes < 256 else np.uint16)


def box_of_truth(labels: NDArray[np.int32]) -> tuple[int, int, int, int] | None:
    """The box of label 1, grown by 2 % of the image's sides; None where there is no such label.

    What stands for a person's rectangle in data sets of two classes that have none.
    """
    mask = labels == 1
    return grown_box(mask) if mask.any() else None

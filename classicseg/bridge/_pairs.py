"""Images and their masks in folders, checked before anything is learned from them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classicseg._checks import as_labels, as_uint8_image, positive_int
from classicseg.io import read_image, read_labels

__all__ = ["VOID", "Pair", "Pairs", "count_classes", "folder", "pick"]

VOID = 255
Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]
_ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".webp"}


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """Images with their masks, read when asked for; see `folder`.

    Attributes
    ----------
    images, masks : tuple of Path
    n_classes : int
    values : tuple of int
        What stands for each class in the masks' files.
    void : int
        What stands for void there.
    """

    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    n_classes: int
    values: tuple[int, ...]
    void: int

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Pair:  # type: ignore[override]  # no slices: see pick
        image = as_uint8_image(read_image(self.images[index]))
        mask = read_labels(self.masks[index])
        if mask.shape != image.shape[:2]:
            raise ValueError(
                f"{self.masks[index]} is {mask.shape[1]} x {mask.shape[0]} pixels, but its image "
                f"{self.images[index]} is {image.shape[1]} x {image.shape[0]}"
            )
        table = np.full(max(int(mask.max()), self.void, *self.values) + 1, -1, np.int16)
        table[self.void] = VOID
        table[list(self.values)] = np.arange(self.n_classes)
        labels = table[mask]
        if labels.min() < 0:
            wrong = int(mask[labels < 0].min())
            expected = (
                f"0..{self.n_classes - 1}"
                if self.values == tuple(range(self.n_classes))
                else ", ".join(map(str, self.values))
            )
            raise ValueError(
                f"{self.masks[index]} holds the label {wrong}, expected {expected} for the "
                f"{self.n_classes} classes, or {self.void} for void"
            )
        return image, labels.astype(np.uint8)


def folder(
    images: str | os.PathLike[str],
    masks: str | os.PathLike[str],
    n_classes: int,
    *,
    values: Sequence[int] | None = None,
    ignore_index: int = VOID,
) -> Pairs:
    """Find every image in a folder and the mask of the same name in another.

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
    n_classes = positive_int(n_classes, "n_classes")
    if n_classes > VOID:
        raise ValueError(f"n_classes is {n_classes}, expected at most {VOID}")
    chosen = tuple(range(n_classes)) if values is None else tuple(values)
    if len(chosen) != n_classes or len(set(chosen)) != n_classes or min(chosen) < 0:
        raise ValueError(f"values is {chosen}, expected {n_classes} different labels from 0")
    same = Path(images).resolve() == Path(masks).resolve()
    found = _files(images, "images")
    if same:  # photographs beside their masks
        lossless = {path for path in found if path.suffix.lower() == ".png"}
        pictures = [path for path in found if path not in lossless]
        candidates = sorted(lossless)
    else:
        pictures, candidates = found, _files(masks, "masks")
    by_name: dict[str, Path] = {}
    for path in candidates:
        if path.stem in by_name:
            raise ValueError(f"{path} and {by_name[path.stem]} are masks of the same name")
        by_name[path.stem] = path
    if not pictures:
        raise ValueError(f"{images} holds no images")
    missing = [path.name for path in pictures if path.stem not in by_name]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(f"{missing[0]}{others} of {images} has no mask in {masks}")
    pairs = Pairs(
        tuple(pictures),
        tuple(by_name[path.stem] for path in pictures),
        n_classes,
        chosen,
        int(ignore_index),
    )
    for picture, mask in zip(pairs.images, pairs.masks, strict=True):
        _check_sizes(picture, mask)
    return pairs


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
    names = [path.stem for path in pairs.images]
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in names):
            raise ValueError(f"the pattern {pattern!r} matches none of the {len(names)} images")
    held = np.array([any(fnmatch(name, pattern) for pattern in patterns) for name in names], bool)
    if held.all():
        raise ValueError(f"{', '.join(patterns)} match all {len(names)} images: none is left")
    return _some(pairs, ~held), _some(pairs, held)


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


def _files(place: str | os.PathLike[str], what: str) -> list[Path]:
    if not Path(place).is_dir():
        raise NotADirectoryError(f"{place} is no folder, expected one with {what}")
    return sorted(p for p in Path(place).iterdir() if p.suffix.lower() in _ENDINGS)


def _check_sizes(picture: Path, mask: Path) -> None:
    """Quickly, by the files' heads; a rotated photograph is left to the reader."""
    sizes = []
    for path in (picture, mask):
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
        except (OSError, ValueError, SyntaxError) as error:
            raise ValueError(f"{path} cannot be read as an image: {error}") from error
    if sizes[0] not in (sizes[1], sizes[1][::-1]):
        (width, height), (w, h) = sizes
        raise ValueError(
            f"{mask} is {w} x {h} pixels, but its image {picture} is {width} x {height}"
        )


def _some(pairs: Pairs, chosen: NDArray[np.bool_]) -> Pairs:
    where = np.flatnonzero(chosen)
    return Pairs(
        tuple(pairs.images[i] for i in where),
        tuple(pairs.masks[i] for i in where),
        pairs.n_classes,
        pairs.values,
        pairs.void,
    )

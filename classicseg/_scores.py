"""Stored scores of networks."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._checks import as_probabilities, positive, positive_int
from classicseg._files import explained, path_of
from classicseg._settings import sequence_of
from classicseg.unary import to_probabilities

_LARGEST_SIDE = 1_000_000
# Of scores after unpacking, in bytes: a small file may claim any size.
_LARGEST_ARRAY = 2**32


def read_scores(
    path: str | os.PathLike[str],
    *,
    shape: tuple[int, int] | None = None,
    n_classes: int | None = None,
) -> NDArray[np.float32]:
    """Read a network's output as probabilities.

    Parameters
    ----------
    path : path
        An `.npz` with one of the arrays `logits` (scores before the softmax) and `probabilities`,
        axes (L, h, w), and optionally a number `scale`: real value = stored value * scale. int8
        logits without it are in eighths. Or an `.npy` with such an array: probabilities where it
        sums to one over its first axis, or over its last, which is then L; logits where
        values outside [0, 1] occur.
    shape : (H, W), optional
        Enlarge to this size, bilinearly with pixel centres at half-integers, as
        `torch.nn.functional.interpolate` does by default; logits before the softmax.
    n_classes : int, optional
        Keep only this many classes, the first ones: networks may have an output for void.

    Returns
    -------
    (H, W, L) float32 array
        The last axis sums to 1.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If there is no such file.
    ValueError
        If it is damaged or does not hold what is described above.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from classicseg import io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scores.npz"
    ...     np.savez(path, logits=np.zeros((2, 3, 4), np.int8))
    ...     io.read_scores(path, shape=(6, 8)).shape
    (6, 8, 2)
    """
    if shape is not None:
        sides = sequence_of(shape, "shape", "(height, width)")
        if len(sides) != 2:
            raise ValueError(f"shape is {shape!r}, expected (height, width)")
        height, width = (positive_int(side, "shape", _LARGEST_SIDE) for side in sides)
        shape = height, width
    if n_classes is not None:
        positive_int(n_classes, "n_classes")
    with explained(path, "scores"):
        key, scores = _load_scores(path_of(path))
        if n_classes is not None and n_classes > len(scores):
            raise ValueError(f"it has {len(scores)} classes, fewer than n_classes={n_classes}")
        scores = scores[:n_classes]
        low, high = float(scores.min()), float(scores.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"its {key} hold NaN or infinite values")
        if key == "probabilities":
            sums = scores.sum(axis=0)
            if low < 0 or sums.min() <= 0:
                raise ValueError("its probabilities hold negative values or pixels without any")
            scores = scores / sums
        if shape is not None:
            scores = _enlarged(scores, shape)
        last = np.moveaxis(scores, 0, -1)
        if key == "probabilities":
            return as_probabilities(last)
        np.negative(scores, out=scores)
        return to_probabilities(last)


def _load_scores(path: Path) -> tuple[str, NDArray[Any]]:
    loaded = np.load(path, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        scores, scale = _stacked(loaded), None
        if scores.dtype.kind == "f" and scores.min() >= 0 and scores.max() <= 1:
            first, last = (np.abs(scores.sum(axis) - 1).max() for axis in (0, 2))
            if min(first, last) > 1e-3:
                raise ValueError(
                    "its values lie in [0, 1] but sum to one neither over the first axis nor over "
                    "the last; keep logits in an .npz as `logits`"
                )
            return "probabilities", scores if first <= 1e-3 else np.moveaxis(scores, -1, 0)
        key = "logits"
    else:
        with loaded as archive:
            keys = [key for key in ("logits", "probabilities") if key in archive.files]
            if len(keys) != 1:
                raise ValueError(
                    f"it holds {archive.files}, expected one of `logits` and `probabilities`"
                )
            key = keys[0]
            n_bytes = archive.zip.getinfo(f"{key}.npy").file_size
            if n_bytes > _LARGEST_ARRAY:
                raise ValueError(
                    f"its {key} take {n_bytes} bytes when unpacked, expected at most "
                    f"{_LARGEST_ARRAY}"
                )
            scores = _stacked(archive[key])
            scale = archive["scale"] if "scale" in archive.files else None
    if scale is not None:
        if scale.size != 1 or scale.dtype.kind not in "iuf":
            raise ValueError(f"its scale has shape {scale.shape}, expected one number")
        factor = positive(float(scale.item()), "scale")
    elif key == "logits" and scores.dtype.kind in "iu":
        if scores.dtype != np.int8:
            raise ValueError(f"its logits are {scores.dtype} and there is no `scale`")
        factor = 1 / 8
    else:
        factor = 1.0
    values = scores.astype(np.float32) * np.float32(factor)
    if key == "probabilities" and scores.dtype.kind == "f":
        error = float(np.abs(values.sum(axis=0) - 1).max())
        if not error <= 1e-3:
            raise ValueError(
                f"its probabilities miss a sum of one by {error:g} over the first axis"
            )
    return key, values


def _stacked(scores: NDArray[Any]) -> NDArray[Any]:
    if scores.ndim != 3 or scores.size == 0 or scores.dtype.kind not in "iuf":
        raise ValueError(
            f"its array is {scores.dtype} of shape {scores.shape}, expected numbers (L, h, w)"
        )
    return scores


def _enlarged(scores: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear interpolation of (L, h, w) with pixel centres at half-integers, axis by axis."""
    result = np.empty((len(scores), *shape), np.float32)
    for plane, out in zip(scores, result, strict=True):
        out[:] = _stretched(_stretched(plane.astype(np.float32), 0, shape[0]), 1, shape[1])
    return result


def _stretched(plane: NDArray[np.float32], axis: int, size: int) -> NDArray[np.float32]:
    old = plane.shape[axis]
    centre = (np.arange(size) + 0.5) * (old / size) - 0.5
    before = np.clip(np.floor(centre).astype(np.intp), 0, old - 1)
    after = np.minimum(before + 1, old - 1)
    share = np.clip(centre - before, 0, 1).astype(np.float32)
    low: NDArray[np.float32] = plane.take(before, axis)
    high = plane.take(after, axis)
    high -= low
    high *= share[:, np.newaxis] if axis == 0 else share
    low += high
    return low

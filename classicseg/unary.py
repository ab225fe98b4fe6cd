"""Evidence as energies: the one currency that every inference takes.

A unary is an array (H, W, L) of float32 energies, -log probability of each label at each pixel;
lower is better. Volumes and other grids work alike: the labels are on the last axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import shape_of
from classicseg._checks import (
    as_labels,
    as_probabilities,
    as_unary,
    positive,
    positive_int,
    void_label,
)
from classicseg._settings import inverse_temperature


def from_probabilities(probabilities: ArrayLike, clip: float = 1e-5) -> NDArray[np.float32]:
    """Energies of label probabilities: -log p.

    Parameters
    ----------
    probabilities : array, (H, W, L)
        The last axis sums to 1 (within 0.001; it is then made exact).
    clip : float
        Probabilities are raised to at least this, so that no label is ruled out for ever by a
        network that is too sure. The default bounds energies at 11.5.

    Returns
    -------
    (H, W, L) float32 array

    Raises
    ------
    TypeError, ValueError
        If `probabilities` are none, or `clip` is not in (0, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import unary
    >>> unary.from_probabilities(np.array([[[0.25, 0.75]], [[0.0, 1.0]]])).round(2)
    array([[[ 1.39,  0.29]],
    <BLANKLINE>
           [[11.51,  0.  ]]], dtype=float32)
    """
    if not positive(clip, "clip") < 1:
        raise ValueError(f"clip is {clip}, expected a number between 0 and 1")
    energies = as_probabilities(probabilities, shape=shape_of(probabilities, "probabilities")[:-1])
    pixels = energies.reshape(-1, energies.shape[-1])
    for begin in range(0, len(pixels), _BLOCK):
        here = pixels[begin : begin + _BLOCK]
        np.maximum(here, np.float32(clip), out=here)
        np.minimum(here, np.float32(1), out=here)
        np.log(here, out=here)
        np.subtract(0, here, out=here)  # not negative(), which makes -0.0 of 0
    return energies


def from_labels(
    labels: ArrayLike, n_classes: int, certainty: float = 0.7, *, ignore_index: int | None = None
) -> NDArray[np.float32]:
    """Energies of a labelling that is right with a given probability.

    The label given has probability `certainty`, all others share the rest; a void pixel has the
    uniform distribution.

    Parameters
    ----------
    labels : integer array, (H, W)
        0..n_classes-1, or void.
    n_classes : int
        At least 2.
    certainty : float
        In (0, 1). The default, that of pydensecrf, lets neighbours overrule a label.
    ignore_index : int, optional
        The void label: 255, but with more than 255 classes it must be given.

    Returns
    -------
    (H, W, n_classes) float32 array

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong kind or out of range, a label for example.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import unary
    >>> unary.from_labels(np.array([[1, 255]]), n_classes=2).round(3)
    array([[[1.204, 0.357],
            [0.693, 0.693]]], dtype=float32)
    """
    if positive_int(n_classes, "n_classes") < 2:
        raise ValueError(f"n_classes is {n_classes}, expected at least 2")
    if not positive(certainty, "certainty") < 1:
        raise ValueError(f"certainty is {certainty}, expected a number between 0 and 1")
    ignore_index = void_label(n_classes, ignore_index)
    checked = as_labels(labels, "labels", shape_of(labels, "labels"))
    void = checked == ignore_index
    wrong = (checked >= n_classes) & ~void
    if wrong.any():
        raise ValueError(
            f"labels holds {int(checked[wrong].max())}, expected 0..{n_classes - 1} or "
            f"{ignore_index} for void"
        )
    # One row for each label, the last for void.
    rows = np.full((n_classes + 1, n_classes), -math.log((1 - certainty) / (n_classes - 1)))
    np.fill_diagonal(rows, -math.log(certainty))
    rows[n_classes] = math.log(n_classes)
    energies: NDArray[np.float32] = rows.astype(np.float32)[np.where(void, n_classes, checked)]
    return energies


def from_scores(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float32]:
    """Energies of a network's raw scores: -log softmax(logits / temperature).

    Parameters
    ----------
    logits : array, (H, W, L)
        Any real numbers, higher is better.
    temperature : float
        Above 1 softens the distribution, below 1 sharpens it. Networks are mostly too sure: see
        Guo et al., On Calibration of Modern Neural Networks, 2017, arXiv:1706.04599.

    Returns
    -------
    (H, W, L) float32 array

    Raises
    ------
    TypeError, ValueError
        If `logits` are no finite real numbers, or `temperature` is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import unary
    >>> unary.from_scores(np.array([[[0.0, 2.0]]])).round(3)
    array([[[2.127, 0.127]]], dtype=float32)
    """
    scale = inverse_temperature(temperature)
    scores = as_unary(logits, "logits", shape_of(logits, "logits")[:-1])

    def energies(here: NDArray[np.float32]) -> NDArray[np.float32]:
        # Differences first: they do not lose digits where all scores of a pixel are large.
        part: NDArray[np.float32] = here.max(axis=0) - here
        part *= np.float32(scale)
        part += np.log(np.exp(-part).sum(axis=0))
        return part

    return _by_blocks(energies, scores)


def to_probabilities(unary: ArrayLike) -> NDArray[np.float32]:
    """Probabilities of energies: softmax(-unary), the way back.

    Parameters
    ----------
    unary : array, (H, W, L)
        Finite energies; a constant added to all labels of a pixel changes nothing.

    Returns
    -------
    (H, W, L) float32 array
        The last axis sums to 1.

    Raises
    ------
    TypeError, ValueError
        If `unary` holds no finite real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import unary
    >>> unary.to_probabilities(np.array([[[0.0, np.log(3)]]])).round(3)
    array([[[0.75, 0.25]]], dtype=float32)
    """
    energies = as_unary(unary, "unary", shape_of(unary, "unary")[:-1])

    def probabilities(here: NDArray[np.float32]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):  # a difference beyond float32 is a probability of 0
            part: NDArray[np.float32] = np.exp(here.min(axis=0) - here)
        part /= part.sum(axis=0)
        return part

    return _by_blocks(probabilities, energies)


# Pixels at a time: what is worked on stays in the cache, and Ctrl-C need not wait for all of them.
_BLOCK = 1 << 14


# With two labels on the last axis NumPy works in steps of two numbers, ten times slower than on
# one plane of the image for each label.
def _by_blocks(
    function: Callable[[NDArray[np.float32]], NDArray[np.float32]], array: NDArray[np.float32]
) -> NDArray[np.float32]:
    """A function of pixels' numbers (L, n), for (..., L)."""
    result = np.empty_like(array)
    n_labels = array.shape[-1]
    given, found = array.reshape(-1, n_labels), result.reshape(-1, n_labels)
    for begin in range(0, len(given), _BLOCK):
        here = np.ascontiguousarray(given[begin : begin + _BLOCK].T)
        found[begin : begin + _BLOCK] = function(here).T
    return result

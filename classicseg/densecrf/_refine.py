"""One call that sharpens a network's probabilities along the image's edges."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import (
    SUM_TOLERANCE,
    as_probabilities,
    as_scores,
    check_threads,
    positive,
)
from classicseg._kernels import ext
from classicseg._settings import inverse_temperature, yes_or_no
from classicseg.densecrf._crf import DenseCRF
from classicseg.densecrf._inputs import hint_at_layout, label_shape
from classicseg.densecrf._kernels import BilateralKernel, GaussianKernel, strength
from classicseg.densecrf._mean_field import MeanField
from classicseg.densecrf._peers import check_engine, refine_with_pydensecrf

__all__ = ["refine"]


@overload
def refine(
    probabilities: ArrayLike,
    image: ArrayLike,
    *,
    marginals: Literal[False] = False,
    **parameters: Any,
) -> NDArray[np.int32]: ...
@overload
def refine(
    probabilities: ArrayLike, image: ArrayLike, *, marginals: Literal[True], **parameters: Any
) -> MeanField: ...


def refine(  # type: ignore[misc]  # the overloads leave the parameters to this one
    probabilities: ArrayLike,
    image: ArrayLike,
    *,
    theta_alpha: float = 20.0,
    theta_beta: float = 4.0,
    theta_gamma: float = 1.0,
    weight: float = 3.0,
    smoothness: float = 1.0,
    temperature: float = 1.0,
    n_iterations: int = 5,
    clip: float = 1e-5,
    marginals: bool = False,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.int32] | MeanField:
    """Sharpen label probabilities along the edges of the image.

    The defaults are mild, and help: they were chosen on half of the scores of two networks, for
    street scenes and for objects, and raise mIoU on the other half (docs/densecrf.md has the
    table). The parameters that everybody copies, 80 / 13 and 3 / 3 with weights 10 and 3, lower it.
    `tune` finds those for other scores, and says so when none are better.

    Parameters
    ----------
    probabilities : (H, W, L) array
        A network's softmax; sums to 1 over the last axis within 0.001.
    image : (H, W) or (H, W, C) array
        uint8, uint16, or floats in [0, 1].
    theta_alpha, theta_beta, weight : float
        Of the `BilateralKernel`: reach in pixels, colour difference of an edge in 0..255 units,
        strength.
    theta_gamma, smoothness : float
        Of the `GaussianKernel`: standard deviation in pixels, strength.
    temperature : float
        Above 1 softens the probabilities first (``p ** (1 / temperature)``): networks are
        mostly too sure.
    n_iterations : int
        Of mean field.
    clip : float
        Probabilities count as at least this.
    marginals : bool
        Return the `MeanField` with the marginals instead of the labels.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    engine : "native" or "pydensecrf"
        "pydensecrf" runs the authors' code instead, for comparison; (H, W, 3) images only.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    (H, W) int32 array, or MeanField

    Raises
    ------
    TypeError, ValueError
        For probabilities that are none, an image that does not fit, parameters out of range.
    ImportError
        If the engine's package is missing.

    References
    ----------
    P. Krähenbühl, V. Koltun: Efficient inference in fully connected CRFs with Gaussian edge
    potentials. NIPS 2011. arXiv:1210.5644

    Examples
    --------
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> image[:, 15:] = 200
    >>> blurred = np.clip((np.arange(30) - 9) / 6, 0.1, 0.9) * np.ones((20, 1))  # edge at 12
    >>> labels = refine(np.stack([1 - blurred, blurred], -1), image, weight=10)
    >>> int((labels == 1).sum(axis=1)[10])
    15
    """
    check_engine(engine)
    yes_or_no(marginals, "marginals")
    if not positive(clip, "clip") < 1:
        raise ValueError(f"clip is {clip}, expected a number between 0 and 1")
    scale = inverse_temperature(temperature)
    strength(smoothness, "smoothness")
    crf = crf_of(theta_alpha, theta_beta, theta_gamma, weight, smoothness)
    hint_at_layout(probabilities, image, "probabilities")
    shape = label_shape(probabilities, "probabilities")
    unary = _energies(probabilities, shape, clip, check_threads(n_threads))
    if scale != 1:
        unary *= np.float32(scale)
    if engine == "pydensecrf":
        result = refine_with_pydensecrf(unary, image, crf, n_iterations, data_range)
    else:
        prepared = crf.prepare(image, shape=shape, data_range=data_range, n_threads=n_threads)
        result = prepared.infer_checked(
            unary,
            n_iterations,
            tol=0.0,
            start=None,
            free_energy=False,
            overwrite=True,
            n_threads=n_threads,
        )
    return result if marginals else result.labels


def crf_of(
    theta_alpha: float, theta_beta: float, theta_gamma: float, weight: float, smoothness: float
) -> DenseCRF:
    """The CRF of `refine`'s parameters."""
    return DenseCRF(
        [GaussianKernel(theta_gamma, smoothness), BilateralKernel(theta_alpha, theta_beta, weight)]
    )


def _energies(
    probabilities: ArrayLike, shape: tuple[int, ...], clip: float, n_threads: int
) -> NDArray[np.float32]:
    """-log of probabilities, checked in passing."""
    given = as_scores(probabilities, "probabilities", shape, what="probabilities")
    unary = np.empty(given.shape, np.float32)

    def fill(values: NDArray[np.float32]) -> bool:
        n_labels = values.shape[-1]
        return bool(
            ext.energies_of_probabilities(
                values.reshape(-1, n_labels),
                clip,
                SUM_TOLERANCE,
                unary.reshape(-1, n_labels),
                n_threads,
            )
        )

    if not fill(given):
        fill(as_probabilities(given, shape=shape))  # says what is wrong with them
    return unary

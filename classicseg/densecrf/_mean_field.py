"""The result of mean field inference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MeanField"]


@dataclass(frozen=True, eq=False)
class MeanField:
    """Marginals of a dense CRF after some iterations of mean field.

    Attributes
    ----------
    labels : (H, W) int32
        The most probable label of each pixel, the first one where several are.
    probabilities : (H, W, L) float32
        The marginals; the last axis sums to 1.
    n_iterations : int
        How many were done, those of a `start` included.
    free_energy : tuple of float or None
        If asked for: of the start and after each iteration of this call. It is the Kullback-Leibler
        divergence from the CRF's distribution up to a constant,
        ``sum_i sum_l q_i(l) (log q_i(l) + u_i(l)) + 1/2 sum_ij k_ij sum_lm mu(l, m) q_i(l) q_j(m)``
        with the filter's kernels k, i = j included.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    n_iterations: int
    free_energy: tuple[float, ...] | None = None

"""What every solver returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Labelling:
    """Labels and how they were reached.

    Attributes
    ----------
    labels : (H, W) or (N,) int32
        The best labelling that was found.
    energy : float
        Its energy, as `energy` computes it. For marginals "sum", the energy of the most probable
        labels, which is not what they minimise.
    energies : (n + 1,) float64
        Of the start and after each of the n iterations. ICM's never rise; those of message passing
        may, and `labels` belong to the smallest.
    lower_bounds : (n + 1,) float64, or None
        Of TRW-S: no labelling has an energy below; never falls.
    marginals : (H, W, L) or (N, L) float32, or None
        Probabilities, whose last axis sums to 1, or min-marginals: what the least energy with that
        label at the node is above the least energy. Exact on trees, approximations elsewhere.
    converged : bool
        Whether the iterations ended by themselves, not at `max_iter`.
    """

    labels: NDArray[np.int32]
    energy: float
    energies: NDArray[np.float64]
    lower_bounds: NDArray[np.float64] | None = None
    marginals: NDArray[np.float32] | None = None
    converged: bool = True

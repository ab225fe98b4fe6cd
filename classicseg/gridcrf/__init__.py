"""The locally connected CRF: one energy, and message passing and ICM that minimise it."""

from classicseg.gridcrf._costs import truncated_linear, truncated_quadratic
from classicseg.gridcrf._icm import energy, icm
from classicseg.gridcrf._messages import belief_propagation, trws
from classicseg.gridcrf._results import Labelling

__all__ = [
    "Labelling",
    "belief_propagation",
    "energy",
    "icm",
    "truncated_linear",
    "truncated_quadratic",
    "trws",
]

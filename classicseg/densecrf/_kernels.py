"""The Gaussian kernels of a dense CRF and their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classicseg._checks import finite, non_negative, positive

__all__ = ["BilateralKernel", "FeatureKernel", "GaussianKernel", "Kernel"]

# Beyond this a message may leave the range of float32.
_MAX_WEIGHT = 1e20

Theta = float | Sequence[float]


@dataclass(frozen=True)
class GaussianKernel:
    """Smoothness: near points like the same label.

    ``weight * exp(-|p - q|^2 / (2 theta_gamma^2))``.

    Parameters
    ----------
    theta_gamma : float
        Standard deviation, in pixels (or in units of `spacing`). It removes regions smaller than
        that. Default 3.
    weight : float
        Strength, from 0. Default 3.

    Raises
    ------
    TypeError, ValueError
        If `theta_gamma` is not above 0 or `weight` is negative or above 1e20.
    """

    theta_gamma: float = 3.0
    weight: float = 3.0

    def __post_init__(self) -> None:
        _check(self.weight, theta_gamma=self.theta_gamma)


@dataclass(frozen=True)
class BilateralKernel:
    """Appearance: near points of similar colour like the same label.

    ``weight * exp(-|p - q|^2 / (2 theta_alpha^2) - |I_p - I_q|^2 / (2 theta_beta^2))``.

    Parameters
    ----------
    theta_alpha : float
        Standard deviation of the position, in pixels (or in units of `spacing`): how far a label
        reaches. Default 80.
    theta_beta : float or sequence of float
        Standard deviation of the colour, in units of 0..255, for all channels or each: which
        difference of colours counts as an edge. Default 13.
    weight : float
        Strength, from 0. Default 10.

    Raises
    ------
    TypeError, ValueError
        If a theta is not above 0 or `weight` is negative or above 1e20.
    """

    theta_alpha: float = 80.0
    theta_beta: Theta = 13.0
    weight: float = 10.0

    def __post_init__(self) -> None:
        _check(self.weight, theta_alpha=self.theta_alpha, theta_beta=self.theta_beta)


@dataclass(frozen=True)
class FeatureKernel:
    """Points with similar features like the same label, wherever they are.

    ``weight * exp(-sum over features of (f_p - f_q)^2 / (2 theta^2))``: for graphs that are no
    images, or for other features of pixels, with the array given as ``features=``.

    Parameters
    ----------
    theta : float or sequence of float
        Standard deviation, in the features' units, for all features or each. Default 1.
    weight : float
        Strength, from 0. Default 1.

    Raises
    ------
    TypeError, ValueError
        If a theta is not above 0 or `weight` is negative or above 1e20.
    """

    theta: Theta = 1.0
    weight: float = 1.0

    def __post_init__(self) -> None:
        _check(self.weight, theta=self.theta)


Kernel = GaussianKernel | BilateralKernel | FeatureKernel


def _check(weight: float, **thetas: Theta) -> None:
    strength(weight, "weight")
    for name, theta in thetas.items():
        values: Sequence[Any] = (theta,)
        if isinstance(theta, Sequence) and name in ("theta", "theta_beta"):
            values = theta
        for value in values:
            positive(value, name)


def strength(weight: float, name: str) -> float:
    """Check the weight of a kernel."""
    if non_negative(weight, name) > _MAX_WEIGHT:
        raise ValueError(f"{name} is {weight:g}, expected at most {_MAX_WEIGHT:g}")
    return weight


def per_channel(theta: Theta, n_channels: int, name: str) -> tuple[float, ...]:
    """A theta for each channel."""
    if not isinstance(theta, Sequence):
        return (finite(theta, name),) * n_channels
    if len(theta) != n_channels:
        raise ValueError(f"{name} has {len(theta)} values, expected one or {n_channels}")
    return tuple(float(value) for value in theta)

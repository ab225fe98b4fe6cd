"""Colour mixtures, pixel by pixel."""

from __future__ import annotations

import math

import numpy as np


def component_energies(
    colour: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray
) -> list[float]:
    """-log pi_k - log N(colour; mean_k, covariance_k) of each component, as the paper writes it."""
    found = []
    for weight, mean, covariance in zip(weights, means, covariances, strict=True):
        difference = np.asarray(colour, float) - mean
        found.append(
            -math.log(weight)
            + 0.5 * math.log(np.linalg.det(covariance))
            + 0.5 * float(difference @ np.linalg.inv(covariance) @ difference)
            + 0.5 * len(mean) * math.log(2 * math.pi)
        )
    return found


def mixture_energy(
    colour: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray
) -> float:
    """-log of the mixture's density: OpenCV's data term."""
    energies = component_energies(colour, weights, means, covariances)
    least = min(energies)
    return least - math.log(sum(math.exp(least - e) for e in energies))


def maximum_likelihood(
    colours: np.ndarray, component: np.ndarray, n_components: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and covariances of the components that have colours."""
    weights, means, covariances = [], [], []
    for k in range(n_components):
        own = np.array([z for z, c in zip(colours, component, strict=True) if c == k], float)
        if len(own) == 0:
            continue
        mean = sum(own) / len(own)
        covariance = sum(np.outer(z - mean, z - mean) for z in own) / len(own)
        weights.append(len(own) / len(colours))
        means.append(mean)
        covariances.append(covariance)
    return np.array(weights), np.array(means), np.array(covariances)


def kmeans(
    colours: np.ndarray, uniform: np.ndarray, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Centres by k-means++ from given random numbers, and how many colours are nearest to each."""
    centres = colours[[int(uniform[0] * len(colours))]].astype(np.float64)
    for number in uniform[1:]:
        nearest = ((colours[:, None] - centres) ** 2).sum(axis=2).min(axis=1)
        chosen = np.searchsorted(nearest.cumsum(), number * nearest.sum(), side="right")
        centres = np.concatenate([centres, colours[[chosen]]])
    for _ in range(iterations):
        label = ((colours[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
        counts = np.bincount(label, minlength=len(centres))
        for k in np.flatnonzero(counts):
            centres[k] = colours[label == k].mean(axis=0)
    return centres, counts

"""Colour models: Gaussian mixtures with hard assignment, as in GrabCut (section 3 of the paper)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import as_image, check_threads, positive_int
from classicseg._kernels import ext
from classicseg._settings import generator_of

__all__ = ["GMM", "Assignment", "assign", "fit_gmm", "learn", "nearest_centres", "some_colours"]

# Covariances have no eigenvalue below this, in squared colour units (0..255): a flat region's
# density would be infinite. It is a tenth of a grey level, well under the noise of 8-bit images.
MIN_VARIANCE = 0.01
# k-means sees at most this many pixels, drawn at random: its centres move by less than the noise of
# its start, and it takes milliseconds where all pixels of a large photograph take seconds.
_MAX_SAMPLES = 2_000
_MAX_COLOURS = 4_000  # of a side, for the mixture that a fit begins with
_KMEANS_ITERATIONS = 5  # more makes neither better cuts nor lower energies


@dataclass(frozen=True)
class GMM:
    """A Gaussian mixture over colours.

    Attributes
    ----------
    weights : (K,) float64
        Mixture weights pi_k, positive, summing to 1.
    means : (K, C) float64
        In colour units, 0..255.
    covariances : (K, C, C) float64
        Full covariance matrices, eigenvalues at least 0.01.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]

    def energies(
        self,
        image: ArrayLike,
        *,
        data_range: tuple[float, float] | None = None,
        n_threads: int | None = None,
    ) -> NDArray[np.float32]:
        """Energy of every pixel: min over k of -log pi_k - log N(z; mean_k, covariance_k).

        Parameters
        ----------
        image : (H, W) or (H, W, 3) array
            With as many channels as the mixture has.
        data_range : (lo, hi), optional
            Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
        n_threads : int, optional
            Default: all cores.

        Returns
        -------
        (H, W) float32
            In nats; may be negative where the density exceeds 1.

        Raises
        ------
        ValueError, TypeError
            For an unusable image or one with another number of channels.

        Examples
        --------
        >>> gmm = GMM(np.ones(1), np.zeros((1, 1)), np.ones((1, 1, 1)))
        >>> gmm.energies(np.zeros((1, 1), np.uint8)).round(3)  # log(2 pi) / 2
        array([[0.919]], dtype=float32)
        """
        pixels = as_image(image, data_range=data_range)
        if pixels.shape[2] != self.means.shape[1]:
            raise ValueError(
                f"image has {pixels.shape[2]} channels, expected the mixture's "
                f"{self.means.shape[1]}"
            )
        return assign(pixels, self, check_threads(n_threads)).energy


@dataclass(frozen=True)
class Assignment:
    """Energy of each pixel and the component that it comes from, both (H, W)."""

    energy: NDArray[np.float32]
    component: NDArray[np.uint8]


def assign(
    pixels: NDArray[np.float32],
    gmm: GMM,
    n_threads: int,
    wanted: NDArray[np.bool_] | None = None,
) -> Assignment:
    """Give each pixel of a checked image its best component; unwanted ones may get any."""
    n_channels = gmm.means.shape[1]
    cholesky = np.linalg.cholesky(gmm.covariances)
    log_determinant = 2 * np.log(np.diagonal(cholesky, axis1=1, axis2=2)).sum(axis=1)
    constant = -np.log(gmm.weights) + 0.5 * log_determinant + 0.5 * n_channels * np.log(2 * np.pi)
    lower = np.linalg.inv(cholesky) * np.sqrt(0.5)
    return _nearest(pixels, constant, gmm.means, lower, n_threads, wanted)


def nearest_centres(
    pixels: NDArray[np.float32],
    centres: NDArray[np.float64],
    n_threads: int,
    wanted: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Give each wanted pixel of a checked image the number of the centre nearest to it."""
    n_centres, n_channels = centres.shape
    identity = np.broadcast_to(np.eye(n_channels), (n_centres, n_channels, n_channels))
    return _nearest(pixels, np.zeros(n_centres), centres, identity, n_threads, wanted).component


def _nearest(
    pixels: NDArray[np.float32],
    constant: NDArray[np.float64],
    means: NDArray[np.float64],
    lower: NDArray[np.float64],
    n_threads: int,
    wanted: NDArray[np.bool_] | None,
) -> Assignment:
    rows, columns = _lower_triangle(means.shape[1])
    packed = np.concatenate([constant[:, None], means, lower[:, rows, columns]], axis=1)
    energy = np.empty(pixels.shape[:2], np.float32)
    component = np.empty(pixels.shape[:2], np.uint8)
    mask = None if wanted is None else wanted.view(np.uint8)
    components = np.ascontiguousarray(packed, np.float32)
    ext.gmm_energies(pixels, [mask], components, energy, component, n_threads)
    return Assignment(energy, component)


def learn(
    pixels: NDArray[np.float32],
    mask: NDArray[np.bool_],
    components: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    n_components: int,
    n_threads: int,
) -> tuple[GMM | None, GMM | None]:
    """Maximum-likelihood mixtures of the background and the foreground, given the components.

    `components` holds each pixel's component if it were background, and if it were foreground.
    Components without pixels are dropped; a side without pixels has no mixture (None).
    """
    n_channels = pixels.shape[2]
    totals = np.empty((2, n_components, 1 + n_channels + n_channels * (n_channels + 1) // 2))
    ext.gmm_statistics(pixels, mask.view(np.uint8), *components, totals, n_threads)
    # Both sides at once: numpy's calls on a few small matrices cost more than their arithmetic.
    used = totals[..., 0] > 0
    n_background = np.count_nonzero(used[0])
    counts, means, covariances = _moments(totals[used], n_channels)
    sides = (slice(None, n_background), slice(n_background, None))
    background, foreground = (
        GMM(counts[side] / counts[side].sum(), means[side], covariances[side])
        if len(counts[side])
        else None
        for side in sides
    )
    return background, foreground


def _moments(
    totals: NDArray[np.float64], n_channels: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Counts, means and clamped covariances of components, from sums over their pixels."""
    count = totals[:, 0]
    means = totals[:, 1 : 1 + n_channels] / count[:, None]
    rows, columns = _lower_triangle(n_channels)
    covariances = np.empty((len(totals), n_channels, n_channels))
    products = totals[:, 1 + n_channels :] / count[:, None] - means[:, rows] * means[:, columns]
    covariances[:, rows, columns] = products
    covariances[:, columns, rows] = products
    # Of all covariances with eigenvalues >= MIN_VARIANCE this one has the largest likelihood.
    values, vectors = np.linalg.eigh(covariances)
    values = np.maximum(values, MIN_VARIANCE)
    covariances = (vectors * values[:, None, :]) @ vectors.transpose(0, 2, 1)
    return count, means, covariances


@cache
def _lower_triangle(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.tril_indices(n)


def some_colours(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float32]:
    """The colours (N, C) of a mask's pixels, of some drawn at random if there are many."""
    chosen = np.flatnonzero(mask)
    if len(chosen) > _MAX_COLOURS:
        chosen = chosen[rng.integers(len(chosen), size=_MAX_COLOURS)]
    return pixels.reshape(-1, pixels.shape[2])[chosen]


def _initial_centres(
    colours: NDArray[np.float32], n_components: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """k-means centres of colours (N, C); fewer where fewer are distinct."""
    if len(colours) > _MAX_SAMPLES:
        colours = colours[rng.integers(len(colours), size=_MAX_SAMPLES)]
    if len({tuple(colour) for colour in colours[: 50 * n_components].tolist()}) < n_components:
        distinct = np.unique(colours, axis=0)
        if len(distinct) <= n_components:
            return distinct.astype(np.float64)
    centres = np.empty((n_components, colours.shape[1]))
    counts = np.empty(n_components, np.int64)
    # Drawn as SciPy's kmeans2 does: a seed gives the centres that it gave by that.
    first = (rng.integers(len(colours)) + 0.5) / len(colours)
    numbers = np.array([first, *rng.random(n_components - 1)])
    ext.kmeans(colours, numbers, _KMEANS_ITERATIONS, centres, counts)
    return centres[counts > 0]


def fit_gmm(colours: ArrayLike, n_components: int = 5, rng: int | np.random.Generator = 0) -> GMM:
    """Fit a Gaussian mixture to colours: k-means, then maximum likelihood of each cluster.

    Parameters
    ----------
    colours : (N, C) array
        C is 1 or 3, values in 0..255.
    n_components : int
        At most; fewer where there are fewer distinct colours. Default 5, as in GrabCut.
    rng : int or numpy Generator
        Seeds k-means; the same seed gives the same mixture.

    Returns
    -------
    GMM

    Raises
    ------
    ValueError
        If `colours` is empty, not finite or of another shape.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake: "GrabCut": interactive foreground extraction using iterated
    graph cuts. SIGGRAPH 2004. doi:10.1145/1015706.1015720

    Examples
    --------
    >>> gmm = fit_gmm(np.array([[0.0], [2.0], [100.0], [102.0]]), n_components=2)
    >>> gmm.means[:, 0][np.argsort(gmm.means[:, 0])]
    array([  1., 101.])
    """
    samples = as_array(colours, "colours")
    if samples.ndim != 2 or samples.shape[0] == 0 or samples.shape[1] not in (1, 3):
        raise ValueError(f"colours has shape {samples.shape}, expected (N, 1) or (N, 3), N >= 1")
    if samples.dtype.kind not in "iuf":
        raise TypeError(f"colours has dtype {samples.dtype}, expected numbers in 0..255")
    with np.errstate(over="ignore"):
        samples = np.ascontiguousarray(samples, dtype=np.float32)
    if not np.isfinite(samples).all():
        raise ValueError("colours holds NaN or infinite values")
    positive_int(n_components, "n_components", 255)
    row = samples[None]
    centres = _initial_centres(samples, n_components, generator_of(rng))
    component = nearest_centres(row, centres, 1)
    everything = np.ones(row.shape[:2], np.bool_)
    gmm = learn(row, everything, (component, component), len(centres), 1)[1]
    assert gmm is not None  # there is at least one colour
    return gmm

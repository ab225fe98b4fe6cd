"""The dense CRF and mean field inference in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import shape_of
from classicseg._checks import check_threads
from classicseg._kernels import ext
from classicseg._memory import expect_memory
from classicseg._settings import lengths_of, one_of, spacing_of
from classicseg.densecrf._compatibility import as_compatibility, check_labels
from classicseg.densecrf._inputs import (
    Shape,
    channels_of,
    features_of,
    hint_at_layout,
    label_shape,
)
from classicseg.densecrf._kernels import (
    BilateralKernel,
    FeatureKernel,
    GaussianKernel,
    Kernel,
    per_channel,
)
from classicseg.densecrf._mean_field import MeanField
from classicseg.densecrf._prepared import PreparedCRF

__all__ = ["DenseCRF"]

# In the kernel's order.
# Within float32, and so are positions and colours times it.
_LEAST_DIVISOR, _LARGEST_DIVISOR = 1e-30, 1e30
_NORMALIZATIONS = ("none", "before", "after", "symmetric")
_MAX_KERNELS = 8
_MAX_FEATURES = 15


class DenseCRF:
    """A CRF in which every pair of pixels is connected.

    The energy of labels x is ``sum_i u_i(x_i) + sum_{i<j} sum_k weight_k k(f_i, f_j) [x_i != x_j]``
    with Gaussian kernels k over positions and colours. The marginals are found by mean field, whose
    messages are Gaussian filters, done on permutohedral lattices: an approximation of Gaussian
    filtering whose error docs/densecrf.md states.

    Parameters
    ----------
    kernels : sequence of kernels, optional
        `GaussianKernel`, `BilateralKernel` and `FeatureKernel`, 1 to 8 of them. Default: one of
        each of the first two with the parameters of the authors' example, 3 / 3 and 80 / 13 / 10;
        `refine` has better ones for networks' scores.
    compatibility : "potts", (L,) or (L, L) array
        What replaces ``[x_i != x_j]``: a symmetric matrix gives the cost of each pair of labels, a
        vector how much agreement on each label is worth (Potts: ones). Default "potts".
    normalization : "symmetric", "before", "after" or "none"
        Divides a kernel by its sums, as in the authors' code: by the root before and after the
        filter (the default), or once on one side.

    Raises
    ------
    TypeError, ValueError
        For something else.

    References
    ----------
    P. Krähenbühl, V. Koltun: Efficient inference in fully connected CRFs with Gaussian edge
    potentials. NIPS 2011. arXiv:1210.5644
    A. Adams, J. Baek, M. A. Davis: Fast high-dimensional filtering using the permutohedral lattice.
    Eurographics 2010. doi:10.1111/j.1467-8659.2009.01645.x

    Examples
    --------
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> image[:, 15:] = 200
    >>> unary = np.zeros((20, 30, 2), np.float32)
    >>> unary[5, 3] = (0, 3)  # two hints: one pixel on each side of the edge
    >>> unary[15, 25] = (3, 0)
    >>> crf = DenseCRF([BilateralKernel(theta_alpha=40, theta_beta=10, weight=10)])
    >>> result = crf.infer(unary, image)
    >>> result.labels[::8, ::5].tolist()
    [[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    """

    def __init__(
        self,
        kernels: Sequence[Kernel] | None = None,
        *,
        compatibility: str | ArrayLike = "potts",
        normalization: str = "symmetric",
    ) -> None:
        if kernels is None:
            kernels = (GaussianKernel(), BilateralKernel())
        if not isinstance(kernels, Sequence) or not all(isinstance(k, Kernel) for k in kernels):
            raise TypeError(f"kernels is {kernels!r}, expected a list of kernels")
        if not 1 <= len(kernels) <= _MAX_KERNELS:
            raise ValueError(f"kernels has {len(kernels)} kernels, expected 1 to {_MAX_KERNELS}")
        one_of(normalization, _NORMALIZATIONS, "normalization")
        self.kernels: tuple[Kernel, ...] = tuple(kernels)
        self.normalization = normalization
        self.compatibility = compatibility
        self._compatibility = as_compatibility(compatibility)

    @overload
    def infer(
        self, unary: list[Any], image: list[Any] | None = None, **options: Any
    ) -> list[MeanField]: ...
    @overload
    def infer(
        self, unary: ArrayLike, image: ArrayLike | None = None, **options: Any
    ) -> MeanField: ...

    def infer(  # type: ignore[misc]  # the overloads leave the options to this one
        self,
        unary: ArrayLike | list[Any],
        image: ArrayLike | list[Any] | None = None,
        n_iterations: int = 10,
        *,
        features: ArrayLike | list[Any] | None = None,
        spacing: float | Sequence[float] | None = None,
        data_range: tuple[float, float] | None = None,
        tol: float = 0.0,
        start: MeanField | None = None,
        free_energy: bool = False,
        n_threads: int | None = None,
    ) -> MeanField | list[MeanField]:
        """Marginals and labels for these unaries.

        Parameters
        ----------
        unary : (H, W, L) array, or a list of them
            Energies, lower is better (`classicseg.unary` makes them). Volumes are (D, H, W, L),
            points without a grid (N, L). A list is a batch and gives a list.
        image : (H, W) or (H, W, C) array, optional
            What `BilateralKernel` takes the colours from: any number of channels, 0..255 units,
            after the same axes as the unary's. uint8, uint16, or floats in [0, 1].
        n_iterations : int
            Default 10; five are mostly enough.
        features : (H, W, F) array, optional
            What `FeatureKernel` is about, as it is.
        spacing : float or sequence of float, optional
            Distance of neighbouring pixels, one for each axis in the array's order. Default 1.
        data_range : (lo, hi), optional
            Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
        tol : float
            Stop when no marginal changes by more than this in an iteration. Default 0: never.
        start : MeanField, optional
            Go on from an earlier result. By default from softmax(-unary).
        free_energy : bool
            Also compute it, for each iteration; costs about one iteration more and some time.
        n_threads : int, optional
            Default: all cores. The result does not depend on it.

        Returns
        -------
        MeanField

        Raises
        ------
        TypeError, ValueError
            For arrays that do not fit together, are not finite or of the wrong kind; for thetas so
            small that the features span more cells of the lattice than 64-bit keys can tell apart.
        """
        options: dict[str, Any] = {
            "n_iterations": n_iterations,
            "tol": tol,
            "free_energy": free_energy,
            "n_threads": n_threads,
        }
        given = {"spacing": spacing, "data_range": data_range, "n_threads": n_threads}
        if isinstance(unary, list):
            if start is not None:
                raise ValueError("start is for one unary, not for a batch")
            images = _batch(image, len(unary), "image")
            lists = _batch(features, len(unary), "features")
            return [
                self._prepare_for(u, i, f, given).infer(u, **options)
                for u, i, f in zip(unary, images, lists, strict=True)
            ]
        prepared = self._prepare_for(unary, image, features, given)
        return prepared.infer(unary, start=start, **options)

    def prepare(
        self,
        image: ArrayLike | None = None,
        *,
        shape: Shape | None = None,
        features: ArrayLike | None = None,
        spacing: float | Sequence[float] | None = None,
        data_range: tuple[float, float] | None = None,
        n_threads: int | None = None,
    ) -> PreparedCRF:
        """Build the lattices of an image once, for many unaries.

        Parameters
        ----------
        image, features, spacing, data_range, n_threads
            As in `infer`.
        shape : tuple of int, optional
            (H, W), or (D, H, W), or (N,). Needed without features, and for images that are not
            (H, W) or (H, W, 3).

        Returns
        -------
        PreparedCRF

        Raises
        ------
        TypeError, ValueError
            As `infer`.

        Examples
        --------
        >>> crf = DenseCRF([GaussianKernel(theta_gamma=2, weight=1)])
        >>> prepared = crf.prepare(shape=(8, 9))
        >>> [prepared.infer(np.zeros((8, 9, n))).probabilities.shape for n in (2, 3)]
        [(8, 9, 2), (8, 9, 3)]
        """
        if shape is None:
            if features is not None:
                grid = lengths_of(shape_of(features, "features")[:-1], "the shape of features")
            elif image is not None:
                whole = shape_of(image, "image")
                pixels = whole[:2] if len(whole) == 3 and whole[2] in (1, 3) else whole
                grid = lengths_of(pixels, "the shape of image")
            else:
                raise ValueError("prepare needs an image, features or a shape")
        else:
            grid = lengths_of(shape)
        distances = spacing_of(spacing, len(grid))
        colours = None if image is None else channels_of(image, grid, data_range)
        others = None if features is None else features_of(features, grid)
        specs = [specify(k, distances, colours, others) for k in self.kernels]
        z, y, x = (1,) * (3 - len(grid)) + grid
        # A point's corners of simplices, and the lattices, which have fewer points.
        n_corners = sum(1 + len(spec[0]) + len(spec[2] or ()) for spec in specs)
        expect_memory(8 * n_corners * z * y * x, f"a dense CRF of shape {grid}")
        lattices = ext.prepare_densecrf(
            z, y, x, specs, _NORMALIZATIONS.index(self.normalization), check_threads(n_threads)
        )
        if isinstance(lattices, tuple):
            raise ValueError(too_large(self.kernels, len(grid), *lattices))
        return PreparedCRF(self, grid, lattices)

    def _prepare_for(
        self,
        unary: ArrayLike,
        image: ArrayLike | None,
        features: ArrayLike | None,
        given: dict[str, Any],
    ) -> PreparedCRF:
        shape = label_shape(unary, "unary")
        hint_at_layout(unary, image, "unary")
        check_labels(self._compatibility, shape_of(unary, "unary")[-1])
        return self.prepare(image, shape=shape, features=features, **given)


def _batch(values: ArrayLike | list[Any] | None, n: int, name: str) -> list[Any]:
    if values is None:
        return [None] * n
    if not isinstance(values, list) or len(values) != n:
        raise ValueError(f"{name} must be a list of {n}, like the unary")
    return values


def specify(
    kernel: Kernel,
    distances: tuple[float, ...],
    colours: NDArray[np.float32] | None,
    features: NDArray[np.float32] | None,
) -> tuple[tuple[float, ...], NDArray[np.float32] | None, tuple[float, ...]]:
    """Divisors of x, y, z; channels; their divisors."""
    if isinstance(kernel, FeatureKernel):
        if features is None:
            raise ValueError("features is missing: the CRF has a FeatureKernel")
        return (), features, _thetas(kernel.theta, features, "theta", 0)
    if isinstance(kernel, GaussianKernel):
        return tuple(_divisor(kernel.theta_gamma / d) for d in reversed(distances)), None, ()
    if colours is None:
        raise ValueError("image is missing: the CRF has a BilateralKernel")
    positions = tuple(_divisor(kernel.theta_alpha / d) for d in reversed(distances))
    return positions, colours, _thetas(kernel.theta_beta, colours, "theta_beta", len(positions))


def _thetas(theta: Any, channels: NDArray[np.float32], name: str, n: int) -> tuple[float, ...]:
    if n + channels.shape[1] > _MAX_FEATURES:
        raise ValueError(
            f"a kernel over {n + channels.shape[1]} dimensions: the lattice takes {_MAX_FEATURES}, "
            f"reduce the channels first, by principal components for example"
        )
    return tuple(_divisor(value) for value in per_channel(theta, channels.shape[1], name))


def _divisor(theta: float) -> float:
    """What features are divided by, within the range of float32."""
    return min(max(theta, _LEAST_DIVISOR), _LARGEST_DIVISOR)


def too_large(
    kernels: tuple[Kernel, ...], n_axes: int, kernel: int, feature: int, cells: float
) -> str:
    """What to say where features are too far apart for the lattice's keys."""
    culprit = kernels[kernel]
    value: object
    if isinstance(culprit, GaussianKernel):
        name, value = "theta_gamma", culprit.theta_gamma
    elif isinstance(culprit, FeatureKernel):
        name, value = "theta", culprit.theta
    elif feature < n_axes:
        name, value = "theta_alpha", culprit.theta_alpha
    else:
        name, value = "theta_beta", culprit.theta_beta
    return (
        f"{name}={value} is too small for these features or this spacing: the points span "
        f"{cells:.3g} cells of the lattice, more than its 64-bit keys tell apart"
    )

"""The Gaussian filter of one kernel, which is what a message of mean field is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._arrays import as_array
from classicseg._checks import check_threads
from classicseg._kernels import ext
from classicseg._settings import lengths_of, spacing_of, yes_or_no
from classicseg.densecrf._crf import specify, too_large
from classicseg.densecrf._inputs import Shape, channels_of, features_of
from classicseg.densecrf._kernels import Kernel

__all__ = ["KernelFilter", "Lattice"]


@dataclass(frozen=True, eq=False)
class Lattice:
    """A permutohedral lattice as arrays, for those who filter with it elsewhere.

    Attributes
    ----------
    vertices, weights : (N, d + 1) int32 and float32
        The corners of each point's simplex, and how much of it they get.
    neighbours : (d + 1, 2, n_vertices) int32
        The vertices before and after each along each axis; `n_vertices` where there is none.
    scale : float
        What the blur's result is multiplied with.
    """

    vertices: NDArray[np.int32]
    weights: NDArray[np.float32]
    neighbours: NDArray[np.int32]
    scale: float


class KernelFilter:
    """Sums over all pixels, weighted with a Gaussian kernel, for any number of channels.

    It is a linear map K of values, computed on a permutohedral lattice: splat, blur, slice. K is
    close to symmetric but not quite, as the lattice has no points where there are no pixels; its
    exact transpose is there for derivatives.

    Parameters
    ----------
    kernel : GaussianKernel, BilateralKernel or FeatureKernel
        Its weight is not used.
    shape : tuple of int
        (H, W), (D, H, W) or (N,): of the values without their channels.
    image, features, spacing, data_range, n_threads
        As in `DenseCRF.infer`.

    Raises
    ------
    TypeError, ValueError
        As `DenseCRF.infer`.

    References
    ----------
    A. Adams, J. Baek, M. A. Davis: Fast high-dimensional filtering using the permutohedral lattice.
    Eurographics 2010. doi:10.1111/j.1467-8659.2009.01645.x

    Examples
    --------
    >>> from classicseg.densecrf import GaussianKernel
    >>> blur = KernelFilter(GaussianKernel(theta_gamma=2), (9, 9))
    >>> dot = np.zeros((9, 9, 1))
    >>> dot[4, 4] = 1
    >>> sums = blur.apply(dot)[..., 0]
    >>> bool(sums[4, 4] > sums[4, 6] > sums[4, 8] >= 0)
    True
    """

    def __init__(
        self,
        kernel: Kernel,
        shape: Shape,
        *,
        image: ArrayLike | None = None,
        features: ArrayLike | None = None,
        spacing: float | tuple[float, ...] | None = None,
        data_range: tuple[float, float] | None = None,
        n_threads: int | None = None,
    ) -> None:
        if not isinstance(kernel, Kernel):
            raise TypeError(f"kernel is {kernel!r}, expected one of densecrf's kernels")
        self.shape = lengths_of(shape)
        colours = None if image is None else channels_of(image, self.shape, data_range)
        others = None if features is None else features_of(features, self.shape)
        spec = specify(kernel, spacing_of(spacing, len(self.shape)), colours, others)
        z, y, x = (1,) * (3 - len(self.shape)) + self.shape
        self._filter: Any = ext.make_kernel_filter(z, y, x, spec, check_threads(n_threads))
        if isinstance(self._filter, tuple):
            raise ValueError(too_large((kernel,), len(self.shape), *self._filter))

    @property
    def n_vertices(self) -> int:
        """Points of the lattice."""
        return int(self._filter.n_vertices())

    def apply(
        self, values: ArrayLike, *, transposed: bool = False, n_threads: int | None = None
    ) -> NDArray[Any]:
        """K values, or the transpose of K times values.

        Parameters
        ----------
        values : (H, W, C) array
            Computed in float64 if that is its type, in float32 otherwise.
        transposed : bool
            Default False.
        n_threads : int, optional
            Default: all cores. The result does not depend on it.

        Returns
        -------
        (H, W, C) array

        Raises
        ------
        TypeError, ValueError
            For values that are no real numbers, or of another shape.
        """
        array = as_array(values, "values")
        yes_or_no(transposed, "transposed")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"values has dtype {array.dtype}, expected real numbers")
        if array.ndim != len(self.shape) + 1 or array.shape[:-1] != self.shape or not array.size:
            raise ValueError(
                f"values has shape {array.shape}, expected {self.shape} and the channels after it"
            )
        double = array.dtype.kind == "f" and array.dtype.itemsize >= 8
        kind = np.float64 if double else np.float32
        flat = np.ascontiguousarray(array, kind).reshape(-1, array.shape[-1])
        result = np.empty_like(flat)
        self._filter.apply(flat, transposed, result, check_threads(n_threads))
        return result.reshape(array.shape)

    def lattice(self, n_threads: int | None = None) -> Lattice:
        """The lattice, to filter with it on another device.

        Parameters
        ----------
        n_threads : int, optional
            Default: all cores.

        Returns
        -------
        Lattice
        """
        n_points, n_corners = int(np.prod(self.shape)), int(self._filter.n_corners())
        vertices = np.empty((n_points, n_corners), np.int32)
        weights = np.empty((n_points, n_corners), np.float32)
        neighbours = np.empty((2 * n_corners, self.n_vertices), np.int32)
        scale = self._filter.describe(vertices, weights, neighbours, check_threads(n_threads))
        return Lattice(vertices, weights, neighbours.reshape(n_corners, 2, -1), float(scale))

"""Lattices of one image, kept for many unaries."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_probabilities, as_unary, check_threads, non_negative
from classicseg._settings import yes_or_no
from classicseg.densecrf._compatibility import Compatibility, check_labels
from classicseg.densecrf._inputs import Shape
from classicseg.densecrf._mean_field import MeanField

if TYPE_CHECKING:
    from classicseg.densecrf._crf import DenseCRF

__all__ = ["PreparedCRF"]


class PreparedCRF:
    """The lattices of one image: `DenseCRF.prepare` makes it, `infer` uses it any number of times.

    Attributes
    ----------
    crf : DenseCRF
    shape : tuple of int
        Of the image without channels.
    n_vertices : int
        Lattice points of all kernels: their number decides about time and memory.
    """

    def __init__(self, crf: DenseCRF, shape: Shape, lattices: Any) -> None:
        self.crf = crf
        self.shape = shape
        self._lattices = lattices

    @property
    def n_vertices(self) -> int:
        return int(self._lattices.n_vertices())

    def infer(
        self,
        unary: ArrayLike,
        n_iterations: int = 10,
        *,
        tol: float = 0.0,
        start: MeanField | None = None,
        free_energy: bool = False,
        n_threads: int | None = None,
    ) -> MeanField:
        """Marginals and labels for these unaries, as `DenseCRF.infer`.

        Parameters
        ----------
        unary : (H, W, L) array
            Energies, with the image's axes first.
        n_iterations, tol, start, free_energy, n_threads
            As in `DenseCRF.infer`.

        Returns
        -------
        MeanField

        Raises
        ------
        TypeError, ValueError
            As there.

        Examples
        --------
        >>> from classicseg.densecrf import DenseCRF
        >>> prepared = DenseCRF().prepare(np.zeros((4, 5, 3), np.uint8))
        >>> prepared.infer(np.zeros((4, 5, 2))).labels.shape
        (4, 5)
        """
        energies = as_unary(unary, shape=self.shape)
        return self.infer_checked(
            energies,
            n_iterations,
            tol=tol,
            start=start,
            free_energy=free_energy,
            n_threads=n_threads,
        )

    def infer_checked(
        self,
        energies: NDArray[np.float32],
        n_iterations: int,
        *,
        tol: float,
        start: MeanField | None,
        free_energy: bool,
        n_threads: int | None,
        overwrite: bool = False,
    ) -> MeanField:
        """`infer` for an array that needs no check, and that may become the marginals' array."""
        compatibility: Compatibility = self.crf._compatibility
        n_labels = energies.shape[-1]
        check_labels(compatibility, n_labels)
        if isinstance(n_iterations, bool) or not isinstance(n_iterations, numbers.Integral):
            raise TypeError(f"n_iterations is {n_iterations!r}, expected a whole number from 0")
        if not 0 <= n_iterations <= 1_000_000:
            raise ValueError(f"n_iterations is {n_iterations}, expected 0 to 1000000")
        yes_or_no(free_energy, "free_energy")
        before, done_before = None, 0
        if start is not None:
            if not isinstance(start, MeanField):
                raise TypeError(f"start is {type(start).__name__}, expected an earlier result")
            if start.probabilities.shape != energies.shape:
                raise ValueError(
                    f"start has marginals of shape {start.probabilities.shape}, "
                    f"expected {energies.shape}"
                )
            as_probabilities(start.probabilities, "start", self.shape)
            before = np.ascontiguousarray(start.probabilities, np.float32).reshape(-1, n_labels)
            done_before = start.n_iterations
        probabilities = energies if overwrite else np.empty(energies.shape, np.float32)
        labels = np.empty(self.shape, np.int32)
        energy = np.empty(int(n_iterations) + 1) if free_energy else None
        done = self._lattices.infer(
            energies.reshape(-1, n_labels),
            before,
            np.array([kernel.weight for kernel in self.crf.kernels], np.float32),
            *compatibility,
            int(n_iterations),
            non_negative(tol, "tol"),
            probabilities.reshape(-1, n_labels),
            labels.reshape(-1),
            energy,
            check_threads(n_threads),
        )
        energies_done = None if energy is None else tuple(energy[: done + 1].tolist())
        return MeanField(labels, probabilities, done_before + done, energies_done)

"""Both sides' mixtures over one image: learning them, and the cut that follows from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classicseg._gmm import GMM, assign, fit_gmm, learn, some_colours
from classicseg.grabcut._trimap_cut import Sides, TrimapCut, Window, union
from classicseg.graphcut._contrast import contrast_of

__all__ = ["Models"]

Trimap = NDArray[np.uint8]


class Models:
    """Mixtures of an image's background and foreground, and its last cut; `fresh` until learned."""

    background: GMM | None
    foreground: GMM | None

    def __init__(
        self,
        pixels: NDArray[np.float32],
        n_components: int,
        gamma: float,
        rng: np.random.Generator,
        n_threads: int,
    ) -> None:
        self._pixels = pixels
        self._n_components = n_components
        self._rng = rng
        self._threads = n_threads
        self._exact_cut = TrimapCut(contrast_of(pixels, gamma, None, 8, n_threads))
        self.restart()

    def restart(self, rng: np.random.Generator | None = None) -> None:
        """Forget the mixtures."""
        self._rng = rng or self._rng
        self.background = self.foreground = None
        self._assignments: Sides | None = None
        self._stale = False  # energies are missing where paint has freed or turned pixels
        self._energy: float | None = None  # of the last cut, if it holds but for the paint after it
        self._painted: Window | None = None  # since the last cut

    @property
    def fresh(self) -> bool:
        return self.background is None

    def learn_and_cut(self, trimap: Trimap) -> tuple[Trimap, float]:
        """One round: new mixtures from a trimap with both sides, and its new labels.

        Where it is stopped, what was learned before holds for the labels before.
        """
        background, foreground, assignments = self._round(trimap)
        solved = self._exact_cut.solve(assignments, trimap, self._threads)
        self.background, self.foreground = background, foreground
        self._assignments = assignments
        return self._taken(trimap, *solved)

    def learn(self, trimap: Trimap) -> None:
        """The first half of a round; `refine`, also after more paint, is the other."""
        self.background, self.foreground, self._assignments = self._round(trimap)
        self._energy = None

    def _round(self, trimap: Trimap) -> tuple[GMM, GMM, Sides]:
        """New mixtures, and what each pixel costs by them."""
        if self.fresh:
            mask = _foreground(trimap)
            self._assign(self._first(~mask), self._first(mask), trimap)
        self._assign_stale(trimap)
        background, foreground = self._learned(trimap)
        return background, foreground, self._assigned(background, foreground, trimap)

    def paint(self, window: Window, freed: bool) -> None:
        """The trimap has changed in a window; `freed`: pixels have left their hard side."""
        self._stale |= freed
        self._painted = union(self._painted, window)

    def refine(self, trimap: Trimap) -> tuple[Trimap, float]:
        """New labels by the present mixtures; by work near the paint, if there is nothing else."""
        near = self._cut_near_paint(trimap)
        if near is not None:
            return near
        self._assign_stale(trimap)
        return self._cut(trimap)

    def adopt(self, background: GMM, foreground: GMM, trimap: Trimap) -> None:
        """Take mixtures that were learned before."""
        self._assign(background, foreground, trimap)
        self._painted = None

    def recall(self, background: GMM, foreground: GMM) -> None:
        """Take mixtures that were learned before; what follows is found when it is needed."""
        self.background, self.foreground = background, foreground
        self._assignments = None
        self._stale = True
        self._energy = None
        self._painted = None

    def _learned(self, trimap: Trimap) -> tuple[GMM, GMM]:
        assert self._assignments is not None
        components = (self._assignments[0].component, self._assignments[1].component)
        mask = _foreground(trimap)
        both = learn(self._pixels, mask, components, self._n_components, self._threads)
        background, foreground = both
        assert background is not None and foreground is not None  # both sides have pixels
        return background, foreground

    def _first(self, side: NDArray[np.bool_]) -> GMM:
        """A mixture to begin with: of some pixels, as it is only to tell the components apart."""
        colours = some_colours(self._pixels, side, self._rng)
        return fit_gmm(colours, self._n_components, self._rng)

    def _assign(self, background: GMM, foreground: GMM, trimap: Trimap) -> None:
        self._energy = None
        self._assignments = self._assigned(background, foreground, trimap)
        self.background, self.foreground = background, foreground
        self._stale = False

    def _assigned(self, background: GMM, foreground: GMM, trimap: Trimap) -> Sides:
        return (
            assign(self._pixels, background, self._threads, trimap != 1),
            assign(self._pixels, foreground, self._threads, trimap != 0),
        )

    def _assign_stale(self, trimap: Trimap) -> None:
        if self._stale:
            assert self.background is not None and self.foreground is not None
            self._assign(self.background, self.foreground, trimap)

    def _cut(self, trimap: Trimap) -> tuple[Trimap, float]:
        assert self._assignments is not None
        solved = self._exact_cut.solve(self._assignments, trimap, self._threads)
        return self._taken(trimap, *solved)

    def _taken(
        self, trimap: Trimap, mask: NDArray[np.bool_], energy: float
    ) -> tuple[Trimap, float]:
        self._energy = energy
        self._painted = None
        return _labelled(trimap, mask), energy

    def _cut_near_paint(self, trimap: Trimap) -> tuple[Trimap, float] | None:
        """The cut after paint, from the one before it. None where that cannot be done."""
        if self._energy is None:
            return None
        if self._painted is None:
            return trimap, self._energy
        assert self._assignments is not None
        if self._stale:
            self._assign_in(self._painted)
        again = self._exact_cut.solve_again
        found = again(self._assignments, trimap, self._painted, self._threads)
        if found is None:
            return None
        window, mask, change = found
        trimap = trimap.copy()
        trimap[window] = _labelled(trimap[window], mask)
        self._energy += change
        self._painted = None
        return trimap, self._energy

    def _assign_in(self, window: Window) -> None:
        """The energies in a window, on both sides."""
        assert self._assignments is not None
        pixels = np.ascontiguousarray(self._pixels[window])
        gmms = self.background, self.foreground
        for side, gmm in zip(self._assignments, gmms, strict=True):
            assert gmm is not None  # there are assignments
            part = assign(pixels, gmm, self._threads)
            side.energy[window], side.component[window] = part.energy, part.component
        self._stale = False


def _foreground(trimap: Trimap) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = (trimap & 1).view(np.bool_)
    return mask


def _labelled(trimap: Trimap, mask: NDArray[np.bool_]) -> Trimap:
    """Open pixels (those with bit 1) take the mask's bit as bit 0."""
    return trimap ^ ((trimap ^ mask.view(np.uint8)) & (trimap >> np.uint8(1)))

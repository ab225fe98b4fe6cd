"""GrabCut: learn colour models, cut, and again until nothing changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import (
    as_image,
    as_uint8_image,
    check_threads,
    positive,
    positive_int,
)
from classicseg._gmm import GMM
from classicseg._settings import generator_of, one_of
from classicseg._stop import Stopped
from classicseg.grabcut._matting import alpha_of, cutout_of
from classicseg.grabcut._models import Models
from classicseg.grabcut._opencv import OpenCVModels
from classicseg.grabcut._start import both_sides_to_learn, starting_trimap
from classicseg.grabcut._strokes import Stroke, fill, paint
from classicseg.graphcut._contrast import contrast_strength

__all__ = ["BACKGROUND", "FOREGROUND", "PROBABLY_BACKGROUND", "PROBABLY_FOREGROUND", "GrabCut"]

# OpenCV's values.
BACKGROUND, FOREGROUND, PROBABLY_BACKGROUND, PROBABLY_FOREGROUND = 0, 1, 2, 3

# Rounds after which an unlimited fit gives up; photographs settle in 5 to 40.
MAX_ROUNDS = 500


class GrabCut:
    """Iterated graph cuts with colour models of five Gaussians a side.

    Minimises, over the labels alpha, the components k and the mixtures' parameters, the energy of
    the paper: ``sum_p min_k (-log pi_k - log N(z_p; mean_k, covariance_k))`` of each pixel's side,
    plus `contrast_weights` between neighbours of different sides. Each round learns the mixtures
    from the present labels and then finds the best labels by an exact minimum cut.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16, or floats in [0, 1].
    n_components : int
        Components of each mixture, fewer where a side has fewer colours. Default 5, the paper's.
    gamma : float
        Weight of the smoothness. Default 50, as in the paper and in OpenCV.
    max_iter : int, optional
        Rounds of learning and cutting in one `fit`. Default: until no pixel changes.
    rng : int or numpy Generator
        Seeds k-means; the same seed gives the same mask, whatever the number of threads.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].
    engine : "native" or "opencv"
        "opencv" runs ``cv2.grabCut``, whose data term is the mixture's sum instead of its best
        component.
    n_threads : int, optional
        Default: all cores.

    Attributes
    ----------
    mask : (H, W) bool
        True = foreground.
    trimap : (H, W) uint8
        0 background, 1 foreground, 2 probably background, 3 probably foreground. 0 and 1 are what
        the user fixed; 2 and 3 follow the mask.
    energies : tuple of float
        The energy after each cut since the last start. Within a `fit` it never rises by more than
        rounding: 2**-26 of the largest sum of edge weights at a pixel (about 700 at gamma = 50)
        for each pixel and edge, and float32 rounding of the pixels' energies (1e-7 of each).
    background_gmm, foreground_gmm : GMM or None
        The mixtures of the last cut; None for a side without pixels, or with OpenCV's engine.
    converged : bool
        Whether the last `fit` ended because no pixel changed.

    Raises
    ------
    ValueError, TypeError
        For an unusable image or parameters.
    ImportError
        If the engine's package is missing.

    References
    ----------
    C. Rother, V. Kolmogorov, A. Blake: "GrabCut": interactive foreground extraction using iterated
    graph cuts. SIGGRAPH 2004. doi:10.1145/1015706.1015720

    Examples
    --------
    >>> image = np.full((20, 30, 3), 40, np.uint8)
    >>> image[5:15, 10:20] = (200, 120, 50)
    >>> grabcut = GrabCut(image).fit(rect=(6, 2, 18, 16))
    >>> int(grabcut.mask.sum())
    100
    """

    def __init__(
        self,
        image: ArrayLike,
        n_components: int = 5,
        gamma: float = 50.0,
        max_iter: int | None = None,
        rng: int | np.random.Generator = 0,
        *,
        data_range: tuple[float, float] | None = None,
        engine: str = "native",
        n_threads: int | None = None,
    ) -> None:
        one_of(engine, ("native", "opencv"), "engine")
        self.n_components = positive_int(n_components, "n_components", 255)
        self.gamma = contrast_strength(gamma, "gamma")
        self.max_iter = None if max_iter is None else positive_int(max_iter, "max_iter")
        self.engine = engine
        self.trimap: NDArray[np.uint8] | None = None
        self.energies: tuple[float, ...] = ()
        self.background_gmm: GMM | None = None
        self.foreground_gmm: GMM | None = None
        self.converged = False
        self._rng = generator_of(rng)
        self._threads = check_threads(n_threads)
        self._pixels = as_image(image, data_range=data_range)
        self._models: Models | OpenCVModels
        if engine == "opencv":
            if self.n_components != 5 or self.gamma != 50:
                raise ValueError("engine='opencv' has n_components=5 and gamma=50 built in")
            self._models = OpenCVModels(as_uint8_image(image, data_range=data_range), self._rng)
        else:
            self._models = Models(
                self._pixels, self.n_components, self.gamma, self._rng, self._threads
            )

    @property
    def shape(self) -> tuple[int, int]:
        height, width = self._pixels.shape[:2]
        return height, width

    @property
    def mask(self) -> NDArray[np.bool_]:
        return (self._started() & 1).view(np.bool_)

    def fit(
        self,
        rect: tuple[int, int, int, int] | None = None,
        *,
        trimap: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        scribbles: ArrayLike | None = None,
    ) -> GrabCut:
        """Learn and cut until no pixel changes, or `max_iter` rounds.

        Parameters
        ----------
        rect : (x, y, width, height), optional
            Start anew: outside is background; inside is probably foreground, except for the pixels
            that are most typical of the outside. (A trimap of 0 and 3 starts without that.)
        trimap : (H, W) array of 0..3, optional
            Start anew from hard (0, 1) and probable (2, 3) labels.
        mask : (H, W) bool, optional
            Start anew from a rough mask, all of it probable.
        scribbles : (H, W) array of 0, 1, 2, optional
            Start anew from marks of background (1) and foreground (2): hard where marked; elsewhere
            probably what the nearer colour model of the marks says.

        None of them: go on learning from the present labels.

        Returns
        -------
        GrabCut
            Itself. A fit that is interrupted keeps the rounds that were finished.

        Raises
        ------
        ValueError, TypeError
            For more than one start, one of the wrong shape or values, or none before the first.
        """
        starts = {"rect": rect, "trimap": trimap, "mask": mask, "scribbles": scribbles}
        given = {name: value for name, value in starts.items() if value is not None}
        if len(given) > 1:
            raise ValueError(f"fit got {' and '.join(given)}, expected one of them at most")
        for name, value in given.items():
            self._start(name, value)
        self._started()
        self.converged = False
        for _ in range(self.max_iter or MAX_ROUNDS):
            if not both_sides_to_learn(self.mask):
                return self
            before = self._started()
            self._take(self._models.learn_and_cut)
            if np.array_equal(before, self._started()):
                self.converged = True
                return self
        if self.max_iter is None:
            warnings.warn(f"GrabCut has not settled in {MAX_ROUNDS} rounds", stacklevel=2)
        return self

    def stroke(self, points: ArrayLike, radius: float, label: int) -> GrabCut:
        """Paint a stroke of a round brush on the trimap. `refine` or `fit` then take it in.

        Parameters
        ----------
        points : (N, 2) array
            The path as (x, y) in pixels; may lie outside the image.
        radius : float
            Of the brush, in pixels, positive.
        label : int
            Trimap value: 0 background, 1 foreground, 2, 3 probably so.

        Returns
        -------
        GrabCut
            Itself.

        Raises
        ------
        ValueError, TypeError
            For points that are not (N, 2) and finite, a radius that is not positive, another label.
        """
        return self._label(paint(self.shape, points, positive(radius, "radius")), label)

    def lasso(self, points: ArrayLike, label: int) -> GrabCut:
        """Set all pixels inside a closed path. `refine` or `fit` then take it in.

        Parameters
        ----------
        points : (N, 2) array
            The path as (x, y) in pixels, at least three; may lie outside the image.
        label : int
            Trimap value: 0 background, 1 foreground, 2, 3 probably so.

        Returns
        -------
        GrabCut
            Itself.

        Raises
        ------
        ValueError, TypeError
            For points that are not (N, 2) and finite, another label.
        """
        return self._label(fill(self.shape, points), label)

    def refine(self) -> GrabCut:
        """Cut again with the present mixtures: what a stroke changes, without learning.

        The mask is the one that a cut from scratch would find; the work is near the strokes.

        Returns
        -------
        GrabCut
            Itself.
        """
        self._started()
        if not self._models.fresh:
            self._take(self._models.refine)
        elif both_sides_to_learn(self.mask):
            self._take(self._models.learn_and_cut)
        return self

    def alpha(self, matting: str = "border") -> NDArray[np.float32]:
        """Opacity of each pixel, soft along the mask's border; see `classicseg.grabcut.alpha`.

        Parameters
        ----------
        matting : "border" or "closed-form"

        Returns
        -------
        (H, W) float32 array
            In [0, 1].
        """
        return alpha_of(self._pixels, self.mask, matting)

    def cutout(self, matting: str = "border") -> NDArray[np.uint8]:
        """The foreground as RGBA, its edges soft and clean; see `classicseg.grabcut.cutout`.

        Parameters
        ----------
        matting : "border" or "closed-form"

        Returns
        -------
        (H, W, 4) uint8 array
        """
        return cutout_of(self._pixels, self.mask, matting)

    def _label(self, region: Stroke, label: int) -> GrabCut:
        trimap = self._started()
        if isinstance(label, bool):
            raise TypeError(f"label is {label!r}, expected a trimap value 0, 1, 2 or 3")
        one_of(label, (0, 1, 2, 3), "label")
        window, painted = region
        if not painted.any():
            return self
        here = trimap[window]
        # Hard pixels have no energy on the side that they can't be on.
        freed = bool(np.any(painted & (here < PROBABLY_BACKGROUND) & (here != label)))
        self._models.paint(window, freed)
        self.trimap = trimap.copy()
        self.trimap[window][painted] = label
        return self

    def _prepare(self, name: str, value: Any) -> None:
        """The first half of a `fit` of one round from a start; `refine` is the other."""
        assert isinstance(self._models, Models)
        self._start(name, value)
        if both_sides_to_learn(self.mask):
            self._models.learn(self._started())
            self.background_gmm = self._models.background
            self.foreground_gmm = self._models.foreground

    def _restart(self, seed: int) -> None:
        """Forget what was learned; k-means begins from the seed again."""
        self._rng = np.random.default_rng(seed)
        self._models.restart(self._rng)

    def _restore(
        self,
        trimap: NDArray[np.uint8] | None,
        window: tuple[slice, slice] | None,
        models: tuple[GMM | None, GMM | None],
        energies: tuple[float, ...],
        uncut: bool,
    ) -> None:
        """Go back to labels, mixtures and energies from before; labels differ in the window."""
        assert isinstance(self._models, Models)
        now = self.background_gmm, self.foreground_gmm
        self.trimap, self.energies = trimap, energies
        self.background_gmm, self.foreground_gmm = background, foreground = models
        if trimap is None or background is None or foreground is None:
            self._models.restart()
        elif uncut:
            self._models.recall(background, foreground)
        elif now[0] is background and now[1] is foreground and window is not None:
            if trimap[window].size:
                self._models.paint(window, freed=True)
                self._models.refine(trimap)
        else:
            self._models.adopt(background, foreground, trimap)

    def _recall(
        self,
        trimap: NDArray[np.uint8] | None,
        models: tuple[GMM | None, GMM | None],
        energies: tuple[float, ...],
        error: BaseException,
    ) -> None:
        """Go back to before work that was interrupted; what follows is found when it is needed."""
        # A kernel stops where it was told to: what the mixtures have kept is as it was.
        as_before = isinstance(error, Stopped) and self._models.background is models[0]
        self.trimap, self.energies = trimap, energies
        self.background_gmm, self.foreground_gmm = background, foreground = models
        if background is None or foreground is None or isinstance(self._models, OpenCVModels):
            self._models.restart()
        elif not as_before:
            self._models.recall(background, foreground)

    def _started(self) -> NDArray[np.uint8]:
        if self.trimap is None:
            starts = "a rect, a trimap, a mask or scribbles"
            raise ValueError(f"GrabCut has no labels yet: call fit with {starts}")
        return self.trimap

    def _start(self, name: str, value: Any) -> None:
        settings = self.n_components, self._rng, self._threads
        self.trimap = starting_trimap(name, value, self._pixels, self.engine, *settings)
        self.energies = ()
        self.background_gmm = self.foreground_gmm = None
        self.converged = False
        self._models.restart()

    def _take(
        self, cut: Callable[[NDArray[np.uint8]], tuple[NDArray[np.uint8], float | None]]
    ) -> None:
        """Labels, mixtures and energy of a cut; OpenCV does not tell the energy."""
        try:
            self.trimap, energy = cut(self._started())
        except BaseException as error:
            models = self.background_gmm, self.foreground_gmm
            self._recall(self.trimap, models, self.energies, error)
            raise
        self.background_gmm, self.foreground_gmm = self._models.background, self._models.foreground
        if energy is not None:
            self.energies = (*self.energies, energy)

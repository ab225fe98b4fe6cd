"""GrabCut in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg.grabcut._grabcut import GrabCut

__all__ = ["segment"]


def segment(
    image: ArrayLike,
    rect: tuple[int, int, int, int] | None = None,
    *,
    trimap: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    scribbles: ArrayLike | None = None,
    n_components: int = 5,
    gamma: float = 50.0,
    max_iter: int | None = None,
    rng: int | np.random.Generator = 0,
    data_range: tuple[float, float] | None = None,
    engine: str = "native",
    n_threads: int | None = None,
) -> NDArray[np.bool_]:
    """Cut out the foreground of an image: `GrabCut(image, ...).fit(...).mask`.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16, or floats in [0, 1].
    rect, trimap, mask, scribbles
        Exactly one start, as in `GrabCut.fit`.
    n_components, gamma, max_iter, rng, data_range, engine, n_threads
        As in `GrabCut`.

    Returns
    -------
    (H, W) bool
        True = foreground.

    Raises
    ------
    ValueError, TypeError
        For unusable input, or not exactly one start.
    ImportError
        If the engine's package is missing.

    Examples
    --------
    >>> image = np.full((20, 30), 40, np.uint8)
    >>> image[5:15, 10:20] = 200
    >>> int(segment(image, rect=(6, 2, 18, 16)).sum())
    100
    """
    grabcut = GrabCut(
        image,
        n_components,
        gamma,
        max_iter,
        rng,
        data_range=data_range,
        engine=engine,
        n_threads=n_threads,
    )
    return grabcut.fit(rect, trimap=trimap, mask=mask, scribbles=scribbles).mask

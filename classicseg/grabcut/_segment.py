"""GrabCut in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_image, as_labels, check_threads, positive_int
from classicseg._settings import generator_of, one_of
from classicseg.grabcut._grabcut import MAX_ROUNDS, GrabCut
from classicseg.grabcut._over_regions import cut_regions
from classicseg.grabcut._start import starting_trimap
from classicseg.graphcut import contrast_weights

__all__ = ["segment"]


def segment(
    image: ArrayLike,
    rect: tuple[int, int, int, int] | None = None,
    *,
    trimap: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    scribbles: ArrayLike | None = None,
    regions: ArrayLike | None = None,
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
    regions : (H, W) integer array, optional
        Superpixels, from 0: all pixels of a region get one label, but where the start marks some of
        them as hard. Colours are learned from pixels as ever.
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
    if regions is None:
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
    if one_of(engine, ("native", "opencv"), "engine") != "native":
        raise ValueError(f"engine is {engine!r}: regions are cut by 'native' alone")
    starts = {"rect": rect, "trimap": trimap, "mask": mask, "scribbles": scribbles}
    given = [(name, value) for name, value in starts.items() if value is not None]
    if len(given) != 1:
        raise ValueError(f"segment got {len(given)} starts, expected one of {', '.join(starts)}")
    positive_int(n_components, "n_components", 255)
    rounds = MAX_ROUNDS if max_iter is None else positive_int(max_iter, "max_iter")
    pixels = as_image(image, data_range=data_range)
    generator, threads = generator_of(rng), check_threads(n_threads)
    return cut_regions(
        pixels,
        starting_trimap(*given[0], pixels, engine, n_components, generator, threads),
        as_labels(regions, "regions", pixels.shape[:2]),
        contrast_weights(image, gamma=gamma, data_range=data_range, n_threads=threads),
        n_components,
        rounds,
        generator,
        threads,
    )

"""Pipelines: an evidence says how likely each pixel is foreground, an inference decides.

Both are plain functions in a dictionary; a pipeline's name is ``evidence+inference``. A new one is
a function and its entry: it then meets all of the other kind.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg import bridge, densecrf, grabcut, graphcut, saliency, unary
from classicseg._checks import as_rect, as_seeds, as_uint8_image

BACKGROUND, FOREGROUND, PROBABLY_BACKGROUND, PROBABLY_FOREGROUND = range(4)

# Dearer than all links of a pixel together (8 neighbours, gamma 50: at most 342), so that no cut
# buys it. Boykov & Jolly's K.
_HARD = 1000.0
_TINY = 1e-6
# The weight of links for the network's energies, chosen on the images held out of its training.
_NETWORK_GAMMA = 8.0
# Rounds of learning and cutting, the same for every engine, so that seconds can be compared. Later
# rounds change the scores of the bundled samples by less than the seed does.
_ROUNDS = 10


@dataclass(frozen=True)
class Task:
    """An image and what a person marked on it.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
    rect : (x, y, width, height), optional
        Around the foreground: outside is background.
    scribbles : (H, W) uint8 array, optional
        0 unmarked, 1 background, 2 foreground.
    engine : str
        Who solves it, one of `ENGINES`.
    seed : int
        Of the random numbers that start k-means.
    """

    image: NDArray[np.uint8]
    rect: tuple[int, int, int, int] | None = None
    scribbles: NDArray[np.uint8] | None = None
    engine: str = "native"
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """What is known before neighbours are asked.

    Attributes
    ----------
    unary : (H, W, 2) float32 array
        Energies of background and foreground; where `trimap` is certain, they are too.
    trimap : (H, W) uint8 array
        0 background, 1 foreground, 2 probably background, 3 probably foreground.
    gamma : float
        The weight of the links between neighbours that suits the unary: 50 is the literature's
        for energies of colour models.
    rect : (x, y, width, height), optional
        Where a rectangle is all that was marked: GrabCut has a better start for it than `trimap`.
    """

    unary: NDArray[np.float32]
    trimap: NDArray[np.uint8]
    gamma: float = 50.0
    rect: tuple[int, int, int, int] | None = None


Mask = NDArray[np.bool_]


def gmm_rect(task: Task) -> Evidence:
    """Colour models of what is inside the rectangle and of what is outside."""
    if task.rect is None:
        raise ValueError("gmm:rect needs a rectangle")
    x, y, width, height = task.rect
    trimap = np.full(task.image.shape[:2], BACKGROUND, np.uint8)
    trimap[y : y + height, x : x + width] = PROBABLY_FOREGROUND
    outside = trimap == BACKGROUND
    if not outside.any():
        raise ValueError(
            f"the rectangle {task.rect} covers the whole image: nothing tells what background is"
        )
    energies = _colour_energies(task, outside, ~outside)
    return Evidence(_with_certain(energies, trimap), trimap, rect=task.rect)


def gmm_scribbles(task: Task) -> Evidence:
    """Colour models of what the strokes cover."""
    if task.scribbles is None:
        raise ValueError("gmm:scribbles needs scribbles")
    background, foreground = task.scribbles == 1, task.scribbles == 2
    for name, marked in (("background (1)", background), ("foreground (2)", foreground)):
        if not marked.any():
            raise ValueError(f"the scribbles mark no {name}")
    energies = _colour_energies(task, background, foreground)
    trimap = _more_likely(energies)
    trimap[background], trimap[foreground] = BACKGROUND, FOREGROUND
    return Evidence(_with_certain(energies, trimap), trimap)


def saliency_minimum_barrier(task: Task) -> Evidence:
    """Contrast that has to be crossed on the way from the image's rim."""
    return _from_saliency(saliency.minimum_barrier(task.image))


def saliency_robust_background(task: Task) -> Evidence:
    """Regions that little connects to the image's rim."""
    return _from_saliency(saliency.robust_background(task.image))


def saliency_region_contrast(task: Task) -> Evidence:
    """Regions whose colours differ from those of the others."""
    return _from_saliency(saliency.region_contrast(task.image))


def saliency_frequency_tuned(task: Task) -> Evidence:
    """Colours that differ from the image's mean."""
    return _from_saliency(saliency.frequency_tuned(task.image))


def saliency_centre_prior(task: Task) -> Evidence:
    """Nothing but the place in the image."""
    return _from_saliency(saliency.centre_prior(task.image))


def fcn_figure_ground(task: Task) -> Evidence:
    """What a small network has learned of objects, from other photographs than the samples."""
    energies = bridge.unary(_network("figure_ground"), task.image, flip=True)
    return Evidence(energies, _more_likely(energies), gamma=_NETWORK_GAMMA)


def argmax(task: Task, evidence: Evidence) -> Mask:
    """Each pixel for itself."""
    return evidence.unary[:, :, 1] < evidence.unary[:, :, 0]


def graph_cut(task: Task, evidence: Evidence) -> Mask:
    """The labelling of least energy, with boundaries where the image has contrast."""
    return graphcut.cut_unary(evidence.unary, task.image, gamma=evidence.gamma, engine=task.engine)


def dense_crf(task: Task, evidence: Evidence) -> Mask:
    """Every pixel tied to all others of similar colour in reach; strengths follow the unary's."""
    strength = evidence.gamma / 50
    crf = densecrf.DenseCRF(
        [
            densecrf.GaussianKernel(theta_gamma=3, weight=3 * strength),
            densecrf.BilateralKernel(theta_alpha=50, theta_beta=10, weight=10 * strength),
        ]
    )
    found: Mask = crf.infer(evidence.unary, task.image).labels == 1
    return found


def grab_cut(task: Task, evidence: Evidence) -> Mask:
    """Colour models and cut in turn, from the rectangle or the trimap, at most ten times."""
    return grabcut.segment(
        task.image,
        evidence.rect,
        trimap=evidence.trimap if evidence.rect is None else None,
        max_iter=_ROUNDS,
        rng=task.seed,
        engine=task.engine,
    )


EVIDENCE: dict[str, Callable[[Task], Evidence]] = {
    "gmm:rect": gmm_rect,
    "gmm:scribbles": gmm_scribbles,
    "saliency:minimum_barrier": saliency_minimum_barrier,
    "saliency:robust_background": saliency_robust_background,
    "saliency:region_contrast": saliency_region_contrast,
    "saliency:frequency_tuned": saliency_frequency_tuned,
    "saliency:centre_prior": saliency_centre_prior,
    "fcn:figure_ground": fcn_figure_ground,
}

INFERENCE: dict[str, Callable[[Task, Evidence], Mask]] = {
    "argmax": argmax,
    "graphcut": graph_cut,
    "densecrf": dense_crf,
    "grabcut": grab_cut,
}

#: Evidence that needs packages beyond classicseg's own; the extra `bridge` brings these.
NEEDS: dict[str, tuple[str, ...]] = {"fcn:figure_ground": ("torch", "safetensors")}

#: Which inferences an engine can do; None stands for all of them.
ENGINES: dict[str, tuple[str, ...] | None] = {
    "native": None,
    "opencv": ("grabcut",),
    "pymaxflow": ("graphcut",),
}


def names() -> list[str]:
    """All pipelines, as ``evidence+inference``.

    Examples
    --------
    >>> from classicseg import compare
    >>> compare.names()[:3]
    ['gmm:rect+argmax', 'gmm:rect+graphcut', 'gmm:rect+densecrf']
    """
    return [f"{evidence}+{inference}" for evidence in EVIDENCE for inference in INFERENCE]


def missing_packages(pipeline: str) -> list[str]:
    """The packages that a pipeline needs and that are not installed."""
    needed = NEEDS.get(pipeline.partition("+")[0], ())
    return [package for package in needed if importlib.util.find_spec(package) is None]


def check_installed(pipeline: str) -> None:
    """Complain where a pipeline that was asked for lacks a package."""
    if missing := missing_packages(pipeline):
        raise ImportError(
            f"the pipeline {pipeline!r} needs {' and '.join(missing)}: "
            f"pip install 'classicseg[bridge]' brings it"
        )


def check_names(pipelines: Iterable[str] | None) -> list[str]:
    """Check names of pipelines, each once; None means all."""
    if pipelines is None:
        return names()
    known, chosen = names(), list(dict.fromkeys(_listed(pipelines, "pipelines")))
    for name in chosen:
        if name in known:
            continue
        evidence, _, inference = name.partition("+")
        if evidence not in EVIDENCE:
            reason = f"the evidence {evidence!r} is none of {', '.join(EVIDENCE)}"
        else:
            reason = f"the inference {inference!r} is none of {', '.join(INFERENCE)}"
        raise ValueError(f"there is no pipeline {name!r}, evidence+inference: {reason}")
    if not chosen:
        raise ValueError(f"pipelines is empty, expected some of {', '.join(known)}")
    return chosen


def segment(
    image: ArrayLike,
    pipeline: str,
    *,
    rect: tuple[int, int, int, int] | None = None,
    scribbles: ArrayLike | None = None,
    engine: str = "native",
    seed: int = 0,
) -> Mask:
    """Run one pipeline on one image.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    pipeline : str
        ``evidence+inference``, one of `names`.
    rect : (x, y, width, height), optional
        For the evidence ``gmm:rect``; clipped to the image.
    scribbles : integer array, (H, W), optional
        For the evidence ``gmm:scribbles``: 0 unmarked, 1 background, 2 foreground.
    engine : {"native", "opencv", "pymaxflow"}
    seed : int
        Of the random numbers that start k-means.

    Returns
    -------
    (H, W) bool array
        True = foreground.

    Raises
    ------
    TypeError, ValueError
        If an argument makes no sense, or the evidence lacks the marks that it needs.
    ImportError
        If the engine, or what the evidence needs, is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import compare
    >>> image = np.zeros((40, 60, 3), np.uint8)
    >>> image[10:30, 20:40] = (255, 0, 0)
    >>> mask = compare.segment(image, "gmm:rect+grabcut", rect=(15, 5, 30, 30))
    >>> int(mask.sum())
    400
    """
    (name,) = check_names([pipeline])
    evidence, inference = name.split("+")
    check_engine(engine, inference)
    check_installed(name)
    task = as_task(image, rect, scribbles, engine, seed)
    return INFERENCE[inference](task, EVIDENCE[evidence](task))


def as_task(
    image: ArrayLike,
    rect: tuple[int, int, int, int] | None,
    scribbles: ArrayLike | None,
    engine: str,
    seed: int,
) -> Task:
    """Check what a person gives."""
    pixels = as_uint8_image(image)
    size = pixels.shape[:2]
    return Task(
        pixels,
        None if rect is None else as_rect(rect, size),
        None if scribbles is None else as_seeds(scribbles, size, "scribbles"),
        engine,
        seed,
    )


def check_engine(engine: str, inference: str | None = None) -> None:
    """Check an engine's name, and that it can do an inference."""
    if engine not in ENGINES:
        raise ValueError(f"engine is {engine!r}, expected one of {', '.join(ENGINES)}")
    able = ENGINES[engine]
    if inference is not None and able is not None and inference not in able:
        raise ValueError(f"the engine {engine!r} does {', '.join(able)}, not {inference}")


def _listed(value: Iterable[str], name: str) -> list[str]:
    if isinstance(value, str):
        raise TypeError(f"{name} is the string {value!r}, expected a list of strings")
    return list(value)


def _colour_energies(task: Task, background: Mask, foreground: Mask) -> NDArray[np.float32]:
    colors = task.image.astype(np.float32)
    sides = [
        grabcut.fit_gmm(colors[side], rng=task.seed).energies(task.image)
        for side in (background, foreground)
    ]
    return np.stack(sides, axis=2)


@cache
def _network(name: str) -> Any:
    return bridge.load(name)


def _from_saliency(values: NDArray[np.float32]) -> Evidence:
    """Even odds at the adaptive threshold, certainty at the ends of the scale, straight between.

    The weight of the links follows the spread of these energies, a fifth of a colour model's.
    """
    threshold = saliency.adaptive_threshold(values)
    below = 0.5 * values / max(threshold, _TINY)
    above = 0.5 + 0.5 * (values - threshold) / max(1 - threshold, _TINY)
    probability = np.where(values <= threshold, below, above)
    energies = unary.from_probabilities(np.stack([1 - probability, probability], axis=2))
    return Evidence(energies, _more_likely(energies), gamma=10.0)


def _more_likely(energies: NDArray[np.float32]) -> NDArray[np.uint8]:
    foreground = energies[:, :, 1] < energies[:, :, 0]
    return np.where(foreground, PROBABLY_FOREGROUND, PROBABLY_BACKGROUND).astype(np.uint8)


def _with_certain(energies: NDArray[np.float32], trimap: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Energies in which a certain pixel's other label is too dear for any inference."""
    energies[trimap == BACKGROUND] = (0, _HARD)
    energies[trimap == FOREGROUND] = (_HARD, 0)
    return energies

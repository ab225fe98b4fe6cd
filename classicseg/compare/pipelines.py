"""Pipelines: an evidence says how likely each class is, an inference decides.

Both are plain functions in a dictionary; a pipeline's name is ``evidence+inference``. A new one is
a function and its entry, here or as an entry point of another package: it then meets all of the
other kind.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from numpy.typing import ArrayLike

from classicseg._checks import as_labels, positive_int
from classicseg._settings import one_of, strings_of, yes_or_no
from classicseg.compare.evidence import EVIDENCE, FAMILIES, NEEDS
from classicseg.compare.inference import ENGINES, INFERENCE
from classicseg.compare.tasks import Evidence, Labels, Task, as_task

__all__ = ["check_engine", "check_installed", "chosen", "default", "names", "parts", "segment"]

# What runs where nothing else is asked for: no more than takes a minute on the bundled photographs.
# Maps of where people look, message passing and what differs little from these is left for "*".
DEFAULT_EVIDENCE = (
    "gmm:rect",
    "gmm:scribbles",
    "superpixels:scribbles",
    "saliency:minimum_barrier",
    "saliency:robust_background",
    "saliency:region_contrast",
    "saliency:frequency_tuned",
    "saliency:centre_prior",
    "fcn:figure_ground",
)
DEFAULT_INFERENCE = (
    "argmax",
    "graphcut",
    "densecrf",
    "grabcut",
    "superpixels:argmax",
    "superpixels:graphcut",
)

_GROUPS = {"evidence": "classicseg.evidence", "inference": "classicseg.inference"}
#: Evidence that `run` makes itself, of a training set.
TRAINED = ("superpixels:train", "patches:train")
_OF_STROKES = ("superpixels:scribbles", "patches:scribbles")


def names() -> list[str]:
    """All pipelines, as ``evidence+inference``, those of other packages at the end.

    Examples
    --------
    >>> from classicseg import compare
    >>> compare.names()[:3]
    ['gmm:rect+argmax', 'gmm:rect+icm', 'gmm:rect+bp']
    """
    return [f"{e}+{i}" for e in _known("evidence") for i in _known("inference")]


def default(n_classes: int, trained: bool) -> list[str]:
    """What runs where nothing else is asked for, with what other packages add.

    Two classes: a choice of evidence and inference. More: all evidence that takes so many, and
    every inference. With a training set, the classifiers that learn from it as well.

    Examples
    --------
    >>> from classicseg import compare
    >>> "gmm:rect+grabcut" in compare.default(2, trained=False)
    True
    """
    positive_int(n_classes, "n_classes")
    evidence = [*DEFAULT_EVIDENCE] if n_classes == 2 else ["gmm:scribbles", *_OF_STROKES]
    evidence += [*_plugins("evidence"), *(TRAINED if yes_or_no(trained, "trained") else ())]
    inference = [*DEFAULT_INFERENCE] if n_classes == 2 else [*INFERENCE]
    inference += _plugins("inference")
    return [f"{e}+{i}" for e in evidence for i in inference]


def parts(pipeline: str) -> tuple[str, str]:
    """The evidence and the inference of a pipeline's name; the evidence may be a path with a +."""
    evidence, _, inference = pipeline.rpartition("+")
    return (evidence, inference) if evidence else (inference, "")


def chosen(patterns: Iterable[str]) -> list[str]:
    """The pipelines that names, and patterns with * in one or both parts, stand for; each once.

    Raises
    ------
    ValueError
        If it is empty, or a name or pattern fits nothing.
    """
    found: dict[str, None] = {}
    given, known = strings_of(patterns, "pipelines"), {kind: _known(kind) for kind in _GROUPS}
    for pattern in given:
        evidence, inference = parts("*+*" if pattern == "*" else pattern)
        for e in _fitting(pattern, "evidence", evidence, known):
            for i in _fitting(pattern, "inference", inference, known):
                found[f"{e}+{i}"] = None
    if not given:
        raise ValueError("pipelines is empty, expected some such as gmm:rect+grabcut")
    return list(found)


def evidence_of(pipeline: str) -> Callable[[Task], Evidence]:
    """The function of a pipeline's evidence."""
    return _function("evidence", parts(pipeline)[0])


def inference_of(pipeline: str) -> Callable[[Task, Evidence], Labels]:
    """The function of a pipeline's inference."""
    return _function("inference", parts(pipeline)[1])


def missing_packages(pipeline: str) -> list[str]:
    """The packages that a pipeline needs and that are not installed."""
    needed = NEEDS.get(pipeline.partition(":")[0], ())
    return [package for package in needed if importlib.util.find_spec(package) is None]


def check_installed(pipeline: str) -> None:
    """Complain where a pipeline that was asked for lacks a package."""
    if missing := missing_packages(pipeline):
        raise ImportError(
            f"the pipeline {pipeline!r} needs {' and '.join(missing)}: "
            f"pip install 'classicseg[bridge]' brings it"
        )


def check_engine(engine: str, inference: str | None = None) -> None:
    """Check an engine's name, and that it can do an inference."""
    able = ENGINES[one_of(engine, tuple(ENGINES), "engine")]
    if inference is not None and able is not None and inference not in able:
        raise ValueError(f"the engine {engine!r} does {', '.join(able)}, not {inference}")


def segment(
    image: ArrayLike,
    pipeline: str,
    *,
    rect: tuple[int, int, int, int] | None = None,
    scribbles: ArrayLike | None = None,
    engine: str = "native",
    seed: int = 0,
    n_classes: int = 2,
    name: str = "",
) -> Labels:
    """Run one pipeline on one image.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1].
    pipeline : str
        ``evidence+inference``, one of `names` or with an evidence of a folder or file:
        ``scores:DIR``, ``fcn:WEIGHTS``, ``superpixels:FILE``, ``patches:FILE``.
    rect : (x, y, width, height), optional
        For the evidence ``gmm:rect``; clipped to the image.
    scribbles : integer array, (H, W), optional
        0 unmarked, 1 + the class elsewhere: of two classes 1 is background, 2 foreground.
    engine : {"native", "opencv", "pymaxflow"}
    seed : int
        Of the random numbers that start k-means.
    n_classes : int
    name : str
        For ``scores:DIR``: its file's name without the ending.

    Returns
    -------
    (H, W) bool array
        True = foreground. With more than two classes, (H, W) int32 labels.

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
    if not isinstance(pipeline, str):
        raise TypeError(f"pipeline is {pipeline!r}, expected a string such as gmm:rect+grabcut")
    one, *more = chosen([pipeline])
    if more:
        raise ValueError(f"pipeline is {pipeline!r}, which fits {1 + len(more)}, expected one")
    check_engine(engine, parts(one)[1])
    check_installed(one)
    task = as_task(image, rect, scribbles, engine, seed, n_classes, name)
    labels = as_labels(inference_of(one)(task, evidence_of(one)(task)), "the pipeline's labels")
    return labels == 1 if n_classes == 2 else labels


def _known(kind: str) -> list[str]:
    return list(dict.fromkeys([*_built_in(kind), *_plugins(kind)]))


def _built_in(kind: str) -> Mapping[str, Callable[..., Any]]:
    return EVIDENCE if kind == "evidence" else INFERENCE


def _plugins(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUPS[kind])}


def _function(kind: str, name: str) -> Callable[..., Any]:
    if name in _built_in(kind):
        return _built_in(kind)[name]
    plugins = _plugins(kind)
    if name in plugins:
        function: Callable[..., Any] = plugins[name].load()
        return function
    family, _, argument = name.partition(":")
    return partial(FAMILIES[family], argument)


def _fitting(pattern: str, kind: str, name: str, all_known: Mapping[str, list[str]]) -> list[str]:
    known = all_known[kind]
    if name in known or (kind == "evidence" and _of_a_family(name)):
        return [name]
    if fits := [k for k in known if "*" in name and fnmatchcase(k, name)]:
        return fits
    also = ", scores:DIR, fcn:WEIGHTS, superpixels:FILE, patches:FILE" if kind == "evidence" else ""
    raise ValueError(
        f"there is no pipeline {pattern!r}, evidence+inference: "
        f"the {kind} {name!r} is none of {', '.join(known)}{also}"
    )


def _of_a_family(name: str) -> bool:
    family, _, argument = name.partition(":")
    return (
        family in FAMILIES
        and bool(argument)
        and "*" not in argument
        and (
            family in ("scores", "fcn") or argument == "train" or "." in argument or "/" in argument
        )
    )

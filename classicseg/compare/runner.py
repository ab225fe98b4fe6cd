"""Run pipelines over samples and score them."""

from __future__ import annotations

import importlib.util
import math
import statistics
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from classicseg import metrics
from classicseg import samples as bundled
from classicseg._checks import as_mask, positive_int
from classicseg.compare.pipelines import (
    ENGINES,
    EVIDENCE,
    INFERENCE,
    Evidence,
    Mask,
    Task,
    as_task,
    check_engine,
    check_installed,
    check_names,
    missing_packages,
)
from classicseg.samples import Sample

T = TypeVar("T")

# The package that an engine needs, and the extra that brings it.
_PACKAGES = {"opencv": "cv2", "pymaxflow": "maxflow"}


@dataclass(frozen=True, eq=False)
class Result:
    """What one pipeline made of one sample.

    Attributes
    ----------
    pipeline, sample : str
        Their names.
    mask : (H, W) bool array or None
        None where the pipeline failed; then all scores are NaN.
    counts : (2, 2) int64 array
        Pixels by true (rows) and found (columns) label; void is not counted.
    mean_iou : float
        Mean of the IoU of background and foreground on this sample.
    boundary_f : float
        `metrics.boundary_f` of the masks.
    seconds : float
        Wall time of evidence and inference together.
    error : str or None
        Why it failed.
    warnings : tuple of str
        What it warned of, an empty foreground for example.
    """

    pipeline: str
    sample: str
    mask: Mask | None
    counts: NDArray[np.int64]
    mean_iou: float
    boundary_f: float
    seconds: float
    error: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Row:
    """One pipeline over all samples.

    Attributes
    ----------
    pipeline, engine : str
    mean_iou : float
        Mean of `background_iou` and `foreground_iou`, which come from the pixels of all samples
        together, as in the FCN paper.
    background_iou, foreground_iou : float
    mean_image_iou : float
        Mean over the samples of their own mean IoU: small images count as much as large ones.
    boundary_f : float
        Mean over the samples.
    seconds : float
        Median over the samples.
    results : tuple of Result
        In the order of the samples. Failed ones are left out of the scores.
    """

    pipeline: str
    engine: str
    mean_iou: float
    background_iou: float
    foreground_iou: float
    mean_image_iou: float
    boundary_f: float
    seconds: float
    results: tuple[Result, ...] = field(repr=False)

    @property
    def failures(self) -> list[Result]:
        """The results that are none."""
        return [result for result in self.results if result.error is not None]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The cross table.

    Attributes
    ----------
    rows : tuple of Row
        Best mean IoU first; pipelines that failed on a sample come after all others.
    samples : tuple of Sample
        What they ran on.
    engine : str
    left_out : tuple of str
        Pipelines that the engine has no part in.
    seed, n_jobs : int
        As given to `run`.
    not_installed : tuple of str
        Pipelines that were not asked for by name and need packages that are missing.
    """

    rows: tuple[Row, ...]
    samples: tuple[Sample, ...] = field(repr=False)
    engine: str = "native"
    left_out: tuple[str, ...] = ()
    seed: int = 0
    n_jobs: int = 1
    not_installed: tuple[str, ...] = ()

    @property
    def failures(self) -> list[Result]:
        """The results of all rows that are none."""
        return [result for row in self.rows for result in row.failures]


def run(
    pipelines: Iterable[str] | None = None,
    samples: Iterable[str | Sample] | None = None,
    engine: str = "native",
    n_jobs: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Run pipelines over samples and score their masks.

    Parameters
    ----------
    pipelines : names, optional
        Each ``evidence+inference``; by default all of `names` whose packages are installed.
    samples : names or Sample objects, optional
        All of `classicseg.samples.names` by default.
    engine : {"native", "opencv", "pymaxflow"}
        Who solves the inference: "opencv" does grabcut, "pymaxflow" does graphcut, and the
        pipelines that the engine has no part in are left out.
    n_jobs : int
        Processes, by joblib. Seconds are only comparable where it is 1.
    seed : int
        Of all random numbers; the same seed gives the same masks.
    progress : callable, optional
        Called with how many (sample, evidence) pairs are done and how many there are.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, nothing is left to run, or a number makes no sense.
    ImportError
        If the engine, or what a pipeline asked for needs, is not installed.

    Notes
    -----
    A pipeline that fails on a sample does not stop the rest: see `Comparison.failures`.

    Examples
    --------
    >>> from classicseg import compare
    >>> table = compare.run(["gmm:rect+argmax", "gmm:rect+grabcut"], ["coffee"])
    >>> [row.pipeline for row in table.rows]
    ['gmm:rect+grabcut', 'gmm:rect+argmax']
    """
    chosen = check_names(pipelines)
    check_engine(engine)
    not_installed: tuple[str, ...] = ()
    if pipelines is None:
        not_installed = tuple(name for name in chosen if missing_packages(name))
        chosen = [name for name in chosen if name not in not_installed]
    for name in chosen:
        check_installed(name)
    able = ENGINES[engine]
    kept = [name for name in chosen if able is None or name.split("+")[1] in able]
    left_out = tuple(name for name in chosen if name not in kept)
    if able is not None and not kept:
        raise ValueError(f"the engine {engine!r} only does {', '.join(able)}: nothing left to run")
    _check_installed(engine)
    positive_int(n_jobs, "n_jobs")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed is {seed!r}, expected a whole number from 0")
    loaded = _load(samples)

    inferences: dict[str, list[str]] = {}
    for name in kept:
        evidence, inference = name.split("+")
        inferences.setdefault(evidence, []).append(inference)
    jobs = [
        # The functions travel with the job: a worker process knows only the built-in ones.
        delayed(_run_evidence)(
            sample, engine, seed, evidence, EVIDENCE[evidence], {n: INFERENCE[n] for n in names}
        )
        for sample in loaded
        for evidence, names in inferences.items()
    ]
    results: dict[tuple[str, str], Result] = {}
    finished: Iterator[list[Result]] = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        jobs
    )
    for done, some in enumerate(finished, start=1):
        results.update({(result.pipeline, result.sample): result for result in some})
        if progress is not None:
            progress(done, len(jobs))
    rows = [
        _summed(name, engine, [results[name, sample.name] for sample in loaded]) for name in kept
    ]
    rows.sort(key=lambda row: (len(row.failures), -_or_zero(row.mean_iou)))
    return Comparison(tuple(rows), tuple(loaded), engine, left_out, seed, n_jobs, not_installed)


def _check_installed(engine: str) -> None:
    package = _PACKAGES.get(engine)
    if package is not None and importlib.util.find_spec(package) is None:
        raise ImportError(
            f"the engine {engine!r} needs the package {package}: "
            f"pip install 'classicseg[peers]' brings it"
        )


def _load(chosen: Iterable[str | Sample] | None) -> list[Sample]:
    if isinstance(chosen, str | Sample):
        raise TypeError(f"samples is a {type(chosen).__name__}, expected a list")
    wanted = list(bundled.names() if chosen is None else chosen)
    if not wanted:
        raise ValueError(f"samples is empty, expected some of {', '.join(bundled.names())}")
    loaded = [item if isinstance(item, Sample) else bundled.load(item) for item in wanted]
    twice = {s.name for s in loaded if sum(s.name == other.name for other in loaded) > 1}
    if twice:
        raise ValueError(f"samples has {', '.join(sorted(twice))} more than once")
    return loaded


def _run_evidence(
    sample: Sample,
    engine: str,
    seed: int,
    name: str,
    evidence: Callable[[Task], Evidence],
    inferences: dict[str, Callable[[Task, Evidence], Mask]],
) -> list[Result]:
    """One evidence, gathered once, with each of the inferences."""
    task = as_task(sample.image, sample.rect, sample.scribbles, engine, seed)
    start = time.perf_counter()
    try:
        given, said = _quietly(partial(evidence, task))
    except Exception as error:  # anybody's function: its failure is a result, not the end
        return [_failed(f"{name}+{inference}", sample, error) for inference in inferences]
    gathering = time.perf_counter() - start
    results = []
    for inference, decide in inferences.items():
        pipeline = f"{name}+{inference}"
        start = time.perf_counter()
        try:
            mask, more = _quietly(partial(decide, task, given))
            seconds = gathering + time.perf_counter() - start
            results.append(_scored(pipeline, sample, mask, seconds, said + more))
        except Exception as error:  # as above; engines raise classes of their own (cv2.error)
            results.append(_failed(pipeline, sample, error))
    return results


def _quietly(work: Callable[[], T]) -> tuple[T, tuple[str, ...]]:
    """What a function returns and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        value = work()
    said = [_one_line(str(w.message)) for w in caught if issubclass(w.category, UserWarning)]
    return value, tuple(dict.fromkeys(said))


def _scored(
    pipeline: str, sample: Sample, mask: Mask, seconds: float, said: tuple[str, ...]
) -> Result:
    found = as_mask(mask, "the pipeline's mask", sample.truth.shape)
    matrix = metrics.ConfusionMatrix(2).update(sample.truth, found)
    boundary = metrics.boundary_f(sample.mask, found)
    return Result(
        pipeline,
        sample.name,
        found,
        matrix.counts,
        matrix.mean_iou,
        boundary,
        seconds,
        warnings=said,
    )


def _failed(pipeline: str, sample: Sample, error: Exception) -> Result:
    reason = _one_line(f"{type(error).__name__}: {error}")
    nothing = np.zeros((2, 2), np.int64)
    return Result(pipeline, sample.name, None, nothing, math.nan, math.nan, math.nan, reason)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _summed(pipeline: str, engine: str, results: Sequence[Result]) -> Row:
    good = [result for result in results if result.error is None]
    total = metrics.ConfusionMatrix(2)
    for result in good:
        total.counts += result.counts
    background, foreground = total.iou
    return Row(
        pipeline,
        engine,
        mean_iou=total.mean_iou,
        background_iou=float(background),
        foreground_iou=float(foreground),
        mean_image_iou=statistics.fmean(r.mean_iou for r in good) if good else math.nan,
        boundary_f=statistics.fmean(r.boundary_f for r in good) if good else math.nan,
        seconds=statistics.median(r.seconds for r in good) if good else math.nan,
        results=tuple(results),
    )


def _or_zero(score: float) -> float:
    return 0.0 if math.isnan(score) else score

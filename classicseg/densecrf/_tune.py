"""A search for the parameters of `refine` that says so when no CRF is better."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from classicseg._checks import as_probabilities, check_threads, positive_int
from classicseg._files import atomic, explained
from classicseg._progress import progress
from classicseg._settings import one_of, seed_of
from classicseg.densecrf._crf import DenseCRF
from classicseg.densecrf._refine import crf_of, refine
from classicseg.metrics import ConfusionMatrix

__all__ = ["Trial", "Tuning", "tune"]

Sample = tuple[ArrayLike, ArrayLike, ArrayLike]
Parameters = dict[str, float]
Counts = NDArray[np.int64]

# Where values are looked for, on a logarithmic scale.
RANGES = {
    "theta_alpha": (5.0, 100.0),
    "theta_beta": (2.5, 25.0),
    "theta_gamma": (0.7, 6.0),
    "weight": (0.1, 20.0),
    "smoothness": (0.1, 10.0),
    "temperature": (0.5, 4.0),
}
_METRICS = {
    "miou": "mean_iou",
    "pixel_accuracy": "pixel_accuracy",
    "mean_accuracy": "mean_accuracy",
    "frequency_weighted_iou": "frequency_weighted_iou",
}
_MOST_TRIALS = 1_000_000
# Steps around the best point, as parts of the (logarithmic) ranges, from the first to the last.
_STEPS = (0.2, 0.05)


@dataclass(frozen=True)
class Trial:
    """Parameters that were tried, and their score on the samples of the search."""

    parameters: Parameters
    score: float


@dataclass(frozen=True)
class Tuning:
    """What a search found.

    Attributes
    ----------
    crf : DenseCRF or None
        With the best parameters; None if the interval of the gain reaches down to 0 or below: then
        the network's own answer is as good or better.
    parameters : dict or None
        The same for `refine`: ``refine(probabilities, image, **tuning.parameters)``. Its
        temperature belongs to the probabilities and is not in the CRF.
    gain : float
        Score with the best parameters found minus the score of the network alone, both on the
        samples that were held out; also where `crf` is None.
    interval : (float, float)
        95 % bootstrap confidence interval of the gain over those samples (percentiles).
    baseline : float
        Score of the network alone on the samples that were held out.
    trials : tuple of Trial
        All that was tried, in order; the first one is `refine`'s defaults.
    """

    crf: DenseCRF | None
    parameters: Parameters | None
    gain: float
    interval: tuple[float, float]
    baseline: float
    trials: tuple[Trial, ...]


def tune(
    samples: Sequence[Sample],
    metric: str = "miou",
    budget: int = 50,
    *,
    rng: int = 0,
    ignore_index: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    n_threads: int | None = None,
) -> Tuning:
    """Search the parameters of `refine` for a network's scores, and test them on other samples.

    Half of the samples, drawn at random, serve the search: the defaults, then points spread evenly
    over wide ranges, then steps around the best one. The other half tells what the best ones bring.

    Parameters
    ----------
    samples : sequence of (probabilities, image, truth)
        At least 4: (H, W, L) probabilities and an image as `refine` takes them, (H, W) true labels.
        A sequence may load its items when they are asked for: each is read once per trial.
    metric : str
        "miou" (default), "pixel_accuracy", "mean_accuracy" or "frequency_weighted_iou", over all
        pixels of all samples, as in `metrics.ConfusionMatrix`.
    budget : int
        How many sets of parameters to try. Default 50; 20 find most of what there is.
    rng : int
        Seed of the search and the bootstrap: the same seed gives the same answer.
    ignore_index : int, optional
        The void label of the truth: 255, but with more than 255 classes it must be given.
    journal : path, optional
        A file that keeps each finished trial. A search that was interrupted goes on from there.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    Tuning

    Raises
    ------
    TypeError, ValueError
        For fewer than 4 samples, samples that `refine` or the metrics cannot take, an unknown
        metric, or a journal of another search.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = np.zeros((12, 16), int)
    >>> truth[:, 8:] = 1
    >>> def scores():  # right in the mean, noisy at each pixel
    ...     p = np.clip(0.3 + 0.4 * truth + rng.normal(0, 0.3, truth.shape), 0.02, 0.98)
    ...     return np.stack([1 - p, p], axis=-1)
    >>> image = np.where(truth == 1, 200, 50).astype(np.uint8)
    >>> found = tune([(scores(), image, truth) for _ in range(6)], budget=3)
    >>> found.crf is not None and found.gain > 0.1
    True
    """
    one_of(metric, tuple(_METRICS), "metric")
    positive_int(budget, "budget", _MOST_TRIALS)
    seed = seed_of(rng)
    threads = check_threads(n_threads)
    if not isinstance(samples, Sequence):
        raise TypeError(f"samples is a {type(samples).__name__}, expected a sequence")
    if len(samples) < 4:
        raise ValueError(f"samples has {len(samples)} samples, expected at least 4")
    study = _Study(samples, metric, ignore_index, threads)
    order = np.random.default_rng(seed).permutation(len(samples))
    searched, held_out = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    header = {"metric": metric, "rng": seed, "budget": budget, "samples": len(samples)}
    kept = _Journal(journal, header)

    n_steps = (budget + 1) * len(searched) + 2 * len(held_out)
    with progress("densecrf.tune") as update:
        done = 0

        def counts(indices: NDArray[np.int64], parameters: Parameters | None) -> Counts:
            nonlocal done
            found = []
            for index in indices:
                found.append(study.counts(int(index), parameters))
                done += 1
                update(done, n_steps)
            return np.stack(found)

        found = counts(searched, None).sum(axis=0)
        if not found.any():
            raise ValueError("samples holds no truth that is not void")
        alone = study.score(found)
        trials: list[Trial] = []
        for _ in range(budget):
            parameters = _next_parameters(trials, budget, seed)
            score = kept.score_of(parameters)
            if score is None:
                score = study.score(counts(searched, parameters).sum(axis=0))
                kept.add(parameters, score)
            else:
                done += len(searched)
            trials.append(Trial(parameters, score))
        best = max(trials, key=lambda trial: trial.score)
        before, after = counts(held_out, None), counts(held_out, best.parameters)
        if not before.any():
            raise ValueError("samples holds no truth that is not void in the half held out")

    gain, interval = _gain(study, before, after, seed)
    better = best.score > alone and interval[0] > 0
    return Tuning(
        crf=crf_of(**_without_temperature(best.parameters)) if better else None,
        parameters=dict(best.parameters) if better else None,
        gain=gain,
        interval=interval,
        baseline=study.score(before.sum(axis=0)),
        trials=tuple(trials),
    )


@dataclass(frozen=True)
class _Study:
    """The samples, and how labels are scored on them."""

    samples: Sequence[Sample]
    metric: str
    ignore_index: int | None
    n_threads: int

    def counts(self, index: int, parameters: Parameters | None) -> Counts:
        """A sample's confusion matrix: of the CRF's labels, or of the network's own."""
        probabilities, image, truth = self.samples[index]
        try:
            if parameters is None:
                scores = np.asarray(probabilities)
                labels = as_probabilities(scores, shape=scores.shape[:-1]).argmax(axis=-1)
            else:
                options: dict[str, Any] = {**parameters, "n_threads": self.n_threads}
                labels = refine(probabilities, image, **options)
            matrix = ConfusionMatrix(np.shape(probabilities)[-1], self.ignore_index)
            return matrix.update(truth, labels).counts
        except (TypeError, ValueError) as error:
            raise type(error)(f"samples[{index}]: {error}") from error

    def score(self, counts: Counts) -> float:
        matrix = ConfusionMatrix(len(counts), self.ignore_index)
        matrix.counts += counts
        return float(getattr(matrix, _METRICS[self.metric]))


def _next_parameters(trials: Sequence[Trial], budget: int, seed: int) -> Parameters:
    """The defaults; then points spread over the ranges; then steps around the best one."""
    number = len(trials)
    if number == 0:
        defaults = inspect.signature(refine).parameters
        return {name: float(defaults[name].default) for name in RANGES}
    low, high = np.log(np.array(list(RANGES.values()))).T
    n_spread = budget // 2
    if number <= n_spread:
        points = stats.qmc.Halton(len(RANGES), rng=seed).random(number)
        point = low + points[-1] * (high - low)
    else:
        best = max(trials, key=lambda trial: trial.score).parameters
        centre = np.log([best[name] for name in RANGES])
        late = (number - n_spread - 1) / max(1, budget - n_spread - 2)
        step = _STEPS[0] * (_STEPS[1] / _STEPS[0]) ** late * (high - low)
        noise = np.random.default_rng((seed, number)).normal(size=len(RANGES))
        point = np.clip(centre + step * noise, low, high)
    values = np.exp(point)
    return {name: float(f"{value:.4g}") for name, value in zip(RANGES, values, strict=True)}


def _gain(
    study: _Study, before: Counts, after: Counts, seed: int
) -> tuple[float, tuple[float, float]]:
    """What the CRF adds to the score over all samples, and its bootstrap interval."""

    def gain_on(indices: NDArray[np.int64]) -> float:
        return study.score(after[indices].sum(axis=0)) - study.score(before[indices].sum(axis=0))

    everything = np.arange(len(before))
    found = stats.bootstrap(
        (everything,),
        gain_on,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return gain_on(everything), (float(found.low), float(found.high))


def _without_temperature(parameters: Parameters) -> Parameters:
    return {name: value for name, value in parameters.items() if name != "temperature"}


class _Journal:
    """Finished trials in a file of JSON lines, the first of which says of which search."""

    def __init__(self, path: str | os.PathLike[str] | None, header: dict[str, Any]) -> None:
        self._path = None if path is None else Path(path)
        self._lines = [json.dumps(header)]
        self._scores: dict[str, float] = {}
        if self._path is None or not self._path.exists():
            return
        with explained(self._path, "a journal of densecrf.tune"):
            lines = self._path.read_text(encoding="utf-8").splitlines()
            known = json.loads(lines[0])
            for line in lines[1:]:
                trial = json.loads(line)
                self._scores[_key(trial["parameters"])] = float(trial["score"])
        if known != header:
            raise ValueError(
                f"journal {self._path} belongs to another search: it has {known}, expected {header}"
            )
        self._lines = lines

    def score_of(self, parameters: Parameters) -> float | None:
        return self._scores.get(_key(parameters))

    def add(self, parameters: Parameters, score: float) -> None:
        if self._path is None:
            return
        self._lines.append(json.dumps({"parameters": parameters, "score": score}))
        with atomic(self._path) as file:
            file.write(("\n".join(self._lines) + "\n").encode())


def _key(parameters: Parameters) -> str:
    return json.dumps(parameters, sort_keys=True)

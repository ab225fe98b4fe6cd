"""The search for dense CRF parameters: what it finds, what it refuses, and that it can go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classicseg.densecrf import refine, tune
from classicseg.densecrf._tune import RANGES
from classicseg.metrics import ConfusionMatrix

Sample = tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int64]]


def scene(rng: np.random.Generator, noise: float) -> Sample:
    """Two regions of different colours; the scores are unsure by the noise at each pixel."""
    truth = np.zeros((20, 24), np.int64)
    truth[int(rng.integers(4, 10)) :, int(rng.integers(6, 14)) :] = 1
    p = np.clip(0.3 + 0.4 * truth + rng.normal(0, noise, truth.shape), 0.02, 0.98)
    return np.stack([1 - p, p], axis=-1), np.where(truth == 1, 200, 50).astype(np.uint8), truth


@pytest.fixture
def noisy(rng: np.random.Generator) -> list[Sample]:
    return [scene(rng, 0.3) for _ in range(8)]


def test_noise_is_worth_a_crf(noisy: list[Sample]) -> None:
    found = tune(noisy, budget=6)
    assert found.crf is not None and found.parameters is not None
    assert len(found.crf.kernels) == 2
    assert 0 < found.interval[0] < found.gain < found.interval[1] + 1e-9
    assert found.gain > 0.1
    assert len(found.trials) == 6
    best = max(found.trials, key=lambda trial: trial.score)
    assert best.parameters == found.parameters
    for trial in found.trials[1:]:
        for name, (low, high) in RANGES.items():
            assert low * 0.999 <= trial.parameters[name] <= high * 1.001


def test_the_gain_is_that_of_samples_that_were_held_out(noisy: list[Sample]) -> None:
    found = tune(noisy, budget=3, rng=4)
    assert found.parameters is not None
    order = np.random.default_rng(4).permutation(len(noisy))
    before, after = ConfusionMatrix(2), ConfusionMatrix(2)
    for index in order[4:]:
        p, image, truth = noisy[index]
        before.update(truth, p.argmax(-1))
        options: dict[str, Any] = found.parameters
        after.update(truth, refine(p, image, **options))
    assert found.baseline == before.mean_iou
    assert found.gain == after.mean_iou - before.mean_iou


def test_scores_that_are_right_need_no_crf(rng: np.random.Generator) -> None:
    """Thin lines that the image does not show: smoothing can only hurt."""
    samples = []
    for _ in range(6):
        truth = np.zeros((16, 20), np.int64)
        truth[:, rng.choice(20, 6, replace=False)] = 1
        p = np.where(truth == 1, 0.6, 0.4)
        samples.append((np.stack([1 - p, p], -1), np.zeros(truth.shape, np.uint8), truth))
    found = tune(samples, budget=4)
    assert found.crf is None and found.parameters is None
    assert found.baseline == 1
    assert found.interval[0] <= 0 >= found.gain


@pytest.mark.parametrize(
    "metric", ["pixel_accuracy", "mean_accuracy", "frequency_weighted_iou", "miou"]
)
def test_other_metrics_and_void(noisy: list[Sample], metric: str) -> None:
    for _, _, truth in noisy:
        truth[:3] = 255
    found = tune(noisy, metric, budget=1)
    assert 0.5 < found.baseline < 1
    assert found.gain > 0


def test_the_same_seed_gives_the_same(noisy: list[Sample]) -> None:
    one, two = tune(noisy, budget=4, rng=1, n_threads=1), tune(noisy, budget=4, rng=1, n_threads=2)
    assert one.trials == two.trials
    assert (one.gain, one.interval) == (two.gain, two.interval)
    assert tune(noisy, budget=4, rng=2).trials[1] != one.trials[1]


class Interrupted(list[Sample]):
    """Samples that stop the search after so many reads."""

    left = 18

    def __getitem__(self, index: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().__getitem__(index)


def test_an_interrupted_search_goes_on(noisy: list[Sample], tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with pytest.raises(KeyboardInterrupt):
        tune(Interrupted(noisy), budget=6, journal=journal)
    lines = journal.read_text().splitlines()
    assert 2 <= len(lines) < 6
    kept = json.loads(lines[1])
    assert kept["score"] > 0
    whole = tune(noisy, budget=6)
    resumed = tune(noisy, budget=6, journal=journal)
    assert resumed.trials == whole.trials
    assert (resumed.crf, resumed.gain) != (None, None)
    assert len(journal.read_text().splitlines()) == 7
    # It is the journal that is believed, so that nothing is done twice.
    kept["score"] = 0.125
    lines = [lines[0], json.dumps(kept)]
    journal.write_text("\n".join(lines))
    assert tune(noisy, budget=6, journal=journal).trials[0].score == 0.125


def test_a_journal_of_something_else_is_refused(noisy: list[Sample], tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    tune(noisy, budget=1, journal=journal)
    with pytest.raises(ValueError, match="belongs to another search"):
        tune(noisy, budget=1, rng=5, journal=journal)
    for text in ("nonsense", '{"a": 1}\n{"b"', '{"a": 1}\n[3]\n', "[]\n{}\n"):
        journal.write_text(text)
        with pytest.raises(ValueError, match=r"journal"):
            tune(noisy, budget=1, journal=journal)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"metric": "iou"}, ValueError, "metric is 'iou'"),
        ({"budget": 0}, ValueError, "budget"),
        ({"budget": 1.5}, (TypeError, ValueError), "budget"),
        ({"rng": -1}, ValueError, "rng"),
        ({"rng": "x"}, TypeError, "rng"),
        ({"samples": iter(())}, TypeError, "samples is a"),
        ({"samples": []}, ValueError, "samples has 0 samples"),
    ],
)
def test_bad_input_is_named(
    noisy: list[Sample], change: dict[str, Any], error: Any, message: str
) -> None:
    options: dict[str, Any] = {"samples": noisy, "budget": 1, **change}
    with pytest.raises(error, match=message):
        tune(options.pop("samples"), **options)


def test_a_bad_sample_is_named_by_its_number(noisy: list[Sample]) -> None:
    p, image, truth = noisy[5]
    noisy[5] = (p * 2, image, truth)
    with pytest.raises(ValueError, match=r"samples\[5\]: probabilities sums to 2"):
        tune(noisy, budget=1)
    noisy[5] = (p, image, truth[1:])
    with pytest.raises(ValueError, match=r"samples\[5\]: "):
        tune(noisy, budget=1)

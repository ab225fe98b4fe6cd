"""The work on one image: all pipelines, and a record of what they came to."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from classicseg._checks import as_labels
from classicseg.compare.measure import measured
from classicseg.compare.pipelines import parts
from classicseg.compare.scoring import LEFT_OUT, MEGABYTES, SECONDS, Record, Scorer
from classicseg.compare.tasks import DoesNotApply, Task, as_task, box_of_truth
from classicseg.datasets import Item

__all__ = ["Plan", "work"]

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What to do with each image; the functions travel along, as workers know only their own."""

    pipelines: tuple[str, ...]
    evidence: dict[str, Callable[..., Any]]
    inference: dict[str, Callable[..., Any]]
    engine: str
    seed: int


def work(
    reader: Callable[[str], Item], name: str, index: int, plan: Plan, n_classes: int, void: int
) -> tuple[int, bytes | None, str]:
    """One image with all pipelines; no bytes but a reason where it is broken."""
    try:
        item = reader(name)
        truth = as_labels(item.labels, "labels", item.image.shape[:2])
        inside = truth[truth != void]
        if inside.size and (high := int(inside.max())) >= n_classes:
            raise ValueError(f"labels hold {high}, expected 0..{n_classes - 1} or {void} for void")
        box = box_of_truth(truth) if n_classes == 2 else None
        rect = box if item.rect is None else item.rect
        task = as_task(item.image, rect, item.scribbles, plan.engine, plan.seed, n_classes, name)
    except Exception as error:  # anybody's reader: a broken image is a result, not the end
        return index, None, _reason(error)
    record = Record.empty(name, len(plan.pipelines), n_classes, truth.shape)
    record.rect_of_truth = rect is not None and rect == box  # some data sets do so themselves
    scorer = Scorer(truth, n_classes, void)
    for evidence, gather in plan.evidence.items():
        wanted = [p for p, n in enumerate(plan.pipelines) if parts(n)[0] == evidence]
        _run_evidence(task, gather, wanted, plan, scorer, record)
    return index, record.pack(), ""


def _run_evidence(
    task: Task,
    gather: Callable[..., Any],
    wanted: list[int],
    plan: Plan,
    scorer: Scorer,
    record: Record,
) -> None:
    """One evidence, gathered once, with each of its inferences."""
    try:
        given, said, seconds, memory = _costs(partial(gather, task))
    except Exception as error:  # anybody's function: its failure is a result, not the end
        for p in wanted:
            _failed(record, p, error)
        return
    for p in wanted:
        decide = plan.inference[parts(plan.pipelines[p])[1]]
        try:
            found, more, longer, higher = _costs(partial(decide, task, given))
            scorer.score(record, p, found)
        except Exception as error:  # as above; engines raise classes of their own (cv2.error)
            _failed(record, p, error)
            continue
        record.numbers[p, SECONDS] = seconds + longer
        record.numbers[p, MEGABYTES] = max(memory, higher)
        if texts := list(dict.fromkeys([*said, *more])):
            record.warnings[p] = texts


def _failed(record: Record, p: int, error: Exception) -> None:
    if isinstance(error, DoesNotApply):
        record.state[p] = LEFT_OUT
        record.reasons[p] = _one_line(str(error))
    else:
        record.reasons[p] = _reason(error)


def _costs(job: Callable[[], T]) -> tuple[T, list[str], float, float]:
    """What a function returns, what it warned of, its seconds and megabytes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        value, seconds, megabytes = measured(job)
    said = [_one_line(str(w.message)) for w in caught if issubclass(w.category, UserWarning)]
    return value, said, seconds, megabytes


def _reason(error: Exception) -> str:
    return _one_line(f"{type(error).__name__}: {error}")


def _one_line(text: str) -> str:
    return " ".join(text.split())

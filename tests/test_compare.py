"""Pipelines, the runner and its report, on small samples with the real solvers."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from printing import printed
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, jaccard_score

from classicseg import compare, graphcut, saliency
from classicseg.compare import Evidence, Task, tasks
from classicseg.compare.inference import argmax
from classicseg.samples import Sample


def knows_the_truth(truth: NDArray[Any]) -> Any:
    """An evidence that is right everywhere, but unsure."""

    def evidence(task: Task) -> Evidence:
        unary = np.zeros((*truth.shape, 2), np.float32)
        unary[..., 0] = truth
        unary[..., 1] = 1 - truth
        return Evidence(unary, np.where(truth, 3, 2).astype(np.uint8))

    return evidence


def test_all_pairs_of_evidence_and_inference_are_pipelines() -> None:
    names = compare.names()
    assert len(names) == len(set(names)) >= len(compare.EVIDENCE) * len(compare.INFERENCE)
    assert {"gmm:rect+superpixels:bp", "saliency:frequency_tuned+argmax"} <= set(names)
    assert set(compare.default(2, trained=False)) < set(names)


def test_every_pipeline_gives_a_mask_of_the_image(
    table: compare.Comparison, small: list[Sample]
) -> None:
    assert {row.pipeline for row in table.rows} == set(compare.default(2, trained=False))
    assert not table.failures
    assert table.images == tuple(sample.name for sample in small)
    for sample in small:
        found = table.labels(sample.name)
        assert found.keys() == {row.pipeline for row in table.rows}
        for labels in found.values():
            assert labels.dtype == np.uint8
            assert labels.shape == sample.truth.shape
            assert labels.max() <= 1
    for row in table.rows:
        assert (row.images["seconds"] > 0).all()
        if sys.platform == "linux":
            assert (row.images["megabytes"] >= 0).all()


def test_the_best_comes_first_and_neighbours_help(table: compare.Comparison) -> None:
    scores = [row.mean_iou for row in table.rows]
    assert scores == sorted(scores, reverse=True)
    by_name = {row.pipeline: row for row in table.rows}
    for evidence in ("gmm:rect", "gmm:scribbles"):
        cut, alone = by_name[f"{evidence}+graphcut"], by_name[f"{evidence}+argmax"]
        assert cut.mean_iou > alone.mean_iou
    scribbles = by_name["gmm:scribbles+graphcut"], by_name["gmm:scribbles+argmax"]
    assert scribbles[0].boundary_f > scribbles[1].boundary_f
    assert by_name["gmm:scribbles+graphcut"].mean_iou > 0.85


def test_scores_are_those_of_scikit_learn(table: compare.Comparison, small: list[Sample]) -> None:
    for row in table.rows:
        truths, masks = [], []
        for index, sample in enumerate(small):
            known = sample.truth != 255
            truths.append(sample.truth[known])
            masks.append(table.labels(sample.name)[row.pipeline][known])
            assert row.images["mean_iou"][index] == pytest.approx(
                jaccard_score(truths[-1], masks[-1], average="macro")
            )
        truth, mask = np.concatenate(truths), np.concatenate(masks)
        np.testing.assert_array_equal(row.counts, confusion_matrix(truth, mask, labels=[0, 1]))
        classes = jaccard_score(truth, mask, average=None)
        np.testing.assert_allclose(row.class_iou, classes)
        assert row.mean_iou == pytest.approx(classes.mean())
        assert row.pixel_accuracy == pytest.approx(np.mean(truth == mask))
        assert row.mean_accuracy == pytest.approx(balanced_accuracy_score(truth, mask))
        assert row.frequency_weighted_iou == pytest.approx(
            jaccard_score(truth, mask, average="weighted")
        )
        assert row.seconds == pytest.approx(np.median(row.images["seconds"]))


def test_marks_are_kept_by_every_inference(table: compare.Comparison, small: list[Sample]) -> None:
    for sample in small:
        for name, labels in table.labels(sample.name).items():
            if "+superpixels:" in name:  # where a region holds both, the other marks give way
                continue
            if name.startswith("gmm:rect"):
                x, y, width, height = sample.rect
                outside = np.ones(sample.truth.shape, bool)
                outside[y : y + height, x : x + width] = False
                assert not labels[outside].any()
            if "scribbles+" in name:
                assert not labels[sample.scribbles == 1].any()
                assert labels[sample.scribbles == 2].all()


def test_no_labelling_has_less_energy_than_the_graph_cut(small: list[Sample]) -> None:
    sample = small[0]
    task = tasks.as_task(sample.image, sample.rect, sample.scribbles, "native", 0)
    for name in ("gmm:rect", "gmm:scribbles", "saliency:minimum_barrier", "fcn:figure_ground"):
        evidence = compare.EVIDENCE[name](task)
        weights = graphcut.contrast_weights(task.image, gamma=evidence.gamma)

        def energy(
            mask: NDArray[np.bool_],
            evidence: Evidence = evidence,
            weights: Any = weights,
        ) -> float:
            total = float(np.where(mask, evidence.unary[..., 1], evidence.unary[..., 0]).sum())
            height, width = mask.shape
            for (dy, dx), weight in weights.items():
                for y in range(height - dy):
                    here = slice(max(0, -dx), width - max(0, dx))
                    there = slice(max(0, dx), width - max(0, -dx))
                    differs = mask[y, here] != mask[y + dy, there]
                    total += float(weight[y, here][differs].sum())
            return total

        found = {
            n: energy(np.asarray(decide(task, evidence)) == 1)
            for n, decide in compare.INFERENCE.items()
        }
        for factor in (0.3, 1, 3):  # cuts of other energies, which are close to this one's
            mask = graphcut.cut_unary(evidence.unary, task.image, gamma=factor * evidence.gamma)
            found[f"gamma x {factor}"] = energy(mask)
        assert found["graphcut"] <= min(found.values()) + 1e-6 * abs(found["graphcut"])


def test_saliency_is_at_even_odds_at_its_threshold(small: list[Sample]) -> None:
    task = tasks.as_task(small[0].image, None, None, "native", 0)
    evidence = compare.EVIDENCE["saliency:frequency_tuned"](task)
    values = saliency.frequency_tuned(task.image)
    above = values > saliency.adaptive_threshold(values)
    assert 0.02 < above.mean() < 0.5
    np.testing.assert_array_equal(argmax(task, evidence), above)
    order = np.argsort(values, axis=None)
    assert (np.diff(evidence.unary[..., 1].ravel()[order]) <= 0).all()
    np.testing.assert_allclose(np.exp(-evidence.unary).sum(axis=2), 1, atol=1e-4)


@pytest.mark.parametrize("value", [0, 200])
def test_an_image_of_one_colour_is_no_object(value: int) -> None:
    image = np.full((16, 20, 3), value, np.uint8)
    for inference in compare.INFERENCE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            mask = compare.segment(image, f"saliency:frequency_tuned+{inference}")
        assert not mask.any()


def test_perfect_evidence_scores_one(small: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    sample = small[0]
    monkeypatch.setitem(compare.EVIDENCE, "truth:known", knows_the_truth(sample.mask))
    (row,) = compare.run(["truth:known+argmax"], [sample]).rows
    assert (row.mean_iou, row.boundary_f) == (1, 1)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_pipeline_of_ones_own_runs_in_any_process(
    small: list[Sample], monkeypatch: pytest.MonkeyPatch, n_jobs: int
) -> None:
    half = small[0].truth.shape[1] // 2

    def left_half(task: Task, evidence: Evidence) -> NDArray[np.bool_]:
        mask = np.zeros(task.image.shape[:2], bool)
        mask[:, :half] = True
        return mask

    monkeypatch.setitem(compare.INFERENCE, "left", left_half)
    result = compare.run(["saliency:centre_prior+left"], small[:1], n_jobs=n_jobs)
    found = result.labels("flower")["saliency:centre_prior+left"]
    assert found[:, :half].all()
    assert not found[:, half:].any()


def test_the_same_seed_gives_the_same_masks_in_any_process(
    table: compare.Comparison, small: list[Sample]
) -> None:
    chosen = ["gmm:rect+grabcut", "gmm:scribbles+graphcut"]
    again = compare.run(chosen, small, n_jobs=2)
    for sample in small:
        before = table.labels(sample.name)
        for name, labels in again.labels(sample.name).items():
            np.testing.assert_array_equal(labels, before[name])


def test_a_failure_is_reported_and_stops_nothing(
    small: list[Sample], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def only_colour(task: Task, evidence: Evidence) -> NDArray[np.bool_]:
        if (task.image[..., 0] == task.image[..., 2]).all():
            raise RuntimeError("grey is\nnot for me")
        return argmax(task, evidence)

    def never(task: Task) -> Evidence:
        raise LookupError("no evidence")

    monkeypatch.setitem(compare.INFERENCE, "colour", only_colour)
    monkeypatch.setitem(compare.EVIDENCE, "none:ever", never)
    chosen = ["none:ever+argmax", "gmm:scribbles+colour", "saliency:centre_prior+argmax"]
    result = compare.run(chosen, small)
    assert [row.pipeline for row in result.rows] == chosen[::-1]
    assert [(f.pipeline, f.image, f.error) for f in result.failures] == [
        ("gmm:scribbles+colour", "coins", "RuntimeError: grey is not for me"),
        ("none:ever+argmax", "flower", "LookupError: no evidence"),
        ("none:ever+argmax", "coins", "LookupError: no evidence"),
    ]
    half, none = result.rows[1:]
    assert half.mean_iou == pytest.approx(half.images["mean_iou"][0])
    assert math.isnan(half.images["mean_iou"][1])
    assert math.isnan(none.mean_iou)
    paths = compare.write(result, tmp_path)
    written = json.loads(paths[0].read_text(), parse_constant=pytest.fail)
    assert written["pipelines"][2]["mean_iou"] is None
    assert written["pipelines"][1]["failed"] == {"coins": "RuntimeError: grey is not for me"}
    assert "(failed on 1 of 2)" in printed(result, 120)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 2), bool), np.zeros((2, 2, 2)), np.full((107, 160), 2), None]
)
def test_labels_of_the_wrong_form_are_a_failure(
    small: list[Sample], monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    monkeypatch.setitem(compare.INFERENCE, "wrong", lambda task, evidence: wrong)
    (failure,) = compare.run(["saliency:centre_prior+wrong"], small[:1]).failures
    assert failure.error is not None
    assert "the pipeline's labels" in failure.error


def test_warnings_are_kept_with_the_result(
    small: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def uneasy(task: Task, evidence: Evidence) -> NDArray[np.bool_]:
        warnings.warn("nothing found", UserWarning, stacklevel=1)
        return argmax(task, evidence)

    monkeypatch.setitem(compare.INFERENCE, "uneasy", uneasy)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = compare.run(["saliency:centre_prior+uneasy"], small)
    assert result.warnings == {"saliency:centre_prior+uneasy: nothing found": 2}


@pytest.mark.parametrize(
    ("engine", "inference"), [("opencv", "grabcut"), ("pymaxflow", "graphcut")]
)
def test_a_peer_does_what_it_can(small: list[Sample], engine: str, inference: str) -> None:
    pytest.importorskip({"opencv": "cv2", "pymaxflow": "maxflow"}[engine])
    chosen = [f"gmm:scribbles+{name}" for name in ("argmax", "graphcut", "grabcut")]
    result = compare.run(chosen, small, engine=engine)
    assert [(row.pipeline, row.engine) for row in result.rows] == [
        (f"gmm:scribbles+{inference}", engine)
    ]
    assert set(result.left_out) == set(chosen) - {f"gmm:scribbles+{inference}"}
    assert not result.failures
    assert result.rows[0].mean_iou > 0.7
    assert engine in printed(result, 100)


def test_pymaxflow_finds_the_same_cuts(table: compare.Comparison, small: list[Sample]) -> None:
    pytest.importorskip("maxflow")
    other = compare.run(["gmm:*+graphcut"], small, engine="pymaxflow")
    for sample in small:
        ours = table.labels(sample.name)
        for name, theirs in other.labels(sample.name).items():
            assert np.mean(theirs != ours[name]) < 1e-3


def test_a_missing_peer_is_named(small: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"maxflow.*classicseg\[peers\]"):
        compare.run(data=small, engine="pymaxflow")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"pipelines": ["gmm:rekt+grabcut"]},
            ValueError,
            "evidence 'gmm:rekt' is none of gmm:rect",
        ),
        ({"pipelines": ["gmm:rect"]}, ValueError, "inference '' is none of argmax"),
        ({"pipelines": []}, ValueError, "pipelines is empty"),
        ({"pipelines": "gmm:rect+grabcut"}, TypeError, "expected a list"),
        ({"data": ["cofee"]}, ValueError, "data holds 'cofee', expected some of astronaut"),
        ({"data": []}, ValueError, "data is empty"),
        ({"data": "coffee"}, TypeError, "expected a list"),
        ({"data": ["coffee", "coffee"]}, ValueError, "coffee more than once"),
        ({"engine": "gpu"}, ValueError, "'gpu', expected one of native"),
        ({"engine": "opencv", "pipelines": ["gmm:rect+argmax"]}, ValueError, "no part in argmax"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": 1.5}, TypeError, "seed is 1.5"),
    ],
)
def test_run_says_what_is_wrong(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        compare.run(**arguments)


@pytest.mark.parametrize(
    ("pipeline", "marks", "message"),
    [
        ("gmm:rect+argmax", {}, "needs a rectangle"),
        ("gmm:scribbles+argmax", {}, "needs scribbles"),
        ("gmm:rect+argmax", {"rect": (0, 0, 9, 9)}, "covers the whole image"),
        ("gmm:rect+argmax", {"rect": (20, 0, 9, 9)}, "outside the image"),
        ("gmm:scribbles+argmax", {"scribbles": np.ones((8, 9), int)}, "foreground"),
        ("gmm:scribbles+argmax", {"scribbles": np.full((8, 9), 2)}, "background"),
        ("gmm:scribbles+argmax", {"scribbles": np.zeros((9, 8), int)}, "scribbles has shape"),
        ("gmm:rect+argmax", {"rect": (1, 1, 5, 5), "engine": "opencv"}, "not argmax"),
    ],
)
def test_segment_says_what_is_missing(pipeline: str, marks: dict[str, Any], message: str) -> None:
    image = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    with pytest.raises(ValueError, match=message):
        compare.segment(image, pipeline, **marks)


def test_progress_counts_to_the_end(small: list[Sample]) -> None:
    calls: list[tuple[int, int]] = []
    chosen = ["saliency:centre_prior+argmax", "saliency:frequency_tuned+argmax"]
    compare.run(chosen, small, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 2), (2, 2)]


def test_segment_takes_one_pipeline() -> None:
    image = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(ValueError, match="which fits 14, expected one"):
        compare.segment(image, "gmm:rect+*", rect=(2, 2, 4, 4))

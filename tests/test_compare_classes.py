"""More than two classes, stored scores, classifiers, rectangles of the truth, other packages."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from test_compare_resume import COLORS, drawn, tiny

from classicseg import cli, compare, datasets, io, metrics
from classicseg.compare.scoring import Scorer
from classicseg.compare.summary import intervals
from classicseg.datasets import Dataset, Item
from classicseg.samples import Sample

EVERY = ["argmax", "icm", "bp", "trws", "graphcut", "densecrf"]
EVERY += [f"superpixels:{name}" for name in EVERY]


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A folder of scores of the tiny images: the negative distance from each class's colour."""
    folder = tmp_path / "scores+"
    folder.mkdir()
    for name in tiny(4).ids:
        distances = np.abs(drawn(name).image[:, :, np.newaxis].astype(np.float32) - COLORS)
        np.savez(folder / f"{name}.npz", logits=np.moveaxis(-distances.sum(axis=3) / 60, 2, 0))
    return folder


def test_every_inference_takes_any_number_of_classes(scores: Path) -> None:
    result = compare.run([f"scores:{scores}+*"], tiny(4))
    assert not result.failures
    assert {row.pipeline for row in result.rows} == {f"scores:{scores}+{name}" for name in EVERY}
    assert result.left_out == {
        f"scores:{scores}+{name}": f"{name} knows two classes, not 3"
        for name in ("grabcut", "superpixels:grabcut")
    }
    by_name = {row.pipeline.rpartition("+")[2]: row for row in result.rows}
    for name in ("trws", "graphcut"):
        assert by_name[name].mean_iou > by_name["argmax"].mean_iou + 0.03
    for image in result.images:
        found = {n.rpartition("+")[2]: labels for n, labels in result.labels(image).items()}
        np.testing.assert_array_equal(
            found["graphcut"],
            compare.segment(
                drawn(image).image,
                f"scores:{scores}+graphcut",
                n_classes=3,
                name=image,
            ),
        )


def test_scores_agree_with_torchmetrics(scores: Path) -> None:
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.classification")
    data = tiny(4)

    def with_void(name: str) -> Item:
        item = drawn(name)
        item.labels[:3] = 255
        return item

    data = Dataset(data.name, data.class_names, data.palette, data.ids, with_void)
    result = compare.run([f"scores:{scores}+argmax"], data)
    (row,) = result.rows
    truth = torch.tensor(np.stack([data.read(name).labels for name in data.ids]))
    found = torch.tensor(
        np.stack([result.labels(name)[row.pipeline] for name in data.ids]).astype(np.int64)
    )
    options: dict[str, Any] = {"num_classes": 3, "ignore_index": 255}
    accuracy, jaccard = classification.MulticlassAccuracy, classification.MulticlassJaccardIndex
    expected = {
        "pixel_accuracy": accuracy(average="micro", **options),
        "mean_accuracy": accuracy(average="macro", **options),
        "mean_iou": jaccard(average="macro", **options),
        "frequency_weighted_iou": jaccard(average="weighted", **options),
    }
    for name, metric in expected.items():
        assert getattr(row, name) == pytest.approx(metric(found, truth).item(), abs=1e-6), name
    matrix = classification.MulticlassConfusionMatrix(**options)(found, truth)
    np.testing.assert_array_equal(row.counts, matrix)


def test_bands_are_those_of_metrics(rng: np.random.Generator) -> None:
    truth = np.repeat(rng.integers(0, 3, (4, 6)), 20, axis=0).repeat(20, axis=1).astype(np.int32)
    truth[30:34] = 255
    found = np.where(rng.random(truth.shape) < 0.7, truth % 255, 1).astype(np.int32)
    found[truth == 255] = 2
    record = compare.scoring.Record.empty("x", 1, 3, truth.shape)
    Scorer(truth, 3, 255).score(record, 0, found)
    for width, sums in zip(compare.WIDTHS, record.bands[0], strict=True):
        inside = metrics.band(truth, width)
        matrix = metrics.ConfusionMatrix(3).update(np.where(inside, truth, 255), found)
        np.testing.assert_array_equal(sums[:, 0], np.diag(matrix.counts))
        np.testing.assert_array_equal(sums[:, 1], matrix.counts.sum(axis=1))
        np.testing.assert_array_equal(sums[:, 2], matrix.counts.sum(axis=0))
    assert record.numbers[0, 0] == metrics.boundary_f(truth, found)


def test_intervals_are_those_of_scipy(rng: np.random.Generator) -> None:
    n = 60
    true = rng.integers(200, 400, (n, 1, 2))
    right = (true * rng.uniform(0.5, 1, true.shape)).astype(int)
    found = right + (true - right)[:, :, ::-1]
    sums = np.stack([right, true, found], axis=-1).astype(np.int32)
    boundary = rng.random((n, 1))

    def mean_iou(chosen: Any) -> float:
        total = sums[chosen, 0].sum(axis=0)
        return float(np.mean(total[:, 0] / (total[:, 1] + total[:, 2] - total[:, 0])))

    ours = intervals(sums, boundary, np.ones((n, 1), bool), seed=1)[0]
    for k, statistic in ((2, mean_iou), (4, lambda chosen: boundary[chosen].mean())):
        theirs = stats.bootstrap(
            (np.arange(n),),
            lambda chosen, s=statistic: s(chosen.astype(int)),
            vectorized=False,
            method="percentile",
            n_resamples=3000,
            rng=2,
        ).confidence_interval
        width = theirs.high - theirs.low
        np.testing.assert_allclose(ours[k], (theirs.low, theirs.high), atol=0.08 * width)
    assert np.isnan(intervals(sums[:1], boundary[:1], np.ones((1, 1), bool), 0)).all()


def test_rectangles_are_made_of_the_truth_where_there_are_none(small: list[Sample]) -> None:
    truth = np.zeros((100, 200), np.int32)
    truth[40:60, 100:130] = 1
    image = np.zeros((100, 200, 3), np.uint8)
    image[truth == 1] = (250, 20, 20)
    data = [Item("box", image, truth), Item("empty", image, np.zeros_like(truth))]
    result = compare.run(["gmm:rect+grabcut"], data)
    assert result.rects_of_truth == 1
    assert result.rows[0].n_left_out == 1  # nothing to put a box around
    assert result.rows[0].mean_iou == 1
    assert compare.tasks.box_of_truth(truth) == (96, 38, 38, 24)
    boxed = [dataclasses.replace(data[0], rect=(96, 38, 38, 24))]  # as the reader of GrabCut does
    assert compare.run(["gmm:rect+argmax"], boxed).rects_of_truth == 1
    assert compare.run(["gmm:rect+argmax"], small[:1]).rects_of_truth == 0


def test_a_classifier_learns_from_strokes_and_from_a_training_set(
    tmp_path: Path, small: list[Sample]
) -> None:
    strokes = compare.run(["patches:scribbles+argmax"], small[:1])
    assert strokes.rows[0].mean_iou > 0.7
    pipelines = ["superpixels:train+argmax", "patches:train+superpixels:graphcut"]
    train = tiny(60).select([str(k) for k in range(50, 54)])
    result = compare.run(pipelines, tiny(3), train=train, folder=tmp_path)
    assert not result.failures
    saved = tmp_path / "superpixels.joblib"
    shutil.copy(tmp_path / "journal" / "superpixels.joblib", saved)
    again = compare.run([f"superpixels:{saved}+argmax"], tiny(3))
    by_name = {row.pipeline: row for row in result.rows}
    assert again.rows[0].mean_iou == by_name["superpixels:train+argmax"].mean_iou > 0.9
    with pytest.raises(ValueError, match=r"--train-split"):
        compare.run(pipelines, tiny(3))
    with pytest.raises(ValueError, match="train has 3 classes, expected 2"):
        compare.run(pipelines, small, train=train)


def test_colour_models_of_many_classes_come_from_strokes() -> None:
    item = drawn("7")
    strokes = np.zeros(item.labels.shape, np.uint8)
    strokes[::3, ::2] = item.labels[::3, ::2] + 1
    data = Dataset(
        "tiny",
        ("a", "b", "c"),
        COLORS,
        ("7",),
        lambda name: Item(name, item.image, item.labels, scribbles=strokes),
    )
    result = compare.run(["gmm:scribbles+graphcut", "gmm:rect+argmax"], data)
    assert result.rows[0].mean_iou > 0.7
    assert result.left_out == {"gmm:rect+argmax": "gmm:rect knows two classes, not 3"}
    with pytest.raises(ValueError, match="none of the pipelines applies to tiny: gmm:rect knows"):
        compare.run(["gmm:rect+argmax"], data)


def test_other_packages_add_evidence_and_inference(
    tmp_path: Path, small: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an installed package would: its module and its entry points on the path."""
    plugin = Path(__file__).parents[1] / "samples" / "plugin"
    shutil.copy(plugin / "reddish.py", tmp_path)
    points = ""
    text = (plugin / "pyproject.toml").read_text(encoding="utf-8")
    for group in ("evidence", "inference"):
        (line,) = text.partition(f'[project.entry-points."classicseg.{group}"]\n')[2].splitlines()[
            :1
        ]
        points += f"[classicseg.{group}]\n{line.replace(chr(34), '')}\n"
    info = tmp_path / "classicseg_reddish-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: classicseg-reddish\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        assert "reddish+opened" in compare.names()
        assert {"reddish+graphcut", "gmm:rect+opened"} <= set(compare.default(2, trained=False))
        result = compare.run(["reddish+opened", "reddish+graphcut", "gmm:rect+opened"], small[:1])
        assert not result.failures
        assert {row.pipeline for row in result.rows} >= {"reddish+opened", "gmm:rect+opened"}
        red = compare.run(["reddish+argmax"], ["rocket"]).rows[0]
        assert red.counts.sum() > 0
    finally:
        sys.modules.pop("reddish", None)


def test_patterns_stand_for_all_that_fits() -> None:
    result = compare.pipelines.chosen(["saliency:*barrier+*cut", "gmm:rect+argmax"])
    assert result == [
        "saliency:minimum_barrier+graphcut",
        "saliency:minimum_barrier+grabcut",
        "saliency:minimum_barrier+superpixels:graphcut",
        "saliency:minimum_barrier+superpixels:grabcut",
        "gmm:rect+argmax",
    ]
    assert set(compare.pipelines.chosen(["*"])) == set(compare.names())
    with pytest.raises(ValueError, match="evidence 'salience:\\*' is none of"):
        compare.pipelines.chosen(["salience:*+argmax"])


def test_a_data_set_from_the_command_line(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shared_data / "voc2012"
    arguments = ["compare", "--dataset", "voc2012", "--root", str(root), "--split", "val"]
    pipelines = f"scores:{root / 'logits'}+argmax,scores:{root / 'logits'}+grabcut"
    arguments += ["--every", "100", "--pipelines", pipelines, "--out", str(tmp_path)]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr()
    assert "left out 1 pipeline: grabcut knows two classes, not 21" in printed.err
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    data = datasets.open("voc2012", root, "val").select(every=100)
    assert written["images"] == list(data.ids)
    matrix = metrics.ConfusionMatrix(21)
    for item in data:
        scores = io.read_scores(root / "logits" / f"{item.id}.npz", shape=item.labels.shape)
        matrix.update(item.labels, scores.argmax(axis=2))
    assert written["pipelines"][0]["mean_iou"] == pytest.approx(matrix.mean_iou)
    assert written["pipelines"][0]["confusion"] == matrix.counts.tolist()

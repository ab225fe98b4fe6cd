"""The table, the files of numbers and the sheet of pictures that a comparison is written to."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from printing import printed

from classicseg import compare, io
from classicseg.compare import pictures
from classicseg.datasets import Dataset, Item
from classicseg.samples import Sample


def test_the_table_fits_a_terminal_of_a_hundred_columns(table: compare.Comparison) -> None:
    text = printed(table, 100)
    for row in table.rows:
        assert row.pipeline in text
        assert f"{row.mean_iou:.3f}" in text
    assert "…" not in text
    positions = [text.index(f"{row.pipeline} ") for row in table.rows]
    assert positions == sorted(positions)


def test_results_are_strict_json_with_all_scores(
    table: compare.Comparison, tmp_path: Path, small: list[Sample]
) -> None:
    results, numbers, _, sheet = compare.write(table, tmp_path / "new", ["classicseg", "a b"])
    written = json.loads(results.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert written["command"] == "classicseg 'a b'"
    assert written["seed"] == 0
    assert written["engine"] == "native"
    assert written["versions"]["numpy"] == np.__version__
    assert written["machine"]["cores"] >= 1
    assert written["images"] == ["flower", "coins"]
    for entry, row in zip(written["pipelines"], table.rows, strict=True):
        assert entry["pipeline"] == row.pipeline
        assert entry["mean_iou"] == row.mean_iou
        assert entry["by_image"]["mean_iou"] == row.images["mean_iou"].tolist()
        assert len(entry["band_iou"]) == len(compare.WIDTHS)
        low, high = entry["intervals"]["mean_iou"]
        assert low <= row.mean_iou <= high
        assert np.sum(entry["confusion"]) == sum((sample.truth != 255).sum() for sample in small)
    lines = numbers.read_text(encoding="utf-8").splitlines()
    assert "# command: classicseg 'a b'" in lines
    for entry, row in zip(
        csv.DictReader(line for line in lines if not line.startswith("#")), table.rows, strict=True
    ):
        assert entry["pipeline"] == row.pipeline
        assert float(entry["boundary_f"]) == row.boundary_f
        assert float(entry["iou foreground"]) == row.class_iou[1]
    assert io.read_image(sheet).shape[1] > 16 * 256


def test_of_many_images_the_worst_and_the_best_are_shown(
    small: list[Sample], tmp_path: Path
) -> None:
    """Of one image, its left part is ever more of the truth."""
    item = Item("", small[0].image, small[0].truth.astype(np.int32))
    many = []
    for k in range(20):
        labels = item.labels.copy()
        labels[:, : 8 * k] = 255
        many.append(dataclasses.replace(item, id=f"flower {k}", labels=labels))
    result = compare.run(["saliency:centre_prior+argmax"], many)
    cases = pictures.shown(result)
    scores = result.rows[0].images["mean_iou"]
    assert [case.place for case in cases] == ["worst"] * 8 + ["best"] * 8
    assert [case.score for case in cases[:8]] == sorted(scores)[:8]
    assert [case.score for case in cases[8:]] == sorted(scores)[:-9:-1]
    assert len({case.item.id for case in cases}) == 16


def test_errors_are_coloured_and_void_is_not() -> None:
    truth = np.array([[0, 0, 1, 1, 255, 255]], np.int32)
    found = np.array([[0, 1, 0, 1, 0, 1]], np.uint8)
    item = Item("strip", np.full((1, 6, 3), 200, np.uint8), truth)
    result = compare.run(["saliency:centre_prior+argmax"], [item])
    right_out, added, missed, right_in, void_out, void_in = pictures.errors(result, item, found)[0]
    assert right_out.max() < 60
    assert added[0] > added[2] + 100
    assert missed[2] > missed[0] + 100
    np.testing.assert_array_equal(right_in, (200, 200, 200))
    np.testing.assert_array_equal(void_in, right_in)
    assert void_out.max() < 60


def test_a_wrong_pixel_of_many_classes_has_the_colour_of_what_it_was_taken_for() -> None:
    item = Item("strip", np.full((1, 4, 3), 200, np.uint8), np.array([[0, 1, 2, 255]], np.int32))
    colors = np.array([[0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    data = Dataset("three", ("a", "b", "c"), colors, ("strip",), {"strip": item}.__getitem__)
    uniform = compare.Evidence(np.zeros((1, 4, 3), np.float32))
    compare.EVIDENCE["none"] = lambda task: uniform
    try:
        result = compare.run(["none+argmax"], data)
    finally:
        del compare.EVIDENCE["none"]
    right, as_c, as_a, void = pictures.errors(result, item, np.array([[0, 2, 0, 1]], np.uint8))[0]
    np.testing.assert_array_equal(right, void)
    assert as_c[2] > 200 > 100 > as_c[0]
    assert as_a.max() < 100

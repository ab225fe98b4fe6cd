"""The table, the JSON and the sheets of pictures that a comparison is written to."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from printing import printed

from classicseg import compare, io
from classicseg.compare import pictures
from classicseg.samples import Sample


def test_the_table_fits_a_terminal_of_eighty_columns(table: compare.Comparison) -> None:
    text = printed(table, 80)
    for row in table.rows:
        assert row.pipeline in text
        assert f"{row.mean_iou:.3f}" in text
    assert "…" not in text
    positions = [text.index(row.pipeline) for row in table.rows]
    assert positions == sorted(positions)


def test_results_are_strict_json_with_all_scores(
    table: compare.Comparison, tmp_path: Path, small: list[Sample]
) -> None:
    results, *sheets = compare.write(table, tmp_path / "new" / "folder", ["classicseg", "a b"])
    written = json.loads(results.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert written["command"] == "classicseg 'a b'"
    assert written["seed"] == 0
    assert written["engine"] == "native"
    assert written["versions"]["numpy"] == np.__version__
    assert written["machine"]["cores"] >= 1
    assert [entry["name"] for entry in written["samples"]] == ["flower", "coins"]
    for entry, row in zip(written["pipelines"], table.rows, strict=True):
        assert entry["pipeline"] == row.pipeline
        assert entry["mean_iou"] == row.mean_iou
        assert [image["mean_iou"] for image in entry["images"]] == [
            result.mean_iou for result in row.results
        ]
        counted = sum(np.sum(image["confusion"]) for image in entry["images"])
        assert counted == sum((sample.truth != 255).sum() for sample in small)
    assert [path.name for path in sheets] == ["sheet.png"]
    assert io.read_image(sheets[0]).shape[1] > 14 * 256


def test_many_samples_take_several_pages_and_old_ones_go(
    small: list[Sample], tmp_path: Path
) -> None:
    many = [dataclasses.replace(small[0], name=f"flower {i}") for i in range(13)]
    for name in ("sheet.png", "sheet-3.png", "sheet-of-mine.png"):
        (tmp_path / name).write_bytes(b"old")
    result = compare.run(["saliency:centre_prior+argmax"], many)
    paths = compare.write(result, tmp_path)
    assert [path.name for path in paths] == ["results.json", "sheet-1.png", "sheet-2.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "results.json",
        "sheet-1.png",
        "sheet-2.png",
        "sheet-of-mine.png",
    ]
    first, second = (io.read_image(path) for path in paths[1:])
    assert first.shape[0] > 4 * second.shape[0]


def test_errors_are_coloured_and_void_is_not() -> None:
    truth = np.array([[0, 0, 1, 1, 255, 255]], np.uint8)
    mask = np.array([[False, True, False, True, False, True]])
    sample = Sample(
        name="strip",
        image=np.full((1, 6, 3), 200, np.uint8),
        mask=truth == 1,
        void=truth == 255,
        truth=truth,
        rect=(0, 0, 6, 1),
        scribbles=np.zeros((1, 6), np.uint8),
        description="",
    )
    right_out, added, missed, right_in, void_out, void_in = pictures.errors(sample, mask)[0]
    assert right_out.max() < 60
    assert added[0] > added[2] + 100
    assert missed[2] > missed[0] + 100
    np.testing.assert_array_equal(right_in, (200, 200, 200))
    np.testing.assert_array_equal(void_in, right_in)
    np.testing.assert_array_equal(void_out, right_out)

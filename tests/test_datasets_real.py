"""The real data, where it is there: see `shared_data`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classicseg import datasets

# Folder, name, split, how many, classes that occur in the first few.
REAL = [
    ("voc2012", "voc2012", "val", 200, {0}),
    ("camvid", "camvid", "train", 367, {0, 1, 3, 5}),
    ("camvid", "camvid", "val", 101, {0, 1, 3, 5}),
    ("grabcut50", "grabcut", None, 25, {0, 1}),
    ("bsds500", "bsds500", "val", 100, {0, 1}),
    ("mit1003", "fixations", None, 50, {0, 1}),
    ("isbi2012", "isbi2012", None, 20, {0, 1}),
    ("figure_ground", "salient_objects", None, 481, {0, 1}),
]


@pytest.mark.parametrize(
    ("place", "name", "split", "count", "seen"), REAL, ids=lambda v: str(v) if v else ""
)
def test_it_is_read(
    place: str, name: str, split: str | None, count: int, seen: set[int], shared_data: Path
) -> None:
    if not (shared_data / place).is_dir():
        pytest.skip(f"no {place} in {shared_data}")
    dataset = datasets.open(name, shared_data / place, split)
    assert len(dataset) == count
    found: set[int] = set()
    for item in dataset.select(every=max(count // 4, 1)):
        assert item.image.shape == (*item.labels.shape, 3) and item.image.std() > 5
        found |= set(np.unique(item.labels).tolist())
    assert seen <= found
    if dataset.n_classes:
        assert max(found - {dataset.void}) < dataset.n_classes


def test_graded_salient_objects_of_voc(shared_data: Path) -> None:
    """Few images have all observers agree."""
    dataset = datasets.salient_objects(shared_data / "voc2012").select(every=20)
    grades = [len(np.unique(item.density)) for item in dataset]
    assert max(grades) > 2


def test_boxes_of_the_grabcut_set_leave_room(shared_data: Path) -> None:
    for item in datasets.grabcut(shared_data / "grabcut50").select(every=5):
        x, y, width, height = item.rect
        outside = np.ones(item.labels.shape, bool)
        outside[y : y + height, x : x + width] = False
        assert not (item.labels[outside] == 1).any()

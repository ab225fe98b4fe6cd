"""Data sets: lists of names that are read when asked for."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from data_trees import TREES

from classicseg import datasets, samples
from classicseg.datasets import Dataset, Item


def broken_at(name: str) -> Item:
    """Items of one pixel, but for those called bad."""
    if name.startswith("bad"):
        raise ValueError(f"{name}.png: it is cut off")
    return Item(name, np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.int32))


def small(*names: str, strict: bool = True) -> Dataset:
    return Dataset("small", ("all",), np.zeros((1, 3), np.uint8), names, broken_at, strict=strict)


def test_the_bundled_photographs() -> None:
    dataset = datasets.bundled()
    assert dataset.ids == samples.names()
    assert dataset.n_classes == 2 and dataset.palette.shape == (2, 3)
    for item, name in zip(dataset, dataset.ids, strict=True):
        sample = samples.load(name)
        assert item.id == name
        assert item.image.shape == (*item.labels.shape, 3)
        assert item.image.dtype == np.uint8 and item.labels.dtype == np.int32
        np.testing.assert_array_equal(item.labels, sample.truth)
        assert item.rect == sample.rect
        np.testing.assert_array_equal(item.scribbles, sample.scribbles)


def test_a_pickled_one_reads_the_same() -> None:
    other = pickle.loads(pickle.dumps(datasets.bundled().select(["coins"])))
    assert len(other) == 1
    np.testing.assert_array_equal(other[0].image, datasets.bundled().read("coins").image)


def test_items_by_place_and_by_name() -> None:
    dataset = small("a", "b", "c", "d", "e")
    assert len(dataset) == 5 and dataset[-1].id == "e" and dataset.read("b").id == "b"
    assert dataset.select(["e", "a"]).ids == ("e", "a")
    assert dataset.select(every=2).ids == ("a", "c", "e")
    assert [item.id for item in dataset] == list("abcde")
    with pytest.raises(IndexError):
        dataset[5]
    with pytest.raises(ValueError, match=r"small holds no item 'f', but a, b, c and 2 more"):
        dataset.read("f")
    with pytest.raises(ValueError, match="small holds no item 'f'"):
        dataset.select(["a", "f"])
    with pytest.raises(ValueError, match="names an item twice"):
        dataset.select(["a", "a"])
    with pytest.raises(TypeError, match="expected a list of strings"):
        dataset.select("abc")
    with pytest.raises(TypeError, match="ids is 5, expected a list of strings"):
        dataset.select(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ids holds other things"):
        dataset.select([1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="every"):
        dataset.select(every=0)


def test_what_is_broken_stops_or_is_counted() -> None:
    with pytest.raises(ValueError, match=r"bad1\.png: it is cut off"):
        list(small("a", "bad1", "b"))
    lenient = small("a", "bad1", "b", "bad2", strict=False)
    assert [item.id for item in lenient] == ["a", "b"]
    assert lenient.skipped == {
        "bad1": "bad1.png: it is cut off",
        "bad2": "bad2.png: it is cut off",
    }
    with pytest.raises(ValueError, match="cut off"):
        lenient[1]


def test_check_reads_everything_once() -> None:
    seen = []
    checked = small("a", "bad1", "b").check(lambda done, n: seen.append((done, n)))
    assert checked.ids == ("a", "b") and list(checked.skipped) == ["bad1"]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_open_by_name() -> None:
    assert datasets.open("bundled").ids == samples.names()
    with pytest.raises(ValueError, match="name is 'nonsense', expected one of bundled"):
        datasets.open("nonsense")
    with pytest.raises(ValueError, match="neither a root nor a split"):
        datasets.open("bundled", "somewhere")


@pytest.mark.parametrize("name", datasets.names()[1:])
def test_roots_and_splits_that_are_none_are_named(name: str, tmp_path: Path) -> None:
    for root in (5, b"here", [tmp_path]):
        with pytest.raises(TypeError, match=r"root is .*, expected a path"):
            datasets.open(name, root)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"root is .* without null"):
        datasets.open(name, "a\0b")
    with pytest.raises(ValueError, match=f"{name} needs the folder that holds it as root"):
        datasets.open(name)
    for tree in (tree for tree in TREES if tree.name == name):
        tree.make(tmp_path)
        for split in (5, "", "../val", "a\0b", "nonsense"):
            with pytest.raises((TypeError, ValueError, OSError)) as caught:
                datasets.open(name, tmp_path, split)  # type: ignore[arg-type]
            assert "split is" in str(caught.value) or "nonsense" in str(caught.value)

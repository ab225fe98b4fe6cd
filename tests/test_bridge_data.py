"""Folders of images and masks, and how training samples vary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from classicseg import bridge, datasets, io
from classicseg.bridge._augment import (
    Augmentation,
    Sample,
    augment,
    border_weights,
    paste,
)
from classicseg.bridge._pairs import as_pairs, count_classes


def write(place: Path, name: str, labels: NDArray[np.integer], ending: str = ".png") -> None:
    (place / "images").mkdir(exist_ok=True)
    (place / "masks").mkdir(exist_ok=True)
    grey = (np.asarray(labels) % 2 * 200).astype(np.uint8)
    io.write_image(place / "images" / f"{name}{ending}", np.dstack([grey] * 3))
    io.write_labels(place / "masks" / f"{name}.png", labels)


def sample(labels: NDArray[np.uint8]) -> Sample:
    image = np.repeat((labels * 80).astype(np.uint8)[:, :, None], 3, axis=2)
    return Sample(image, labels, labels.astype(np.float32))


def halves(height: int = 40, width: int = 60) -> NDArray[np.uint8]:
    labels = np.zeros((height, width), np.uint8)
    labels[:, width // 2 :] = 1
    return labels


def test_a_folder_gives_classes_and_void(tmp_path: Path) -> None:
    write(tmp_path, "a", np.array([[0, 7], [11, 7]]))
    write(tmp_path, "b", np.array([[7, 7]]), ".bmp")
    data = datasets.folder(
        tmp_path / "images", tmp_path / "masks", 2, values=(0, 7), ignore_index=11
    )
    image, labels = as_pairs(data)[0]
    assert image.shape == (2, 2, 3) and labels.dtype == np.uint8
    assert labels.tolist() == [[0, 1], [255, 1]] and len(data) == 2
    assert count_classes(as_pairs(data), 2, "data").tolist() == [1, 4]


def test_a_class_may_have_the_void_label(tmp_path: Path) -> None:
    write(tmp_path, "a", np.array([[0, 255]]))
    data = datasets.folder(tmp_path / "images", tmp_path / "masks", 2, values=(0, 255))
    assert as_pairs(data)[0][1].tolist() == [[0, 1]]


def test_what_does_not_fit_is_told_early(tmp_path: Path) -> None:
    write(tmp_path, "a", np.array([[0, 1], [2, 1]]))
    images, masks = tmp_path / "images", tmp_path / "masks"
    with pytest.raises(ValueError, match=r"a\.png holds the label 2, expected 0\.\.1 for the 2"):
        count_classes(as_pairs(datasets.folder(images, masks, 2)), 2, "data")
    io.write_image(images / "b.jpg", np.zeros((2, 2, 3), np.uint8))
    io.write_image(images / "c.jpg", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match=r"b\.jpg and 1 more of .* has no mask in"):
        datasets.folder(images, masks, 3)
    for name in "bc":
        io.write_labels(masks / f"{name}.png", np.zeros((2, 3), int))
    with pytest.raises(ValueError, match=r"b\.png is 3 x 2 pixels, but its image .* is 2 x 2"):
        datasets.folder(images, masks, 3)
    with pytest.raises(NotADirectoryError, match="nowhere is no folder"):
        datasets.folder(tmp_path / "nowhere", masks, 3)
    with pytest.raises(ValueError, match="holds no images"):
        datasets.folder(tmp_path, masks, 3)
    with pytest.raises(ValueError, match=r"values is \(0, 0\), expected 2 different"):
        datasets.folder(images, masks, 2, values=(0, 0))
    (masks / "b.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"b\.png cannot be read as an image"):
        datasets.folder(images, masks, 3)


def test_sequences_of_pairs_are_checked_as_well() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match=r"data\[1\] hold 3, expected classes 0\.\.2 or 255"):
        count_classes([(image, np.eye(2, dtype=int)), (image, np.full((2, 2), 3))], 3, "data")
    with pytest.raises(ValueError, match=r"data\[0\] has shape \(2, 3\), expected \(2, 2\)"):
        count_classes([(image, np.zeros((2, 3), int))], 3, "data")
    with pytest.raises(ValueError, match="data is empty"):
        count_classes([], 3, "data")
    with pytest.raises(ValueError, match="nothing but void"):
        count_classes([(image, np.full((2, 2), 255))], 3, "data")


def test_pick_splits_by_name(tmp_path: Path) -> None:
    for name in ("s1_a", "s1_b", "s2_a"):
        write(tmp_path, name, np.eye(2, dtype=int))
    data = datasets.folder(tmp_path / "images", tmp_path / "masks", 2)
    rest, picked = bridge.pick(data, ["s1_*"])
    assert picked.ids == ("s1_a", "s1_b") and len(rest) == 1
    with pytest.raises(ValueError, match="'s3\\*' matches none of the 3"):
        bridge.pick(data, ["s3*"])
    with pytest.raises(ValueError, match="none is left"):
        bridge.pick(data, ["*"])


@pytest.mark.parametrize(
    "how",
    [
        Augmentation(),
        Augmentation(scale=(0.3, 3.0)),
        Augmentation(flip=True, turn=True),
        Augmentation(rotate=30),
        Augmentation(elastic=4),
    ],
    ids=str,
)
def test_image_labels_and_weights_move_together(how: Augmentation) -> None:
    """Their values are multiples of each other, but for what lies at an edge or outside."""
    rng = np.random.default_rng(0)
    moved = 0
    for _ in range(20):
        got = augment(sample(halves()), how, (32, 32), 1.0, rng)
        assert got.image.shape == (32, 32, 3) and got.labels.shape == got.weights.shape == (32, 32)
        known = got.labels != 255
        agree = np.abs(got.image[..., 0] / 80.0 - got.labels)[known] < 0.5
        assert agree.mean() > 0.95
        assert (np.abs(got.weights - got.labels)[known] < 0.5).mean() > 0.95
        assert (got.image[~known] == (124, 116, 104)).all()
        moved += not np.array_equal(got.labels, halves(32, 32))
    assert moved > 10


def test_the_whole_image_is_kept_where_nothing_varies() -> None:
    before = sample(halves())
    after = augment(before, Augmentation(), (40, 60), 1.0, np.random.default_rng(0))
    assert np.array_equal(before.image, after.image)
    assert np.array_equal(before.labels, after.labels)
    half = augment(before, Augmentation(), (20, 30), 0.5, np.random.default_rng(0))
    assert np.array_equal(half.labels, halves(20, 30))


def test_colours_vary_and_labels_do_not() -> None:
    before = sample(halves())
    how = Augmentation(colour=1.0)
    after = augment(before, how, (40, 60), 1.0, np.random.default_rng(0))
    assert np.array_equal(before.labels, after.labels)
    assert not np.array_equal(before.image, after.image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 2)])
def test_tiny_and_thin_images_are_samples_too(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    how = Augmentation(scale=(0.25, 4.0), flip=True, turn=True, rotate=10, colour=1, elastic=2)
    for scale in (0.1, 1.0, 10.0):
        got = augment(sample(np.ones(shape, np.uint8)), how, (16, 24), scale, rng)
        assert got.image.shape == (16, 24, 3) and set(np.unique(got.labels)) <= {1, 255}


def test_paste_lays_class_1_over() -> None:
    under, over = sample(np.zeros((4, 6), np.uint8)), sample(halves(4, 6))
    got = paste(under, over)
    assert np.array_equal(got.labels, halves(4, 6))
    assert np.array_equal(got.image[..., 0], halves(4, 6) * 80)


def test_border_weights_equal_the_papers_formula() -> None:
    """Against distances to every cell, sorted."""
    rng = np.random.default_rng(3)
    labels = np.ones((60, 70), np.uint8)
    labels[rng.integers(0, 60, 4)] = 0
    labels[:, rng.integers(0, 70, 4)] = 0
    from scipy import ndimage

    cells, n = ndimage.label(labels)
    distances = np.stack([ndimage.distance_transform_edt(cells != i + 1) for i in range(n)])
    nearest, second = np.sort(distances, axis=0)[:2]
    expected = np.where(labels == 1, 1, 1 + 10 * np.exp(-((nearest + second) ** 2) / 50))
    np.testing.assert_allclose(border_weights(labels), expected, atol=1e-4)
    assert (border_weights(np.zeros((5, 5), np.uint8)) == 1).all()
    assert (border_weights(np.eye(5, dtype=np.uint8)[:1]) == 1).all()


def test_recipes_are_checked() -> None:
    assert bridge.fcn_recipe("googlenet").learning_rate == 5e-5
    assert bridge.fcn_recipe("vgg16", learning_rate=1).learning_rate == 1
    for name, value in (
        ("epochs", 0),
        ("batch_size", 1.5),
        ("schedule", "cosine"),
        ("learning_rate", float("nan")),
        ("size", (0, 3)),
        ("precision", "int8"),
    ):
        with pytest.raises((TypeError, ValueError), match=f"{name} is "):
            bridge.modern_recipe(**{name: value})
    with pytest.raises(ValueError, match="augmentation needs a size"):
        bridge.modern_recipe(size=None, augmentation=Augmentation(flip=True))


def test_schedules() -> None:
    poly = bridge.modern_recipe(schedule="poly")
    assert poly.rate(0) == 1 and poly.rate(1) == 0 and poly.rate(0.5) == pytest.approx(0.5**0.9)
    cycle = [bridge.modern_recipe().rate(t) for t in np.linspace(0, 1, 101)]
    assert int(np.argmax(cycle)) == 20 and np.all(np.diff(cycle[20:]) < 0)


def test_any_data_set_can_be_learned_from(tmp_path: Path) -> None:
    """Its classes' names are kept with the weights; one of regions is refused."""
    for name in "ab":
        write(tmp_path, name, halves(32, 32))
    dataset = datasets.folder(tmp_path / "images", tmp_path / "masks", ("left", "right"))
    recipe = bridge.modern_recipe(epochs=1, size=(32, 32), batch_size=2, precision="float32")
    bridge.train("fcn:small", dataset, out=tmp_path / "out", recipe=recipe)
    assert bridge.card(tmp_path / "out" / "weights.safetensors").classes == ("left", "right")
    regions = replace(dataset, void=-1)
    with pytest.raises(ValueError, match=r"has 2 classes and -1 as void, expected 1\.\.255"):
        bridge.train("fcn:small", regions, out=tmp_path / "out", recipe=recipe)

"""The readers: the official layouts in small, whole and damaged."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from data_trees import TREES, Tree, codes, put_image, put_list, put_png, put_regions, put_sbd
from PIL import Image
from scipy.io import savemat

from classicseg import datasets
from classicseg.datasets import Dataset
from classicseg.datasets._matlab import read_matlab

each = pytest.mark.parametrize("tree", TREES, ids=lambda t: f"{t.name}-{t.split}")


def opened(tree: Tree, root: Path, strict: bool = True) -> Dataset:
    return datasets.open(tree.name, root, tree.split, strict=strict)


def complains(tree: Tree, root: Path, reason: str) -> None:
    """Where it is opened or read, with the file; not strict: that one is left out, and why."""
    file = Path(tree.truth).name
    with pytest.raises((ValueError, OSError), match=reason) as caught:
        opened(tree, root).read(tree.ids[0])
    assert file in str(caught.value)
    dataset = opened(tree, root, strict=False)
    assert [item.id for item in dataset] == [tree.ids[1]]
    assert re.search(reason, dataset.skipped[tree.ids[0]])
    assert opened(tree, root, strict=False).check().ids == tree.ids[1:]


@each
def test_labels_come_as_classes_and_void(tree: Tree, tmp_path: Path) -> None:
    dataset = opened(tree, tree.make(tmp_path))
    assert dataset.ids == tree.ids and dataset.skipped == {}
    assert dataset.n_classes == tree.n_classes and dataset.palette.shape == (tree.n_classes, 3)
    assert dataset.palette.dtype == np.uint8
    item = dataset[0]
    assert item.image.shape == (3, 4, 3) and item.image.dtype == np.uint8
    assert abs(int(item.image[0, 0, 0]) - 90) <= 1
    assert item.labels.dtype == np.int32
    np.testing.assert_array_equal(item.labels, tree.expected)
    assert len(pickle.dumps(dataset.reader)) < 2000  # it goes to another process with every item
    again = pickle.loads(pickle.dumps(dataset)).read(tree.ids[0])
    np.testing.assert_array_equal(again.labels, item.labels)


@each
def test_missing_labels_are_named(tree: Tree, tmp_path: Path) -> None:
    (tree.make(tmp_path) / tree.truth).unlink()
    with pytest.raises((ValueError, OSError), match=tree.ids[0]):
        opened(tree, tmp_path)
    dataset = opened(tree, tmp_path, strict=False)
    assert dataset.ids == tree.ids[1:] and list(dataset.skipped) == [tree.ids[0]]


@each
def test_labels_that_are_cut_off_are_named(tree: Tree, tmp_path: Path) -> None:
    path = tree.make(tmp_path) / tree.truth
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    complains(tree, tmp_path, "cannot be read as|rows of labels|pixels, but its image")
    path.write_bytes(b"")
    complains(tree, tmp_path, "is empty|cannot be read")


@each
def test_labels_of_another_size_are_named(tree: Tree, tmp_path: Path) -> None:
    tree.put(tree.make(tmp_path) / tree.truth, tree.in_file[:2])
    complains(tree, tmp_path, "is 4 x 2 pixels, but its image .* is 4 x 3")


@each
def test_labels_out_of_range_are_named(tree: Tree, tmp_path: Path) -> None:
    if tree.wrong is None:
        pytest.skip("any grey is a grade")
    tree.put(tree.make(tmp_path) / tree.truth, codes(int(tree.in_file[0, 0]), tree.wrong))
    complains(tree, tmp_path, f"holds the (label|region) {tree.wrong}, expected")


@each
def test_a_damaged_image_is_named(tree: Tree, tmp_path: Path) -> None:
    tree.make(tmp_path)
    dataset = opened(tree, tmp_path)
    (picture,) = (
        path
        for path in tmp_path.rglob("*.*")
        if path.stem.startswith(tree.ids[0])
        and path != tmp_path / tree.truth
        and "fixPts" not in path.stem
    )
    picture.write_bytes(picture.read_bytes()[:40])
    with pytest.raises(ValueError, match=picture.name):
        dataset[0]


@each
def test_another_folder_is_told_from_a_data_set(tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"expected the root of|is no folder|is missing"):
        opened(tree, tmp_path / "nowhere")
    with pytest.raises(OSError, match=r"missing|none of the pairs"):
        opened(tree, tmp_path)


def test_voc_with_masks_of_sbd(tmp_path: Path) -> None:
    """All of SBD but VOC's val; VOC's own masks where it has them."""
    voc, sbd = tmp_path / "VOC2012", tmp_path / "benchmark_RELEASE" / "dataset"
    for name in "abcd":
        put_image(voc / "JPEGImages" / f"{name}.jpg")
        put_sbd(sbd / "cls" / f"{name}.mat", codes(3))
    put_png(voc / "SegmentationClass" / "a.png", codes(5))
    put_list(voc / "ImageSets/Segmentation/train.txt", "a")
    put_list(voc / "ImageSets/Segmentation/val.txt", "d")
    put_list(sbd / "train.txt", "a", "b")
    put_list(sbd / "val.txt", "c", "d")
    dataset = datasets.voc2012(voc, "train_aug", sbd=tmp_path)
    assert dataset.ids == ("a", "b", "c")
    assert [int(item.labels[0, 0]) for item in dataset] == [5, 3, 3]
    with pytest.raises(ValueError, match="sbd is for the split 'train_aug', not for 'val'"):
        datasets.voc2012(voc, "val", sbd=tmp_path)
    with pytest.raises(FileNotFoundError, match="SegmentationClassAug"):
        datasets.voc2012(voc, "train_aug")
    with pytest.raises(FileNotFoundError, match=r"test\.txt is missing: the lists there are train"):
        datasets.voc2012(voc, "test")


@pytest.mark.parametrize(
    "content",
    [
        {"other": 1},
        {"GTcls": 1},
        {"GTcls": {"Boundaries": 1}},
        {"GTcls": {"Segmentation": "text"}},
        {"GTcls": {"Segmentation": np.full((3, 4), 0.5)}},
        {"GTcls": {"Segmentation": np.zeros((3, 4, 2), np.uint8)}},
        {"GTcls": {"Segmentation": {"more": 1}}},
    ],
    ids=str,
)
def test_a_mat_file_that_holds_something_else(content: dict[str, object], tmp_path: Path) -> None:
    tree = TREES[2]
    savemat(tree.make(tmp_path) / tree.truth, content)
    with pytest.raises(ValueError, match=r"2008_000002\.mat"):
        opened(tree, tmp_path)[0]


@pytest.mark.parametrize(
    "content", [{"groundTruth": 1}, {"groundTruth": np.array([[1, "a"]], object)}]
)
def test_a_mat_file_without_segmentations(content: dict[str, object], tmp_path: Path) -> None:
    tree = next(tree for tree in TREES if tree.name == "bsds500")
    savemat(tree.make(tmp_path) / tree.truth, content)
    with pytest.raises(ValueError, match=r"101085\.mat"):
        opened(tree, tmp_path)[0]


@pytest.mark.parametrize("name", ["sbd", "bsds500"])
def test_a_mat_file_that_lies(name: str, tmp_path: Path) -> None:
    """Bytes replaced, one at a time: an error that names the file or labels, never a crash."""
    tree = next(tree for tree in TREES if tree.name == name)
    path = tree.make(tmp_path) / tree.truth
    whole = path.read_bytes()
    dataset = opened(tree, tmp_path)
    complaints = 0
    for value in (b"\xff", b"\x7f", b"\0"):
        for k in range(0, len(whole), 11):
            path.write_bytes(whole[:k] + value + whole[k + 1 :])
            try:
                dataset[0]
            except ValueError as error:
                assert path.name in str(error)
                complaints += 1
    assert complaints > 10


def test_mat_files_are_read_as_scipy_does(tmp_path: Path) -> None:
    from scipy.io import loadmat

    rng = np.random.default_rng(0)
    kinds = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
    content = {f"x{kind}": (rng.random((3, 5)) * 100).astype(kind) for kind in kinds}
    content["nested"] = {"a": np.arange(3), "inner": {"b": np.eye(2)}, "text": "abc"}
    for packed in (False, True):
        savemat(tmp_path / "a.mat", content, do_compression=packed)
        theirs = loadmat(tmp_path / "a.mat")
        for kind in kinds:
            ours = read_matlab(tmp_path / "a.mat", f"x{kind}")
            np.testing.assert_array_equal(ours, theirs[f"x{kind}"])
        nested = read_matlab(tmp_path / "a.mat", "nested")
        np.testing.assert_array_equal(nested["inner"]["b"], np.eye(2))
        assert nested["a"].tolist() == [[0, 1, 2]] and nested["text"] is None
    with pytest.raises(ValueError, match="it holds no 'other', but xu1, xi1"):
        read_matlab(tmp_path / "a.mat", "other")
    (tmp_path / "a.mat").write_bytes(b"\x89HDF" + b"\0" * 200)
    with pytest.raises(ValueError, match="it has not the head of one"):
        read_matlab(tmp_path / "a.mat", "other")


def test_people_disagree(tmp_path: Path) -> None:
    tree = next(tree for tree in TREES if tree.name == "bsds500")
    dataset = opened(tree, tree.make(tmp_path))
    item = dataset[0]
    assert dataset.void == -1 and len(item.segmentations) == 2
    np.testing.assert_array_equal(item.segmentations[0], item.labels)
    assert (item.segmentations[1] == 0).all()


def test_the_box_of_the_grabcut_set(tmp_path: Path) -> None:
    put_image(tmp_path / "images" / "a.jpg", 100, 200)
    truth = np.zeros((100, 200), int)
    truth[40:60, 10:199] = 128
    truth[50:60, 12:198] = 255
    put_png(tmp_path / "truth" / "a.png", truth)
    assert datasets.grabcut(tmp_path)[0].rect == (8, 48, 192, 14)  # grown by 4 and 2, clipped


def test_the_rectangles_of_the_grabcut_set(tmp_path: Path) -> None:
    """The authors' are taken where they are."""
    tree = next(tree for tree in TREES if tree.name == "grabcut")
    tree.make(tmp_path)
    drawn = np.full((3, 4), 64)
    drawn[1:, 1:3] = 128
    put_png(tmp_path / "boundary_GT_rect" / "banana1.bmp", drawn)
    dataset = datasets.grabcut(tmp_path)
    assert dataset.read("banana1").rect == (1, 1, 2, 2)
    assert dataset.read("bush").rect == (1, 0, 3, 3)
    put_png(tmp_path / "boundary_GT_rect" / "banana1.bmp", codes(64))
    with pytest.raises(ValueError, match=r"banana1\.bmp holds no rectangle"):
        dataset.read("banana1")


def test_graded_maps(tmp_path: Path) -> None:
    put_image(tmp_path / "images" / "a.jpg")
    put_png(tmp_path / "masks" / "a.png", codes(0, 51, 102))
    item = datasets.salient_objects(tmp_path, threshold=0.4)[0]
    np.testing.assert_allclose(item.density[0], [0, 0.2, 0.4, 0], rtol=1e-6)
    assert item.labels[0].tolist() == [0, 0, 1, 0]
    with pytest.raises(ValueError, match=r"threshold is 2, expected at most 1"):
        datasets.salient_objects(tmp_path, threshold=2)
    put_png(tmp_path / "masks" / "a.png", codes(0, 1))
    assert datasets.salient_objects(tmp_path)[0].labels[0].tolist() == [0, 1, 0, 1]
    Image.new("RGB", (4, 3), (9, 9, 9)).save(tmp_path / "masks" / "a.png")
    assert datasets.salient_objects(tmp_path)[0].labels.max() == 0
    Image.new("RGB", (4, 3), (9, 8, 9)).save(tmp_path / "masks" / "a.png")
    with pytest.raises(ValueError, match=r"a\.png is in colour, expected a grey map"):
        datasets.salient_objects(tmp_path)[0]


def test_slices_of_a_volume(tmp_path: Path) -> None:
    """The challenge's own form: TIFF files of many pages."""
    pages = [Image.new("L", (4, 3), 10 * k) for k in range(3)]
    labels = [Image.new("L", (4, 3), value) for value in (0, 255, 9)]
    pages[0].save(tmp_path / "train-volume.tif", save_all=True, append_images=pages[1:])
    labels[0].save(tmp_path / "train-labels.tif", save_all=True, append_images=labels[1:])
    dataset = datasets.isbi2012(tmp_path)
    assert dataset.ids == ("0", "1", "2")
    assert dataset[1].image[0, 0].tolist() == [10, 10, 10] and dataset[1].labels.min() == 1
    with pytest.raises(ValueError, match="holds the label 9, expected 0, 255 for the 2 classes"):
        dataset[2]
    labels[0].save(tmp_path / "train-labels.tif", save_all=True, append_images=labels[1:2])
    with pytest.raises(ValueError, match=r"holds 2 pages, but .* holds 3"):
        datasets.isbi2012(tmp_path)
    assert datasets.isbi2012(tmp_path, strict=False).ids == ("0", "1")


def test_slices_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for k in range(11):
        put_image(tmp_path / f"images/{k}.png")
        put_png(tmp_path / f"labels/{k}.png", codes(0))
    assert datasets.isbi2012(tmp_path).ids == tuple(str(k) for k in range(11))


def test_every_fifth_of_stanford_is_for_validation(tmp_path: Path) -> None:
    for k in range(11):
        put_image(tmp_path / f"images/{k:02}.jpg")
        put_regions(tmp_path / f"labels/{k:02}.regions.txt", codes(k % 8))
    parts = {
        split: set(datasets.stanford_background(tmp_path, split).ids) for split in ("train", "val")
    }
    assert parts["val"] == {"00", "05", "10"} and not parts["train"] & parts["val"]
    assert len(datasets.stanford_background(tmp_path, "all")) == 11
    with pytest.raises(ValueError, match="split is 'test', expected one of train, val, all"):
        datasets.stanford_background(tmp_path, "test")


def test_data_sets_without_splits_say_so(tmp_path: Path) -> None:
    for name in ("grabcut", "salient_objects", "fixations", "isbi2012"):
        with pytest.raises(ValueError, match=f"split is 'val', but {name} has none"):
            datasets.open(name, tmp_path, "val")


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    """macOS leaves ._name beside what it copies."""
    tree = next(tree for tree in TREES if tree.name == "folder")
    for place in ("images/._a.jpg", "masks/._b.png"):
        (tree.make(tmp_path) / place).write_bytes(b"no image")
    assert opened(tree, tmp_path).check().ids == ("a", "b")


def test_folders_with_values_of_their_own(tmp_path: Path) -> None:
    put_image(tmp_path / "a.jpg")
    put_png(tmp_path / "a.png", codes(0, 7, 11))
    dataset = datasets.folder(tmp_path, tmp_path, ("x", "y"), values=(0, 7), ignore_index=11)
    assert dataset[0].labels[0].tolist() == [0, 1, 255, 0]
    with pytest.raises(ValueError, match="holds the label 7, expected 0, 11 for the 2 classes"):
        datasets.folder(tmp_path, tmp_path, 2, values=(0, 11))[0]
    with pytest.raises(TypeError, match="classes is the string 'ab'"):
        datasets.folder(tmp_path, tmp_path, "ab")
    with pytest.raises(ValueError, match="colors holds 3, expected 2"):
        datasets.folder(tmp_path, tmp_path, 2, colors=np.zeros((3, 3), int))
    put_image(tmp_path / "a.bmp")
    with pytest.raises(ValueError, match="are images of the same name"):
        datasets.folder(tmp_path, tmp_path, 2)

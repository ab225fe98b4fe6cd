"""Writing and reading back labels, masks and JSON; what is written is whole or not there."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classicseg import io, viz


def test_labels_there_and_back(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 256, (9, 8))
    path = tmp_path / "labels.png"
    io.write_labels(path, labels)
    read = io.read_labels(path)
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, labels)
    stored = Image.open(path)
    assert stored.mode == "P"
    np.testing.assert_array_equal(np.asarray(stored.convert("RGB")), viz.palette(256)[labels])


def test_labels_of_other_writers(tmp_path: Path) -> None:
    labels = np.array([[0, 3], [255, 21]], np.uint8)
    Image.fromarray(labels).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(io.read_labels(tmp_path / "grey.png"), labels)
    Image.fromarray(labels.astype(np.uint16) * 200).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(io.read_labels(tmp_path / "deep.png"), labels.astype(int) * 200)
    few = Image.fromarray(np.array([[0, 1], [2, 3]], np.uint8))
    few.putpalette(viz.palette(4).tobytes())
    few.save(tmp_path / "few.png", bits=2)
    np.testing.assert_array_equal(io.read_labels(tmp_path / "few.png"), [[0, 1], [2, 3]])
    io.write_image(tmp_path / "color.png", np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match=r"color\.png .*mode is RGB, expected labels"):
        io.read_labels(tmp_path / "color.png")


def test_labels_that_no_file_holds(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="256, expected at most 255"):
        io.write_labels(tmp_path / "a.png", np.array([[256]]))
    with pytest.raises(ValueError, match=r"a\.jpg must end in \.png"):
        io.write_labels(tmp_path / "a.jpg", np.array([[1]]))
    assert list(tmp_path.iterdir()) == []


def test_masks(tmp_path: Path) -> None:
    mask = np.array([[True, False, True]])
    path = tmp_path / "mask.png"
    io.write_mask(path, mask)
    assert np.asarray(Image.open(path)).tolist() == [[255, 0, 255]]
    np.testing.assert_array_equal(io.read_mask(path), mask)
    Image.fromarray(mask).save(path)
    np.testing.assert_array_equal(io.read_mask(path), mask)
    io.write_image(path, np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2))
    np.testing.assert_array_equal(io.read_mask(path), mask)
    io.write_image(path, np.array([[0, 128, 255]], np.uint8))
    with pytest.raises(ValueError, match=r"mask\.png .*the values 0, 128, 255"):
        io.read_mask(path)
    io.write_image(path, np.array([[[255, 0, 0]]], np.uint8))
    with pytest.raises(ValueError, match="in colour"):
        io.read_mask(path)


def test_write_floats(tmp_path: Path) -> None:
    levels = np.arange(256).reshape(16, 16) / 255
    io.write_image(tmp_path / "a.png", levels)
    np.testing.assert_array_equal(
        io.read_image(tmp_path / "a.png")[:, :, 0], np.arange(256).reshape(16, 16)
    )


@pytest.mark.parametrize(
    ("name", "image", "error", "message"),
    [
        ("a.png", np.zeros((3, 3), int), TypeError, "int64"),
        ("a.png", np.zeros((3, 3, 3), np.uint16), TypeError, "uint16 in grey"),
        ("a.png", np.zeros((3, 3, 2), np.uint8), ValueError, r"shape \(3, 3, 2\)"),
        ("a.png", np.zeros((0, 3), np.uint8), ValueError, r"\(0, 3\)"),
        ("a.png", np.full((3, 3), 1.1), ValueError, "outside"),
        ("a.png", np.full((3, 3), np.nan), ValueError, "NaN"),
        ("a.xyz", np.zeros((3, 3), np.uint8), ValueError, r"'\.xyz' names no image format"),
        ("a", np.zeros((3, 3), np.uint8), ValueError, "names no image format"),
        ("a.jpg", np.zeros((3, 3, 4), np.uint8), ValueError, "JPEG cannot hold"),
        ("a.jpg", np.zeros((3, 3), np.uint16), ValueError, "JPEG cannot hold"),
        ("none/a.png", np.zeros((3, 3), np.uint8), FileNotFoundError, "does not exist"),
    ],
)
def test_bad_writes_leave_nothing(
    name: str, image: np.ndarray, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        io.write_image(tmp_path / name, image)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    io.write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), io.atomic(path) as file:
        file.write(b"half of the n")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["result.txt"]


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_killed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    io.write_text(path, "old")
    code = (
        "import os, signal, sys; from classicseg import io\n"
        "with io.atomic(sys.argv[1]) as file:\n"
        "    file.write(b'new'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    root = Path(__file__).resolve().parents[1]
    result = subprocess.run([sys.executable, "-c", code, path], cwd=root, check=False)
    assert result.returncode == -signal.SIGKILL
    assert path.read_text() == "old"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path, texts = tmp_path / "a.txt", {"x" * 100_000, "y" * 100_000}
    io.write_text(path, "x" * 100_000)
    seen, done = set(), threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for i in range(40):
        io.write_text(path, sorted(texts)[i % 2])
    done.set()
    reader.join()
    assert seen <= texts


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions and links")
def test_permissions_and_links(tmp_path: Path) -> None:
    path, link = tmp_path / "real.txt", tmp_path / "link.txt"
    before = os.umask(0o027)
    try:
        io.write_text(path, "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    link.symlink_to(path)
    io.write_text(link, "b")
    assert link.is_symlink() and path.read_text() == "b"
    with pytest.raises(IsADirectoryError, match="is a folder"):
        io.write_text(tmp_path, "c")


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    data = {
        "miou": np.float32(0.5),
        "bad": [np.nan, float("inf")],
        "counts": np.arange(3),
        "name": "Straße",
        "path": Path("a") / "b",
        "flag": np.True_,
        "none": None,
        "pair": (1, np.int64(2)),
    }
    io.write_json(path, data)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "miou": 0.5,
        "bad": [None, None],
        "counts": [0, 1, 2],
        "name": "Straße",
        "path": str(Path("a") / "b"),
        "flag": True,
        "none": None,
        "pair": [1, 2],
    }
    with pytest.raises(TypeError, match="set"):
        io.write_json(path, {1, 2})
    assert "Straße" in path.read_text(encoding="utf-8")

"""Files: every kind of image that people have, and every way in which one can be broken."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import skimage.transform
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from classicseg import io, viz

READERS = [io.read_image, io.read_labels, io.read_mask, io.read_scores]


@pytest.fixture
def rgb(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)


@pytest.fixture
def rgb16(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16)


def png(pixels: np.ndarray, color_type: int, filtered: bool = True) -> bytes:
    """A 16-bit PNG by the book: each row is filtered as a difference to the pixel at its left."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).astype(">u2").view(np.uint8).astype(np.int64)
    step = 2 * (rows.shape[1] // width // 2)
    if filtered:
        rows[:, step:] = rows[:, step:] - rows[:, :-step]
    kinds = np.full((height, 1), int(filtered))
    data = np.hstack([kinds, rows % 256]).astype(np.uint8).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "webp"])
def test_rgb_there_and_back(ending: str, tmp_path: Path, rgb: np.ndarray) -> None:
    path = tmp_path / f"image.{ending}"
    if ending == "webp":
        Image.fromarray(rgb).save(path, lossless=True)
    else:
        io.write_image(path, rgb)
    image = io.read_image(path)
    assert image.dtype == np.uint8 and image.flags.c_contiguous and image.flags.writeable
    np.testing.assert_array_equal(image, rgb)


def test_jpeg_is_close(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    io.write_image(tmp_path / "a.JPG", smooth)
    image = io.read_image(tmp_path / "a.JPG")
    assert np.abs(image.astype(int) - smooth[:, :, None]).max() <= 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "CMYK", "PA"])
def test_every_mode_becomes_rgb(mode: str, tmp_path: Path, rgb: np.ndarray) -> None:
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    source = Image.fromarray(rgb)
    if mode == "PA":
        stored = source.quantize(8)
        stored.info["transparency"] = 0
        stored.save(path, transparency=0)
    else:
        stored = source.quantize(8) if mode == "P" else source.convert(mode)
        stored.save(path)
    image = io.read_image(path)
    assert image.shape == (5, 7, 3) and image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.asarray(stored.convert("RGB")))


def test_alpha_is_dropped(tmp_path: Path, rgb: np.ndarray) -> None:
    rgba = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    io.write_image(tmp_path / "a.png", rgba)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), rgba)
    np.testing.assert_array_equal(io.read_image(tmp_path / "a.png"), rgb)


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize(
    ("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)], ids=["grey", "rgb", "la", "rgba"]
)
def test_16_bit_png(
    color_type: int, channels: int, filtered: bool, tmp_path: Path, rng: np.random.Generator
) -> None:
    pixels = rng.integers(0, 65536, (6, 5, channels), dtype=np.uint16)
    path = tmp_path / "deep.png"
    path.write_bytes(png(pixels, color_type, filtered))
    image = io.read_image(path)
    assert image.dtype == np.uint16 and image.dtype.isnative
    expected = pixels[:, :, :3] if channels >= 3 else np.repeat(pixels[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(image, expected)


def test_16_bit_png_of_another_writer(tmp_path: Path, rgb16: np.ndarray) -> None:
    cv2 = pytest.importorskip("cv2")
    path = str(tmp_path / "deep.png")
    assert cv2.imwrite(path, rgb16[:, :, ::-1])
    np.testing.assert_array_equal(io.read_image(path), rgb16)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_16_bit_tiff(
    byteorder: Any, compression: str | None, tmp_path: Path, rgb16: np.ndarray
) -> None:
    path = tmp_path / "deep.tif"
    for pixels in (rgb16, rgb16[:, :, 0]):
        kind = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(
            path, pixels, byteorder=byteorder, compression=compression, photometric=kind
        )
        image = io.read_image(path)
        assert image.dtype == np.uint16
        expected = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
        np.testing.assert_array_equal(image, expected)


def test_16_bit_tiff_with_alpha_and_orientation(tmp_path: Path, rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 65536, (4, 6, 4), dtype=np.uint16)
    path = tmp_path / "deep.tif"
    tifffile.imwrite(
        path, pixels, photometric="rgb", extrasamples=["unassalpha"], extratags=[(274, 3, 1, 6)]
    )
    np.testing.assert_array_equal(io.read_image(path), np.rot90(pixels[:, :, :3], -1))


def test_16_bit_planar_tiff_is_refused(tmp_path: Path, rgb16: np.ndarray) -> None:
    path = tmp_path / "planar.tif"
    tifffile.imwrite(path, np.moveaxis(rgb16, -1, 0), photometric="rgb", planarconfig="separate")
    with pytest.raises(ValueError, match=r"planar\.tif .*layout"):  # Pillow alone returns noise
        io.read_image(path)


def test_16_bit_grey_there_and_back(tmp_path: Path, rgb16: np.ndarray) -> None:
    for name in ("a.png", "a.tif"):
        io.write_image(tmp_path / name, rgb16[:, :, 0])
        np.testing.assert_array_equal(io.read_image(tmp_path / name), rgb16[:, :, :1].repeat(3, 2))


def test_float_tiff_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((3, 3), np.float32))
    with pytest.raises(ValueError, match=r"f\.tif .*floating-point"):
        io.read_image(tmp_path / "f.tif")


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int, ending: str, tmp_path: Path) -> None:
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :16] = (250, 10, 10)
    upright[8:, 16:] = (10, 10, 250)
    undo = {  # what a camera stores, so that the tag's transform brings it upright
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{ending}"
    stored.save(path, exif=exif, **({"quality": 95, "subsampling": 0} if ending == "jpg" else {}))
    image = io.read_image(path)
    assert image.shape == upright.shape
    assert np.abs(image.astype(int) - upright).max() < 20


@pytest.mark.parametrize("name", ["späße 图像 🐈.png", "a b;c'd.png"])
def test_unicode_paths(name: str, tmp_path: Path, rgb: np.ndarray) -> None:
    folder = tmp_path / "ordner ünïcode"
    folder.mkdir()
    io.write_image(folder / name, rgb)
    np.testing.assert_array_equal(io.read_image(str(folder / name)), rgb)
    assert [path.name for path in folder.iterdir()] == [name]


def test_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 3), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert io.read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("read", READERS)
def test_no_such_file(read: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        read(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(ValueError, match=r"empty\.png is empty"):
        read(tmp_path / "empty.png")
    (tmp_path / "text.png").write_text("this is no image " * 100)
    with pytest.raises(ValueError, match=r"text\.png cannot be read"):
        read(tmp_path / "text.png")
    with pytest.raises(TypeError):
        read(3.5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="no regular file"):
        io.read_image(tmp_path / "pipe.png")


def test_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rgb: np.ndarray) -> None:
    io.write_image(tmp_path / "big.png", rgb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # 35 pixels: a warning at most
    np.testing.assert_array_equal(io.read_image(tmp_path / "big.png"), rgb)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)
    with pytest.raises(ValueError, match=r"big\.png is too large.*MAX_IMAGE_PIXELS"):
        io.read_image(tmp_path / "big.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp", "gif", "webp"])
def test_truncated(ending: str, tmp_path: Path, rng: np.random.Generator) -> None:
    whole = tmp_path / f"whole.{ending}"
    io.write_image(whole, rng.integers(0, 256, (40, 40, 3), dtype=np.uint8))
    data = whole.read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=rf"cut\.{ending} cannot be read as an image"):
        io.read_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "deep.png", "deep.tif", "npz", "npy"])
def test_damage_is_an_error_or_an_array(
    kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    """Flipped bytes and cuts never raise anything but ValueError (MemoryError included)."""
    path = tmp_path / f"file.{kind}"
    pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    if kind == "npz":
        np.savez_compressed(path, logits=np.ones((3, 4, 4), np.int8), scale=0.5)
    elif kind == "npy":
        np.save(path, np.full((2, 4, 4), 0.5, np.float32))
    elif kind == "deep.png":
        path.write_bytes(png(pixels.astype(np.uint16), 2))
    elif kind == "deep.tif":
        tifffile.imwrite(path, pixels.astype(np.uint16), photometric="rgb")
    else:
        io.write_image(path, pixels)
    data = path.read_bytes()
    read = io.read_scores if kind.startswith("np") else io.read_image
    n_errors = 0
    for _ in range(150):
        damaged = bytearray(data)
        for at in rng.integers(0, min(len(data), 400), 3):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged[: rng.integers(1, len(data))] if rng.random() < 0.3 else damaged)
        try:
            array = read(path)
            assert array.ndim == 3
        except ValueError as error:
            n_errors += 1
            assert str(path) in str(error)
    assert n_errors > 10


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


class TestScores:
    @given(
        h=st.integers(1, 9),
        w=st.integers(1, 9),
        height=st.integers(1, 20),
        width=st.integers(1, 20),
        is_logits=st.booleans(),
    )
    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    def test_enlarging_matches_scikit_image(
        self, h: int, w: int, height: int, width: int, is_logits: bool, tmp_path: Path
    ) -> None:
        rng = np.random.default_rng([h, w, height, width])
        values = rng.normal(size=(3, h, w)) if is_logits else rng.dirichlet(np.ones(3), (h, w)).T
        values = values if is_logits else values.transpose(0, 2, 1)
        key = "logits" if is_logits else "probabilities"
        np.savez(tmp_path / "a.npz", **{key: values})
        read = io.read_scores(tmp_path / "a.npz", shape=(height, width))
        large = skimage.transform.resize(
            np.moveaxis(values, 0, -1), (height, width), 1, mode="edge", anti_aliasing=False
        )
        expected = scipy.special.softmax(large, axis=-1) if is_logits else large
        assert read.dtype == np.float32 and read.flags.c_contiguous
        np.testing.assert_allclose(read, expected, atol=1e-5)

    def test_the_first_class_is_the_first(self, tmp_path: Path) -> None:
        logits = np.zeros((3, 2, 4), np.float32)
        logits[1, 0, 3] = 5
        np.savez(tmp_path / "a.npz", logits=logits)
        read = io.read_scores(tmp_path / "a.npz")
        assert read.shape == (2, 4, 3)
        assert np.unravel_index(read.argmax(), read.shape) == (0, 3, 1)

    def test_scale(self, tmp_path: Path) -> None:
        stored = np.array([[[8]], [[-16]]], np.int8)
        for extra, factor in (({}, 1 / 8), ({"scale": 0.5}, 0.5), ({"scale": np.ones(1)}, 1)):
            np.savez(tmp_path / "a.npz", logits=stored, **extra)
            expected = scipy.special.softmax(stored[:, 0, 0].astype(float) * factor)
            np.testing.assert_allclose(io.read_scores(tmp_path / "a.npz")[0, 0], expected, 1e-5)

    def test_whole_numbers_as_probabilities(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "a.npz", probabilities=np.array([[[51]], [[204]]], np.uint8))
        np.testing.assert_allclose(io.read_scores(tmp_path / "a.npz")[0, 0], [0.2, 0.8])

    def test_fewer_classes(self, tmp_path: Path, rng: np.random.Generator) -> None:
        logits = rng.normal(size=(4, 3, 3))
        np.savez(tmp_path / "a.npz", logits=logits)
        expected = scipy.special.softmax(logits[:3], axis=0)
        read = io.read_scores(tmp_path / "a.npz", n_classes=3)
        np.testing.assert_allclose(read, np.moveaxis(expected, 0, -1), rtol=1e-5)
        with pytest.raises(ValueError, match="4 classes, fewer than n_classes=5"):
            io.read_scores(tmp_path / "a.npz", n_classes=5)

    def test_npy(self, tmp_path: Path, rng: np.random.Generator) -> None:
        p = rng.dirichlet(np.ones(3), (4, 5)).astype(np.float32)
        path = tmp_path / "a.npy"
        for stored in (p, np.moveaxis(p, -1, 0)):
            np.save(path, stored)
            np.testing.assert_allclose(io.read_scores(path), p, rtol=1e-6)
        logits = rng.normal(size=(3, 4, 5)) * 5
        np.save(path, logits)
        expected = np.moveaxis(scipy.special.softmax(logits, axis=0), 0, -1)
        np.testing.assert_allclose(io.read_scores(path), expected, rtol=1e-4)
        np.save(path, np.full((2, 3, 4), 0.4))
        with pytest.raises(ValueError, match="sum to one neither"):
            io.read_scores(path)

    @pytest.mark.parametrize(
        ("arrays", "message"),
        [
            ({"scores": np.zeros((2, 3, 3))}, "holds .*scores.*expected one of"),
            ({"logits": np.zeros((2, 3, 3)), "probabilities": np.zeros((2, 3, 3))}, "one of"),
            ({"logits": np.zeros((3, 3))}, r"shape \(3, 3\)"),
            ({"logits": np.zeros((0, 3, 3))}, "shape"),
            ({"logits": np.zeros((2, 3, 3), complex)}, "complex"),
            ({"logits": np.full((2, 3, 3), np.nan)}, "NaN"),
            ({"logits": np.zeros((2, 3, 3), np.int16)}, "int16 and there is no `scale`"),
            ({"logits": np.zeros((2, 3, 3)), "scale": np.zeros(2)}, "one number"),
            ({"logits": np.zeros((2, 3, 3)), "scale": 0.0}, "scale"),
            ({"logits": np.zeros((2, 3, 3)), "scale": "x"}, "one number"),
            ({"probabilities": np.full((2, 3, 3), 0.6)}, "miss a sum of one"),
            ({"probabilities": np.zeros((2, 3, 3), np.uint8)}, "pixels without any"),
            ({"probabilities": np.array([[[-1.0]], [[2.0]]])}, "negative"),
            ({"logits": np.array([[[None]], [["x"]]])}, "pickle"),
        ],
    )
    def test_bad_archives(
        self, arrays: dict[str, np.ndarray], message: str, tmp_path: Path
    ) -> None:
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(ValueError, match=rf"bad\.npz cannot be read as scores: .*{message}"):
            io.read_scores(tmp_path / "bad.npz")

    @pytest.mark.parametrize("shape", [(0, 3), (3, -1), (2.5, 3)])
    def test_bad_shape(self, shape: Any, tmp_path: Path) -> None:
        with pytest.raises((ValueError, TypeError), match="shape"):
            io.read_scores(tmp_path / "any.npz", shape=shape)

    def test_real_files(self, shared_data: Path) -> None:
        for folder, n_classes, n_kept in (
            ("voc2012/logits", 21, 21),
            ("camvid/val_logits", 12, 11),
        ):
            path = next((shared_data / folder).glob("*.npz"))
            stored = np.load(path)["logits"]
            assert len(stored) == n_classes
            read = io.read_scores(path, n_classes=n_kept)
            expected = scipy.special.softmax(stored[:n_kept] / 8.0, axis=0)
            np.testing.assert_allclose(read, np.moveaxis(expected, 0, -1), rtol=1e-4, atol=1e-7)

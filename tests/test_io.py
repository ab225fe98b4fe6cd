"""Files: every kind of image that people have, and every way in which one can be broken."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from classicseg import io

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

"""Readers of files that are damaged, cut off, made of anything, or that lie about their size."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from damage import damaged, png_of, tiff_of
from hypothesis import given, settings
from PIL import Image

from classicseg import _scores, bridge, graphcut, io
from classicseg.bridge._checkpoint import read_checkpoint
from classicseg.bridge._weights import save
from classicseg.datasets._matlab import read_matlab
from classicseg.grabcut._session_file import Action, read_session, session_json

N_EXAMPLES = int(os.environ.get("CLASSICSEG_FUZZ_EXAMPLES", "60"))
RUN: dict[str, Any] = {"recipe": {"epochs": 3}, "network": "unet:2"}
RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 256, (9, 13, 3), np.uint8)


def _written(name: str, write: Callable[[Path], Any]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def _image(image: Image.Image, kind: str, **options: Any) -> bytes:
    return _written(f"a.{kind}", lambda path: image.save(path, **options))


def _graph(path: Path) -> None:
    path.write_text("p max 4 3\nn 1 s\nn 4 t\na 1 2 5\nc x\na 2 3 4\na 3 4 2\n")


def _session(path: Path) -> None:
    actions = [Action("rect", ((1.0, 1.0), (8.0, 7.0)), rounds=1), Action("stroke", ((2.0, 3.0),))]
    path.write_text(json.dumps(session_json(PIXELS, 3, actions, "photo.png")))


def _matlab(path: Path) -> None:
    from scipy.io import savemat

    savemat(path, {"truth": {"regions": np.eye(4, dtype=np.uint8)}, "more": np.arange(5.0)})


def _checkpoint(path: Path) -> Any:
    return read_checkpoint(path.parent, RUN)


RGB, GREY = Image.fromarray(PIXELS), Image.fromarray(PIXELS[..., 0])
DEEP = Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 257)
SCORES = RNG.dirichlet(np.ones(3), (4, 5)).astype(np.float32)
FILES: dict[str, tuple[str, Callable[[Path], Any], bytes]] = {
    "png": ("a.png", io.read_image, _image(RGB, "png")),
    "deep png": ("a.png", io.read_image, _image(DEEP, "png")),
    "jpeg": ("a.jpg", io.read_image, _image(RGB, "jpg")),
    "tiff": ("a.tif", io.read_image, _image(RGB, "tif", compression="tiff_lzw")),
    "bmp": ("a.bmp", io.read_image, _image(RGB, "bmp")),
    "gif": ("a.gif", io.read_image, _image(RGB.convert("P"), "gif")),
    "webp": ("a.webp", io.read_image, _image(RGB, "webp", lossless=True)),
    "labels": ("a.png", io.read_labels, _image(GREY.convert("P"), "png")),
    "mask": ("a.png", io.read_mask, _image(GREY.point(lambda v: 255 * (v > 99)), "png")),
    "npz": ("a.npz", io.read_scores, _written("a.npz", lambda p: np.savez(p, logits=SCORES))),
    "packed npz": (
        "a.npz",
        io.read_scores,
        _written("a.npz", lambda p: np.savez_compressed(p, logits=SCORES)),
    ),
    "npy": ("a.npy", io.read_scores, _written("a.npy", lambda p: np.save(p, SCORES))),
    "session": ("a.json", read_session, _written("a.json", _session)),
    "dimacs": ("a.max", graphcut.read_dimacs, _written("a.max", _graph)),
    "weights": (
        "w.safetensors",
        bridge.card,
        _written("w.safetensors", lambda p: save(p, torch.nn.Linear(2, 2), "unet:2", ["a", "b"])),
    ),
    "checkpoint": (
        "checkpoint.pt",
        _checkpoint,
        _written("c.pt", lambda p: torch.save({"run": RUN, "epoch": 1}, p)),
    ),
    "matlab": ("a.mat", lambda path: read_matlab(path, "truth"), _written("a.mat", _matlab)),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of what it passes over
@pytest.mark.parametrize("kind", FILES)
def test_damaged_files_are_read_or_told(kind: str) -> None:
    name, read, good = FILES[kind]

    @settings(max_examples=N_EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(damaged(good))
    def check(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            try:
                read(path)
            except (ValueError, OSError) as error:
                assert folder in str(error)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(good)
        read(path)
    check()


def _npy(shape: tuple[int, ...]) -> bytes:
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head.encode() + bytes(64)


def _lying_npz(shape: tuple[int, ...]) -> bytes:
    import zipfile

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("logits.npy", _npy(shape))

    return _written("a.npz", write)


LIES = {
    "a.png": png_of(60_000, 60_000),
    "b.png": png_of(13_000, 13_000),
    "a.tif": tiff_of(60_000),
    "a.npy": _npy((1000, 100_000, 100_000)),
    "a.npz": _lying_npz((1000, 100_000, 100_000)),
    "a.max": b"p max 536870911 1073741823\nn 1 s\nn 2 t\n",
    "a.json": b"[" * 1_000_000,
}


def test_files_that_lie_about_their_size_take_no_memory(tmp_path: Path) -> None:
    """Each in turn, in a process that may not take more than a gigabyte."""
    for name, data in LIES.items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from classicseg import graphcut, io\n"
        "from classicseg.grabcut._session_file import read_session\n"
        "readers = {'.png': io.read_image, '.tif': io.read_image, '.npy': io.read_scores,\n"
        "           '.npz': io.read_scores, '.max': graphcut.read_dimacs, '.json': read_session}\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))\n"
        "for path in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    try:\n"
        "        readers[path.suffix](path)\n"
        "        print(path.name, 'was read')\n"
        "    except ValueError as error:\n"
        "        print(path.name, 'told', path.name in str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == [f"{name} told True" for name in sorted(LIES)]


def test_scores_that_unpack_to_too_much_are_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scores, "_LARGEST_ARRAY", 10_000)
    np.savez_compressed(tmp_path / "a.npz", logits=np.zeros((3, 60, 60), np.int8))
    with pytest.raises(ValueError, match=r"a\.npz .* take 10928 bytes when unpacked"):
        io.read_scores(tmp_path / "a.npz")


@pytest.mark.parametrize(
    "facts",
    [
        "{",
        "[1]",
        '"a"',
        "[" * 100_000,
        '{"network": 3, "classes": ["a"], "longest_side": null}',
        '{"network": "unet:2"}',
        '{"network": "unet:2", "classes": "ab", "longest_side": null}',
        '{"network": "unet:2", "classes": [], "longest_side": null}',
        '{"network": "unet:2", "classes": [1], "longest_side": null}',
        '{"network": "unet:2", "classes": ["a"], "longest_side": "x"}',
        '{"network": "unet:2", "classes": ["a"], "longest_side": -1}',
    ],
)
def test_weights_that_tell_nonsense_of_their_network(facts: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    tensors = {"a": torch.zeros(1)}
    path.write_bytes(safetensors.torch.save(tensors, metadata={"classicseg": facts}))
    with pytest.raises(ValueError, match=re.escape(str(path))):
        bridge.card(path)

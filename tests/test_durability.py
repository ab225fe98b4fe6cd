"""Commands that are interrupted, disks that are full, folders that may not be written to."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import kernel_calls as calls
import numpy as np
import pytest

from classicseg import io

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")

LONGEST_WAIT = 0.5
COMMANDS = {
    "segment": "segment large.png --rect 90,90,1800,1800 -o new/mask.png --cutout new/cutout.png",
    "crf": "crf big.png scores.npz -o new/labels.png",
    "grabcut": "grabcut object.png --no-window --session session.json --out new",
    "train": "train images masks --classes 2 --values 0,255 --network fcn:small --recipe modern "
    "--epochs 500 --size 32x32 --out new --accelerator cpu",
    "compare": "compare --out new",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("durability")
    image = calls.picture(1000)
    io.write_image(folder / "big.png", image)
    io.write_image(folder / "small.png", image[:60, :60])
    io.write_image(folder / "large.png", calls.picture(2000))
    rng = np.random.default_rng(0)
    np.savez(folder / "scores.npz", logits=rng.normal(0, 3, (12, 60, 60)).astype(np.float32))
    for name in ("images", "masks"):
        (folder / name).mkdir()
        for i in range(4):
            part = image[40 * i : 40 * i + 40, :40]
            if name == "images":
                io.write_image(folder / name / f"{i}.png", part)
            else:
                io.write_mask(folder / name / f"{i}.png", part[..., 0] > 127)
    from classicseg.grabcut._session import Session
    from classicseg.grabcut._session_file import Action

    image = image.copy()
    image[300:700, 250:750, 0] = 255  # there is something to learn in every round
    io.write_image(folder / "object.png", image)
    session = Session(image, n_threads=1)
    strokes = [Action("rect", ((90, 90), (900, 900)), rounds=1)]
    strokes += [Action("learn", rounds=1)] * 2000
    session.actions = strokes
    session.save(folder / "session.json", "object.png")
    return folder


def start(command: str, place: Path, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "classicseg", *command.split()],
        cwd=place,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_ctrl_c_ends_a_command_at_once(
    name: str, place: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    if name == "train":
        pytest.importorskip("lightning_fabric")
    command = COMMANDS[name].replace("new", str(tmp_path / "new"))
    (tmp_path / "new").mkdir()
    waits: list[float] = []
    # A busy machine may keep anybody waiting once.
    while min(waits, default=np.inf) > LONGEST_WAIT and len(waits) < 3:
        process = start(command, place)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(rng.uniform(1.5, 3))
        begin = time.perf_counter()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        waits.append(time.perf_counter() - begin)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert_whole(tmp_path / "new")
    assert min(waits) < LONGEST_WAIT


def assert_whole(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.stat().st_size > 0
            assert not path.name.startswith("."), "an unfinished file was left"
            if path.suffix == ".png":
                io.read_image(path)


def limited() -> None:
    """Files of this process end at 40 bytes, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def one_line(process: subprocess.Popen[str], *parts: str) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2, said
    lines = [line for line in said.splitlines() if "warning" not in line]
    lines = [line for line in lines if not line.startswith("Using ")]  # Lightning's
    assert len(lines) == 1, said
    assert lines[0].startswith("classicseg: ")
    for part in parts:
        assert part in lines[0]


WRITING = {
    "segment": "segment small.png --rect 9,9,40,40 -o new/mask.png --cutout new/cutout.png",
    "crf": "crf small.png scores.npz -o new/labels.png",
    "train": COMMANDS["train"],
    "compare": "compare --pipelines gmm:rect+argmax --samples coffee --out new",
}


@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk_is_one_line(name: str, place: Path, tmp_path: Path) -> None:
    if name == "train":
        pytest.importorskip("lightning_fabric")
    folder = tmp_path / "new"
    folder.mkdir()
    process = start(WRITING[name].replace("new", str(folder)), place, preexec_fn=limited)
    one_line(process, "File too large", str(folder))
    assert_whole(folder)


def without_privileges() -> None:
    """Permissions hold for root, too."""
    if os.getuid() == 0:
        drop_from_bounding_set, cap_dac_override = 24, 1
        ctypes.CDLL(None).prctl(drop_from_bounding_set, cap_dac_override, 0, 0, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="root's capabilities are Linux's")
@pytest.mark.parametrize("name", ["segment", "compare"])
def test_a_folder_that_may_not_be_written_to_is_one_line(
    name: str, place: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    folder.chmod(0o555)
    command = WRITING[name].replace("new", str(folder))
    process = start(command, place, preexec_fn=without_privileges)
    one_line(process, "Permission denied")
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_full_while_a_file_is_written_keeps_the_old_one(tmp_path: Path) -> None:
    io.write_json(tmp_path / "a.json", {"old": 1})
    code = (
        "import resource, signal, sys\n"
        "from classicseg import io\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    io.write_json(sys.argv[1], list(range(5000)))\n"
        "except OSError as error:\n"
        "    sys.exit(error.strerror)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.json")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stderr.strip() == "File too large"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert "old" in (tmp_path / "a.json").read_text()

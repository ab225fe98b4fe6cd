"""The interactive window for real, under Xvfb with xdotool; and the command without a window."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from classicseg import io
from classicseg.cli import main
from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action
from classicseg.grabcut.window import replay

cv2 = pytest.importorskip("cv2")
HEADLESS = bool(re.search(r"^\s*GUI:\s*NONE", cv2.getBuildInformation(), re.MULTILINE))
TOOLS = all(shutil.which(tool) for tool in ("Xvfb", "xdotool"))
PATIENCE = 90  # seconds


def saved_session(folder: Path) -> tuple[Path, Path, Session]:
    """A photo, a session file of it, and the session."""
    photo, file = folder / "cat.png", folder / "session.json"
    io.write_image(photo, data.chelsea()[::2, ::2])
    session = Session(io.read_image(photo))
    session.do(Action("rect", ((60.0, 10.0), (190.0, 130.0)), rounds=2))
    session.do(Action("stroke", ((100.0, 20.0), (120.0, 30.0)), 0, 4.0))
    session.save(file, "cat.png")
    return photo, file, session


def test_sessions_are_replayed_without_a_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, file, session = saved_session(tmp_path)
    out = tmp_path / "deep" / "out"
    given = ["grabcut", str(photo), "--session", str(file), "--no-window", "--out", str(out)]
    assert main([*given, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["actions"] == 2 and report["width"] == 226
    np.testing.assert_array_equal(io.read_mask(out / "mask.png"), session.mask)
    cutout = io.read_image(out / "cutout.png")
    assert cutout.shape[:2] == session.shape
    assert main(given) == 0
    assert "2 actions" in capsys.readouterr().out
    np.testing.assert_array_equal(replay(photo, file, n_threads=1).mask, session.mask)


@pytest.mark.parametrize("kind", ["grey", "rgba", "sixteen", "palette", "turned"])
def test_all_kinds_of_photos(tmp_path: Path, kind: str) -> None:
    from PIL import Image

    colour = data.chelsea()[::4, ::4]
    photo = tmp_path / "photo.png"
    if kind == "grey":
        io.write_image(photo, colour[..., 0])
    elif kind == "rgba":
        io.write_image(photo, np.dstack([colour, np.full(colour.shape[:2], 200, np.uint8)]))
    elif kind == "sixteen":
        io.write_image(photo, colour[..., 0].astype(np.uint16) * 257)
    elif kind == "palette":
        Image.fromarray(colour).convert("P").save(photo)
    else:
        photo = tmp_path / "photo.jpg"
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by 90 degrees
        Image.fromarray(colour).save(photo, exif=exif)
    session = Session(io.read_image(photo))
    assert session.shape == (colour.shape[:2] if kind != "turned" else colour.shape[1::-1])
    session.do(Action("rect", ((10.0, 5.0), (60.0, 60.0)), rounds=1))
    session.save(tmp_path / "s.json")
    given = ["grabcut", str(photo), "--session", str(tmp_path / "s.json"), "--no-window"]
    assert main([*given, "--out", str(tmp_path)]) == 0


def test_bad_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, file, _ = saved_session(tmp_path)
    empty = tmp_path / "empty.png"
    empty.touch()
    other = tmp_path / "other.png"
    io.write_image(other, np.zeros((150, 226, 3), np.uint8))
    for given, message in (
        (["grabcut", str(photo), "--no-window"], "--session"),
        (["grabcut", str(tmp_path / "none.png"), "--session", str(file), "--no-window"], "none"),
        (["grabcut", str(empty), "--session", str(file), "--no-window"], "empty"),
        (["grabcut", str(other), "--session", str(file), "--no-window"], "another photo"),
        (["grabcut", str(photo), "--session", str(photo), "--no-window"], "session file"),
        (["grabcut", str(photo), "--session", str(tmp_path), "--no-window"], "folder"),
        (["grabcut", str(photo), "--out", str(photo)], "folder"),
    ):
        assert main(given) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1 and message in lines[0], given


def test_without_a_display_or_windows_the_message_says_what_to_do(tmp_path: Path) -> None:
    photo, _, _ = saved_session(tmp_path)
    for display in (None, ":2547"):
        env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
        if display:
            env["DISPLAY"] = display
        command = [sys.executable, "-m", "classicseg", "grabcut", str(photo)]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2 and not done.stdout
        lines = done.stderr.strip().splitlines()
        assert len(lines) == 1 and "--no-window" in lines[0]
        expected = "headless" if HEADLESS else "display"
        assert expected in lines[0] or not sys.platform.startswith("linux")


# ---- the window ---------------------------------------------------------------------------------


@pytest.fixture
def display() -> Iterator[str]:
    if HEADLESS:
        pytest.skip("this OpenCV is a headless build: the window needs opencv-python")
    if not TOOLS:
        pytest.skip("Xvfb or xdotool is missing")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as pipe:
        number = pipe.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(30)


class Hand:
    """Mouse and keys."""

    def __init__(self, display: str) -> None:
        self.env = {**os.environ, "DISPLAY": display}

    def __call__(self, *arguments: Any, check: bool = True) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)], env=self.env, capture_output=True, text=True
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def keys(self, *names: str) -> None:
        """One at a time, as fingers do: the window looks at one key in 15 ms."""
        for name in names:
            self("key", name)
            time.sleep(0.4)

    def drag(self, *points: tuple[int, int], button: int = 1) -> None:
        self("mousemove", *points[0])
        time.sleep(0.2)
        self("mousedown", button)
        for point in points[1:]:
            self("mousemove", *point)
            time.sleep(0.2)
        self("mouseup", button)
        time.sleep(0.2)


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.2)


def actions(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["actions"]
    return found


def test_cut_paint_undo_zoom_save_and_quit(display: str, tmp_path: Path) -> None:
    photo = tmp_path / "cat.png"
    io.write_image(photo, data.chelsea())  # 451 x 300, shown 2.533 times as large
    command = [sys.executable, "-m", "classicseg", "grabcut", str(photo), "--out", "out"]
    hand = Hand(display)
    file = tmp_path / "out" / "session.json"
    process = subprocess.Popen(
        command, cwd=tmp_path, env=hand.env, stderr=subprocess.PIPE, text=True
    )
    try:
        title = "classicseg grabcut"
        wait_for(lambda: hand("search", "--name", title, check=False), process)
        time.sleep(1)

        def save(n_actions: int) -> None:
            # The work before it is done in its turn: the file says when.
            hand.keys("s")
            wait_for(lambda: file.exists() and len(actions(file)) == n_actions, process)

        hand.drag((1060, 740), (600, 400), (130, 60))  # from the lower right
        save(1)
        scale = 760 / 300
        (x0, y0), (x1, y1) = actions(file)[0]["points"]
        margin = (1200 - 451 * scale) / 2
        np.testing.assert_allclose(
            [x0, y0, x1, y1],
            [(1060 - margin) / scale, 740 / scale, (130 - margin) / scale, 60 / scale],
            atol=0.5,
        )
        first = io.read_mask(tmp_path / "out" / "mask.png")
        hand.keys("1")
        hand.drag((300, 150), (500, 130), (800, 120))
        hand.keys("0")
        hand.drag((250, 600), (400, 650))
        save(3)
        hand.keys("u")
        save(2)
        for _ in range(2):
            hand("mousemove", 850, 380, "click", 4)  # zoom in
            time.sleep(1)
        hand.drag((600, 400), (700, 500), button=2)  # pan
        hand.keys("0", "bracketright", "bracketright")
        hand.drag((900, 300), (950, 350), (900, 400))
        save(3)
        stroke = actions(file)[2]
        assert stroke["label"] == 0
        assert stroke["radius"] == pytest.approx(8 * 1.25**2 / (scale * 1.25**2), rel=1e-6)
        wait_for(lambda: hand("search", "--name", title, check=False), process)
        hand.keys("v", "v", "q")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
    assert process.communicate()[1] == ""
    mask = io.read_mask(tmp_path / "out" / "mask.png")
    assert (mask != first).any()
    np.testing.assert_array_equal(replay(photo, file).mask, mask)


def test_a_session_opens_again_and_quitting_asks(display: str, tmp_path: Path) -> None:
    photo, file, session = saved_session(tmp_path)
    command = [sys.executable, "-m", "classicseg", "grabcut", str(photo), "--session", str(file)]
    hand = Hand(display)
    process = subprocess.Popen(
        command, cwd=tmp_path, env=hand.env, stderr=subprocess.PIPE, text=True
    )
    try:
        title = "classicseg grabcut"
        wait_for(lambda: hand("search", "--name", title, check=False), process)
        time.sleep(1)
        hand.keys("n")
        time.sleep(1)
        hand.keys("q")  # asks
        time.sleep(1)
        assert process.poll() is None
        hand.keys("s")
        wait_for(lambda: len(actions(file)) == 3, process)
        hand.keys("q")
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
    assert [a["kind"] for a in actions(file)] == ["rect", "stroke", "learn"]
    session.do(Action("learn", rounds=1))
    np.testing.assert_array_equal(replay(photo, file).mask, session.mask)

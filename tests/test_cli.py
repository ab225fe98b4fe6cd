"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import classicseg
from classicseg import compare, densecrf, grabcut, io, metrics, samples
from classicseg.cli import main

PYTHON = [sys.executable, "-m", "classicseg"]
FAST = "saliency:centre_prior+argmax"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder, with `python -m classicseg` working from there."""
    root = str(Path(classicseg.__file__).parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, *filter(None, sys.path)]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The coffee at half its size, in a file with a name that needs care."""
    path = tmp_path / "Kaffee à la carte.png"
    io.write_image(path, samples.load("coffee").image[::2, ::2])
    return path


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """All that was printed: a single line on stderr."""
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("classicseg: ")
    assert printed.err.count("\n") == 1
    return printed.err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"classicseg {classicseg.__version__}\n"
    for arguments in (["--help"], ["compare", "-h"], ["segment", "--help"]):
        assert main(arguments) == 0
        assert "classicseg" in capsys.readouterr().out
    assert main([]) == 2


@pytest.mark.parametrize("command", ["compare", "segment", "crf"])
def test_help_shows_an_example(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    main([command, "--help"])
    text = capsys.readouterr().out
    assert f"Example: classicseg {command} " in text
    if command == "compare":
        told = " ".join(text.replace("│", " ").split())
        for name in (*compare.EVIDENCE, *compare.INFERENCE, *compare.ENGINES):
            assert name.removeprefix("saliency:") in told


def test_compare_prints_a_table_and_writes_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", "--samples", "coffee,rocket", "--pipelines", FAST]
    assert main([*arguments, "--pipelines", "saliency:frequency_tuned+argmax"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.index("mIoU") < printed.out.index(FAST)
    assert "saliency:frequency_tuned+argmax" in printed.out
    folder = tmp_path / "classicseg-compare"
    assert io.read_image(folder / "sheet.png").ndim == 3
    written = json.loads((folder / "results.json").read_text(), parse_constant=pytest.fail)
    assert written["command"].startswith("classicseg compare --samples coffee,rocket")
    assert written["images"] == ["coffee", "rocket"]
    assert "coffee" in (folder / "report.html").read_text(encoding="utf-8")
    assert FAST in (folder / "results.csv").read_text(encoding="utf-8")


def test_compare_prints_nothing_but_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", "--json", "--samples", "coffee", "--pipelines", FAST]
    assert main([*arguments, "--seed", "7", "--out", "a/b"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed, parse_constant=pytest.fail)["seed"] == 7
    assert printed == (tmp_path / "a/b/results.json").read_text(encoding="utf-8")


def test_compare_says_what_the_engine_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("maxflow")
    names = f"{FAST},saliency:centre_prior+graphcut"
    assert main(["compare", "--samples", "rocket", "--pipelines", names, "--engine=pymaxflow"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "classicseg: left out 1 pipeline: pymaxflow has no part in argmax\n"
    assert "pymaxflow" in printed.out
    assert FAST not in printed.out


def test_compare_that_fails_in_part_returns_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(task: compare.Task, evidence: compare.Evidence) -> None:
        raise RuntimeError("out of\norder")

    monkeypatch.setitem(compare.INFERENCE, "broken", broken)
    names = f"{FAST},saliency:centre_prior+broken"
    assert main(["compare", "--samples", "rocket", "--pipelines", names]) == 1
    printed = capsys.readouterr()
    assert printed.err == (
        "classicseg: saliency:centre_prior+broken failed on rocket: RuntimeError: out of order\n"
    )
    assert FAST in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "frobnicate"),
        (["compare", "--samples", "nobody"], "no item 'nobody', but astronaut"),
        (["compare", "--pipelines", "gmm:rect"], "there is no pipeline 'gmm:rect'"),
        (["compare", "--pipelines", ","], "pipelines is empty"),
        (["compare", "--engine", "gpu"], "--engine"),
        (["compare", "--jobs", "0"], "--jobs"),
        (["compare", "--seed", "-1"], "--seed"),
        (["compare", "--out", "file.txt"], "which is a file"),
        (["segment"], "PHOTO"),
        (["segment", "p.png"], "either --rect or --scribbles"),
        (["segment", "p.png", "--rect", "1,2,3,4", "--scribbles", "s.png"], "either --rect"),
        (["segment", "p.png", "--rect", "1,2,3"], "four whole numbers"),
        (["segment", "p.png", "--rect", "a,b,c,d"], "four whole numbers"),
        (["segment", "p.png", "--rect", "1,2,3,4"], "p.png"),
        (["segment", "file.txt", "--rect", "1,2,3,4"], "file.txt cannot be read as an image"),
        (["segment", "p.png", "--rect", "1,2,3,4", "-o", "m.jpg"], "ends in .png"),
        (["segment", "p.png", "--rect", "1,2,3,4", "-o", "no/m.png"], "no folder no"),
        (["segment", "p.png", "--rect", "1,2,3,4", "--cutout", "no/c.png"], "no folder no"),
        (["segment", "p.png", "--rect", "1,2,3,4", "--method", "magic"], "--method"),
        (["crf", "p.png"], "SCORES"),
        (["crf", "p.png", "s.npz", "-o", "labels.jpg"], "ends in .png"),
        (["crf", "p.png", "s.npz"], "p.png"),
        (["crf", "file.txt", "s.npz"], "file.txt cannot be read as an image"),
        (["crf", "p.png", "s.npz", "--iterations", "-1"], "--iterations"),
    ],
)
def test_bad_usage_is_one_line_and_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file.txt").write_text("no image")
    assert main(arguments) == 2
    assert message in one_line(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt"]


def test_a_rectangle_outside_or_everywhere_is_one_line_and_2(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rect, message in (("900,10,20,20", "outside the image"), ("0,0,300,200", "whole image")):
        assert main(["segment", str(photo), "--rect", rect]) == 2
        assert message in one_line(capsys)
    assert not (tmp_path / "mask.png").exists()


@pytest.mark.parametrize("method", ["grabcut", "graphcut"])
@pytest.mark.parametrize("marks", ["rect", "scribbles", "visible scribbles"])
def test_segment_cuts_out_the_cup(
    photo: Path, tmp_path: Path, method: str, marks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = samples.load("coffee")
    if marks == "rect":
        given = ["--rect", ",".join(str(value // 2) for value in sample.rect)]
    else:
        levels = np.array([0, 128, 255] if marks.startswith("visible") else [0, 1, 2], np.uint8)
        io.write_image(tmp_path / "strokes.png", levels[sample.scribbles[::2, ::2]])
        given = ["--scribbles", "strokes.png"]
    files = ["-o", "cup.png", "--cutout", "cutout.png"]
    assert main(["segment", str(photo), *given, "--method", method, *files]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Wrote cup.png and cutout.png: ")
    assert printed.out.count("\n") == 1
    mask = io.read_mask(tmp_path / "cup.png")
    void = sample.void[::2, ::2]
    assert metrics.mask_iou(sample.mask[::2, ::2], mask, ignore=void) > 0.8
    with Image.open(tmp_path / "cutout.png") as image:
        assert image.mode == "RGBA"
        pixels = np.asarray(image)
    np.testing.assert_array_equal(pixels, grabcut.cutout(io.read_image(photo), mask))
    assert ((pixels[..., 3] > 127) == mask).mean() > 0.98


def blurred_scores(path: Path) -> NDArray[np.bool_]:
    """Scores of the coffee at an eighth of its size, as a network's; returns its true mask."""
    sample = samples.load("coffee")
    mask = sample.mask[::2, ::2]
    small = sample.mask[:400:16, :592:16].astype(np.float32) * 8 - 4
    np.savez(path, logits=np.stack([-small, small, np.full_like(small, -9)]))
    return mask


def test_crf_sharpens_saved_scores(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = blurred_scores(tmp_path / "scores.npz")
    assert main(["crf", str(photo), "scores.npz", "-o", "cup.png"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Wrote cup.png: ")
    assert printed.out.count("\n") == 1
    labels = io.read_labels(tmp_path / "cup.png")
    probabilities = io.read_scores(tmp_path / "scores.npz", shape=(200, 300))
    np.testing.assert_array_equal(labels, densecrf.refine(probabilities, io.read_image(photo)))
    assert metrics.mask_iou(truth, labels == 1) > 0.8


def test_crf_takes_parameters_and_prints_json(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blurred_scores(tmp_path / "scores.npz")
    options = ["--theta-alpha", "30", "--theta-beta", "9", "--weight", "0", "--theta-gamma", "2"]
    options += ["--smoothness", "0", "--temperature", "2", "--iterations", "2", "--classes", "2"]
    assert main(["crf", str(photo), "scores.npz", "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (report["width"], report["height"], report["classes"]) == (300, 200, 2)
    assert report["changed"] == 0  # no weight, no change
    assert report["parameters"]["theta_alpha"] == 30
    assert report["parameters"]["n_iterations"] == 2
    assert io.read_labels(tmp_path / "labels.png").max() == 1


def test_crf_complains_in_one_line(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.npz").write_text("nothing")
    assert main(["crf", str(photo), "scores.npz"]) == 2
    assert "scores.npz" in one_line(capsys)
    blurred_scores(tmp_path / "scores.npz")
    assert main(["crf", str(photo), "scores.npz", "--theta-beta", "-1"]) == 2
    assert "theta_beta is -1" in one_line(capsys)


def test_segment_prints_json(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["segment", str(photo), "--rect", "30,5,220,190", "--json"]) == 0
    report = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    mask = io.read_mask(tmp_path / "mask.png")
    assert report["photo"] == str(photo)
    assert (report["width"], report["height"]) == (300, 200)
    assert report["rect"] == [30, 5, 220, 190]
    assert report["foreground"] == pytest.approx(mask.mean())
    assert (report["mask"], report["cutout"]) == ("mask.png", None)


def test_segment_takes_grey_photos_with_16_bits(tmp_path: Path) -> None:
    sample = samples.load("coins")
    io.write_image(tmp_path / "coins.png", sample.image.astype(np.uint16) * 257)
    rect = ",".join(map(str, sample.rect))
    assert main(["segment", "coins.png", "--rect", rect]) == 0
    found = io.read_mask(tmp_path / "mask.png")
    assert metrics.mask_iou(sample.mask, found, ignore=sample.void) > 0.6


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        (np.array([[0, 1, 77]], np.uint8), "holds the values 0, 1, 77"),
        (np.zeros((4, 4), np.uint8), "scribbles has shape (4, 4), expected (200, 300)"),
        (np.zeros((200, 300), np.uint8), "mark no background"),
        (np.full((200, 300), 2, np.uint8), "mark no background"),
        (np.zeros((200, 300, 3), np.uint8), "expected labels as a palette or in grey"),
    ],
)
def test_strokes_that_make_no_sense_are_one_line_and_2(
    photo: Path, strokes: NDArray[np.uint8], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    io.write_image("strokes.png", strokes)
    assert main(["segment", str(photo), "--scribbles", "strokes.png"]) == 2
    assert message in one_line(capsys)


def test_a_warning_is_one_line_without_source(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def uneasy(*_: object, **__: object) -> NDArray[np.bool_]:
        warnings.warn("nothing\nfound", stacklevel=1)
        return np.zeros((200, 300), bool)

    monkeypatch.setattr(compare, "segment", uneasy)
    before = warnings.showwarning
    assert main(["segment", str(photo), "--rect", "30,5,220,190"]) == 0
    assert capsys.readouterr().err == "classicseg: warning: nothing found\n"
    assert warnings.showwarning is before


def test_python_m_classicseg_is_the_command() -> None:
    done = subprocess.run([*PYTHON, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"classicseg {classicseg.__version__}\n"
    bad = subprocess.run([*PYTHON, "segment", "no.png", "--rect", "1,1,2,2"], capture_output=True)
    assert bad.returncode == 2
    assert bad.stderr.count(b"\n") == 1


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    code = (
        "import sys, classicseg.cli\n"
        "heavy = {'numpy', 'scipy', 'skimage', 'sklearn', 'joblib', 'cv2', 'torch', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_quietly_with_130(tmp_path: Path, jobs: str) -> None:
    # A pipeline of endless work, so that the signal always comes in time.
    script = (
        "import pathlib, sys, time\n"
        "from classicseg import cli, compare\n"
        "def endless(task, evidence):\n"
        "    pathlib.Path('started').touch()\n"
        "    time.sleep(600)\n"
        "compare.INFERENCE['endless'] = endless\n"
        f"sys.exit(cli.main(['compare', '--pipelines', 'saliency:centre_prior+endless',"
        f" '--jobs', '{jobs}']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until((tmp_path / "started").exists)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all its processes
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err == ""
    # Nothing was done, so nothing stands in the way of other settings.
    assert main(["compare", "--samples", "rocket", "--pipelines", FAST]) == 0

"""The scripts in samples/ do what they say, and write a picture."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_trees import put_regions
from PIL import Image

from classicseg import io

FOLDER = Path(__file__).resolve().parent.parent / "samples"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="samples/ is not beside the tests")

# Arguments, what is printed (a pattern with a number), and the least that number may be.
SCRIPTS = {
    "simple": ([], r"rectangle: IoU ([\d.]+)", 0.88),
    "strokes": ([], r"a third, learned: IoU ([\d.]+)", 0.9),
    "advanced": ([], r"coffee: .*dense CRF ([\d.]+)", 0.93),
    "portrait": ([], r"\+ strokes: IoU ([\d.]+)", 0.9),
    "medical_image": ([], r"graph cut: mIoU ([\d.]+)", 98.0),
    "aerial_view": ([], r"\+ expansion: mIoU ([\d.]+)", 75.0),
    "denoise": ([], r"TRW-S: energy ([\d.]+)", 1.0),
    "expert": (["--steps", "4"], r"own energy, expansion: mIoU ([\d.]+)", 10.0),
    "street_scene": ([], r"classes told: .*pixels right ([\d.]+)", 80.0),
}
NEEDS = {"expert": "torch", "street_scene": "torch", "denoise": "matplotlib"}

# Their parts have tests of their own; here they only have to be right Python.
LONG = {"grabcut_window", "matting_sheet", "saliency_sheet"}


def run(name: str, arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    if NEEDS.get(name) == "torch":
        request.getfixturevalue("one_torch_thread")
    arguments, pattern, least = SCRIPTS[name]
    picture = "picture.png"
    run(name, [picture, *arguments], tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    found = re.search(pattern, printed)
    assert found, printed
    assert float(found[1]) >= least
    assert io.read_image(tmp_path / picture).std() > 20


def test_every_script_is_known() -> None:
    known = {*SCRIPTS, *LONG, "train_stanford", "fields"}
    assert {path.stem for path in FOLDER.glob("*.py")} == known
    for path in FOLDER.glob("*.py"):
        compile(path.read_text("utf-8"), str(path), "exec")


def test_training_on_a_small_stanford(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    one_torch_thread: None,
) -> None:
    """Six scenes of sky and grass."""
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for k in range(6):
        labels = np.repeat(np.where(np.arange(48) < 20 + k, 0, 3), 64).reshape(48, 64)
        image = np.where(labels[..., None] == 0, (120, 170, 240), (60, 140, 40))
        image = image + rng.normal(0, 10, image.shape)
        Image.fromarray(image.clip(0, 255).astype(np.uint8)).save(tmp_path / f"images/{k:07}.jpg")
        put_regions(tmp_path / f"labels/{k:07}.regions.txt", labels)
    options = ["--root", str(tmp_path), "--out", "out", "--network", "fcn:small"]
    run("train_stanford", [*options, "--epochs", "1", "--batch-size", "2"], tmp_path, monkeypatch)
    printed = capsys.readouterr().out
    assert "4 images to learn from, 2 to score" in printed
    assert re.search(r"\+ dense CRF: pixel accuracy [\d.]+, mean accuracy [\d.]+, mIoU", printed)
    assert (tmp_path / "out" / "weights.safetensors").is_file()


def test_training_tells_its_options() -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "train_stanford.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--pretrained" in done.stdout and "FCN-8s" in done.stdout

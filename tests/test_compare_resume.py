"""Runs that are interrupted, killed or damaged go on to the same results."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classicseg import compare
from classicseg.datasets import Dataset, Item

COLORS = np.array([[0, 0, 0], [200, 0, 0], [0, 0, 200]], np.uint8)
# A data set of tiny images, made when they are asked for, and an evidence that leaves a line in a
# file for each image that it is asked about.
SCRIPT = """
import sys, time
from pathlib import Path
from test_compare_resume import logged, tiny
from classicseg import compare

if __name__ == "__main__":
    compare.EVIDENCE["logged"] = logged(Path("log"), 0.05)
    compare.run(["logged+argmax", "logged+icm"], tiny(40), folder="out", n_jobs={jobs})
"""


def drawn(name: str) -> Item:
    rng = np.random.default_rng(int(name))
    labels = np.repeat(rng.integers(0, 3, (6, 6)), 4, axis=0).repeat(4, axis=1).astype(np.int32)
    noise = rng.normal(0, 60, (24, 24, 3))
    return Item(name, np.clip(COLORS[labels] + noise, 0, 255).astype(np.uint8), labels)


def tiny(n: int) -> Dataset:
    return Dataset("tiny", ("a", "b", "c"), COLORS, tuple(map(str, range(n))), drawn)


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """Another folder with images of the same names."""

    folder: str

    def __call__(self, name: str) -> Item:
        return drawn(name)


class logged:
    """How far a pixel is from each colour; writes down that it was asked."""

    def __init__(self, log: Path, seconds: float = 0.0) -> None:
        self.log, self.seconds = log, seconds

    def __call__(self, task: compare.Task) -> compare.Evidence:
        with self.log.open("a") as file:
            file.write(f"{task.name}\n")
        time.sleep(self.seconds)
        distances = np.abs(task.image[:, :, np.newaxis].astype(np.float32) - COLORS).sum(axis=3)
        return compare.Evidence(distances / 50, gamma=2.0)


def same(one: compare.Comparison, other: compare.Comparison) -> None:
    """All but what it cost."""
    first, second = (compare.as_dict(c, ["x"]) for c in (one, other))
    for result in (first, second):
        for row in result["pipelines"]:
            for cost in ("seconds", "megabytes"):
                del row[cost], row["by_image"][cost]
    np.testing.assert_equal(first, second)
    for image in one.images:
        np.testing.assert_equal(one.labels(image), other.labels(image))


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> compare.Comparison:
    """The result of a run that nothing disturbs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(compare.EVIDENCE, "logged", logged(tmp_path / "other log"))
    return compare.run(["logged+argmax", "logged+icm"], tiny(40))


def resumed(**options: Any) -> tuple[compare.Comparison, list[str]]:
    said: list[str] = []
    pipelines = ["logged+argmax", "logged+icm"]
    options = {"data": tiny(40), "folder": "out", "say": said.append, **options}
    return compare.run(pipelines, **options), said


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(("jobs", "how"), [(1, signal.SIGINT), (2, signal.SIGKILL)])
def test_a_run_that_was_killed_goes_on(
    whole: compare.Comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, how: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("{jobs}", str(jobs))],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        start_new_session=True,
    )
    journal = tmp_path / "out" / "journal"
    try:
        wait_for(lambda: len(list(journal.glob("*.npz"))) >= 5 or process.poll() is not None)
    finally:
        os.killpg(process.pid, how)
        assert process.wait(timeout=30) != 0
    done = {path.stem for path in journal.glob("0*.npz")}
    assert 5 <= len(done) < 40
    Path("log").unlink()
    monkeypatch.setitem(compare.EVIDENCE, "logged", logged(Path("log").resolve()))
    result, said = resumed()
    assert f"{len(done)} images were done before" in said[0]
    asked = Path("log").read_text().split()
    assert sorted(asked, key=int) == [str(k) for k in range(40) if f"{k:06d}" not in done]
    same(result, whole)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def interrupted_after(n: int, **options: Any) -> None:
    def progress(done: int, total: int) -> None:
        if done == n:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resumed(progress=progress, **options)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_worker_that_is_killed_loses_nothing(
    whole: compare.Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = compare.EVIDENCE["logged"]

    def deadly(task: compare.Task) -> compare.Evidence:
        if task.name == "30":
            os.kill(os.getpid(), signal.SIGKILL)
        return sound(task)

    monkeypatch.setitem(compare.EVIDENCE, "logged", deadly)
    with pytest.raises(ChildProcessError, match=r"of 40 images are done and kept; run again"):
        resumed(n_jobs=2)
    monkeypatch.setitem(compare.EVIDENCE, "logged", sound)
    result, said = resumed()
    assert "images were done before" in said[0]
    same(result, whole)


def test_a_damaged_record_is_done_again(whole: compare.Comparison) -> None:
    interrupted_after(20)
    journal = Path("out") / "journal"
    (journal / "000003.npz").write_bytes(b"PK torn")
    (journal / "000007.npz").write_bytes((journal / "000008.npz").read_bytes())
    (journal / ".abc.tmp").write_bytes(b"half")
    result, _ = resumed()
    asked = Path("other log").read_text().split()
    assert asked.count("3") == asked.count("7") == 3  # for `whole`, before and after
    assert asked.count("8") == 2
    assert not (journal / ".abc.tmp").exists()
    same(result, whole)


def test_other_settings_are_refused_and_named(whole: compare.Comparison) -> None:
    interrupted_after(3)
    with pytest.raises(ValueError, match=r"seed was 0, now 1.*--fresh"):
        resumed(seed=1)
    with pytest.raises(ValueError, match=r"images was 40, now 20"):
        resumed(data=tiny(20))
    elsewhere = dataclasses.replace(tiny(40), reader=Elsewhere("other folder"))
    with pytest.raises(ValueError, match=r"reader was"):
        resumed(data=elsewhere)
    result, said = resumed(seed=1, fresh=True)
    assert said == []
    assert result.seed == 1


def test_a_finished_run_makes_room_and_nothing_else_is_touched(whole: compare.Comparison) -> None:
    mine = Path("out") / "journal" / "notes.txt"
    first, _ = resumed()
    mine.write_text("mine")
    Path("file").touch()
    with pytest.raises(FileExistsError):
        compare.write(first, "file")
    assert resumed()[1] == ["going on with what is in out: 40 images were done before"]
    compare.write(first, "out")
    result, said = resumed(seed=1)
    assert (result.seed, said, mine.read_text()) == (1, [], "mine")


def test_a_broken_image_stops_nothing_and_is_tried_again(whole: compare.Comparison) -> None:
    def torn(name: str) -> Item:
        if name in ("4", "11"):
            raise ValueError(f"{name}.png is\ncut off")
        item = drawn(name)
        if name == "20":
            item.labels[0, 0] = 3
        return item

    data = tiny(40)
    broken = Dataset(data.name, data.class_names, data.palette, data.ids, torn)
    result, _ = resumed(data=broken)
    assert [(f.pipeline, f.image, f.error) for f in result.failures] == [
        ("all", "4", "ValueError: 4.png is cut off"),
        ("all", "11", "ValueError: 11.png is cut off"),
        ("all", "20", "ValueError: labels hold 3, expected 0..2 or 255 for void"),
    ]
    row = result.rows[0]
    assert row.counts.sum() == 37 * 24 * 24
    assert np.isnan(row.images["mean_iou"][[4, 11, 20]]).all()
    assert result.labels("4") == {}
    good = [name for name in data.ids if name not in ("4", "11", "20")]
    same_scores = compare.run(["logged+argmax", "logged+icm"], data.select(good)).rows[0]
    assert (row.mean_iou, row.intervals.keys()) == (
        same_scores.mean_iou,
        same_scores.intervals.keys(),
    )
    missing = dataclasses.replace(tiny(3), skipped={"9": "9.png: there is no such file"})
    partly = compare.run(["logged+argmax"], missing)
    assert partly.n_read == 3
    assert [(f.image, f.error) for f in partly.failures] == [("9", "9.png: there is no such file")]
    paths = compare.write(result, "out")
    assert "11.png is cut off" in paths[2].read_text(encoding="utf-8")

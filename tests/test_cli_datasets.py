"""The command that tells where data comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_trees import TREES

from classicseg import cli, datasets
from classicseg.datasets._sources import SOURCES


def test_the_list_and_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["datasets"]) == 0
    told = capsys.readouterr().out
    assert all(f"{name}: " in told for name in datasets.names())
    assert cli.main(["datasets", "voc2012"]) == 0
    told = capsys.readouterr().out
    assert "JPEGImages/2007_000033.jpg" in told and "host.robots.ox.ac.uk" in told
    assert "terms " in told and "splits  val, train" in told


def test_every_reader_has_its_guide_and_default_split() -> None:
    assert ("bundled", *SOURCES) == datasets.names()
    whole = datasets.guide()
    for name, source in SOURCES.items():
        assert datasets.guide(name) in whole and source.terms in whole
    with pytest.raises(ValueError, match="name is 'x', expected one of bundled"):
        datasets.guide("x")


def test_a_root_is_read_and_damage_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = next(tree for tree in TREES if tree.name == "camvid")
    tree.make(tmp_path)
    given = ["datasets", "camvid", "--root", str(tmp_path), "--split", "val"]
    assert cli.main(given) == 0
    assert "camvid: 2 items are whole, 0 are not; 11 classes" in capsys.readouterr().out
    (tmp_path / tree.truth).write_bytes(b"no image")
    assert cli.main(given) == 1
    told = capsys.readouterr().out
    assert "1 items are whole, 1 are not" in told and f"{tree.ids[0]}: " in told
    assert cli.main([*given[:-1], "nonsense"]) == 2
    assert "nonsense is missing" in capsys.readouterr().err


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["datasets", "--split", "val"]) == 2
    assert cli.main(["datasets", "camvid", "--split", "val"]) == 2
    assert cli.main(["datasets", "x"]) == 2
    assert "expected one of" in capsys.readouterr().err

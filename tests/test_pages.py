"""The README and the pages: their Python runs, and their commands have the options they use."""

from __future__ import annotations

import argparse
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from page_names import make_files, names_of

from classicseg.cli import app, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app)

pytestmark = pytest.mark.skipif(not PAGES[0].is_file(), reason="the README is not beside the tests")

# Pages whose code other tests run, or that needs what a test has not.
ELSEWHERE = {"migration": "test_migration runs both sides of each row"}
# What would take minutes, need a GPU or a screen, and what is run instead.
INSTEAD = {
    "compare": {'["gmm:rect+*"]': '["gmm:rect+*raphcut"]', "gmm:rect+grabcut": "gmm:rect+graphcut"},
    "datasets": {'out="run")': 'out="run", recipe=quick)'},
    "bridge": {
        'fcn("vgg16"': 'fcn("googlenet"',
        ', device="cuda"': "",
        "tile=1024, overlap=256": "tile=128, overlap=32",
    },
    "grabcut_window": {'open_window("photo.jpg", "cut")': "saved()"},
    "training": {"modern_recipe(epochs=50)": "modern_recipe(epochs=1, size=(32, 32))"},
}


def blocks(page: Path, *languages: str) -> Iterator[tuple[int, str]]:
    """The line that each block of code begins on, and its text."""
    text = page.read_text("utf-8")
    for found in re.finditer(rf"^```({'|'.join(languages)})\n(.*?)^```$", text, re.M | re.S):
        yield text[: found.start(2)].count("\n"), found[2]


def commands(page: Path) -> list[str]:
    """Every command of ours: in blocks of code, indented, and between backticks."""
    text = page.read_text("utf-8")
    found = ["\n".join(text for _, text in blocks(page, "sh", ""))]
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    found += re.findall(r"^    (\S.*(?:\\\n.*)*)$", text, re.M)
    found += [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", text)]
    lines = "\n".join(found).replace("\\\n", "").splitlines()
    parts = [part.strip() for line in lines for part in line.split(" && ")]
    return [
        part
        for part in parts
        if re.match(r"classicseg [a-z]+|python (benchmarks|docs|samples)/[a-z]", part)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_torch_thread: None
) -> None:
    code = list(blocks(page, "python"))
    if page.stem in ELSEWHERE or not code:
        pytest.skip(ELSEWHERE.get(page.stem, "no code"))
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path)
    changes = dict(INSTEAD.get(page.stem, {}))
    for line, text in code:
        for before in [before for before in changes if before in text]:
            text = text.replace(before, changes[before])
            changes = {k: v for k, v in changes.items() if k != before}
        exec(
            compile("\n" * line + text, str(page), "exec"), names_of(page.stem)
        )  # errors show the page's line
    assert not changes, f"{page.name} has no more of {list(changes)}"


def parsed(words: list[str]) -> dict[str, Any]:
    """The options of a command line as our program understands it, without running it."""
    return COMMANDS.commands[words[0]].make_context(words[0], words[1:]).params


class Parsed(Exception):
    """A script has understood its options, and is not to go on."""


def parsed_and_no_more(self: argparse.ArgumentParser, *given: Any) -> None:
    unknown = self.parse_known_args(*given)[1]
    assert not unknown
    raise Parsed


ALL = [(page.stem, line) for page in PAGES for line in commands(page)]


@pytest.mark.parametrize(("page", "line"), ALL, ids=[f"{page}: {line}"[:90] for page, line in ALL])
def test_commands_have_these_options(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "classicseg":
        assert words[1] in COMMANDS.commands
        if len(words) > 2 or words[1] == "compare":  # else its name is all that is meant
            parsed(words[1:])
        return
    script = ROOT / words[1]
    assert script.is_file(), f"{page} runs {words[1]}"
    if "argparse" not in script.read_text("utf-8"):
        assert not any(word.startswith("-") for word in words[2:])
        return
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parsed_and_no_more)
    monkeypatch.setattr(sys, "argv", words[1:])
    monkeypatch.syspath_prepend(str(script.parent))
    with pytest.raises(Parsed):
        runpy.run_path(str(script), run_name="__main__")


def test_the_pages_have_commands_of_every_kind() -> None:
    told = {shlex.split(line, comments=True)[1] for _, line in ALL if line.startswith("classicseg")}
    assert told == set(COMMANDS.commands)
    assert sum(line.startswith("python") for _, line in ALL) >= 30


def test_quick_commands_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_files(tmp_path)
    lines = [
        line for line in commands(PAGES[0]) if re.match("classicseg (segment|crf|datasets) ", line)
    ]
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line, comments=True)
        assert main(words[1:]) == 0, f"{line}: {capsys.readouterr().err}"
        if words[1] != "datasets":
            assert parsed(words[1:])["output"].is_file()
    assert (tmp_path / "cutout.png").is_file()


def test_extras_that_pages_tell_of_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for page in PAGES:
        for extra in re.findall(r"classicseg\[([\w,]+)\]'", page.read_text("utf-8")):
            assert set(extra.split(",")) <= set(project["optional-dependencies"]), page.name


def test_benchmarks_that_the_readme_names_exist() -> None:
    for name in re.findall(r"`((?:bench_|oracles)\w*\.py)", PAGES[0].read_text("utf-8")):
        assert (ROOT / "benchmarks" / name).is_file(), name

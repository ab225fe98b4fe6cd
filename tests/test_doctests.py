"""The examples in the docstrings are right."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
from dataclasses import is_dataclass
from pathlib import Path

import numpy as np
import pytest

import classicseg

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(classicseg.__path__, "classicseg.")
    if not module.name.endswith(("._ext", ".__main__"))
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("classicseg.bridge."):
        pytest.importorskip("torch", reason="the bridge needs torch")
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    known = {"np": np, "cs": classicseg, **vars(module)}
    failed, _ = doctest.testmod(module, extraglobs=known)
    assert failed == 0
    assert not list(tmp_path.iterdir())  # examples leave nothing in the user's folder


def test_every_public_function_has_an_example() -> None:
    """And there are examples at all, or the test above would pass whatever they say."""
    for name in classicseg.__all__:
        if name == "bridge" and importlib.util.find_spec("torch") is None:
            continue
        public = importlib.import_module(f"classicseg.{name}")
        items = [getattr(public, item) for item in getattr(public, "__all__", [])]
        for item in items:
            if callable(item) and not is_dataclass(item):  # those are made by others' examples
                assert ">>>" in _documentation(item), f"classicseg.{name}: {item}"


def _documentation(item: object) -> str:
    """A function's docstring, or a class's and its methods'."""
    own = item.__doc__ or ""
    if isinstance(item, type):
        own += "".join(getattr(m, "__doc__", None) or "" for m in vars(item).values())
    return own

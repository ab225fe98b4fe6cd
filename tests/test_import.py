"""`import classicseg`: quick, light, from any folder."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import classicseg

ROOT = Path(__file__).resolve().parent.parent


def run(code: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_import_takes_less_than_60_ms_beyond_numpy() -> None:
    """The least of seven: what a busy machine adds is no part of it."""
    code = (
        "import numpy, time; start = time.perf_counter(); import classicseg; "
        "print(time.perf_counter() - start)"
    )
    assert min(float(run(code)) for _ in range(7)) < 0.06


def test_import_loads_nothing_heavy() -> None:
    heavy = "torch cv2 matplotlib maxflow scipy skimage sklearn PIL imageio typer rich joblib"
    code = (
        "import sys; import classicseg as cs; "
        f"print([m for m in {heavy.split()} if m in sys.modules])"
    )
    assert run(code) == "[]"


def test_using_the_solvers_loads_neither_torch_nor_opencv() -> None:
    code = (
        "import sys, numpy as np, classicseg as cs\n"
        "image = np.zeros((8, 9), np.uint8); image[2:6, 2:6] = 200\n"
        "cs.grabcut.GrabCut(image).fit((1, 1, 6, 6))\n"
        "cs.graphcut.segment(image, (image > 0) + 1)\n"
        "cs.bridge.nets\n"
        "print([m for m in ('torch', 'cv2', 'matplotlib', 'maxflow') if m in sys.modules])"
    )
    assert run(code) == "[]"


@pytest.mark.parametrize("name", sorted(set(classicseg.__all__)))
def test_every_public_module_loads_by_itself(name: str) -> None:
    assert run(f"import classicseg as cs; print(cs.{name}.__name__)") == f"classicseg.{name}"


def test_public_names_exist_and_others_say_so() -> None:
    assert {"graphcut", "grabcut", "io", "metrics", "unary", "viz"} <= set(dir(classicseg))
    for name in classicseg.__all__:
        module = getattr(classicseg, name)
        if name == "bridge" and importlib.util.find_spec("torch") is None:
            continue
        for public in getattr(module, "__all__", []):
            assert hasattr(module, public), f"classicseg.{name}.{public}"
    with pytest.raises(AttributeError, match="grapcut"):
        classicseg.grapcut  # noqa: B018


@pytest.mark.parametrize("where", ["the root of the project", "an empty folder"])
def test_the_kernels_are_found_from(where: str, tmp_path: Path) -> None:
    folder = ROOT if where.startswith("the root") else tmp_path
    if folder is ROOT and not (ROOT / "classicseg").is_dir():
        pytest.skip("the tests are not beside the sources")
    code = (
        "import classicseg as cs; graph = cs.graphcut.GridGraph((2, 2)); "
        "graph.set_terminals(3, 2); print(graph.solve().flow)"
    )
    assert run(code, folder) == "8"


def test_the_command_runs_from_the_root_of_the_project() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "classicseg", "--version"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == f"classicseg {classicseg.__version__}"

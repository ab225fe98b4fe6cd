"""The compiled kernels: found from anywhere, safe against wrong arrays, equal to loops."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import lazy_loader
import numpy as np
import pytest
from reference import contrast as reference
from reference import maxflow

import classicseg
from classicseg._kernels import ext
from classicseg.graphcut import contrast_weights
from classicseg.graphcut._contrast import cut_cost
from classicseg.graphcut._neighbours import forward

SOURCES = Path(classicseg.__file__).parent


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """The sources without kernels, an installed package with them, and what both need."""
    found = {name: tmp_path / name for name in ("sources", "installed", "needed")}
    for name in ("sources", "installed"):
        (found[name] / "classicseg").mkdir(parents=True)
        for file in ("__init__.py", "__init__.pyi", "_kernels.py"):
            shutil.copy(SOURCES / file, found[name] / "classicseg")
    shutil.copy(ext.__file__, found["installed"] / "classicseg")
    package = Path(lazy_loader.__file__).parent
    shutil.copytree(package, found["needed"] / package.name)
    return found


def load(*path: Path, here: Path) -> subprocess.CompletedProcess[str]:
    """Import the kernels in a Python that knows of these folders only."""
    code = "from classicseg._kernels import ext; print(ext.version, ext.__file__)"
    return subprocess.run(
        [sys.executable, "-S", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        cwd=here,
        capture_output=True,
        text=True,
    )


def test_the_version_is_the_packages() -> None:
    assert ext.version == classicseg.__version__
    assert ext.instruction_set in ("baseline", "x86_64_v3")


def test_a_source_folder_borrows_the_installed_kernels(folders: dict[str, Path]) -> None:
    run = load(folders["installed"], folders["needed"], here=folders["sources"])
    assert run.returncode == 0, run.stderr
    version, file = run.stdout.split(maxsplit=1)
    assert version == classicseg.__version__
    assert Path(file.strip()).parent == folders["installed"] / "classicseg"


def test_kernels_of_another_version_are_refused(folders: dict[str, Path]) -> None:
    file = folders["sources"] / "classicseg" / "__init__.py"
    file.write_text(file.read_text().replace(classicseg.__version__, "99.8.7"))
    run = load(folders["installed"], folders["needed"], here=folders["sources"])
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the sources in ")
    assert "version 99.8.7" in last and f"version {classicseg.__version__}" in last


def test_no_kernels_anywhere_says_what_to_do(folders: dict[str, Path]) -> None:
    run = load(folders["needed"], here=folders["sources"])
    last = run.stderr.splitlines()[-1]
    assert last.startswith("ImportError: classicseg has no compiled kernels in ")
    assert "pip install -e ." in last


def test_the_bindings_check_shapes() -> None:
    """The last line of defence: a mistake of ours is an exception, not a crash."""
    image = np.zeros((4, 5, 3), np.float32)
    mask, wrong = np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8)
    energy, components = np.zeros((4, 5), np.float32), np.zeros((2, 10), np.float32)
    totals = np.zeros((2, 2, 10))
    volume, east = image[np.newaxis], (0, 0, 1)
    calls = [
        lambda: ext.gmm_energies(image, [None], components, energy, wrong, 1),
        lambda: ext.gmm_energies(image, [wrong], components, energy, mask, 1),
        lambda: ext.gmm_energies(image, [], components, energy, mask, 1),
        lambda: ext.gmm_energies(image, [None], components[:0], energy, mask, 1),
        lambda: ext.gmm_energies(image, [None], components[:, :9].copy(), energy, mask, 1),
        lambda: ext.gmm_energies(image[..., :2].copy(), [None], components, energy, mask, 1),
        lambda: ext.gmm_statistics(image, mask, mask, wrong, totals, 1),
        lambda: ext.gmm_statistics(image, mask, mask + 2, mask, totals, 1),
        lambda: ext.gmm_statistics(image, mask + 1, mask, mask + 2, totals, 1),
        lambda: ext.gmm_statistics(image, mask, mask, mask, totals[:1].copy(), 1),
        lambda: ext.kmeans(energy, np.zeros(2), 1, np.zeros((2, 5)), np.zeros(2, np.int64)),
        lambda: ext.kmeans(energy[:, :3].copy(), np.ones(1), 1, np.zeros((1, 3)), np.zeros(1, int)),
        lambda: ext.kmeans(
            energy[:, :3].copy(), np.zeros(5), 1, np.zeros((5, 3)), np.zeros(5, int)
        ),
        lambda: ext.data_energy(energy, energy.T.copy(), mask, 1),
        lambda: ext.trimap_terminals(energy, energy, mask, 0, 0, energy, energy.T.copy(), 1),
        lambda: ext.trimap_terminals(energy, energy, mask, 1, 0, energy, energy, 1),
        lambda: ext.trimap_terminals(energy, energy, mask, 0, 9, energy[:, :1], energy[:, :1], 1),
        lambda: ext.cut_cost([energy, None, None, energy.T.copy()], mask, 1),
        lambda: ext.cut_cost([energy], mask, 1),
        lambda: ext.contrast_weights(
            volume, [east], [1.0], 1.0, [np.zeros((1, 5, 4), np.float32)], 1
        ),
        lambda: ext.contrast_weights(volume, [east], [1.0], 1.0, [volume[:0, ..., 0].copy()], 1),
        lambda: ext.contrast_weights(volume, [east], [1.0], 1.0, [], 1),
        lambda: ext.contrast_weights(volume, [east], [], 1.0, [volume[..., 0].copy()], 1),
        lambda: ext.sum_squared_differences(volume[..., :2].copy(), [east], 1),
        lambda: ext.sum_squared_differences(volume, [(0, 0, -1)], 1),
        lambda: ext.sum_squared_differences(volume, [(0, 0, 0)], 1),
        lambda: ext.sum_squared_differences(volume, [(0, 2, 0)], 1),
        lambda: ext.sum_squared_differences(volume, [east] * 14, 1),
        lambda: ext.sum_squared_differences(image, [east], 1),
        lambda: ext.GridMaxflow(1, 0, 5, 6, False, 1),
        lambda: ext.GridMaxflow(1, 4, 5, 8, False, 1),
        lambda: ext.GridMaxflow(1, 4, 5, 6, False, 1).set_arcs_float32([None] * 8, True, 1.0, 1),
        lambda: ext.GridMaxflow(2, 2, 5, 26, False, 1).solve(mask, wrong, 1),
        lambda: ext.GridMaxflow(0, 5, False, 1),
        lambda: ext.GridMaxflow(4, 5, False, 1).solve(mask, wrong, 1),
        lambda: ext.GridMaxflow(4, 5, False, 1).set_arcs_float32(
            [energy.T.copy()] + [None] * 7, False, 1.0, 1
        ),
        lambda: ext.GridMaxflow(4, 5, False, 1).set_terminals_float32(
            energy, energy.T.copy(), [], 1.0, 1
        ),
    ]
    for call in calls:
        with pytest.raises((ValueError, TypeError)):
            call()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 6, 1), (4, 37, 3), (3, 2060, 3)])
def test_sum_of_squared_differences(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, shape).astype(np.float32)
    pixels = image if image.ndim == 3 else image[..., None]
    for connectivity in (4, 8):
        expected = sum(
            reference.squared_difference(image, here, there)
            for here, there, _ in reference.pairs(shape[:2], connectivity)
        )
        steps = [(0, *offset) for offset in forward(connectivity)]
        for n_threads in (1, 3):
            found = ext.sum_squared_differences(pixels[np.newaxis], steps, n_threads)
            assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (9, 13), (70, 1050)])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_cut_cost(shape: tuple[int, int], connectivity: int, rng: np.random.Generator) -> None:
    weights = contrast_weights(rng.random(shape), connectivity=connectivity)
    mask = rng.random(shape) < 0.3
    zero = np.zeros(shape)
    expected = maxflow.cut_cost(zero, zero, {o: w.astype(float) for o, w in weights.items()}, mask)
    costs = {cut_cost(weights, mask, n_threads) for n_threads in (1, 2, 3, 8)}
    assert len(costs) == 1
    assert costs.pop() == pytest.approx(expected, rel=1e-6)
    assert cut_cost(weights, np.zeros(shape, bool), 1) == 0
    assert cut_cost(weights, np.ones(shape, bool), 1) == 0
    assert set(weights) == set(forward(connectivity))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (130, 67)])
def test_data_energy_and_terminals(shape: tuple[int, int], rng: np.random.Generator) -> None:
    background, foreground = rng.normal(0, 30, (2, *shape)).astype(np.float32)
    mask = rng.random(shape) < 0.5
    expected = np.where(mask, foreground, background).sum(dtype=float)
    sums = {ext.data_energy(background, foreground, mask.view(np.uint8), n) for n in (1, 2, 5)}
    assert len(sums) == 1
    assert sums.pop() == pytest.approx(expected, rel=1e-9, abs=1e-9)

    trimap = rng.integers(0, 4, shape).astype(np.uint8)
    top, left = shape[0] // 3, shape[1] // 2
    window = (shape[0] - top - shape[0] // 4, shape[1] - left)
    source, sink = np.full((2, *window), np.nan, np.float32)
    ext.trimap_terminals(background, foreground, trimap, top, left, source, sink, 2)
    for y, x in np.ndindex(window):
        b, f, fixed = (array[top + y, left + x] for array in (background, foreground, trimap))
        if fixed == 0:
            wanted = 0, np.inf
        elif fixed == 1:
            wanted = np.inf, 0
        else:
            wanted = max(b - f, 0), max(f - b, 0)
        assert (source[y, x], sink[y, x]) == wanted

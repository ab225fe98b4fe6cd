"""Figures of memory in the documentation hold; what does not fit is said before work begins."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kernel_calls as calls
import numpy as np
import pytest

from classicseg import _memory, densecrf, graphcut, gridcrf, superpixels

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
SIDE = 1000
# Measured by hand alone.
SLOW = ("sparse_graph", "volume_graph", "belief_propagation", "segment", "region_features")
MEASURE = """
import ctypes, gc, sys
import kernel_calls as calls

def status(key):
    lines = open("/proc/self/status").read().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))

side = int(sys.argv[1])
for name in sys.argv[2:]:
    calls.call(name, 100)()
    run = calls.call(name, side, 2)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = status("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")
    result = run()
    print(name, (status("VmHWM") - before) / (side * (side + 3)))
    del run, result
"""


def documented() -> dict[str, float]:
    """Bytes a pixel from the table of the documentation."""
    section = DOCUMENT.read_text().partition("## Size")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", section, re.MULTILINE)
    return {name: float(figure) for name, figure in rows}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_kernels_take_no_more_than_documented() -> None:
    table = documented()
    assert len(table) >= 10
    assert set(table) <= set(calls.CALLS)
    figures = {name: table[name] for name in table if name not in SLOW}
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(SIDE), *figures],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
        cwd=Path(calls.__file__).parent,
    )
    measured = dict(line.split() for line in ran.stdout.splitlines())
    assert measured.keys() == figures.keys()
    for name, figure in figures.items():
        assert float(measured[name]) < 1.2 * figure + 8, f"{name}: {measured[name]} bytes a pixel"


EDGES = {(0, 1): 1.0, (1, 0): 1.0}
ZEROS = np.zeros((40, 50, 3), np.float32)
TOO_LARGE = {
    "a graph of shape": lambda: graphcut.GridGraph((40, 50)).solve(),
    "a graph of 70 nodes": lambda: graphcut.Graph(70).solve(),
    "moves of 2000 pixels": lambda: graphcut.alpha_expansion(ZEROS, EDGES),
    "messages between 2000 nodes": lambda: gridcrf.trws(ZEROS, EDGES),
    "a dense CRF of shape": lambda: densecrf.DenseCRF().infer(ZEROS, ZEROS.astype(np.uint8)),
    "SLIC of shape": lambda: superpixels.slic(ZEROS.astype(np.uint8)),
}


@pytest.mark.parametrize("what", TOO_LARGE)
def test_what_does_not_fit_is_said_with_its_size(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_memory, "_SMALL", 0)
    TOO_LARGE[what]()
    monkeypatch.setattr(_memory, "_free", lambda: 1000)
    with pytest.raises(MemoryError, match=f"{what}.* needs about .* GB of memory, .* are free"):
        TOO_LARGE[what]()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_graph_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page is touched: the arrays that describe it are numbers."""
    free = _memory._free()
    assert free is not None
    assert free > 0
    monkeypatch.setattr(_memory, "_free", lambda: min(free, 10 << 30))
    graph = graphcut.GridGraph((20000, 20000))
    edges: Any = {(0, 1): np.broadcast_to(np.int32(1), (20000, 20000))}
    graph._edges, graph._largest = edges, {(0, 1): 1}
    with pytest.raises(MemoryError, match=r"needs about 26\.0 GB"):
        graph.solve()


def test_what_no_solver_takes_is_a_matter_of_memory_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a kernel's own limit: memory is said where it is short, the limit where it is not."""
    image = np.broadcast_to(np.uint8(3), (40_000, 40_000, 3))
    shape = (30_000, 30_000)
    monkeypatch.setattr(_memory, "_free", lambda: 20 << 30)
    with pytest.raises(MemoryError, match=r"a graph of shape .* needs about 49\.5 GB"):
        graphcut.GridGraph(shape)
    with pytest.raises(MemoryError, match=r"SLIC of shape .* needs about 73\.6 GB"):
        superpixels.slic(image)
    monkeypatch.setattr(_memory, "_free", lambda: 1 << 50)
    with pytest.raises(ValueError, match=r"^shape is .* expected under 2"):
        graphcut.GridGraph(shape)
    with pytest.raises(ValueError, match=r"^image has shape .* expected under 2"):
        superpixels.slic(image)


def test_a_thousand_labels_and_a_hundred_thousand_superpixels() -> None:
    image = calls.picture(800)
    labels = superpixels.slic(image, 100_000)
    assert labels.max() + 1 == 100_000
    assert np.bincount(labels.ravel()).min() > 0
    # Each pixel's own label is 5 cheaper than any other, a neighbour's difference costs 1.
    truth = np.arange(48 * 64).reshape(48, 64) * 7 % 1000
    truth = np.repeat(np.repeat(truth[::4, ::4], 4, 0), 4, 1)
    unary = np.full((*truth.shape, 1000), 5, np.float32)
    np.put_along_axis(unary, truth[..., np.newaxis], 0, axis=2)
    found = gridcrf.icm(unary, EDGES, labels=truth)
    np.testing.assert_array_equal(found.labels, truth)
    np.testing.assert_array_equal(gridcrf.trws(unary, EDGES, max_iter=5).labels, truth)
    expansion = graphcut.alpha_expansion(unary, EDGES)
    np.testing.assert_array_equal(expansion.labels, truth)

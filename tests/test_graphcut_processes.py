"""Max-flow in other surroundings: the portable kernels, Python's threads, after a fork."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from cuts import same, solve
from reference import maxflow as reference

from classicseg.graphcut import GridGraph

SOLVE_IN_A_NEW_PROCESS = """
import sys
import numpy as np
from classicseg import _gmm, graphcut
from classicseg._kernels import ext
given, found = np.load(sys.argv[1]), {}
graph = graphcut.GridGraph(given["source"].shape)
offsets = [(0, 1), (1, -1), (1, 0), (1, 1)]
for name, dtype in (("int", np.int64), ("wide", np.int64), ("float", np.float32)):
    factor = 2**30 if name == "wide" else 1
    graph.set_terminals(*(given[side].astype(dtype) * factor for side in ("source", "sink")))
    graph.set_edges({o: w.astype(dtype) * factor for o, w in zip(offsets, given["weights"])})
    cut = graph.solve(2)
    found |= {name + "_flow": cut.flow, name: cut.mask, name + "_max": cut.maximal_mask}
image = given["image"]
for connectivity in (4, 8):
    for o, w in graphcut.contrast_weights(image, connectivity=connectivity).items():
        found[f"weights_{connectivity}_{o}"] = w
gmm = _gmm.fit_gmm(image.reshape(-1, 3))
found |= {"means": gmm.means, "covariances": gmm.covariances, "energies": gmm.energies(image)}
found["isa"] = ext.instruction_set
np.savez(sys.argv[2], **found)
"""


def test_the_portable_path_gives_the_same_bits(tmp_path: Path, rng: np.random.Generator) -> None:
    source, sink, weights = reference.smooth_problem(rng, (150, 131), 1000)
    image = rng.integers(0, 256, (37, 41, 3), np.uint8)
    given_ = tmp_path / "given.npz"
    np.savez(
        given_, source=source, sink=sink, weights=np.stack(list(weights.values())), image=image
    )
    results = []
    for isa in ("baseline", ""):
        file = tmp_path / f"found{isa}.npz"
        subprocess.run(
            [sys.executable, "-c", SOLVE_IN_A_NEW_PROCESS, given_, file],
            env=os.environ | {"CLASSICSEG_ISA": isa},
            check=True,
        )
        with np.load(file) as found:
            results.append(dict(found))
    portable, default = results
    assert portable.pop("isa") == "baseline"
    default.pop("isa")
    assert portable.keys() == default.keys() and len(portable) == 18
    for name, array in portable.items():
        np.testing.assert_array_equal(array, default[name], err_msg=name)
    assert portable["int_flow"] == reference.cut_cost(source, sink, weights, portable["int"])


def test_one_graph_in_several_python_threads(rng: np.random.Generator) -> None:
    source, sink, weights = reference.smooth_problem(rng, (120, 100), 50)
    expected = solve(source, sink, weights)
    for _ in range(5):
        graph = GridGraph(source.shape)
        graph.set_terminals(source, sink)
        graph.set_edges(weights)
        with ThreadPoolExecutor(6) as threads:
            cuts = list(threads.map(graph.solve, [1, 2, 3, 1, 2, None]))
        assert all(same(cut, expected) for cut in cuts)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_after_a_fork(rng: np.random.Generator) -> None:
    source, sink, weights = reference.smooth_problem(rng, (300, 60), 50)
    graph = GridGraph(source.shape)
    graph.set_terminals(source, sink)
    graph.set_edges(weights)
    expected = graph.solve(4)
    code = (
        "import os, sys, numpy as np, signal\n"
        "from classicseg.graphcut import GridGraph\n"
        "graph = GridGraph((300, 60)); rng = np.random.default_rng(1)\n"
        "graph.set_terminals(*rng.integers(0, 30, (2, 300, 60)))\n"
        "graph.set_edges({o: rng.integers(0, 9, (300, 60)) for o in ((0, 1), (1, 0), (1, 1))})\n"
        "before = graph.solve(4)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(30)\n"
        "    again = graph.solve(4)\n"
        "    graph.set_terminals(7, 0); graph.set_terminals(*rng.integers(0, 30, (2, 300, 60)))\n"
        "    graph.solve(4)\n"
        "    right = again.flow == before.flow and np.array_equal(again.mask, before.mask)\n"
        "    os._exit(0 if right else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert same(graph.solve(2), expected)

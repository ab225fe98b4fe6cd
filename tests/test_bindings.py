"""The compiled functions themselves, with arrays of other shapes, types and layouts.

Their callers check values; the bindings promise that a wrong shape, type or order of memory is
refused before a kernel runs. They run in a process of their own, which must survive.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from classicseg._kernels import ext

H, W = 6, 8
N = H * W


def f(*shape: int) -> Any:
    return np.zeros(shape, np.float32)


def u(*shape: int) -> Any:
    return np.zeros(shape, np.uint8)


def i(*shape: int) -> Any:
    return np.zeros(shape, np.int32)


def _grid_arcs(*arrays: Any) -> None:
    ext.GridMaxflow(H, W, False, 8).set_arcs_float32([*arrays, *[None] * 6], True, 1.0, 1)


def _grid_terminals(source: Any, sink: Any) -> None:
    ext.GridMaxflow(H, W, False, 8).set_terminals_float32(source, sink, [], 1.0, 1)


def _grid_solve(minimal: Any, maximal: Any) -> None:
    ext.GridMaxflow(H, W, False, 8).solve(minimal, maximal, 1)


def _solve_again(source: Any, sink: Any, old_source: Any, old_sink: Any, minimal: Any) -> None:
    graph = ext.GridMaxflow(H, W, False, 8)
    graph.set_terminals_float32(f(H, W), f(H, W), [], 1.0, 1)
    graph.solve(u(H, W), u(H, W), 1)
    graph.solve_again_float32(source, sink, old_source, old_sink, 2, 3, 1.0, minimal, 1)


def _graph(pairs: Any, forward: Any, backward: Any, source: Any, sink: Any) -> None:
    graph = ext.GraphMaxflow(5, False, 8)
    graph.build_float32(pairs, forward, backward, 1.0)
    graph.set_terminals_float32(source, sink, None, None, 1.0)
    graph.solve(u(5), u(5), 1)


def _dense(unary: Any, weights: Any, probabilities: Any, labels: Any, channels: Any) -> None:
    crf = ext.prepare_densecrf(1, H, W, [((2.0, 2.0), channels, (9.0, 9.0, 9.0))], 3, 1)
    crf.infer(unary, None, weights, None, None, 1, 0.0, probabilities, labels, None, 1)


def _filter(values: Any, result: Any) -> None:
    ext.make_kernel_filter(1, H, W, ((2.0, 2.0), None, ()), 1).apply(values, False, result, 1)


def _moves(unary: Any, steps: Any, weights: Any, labels: Any) -> None:
    solver = ext.LabelMoves(unary, None, 1.0, 1.0, False, steps, weights, 1)
    solver.start(labels, 1)
    solver.expand(1, 1)
    solver.get_labels(labels)


def _local(
    costs: Any, transposed: Any, unary: Any, messages: Any, labels: Any, weight: Any
) -> None:
    nodes = ext.LocalGrid(H, W, [(0, 1, weight), (1, 0, weight)])
    cost = ext.LabelCosts(3, 8, 1.0, 1.0, 0.0, costs, transposed)
    nodes.sweep(cost, unary, messages, True, False, False, labels, None, 1)
    nodes.energy(cost, unary, labels, 1)


def _slic(planes: Any, mask: Any, labels: Any) -> None:
    ext.slic(planes, 3, [mask], labels, 4, 2, 99.0, 1.0, 1.0, 1.0, False, True, 1)


CALLS: list[tuple[Any, tuple[Any, ...]]] = [
    (_grid_arcs, (f(H, W), f(H, W))),
    (_grid_terminals, (f(H, W), f(H, W))),
    (_grid_solve, (u(H, W), u(H, W))),
    (_solve_again, (f(2, 3), f(2, 3), f(2, 3), f(2, 3), u(H, W))),
    (_graph, (i(4, 2), f(4), f(4), f(5), f(5))),
    (_dense, (f(N, 3), f(1), f(N, 3), i(N), f(N, 3))),
    (_filter, (f(N, 2), f(N, 2))),
    (_moves, (f(N, 2), np.array([1], np.int32), np.zeros((1, N)), i(N))),
    (_local, (f(8, 8), f(8, 8), f(N, 8), f(2 * N, 8), i(N), f(H, W))),
    (_slic, (np.zeros(3 * N + 16, np.int16), np.ones((1, H, W), np.uint8), i(1, H, W))),
    (lambda a, b: ext.shrink_uint8(a, b, 1), (u(H, W, 3), f(3, 4, 3))),
    (lambda a, b: ext.shrink_float32(a, b, 1), (f(H, W, 3), f(3, 4, 3))),
    (lambda a, b: ext.grey_uint8(a, b, 1), (u(H, W, 1), f(3, 4))),
    (lambda a, b: ext.grey_float32(a, b, 1), (f(H, W, 3), f(3, 4))),
    (lambda a, b: ext.spectral_residual(a, 2.5, b), (f(H, W), f(H, W))),
    (lambda a, b: ext.enlarge(a, b, 1), (f(H, W), f(9, 9))),
    (lambda a, b, c: ext.minimum_barrier(a, b, 3, c), (f(H, W, 3), u(H, W), f(H, W))),
    (ext.reconstruct, (f(H, W), f(H, W))),
    (lambda a, b: ext.lab_bytes(a, b, 1), (u(N, 3), np.zeros(3 * N, np.int16))),
    (lambda a, b: ext.unary_range(a, 1) and b, (f(N, 3), f(1))),
    (lambda a, b: ext.sum_squared_differences(a, [(0, 0, 1)], 1) + b[0], (f(1, H, W, 3), f(1))),
    (
        lambda a, b: ext.contrast_weights(a, [(0, 0, 1)], [1.0], 1.0, [b], 1),
        (f(1, H, W, 3), f(1, H, W)),
    ),
    (lambda a, b: ext.cut_cost([a, None, None, None], b, 1), (f(H, W), u(H, W))),
    (
        lambda a, b, c, d: ext.gmm_energies(a, [None], b, c, d, 1),
        (f(H, W, 3), f(2, 10), f(H, W), u(H, W)),
    ),
    (lambda a, b, c: ext.data_energy(a, b, c, 1), (f(H, W), f(H, W), u(H, W))),
    (
        lambda a, b, c, d, e: ext.gmm_statistics(a, b, c, d, e, 1),
        (f(H, W, 3), u(H, W), u(H, W), u(H, W), np.zeros((2, 2, 10))),
    ),
    (
        lambda a, b, c, d: ext.kmeans(a, b, 2, c, d),
        (f(N, 3), np.zeros(4), np.zeros((4, 3)), np.zeros(4, np.int64)),
    ),
    (lambda a, b: ext.energies_of_probabilities(a, 1e-5, 1e-3, b, 1), (f(N, 3), f(N, 3))),
]


def others(good: Any) -> Iterator[Any]:
    """Arrays that are not of the shape, the type or the layout of a good one."""
    for axis in range(good.ndim):
        for change in (-1, 1):
            shape = list(good.shape)
            shape[axis] += change
            yield np.zeros(shape, good.dtype)
        yield np.delete(good, np.s_[:], axis)
    yield good[None].copy()
    yield good.reshape(-1)[0]
    yield good.ravel().copy()
    yield np.zeros((), good.dtype)
    yield good.astype(np.complex64)
    yield good.astype(np.int64)
    yield good.astype(good.dtype.newbyteorder())
    yield np.repeat(good, 2, axis=-1)[..., ::2]
    yield np.asfortranarray(np.repeat(good[None], 2, 0))[0]
    frozen = good.copy()
    frozen.setflags(write=False)
    yield frozen
    yield from (None, 3, "text", [good], good.tolist(), object(), memoryview(b"abc"))


def run() -> None:
    """Every call with every argument replaced: refused, or right."""
    count = refused = 0
    for number, (call, good) in enumerate(CALLS):
        call(*good)
        for place in range(len(good)):
            for value in others(good[place]):
                arguments = [array.copy() for array in good]
                arguments[place] = value
                print(number, place, flush=True, file=sys.stderr)
                count += 1
                try:
                    call(*arguments)
                except (TypeError, ValueError, RuntimeError, IndexError):
                    refused += 1
    print(count, refused)


def test_wrong_arrays_are_refused() -> None:
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr.splitlines()[-3:]
    count, refused = map(int, done.stdout.split())
    assert count > 1000 and refused > 0.7 * count


if __name__ == "__main__":
    run()

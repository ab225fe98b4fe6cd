"""Strokes are taken in by work near them, and give what a cut from scratch gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from skimage import data

from classicseg.grabcut import GrabCut
from classicseg.graphcut import GridGraph, contrast_weights


def cold_cut(grabcut: GrabCut, image: np.ndarray) -> np.ndarray:
    assert grabcut.background_gmm is not None and grabcut.foreground_gmm is not None
    assert grabcut.trimap is not None
    source = grabcut.background_gmm.energies(image)
    sink = grabcut.foreground_gmm.energies(image)
    source, sink = np.maximum(source - sink, 0), np.maximum(sink - source, 0)
    source[grabcut.trimap == 1], sink[grabcut.trimap == 1] = np.inf, 0
    source[grabcut.trimap == 0], sink[grabcut.trimap == 0] = 0, np.inf
    graph = GridGraph(image.shape[:2])
    graph.set_terminals(source, sink)
    graph.set_edges(contrast_weights(image, grabcut.gamma))
    return graph.solve().mask


def test_strokes_on_a_photograph_equal_cold_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    image = data.chelsea()  # 300 x 451
    grabcut = GrabCut(image, max_iter=2).fit(rect=(100, 10, 300, 280))
    cuts: Any = grabcut._models._exact_cut  # type: ignore[union-attr]
    windows: list[Any] = []
    near = cuts.solve_again

    def spy(*arguments: Any) -> Any:
        windows.append(near(*arguments))
        return windows[-1]

    monkeypatch.setattr(cuts, "solve_again", spy)
    rng = np.random.default_rng(4)
    changed = 0
    for _ in range(25):
        path = rng.integers((100, 10), (400, 290)) + rng.normal(0, 6, (4, 2)).cumsum(axis=0)
        before, energies = grabcut.mask, len(grabcut.energies)
        label = int(rng.integers(4))
        grabcut.stroke(path, float(rng.uniform(0.5, 6)), label)
        if rng.integers(3) == 0:  # two strokes before the next cut
            grabcut.stroke(path + 20, 2, label)
        grabcut.refine()
        np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))
        changed += int((before != grabcut.mask).sum())
        assert len(grabcut.energies) == energies + 1
    assert changed > 1000
    sizes = [np.prod([s.stop - s.start for s in found[0]]) for found in windows if found]
    assert sum(size < grabcut.mask.size / 4 for size in sizes) > 10
    assert len(grabcut.energies) == 2 + 25


def test_the_energy_after_strokes_is_that_of_the_mask() -> None:
    image = data.chelsea()[:, ::2]
    grabcut = GrabCut(image, max_iter=1).fit(rect=(50, 10, 150, 280))
    for k in range(6):
        grabcut.stroke([(60 + 20 * k, 150), (70 + 20 * k, 90)], 3, k % 2).refine()
    kept = grabcut.energies[-1]
    grabcut._models._energy = None  # type: ignore[union-attr]  # the whole energy, from scratch
    assert grabcut.refine().energies[-1] == pytest.approx(kept, rel=1e-9)


def test_refine_without_a_stroke_changes_nothing() -> None:
    image = data.chelsea()[::4, ::4]
    grabcut = GrabCut(image, max_iter=1).fit(rect=(20, 5, 60, 60))
    mask, energy = grabcut.mask, grabcut.energies[-1]
    grabcut.refine()
    np.testing.assert_array_equal(grabcut.mask, mask)
    assert grabcut.energies[-1] == energy and len(grabcut.energies) == 2
    grabcut.stroke([(-50, -50)], 3, 1).refine()  # outside
    np.testing.assert_array_equal(grabcut.mask, mask)


def test_a_stroke_does_not_write_to_trimaps_given_out() -> None:
    grabcut = GrabCut(data.chelsea()[::4, ::4], max_iter=1).fit(rect=(20, 5, 60, 60))
    given_out = grabcut.trimap
    assert given_out is not None
    copy = given_out.copy()
    grabcut.stroke([(50, 30)], 8, 0).refine()
    np.testing.assert_array_equal(given_out, copy)
    assert (grabcut.trimap != copy).any()


def test_strokes_outside_the_rectangle_and_learning_after_them() -> None:
    image = data.chelsea()[::2, ::2]
    grabcut = GrabCut(image, max_iter=1).fit(rect=(60, 20, 100, 100))
    grabcut.stroke([(10, 10), (40, 20)], 3, 1).refine()  # hard, where no graph is
    np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))
    grabcut.stroke([(180, 10), (200, 60)], 8, 2).refine()  # open, where no graph is
    np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))
    grabcut.stroke([(100, 60)], 4, 0).fit()
    grabcut.stroke([(110, 50)], 4, 1).refine()
    np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))


def test_an_interrupt_between_strokes_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    image = data.chelsea()
    grabcut = GrabCut(image, max_iter=1).fit(rect=(100, 10, 300, 280))
    graph: Any = grabcut._models._exact_cut._graph  # type: ignore[union-attr]

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(graph._solver), "solve_again", interrupted)
    with pytest.raises(KeyboardInterrupt):
        grabcut.stroke([(200, 100), (220, 110)], 3, 0).refine()
    monkeypatch.undo()
    grabcut.refine()
    np.testing.assert_array_equal(grabcut.mask, cold_cut(grabcut, image))

"""What GrabCut refuses, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from classicseg.grabcut import GrabCut


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([], 2, 1), "points"),
        (([1, 2], 2, 1), "points"),
        (([(1, 2, 3)], 2, 1), "points"),
        (([(1, np.nan)], 2, 1), "points"),
        (([(1, np.inf)], 2, 1), "points"),
        ((None, 2, 1), "points"),
        ((["a", "b"], 2, 1), "points"),
        (([(1, 2), (3,)], 2, 1), "points"),
        (([(1, 2)], 0, 1), "radius"),
        (([(1, 2)], -1, 1), "radius"),
        (([(1, 2)], np.nan, 1), "radius"),
        (([(1, 2)], "2", 1), "radius"),
        (([(1, 2)], 2, 4), "label"),
        (([(1, 2)], 2, -1), "label"),
        (([(1, 2)], 2, None), "label"),
        (([(1, 2)], 2, True), "label"),
    ],
)
def test_bad_strokes_are_named(arguments: Any, name: str) -> None:
    grabcut = GrabCut(np.eye(9) * 0.5).fit(trimap=np.eye(9, dtype=int))
    before = grabcut.trimap
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        grabcut.stroke(*arguments)
    assert grabcut.trimap is before


IMAGE = np.zeros((6, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"image": np.full((6, 8), np.nan)}, "image"),
        ({"image": np.zeros((6, 8, 4), np.uint8)}, "image"),
        ({"image": IMAGE.astype(int)}, "image"),
        ({"image": IMAGE[:0]}, "image"),
        ({"n_components": 0}, "n_components"),
        ({"n_components": 256}, "n_components"),
        ({"n_components": 2.5}, "n_components"),
        ({"gamma": -1}, "gamma"),
        ({"gamma": np.inf}, "gamma"),
        ({"gamma": "50"}, "gamma"),
        ({"max_iter": 0}, "max_iter"),
        ({"max_iter": 1.5}, "max_iter"),
        ({"engine": "matlab"}, "engine"),
        ({"data_range": (3, 1)}, "data_range"),
        ({"n_threads": -2}, "n_threads"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], name: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        GrabCut(**({"image": IMAGE} | settings))


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ({"rect": (0, 0, 0, 3)}, "rect"),
        ({"rect": (20, 0, 5, 3)}, "rect"),
        ({"rect": (0, 0, 5)}, "rect"),
        ({"rect": (0, 0, 2.5, 3)}, "rect"),
        ({"rect": "all"}, "rect"),
        ({"trimap": np.full((6, 8), 4)}, "trimap"),
        ({"trimap": np.zeros((8, 6), int)}, "trimap"),
        ({"trimap": np.zeros((6, 8))}, "trimap"),
        ({"mask": np.zeros((6, 8))}, "mask"),
        ({"mask": np.full((6, 8), 3)}, "mask"),
        ({"scribbles": np.full((6, 8), 3)}, "scribbles"),
        ({"scribbles": np.ones((6, 8), int)}, "scribbles has no foreground"),
        ({"scribbles": np.zeros((6, 8), int)}, "scribbles has no background"),
        ({"rect": (0, 0, 2, 2), "mask": np.zeros((6, 8), bool)}, "fit got rect and mask"),
        ({}, "GrabCut has no labels yet"),
    ],
)
def test_bad_starts_are_named(start: dict[str, Any], name: str) -> None:
    grabcut = GrabCut(IMAGE)
    with pytest.raises((ValueError, TypeError), match=f"^{name}"):
        grabcut.fit(**start)
    assert grabcut.trimap is None


def test_nothing_works_before_the_first_start() -> None:
    for call in (
        lambda g: g.mask,
        lambda g: g.refine(),
        lambda g: g.stroke([(1, 1)], 1, 1),
    ):
        with pytest.raises(ValueError, match="no labels yet"):
            call(GrabCut(IMAGE))

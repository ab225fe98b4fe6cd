"""What the interactive editor draws."""

from __future__ import annotations

import numpy as np
import pytest
from test_grabcut_editor import CANVAS, IMAGE, drag, editor, finish, with_a_cut

from classicseg.grabcut._canvas import STATUS_HEIGHT, draw
from classicseg.grabcut._editor import Editor
from classicseg.grabcut._picture import HELP, MODES
from classicseg.grabcut._session import Session


def test_every_mode_draws_the_labels() -> None:
    pytest.importorskip("cv2")
    e = with_a_cut()
    e.message = e.session.grabcut.__class__.__name__
    e.move(5, 5)
    mask = np.repeat(np.repeat(e.session.mask, 2, 0), 2, 1)
    deep = mask.copy()
    for _ in range(4):
        deep[1:-1, 1:-1] &= deep[2:, 1:-1] & deep[:-2, 1:-1] & deep[1:-1, 2:] & deep[1:-1, :-2]
    pictures = {}
    for _ in MODES:
        canvas = draw(IMAGE, e.picture())
        assert canvas.shape == (300 + STATUS_HEIGHT, 452, 3) and canvas.dtype == np.uint8
        pictures[e.mode] = canvas[20:300, 20:]
        e.key("v")
    photo = np.repeat(np.repeat(IMAGE[..., ::-1], 2, 0), 2, 1)[20:, 20:].astype(int)
    mask, deep = mask[20:, 20:], deep[20:, 20:]
    for mode in ("contour", "tint", "checkerboard"):
        assert np.abs(pictures[mode][deep] - photo[deep]).mean() < 6, mode
    off = ~mask
    assert np.abs(pictures["tint"][off] - photo[off]).mean() > 20
    assert set(np.unique(pictures["checkerboard"][off])) <= {204, 236}
    np.testing.assert_array_equal(pictures["mask"][..., 0] > 0, mask)
    assert len({picture.tobytes() for picture in pictures.values()}) == len(MODES)


def test_tools_help_and_marks_are_drawn() -> None:
    pytest.importorskip("cv2")
    e = editor()
    plain = draw(IMAGE, e.picture())
    e.key("h")
    with_help = draw(IMAGE, e.picture())
    assert (plain != with_help).mean() > 0.1 and len(HELP) > 10
    e.key("h")
    e.press(50, 50)
    e.move(200, 150)
    assert (draw(IMAGE, e.picture()) != plain).any()
    e.release(51, 51)
    e.key("1")
    drag(e, (240, 140), (260, 150))
    finish(e)
    e.move(5, 5)
    marked = draw(IMAGE, e.picture())[120:160, 230:270]
    assert marked[..., 1].mean() > plain[120:160, 230:270, 1].mean()  # green
    for steps in (30, -60):  # far in and out again
        e.wheel(100, 100, steps)
        draw(IMAGE, e.picture())


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 2, 3)])
def test_odd_photos_are_drawn(shape: tuple[int, ...]) -> None:
    pytest.importorskip("cv2")
    image = np.full(shape, 120, np.uint8)
    e = Editor(Session(image), CANVAS, lambda session: "")
    for steps in (0, 5, 20):
        e.wheel(200, 150, steps)
        draw(image, e.picture())
    drag(e, (10, 10), (440, 290))
    finish(e)
    for _ in MODES:
        e.key("v")
        draw(image, e.picture())

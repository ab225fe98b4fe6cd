"""The interactive editor without a window: mouse, keys, the view, and what is drawn."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data

from classicseg.grabcut._editor import Editor
from classicseg.grabcut._picture import MODES
from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action
from classicseg.grabcut._view import View
from classicseg.superpixels import slic

IMAGE = data.chelsea()[::2, ::2]  # 150 x 226
CANVAS = (452, 300)  # twice as large


def editor(saved: list[Session] | None = None) -> Editor:
    def save(session: Session) -> str:
        if saved is not None:
            saved.append(session)
        session._saved = list(session.actions)
        return "Saved"

    return Editor(Session(IMAGE), CANVAS, save)


def drag(e: Editor, *points: tuple[float, float], button: str = "left") -> None:
    e.press(*points[0], button)
    for point in points[1:-1]:
        e.move(*point)
    e.release(*points[-1])


def finish(e: Editor) -> None:
    while e.work():
        pass


def with_a_cut() -> Editor:
    e = editor()
    drag(e, (120, 20), (200, 100), (380, 260))
    finish(e)
    return e


# ---- the view -----------------------------------------------------------------------------------

SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


@settings(deadline=None)
@given(
    photo=SIZES,
    canvas=st.tuples(st.integers(50, 2000), st.integers(50, 2000)),
    steps=st.lists(
        st.tuples(st.sampled_from(["zoom", "pan"]), st.floats(-300, 300), st.floats(-300, 300)),
        max_size=6,
    ),
)
def test_a_view_shows_the_photo_and_maps_both_ways(photo: Any, canvas: Any, steps: Any) -> None:
    view = View.whole(photo, canvas)
    for step, a, b in steps:
        if step == "zoom":
            at = abs(a) % canvas[0], abs(b) % canvas[1]
            before = view.to_photo(*at)
            factor = 1.25 if b > 0 else 0.8
            view = view.zoomed(factor, *at)
            free = [
                0 < begin < size - extent / view.scale
                for begin, size, extent in zip((view.left, view.top), photo, canvas, strict=True)
            ]
            if all(free):  # else it has moved to fill the canvas, or to its middle
                np.testing.assert_allclose(view.to_photo(*at), before, atol=1e-3)
        else:
            view = view.panned(a, b)
        for x, y in ((0, 0), (canvas[0] - 1, canvas[1] - 1), (7.5, 3.25)):
            np.testing.assert_allclose(view.to_canvas(*view.to_photo(x, y)), (x, y), atol=1e-3)
        for begin, size, shown in zip((view.left, view.top), photo, canvas, strict=True):
            extent = shown / view.scale
            if extent >= size:  # in the middle
                assert begin + extent / 2 == pytest.approx(size / 2, abs=1e-6 * size + 1e-9)
            else:
                assert -1e-9 <= begin <= size - extent + 1e-6


def test_the_whole_photo_fits_the_canvas() -> None:
    view = View.whole((4000, 3000), (1200, 760))
    assert view.scale == pytest.approx(760 / 3000)
    assert view.zoomed(0.1, 5, 5) == view
    assert View.whole((10, 10), (1200, 760)).scale == 3


# ---- mouse and keys -----------------------------------------------------------------------------


def test_a_rectangle_then_strokes() -> None:
    e = with_a_cut()
    assert [a.kind for a in e.session.actions] == ["rect"] and e.tool == "brush"
    assert 1 <= e.session.actions[0].rounds <= 5
    (x0, y0), (x1, y1) = e.session.actions[0].points
    np.testing.assert_allclose((x0, y0, x1, y1), (59.75, 9.75, 189.75, 129.75))
    inside = e.session.mask[40:60, 100:140]
    e.key("0")
    drag(e, (220, 100), (240, 100), (250, 110))
    finish(e)
    stroke = e.session.actions[-1]
    assert stroke.kind == "stroke" and stroke.label == 0 and stroke.radius == 4.0
    assert len(stroke.points) == 3
    assert not e.session.mask[50, 115] and inside.any()
    e.key("u")
    finish(e)
    assert len(e.session.actions) == 1 and e.message == "Undone"
    e.key("y")
    finish(e)
    assert e.session.actions[-1] == stroke
    e.key("n")
    finish(e)
    assert e.session.actions[-1].kind == "learn"
    e.key("r")
    finish(e)
    assert not e.session.started and e.tool == "rectangle"


def test_the_mask_follows_the_brush_while_it_paints() -> None:
    e = with_a_cut()
    e.key("0")
    e.press(200, 100)
    finish(e)
    assert e.session.labels[49, 99] == 0 != e.session.labels[49, 144]
    for x in range(210, 300, 10):
        e.move(x, 100)
    assert len(e._jobs) == 1  # all points wait as one
    finish(e)
    assert list(e.session.labels[49, [99, 144]]) == [0, 0]
    e.release(300, 100)
    finish(e)
    assert len(e.session.actions) == 2
    e.key("u")
    finish(e)
    assert len(e.session.actions) == 1


def test_two_quick_strokes_are_two_actions() -> None:
    e = with_a_cut()
    e.key("0")
    drag(e, (200, 100), (220, 100))
    e.key("1")
    drag(e, (260, 200), (280, 210))
    finish(e)
    assert [a.label for a in e.session.actions[1:]] == [0, 1]
    assert not e._strokes


def test_scribbles_without_a_rectangle() -> None:
    e = editor()
    e.key("1")
    drag(e, (240, 140), (260, 150))
    finish(e)
    assert not e.session.started and "background" in e.message
    e.key("0")
    drag(e, (10, 10), (20, 250))
    finish(e)
    assert e.session.started


def test_a_click_is_no_rectangle_and_keys_wait_for_the_button() -> None:
    e = editor()
    drag(e, (10, 10), (11, 11))
    finish(e)
    assert not e.session.actions and "Drag" in e.message
    e.press(100, 100, "right")
    e.key("r")
    e.key("n")
    e.press(120, 120)  # a second button
    e.release(300, 250)
    finish(e)
    assert [a.kind for a in e.session.actions] == ["rect"]


def test_the_lasso_labels_an_area() -> None:
    e = with_a_cut()
    e.key("0")
    e.key("l")
    drag(e, (200, 80), (280, 80), (280, 160), (200, 160))
    finish(e)
    assert e.session.actions[-1].kind == "lasso"
    assert not e.session.mask[45:75, 105:135].any()


def test_zoom_pan_brush_and_views() -> None:
    e = with_a_cut()
    at = e.view.to_photo(100, 80)
    e.wheel(100, 80, 3)
    np.testing.assert_allclose(e.view.to_photo(100, 80), at)
    left = e.view.left
    e.press(200, 100, "middle")
    e.move(150, 100)
    e.release(150, 100)
    assert e.view.left > left and len(e.session.actions) == 1
    e.key("a")
    e.key("f")
    assert e.view == View.whole((226, 150), CANVAS)
    for _ in range(60):
        e.key("]")
    assert e.radius == 500
    for _ in range(60):
        e.key("[")
    assert e.radius == 0.5
    seen = []
    for _ in MODES:
        e.key("v")
        seen.append(e.mode)
    assert sorted(seen) == sorted(MODES) and e.mode == MODES[0]


def test_quitting_asks_once() -> None:
    saved: list[Session] = []
    e = editor(saved)
    e.key("s")
    finish(e)
    assert not saved and "Nothing to save" in e.message
    drag(e, (120, 20), (380, 260))
    finish(e)
    e.key("q")
    assert not e.closed and "Not saved" in e.message
    e.key("v")  # something else: it asks again
    e.key("escape")
    assert not e.closed
    e.key("s")
    finish(e)
    assert saved and e.message == "Saved"
    e.key("q")
    assert e.closed
    other = with_a_cut()
    other.key("q")
    other.key("q")
    assert other.closed


def test_senseless_work_says_so_and_goes_on() -> None:
    e = editor()
    e.key("n")
    drag(e, (-300, -300), (-200, -200), button="right")
    finish(e)
    assert "no pixel" in e.message and not e.session.actions
    e.key("\x00")
    e.key("]")
    drag(e, (120, 20), (380, 260))
    finish(e)
    assert e.session.started


def test_a_disk_that_is_full_is_said_and_work_goes_on() -> None:
    def save(session: Session) -> str:
        raise OSError(28, "No space left on device", "mask.png")

    e = Editor(Session(IMAGE), CANVAS, save)
    drag(e, (120, 20), (380, 260))
    e.key("s")
    finish(e)
    assert "No space left" in e.message and not e.session.saved
    e.key("0")
    drag(e, (220, 100), (240, 100))
    finish(e)
    assert len(e.session.actions) == 2


def test_a_save_that_waits_is_done_before_the_end() -> None:
    from classicseg.grabcut.window import _work

    saved: list[Session] = []
    e = editor(saved)
    drag(e, (120, 20), (380, 260))
    e.key("s")
    e.key("q")
    e.key("q")
    assert e.closed and not saved
    _work(e)
    assert saved and not e._jobs


def test_another_thread_may_work() -> None:
    e = editor()

    def work() -> None:
        while not e.closed:
            e.work(timeout=None)

    worker = threading.Thread(target=work)
    worker.start()
    drag(e, (120, 20), (380, 260))
    e.key("1")
    for k in range(5):
        drag(e, (150 + 30 * k, 60), (160 + 30 * k, 100), (150 + 30 * k, 140))
        e.picture()
    for _ in range(600):
        if len(e.session.actions) == 6 and not e._strokes and not e._jobs:
            break
        threading.Event().wait(0.05)
    e.closed = True
    e.wake()
    worker.join(30)
    assert not worker.is_alive()
    assert [a.kind for a in e.session.actions] == ["rect"] + 5 * ["stroke"]


def test_a_stroke_stops_learning_that_nobody_asked_for() -> None:
    e = editor()
    learns = threading.Event()

    def learn_for_ever(action: Action) -> None:
        learns.set()
        while True:
            slic(IMAGE, n_segments=20)

    e.session.extend = learn_for_ever  # type: ignore[method-assign]
    worker = threading.Thread(target=lambda: [e.work(timeout=5) for _ in range(4)])
    drag(e, (120, 20), (380, 260))
    worker.start()  # the rectangle, a round of learning, the points of a stroke, its end
    assert learns.wait(30)
    drag(e, (200, 100), (200, 100))
    worker.join(30)
    assert not worker.is_alive()
    assert [a.kind for a in e.session.actions] == ["rect", "stroke"]
    assert e.session.actions[0].rounds == 1 and not e._strokes


def test_a_stroke_stops_the_cut_of_a_start() -> None:
    e, reference = editor(), editor()
    cuts = threading.Event()

    def cut_for_ever() -> None:
        cuts.set()
        while True:
            slic(IMAGE, n_segments=20)

    e.session.cut = cut_for_ever  # type: ignore[method-assign]
    worker = threading.Thread(target=lambda: [e.work(timeout=5) for _ in range(3)])
    drag(e, (120, 20), (380, 260))
    worker.start()  # the rectangle, the points of a stroke, its end
    assert cuts.wait(30)
    assert e.session.uncut
    drag(e, (200, 100), (200, 100))
    worker.join(30)
    assert not worker.is_alive()
    drag(reference, (120, 20), (380, 260))
    assert reference.work()
    drag(reference, (200, 100), (200, 100))
    while len(reference.session.actions) < 2 or reference._strokes:
        assert reference.work()
    assert reference.session.actions == e.session.actions
    np.testing.assert_array_equal(e.session.labels, reference.session.labels)


def test_a_cut_that_was_stopped_for_nothing_is_made_up_for() -> None:
    """Redo, with nothing to do again, overtakes the cut of a start and cuts nothing itself."""
    e, reference = editor(), editor()
    cut = e.session.cut
    cuts = []

    def overtaken() -> None:
        cuts.append(len(cuts))
        if len(cuts) == 1:
            e.key("y")
            while True:
                slic(IMAGE, n_segments=20)
        cut()

    e.session.cut = overtaken  # type: ignore[method-assign]
    drag(e, (120, 20), (380, 260))
    assert e.work() and e.session.uncut  # stopped
    assert e.work() and e.session.uncut  # nothing to do again
    assert e.work() and not e.session.uncut
    drag(reference, (120, 20), (380, 260))
    assert reference.work()
    np.testing.assert_array_equal(e.session.labels, reference.session.labels)

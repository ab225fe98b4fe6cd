"""The interactive cut-out without a window: what mouse and keys mean, and what is to be seen."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from classicseg._stop import Stop, Stopped
from classicseg.grabcut._picture import MODES, Picture
from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action
from classicseg.grabcut._view import View

__all__ = ["Editor"]

_BRUSHES = {
    "0": (0, "background brush"),
    "1": (1, "foreground brush"),
    "2": (2, "probably-background brush"),
    "3": (3, "probably-foreground brush"),
}
# A start learns until nothing changes, but so many rounds at most.
_START_ROUNDS = 5
_ZOOM_STEP = 1.25
_BRUSH_STEP = 1.25
_SMALLEST_BRUSH, _LARGEST_BRUSH = 0.5, 500.0  # radius in pixels of the canvas
_PAN_STEP = 60  # canvas pixels
_PANS = {"w": (0, 1), "x": (0, -1), "a": (1, 0), "d": (-1, 0)}
_DRAG = 4  # canvas pixels; less is a click


@dataclass
class _Stroke:
    """A stroke that is being painted, so many points of which are taken in."""

    action: Action
    taken: int = 0
    waits: bool = False  # for new points to be taken in


class Editor:
    """A session, tools, a view, and work that waits to be done.

    Events are answered at once; what needs a cut is put into a queue. `work` does the next thing in
    it and may be called from another thread than the events come from. Points of a stroke that come
    while a cut is found are taken together in the next one. Whatever there is to do stops rounds of
    learning that nobody asked for.
    """

    def __init__(
        self, session: Session, canvas: tuple[int, int], save: Callable[[Session], str]
    ) -> None:
        self.session = session
        self.view = View.whole((session.shape[1], session.shape[0]), canvas)
        self.mode = MODES[0]
        self.tool = "rectangle"  # "brush" or "lasso"
        self.label = 1
        self.radius = 8.0  # of the brush, on the canvas
        self.show_help = False
        self.message = "Drag a rectangle around the object"
        self.closed = False
        self.version = 0  # goes up with everything that is to be seen
        self._save = save
        self.asked = False  # whether to quit without saving
        self._cursor: tuple[float, float] | None = None
        self._drag: str | None = None  # "rectangle", "brush", "lasso", "pan"
        self._path: list[tuple[float, float]] = []
        self._from = (0.0, 0.0)
        self._lock = threading.Condition()
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = False
        self._round: Stop | None = None  # of learning, that may be stopped
        self._labels = session.labels
        self._milliseconds: float | None = None
        self._strokes: list[_Stroke] = []  # the last one may be going on

    # ---- the mouse, in canvas pixels ----

    def press(self, x: float, y: float, button: str = "left") -> None:
        """A button ("left", "right", "middle") goes down."""
        self._cursor, self._from = (x, y), (x, y)
        self.asked = False
        if self._drag is not None:
            return
        point = self.view.to_photo(x, y)
        if button == "middle":
            self._drag = "pan"
            return
        self.show_help = False
        self._drag = "rectangle" if button == "right" else self.tool
        self._path = [point]
        if self._drag == "brush":
            radius = self.radius / self.view.scale
            self._strokes.append(_Stroke(Action("stroke", (point,), self.label, radius)))
            self._take_in(self._strokes[-1])
        self._seen()

    def move(self, x: float, y: float) -> None:
        """The mouse moves."""
        before, self._cursor = self._cursor or (x, y), (x, y)
        if self._drag == "pan":
            self.view = self.view.panned(x - before[0], y - before[1])
        elif self._drag is not None:
            point = self.view.to_photo(x, y)
            if point != self._path[-1]:
                self._path.append(point)
            if self._drag == "brush":
                stroke = self._strokes[-1]
                stroke.action = replace(stroke.action, points=tuple(self._path))
                self._take_in(stroke)
        self._seen()

    def release(self, x: float, y: float) -> None:
        """A button goes up."""
        self.move(x, y)
        drag, self._drag = self._drag, None
        if drag == "rectangle":
            if max(abs(x - self._from[0]), abs(y - self._from[1])) < _DRAG:
                self._say("Drag from one corner of the object to the other")
            else:
                self._start(Action("rect", (self._path[0], self.view.to_photo(x, y)), rounds=1))
        elif drag == "lasso":
            path = tuple(self._path)
            if len(path) < 3:
                self._say("Draw around an area with the lasso")
            elif self.session.started:
                lasso = Action("lasso", path, self.label)
                self._later(lambda: self.session.do(lasso))
            else:
                self._start(Action("lasso", path, 3, rounds=1))
        elif drag == "brush":
            stroke = self._strokes[-1]
            self._later(lambda: self._end_stroke(stroke))
        self._path = []
        self._seen()

    def wheel(self, x: float, y: float, steps: int) -> None:
        """The wheel turns: zooms in for positive steps."""
        self.view = self.view.zoomed(_ZOOM_STEP**steps, x, y)
        self._seen()

    # ---- keys ----

    def key(self, key: str) -> None:
        """A key goes down: a character, or "escape"."""
        quitting = key in ("q", "escape")
        if not quitting:
            self.asked = False
        if self._drag is not None and key in "nuzyrsl":
            return  # first the button up
        at = self._cursor or (self.view.canvas[0] / 2, self.view.canvas[1] / 2)
        if key in _BRUSHES:
            self.label, name = _BRUSHES[key]
            self.tool = "brush"
            self._say(name.capitalize())
        elif key in ("[", "]"):
            factor = _BRUSH_STEP if key == "]" else 1 / _BRUSH_STEP
            self.radius = min(max(self.radius * factor, _SMALLEST_BRUSH), _LARGEST_BRUSH)
        elif key in ("+", "=", "-"):
            self.view = self.view.zoomed(_ZOOM_STEP ** (-1 if key == "-" else 1), *at)
        elif key in _PANS:
            dx, dy = _PANS[key]
            self.view = self.view.panned(dx * _PAN_STEP, dy * _PAN_STEP)
        elif key == "f":
            self.view = View.whole(self.view.photo, self.view.canvas)
        elif key == "l":
            self.tool = "lasso"
            self._say("Lasso: draw around an area")
        elif key == "v":
            self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]
            self._say(f"View: {self.mode}")
        elif key == "h":
            self.show_help = not self.show_help
        elif key == "n":
            self._later(lambda: self.session.do(Action("learn", rounds=1)))
        elif key in ("u", "z"):
            self._later(self._undo)
        elif key == "y":
            self._later(self._redo)
        elif key == "r":
            self._later(self._reset)
        elif key == "s":
            self._later(self._write)
        elif quitting:
            self._quit()
        self._seen()

    def _quit(self) -> None:
        if self.session.saved or self.asked:
            self.closed = True
            self.wake()
        else:
            self.asked = True
            self._say("Not saved: s saves, q once more quits without")

    # ---- the work ----

    def work(self, timeout: float | None = 0) -> bool:
        """Do the next thing that waits; False where none comes before the timeout (None: never)."""
        with self._lock:
            self._lock.wait_for(lambda: self._jobs or self.closed, timeout)
            if not self._jobs:
                return False
            job = self._jobs.popleft()
            self._busy = True
        self._seen()
        begin, cuts = time.perf_counter(), self.session.grabcut.energies
        try:
            job()
        except (ValueError, OSError, MemoryError) as error:  # nothing to do, or nowhere to save
            self._say(str(error) or "Not enough memory")
        else:
            if self.session.uncut and not self._jobs and not self.closed:
                self._later(self._cut)  # what stopped it needed no cut itself
        finally:
            with self._lock:
                self._busy = False
            if self.session.grabcut.energies is not cuts:
                self._milliseconds = 1e3 * (time.perf_counter() - begin)
            self._labels = self.session.labels
            self._seen()
        return True

    def wake(self) -> None:
        """Ends the waiting of `work`, and what nobody waits for."""
        with self._lock:
            self._overtake()
            self._lock.notify_all()

    def _overtake(self) -> None:
        learning = self._round  # the thread that works may end it at any time
        if learning is not None:
            learning.set()

    def _later(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
            self._overtake()
            self._lock.notify_all()

    def _start(self, action: Action) -> None:
        def job() -> None:
            self.session.start(action)
            self.tool, self.label = "brush", 1
            self._say("Paint where it is wrong: 1 is foreground, 0 background")
            if self._unless_overtaken(self.session.cut):
                self._later(lambda: self._go_on(action))

        self._later(job)

    def _cut(self) -> None:
        self._unless_overtaken(self.session.cut)

    def _unless_overtaken(self, do: Callable[[], None]) -> bool:
        """Do what nobody waits for any more if something else is to be done."""
        with self._lock:
            if self._jobs or self.closed:
                return False
            self._round = Stop()
        try:
            with self._round:
                do()
        except Stopped:
            return False
        finally:
            self._round = None
        return True

    def _go_on(self, action: Action) -> None:
        """One more round of a start, if nothing else has been done since."""
        over = self.session.grabcut.converged or action.rounds >= _START_ROUNDS
        if over or self._drag or self.session.actions[-1:] != [action]:
            return
        longer = replace(action, rounds=action.rounds + 1)
        if self._unless_overtaken(lambda: self.session.extend(longer)):
            self._later(lambda: self._go_on(longer))

    def _take_in(self, stroke: _Stroke) -> None:
        if self.session.started and not stroke.waits:
            stroke.waits = True
            self._later(lambda: self._paint(stroke))

    def _paint(self, stroke: _Stroke) -> None:
        """Take the points in that have come since the last time."""
        stroke.waits = False
        action = stroke.action
        if len(action.points) == stroke.taken:
            return
        if stroke.taken == 0:
            self.session.begin(action)
        else:
            self.session.extend(action)
        stroke.taken = len(action.points)

    def _end_stroke(self, stroke: _Stroke) -> None:
        started = self.session.started
        self._strokes.remove(stroke)
        if stroke.taken:
            self._paint(stroke)
            self.session.end()
        else:
            self.session.do(stroke.action if started else replace(stroke.action, rounds=1))
        if self.session.started and not started:
            self._say("Paint where it is wrong: 1 is foreground, 0 background")
        elif not started:
            other = "background (0)" if stroke.action.label & 1 else "foreground (1)"
            self._say(f"Now a stroke on the {other}")

    def _undo(self) -> None:
        self._say("Undone" if self.session.undo() else "Nothing to undo")

    def _redo(self) -> None:
        self._say("Done again" if self.session.redo() else "Nothing to do again")

    def _reset(self) -> None:
        self.session.reset()
        self.tool = "rectangle"
        self._say("Reset (y brings it back): drag a rectangle around the object")

    def _write(self) -> None:
        if not self.session.started:
            self._say("Nothing to save yet: drag a rectangle around the object")
        else:
            self.session.cut()
            self._say(self._save(self.session))

    # ---- what is to be seen ----

    def _say(self, message: str) -> None:
        self.message = message

    def _seen(self) -> None:
        self.version += 1

    def picture(self) -> Picture:
        """What is to be drawn now."""
        strokes = self._strokes[-1:]
        rectangle = None
        path: tuple[tuple[float, float], ...] = ()
        radius = 0.0
        if self._drag == "rectangle" and self._path:
            rectangle = (*self._path[0], *self._path[-1])
        elif self._drag == "lasso":
            path = tuple(self._path)
        elif strokes:
            stroke = strokes[0]
            path, radius = stroke.action.points[max(0, stroke.taken - 1) :], stroke.action.radius
        brush = (self.label, self.radius) if self.tool == "brush" else None
        return Picture(
            labels=self._labels,
            view=self.view,
            mode=self.mode,
            started=self.session.started,
            rectangle=rectangle,
            stroke=path,
            stroke_label=self.label,
            stroke_radius=radius,
            cursor=self._cursor,
            brush=brush,
            status=self._status(),
            message=self.message,
            show_help=self.show_help,
            busy=self._busy,
        )

    def _status(self) -> str:
        tool = self.tool if self.tool != "brush" else _BRUSHES[str(self.label)][1]
        parts = [tool, f"zoom {100 * self.view.scale:.0f} %", self.mode]
        energies = self.session.grabcut.energies
        if energies:
            parts.append(f"cut {len(energies)}")
            parts.append(f"energy {energies[-1]:.0f}")
        if self._busy:
            parts.append("working ...")
        elif self._milliseconds is not None:
            parts.append(f"{self._milliseconds:.0f} ms")
        if not self.session.saved:
            parts.append("not saved")
        return "   ".join(parts)

"""What a user has done to cut out an object: actions that can be undone, saved and replayed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg import io
from classicseg._checks import as_rect, as_uint8_image, check_threads
from classicseg._gmm import GMM
from classicseg.grabcut._grabcut import GrabCut
from classicseg.grabcut._session_file import Action, digest, read_session, session_json
from classicseg.grabcut._strokes import fill, paint
from classicseg.grabcut._trimap_cut import Window, window_of

__all__ = ["Session"]


@dataclass(frozen=True)
class _Before:
    """What an action has changed: enough to take it back."""

    trimap: NDArray[np.uint8] | None  # in the window, of all of the photo without one
    window: Window | None
    models: tuple[GMM | None, GMM | None]
    energies: tuple[float, ...]
    marks: NDArray[np.uint8] | None
    uncut: bool = False


class Session:
    """A photo, the actions on it, and the labels that they lead to.

    The same photo and actions give the same labels, whatever was undone in between.

    Parameters
    ----------
    image : (H, W) or (H, W, 3) array
        uint8, uint16 or floats in [0, 1].
    seed : int
        Of k-means.
    n_threads : int, optional
        Default: all cores.

    Attributes
    ----------
    actions : list of Action
        Done and not undone.
    grabcut : GrabCut
        The labels, energies and colour models.
    saved : bool
        Whether the actions are those of the last `save`, or there are none.
    uncut : bool
        Whether the labels are those that the last start began with: `cut` finds those that it
        leads to. Strokes need not wait for that, their own cut does.

    Examples
    --------
    >>> image = np.full((20, 30, 3), 40, np.uint8)
    >>> image[5:15, 10:20] = (200, 120, 50)
    >>> session = Session(image)
    >>> session.do(Action("rect", ((6, 2), (24, 18))))
    >>> session.do(Action("stroke", ((12, 8),), label=0, radius=1.5))
    >>> int(session.mask.sum())
    91
    >>> session.undo()
    True
    >>> int(session.mask.sum())
    100
    """

    def __init__(self, image: ArrayLike, *, seed: int = 0, n_threads: int | None = None) -> None:
        self.image = as_uint8_image(image)
        self.seed = seed
        self.grabcut = GrabCut(self.image, max_iter=1, rng=seed, n_threads=check_threads(n_threads))
        self.actions: list[Action] = []
        self._undone: list[Action] = []
        self._before: list[_Before] = []
        self._marks: NDArray[np.uint8] | None = None  # scribbles before a start
        self._saved: list[Action] = []
        self.uncut = False

    @property
    def shape(self) -> tuple[int, int]:
        return self.grabcut.shape

    @property
    def started(self) -> bool:
        return self.grabcut.trimap is not None

    @property
    def saved(self) -> bool:
        return self.actions == self._saved

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The trimap; before a start what is marked, and probably background elsewhere."""
        if self.grabcut.trimap is not None:
            return self.grabcut.trimap
        if self._marks is None:
            return np.full(self.shape, 2, np.uint8)
        table = np.array([2, 0, 1], np.uint8)  # of scribbles: unmarked, background, foreground
        return table[self._marks]

    @property
    def mask(self) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = (self.labels & 1).view(np.bool_)
        return mask

    def do(self, action: Action) -> None:
        """Do an action, and forget what was undone before.

        Raises
        ------
        ValueError
            For an action that makes no sense here: learning before a start, an empty rectangle.
        """
        self.begin(action)
        self.end()

    def begin(self, action: Action) -> None:
        """Do an action that may be extended before it ends."""
        self._begin(action)
        self._undone.clear()

    def start(self, action: Action) -> None:
        """Do a rectangle or a lasso around the object, but for its cut."""
        self._begin(action, cut=False)
        self._undone.clear()
        self.end()

    def cut(self) -> None:
        """Find the labels that the last start leads to, if that is still to be done."""
        if self.uncut:
            with self._all_or_nothing():
                self.grabcut.refine()
            self.uncut = False

    def extend(self, action: Action) -> None:
        """The last action goes on: more points of a stroke, more rounds of learning."""
        last = self.actions[-1]
        if action.rounds > last.rounds:
            self.cut()
        with self._all_or_nothing():
            if len(action.points) > len(last.points):
                new = action.points[max(0, len(last.points) - 1) :]
                self._perform(Action("stroke", new, action.label, action.radius))
            for _ in range(max(1, last.rounds), action.rounds):
                self._learn()
            self.actions[-1] = action

    def end(self) -> None:
        """Keep of what the last action has changed no more than is needed to take it back."""
        before, now, action = self._before[-1], self.grabcut.trimap, self.actions[-1]
        if before.trimap is None or now is None or action.rounds > 0:
            return
        window = window_of(before.trimap != now) or (slice(0, 0), slice(0, 0))
        self._before[-1] = replace(before, trimap=before.trimap[window].copy(), window=window)

    def undo(self) -> bool:
        """Take the last action back; False where there is none."""
        if not self.actions:
            return False
        with self._all_or_nothing():
            self._restore(self._before[-1])
            self._before.pop()
            self._undone.append(self.actions.pop())
        self.cut()
        return True

    def redo(self) -> bool:
        """Do what was undone last; False where there is none."""
        if not self._undone:
            return False
        self._begin(self._undone[-1])
        self.end()
        self._undone.pop()
        return True

    def reset(self) -> None:
        """Take everything back; `redo` brings it again."""
        while self.undo():
            pass

    def _begin(self, action: Action, cut: bool = True) -> None:
        grabcut = self.grabcut
        models = grabcut.background_gmm, grabcut.foreground_gmm
        before = _Before(
            grabcut.trimap, None, models, grabcut.energies, self._marks, uncut=self.uncut
        )
        if action.kind == "learn":
            self.cut()
        with self._all_or_nothing():
            self._perform(action, cut)
            self.uncut = not cut and grabcut.background_gmm is not None
            self.actions.append(action)
            self._before.append(before)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """What is interrupted, or fails, leaves everything as it was before."""
        grabcut, marks, uncut = self.grabcut, self._marks, self.uncut
        actions, earlier, undone = self.actions[:], self._before[:], self._undone[:]
        trimap, energies = grabcut.trimap, grabcut.energies
        models = grabcut.background_gmm, grabcut.foreground_gmm
        try:
            yield
        except BaseException as error:
            self._marks, self.uncut = marks, uncut
            self.actions, self._before, self._undone = actions, earlier, undone
            grabcut._recall(trimap, models, energies, error)
            raise

    def _perform(self, action: Action, cut: bool = True) -> None:
        if action.kind == "rect":
            self._start(action.rounds, "rect", _rect_of(action.points, self.shape), cut)
        elif action.kind == "learn":
            if not self.started:
                raise ValueError("there is nothing to learn from yet: give a rectangle first")
            for _ in range(max(1, action.rounds)):
                self._learn()
        elif action.kind == "lasso" and not self.started:
            window, inside = fill(self.shape, action.points)
            if not inside.any():
                raise ValueError("the lasso holds no pixel of the photo")
            trimap = np.zeros(self.shape, np.uint8)
            trimap[window][inside] = 3
            self._start(action.rounds, "trimap", trimap, cut)
        else:
            self._label(action)

    def _start(self, rounds: int, name: str, value: Any, cut: bool = True) -> None:
        # From the seed each time: what was done before and taken back must not matter.
        self.grabcut._restart(self.seed)
        self._marks = None
        if not cut:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as below
                self.grabcut._prepare(name, value)
            return
        self._learn(**{name: value})
        for _ in range(rounds - 1):
            self._learn()

    def _learn(self, **start: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a side without pixels: the labels say it themselves
            self.grabcut.fit(**start)

    def _label(self, action: Action) -> None:
        if self.started:
            if action.kind == "lasso":
                self.grabcut.lasso(action.points, action.label)
            else:
                self.grabcut.stroke(action.points, action.radius, action.label)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.grabcut.refine()
            return
        marks = np.zeros(self.shape, np.uint8) if self._marks is None else self._marks.copy()
        window, painted = paint(self.shape, action.points, action.radius)
        marks[window][painted] = 1 + (action.label & 1)
        if (marks == 1).any() and (marks == 2).any():
            self._start(action.rounds, "scribbles", marks)
        else:
            self._marks = marks

    def _restore(self, before: _Before) -> None:
        trimap = before.trimap
        if before.window is not None and trimap is not None:
            assert self.grabcut.trimap is not None
            whole = self.grabcut.trimap.copy()
            whole[before.window] = trimap
            trimap = whole
        self._marks, self.uncut = before.marks, before.uncut
        self.grabcut._restore(trimap, before.window, before.models, before.energies, before.uncut)

    def save(self, path: str | os.PathLike[str], photo: str = "") -> None:
        """Write a session file: all that leads to the same labels again, but for the photo."""
        self.cut()
        io.write_json(path, session_json(self.image, self.seed, self.actions, photo))
        self._saved = list(self.actions)

    def load(
        self, path: str | os.PathLike[str], update: Callable[[int, int], None] | None = None
    ) -> None:
        """Do the actions of a session file, from the beginning.

        Parameters
        ----------
        path : path
        update : callable, optional
            Called with the number of actions done and their total.

        Raises
        ------
        ValueError
            For a file that is none, or a session of another photo.
        """
        data = read_session(path)
        if (data.height, data.width) != self.shape or data.pixels != digest(self.image):
            raise ValueError(
                f"{path} is a session of another photo ({data.photo or 'unnamed'}, {data.width} x "
                f"{data.height}), expected one of this one ({self.shape[1]} x {self.shape[0]})"
            )
        self.reset()
        self.seed = data.seed
        for number, action in enumerate(data.actions):
            try:
                self.do(action)
            except ValueError as error:
                raise ValueError(f"{path}: action {number} cannot be done: {error}") from error
            if update is not None:
                update(number + 1, len(data.actions))
        self._saved = list(self.actions)


def _rect_of(
    points: tuple[tuple[float, float], ...], shape: tuple[int, int]
) -> tuple[int, int, int, int]:
    """The part of a rectangle that lies in the photo, as (x, y, width, height)."""
    (x0, y0), (x1, y1) = points
    left, right = sorted(round(min(max(x, 0), shape[1])) for x in (x0, x1))
    top, bottom = sorted(round(min(max(y, 0), shape[0])) for y in (y0, y1))
    if left == right or top == bottom:
        raise ValueError("the rectangle holds no pixel of the photo")
    return as_rect((left, top, right - left, bottom - top), shape)

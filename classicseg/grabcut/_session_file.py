"""Session files: the actions of a user on a photo, as JSON."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg._checks import positive
from classicseg._files import path_of

__all__ = ["Action", "SessionFile", "digest", "read_session", "session_json"]

_FORMAT, _VERSION = "classicseg grabcut session", 1
_KINDS = ("rect", "lasso", "stroke", "learn")
# Larger files are no sessions: an hour of strokes takes less than one megabyte.
_LARGEST_FILE = 100_000_000
_LARGEST_COORDINATE = 1e9
_MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Action:
    """One thing that the user did.

    Attributes
    ----------
    kind : "rect", "lasso", "stroke" or "learn"
        A rectangle starts anew. The first lasso starts, too; later ones, and strokes, set labels.
        Strokes before a start count as scribbles, which start when both sides have some. "learn"
        is one more round of learning.
    points : tuple of (x, y)
        In pixels of the photo: two corners of a rectangle, the path of a stroke or a lasso.
    label : int
        Trimap value of a stroke or a lasso: 0 background, 1 foreground, 2, 3 probably so.
    radius : float
        Of a stroke's brush, in pixels.
    rounds : int
        Of learning that the action came to; a start has at least one.
    """

    kind: str
    points: tuple[tuple[float, float], ...] = ()
    label: int = 1
    radius: float = 1.0
    rounds: int = 0


@dataclass(frozen=True)
class SessionFile:
    """What a session file holds; `pixels` is the `digest` of the photo."""

    photo: str
    height: int
    width: int
    pixels: str
    seed: int
    actions: tuple[Action, ...]


def digest(image: NDArray[np.uint8]) -> str:
    """A number that tells one photo from another."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def session_json(
    image: NDArray[np.uint8], seed: int, actions: Sequence[Action], photo: str
) -> dict[str, Any]:
    """A session as plain data."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "photo": photo,
        "height": image.shape[0],
        "width": image.shape[1],
        "pixels": digest(image),
        "seed": seed,
        "actions": [
            {
                "kind": action.kind,
                "points": [list(point) for point in action.points],
                "label": action.label,
                "radius": action.radius,
                "rounds": action.rounds,
            }
            for action in actions
        ],
    }


def read_session(path: str | os.PathLike[str]) -> SessionFile:
    """Read a session file.

    Raises
    ------
    ValueError
        For a file that is none, is damaged, or has impossible actions.
    """
    file = path_of(path)
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder, expected a session file")
    if file.stat().st_size > _LARGEST_FILE:
        raise ValueError(f"{file} has {file.stat().st_size} bytes, too many for a session file")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} cannot be read as a session file: {error}") from error
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError(f"{file} is no session file of classicseg grabcut")
    if data.get("version") != _VERSION:
        raise ValueError(
            f"{file} is of version {data.get('version')!r}, expected {_VERSION}: it was written by "
            "another version of classicseg"
        )
    wanted = {"photo": str, "height": int, "width": int, "pixels": str, "seed": int}
    for key, kind in {**wanted, "actions": list}.items():
        if not isinstance(data.get(key), kind) or isinstance(data[key], bool):
            raise ValueError(f"{file} has no {key}, expected {kind.__name__}")
    if data["seed"] < 0:
        raise ValueError(f"{file} has the seed {data['seed']}, expected at least 0")
    actions = tuple(_action(item, number, path) for number, item in enumerate(data["actions"]))
    return SessionFile(actions=actions, **{key: data[key] for key in wanted})


def _action(item: Any, number: int, path: str | os.PathLike[str]) -> Action:
    where = f"{path}: action {number}"
    if not isinstance(item, Mapping) or item.get("kind") not in _KINDS:
        raise ValueError(f"{where} is of no known kind, expected {', '.join(_KINDS)}")
    kind = item["kind"]
    points = _points(item.get("points"), where)
    least = {"rect": 2, "lasso": 3, "stroke": 1, "learn": 0}[kind]
    if len(points) < least or (kind == "rect" and len(points) != 2):
        raise ValueError(f"{where} has {len(points)} points, too few or too many for a {kind}")
    label, rounds = item.get("label"), item.get("rounds")
    if isinstance(label, bool) or label not in (0, 1, 2, 3):
        raise ValueError(f"{where} has the label {label!r}, expected 0, 1, 2 or 3")
    if not isinstance(rounds, int) or not 0 <= rounds <= _MOST_ROUNDS:
        raise ValueError(f"{where} has {rounds!r} rounds, expected 0 to {_MOST_ROUNDS}")
    try:
        radius = positive(item.get("radius", 0), "radius")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None
    if radius > _LARGEST_COORDINATE:
        raise ValueError(f"{where} has the radius {radius:g}, expected at most 1e9")
    return Action(kind, points, int(label), radius, rounds)


def _points(value: Any, where: str) -> tuple[tuple[float, float], ...]:
    try:
        array = np.asarray(value, np.float64).reshape(-1, 2)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} has no list of points (x, y): {error}") from None
    if not (np.abs(array) <= _LARGEST_COORDINATE).all():
        raise ValueError(f"{where} has points beyond 1e9 pixels, or NaN")
    return tuple((float(x), float(y)) for x, y in array)

"""What is already done: one file for each finished image, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from classicseg import io
from classicseg._files import explained
from classicseg.compare.scoring import Record

__all__ = ["Journal"]

_SETTINGS = "settings.json"


class Journal:
    """The records of a run in a folder, so that it can be killed and go on.

    A run that is not finished goes on where its settings are the same, and is not touched where
    they differ. A finished one makes room for the next.

    Parameters
    ----------
    folder : path
        Made if missing.
    settings : dict
        All that the records depend on; strict JSON.
    fresh : bool
        Drop an unfinished run.
    say : callable
        Told in a line what was found.

    Raises
    ------
    ValueError
        If the folder holds an unfinished run with other settings.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        fresh: bool = False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.folder = folder
        self._settings = json.loads(json.dumps(settings))
        before = None if fresh else self._before()
        if before is None or not self._goes_on(before):
            for file in (*folder.glob("[0-9]*.npz"), *folder.glob("*.joblib")):
                file.unlink(missing_ok=True)
        for left in folder.glob(".*.tmp"):  # of a process that was killed while it wrote
            left.unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._write(finished=False)
        if before is not None and (n := len(self.done())):
            say(f"going on with what is in {folder.parent}: {n} images were done before")

    def done(self) -> list[int]:
        """Which images have a record, in order."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*.npz"))

    def write(self, index: int, packed: bytes) -> None:
        """Keep a record, as `Record.pack` gives it."""
        with io.atomic(self._path(index)) as file:
            file.write(packed)

    def read(self, index: int, with_labels: bool = True) -> Record:
        """The record of an image.

        Raises
        ------
        ValueError
            If its file is damaged.
        """
        path = self._path(index)
        with explained(path, "a record"):
            return Record.unpack(path.read_bytes(), with_labels)

    def drop(self, index: int) -> None:
        """Forget a damaged record."""
        self._path(index).unlink(missing_ok=True)

    def finish(self) -> None:
        """Mark the run as done: the next one in this folder starts anew."""
        self._write(finished=True)

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06d}.npz"

    def _write(self, finished: bool) -> None:
        state = {"finished": finished, "settings": self._settings}
        io.write_json(self.folder / _SETTINGS, state)

    def _before(self) -> dict[str, Any] | None:
        path = self.folder / _SETTINGS
        if not path.is_file():
            return None
        with explained(path, "a comparison's settings"):
            state = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(state, dict) or not isinstance(state.get("settings", {}), dict):
                raise ValueError("it holds no settings")
            return state

    def _goes_on(self, state: Mapping[str, Any]) -> bool:
        """Whether there is an unfinished run with these settings; raises for other ones."""
        before, now = state.get("settings", {}), self._settings
        if state.get("finished"):
            return False
        changed = [k for k in sorted({*now, *before}) if now.get(k) != before.get(k)]
        if changed and self.done():
            details = "; ".join(
                f"{key} was {_short(before.get(key))}, now {_short(now.get(key))}"
                for key in changed
            )
            raise ValueError(
                f"{self.folder.parent} holds an unfinished comparison with other settings "
                f"({details}): end that one first, give another folder, or start anew (--fresh)"
            )
        return not changed


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} of {', '.join(map(str, value[:2]))}, ..." if value else "none"
    return repr(value)

"""The interactive window: a thin shell around the editor, by OpenCV's highgui."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg import io
from classicseg._progress import progress
from classicseg.grabcut._canvas import STATUS_HEIGHT, draw
from classicseg.grabcut._editor import Editor
from classicseg.grabcut._session import Session

__all__ = ["open_window", "replay", "save_all"]

_CANVAS = (1200, 760)  # fits a laptop's screen, with frame and status line
_TITLE = "classicseg grabcut"
_NAMES = (_TITLE, f"{_TITLE} ")
_WAIT = 15  # milliseconds between two looks at keys and work
# What waitKeyEx says, by the key's name on X11, Windows and macOS alike.
_KEYS = {27: "escape"}


def open_window(
    photo: str | os.PathLike[str],
    out: str | os.PathLike[str] = ".",
    *,
    session: str | os.PathLike[str] | None = None,
    seed: int = 0,
    n_threads: int | None = None,
) -> Session:
    """Cut an object out of a photo by hand; returns when the window is closed.

    Parameters
    ----------
    photo : path
        Any image file.
    out : path
        Folder for mask.png, cutout.png and session.json, which the s key writes.
    session : path, optional
        A session file to begin with, and to save to in place of ``out/session.json``.
    seed : int
        Of k-means.
    n_threads : int, optional
        Default: all cores.

    Returns
    -------
    Session
        With `mask` and everything else.

    Raises
    ------
    ImportError
        Without OpenCV, or with a headless build of it.
    OSError
        Without a display, or for a file that cannot be read.
    ValueError
        For a photo or a session file that is damaged.
    """
    cv2 = _opencv()
    work = Session(io.read_image(photo), seed=seed, n_threads=n_threads)
    file = Path(session) if session is not None else Path(out) / "session.json"
    if session is not None and file.exists():
        _load(work, file)

    def save(done: Session) -> str:
        paths = save_all(done, out, file, Path(photo).name)
        return f"Saved {', '.join(path.name for path in paths)} in {paths[0].parent.resolve()}"

    editor = Editor(work, _CANVAS, save)
    worker = threading.Thread(target=_work, args=(editor,), daemon=True)
    worker.start()
    try:
        _show(cv2, editor, work.image)
    finally:
        editor.closed = True
        editor.wake()
        worker.join()
    return work


def replay(
    photo: str | os.PathLike[str],
    session: str | os.PathLike[str],
    *,
    n_threads: int | None = None,
) -> Session:
    """Do the actions of a session file again, without a window: the same mask on every machine.

    Parameters
    ----------
    photo, session : path
    n_threads : int, optional
        Default: all cores.

    Returns
    -------
    Session

    Raises
    ------
    ValueError, OSError
        For files that cannot be read, a session of another photo, or one without a cut.
    """
    work = Session(io.read_image(photo), n_threads=n_threads)
    _load(work, session)
    if not work.started:
        raise ValueError(f"{session} has no cut to save: it has neither rectangle nor scribbles")
    return work


def save_all(
    session: Session,
    out: str | os.PathLike[str],
    file: str | os.PathLike[str] | None = None,
    photo: str = "",
) -> list[Path]:
    """Write mask.png, cutout.png and the session file.

    The cut-out's edges are soft, and free of the background's colours: `GrabCut.cutout`.

    Parameters
    ----------
    session : Session
    out : path
        A folder; made if missing.
    file : path, optional
        The session file. Default: session.json in the folder.
    photo : str
        Its name, kept in the session file.

    Returns
    -------
    list of Path
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    mask, cutout = folder / "mask.png", folder / "cutout.png"
    where = folder / "session.json" if file is None else Path(file)
    io.write_mask(mask, session.mask)
    io.write_image(cutout, session.grabcut.cutout())
    session.save(where, photo)
    return [mask, cutout, where]


def _load(session: Session, file: str | os.PathLike[str]) -> None:
    with progress("replaying") as update:
        session.load(file, update)


def _work(editor: Editor) -> None:
    while editor.work(timeout=None):  # what waits is done, a save among it, before the end
        pass


def _opencv() -> Any:
    """OpenCV with windows, and a display for them."""
    advice = "or use --no-window with a session file"
    try:
        import cv2
    except ImportError:
        raise ImportError(
            f"the window needs OpenCV: pip install 'classicseg[window]', {advice}"
        ) from None
    if re.search(r"^\s*GUI:\s*NONE", cv2.getBuildInformation(), re.MULTILINE):
        raise ImportError(
            "this OpenCV has no windows (a headless build): pip uninstall opencv-python-headless, "
            f"then pip install opencv-python, {advice}"
        )
    if sys.platform.startswith("linux") and not _display_answers():
        display = os.environ.get("DISPLAY")
        what = f"the display {display} does not answer" if display else "there is no display"
        raise OSError(f"{what}: run it in a desktop session (or ssh -X), {advice}")
    return cv2


def _display_answers() -> bool:
    """Whether an X server or a Wayland one is there: OpenCV's toolkit ends the process if not."""
    if os.environ.get("WAYLAND_DISPLAY") and os.environ.get("XDG_RUNTIME_DIR"):
        path = Path(os.environ["XDG_RUNTIME_DIR"]) / os.environ["WAYLAND_DISPLAY"]
        if path.exists():
            return True
    host, _, number = os.environ.get("DISPLAY", "").rpartition(":")
    number = number.partition(".")[0]
    if not number.isdigit():
        return False
    if host in ("", "unix"):
        family, address = socket.AF_UNIX, f"/tmp/.X11-unix/X{number}"
        if _answers(family, address) or _answers(family, "\0" + address):
            return True
        host = "localhost"
    return _answers(socket.AF_INET, (host, 6000 + int(number)))


def _answers(family: int, address: Any) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(3)
            probe.connect(address)
    except OSError:
        return False
    return True


def _show(cv2: Any, editor: Editor, photo: NDArray[np.uint8]) -> None:
    """The window, until it is closed."""
    # Qt zooms a window by itself when the wheel turns, and pans it while one paints. Only a new
    # window is rid of that: two names take turns, so that the new one is there before the old goes.
    zooms_itself = cv2.currentUIFramework().startswith("QT")
    turned = False

    def mouse(event: int, x: int, y: int, flags: int, _: Any) -> None:
        nonlocal turned
        turned = turned or event == cv2.EVENT_MOUSEWHEEL
        _mouse(cv2, editor, event, x, y, flags)

    name, other = _NAMES
    _open(cv2, name, mouse)
    shown = -1
    while not editor.closed:
        if turned and zooms_itself:
            corner = cv2.getWindowImageRect(name)[:2]
            _open(cv2, other, mouse)
            cv2.imshow(other, draw(photo, editor.picture()))
            _move(cv2, other, corner)
            _close(cv2, name)
            name, other = other, name
        turned = False
        if editor.version != shown:
            shown = editor.version
            cv2.imshow(name, draw(photo, editor.picture()))
        key = cv2.waitKeyEx(_WAIT)
        if key >= 0:
            code = key & 0xFF
            editor.key(_KEYS.get(code, chr(code)))
        if not editor.closed and not _is_open(cv2, name):
            # Its frame was closed: as the q key does, that asks once where work is unsaved.
            editor.key("q")
            if not editor.closed:
                _open(cv2, name, mouse)
                shown = -1
    _close(cv2, name)


def _open(cv2: Any, name: str, mouse: Any) -> None:
    cv2.namedWindow(name, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
    cv2.setWindowTitle(name, _TITLE)
    cv2.setMouseCallback(name, mouse)


def _is_open(cv2: Any, name: str) -> bool:
    try:
        visible: bool = cv2.getWindowProperty(name, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:
        return False  # Qt knows nothing any more when its last window has gone
    return visible


def _close(cv2: Any, name: str) -> None:
    try:
        cv2.setMouseCallback(name, lambda *_: None)  # OpenCV would keep the old one for ever
        cv2.destroyWindow(name)
    except cv2.error:
        pass  # the user has closed it


def _move(cv2: Any, name: str, corner: tuple[int, int]) -> None:
    """Moves a window so that its picture's corner is there, whatever its frame takes."""
    wanted = corner
    for _ in range(2):
        cv2.moveWindow(name, *wanted)
        cv2.waitKeyEx(1)
        now = cv2.getWindowImageRect(name)[:2]
        wanted = (wanted[0] + corner[0] - now[0], wanted[1] + corner[1] - now[1])


def _mouse(cv2: Any, editor: Editor, event: int, x: int, y: int, flags: int) -> None:
    buttons = {
        cv2.EVENT_LBUTTONDOWN: "left",
        cv2.EVENT_RBUTTONDOWN: "right",
        cv2.EVENT_MBUTTONDOWN: "middle",
    }
    ups = (cv2.EVENT_LBUTTONUP, cv2.EVENT_RBUTTONUP, cv2.EVENT_MBUTTONUP)
    y = min(y, editor.view.canvas[1] + STATUS_HEIGHT)
    if event in buttons:
        editor.press(x, y, buttons[event])
    elif event in ups:
        editor.release(x, y)
    elif event == cv2.EVENT_MOUSEWHEEL:
        editor.wheel(x, y, 1 if flags > 0 else -1)
    elif event == cv2.EVENT_MOUSEMOVE:
        editor.move(x, y)

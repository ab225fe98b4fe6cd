"""What the interactive window shows, without a window: a rectangle, then strokes, in four views.

python samples/grabcut_window.py docs/images/grabcut_window.png
"""

from __future__ import annotations

import sys

import numpy as np
from skimage import data

from classicseg import io
from classicseg.grabcut._canvas import draw
from classicseg.grabcut._editor import Editor
from classicseg.grabcut._session import Session


def main(path: str) -> None:
    photo = data.astronaut()
    editor = Editor(Session(photo), (720, 560), lambda session: "")

    def drag(*points: tuple[float, float]) -> None:
        editor.press(*editor.view.to_canvas(*points[0]))
        for point in points[1:]:
            editor.move(*editor.view.to_canvas(*point))
        editor.release(*editor.view.to_canvas(*points[-1]))
        while editor.work():
            pass

    shots = [draw(photo, editor.picture())]
    drag((12, 8), (400, 511))
    drag((130, 190), (150, 235), (200, 260), (260, 262), (285, 200))
    drag((190, 200), (260, 215))
    drag((35, 420), (60, 490), (150, 480))
    drag((250, 320), (258, 500))
    drag((150, 380), (190, 395))
    drag((290, 350), (310, 360))
    editor.key("0")
    drag((330, 440), (385, 380))
    drag((360, 40), (385, 250))
    drag((15, 40), (60, 150))
    drag((45, 175), (66, 212))
    editor.key("1")
    drag((145, 180), (180, 200))
    drag((262, 200), (280, 196))
    editor.press(*editor.view.to_canvas(240, 60))
    editor.move(*editor.view.to_canvas(250, 90))
    shots.append(draw(photo, editor.picture()))
    editor.release(*editor.view.to_canvas(250, 90))
    while editor.work():
        pass
    editor.key("v")
    editor.wheel(*editor.view.to_canvas(200, 120), 3)
    shots.append(draw(photo, editor.picture()))
    editor.key("f")
    editor.key("v")
    shots.append(draw(photo, editor.picture()))
    rows = [np.hstack(shots[:2]), np.hstack(shots[2:])]
    io.write_image(path, np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main(sys.argv[1])

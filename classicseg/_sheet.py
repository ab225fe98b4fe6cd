"""A page of pictures with titles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from classicseg._checks import as_uint8_image, positive_int

_LARGEST_CELL = 10_000


def sheet(
    rows: Sequence[Sequence[ArrayLike | None]],
    titles: Sequence[str] = (),
    row_titles: Sequence[str] = (),
    *,
    cell: int = 320,
) -> NDArray[np.uint8]:
    """Put pictures side by side on a white page, with titles.

    Parameters
    ----------
    rows : sequence of sequences of images
        Each image (H, W) or (H, W, 3), uint8, uint16 or floats in [0, 1], of any size: it is
        scaled to fit its cell. None, and the end of a short row, stay white.
    titles : sequence of str
        One above each column; broken between words where too wide.
    row_titles : sequence of str
        One to the left of each row.
    cell : int
        The side of a cell in pixels; rows of flat pictures are less high.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    TypeError, ValueError
        If there is no picture, a picture is no image, or there are too many titles.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import viz
    >>> page = viz.sheet([[np.zeros((30, 40)), np.ones((30, 40))]], ["black", "white"], cell=100)
    >>> page.shape[2], page.dtype
    (3, dtype('uint8'))
    """
    positive_int(cell, "cell", _LARGEST_CELL)
    n_columns = max(map(len, rows), default=0)
    if n_columns == 0:
        raise ValueError("rows holds no picture")
    for name, texts in (("titles", titles), ("row_titles", row_titles)):
        if isinstance(texts, str | bytes) or not isinstance(texts, Sequence):
            raise TypeError(f"{name} is {texts!r}, expected a list of texts")
        for text in texts:
            if not isinstance(text, str):
                raise TypeError(f"{name} holds {text!r}, expected texts")
    if len(titles) > n_columns or len(row_titles) > len(rows):
        raise ValueError(
            f"there are {len(titles)} titles and {len(row_titles)} row_titles for {n_columns} "
            f"columns and {len(rows)} rows"
        )
    pictures = [
        [None if image is None else _fitted(image, cell, f"rows[{i}][{j}]") for j, image in row]
        for i, row in ((i, enumerate(row)) for i, row in enumerate(rows))
    ]
    # All measures follow the cell, so that a page looks the same at any size.
    font = ImageFont.load_default(size=max(10, cell / 16))
    gap, margin = max(2, cell // 32), max(4, cell // 16)
    headers = [_wrapped(title, font, cell) for title in titles]
    sides = [_wrapped(title, font, cell // 2) for title in row_titles]
    top = max((_extent(text, font)[1] for text in headers), default=0)
    left = max((_extent(text, font)[0] for text in sides), default=0)
    top, left = top + (gap + margin if top else margin), left + (2 * margin if left else margin)

    heights = [
        max(
            [picture.height for picture in row if picture is not None]
            + [_extent(text, font)[1] for text in sides[i : i + 1]]
            + [1]
        )
        for i, row in enumerate(pictures)
    ]
    width = left + n_columns * (cell + gap) - gap + margin
    page = Image.new("RGB", (width, top + sum(heights) + gap * (len(rows) - 1) + margin), "white")
    draw = ImageDraw.Draw(page)
    ink = (40, 40, 40)
    for j, text in enumerate(headers):
        middle = left + j * (cell + gap) + cell / 2
        draw.multiline_text((middle, top - gap), text, ink, font, anchor="md", align="center")
    y = top
    for i, (row, height) in enumerate(zip(pictures, heights, strict=True)):
        for text in sides[i : i + 1]:
            at = (left - margin, y + height / 2)
            draw.multiline_text(at, text, ink, font, anchor="rm", align="right")
        for j, picture in enumerate(row):
            if picture is not None:
                x = left + j * (cell + gap) + (cell - picture.width) // 2
                page.paste(picture, (x, y + (height - picture.height) // 2))
        y += height + gap
    return np.array(page)


def _fitted(image: ArrayLike, cell: int, name: str) -> Image.Image:
    picture = Image.fromarray(as_uint8_image(image, name=name))
    factor = cell / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    # Enlarged pixels stay squares: a sheet of tiny arrays is there to show them.
    filter_ = Image.Resampling.LANCZOS if factor < 2 else Image.Resampling.NEAREST
    return picture.resize(size, filter_)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and font.getlength(longer) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


def _extent(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> tuple[int, int]:
    draw = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = draw.multiline_textbbox((0, 0), text, font)
    return int(np.ceil(right - min(left, 0))), int(np.ceil(bottom - min(top, 0)))

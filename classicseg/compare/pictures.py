"""Pictures of labels with their errors, and the sheet of the best and the worst images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from classicseg import viz
from classicseg.compare.summary import Comparison, Row
from classicseg.compare.tasks import box_of_truth
from classicseg.datasets import Item

__all__ = ["Case", "best_of_each", "errors", "given", "legend", "sheet", "shown", "truth_of"]

Picture = NDArray[np.uint8]
Labels = NDArray[np.uint8] | NDArray[np.uint16]

_CELL = 256
# Images that are shown, at either end of the order, and pipelines of a sheet.
_EACH_END = 8
_MOST_COLUMNS = 16
_BLACK = (0, 0, 0)
# For viz.overlay: background, wrongly added, missed. The fourth, foreground that is right, and
# void stay clear.
_COLORS = np.array([_BLACK, viz.VERMILION, viz.BLUE], np.uint8)
_BACKGROUND, _ADDED, _MISSED, _CLEAR = 0, 1, 2, 255


@dataclass(frozen=True, eq=False)
class Case:
    """An image to show, made small before anything is drawn on it.

    `marked` is the image with its rectangle and strokes, `score` the best pipeline's mean IoU.
    """

    item: Item
    marked: Picture
    labels: dict[str, Labels]
    score: float
    place: str


def shown(comparison: Comparison) -> list[Case]:
    """The images that are hardest for the best pipeline, worst first, and the easiest.

    All of them where there are at most 16.
    """
    if not comparison.rows:
        return []
    scores = comparison.rows[0].images["mean_iou"]
    broken = {failure.image for failure in comparison.broken}
    order = [
        int(index)
        for index in np.argsort(np.nan_to_num(scores, nan=-1), kind="stable")
        if comparison.images[index] not in broken
    ]
    half = min(_EACH_END, (len(order) + 1) // 2)
    worst, best = order[:half], order[max(half, len(order) - _EACH_END) :][::-1]
    return [
        _case(comparison, comparison.images[index], float(scores[index]), place)
        for place, indices in (("worst", worst), ("best", best))
        for index in indices
    ]


def _case(comparison: Comparison, name: str, score: float, place: str) -> Case:
    item = comparison.data.read(name)
    height, width = item.labels.shape
    scale = min(1.0, _CELL / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    y, x = (
        ((np.arange(n) + 0.5) / n * m).astype(int)
        for n, m in zip(size, (height, width), strict=True)
    )
    there = np.ix_(y, x)
    small = Item(name, _resized(item.image, size), item.labels[there])
    labels = {pipeline: found[there] for pipeline, found in comparison.labels(name).items()}
    return Case(small, _resized(given(comparison, item), size), labels, score, place)


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    image = Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(image)


def sheet(comparison: Comparison, cases: list[Case]) -> Picture:
    """One row for each image: the photograph with its marks, the truth, the pipelines' results.

    The number in each picture is its own mean IoU. Where there are more than 16 pipelines, these
    are the best one of each evidence, then the next best.
    """
    titles, lines = ["photograph and marks", "truth"], []
    rows = best_of_each(comparison, _MOST_COLUMNS)
    for row in rows:
        evidence, _, inference = row.pipeline.rpartition("+")
        engine = "" if row.engine == "native" else f" ({row.engine})"
        score = f"mIoU {row.mean_iou:.3f}" if row.mean_iou == row.mean_iou else "failed"
        # Broken after the colon: a long evidence is wider than a cell.
        titles.append(f"{evidence.replace(':', ': ')}\n+ {inference}{engine}\n{score}")
    for case in cases:
        index = comparison.images.index(case.item.id)
        cells = [case.marked, truth_of(comparison, case.item)]
        for row in rows:
            found, score = case.labels.get(row.pipeline), row.images["mean_iou"][index]
            if found is None:
                cells.append(_stamped(np.full_like(case.item.image, 235), "none"))
            else:
                cells.append(_stamped(errors(comparison, case.item, found), f"{score:.2f}"))
        lines.append(cells)
    drawn = viz.sheet(lines, titles, [case.item.id for case in cases], cell=_CELL)
    return _with_legend(drawn, comparison)


def best_of_each(comparison: Comparison, most: int) -> list[Row]:
    """At most so many rows: the best one of each evidence, then the next best; in their order."""
    rows = list(comparison.rows)
    first = {row.pipeline.rpartition("+")[0]: row for row in reversed(rows)}
    order = sorted(rows, key=lambda row: row not in first.values())
    chosen = order[:most]
    return [row for row in rows if row in chosen]


def given(comparison: Comparison, item: Item) -> Picture:
    """The image with the rectangle and the strokes that a pipeline is given."""
    picture = item.image
    if item.scribbles is not None and len(comparison.class_names) == 2:
        picture = viz.draw_scribbles(picture, item.scribbles)
    elif item.scribbles is not None:
        strokes = np.where(item.scribbles > 0, item.scribbles.astype(np.int32) - 1, -1)
        colors = comparison.palette[np.maximum(strokes, 0)]
        picture = np.where(strokes[:, :, np.newaxis] >= 0, colors, picture)
    rect = item.rect
    if rect is None and comparison.rects_of_truth:
        rect = box_of_truth(item.labels)
    if rect is None:
        return picture
    return viz.draw_rect(picture, rect, thickness=max(2, max(picture.shape[:2]) // 150))


def truth_of(comparison: Comparison, item: Item) -> Picture:
    """The object on black, or the classes in their colours."""
    if len(comparison.class_names) == 2:
        kinds = np.where(item.labels == 0, _BACKGROUND, _CLEAR)
        return viz.overlay(item.image, kinds, 0.75, colors=_COLORS)
    return _colored(item.image, item.labels, item.labels != comparison.void, comparison)


def errors(comparison: Comparison, item: Item, labels: Labels) -> Picture:
    """Colour what is wrong, on the photograph in grey; void is never wrong.

    In grey, because many objects have the colours that stand for errors. With two classes the
    background is dimmed, what was added is vermilion and what was missed blue; with more, a wrong
    pixel has the colour of the class that it was taken for.
    """
    grey = np.asarray(Image.fromarray(item.image).convert("L"))
    wrong = (labels != item.labels) & (item.labels != comparison.void)
    if len(comparison.class_names) > 2:
        pale = np.repeat((160 + grey[:, :, np.newaxis] * 0.37).astype(np.uint8), 3, axis=2)
        return _colored(pale, labels, wrong, comparison)
    kinds = np.where(labels == 1, _CLEAR, _BACKGROUND)
    kinds[wrong & (labels == 1)] = _ADDED
    kinds[wrong & (labels == 0)] = _MISSED
    return viz.overlay(grey, kinds, 0.75, colors=_COLORS)


def _colored(
    image: Picture, labels: NDArray[np.integer], where: NDArray[np.bool_], comparison: Comparison
) -> Picture:
    picture = image.copy()
    colors = comparison.palette[labels[where]].astype(np.uint16)
    picture[where] = (4 * colors + image[where]) // 5
    return picture


def _stamped(picture: Picture, text: str) -> Picture:
    """Write into the lower right corner, as large in every cell."""
    image = Image.fromarray(picture)
    size = max(image.size) / 15
    font = ImageFont.load_default(size)
    draw = ImageDraw.Draw(image)
    x, y = image.width - size / 3, image.height - size / 3
    left, top, _, _ = draw.textbbox((x, y), text, font, anchor="rb")
    draw.rectangle((left - size / 3, top - size / 3, image.width, image.height), fill="black")
    draw.text((x, y), text, "white", font, anchor="rb")
    return np.asarray(image)


def _with_legend(page: Picture, comparison: Comparison) -> Picture:
    size = _CELL // 14
    font = ImageFont.load_default(size)
    entries = legend(comparison)
    starts = [2 * size]
    for _, text in entries:
        starts.append(starts[-1] + int(3.5 * size + font.getlength(text)))
    height, width = page.shape[:2]
    whole = Image.new("RGB", (max(width, starts[-1]), height + 3 * size), "white")
    whole.paste(Image.fromarray(page))
    draw = ImageDraw.Draw(whole)
    top = height + size // 2
    for x, (color, text) in zip(starts, entries, strict=False):
        draw.rectangle((x, top, x + size, top + size), fill=color)
        draw.text((x + 1.5 * size, top + size / 2), text, (40, 40, 40), font, anchor="lm")
    return np.array(whole)


def legend(comparison: Comparison) -> list[tuple[tuple[int, int, int], str]]:
    """What the colours of `errors` and `given` mean."""
    if len(comparison.class_names) > 2:
        colors = comparison.palette.tolist()
        return [(tuple(c), n) for c, n in zip(colors, comparison.class_names, strict=True)]
    return [
        (viz.VERMILION, "wrongly added"),
        (viz.BLUE, "missed"),
        (_BLACK, "background (darkened)"),
        (viz.ORANGE, "stroke: foreground"),
        (viz.SKY_BLUE, "stroke: background"),
        (viz.YELLOW, "rectangle"),
    ]

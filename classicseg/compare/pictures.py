"""The sheet: each sample with what every pipeline made of it, errors in colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from classicseg import viz
from classicseg.compare.runner import Comparison, Result
from classicseg.samples import Sample

Picture = NDArray[np.uint8]

_CELL = 256
_ROWS_PER_PAGE = 12
_BLACK = (0, 0, 0)
# For viz.overlay: background, wrongly added, missed. The fourth, foreground that is right, and
# void stay clear.
_COLORS = np.array([_BLACK, viz.VERMILION, viz.BLUE], np.uint8)
_TRUTH_COLORS = np.array([_BLACK, _BLACK], np.uint8)
_BACKGROUND, _ADDED, _MISSED, _CLEAR = 0, 1, 2, 255


def pages(comparison: Comparison) -> list[Picture]:
    """Draw one row per sample: the photograph with its marks, the truth, the pipelines' results.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    list of (H, W, 3) uint8 arrays
        Pages of at most 12 samples. The number in each picture is its own mean IoU.
    """
    titles = ["photograph and marks", "truth"]
    for row in comparison.rows:
        evidence, inference = row.pipeline.split("+")
        engine = "" if row.engine == "native" else f" ({row.engine})"
        score = f"mIoU {row.mean_iou:.3f}" if row.mean_iou == row.mean_iou else "failed"
        # Broken after the colon: a long evidence is wider than a cell.
        titles.append(f"{evidence.replace(':', ': ')}\n+ {inference}{engine}\n{score}")
    lines = []
    for index, sample in enumerate(comparison.samples):
        results = [row.results[index] for row in comparison.rows]
        truth = viz.overlay(sample.image, ~sample.mask, 0.75, colors=_TRUTH_COLORS)
        lines.append([marked(sample), truth, *(_result(sample, result) for result in results)])
    names = [sample.name for sample in comparison.samples]
    return [
        _with_legend(
            viz.sheet(
                lines[start : start + _ROWS_PER_PAGE],
                titles,
                names[start : start + _ROWS_PER_PAGE],
                cell=_CELL,
            )
        )
        for start in range(0, len(lines), _ROWS_PER_PAGE)
    ]


def marked(sample: Sample) -> Picture:
    """Draw the rectangle and the strokes that a pipeline is given."""
    thickness = max(2, max(sample.image.shape[:2]) // 150)
    return viz.draw_rect(
        viz.draw_scribbles(sample.image, sample.scribbles), sample.rect, thickness=thickness
    )


def errors(sample: Sample, mask: NDArray[np.bool_]) -> Picture:
    """Colour what is wrong, on the photograph in grey with the background dimmed.

    In grey, because many objects have the colours that stand for errors. Void is never wrong.
    """
    kinds = np.where(mask, _CLEAR, _BACKGROUND)
    kinds[mask & (sample.truth == 0)] = _ADDED
    kinds[~mask & (sample.truth == 1)] = _MISSED
    grey = Image.fromarray(sample.image).convert("L")
    return viz.overlay(np.asarray(grey), kinds, 0.75, colors=_COLORS)


def _result(sample: Sample, result: Result) -> Picture:
    if result.mask is None:
        return _stamped(np.full_like(viz.overlay(sample.image, sample.mask), 235), "failed")
    return _stamped(errors(sample, result.mask), f"{result.mean_iou:.2f}")


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


def _with_legend(page: Picture) -> Picture:
    size = _CELL // 14
    font = ImageFont.load_default(size)
    entries = (
        (viz.VERMILION, "wrongly added"),
        (viz.BLUE, "missed"),
        (_BLACK, "background (darkened)"),
        (viz.ORANGE, "stroke: foreground"),
        (viz.SKY_BLUE, "stroke: background"),
        (viz.YELLOW, "rectangle"),
    )
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

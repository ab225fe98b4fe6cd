"""The report: one HTML file with the table, the plots and the pictures, which needs no network."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classicseg.compare.charts import band_chart, speed_chart
from classicseg.compare.pictures import Case, best_of_each, errors, legend, truth_of
from classicseg.compare.summary import Comparison, Row

__all__ = ["page"]

# Pictures of pipelines in the whole page, so that it opens at once: about 8 kB each.
_MOST_PICTURES = 600

# Key, heading, and which end comes first on a click.
_COLUMNS = (
    ("pipeline", "pipeline", "up"),
    ("mean_iou", "mean IU", "down"),
    ("interval", "95 %", "down"),
    ("pixel_accuracy", "pixel acc.", "down"),
    ("mean_accuracy", "mean acc.", "down"),
    ("frequency_weighted_iou", "f.w. IU", "down"),
    ("boundary_f", "boundary F", "down"),
    ("seconds", "seconds", "up"),
    ("megabytes", "MB", "up"),
)


def page(comparison: Comparison, cases: Sequence[Case], about: dict[str, Any]) -> str:
    """Fill the page in.

    Parameters
    ----------
    comparison : Comparison
    cases : list of Case
        The images to show.
    about : dict
        How the numbers came about.
    """
    n = comparison.n_read
    template = resources.files(__name__.rpartition(".")[0]).joinpath("page.html")
    columns = best_of_each(comparison, max(8, _MOST_PICTURES // max(1, len(cases))))
    return Template(template.read_text(encoding="utf-8")).substitute(
        title=escape(f"classicseg compare: {comparison.dataset}"),
        summary=f"{len(comparison.rows)} pipelines on {n} images with {len(comparison.class_names)}"
        f" classes. Scores count the pixels of all images together, void left out; boundary F is"
        f" the mean over images; seconds and megabytes are medians over images, of evidence and"
        f" inference together.",
        about="".join(_about(about)),
        notes="".join(_notes(comparison)),
        headings="".join(
            f'<th data-key="{key}" data-first="{first}"><button>{text}</button></th>'
            for key, text, first in _COLUMNS
        ),
        rows="\n".join(_row(comparison, row) for row in comparison.rows),
        charts=band_chart(comparison) + speed_chart(comparison),
        classes=_classes(comparison),
        cases_note=_cases_note(comparison, cases, columns),
        legend="".join(
            f'<span><i style="background:rgb{color}"></i>{escape(text)}</span>'
            for color, text in legend(comparison)
        ),
        cases="\n".join(_case(comparison, case, columns) for case in cases),
    )


def number(value: float, digits: int = 3) -> str:
    """A number in a few characters, a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _about(about: dict[str, Any]) -> list[str]:
    lines = []
    for key, value in about.items():
        text = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        lines.append(f"<p><b>{escape(key)}</b> <code>{escape(str(text))}</code></p>")
    return lines


def _notes(comparison: Comparison) -> list[str]:
    notes = []
    if count := comparison.rects_of_truth:
        notes.append(
            f"The rectangles of {count} images are <b>from the truth</b>: the box of the "
            f"foreground, grown by 2 % of the image's sides."
        )
    by_reason: dict[str, list[str]] = {}
    for name, reason in comparison.left_out.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        notes.append(f"Left out, because {escape(reason)}: {_few(names)}.")
    for failure in comparison.failures[:20]:
        notes.append(
            f"Failed: {escape(failure.pipeline)} on {escape(failure.image)}: "
            f"{escape(failure.error)}"
        )
    if (more := len(comparison.failures) - 20) > 0:
        notes.append(f"... and {more} more failures, in results.json.")
    for text, times in list(comparison.warnings.items())[:10]:
        notes.append(f"Warning, {times} times: {escape(text)}")
    return [f'<p class="soft">{note}</p>' for note in notes]


def _few(names: list[str]) -> str:
    text = ", ".join(escape(name) for name in names[:6])
    return text + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _row(comparison: Comparison, row: Row) -> str:
    low, high = row.intervals["mean_iou"]
    name = row.pipeline + ("" if row.engine == "native" else f" ({row.engine})")
    total = len(comparison.images)
    if row.failures:
        name += f" (failed on {len(row.failures)} of {total})"
    if row.n_left_out:
        name += f" (applies to {total - row.n_left_out} of {total})"
    cells = [f"<td>{escape(name)}</td>"]
    for key, _, _ in _COLUMNS[1:]:
        if key == "interval":
            text = f"{number(low)}–{number(high)}" if low == low else "–"
            cells.append(f'<td data-value="{_value(low)}">{text}</td>')
        else:
            value = getattr(row, key)
            digits = 0 if key == "megabytes" else 3
            cells.append(f'<td data-value="{_value(value)}">{number(value, digits)}</td>')
    return f"<tr{' class=failed' if row.failures else ''}>{''.join(cells)}</tr>"


def _value(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))


def _classes(comparison: Comparison) -> str:
    """IoU of each class, the darker the better."""
    names = "".join(f"<th>{escape(name)}</th>" for name in comparison.class_names)
    lines = []
    for row in comparison.rows:
        cells = "".join(
            f'<td style="background:rgba(0,114,178,{0.6 * v:.2f})">{number(v)}</td>'
            if v == v
            else "<td>–</td>"
            for v in row.class_iou
        )
        lines.append(f"<tr><td>{escape(row.pipeline)}</td>{cells}</tr>")
    return (
        f'<h2>IoU by class</h2><div class="wide"><table><thead><tr><th>pipeline</th>{names}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cases_note(comparison: Comparison, cases: Sequence[Case], columns: Sequence[Row]) -> str:
    if not cases:
        return "No image could be shown."
    best = escape(comparison.rows[0].pipeline)
    few = len(cases) < len(comparison.images)
    text = f"Ordered by the mean IU of {best}, the worst first."
    if few:
        n = sum(case.place == "worst" for case in cases)
        text = f"The {n} worst for {best}, then the {len(cases) - n} best."
    if len(columns) < len(comparison.rows):
        text += f" {len(columns)} of the {len(comparison.rows)} pipelines are shown."
    return text


def _case(comparison: Comparison, case: Case, columns: Sequence[Row]) -> str:
    index = comparison.images.index(case.item.id)
    figures = [
        _figure(case.marked, "image and marks", ""),
        _figure(truth_of(comparison, case.item), "truth", ""),
    ]
    for row in columns:
        if (found := case.labels.get(row.pipeline)) is not None:
            score = number(row.images["mean_iou"][index], 2)
            figures.append(_figure(errors(comparison, case.item, found), row.pipeline, score))
    title = f"{escape(case.item.id)} <span class='soft'>({case.place}: {number(case.score)})</span>"
    return f'<h3>{title}</h3><div class="case">{"".join(figures)}</div>'


def _breakable(name: str) -> str:
    return escape(name).replace("+", "<wbr>+").replace(":", ":<wbr>")


def _figure(picture: NDArray[np.uint8], caption: str, score: str) -> str:
    image = Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=72, optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption)}" width="{image.width}" height="{image.height}" '
        f'src="data:image/jpeg;base64,{data}">'
        f"<figcaption><b>{score}</b>{_breakable(caption)}</figcaption></figure>"
    )

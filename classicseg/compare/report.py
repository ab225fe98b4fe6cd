"""What a comparison looks like: a table, files of numbers, a page and a sheet of pictures."""

from __future__ import annotations

import csv
import io as text_io
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from joblib import cpu_count

from classicseg import __version__, io
from classicseg._files import path_of
from classicseg._settings import strings_of
from classicseg.compare.page import page
from classicseg.compare.pictures import sheet, shown
from classicseg.compare.scoring import SCORES, WIDTHS
from classicseg.compare.summary import Comparison, Row, checked

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["as_dict", "table", "write"]

_PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "pillow", "joblib")
_ENGINE_PACKAGES = {
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "pymaxflow": ("PyMaxflow",),
}
# Rows of the table on a terminal; the files have them all.
_MOST_ROWS = 60


def table(comparison: Comparison) -> Table:
    """Format the comparison as a rich table, the best pipeline in bold.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    rich.table.Table
        For `rich.print`. With more than 60 pipelines, the best 60.

    Examples
    --------
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"])
    >>> compare.table(result).row_count
    1
    """
    checked(comparison)
    from rich import box
    from rich.table import Table

    two = len(comparison.class_names) == 2
    page = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,  # so that it fits 80 columns
        caption=_caption(comparison),
        caption_justify="left",
    )
    page.add_column("pipeline", no_wrap=True)
    third = "fg IoU" if two else "accuracy"
    for heading in ("mIoU", "95 %", third, "bound. F", "seconds"):
        page.add_column(heading, justify="right", no_wrap=True)
    for index, row in enumerate(comparison.rows[:_MOST_ROWS]):
        failed = len(row.failures)
        style = "bold" if index == 0 and not failed else "red" if failed else None
        name = row.pipeline + ("" if row.engine == "native" else f" ({row.engine})")
        if failed:
            name += f"  (failed on {failed} of {len(comparison.images)})"
        if row.n_left_out:
            name += f"  (on {len(comparison.images) - row.n_left_out})"
        page.add_row(
            name,
            _score(row.mean_iou),
            interval(row, "mean_iou"),
            _score(row.class_iou[1] if two else row.pixel_accuracy),
            _score(row.boundary_f),
            _seconds(row.seconds),
            style=style,
        )
    return page


def as_dict(comparison: Comparison, command: Sequence[str] | None = None) -> dict[str, Any]:
    """Everything but the pictures, ready for JSON: scores, versions, machine, command, seed.

    Parameters
    ----------
    comparison : Comparison
    command : sequence of str, optional
        What was typed; that of this process by default.

    Returns
    -------
    dict
        Scores that do not exist are None once `io.write_json` has written them.

    Examples
    --------
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"], seed=3)
    >>> compare.as_dict(result)["seed"]
    3
    """
    checked(comparison)
    return {
        **_about(comparison, command),
        "dataset": comparison.dataset,
        "classes": list(comparison.class_names),
        "images": list(comparison.images),
        "broken": {failure.image: failure.error for failure in comparison.broken},
        "rectangles_of_truth": comparison.rects_of_truth,
        "left_out": dict(comparison.left_out),
        "warnings": dict(comparison.warnings),
        "band_widths": list(WIDTHS),
        "pipelines": [_row_as_dict(row) for row in comparison.rows],
    }


def write(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    command: Sequence[str] | None = None,
) -> list[Path]:
    """Write `results.json`, `results.csv`, `report.html` and `sheet.png`.

    Parameters
    ----------
    comparison : Comparison
    folder : path
        Made if it does not exist. Files of these names are replaced.
    command : sequence of str, optional
        As for `as_dict`.

    Returns
    -------
    list of Path
        What was written. Without an image that could be read there is no sheet.

    Raises
    ------
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in compare.write(result, folder)]
    ['results.json', 'results.csv', 'report.html', 'sheet.png']
    """
    checked(comparison)
    target = path_of(folder, "folder")
    target.mkdir(parents=True, exist_ok=True)
    about = _about(comparison, command)
    names = ("results.json", "results.csv", "report.html", "sheet.png")
    paths = [target / name for name in names]
    io.write_json(paths[0], as_dict(comparison, command))
    io.write_text(paths[1], _as_csv(comparison, about))
    cases = shown(comparison)
    io.write_text(paths[2], page(comparison, cases, about))
    if cases:
        io.write_image(paths[3], sheet(comparison, cases))
    comparison.finish()
    return paths if cases else paths[:3]


def interval(row: Row, score: str) -> str:
    """A score's interval in a few characters: .912-.934."""
    low, high = row.intervals[score]
    return f"{low:.3f}-{high:.3f}".replace("0.", ".") if low == low else "-"


def _about(comparison: Comparison, command: Sequence[str] | None) -> dict[str, Any]:
    """How the numbers came about."""
    return {
        "classicseg": __version__,
        "versions": _versions(comparison.engine),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": cpu_count(),
        },
        "command": shlex.join(sys.argv if command is None else strings_of(command, "command")),
        "engine": comparison.engine,
        "seed": comparison.seed,
        "jobs": comparison.n_jobs,
    }


def _caption(comparison: Comparison) -> str:
    n = comparison.n_read
    text = f"{n} image{'s' if n != 1 else ''}; mIoU over all their pixels, void left out"
    if comparison.n_jobs == 0:
        text += "; seconds of the cluster's workers"
    if comparison.n_jobs > 1:
        text += f"; seconds with {comparison.n_jobs} jobs at once"
    if len(comparison.rows) > _MOST_ROWS:
        text += f"; the best {_MOST_ROWS} of {len(comparison.rows)} pipelines"
    return text


def _score(value: float) -> str:
    return f"{value:.3f}" if value == value else "-"


def _seconds(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _row_as_dict(row: Row) -> dict[str, Any]:
    return {
        "pipeline": row.pipeline,
        "engine": row.engine,
        **{name: getattr(row, name) for name in (*SCORES, "seconds", "megabytes")},
        "intervals": {name: list(ends) for name, ends in row.intervals.items()},
        "class_iou": row.class_iou.tolist(),
        "band_iou": row.band_iou.tolist(),
        "confusion": row.counts.tolist(),
        "failed": {failure.image: failure.error for failure in row.failures},
        "left_out": row.n_left_out,
        "by_image": {name: values.tolist() for name, values in row.images.items()},
    }


def _as_csv(comparison: Comparison, about: dict[str, Any]) -> str:
    """A row for each pipeline, after lines with # that say how they came about."""
    file = text_io.StringIO()
    for key, value in about.items():
        text = "; ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        file.write(f"# {key}: {text}\n")
    writer = csv.writer(file, lineterminator="\n")
    ends = [f"{name}_{end}" for name in SCORES for end in ("low", "high")]
    writer.writerow(
        ["pipeline", "engine", *SCORES, *ends, "seconds", "megabytes", "failed", "left_out"]
        + [f"iou {name}" for name in comparison.class_names]
        + [f"mean_iou within {width} px" for width in WIDTHS]
    )
    for row in comparison.rows:
        numbers = [
            *(getattr(row, name) for name in SCORES),
            *(end for name in SCORES for end in row.intervals[name]),
            row.seconds,
            row.megabytes,
            len(row.failures),
            row.n_left_out,
            *row.class_iou,
            *row.band_iou,
        ]
        writer.writerow([row.pipeline, row.engine, *map(_plain, numbers)])
    return file.getvalue()


def _plain(number: float) -> str:
    return "" if number != number else repr(number if isinstance(number, int) else float(number))


def _versions(engine: str) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in (*_PACKAGES, *_ENGINE_PACKAGES.get(engine, ())):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # one of the names that OpenCV is distributed under
    return found


def _processor() -> str:
    """The processor's name; Linux tells it in a file only."""
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

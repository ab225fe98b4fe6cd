"""What a comparison looks like: a table, a file of numbers, a sheet of pictures."""

from __future__ import annotations

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
from classicseg.compare.pictures import pages
from classicseg.compare.runner import Comparison, Result, Row

if TYPE_CHECKING:
    from rich.table import Table

_PACKAGES = ("numpy", "scipy", "scikit-image", "scikit-learn", "pillow", "joblib")
_ENGINE_PACKAGES = {
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "pymaxflow": ("PyMaxflow",),
}


def table(comparison: Comparison) -> Table:
    """Format the comparison as a rich table, the best pipeline in bold.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    rich.table.Table
        For `rich.print`.

    Examples
    --------
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"])
    >>> compare.table(result).row_count
    1
    """
    from rich import box
    from rich.table import Table

    n = len(comparison.samples)
    page = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,  # so that it fits 80 columns
        caption=_caption(comparison),
        caption_justify="left",
    )
    page.add_column("pipeline", no_wrap=True)
    page.add_column("engine", no_wrap=True)
    for heading in ("mIoU", "fg IoU", "boundary F", "seconds"):
        page.add_column(heading, justify="right", no_wrap=True)
    for index, row in enumerate(comparison.rows):
        failed = len(row.failures)
        scores = (row.mean_iou, row.foreground_iou, row.boundary_f)
        style = "bold" if index == 0 and not failed else "red" if failed else None
        name = row.pipeline + (f"  (failed on {failed} of {n})" if failed else "")
        page.add_row(
            name, row.engine, *(_score(s) for s in scores), _seconds(row.seconds), style=style
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
        Scores that do not exist are None.

    Examples
    --------
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"], seed=3)
    >>> compare.as_dict(result)["seed"]
    3
    """
    return {
        "classicseg": __version__,
        "versions": _versions(comparison.engine),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": cpu_count(),
        },
        "command": shlex.join(sys.argv if command is None else command),
        "engine": comparison.engine,
        "seed": comparison.seed,
        "jobs": comparison.n_jobs,
        "samples": [
            {"name": s.name, "height": s.image.shape[0], "width": s.image.shape[1]}
            for s in comparison.samples
        ],
        "left_out": list(comparison.left_out),
        "not_installed": list(comparison.not_installed),
        "pipelines": [_row_as_dict(row) for row in comparison.rows],
    }


def write(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    command: Sequence[str] | None = None,
) -> list[Path]:
    """Write `results.json` and `sheet.png` (`sheet-1.png`, ... where one page is too small).

    Parameters
    ----------
    comparison : Comparison
    folder : path
        Made if it does not exist. Files of these names are replaced, sheets of an earlier and
        longer comparison removed.
    command : sequence of str, optional
        As for `as_dict`.

    Returns
    -------
    list of Path
        What was written, `results.json` first.

    Raises
    ------
    FileExistsError, NotADirectoryError, PermissionError
        If the folder cannot be made or written to.

    Examples
    --------
    >>> import tempfile
    >>> from classicseg import compare
    >>> result = compare.run(["saliency:centre_prior+argmax"], ["coffee"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in compare.write(result, folder)]
    ['results.json', 'sheet.png']
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    results = target / "results.json"
    io.write_json(results, as_dict(comparison, command))
    sheets = pages(comparison)
    single = len(sheets) == 1
    paths = [
        target / ("sheet.png" if single else f"sheet-{number}.png")
        for number in range(1, len(sheets) + 1)
    ]
    for path, sheet in zip(paths, sheets, strict=True):
        io.write_image(path, sheet)
    for old in (target / "sheet.png", *target.glob("sheet-[0-9]*.png")):
        if old not in paths:
            old.unlink(missing_ok=True)
    return [results, *paths]


def _caption(comparison: Comparison) -> str:
    n = len(comparison.samples)
    text = f"{n} image{'s' if n > 1 else ''}; mIoU over all their pixels, void left out"
    if comparison.n_jobs > 1:
        text += f"; seconds with {comparison.n_jobs} jobs at once"
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
        "mean_iou": row.mean_iou,
        "background_iou": row.background_iou,
        "foreground_iou": row.foreground_iou,
        "mean_image_iou": row.mean_image_iou,
        "boundary_f": row.boundary_f,
        "seconds": row.seconds,
        "failed": len(row.failures),
        "images": [_result_as_dict(result) for result in row.results],
    }


def _result_as_dict(result: Result) -> dict[str, Any]:
    return {
        "sample": result.sample,
        "mean_iou": result.mean_iou,
        "boundary_f": result.boundary_f,
        "seconds": result.seconds,
        "confusion": result.counts.tolist(),
        "error": result.error,
        "warnings": list(result.warnings),
    }


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

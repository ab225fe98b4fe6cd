"""`classicseg compare`: the cross table."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classicseg._progress import progress

if TYPE_CHECKING:
    from classicseg.compare import Comparison
    from classicseg.datasets import Dataset

__all__ = ["compare"]

_OK, _FAILED_IN_PART = 0, 1
# Failures that are printed; the files have them all.
_MOST_FAILURES = 10


class Engine(StrEnum):
    """Who solves the inference."""

    native = "native"
    opencv = "opencv"
    pymaxflow = "pymaxflow"


def compare(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Pipelines, **evidence+inference**, with commas between or given again; * stands "
            "for anything in either part. By default a choice that takes less than a minute. "
            "Evidence: gmm:rect, gmm:scribbles, superpixels:scribbles, patches:scribbles, "
            "saliency: with minimum_barrier, robust_background, region_contrast, frequency_tuned, "
            "centre_prior, histogram_contrast, boolean_map, geodesic, combined, gbvs, itti_koch, "
            "spectral_residual, image_signature; fcn:figure_ground (needs pip install "
            "'classicseg[bridge]'); and scores:DIR, fcn:WEIGHTS, superpixels:FILE, patches:FILE, "
            "superpixels:train, patches:train. "
            "Inference: argmax, icm, bp, trws, graphcut, densecrf, grabcut; over superpixels "
            "superpixels:argmax, superpixels:icm, superpixels:bp, superpixels:trws, "
            "superpixels:graphcut, superpixels:densecrf, superpixels:grabcut.",
        ),
    ] = None,
    samples: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Images, as above: astronaut, ...; all by default."),
    ] = None,
    dataset: Annotated[
        str, typer.Option(help="A data set by its name; by default the bundled photographs.")
    ] = "bundled",
    root: Annotated[Path | None, typer.Option(help="The folder that holds the data set.")] = None,
    split: Annotated[str | None, typer.Option(help="The part of it: val, ...")] = None,
    every: Annotated[int, typer.Option(min=1, help="Only every N-th image.")] = 1,
    train_root: Annotated[
        Path | None, typer.Option(help="For superpixels:train and patches:train; as --root.")
    ] = None,
    train_split: Annotated[
        str | None, typer.Option(help="The part of the data set that classifiers are fitted to.")
    ] = None,
    train_every: Annotated[int, typer.Option(min=1, help="Only every N-th of its images.")] = 1,
    engine: Annotated[
        Engine,
        typer.Option(
            help="Who solves: opencv does grabcut and pymaxflow graphcut; the pipelines without "
            "it are left out. Both come with pip install 'classicseg[peers]'."
        ),
    ] = Engine.native,
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes. Seconds are only comparable with 1.")
    ] = 1,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run on the workers of this Dask scheduler instead."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers.")] = 0,
    out: Annotated[
        Path,
        typer.Option(help="Folder for the report and the journal; made if missing."),
    ] = Path("classicseg-compare"),
    fresh: Annotated[
        bool, typer.Option(help="Start anew, even where an unfinished run could go on.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print results.json instead of the table.")
    ] = False,
) -> int:
    """Compare every evidence with every inference on photographs or a data set, by mean IoU.

    By default on the photographs that come with scikit-image and scikit-learn. Prints a table, the
    best first, and writes report.html, results.json, results.csv and sheet.png. A run that was
    interrupted goes on when the same command is given again.
    """
    from classicseg import compare as comparing
    from classicseg import datasets

    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"--out is {out}, which is a file, expected a folder")
    if dask is not None and jobs != 1:
        raise typer.BadParameter("--jobs is for this machine and --dask for a cluster: give one")
    data = datasets.open(dataset, root, split, strict=False).select(_split(samples), every=every)
    train = None
    if train_root is not None or train_split is not None:
        whole = datasets.open(dataset, train_root or root, train_split, strict=False)
        train = whole.select(every=train_every)
    n_done = 0

    with progress("comparing") as bar:

        def update(done: int, total: int) -> None:
            nonlocal n_done
            n_done = done
            bar(done, total)

        try:
            result = comparing.run(
                _split(pipelines),
                data,
                engine.value,
                jobs,
                seed,
                update,
                folder=out,
                fresh=fresh,
                dask=dask,
                train=train,
                say=_say,
            )
        except KeyboardInterrupt:
            if n_done:
                _say(f"{n_done} of {len(data)} images are done: the same command goes on from here")
            raise
    paths = comparing.write(result, out, context.obj)
    if as_json:
        typer.echo(paths[0].read_text(encoding="utf-8"), nl=False)
    else:
        _print_table(result)
        typer.echo(f"Wrote {', '.join(str(path) for path in paths)}")
    _say_what_is_missing(result, data)
    return _FAILED_IN_PART if result.failures else _OK


def _say_what_is_missing(result: Comparison, data: Dataset) -> None:
    reasons: dict[str, list[str]] = {}
    for name, reason in result.left_out.items():
        reasons.setdefault(reason, []).append(name)
    for reason, names in reasons.items():
        n = len(names)
        _say(f"left out {n} pipeline{'s' * (n > 1)}: {reason}")
    if result.rects_of_truth:
        _say(
            f"the rectangles of {result.rects_of_truth} images are from the truth: its box, grown "
            f"by 2 % of the image's sides"
        )
    for failure in result.failures[:_MOST_FAILURES]:
        _say(f"{failure.pipeline} failed on {failure.image}: {failure.error}")
    if (more := len(result.failures) - _MOST_FAILURES) > 0:
        _say(f"... and {more} more failures, in results.json")


def _split(values: list[str] | None) -> list[str] | None:
    """Names with commas between, in one option or several; None where no option was given."""
    if not values:
        return None
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _print_table(result: Comparison) -> None:
    from rich.console import Console

    from classicseg import compare as comparing

    console = Console()
    if not console.is_terminal:  # its width of 80 is a guess, which would cut names
        console = Console(width=120)
    console.print(comparing.table(result))


def _say(message: str) -> None:
    """One line on stderr."""
    typer.echo(f"classicseg: {' '.join(message.split())}", err=True)

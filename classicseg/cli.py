"""The command line. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classicseg import __version__
from classicseg._cli_datasets import datasets
from classicseg._cli_grabcut import grabcut
from classicseg._cli_photo import crf, segment
from classicseg._cli_train import train
from classicseg._progress import progress

if TYPE_CHECKING:
    from classicseg.compare import Comparison

OK, FAILED_IN_PART, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130

# Typer does not export the class of its usage errors, only this one's child.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="classicseg",
    help="Turn evidence about pixels into labels: graph cuts, GrabCut, saliency, on photographs.",
    epilog="Start with **classicseg compare**, then open classicseg-compare/sheet.png.",
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Engine(StrEnum):
    """Who solves the inference."""

    native = "native"
    opencv = "opencv"
    pymaxflow = "pymaxflow"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0 all went well, 1 a comparison failed in part, 2 bad usage or unreadable input, 130 Ctrl-C.
    Errors are one line on stderr.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.

    Returns
    -------
    int

    Examples
    --------
    >>> from classicseg.cli import main
    >>> main(["--version"])
    classicseg 0.1.0
    0
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = ["classicseg", *given]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = app(args=given, prog_name="classicseg", standalone_mode=False, obj=command)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has gone (| head): nothing more to say, at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except _UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        return _complain(message) if message else BAD_USAGE  # empty where help was printed
    except OSError as error:
        known = error.strerror and error.filename
        return _complain(f"{error.filename}: {error.strerror}" if known else str(error))
    except (ValueError, TypeError, ImportError, MemoryError, FloatingPointError) as error:
        return _complain(str(error) or type(error).__name__)
    return code if isinstance(code, int) else OK


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"classicseg {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="Example: **classicseg compare --pipelines gmm:rect+grabcut,gmm:rect+graphcut "
    "--samples coffee,rocket**"
)
def compare(
    context: typer.Context,
    pipelines: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES",
            help="Pipelines, **evidence+inference**, with commas between or given again; "
            "all by default. Evidence: gmm:rect, gmm:scribbles, saliency:minimum_barrier, "
            "saliency:robust_background, saliency:region_contrast, saliency:frequency_tuned, "
            "saliency:centre_prior, fcn:figure_ground (needs pip install 'classicseg[bridge]'). "
            "Inference: argmax, graphcut, densecrf, grabcut.",
        ),
    ] = None,
    samples: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAMES", help="Photographs, as above: astronaut, coffee, ...; all by default."
        ),
    ] = None,
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
    seed: Annotated[int, typer.Option(min=0, help="Of all random numbers.")] = 0,
    out: Annotated[
        Path, typer.Option(help="Folder for sheet.png and results.json; made if missing.")
    ] = Path("classicseg-compare"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print results.json instead of the table.")
    ] = False,
) -> int:
    """Compare every evidence with every inference on photographs, by mean IoU.

    Runs on the photographs that come with scikit-image and scikit-learn, prints a table, the best
    first, and writes a sheet of pictures with errors in colour and all numbers as JSON.
    """
    from classicseg import compare as comparing

    if out.exists() and not out.is_dir():
        raise typer.BadParameter(f"--out is {out}, which is a file, expected a folder")
    with progress("comparing") as update:
        result = comparing.run(_split(pipelines), _split(samples), engine.value, jobs, seed, update)
    paths = comparing.write(result, out, context.obj)
    if as_json:
        typer.echo(paths[0].read_text(encoding="utf-8"), nl=False)
    else:
        _print_table(result)
        typer.echo(f"Wrote {', '.join(str(path) for path in paths)}")
    if result.left_out:
        n = len(result.left_out)
        _say(f"left out {n} pipeline{'s' * (n > 1)} in which {engine.value} has no part")
    if result.not_installed:
        evidence = sorted({name.partition("+")[0] for name in result.not_installed})
        _say(
            f"left out {', '.join(evidence)}: pip install 'classicseg[bridge]' brings what it needs"
        )
    for failure in result.failures:
        _say(f"{failure.pipeline} failed on {failure.sample}: {failure.error}")
    return FAILED_IN_PART if result.failures else OK


app.command(
    epilog="Example: **classicseg segment cat.jpg --rect 30,20,400,350 -o mask.png "
    "--cutout cat.png**"
)(segment)

app.command(
    epilog="Example: **classicseg crf street.jpg scores.npz -o labels.png --theta-beta 5**"
)(crf)

app.command(
    epilog="Example: **classicseg train photos masks --classes 2 --values 0,255 "
    "--network fcn:small --recipe modern --hold-out 'holiday_*'**"
)(train)

app.command(
    epilog="Example: **classicseg grabcut cat.jpg --out cat**, and later **classicseg grabcut "
    "cat.jpg --session cat/session.json --no-window --out again**"
)(grabcut)

app.command(
    epilog="Example: **classicseg datasets voc2012**, and later **classicseg datasets voc2012 "
    "--root VOCdevkit --split val**"
)(datasets)


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


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"warning: {message}")


def _complain(message: str) -> int:
    _say(message)
    return BAD_USAGE


def _say(message: str) -> None:
    """One line on stderr."""
    typer.echo(f"classicseg: {' '.join(message.split())}", err=True)

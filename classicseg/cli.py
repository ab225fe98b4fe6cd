"""The command line. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import atexit
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer

from classicseg import __version__
from classicseg._cli_compare import compare
from classicseg._cli_datasets import datasets
from classicseg._cli_grabcut import grabcut
from classicseg._cli_photo import crf, segment
from classicseg._cli_train import train

OK, BAD_USAGE, INTERRUPTED = 0, 2, 130

# Typer does not export the class of its usage errors, only this one's child.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="classicseg",
    help="Turn evidence about pixels into labels: graph cuts, GrabCut, saliency, on photographs.",
    epilog="Start with **classicseg compare**, then open classicseg-compare/report.html.",
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    except RuntimeError as error:
        # Pools of processes complain when they are interrupted while they start.
        if not _after_interrupt(error):
            raise
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


def program() -> int:
    """`main` as a program of its own: after Ctrl-C the process ends at once."""
    code = main()
    if code == INTERRUPTED:
        # Taking the interpreter to pieces takes a second where torch and SciPy are loaded.
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    return code


def _after_interrupt(error: BaseException | None) -> bool:
    """Whether an error came up while KeyboardInterrupt was on its way."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


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


app.command(
    epilog="Example: **classicseg compare --pipelines gmm:rect+grabcut,gmm:rect+graphcut "
    "--samples coffee,rocket**, and **classicseg compare --dataset camvid --root CamVid "
    "--pipelines 'scores:logits+*' --jobs 2**"
)(compare)

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


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    _say(f"warning: {message}")


def _complain(message: str) -> int:
    _say(message)
    return BAD_USAGE


def _say(message: str) -> None:
    """One line on stderr."""
    typer.echo(f"classicseg: {' '.join(message.split())}", err=True)

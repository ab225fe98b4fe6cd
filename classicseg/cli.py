"""The command line. Whatever is heavy is imported by the command that needs it."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classicseg import __version__
from classicseg._cli_grabcut import grabcut
from classicseg._cli_train import train
from classicseg._progress import progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


class Method(StrEnum):
    """How `segment` decides."""

    grabcut = "grabcut"
    graphcut = "graphcut"


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
            "saliency:centre_prior. Inference: argmax, graphcut, densecrf, grabcut.",
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
    for failure in result.failures:
        _say(f"{failure.pipeline} failed on {failure.sample}: {failure.error}")
    return FAILED_IN_PART if result.failures else OK


@app.command(
    epilog="Example: **classicseg segment cat.jpg --rect 30,20,400,350 -o mask.png "
    "--cutout cat.png**"
)
def segment(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="Any image file.")],
    rect: Annotated[
        str | None,
        typer.Option(
            metavar="X,Y,W,H",
            help="Rectangle around the object, in pixels from the upper left; outside is "
            "background.",
        ),
    ] = None,
    scribbles: Annotated[
        Path | None,
        typer.Option(
            metavar="PNG",
            help="Strokes instead: an image of the photo's size, indexed or grey, with 0 unmarked, "
            "1 background, 2 foreground, or 0, 128, 255, which one can see.",
        ),
    ] = None,
    method: Annotated[
        Method, typer.Option(help="grabcut learns colours and cuts in turn, graphcut does it once.")
    ] = Method.grabcut,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The mask, a PNG: 255 is foreground.")
    ] = Path("mask.png"),
    cutout: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Also write the object on a transparent background."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> int:
    """Cut an object out of a photo, given a rectangle around it or a few strokes."""
    if (rect is None) == (scribbles is None):
        raise typer.BadParameter("give either --rect or --scribbles")
    for path, option in ((output, "--output"), (cutout, "--cutout")):
        _check_writable(path, option)
    box = None if rect is None else _parse_rect(rect)

    import numpy as np

    from classicseg import compare as comparing
    from classicseg import io
    from classicseg._checks import as_uint8_image

    image = io.read_image(photo)
    strokes = None if scribbles is None else _read_scribbles(scribbles)
    marks = "scribbles" if box is None else "rect"
    start = time.perf_counter()
    mask = comparing.segment(image, f"gmm:{marks}+{method.value}", rect=box, scribbles=strokes)
    seconds = time.perf_counter() - start
    io.write_mask(output, mask)
    if cutout is not None:
        alpha = mask.astype(np.uint8) * np.uint8(255)
        io.write_image(cutout, np.dstack([as_uint8_image(image), alpha]))
    height, width = mask.shape
    share = float(mask.mean())
    if as_json:
        report = {
            "photo": str(photo),
            "width": width,
            "height": height,
            "method": method.value,
            "rect": box,
            "scribbles": None if scribbles is None else str(scribbles),
            "foreground": share,
            "seconds": seconds,
            "mask": str(output),
            "cutout": None if cutout is None else str(cutout),
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        files = f"{output}" if cutout is None else f"{output} and {cutout}"
        typer.echo(
            f"Wrote {files}: {share:.1%} of {width} x {height} pixels is foreground "
            f"({method.value}, {seconds:.2f} s)"
        )
    return OK


@app.command(
    epilog="Example: **classicseg crf street.jpg scores.npz -o labels.png --theta-beta 5**"
)
def crf(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="Any image file.")],
    scores: Annotated[
        Path,
        typer.Argument(
            metavar="SCORES",
            help="A network's output for it: an .npz with logits or probabilities (L, h, w), or an "
            ".npy; enlarged to the photo's size.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The labels, a PNG with a palette.")
    ] = Path("labels.png"),
    classes: Annotated[
        int | None,
        typer.Option(min=1, help="Keep the first ones only: where the last output is void."),
    ] = None,
    theta_alpha: Annotated[
        float | None, typer.Option(help="Reach of the appearance kernel, in pixels.")
    ] = None,
    theta_beta: Annotated[
        float | None, typer.Option(help="Colour difference that is an edge, in 0..255 units.")
    ] = None,
    weight: Annotated[float | None, typer.Option(help="Strength of the appearance kernel.")] = None,
    theta_gamma: Annotated[
        float | None, typer.Option(help="Reach of the smoothness kernel, in pixels.")
    ] = None,
    smoothness: Annotated[
        float | None, typer.Option(help="Strength of the smoothness kernel.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Above 1 softens a network that is too sure.")
    ] = None,
    iterations: Annotated[int | None, typer.Option(min=0, help="Of mean field.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> int:
    """Sharpen a network's saved scores along the edges of the photo, by a dense CRF."""
    _check_writable(output, "--output")
    given = {
        "theta_alpha": theta_alpha,
        "theta_beta": theta_beta,
        "weight": weight,
        "theta_gamma": theta_gamma,
        "smoothness": smoothness,
        "temperature": temperature,
        "n_iterations": iterations,
    }
    parameters: dict[str, Any] = {k: value for k, value in given.items() if value is not None}

    from classicseg import densecrf, io

    image = io.read_image(photo)
    height, width = image.shape[:2]
    probabilities = io.read_scores(scores, shape=(height, width), n_classes=classes)
    start = time.perf_counter()
    labels = densecrf.refine(probabilities, image, **parameters)
    seconds = time.perf_counter() - start
    io.write_labels(output, labels)
    changed = float((labels != probabilities.argmax(axis=-1)).mean())
    n_classes = probabilities.shape[-1]
    if as_json:
        report = {
            "photo": str(photo),
            "scores": str(scores),
            "width": width,
            "height": height,
            "classes": n_classes,
            "parameters": parameters,
            "changed": changed,
            "seconds": seconds,
            "labels": str(output),
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        typer.echo(
            f"Wrote {output}: {changed:.1%} of {width} x {height} pixels changed among "
            f"{n_classes} classes ({seconds:.2f} s)"
        )
    return OK


app.command(
    epilog="Example: **classicseg train photos masks --classes 2 --values 0,255 "
    "--network fcn:small --recipe modern --hold-out 'holiday_*'**"
)(train)

app.command(
    epilog="Example: **classicseg grabcut cat.jpg --out cat**, and later **classicseg grabcut "
    "cat.jpg --session cat/session.json --no-window --out again**"
)(grabcut)


def _split(values: list[str] | None) -> list[str] | None:
    """Names with commas between, in one option or several; None where no option was given."""
    if not values:
        return None
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def _parse_rect(text: str) -> tuple[int, int, int, int]:
    try:
        x, y, width, height = (int(number) for number in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"--rect is {text!r}, expected four whole numbers x,y,width,height"
        ) from None
    return x, y, width, height


def _read_scribbles(path: Path) -> NDArray[np.int32]:
    import numpy as np

    from classicseg import io

    levels = io.read_labels(path)
    if levels.max() > 2:
        found = np.unique(levels)
        if not np.isin(found, (0, 128, 255)).all():
            raise ValueError(
                f"{path} holds the values {', '.join(map(str, found[:8]))}"
                f"{', ...' if found.size > 8 else ''}, expected 0 unmarked, 1 background, "
                f"2 foreground, or 0, 128, 255"
            )
        levels = np.searchsorted((0, 128, 255), levels).astype(np.int32)
    return levels


def _check_writable(path: Path | None, option: str) -> None:
    """Complain before the work, not after it."""
    if path is None:
        return
    if path.suffix.lower() != ".png":
        raise typer.BadParameter(f"{option} is {path}, expected a name that ends in .png")
    if not path.parent.is_dir():
        raise typer.BadParameter(f"{option} is {path}, but there is no folder {path.parent}")


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

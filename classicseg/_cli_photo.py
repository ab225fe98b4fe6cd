"""The commands `segment` and `crf`: one photo in, labels out."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["crf", "segment"]


class Method(StrEnum):
    """How `segment` decides."""

    grabcut = "grabcut"
    graphcut = "graphcut"


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
        typer.Option(
            metavar="PNG",
            help="Also write the object on a transparent background, with soft, clean edges.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> int:
    """Cut an object out of a photo, given a rectangle around it or a few strokes."""
    if (rect is None) == (scribbles is None):
        raise typer.BadParameter("give either --rect or --scribbles")
    for path, option in ((output, "--output"), (cutout, "--cutout")):
        _check_writable(path, option)
    box = None if rect is None else _parse_rect(rect)

    from classicseg import compare as comparing
    from classicseg import grabcut, io

    image = io.read_image(photo)
    strokes = None if scribbles is None else _read_scribbles(scribbles)
    marks = "scribbles" if box is None else "rect"
    start = time.perf_counter()
    mask = comparing.segment(image, f"gmm:{marks}+{method.value}", rect=box, scribbles=strokes)
    seconds = time.perf_counter() - start
    io.write_mask(output, mask)
    if cutout is not None:
        io.write_image(cutout, grabcut.cutout(image, mask))
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
    return 0


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
    return 0


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

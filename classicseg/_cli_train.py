"""The command `train`: options become a recipe."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from classicseg.bridge import Recipe

__all__ = ["train"]


class Style(StrEnum):
    """Where a recipe starts from."""

    fcn = "fcn"
    modern = "modern"


class Precision(StrEnum):
    """Of the network's arithmetic."""

    float32 = "float32"
    bfloat16 = "bfloat16"


class Optimizer(StrEnum):
    """Who makes the steps."""

    sgd = "sgd"
    adamw = "adamw"


class Schedule(StrEnum):
    """How the learning rate goes."""

    constant = "constant"
    poly = "poly"
    onecycle = "onecycle"


_DATA, _RECIPE, _VARIATION, _RUN = "The data", "The recipe", "Random variation", "The run"


def _option(panel: str, text: str, **settings: Any) -> Any:
    return typer.Option(help=text, rich_help_panel=panel, **settings)


def train(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of photographs.")],
    masks: Annotated[
        Path,
        typer.Argument(
            metavar="MASKS", help="Folder of masks, of the same names: a label at each pixel."
        ),
    ],
    classes: Annotated[int, _option(_DATA, "How many there are.", min=1, max=255)],
    out: Annotated[
        Path, _option(_RUN, "Folder for checkpoint.pt, history.json and weights.safetensors.")
    ] = Path("classicseg-train"),
    network: Annotated[
        str,
        _option(
            _RECIPE,
            "fcn:small, fcn:vgg16, fcn:alexnet, fcn:googlenet, deeplab:small, unet:16 (its width), "
            "unet:paper.",
        ),
    ] = "fcn:vgg16",
    recipe: Annotated[
        Style,
        _option(
            _RECIPE,
            "fcn: the paper's, SGD, 20 whole images at a time, stride 32, then 16, then 8. "
            "modern: AdamW, one-cycle, augmentation, mixed precision.",
        ),
    ] = Style.fcn,
    values: Annotated[
        str | None,
        _option(
            _DATA,
            "The label of each class in the masks, such as 0,255; 0,1,2,... by default.",
            metavar="V,V,...",
        ),
    ] = None,
    names: Annotated[
        str | None, _option(_DATA, "Of the classes, kept with the weights.", metavar="A,B,...")
    ] = None,
    ignore: Annotated[int, _option(_DATA, "The void label in the masks.", min=0)] = 255,
    val_images: Annotated[
        Path | None, _option(_DATA, "Folder of photographs to score after epochs.")
    ] = None,
    val_masks: Annotated[Path | None, _option(_DATA, "Folder of their masks.")] = None,
    hold_out: Annotated[
        str | None,
        _option(
            _DATA,
            "Score these of IMAGES instead of learning from them: patterns of names without "
            "endings, such as 'seq7_*,seq8_*'.",
            metavar="PATTERNS",
        ),
    ] = None,
    epochs: Annotated[int | None, _option(_RECIPE, "Passes, of each stage.", min=1)] = None,
    batch_size: Annotated[
        int | None, _option(_RECIPE, "Images in a step, over all devices.", min=1)
    ] = None,
    learning_rate: Annotated[float | None, _option(_RECIPE, "The largest.")] = None,
    optimizer: Annotated[Optimizer | None, _option(_RECIPE, "Who makes the steps.")] = None,
    schedule: Annotated[Schedule | None, _option(_RECIPE, "Of the learning rate.")] = None,
    weight_decay: Annotated[float | None, _option(_RECIPE, "Not of biases.", min=0)] = None,
    balance: Annotated[
        float | None,
        _option(_RECIPE, "Of rare classes: 0 none, 1 median frequency balancing.", min=0),
    ] = None,
    border_weights: Annotated[
        bool | None, _option(_RECIPE, "U-Net's, on narrow gaps between regions of class 1.")
    ] = None,
    precision: Annotated[Precision | None, _option(_RECIPE, "bfloat16 is mixed precision.")] = None,
    longest_side: Annotated[
        int | None, _option(_RECIPE, "Of images at the network's door, in pixels.", min=1)
    ] = None,
    size: Annotated[
        str | None,
        _option(_VARIATION, "Height and width of training samples.", metavar="HxW"),
    ] = None,
    scale: Annotated[
        str | None, _option(_VARIATION, "Of random enlargement.", metavar="FROM,TO")
    ] = None,
    flip: Annotated[bool | None, _option(_VARIATION, "Left to right.")] = None,
    turn: Annotated[bool | None, _option(_VARIATION, "By quarters.")] = None,
    rotate: Annotated[
        float | None, _option(_VARIATION, "Degrees to either side at most.", min=0)
    ] = None,
    colour: Annotated[
        float | None, _option(_VARIATION, "Strength of random brightness, contrast, ...", min=0)
    ] = None,
    elastic: Annotated[
        float | None, _option(_VARIATION, "U-Net's displacements, in pixels.", min=0)
    ] = None,
    paste: Annotated[
        float | None,
        _option(_VARIATION, "How often class 1 of another image is laid over.", min=0, max=1),
    ] = None,
    seed: Annotated[int, _option(_RUN, "Of all random numbers.", min=0)] = 0,
    threads: Annotated[
        int | None, _option(_RUN, "Of the CPU; with 1 the same bit for bit.", min=1)
    ] = None,
    validate_every: Annotated[int, _option(_RUN, "Epochs between scores.", min=1)] = 1,
    resume: Annotated[bool, _option(_RUN, "Go on from the checkpoint in --out.")] = False,
    half: Annotated[bool, _option(_RUN, "Write the weights in half precision.")] = False,
    pretrained: Annotated[
        Path | None,
        _option(_RECIPE, "A backbone's weights in torchvision's names, to start from."),
    ] = None,
    accelerator: Annotated[str, _option(_RUN, "auto, cpu, cuda, mps, ...")] = "auto",
    devices: Annotated[int, _option(_RUN, "That train together.", min=1)] = 1,
) -> int:
    """Train a network to label pixels, from a folder of images and one of masks.

    Prints a line after each epoch. A run that was killed goes on with --resume, to the same result.
    """
    from classicseg import bridge, datasets

    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": None if optimizer is None else optimizer.value,
        "schedule": None if schedule is None else schedule.value,
        "weight_decay": weight_decay,
        "balance": balance,
        "border_weights": border_weights,
        "precision": None if precision is None else precision.value,
        "longest_side": longest_side,
        "size": None if size is None else _numbers(size, "x", 2, "--size", int),
    }
    varied = {
        "scale": None if scale is None else _numbers(scale, ",", 2, "--scale", float),
        "flip": flip,
        "turn": turn,
        "rotate": rotate,
        "colour": colour,
        "elastic": elastic,
        "paste": paste,
    }
    start = (
        bridge.modern_recipe()
        if recipe is Style.modern
        else bridge.fcn_recipe(network.partition(":")[2])
    )
    chosen = _recipe(start, given, varied)
    labels = None if values is None else _numbers(values, ",", classes, "--values", int)
    pairs = datasets.folder(images, masks, classes, values=labels, ignore_index=ignore)
    if (val_images is None) != (val_masks is None):
        raise typer.BadParameter("give both --val-images and --val-masks, or neither")
    validation = None
    if hold_out is not None:
        if val_images is not None:
            raise typer.BadParameter("give --hold-out or --val-images, not both")
        pairs, validation = bridge.pick(
            pairs, [p.strip() for p in hold_out.split(",") if p.strip()]
        )
    elif val_images is not None and val_masks is not None:
        validation = datasets.folder(
            val_images, val_masks, classes, values=labels, ignore_index=ignore
        )
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    result = bridge.train(
        network,
        pairs,
        validation,
        out=out,
        recipe=chosen,
        classes=None if names is None else [name.strip() for name in names.split(",")],
        half=half,
        validate_every=validate_every,
        seed=seed,
        resume=resume,
        pretrained=pretrained,
        accelerator=accelerator,
        devices=devices,
        show=_say,
    )
    _say(f"Wrote {result.folder / 'weights.safetensors'}")
    return 0


def _recipe(start: Recipe, given: dict[str, Any], varied: dict[str, Any]) -> Recipe:
    """A recipe with the options that were given instead of its own."""
    given = {key: value for key, value in given.items() if value is not None}
    varied = {key: value for key, value in varied.items() if value is not None}
    return replace(start, augmentation=replace(start.augmentation, **varied), **given)


def _numbers(text: str, between: str, n: int, option: str, kind: type) -> tuple[Any, ...]:
    try:
        numbers = tuple(kind(part) for part in text.split(between))
    except ValueError:
        numbers = ()
    if len(numbers) != n:
        raise typer.BadParameter(f"{option} is {text!r}, expected {n} numbers with {between!r}")
    return numbers


def _say(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()

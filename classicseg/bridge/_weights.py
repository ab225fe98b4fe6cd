"""Trained weights: those in the package with their cards, and those that `train` writes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from torch import Tensor, nn

from classicseg._files import path_of
from classicseg.bridge._networks import build
from classicseg.bridge._sized import Sized
from classicseg.io import atomic

__all__ = ["Card", "card", "load", "save"]

_SHIPPED = files("classicseg.bridge") / "weights"


@dataclass(frozen=True)
class Card:
    """What there is to know about weights.

    Attributes
    ----------
    network : str
        As `train` takes it.
    classes : tuple of str
        Their names, in the order of the scores; numbers where nobody gave names.
    longest_side : int or None
        The size at which the network works.
    text : str
        Data, recipe, command, seed, scores and licence, in Markdown; empty for weights of one's
        own.
    """

    network: str
    classes: tuple[str, ...]
    longest_side: int | None
    text: str = ""


def load(weights: str | os.PathLike[str]) -> nn.Module:
    """Make a trained network.

    Parameters
    ----------
    weights : str or path
        One that comes with the package: "figure_ground" (background, object), "street_scenes"
        (CamVid's eleven classes), "cells" (membrane, cell); or the path of the
        ``weights.safetensors`` that `train` wrote for a network that it knows by name.

    Returns
    -------
    torch.nn.Module
        In eval mode, with float32 weights. (N, 3, H, W) images of any size, normalised as
        ImageNet's, become (N, L, H, W) scores: what `unary` takes. The images are brought to the
        network's size inside.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, or not of a network that `train` knows by name.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import bridge
    >>> network = bridge.load("figure_ground")
    >>> image = np.zeros((60, 80, 3), np.uint8)
    >>> bridge.unary(network, image).shape
    (60, 80, 2)
    """
    found, state = _read(weights)
    network = build(found.network, len(found.classes))
    try:
        network.load_state_dict({key: value.float() for key, value in state.items()})
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit its network {found.network}: {error}") from error
    return Sized(network, found.longest_side).eval()


def card(weights: str | os.PathLike[str]) -> Card:
    """What there is to know about a network's weights: see `load`.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load`.

    Examples
    --------
    >>> from classicseg import bridge
    >>> bridge.card("cells").classes
    ('membrane', 'cell')
    """
    return _read(weights)[0]


def save(
    path: str | os.PathLike[str],
    network: nn.Module,
    name: str,
    classes: Sequence[str],
    longest_side: int | None = None,
    *,
    half: bool = False,
) -> None:
    """Write weights as `safetensors`, with what `load` needs; `half` in half precision.

    Examples
    --------
    >>> import tempfile
    >>> from classicseg.bridge import nets
    >>> with tempfile.TemporaryDirectory() as place:
    ...     save(Path(place) / "w.safetensors", nets.unet(2, width=2), "unet:2", ["a", "b"])
    ...     card(Path(place) / "w.safetensors").network
    'unet:2'
    """
    from safetensors.torch import save as as_bytes

    state = {
        key: (value.half() if half and value.is_floating_point() else value).cpu().contiguous()
        for key, value in network.state_dict().items()
    }
    facts = {"network": name, "classes": list(classes), "longest_side": longest_side}
    with atomic(path) as file:
        file.write(as_bytes(state, metadata={"classicseg": json.dumps(facts)}))


def _read(weights: str | os.PathLike[str]) -> tuple[Card, dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    path_of(weights, "weights")
    shipped = _SHIPPED / f"{weights}.safetensors"
    ours = isinstance(weights, str) and shipped.is_file()
    if not ours and not Path(weights).is_file():
        known = sorted(
            p.name.removesuffix(".md") for p in _SHIPPED.iterdir() if p.name.endswith(".md")
        )
        raise FileNotFoundError(
            f"{weights} is no file, and none of the weights that come with classicseg: "
            f"{', '.join(known)}"
        )
    text = (_SHIPPED / f"{weights}.md").read_text("utf-8") if ours else ""
    with as_file(shipped) if ours else nullcontext(Path(weights)) as path:
        try:
            with safe_open(path, framework="pt") as file:
                facts = json.loads((file.metadata() or {}).get("classicseg", "{}"))
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, RecursionError) as error:
            raise ValueError(f"{weights} cannot be read as weights: {error}") from error
    if not isinstance(facts, dict) or not facts.get("network"):
        raise ValueError(f"{weights} does not tell its network: train wrote it for another module")
    name, classes, side = (facts.get(key) for key in ("network", "classes", "longest_side"))
    if not (
        isinstance(name, str)
        and isinstance(classes, list)
        and classes
        and all(isinstance(label, str) for label in classes)
        and (side is None or (isinstance(side, int) and side > 0))
    ):
        raise ValueError(f"{weights} says of its network {facts}, which makes no sense")
    return Card(name, tuple(classes), side, text), state

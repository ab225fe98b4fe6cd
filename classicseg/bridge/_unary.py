"""Any network's scores as evidence: images in, energies out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from classicseg._checks import as_image, finite, positive, positive_int
from classicseg._settings import inverse_temperature, sequence_of, yes_or_no
from classicseg.bridge._tiles import Tiling, tiling

__all__ = ["unary"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# Of a mask classifier's sums, so that no label is ruled out.
_LARGEST_SCALE, _LARGEST_STRIDE = 16, 1024
_LEAST = 1e-5


@overload
def unary(model: nn.Module, image: list[Any], **options: Any) -> list[NDArray[np.float32]]: ...
@overload
def unary(model: nn.Module, image: ArrayLike, **options: Any) -> NDArray[np.float32]: ...


def unary(  # type: ignore[misc]  # the overloads leave the options to this one
    model: nn.Module,
    image: ArrayLike | list[Any],
    *,
    temperature: float = 1.0,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    tile: int | tuple[int, int] | None = None,
    overlap: int | None = None,
    device: str | torch.device | None = None,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    stride: int = 32,
    batch_size: int = 1,
    half: bool = True,
    data_range: tuple[float, float] | None = None,
) -> NDArray[np.float32] | list[NDArray[np.float32]]:
    """Energies of each label at each pixel, from any network that scores them.

    The image is normalised and padded, the network's scores are enlarged to it bilinearly, and
    become -log softmax(scores / temperature). With several scales or with `flip` the probabilities
    are averaged.

    Parameters
    ----------
    model : nn.Module
        (N, C, H, W) -> scores (N, L, h, w) before the softmax: a tensor, a mapping with "out" (as
        torchvision's), an object with `.logits` (as transformers' SegFormer), or one with
        `.class_queries_logits` and `.masks_queries_logits` (MaskFormer, Mask2Former; their last
        class is none). One channel alone is the foreground's logit, and makes two labels. The model
        is used in evaluation mode without gradients, and left as it was found.
    image : (H, W) or (H, W, 3) array, or a list of them
        uint8, uint16 or floats in [0, 1]. A list is a batch and gives a list.
    temperature : float
        Above 1 softens the distribution.
    scales : sequence of float
        Sizes of the image to score, 1 is its own.
    flip : bool
        Score the mirrored image as well.
    tile : int or (height, width), optional
        For images that do not fit into memory at once: score parts of this size, rounded up to
        multiples of `stride`, and blend them where they overlap.
    overlap : int, optional
        How many pixels neighbouring tiles share at least; the outer quarter of it is not used,
        across the rest they blend linearly. Default: a quarter of the tile.
    device : str or torch.device, optional
        Where to run. Default: where the model's parameters are.
    mean, std : sequence of float
        The image, in [0, 1], is normalised to (image - mean) / std. Default: ImageNet's. With one
        value each the model gets one channel.
    stride : int
        The image is padded to multiples of this, by repeating its last row and column, and its
        scores are cropped. Default 32; 1 for no padding.
    batch_size : int
        How many images of a list are scored at once, where they follow each other with one shape.
    half : bool
        On CUDA, compute in float16 where torch's autocast does. Elsewhere it has no effect.
    data_range : (lo, hi), optional
        Values of black and white, for images that are neither 8/16-bit nor in [0, 1].

    Returns
    -------
    (H, W, L) float32 array, or a list of them

    Raises
    ------
    TypeError, ValueError
        For something else, a model whose answer is none of these, or is not finite.

    Examples
    --------
    >>> from torch import nn
    >>> model = nn.Conv2d(3, 4, 1)  # four labels, from colours alone
    >>> image = np.zeros((20, 30, 3), np.uint8)
    >>> unary(model, image).shape
    (20, 30, 4)
    >>> import classicseg as cs
    >>> labels = cs.densecrf.DenseCRF().infer(unary(model, image), image).labels
    >>> labels.shape
    (20, 30)
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}, expected a torch.nn.Module")
    given = sequence_of(scales, "scales", "several sizes")
    sizes = tuple(positive(scale, "scales") for scale in given)
    if not sizes or max(sizes) > _LARGEST_SCALE:
        raise ValueError(f"scales is {scales!r}, expected sizes up to {_LARGEST_SCALE}")
    yes_or_no(flip, "flip")
    yes_or_no(half, "half")
    inverse_temperature(temperature)
    middle, spread = (
        sequence_of(v, n, "1 or 3 numbers") for v, n in ((mean, "mean"), (std, "std"))
    )
    options = _Options(
        temperature=positive(temperature, "temperature"),
        scales=sizes,
        flips=(False, True) if flip else (False,),
        tiling=tiling(tile, overlap, positive_int(stride, "stride", _LARGEST_STRIDE)),
        stride=stride,
        mean=tuple(finite(value, "mean") for value in middle),
        std=tuple(positive(value, "std") for value in spread),
        half=half,
    )
    if len(options.mean) not in (1, 3) or len(options.std) != len(options.mean):
        raise ValueError(
            f"mean has {len(options.mean)} values and std {len(options.std)}, expected 1 or 3 each"
        )
    at_once = positive_int(batch_size, "batch_size")
    images = image if isinstance(image, list) else [image]
    pixels = (_pixels(each, options, data_range) for each in images)
    energies: list[NDArray[np.float32]] = []
    with _as_found(model, device) as (where, dtype):
        for _, group in groupby(pixels, key=lambda array: array.shape):
            for batch in _batches(group, at_once):
                x = torch.stack(batch)
                result = _energies(_Network(model, where, dtype, options), x, options)
                energies += [np.ascontiguousarray(e) for e in result.permute(0, 2, 3, 1).numpy()]
    return energies if isinstance(image, list) else energies[0]


@dataclass(frozen=True)
class _Options:
    temperature: float
    scales: tuple[float, ...]
    flips: tuple[bool, ...]
    tiling: Tiling | None
    stride: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    half: bool


def _pixels(image: ArrayLike, options: _Options, data_range: tuple[float, float] | None) -> Tensor:
    """A normalised image, (C, H, W)."""
    array = as_image(image, data_range=data_range)
    n_channels = len(options.mean)
    if array.shape[2] > n_channels:
        raise ValueError(f"image has {array.shape[2]} channels, expected 1 like mean and std")
    array = np.broadcast_to(array, (*array.shape[:2], n_channels))
    normalised = (array / 255 - np.array(options.mean, np.float32)) / np.array(
        options.std, np.float32
    )
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(normalised, -1, 0)))


def _batches(tensors: Iterator[Tensor], at_once: int) -> Iterator[list[Tensor]]:
    batch: list[Tensor] = []
    for tensor in tensors:
        batch.append(tensor)
        if len(batch) == at_once:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _as_found(
    model: nn.Module, device: str | torch.device | None
) -> Iterator[tuple[torch.device, torch.dtype]]:
    """The model in evaluation mode on a device; afterwards in its own modes, where it was."""
    first = next(model.parameters(), None)
    home = torch.device("cpu") if first is None else first.device
    dtype = first.dtype if first is not None and first.is_floating_point() else torch.float32
    where = home if device is None else _device(device)
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        if where != home:
            model.to(where)
        with torch.no_grad():
            yield where, dtype
    finally:
        for module, training in modes:
            module.training = training
        if where != home:
            model.to(home)


def _device(device: str | torch.device) -> torch.device:
    try:
        return torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"device is {device!r}, expected one of torch's: {error}") from None


def _energies(network: _Network, x: Tensor, options: _Options) -> Tensor:
    """-log of the probabilities' mean over scales and mirror images, (N, L, H, W)."""
    size = x.shape[-2:]
    total: Tensor | None = None
    for scale in options.scales:
        sides = [max(1, round(side * scale)) for side in size]
        scaled = _resized(x, sides, antialias=scale < 1)
        for flipped in options.flips:
            scores = network.scores(scaled.flip(-1) if flipped else scaled)
            scores = _resized(scores.flip(-1) if flipped else scores, size)
            logs = (scores / options.temperature).log_softmax(1)
            total = logs if total is None else torch.logaddexp(total, logs)
    assert total is not None
    n = len(options.scales) * len(options.flips)
    return float(np.log(n)) - total if n > 1 else 0 - total


def _resized(x: Tensor, size: Sequence[int], antialias: bool = False) -> Tensor:
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(
        x, size=tuple(size), mode="bilinear", align_corners=False, antialias=antialias
    )


@dataclass(frozen=True)
class _Network:
    model: nn.Module
    device: torch.device
    dtype: torch.dtype
    options: _Options

    def scores(self, x: Tensor) -> Tensor:
        """Finite float32 scores (N, L, H, W) on the CPU, as large as the image."""
        height, width = x.shape[-2:]
        stride = self.options.stride
        padded = F.pad(x, (0, -width % stride, 0, -height % stride), mode="replicate")
        tiles = self.options.tiling
        scores = self._part(padded) if tiles is None else tiles.blend(padded, self._part)
        scores = scores[..., :height, :width]
        if not scores.isfinite().all():
            raise ValueError("model gave scores that are NaN or infinite")
        return scores

    def _part(self, x: Tensor) -> Tensor:
        given = x.to(self.device, self.dtype)
        half = self.options.half and self.device.type == "cuda"
        with torch.autocast(self.device.type, dtype=torch.float16, enabled=half):
            output = self.model(given)
        return _scores(output, len(x), x.shape[-2:]).cpu()


def _scores(output: Any, n: int, size: Sequence[int]) -> Tensor:
    """What a model gave, as scores of this size."""
    if isinstance(output, Mapping) and "out" in output:
        output = output["out"]
    elif getattr(output, "masks_queries_logits", None) is not None:
        return _of_queries(output.class_queries_logits, output.masks_queries_logits, size)
    elif getattr(output, "logits", None) is not None:
        output = output.logits
    if not isinstance(output, Tensor):
        raise TypeError(
            f"model gave a {type(output).__name__}, expected a tensor, a mapping with 'out', or an "
            f"object with .logits or .masks_queries_logits"
        )
    if output.ndim != 4 or len(output) != n or output.numel() == 0:
        raise ValueError(
            f"model gave scores of shape {tuple(output.shape)}, expected ({n}, labels, height, "
            f"width)"
        )
    scores = _resized(output.float(), size)
    if scores.shape[1] == 1:
        scores = torch.cat([torch.zeros_like(scores), scores], 1)
    return scores


def _of_queries(classes: Tensor, masks: Tensor, size: Sequence[int]) -> Tensor:
    """Semantic inference of a mask classifier: masks, weighted with their classes' probabilities.

    Cheng, Schwing, Kirillov: Per-pixel classification is not all you need. NeurIPS 2021.
    arXiv:2107.06278
    """
    probabilities = classes.float().softmax(-1)[..., :-1]
    sums = torch.einsum("nql,nqhw->nlhw", probabilities, masks.float().sigmoid())
    return (_resized(sums, size) + _LEAST).log()

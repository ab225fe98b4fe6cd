"""Batches for training: every sample follows from the seed, the stage, the epoch and its index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from classicseg._checks import as_uint8_image
from classicseg.bridge._augment import Sample, augment, border_weights, paste
from classicseg.bridge._pairs import VOID, Pair
from classicseg.bridge._recipes import Recipe

__all__ = ["Batches", "Samples", "collate", "normalised"]

# What networks are used to: ImageNet's mean and spread of RGB in [0, 1].
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def normalised(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) of uint8 as networks take them."""
    mean, std = (torch.tensor(v, device=images.device).view(3, 1, 1) for v in (_MEAN, _STD))
    scaled: Tensor = (images.float() / 255 - mean) / std
    return scaled.contiguous(memory_format=torch.channels_last)


class Samples(torch.utils.data.Dataset[tuple[Tensor, Tensor, Tensor]]):
    """The training samples of every epoch, by (stage, epoch, index), which decides what varies."""

    def __init__(self, data: Sequence[Pair], recipe: Recipe, seed: int) -> None:
        self.data, self.recipe, self.seed = data, recipe, seed
        self.weights: dict[int, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: tuple[int, int, int]) -> tuple[Tensor, Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, *key))
        how = self.recipe.augmentation
        sample = self._sample(key[2], rng)
        if how.paste and rng.random() < how.paste:
            sample = paste(sample, self._sample(int(rng.integers(len(self.data))), rng))
        image, labels, weights = (
            torch.from_numpy(np.array(a)) for a in (sample.image, sample.labels, sample.weights)
        )
        return image.permute(2, 0, 1), labels.long(), weights

    def _sample(self, index: int, rng: np.random.Generator) -> Sample:
        picture, labels = self.data[index]
        image, labels = as_uint8_image(picture), np.asarray(labels).astype(np.uint8)
        if not self.recipe.border_weights:
            weights = np.ones(labels.shape, np.float32)
        elif index in self.weights:
            weights = self.weights[index]
        else:
            weights = self.weights[index] = border_weights(labels)
        sample = Sample(image, labels, weights)
        height, width = labels.shape
        longest = self.recipe.longest_side
        scale = 1.0 if longest is None else longest / max(height, width)
        size = self.recipe.size
        if size is None and scale == 1.0:
            return sample
        whole = (max(round(height * scale), 1), max(round(width * scale), 1))
        return augment(sample, self.recipe.augmentation, size or whole, scale, rng)


class Batches(torch.utils.data.Sampler[list[tuple[int, int, int]]]):
    """The batches of one epoch, of which each process takes its part."""

    def __init__(
        self, n: int, batch_size: int, key: tuple[int, int], seed: int, rank: int, world: int
    ) -> None:
        order = np.random.default_rng((seed, *key)).permutation(n)
        last = n - n % batch_size if n > batch_size else n  # an odd rest spoils batch statistics
        self.batches = [
            [(*key, int(i)) for i in order[start : start + batch_size][rank::world]]
            for start in range(0, last, batch_size)
        ]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[tuple[int, int, int]]]:
        return iter(self.batches)


def collate(samples: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """A batch; smaller images are grown to the largest with grey and void."""
    height = max(labels.shape[0] for _, labels, _ in samples)
    width = max(labels.shape[1] for _, labels, _ in samples)
    images = torch.empty((len(samples), 3, height, width), dtype=torch.uint8)
    images[:] = torch.tensor([round(255 * m) for m in _MEAN], dtype=torch.uint8).view(3, 1, 1)
    labels = torch.full((len(samples), height, width), VOID)
    weights = torch.ones((len(samples), height, width))
    for i, (image, truth, weight) in enumerate(samples):
        inside = (i, ..., slice(truth.shape[0]), slice(truth.shape[1]))
        images[inside], labels[inside], weights[inside] = image, truth, weight
    return images, labels, weights

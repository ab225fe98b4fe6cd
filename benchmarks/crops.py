"""Crops of a bundled photograph as a data set of any size; a module, so that processes find it."""

from __future__ import annotations

from functools import cache

import numpy as np

import classicseg as cs
from classicseg.datasets import Dataset, Item


@cache
def photograph() -> cs.samples.Sample:
    """Read once by each process."""
    return cs.samples.load("flower")


class Crops:
    """Reads crop number n of a side length, with its labels and the box around them."""

    def __init__(self, side: int) -> None:
        self.side = side

    def __call__(self, name: str) -> Item:
        rng = np.random.default_rng(int(name))
        sample = photograph()
        y, x = (int(rng.integers(0, n - self.side)) for n in sample.truth.shape)
        place = np.s_[y : y + self.side, x : x + self.side]
        image, labels = sample.image[place].copy(), sample.truth[place].astype(np.int32)
        rect = (2, 2, self.side - 4, self.side - 4)
        return Item(name, image, labels, rect)


def crops(count: int, side: int) -> Dataset:
    """As many crops."""
    bundled = cs.datasets.bundled()
    names = tuple(map(str, range(count)))
    return Dataset("crops", bundled.class_names, bundled.palette, names, Crops(side))

"""The photographs that come with scikit-image and scikit-learn, with the project's annotations."""

from __future__ import annotations

import numpy as np

from classicseg import samples
from classicseg._checks import as_uint8_image
from classicseg._colors import palette
from classicseg.datasets._dataset import Dataset, Item

__all__ = ["bundled"]


def bundled() -> Dataset:
    """Give the samples of `classicseg.samples` as a data set.

    Returns
    -------
    Dataset
        Two classes, background and foreground, with rectangles and scribbles.

    Examples
    --------
    >>> from classicseg import datasets
    >>> datasets.bundled().class_names
    ('background', 'foreground')
    """
    return Dataset("bundled", ("background", "foreground"), palette(2), samples.names(), _read)


def _read(name: str) -> Item:
    sample = samples.load(name)
    image = np.ascontiguousarray(as_uint8_image(sample.image))
    return Item(name, image, sample.truth.astype(np.int32), sample.rect, sample.scribbles)

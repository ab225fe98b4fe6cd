"""What `run` takes as images, made a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from classicseg import datasets
from classicseg._checks import as_uint8_image
from classicseg.datasets import Dataset, Item
from classicseg.samples import Sample

__all__ = ["Data", "as_dataset"]

Data = Dataset | Iterable[str | Sample | Item] | None


def as_dataset(data: Data) -> Dataset:
    """A data set as it is; of names, bundled photographs; of items, what is in memory."""
    if data is None:
        return datasets.bundled()
    if isinstance(data, Dataset):
        if not len(data):
            raise ValueError(f"data is {data.name}, which holds no image")
        if not data.n_classes:
            raise ValueError(f"data is {data.name}, whose labels are regions, not classes")
        return data
    if isinstance(data, str | bytes | Sample | Item) or not isinstance(data, Iterable):
        raise TypeError(f"data is a {type(data).__name__}, expected a list or a data set")
    given = list(data)
    bundled = datasets.bundled()
    if not given:
        raise ValueError(f"data is empty, expected some of {', '.join(bundled.ids)}")
    items = [_item(one, bundled) for one in given]
    names = [item.id for item in items]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"data has {', '.join(twice)} more than once")
    if all(isinstance(one, str) for one in given):
        return bundled.select(names)
    return Dataset(
        "images",
        bundled.class_names,
        bundled.palette,
        tuple(names),
        _Given({item.id: item for item in items}),
    )


@dataclass(frozen=True)
class _Given:
    """Reads what is in memory."""

    items: dict[str, Item] = field(repr=False)

    def __call__(self, name: str) -> Item:
        return self.items[name]


def _item(one: str | Sample | Item, bundled: Dataset) -> Item:
    if isinstance(one, Item) and isinstance(one.id, str):
        return one
    if isinstance(one, Sample):
        image = np.ascontiguousarray(as_uint8_image(one.image))
        return Item(one.name, image, one.truth.astype(np.int32), one.rect, one.scribbles)
    if isinstance(one, str) and one not in bundled.ids:
        raise ValueError(f"data holds {one!r}, expected some of {', '.join(bundled.ids)}")
    if not isinstance(one, str):
        raise TypeError(
            f"data holds a {type(one).__name__}, expected names, samples, or items with a name"
        )
    return bundled.read(one)

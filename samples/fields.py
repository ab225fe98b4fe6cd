"""Made-up fields seen from above, of three photographs that were taken straight from above.

No photograph from the air comes with scikit-image or scikit-learn. Grass, gravel and brick do, as
textures seen from above: they are laid out as patches whose borders are known to the pixel. What is
learned comes from the left halves of the photographs, what is scored from the right ones.
"""

from __future__ import annotations

import numpy as np
from skimage import data

import classicseg as cs

NAMES = ("meadow", "gravel", "roof")
COLORS = np.array([(90, 160, 60), (190, 190, 200), (200, 90, 60)], np.uint8)
SIZE = 240
N_PATCHES = 14


def read(id: str) -> cs.datasets.Item:
    """The item "train 3" or "test 0": the same each time it is read."""
    part, number = id.split()
    rng = np.random.default_rng([part == "test", int(number)])
    centres = rng.uniform(0, SIZE, (N_PATCHES, 2))
    y, x = np.mgrid[:SIZE, :SIZE]
    distances = [np.hypot(y - cy, x - cx) for cy, cx in centres]
    labels = rng.permutation(np.arange(N_PATCHES) % 3)[np.argmin(distances, axis=0)]
    grey = np.zeros((SIZE, SIZE), np.uint8)
    for k, texture in enumerate((data.grass(), data.gravel(), data.brick())):
        half = texture[:, 256:] if part == "test" else texture[:, :256]
        top, left = rng.integers(0, half.shape[0] - SIZE), rng.integers(0, half.shape[1] - SIZE)
        grey[labels == k] = half[top : top + SIZE, left : left + SIZE][labels == k]
    return cs.datasets.Item(id, np.dstack([grey] * 3), labels.astype(np.int32))


def dataset(part: str, n: int) -> cs.datasets.Dataset:
    """A data set of one's own is names, and a function that reads what a name stands for."""
    ids = tuple(f"{part} {k}" for k in range(n))
    return cs.datasets.Dataset("fields", NAMES, COLORS, ids, read)

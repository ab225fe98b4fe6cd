"""Makes docs/images/superpixels*.png: the methods side by side, and what each parameter does.

python docs/superpixels_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from skimage import data, segmentation, transform

from classicseg import superpixels

FOLDER = Path(__file__).parent / "images"
DEFAULTS = {"n_segments": 250, "compactness": 10.0, "n_iterations": 10}
VALUES = {"n_segments": (60, 250, 1000), "compactness": (2, 10, 40), "n_iterations": (1, 3, 10)}


def main() -> None:
    image = transform.resize(data.coffee(), (300, 450), anti_aliasing=True)
    figure, axes = plt.subplots(2, 3, figsize=(10, 4.9))
    labels = {m: superpixels.slic(image, 250, method=m) for m in ("refined", "slic", "slico")}
    for column, (method, found) in zip(axes.T, labels.items(), strict=True):
        show(column[0], outlined(image, found), f'method="{method}"')
        colors = superpixels.spread(superpixels.pool(image, found), found)
        explained = superpixels.explained_variation(found, image)
        show(column[1], colors, f"mean colours: explained variation {explained:.3f}")
    save(figure, "superpixels.png")

    figure, axes = plt.subplots(len(VALUES), 3, figsize=(10, 7.2))
    part = image[60:240, 150:420]
    for row, (name, values) in zip(axes, VALUES.items(), strict=True):
        for axis, value in zip(row, values, strict=True):
            found = superpixels.slic(image, **(DEFAULTS | {name: value}))[60:240, 150:420]
            default = " (as in the other rows)" if value == DEFAULTS[name] else ""
            show(axis, outlined(part, found), f"{name} = {value}{default}")
    save(figure, "superpixels_parameters.png")


def outlined(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    large = np.repeat(np.repeat(labels, 2, axis=0), 2, axis=1)
    picture = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    return segmentation.mark_boundaries(picture, large, color=(1, 0.9, 0.2), mode="inner")


def show(axis: plt.Axes, picture: np.ndarray, title: str) -> None:
    axis.imshow(picture)
    axis.set_title(title, fontsize=8)
    axis.axis("off")


def save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout(pad=0.6, h_pad=1.2)
    figure.savefig(FOLDER / name, dpi=75)


if __name__ == "__main__":
    main()

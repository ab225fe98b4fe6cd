"""Makes docs/images/bridge.png: a shipped network on a bundled photograph, and what follows it.

python docs/bridge_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from classicseg import bridge, compare, metrics, samples

NAME = "coffee"


def main() -> None:
    sample = samples.load(NAME)
    energies = bridge.unary(bridge.load("figure_ground"), sample.image, flip=True)
    masks = {
        inference: compare.segment(sample.image, f"fcn:figure_ground+{inference}")
        for inference in ("argmax", "densecrf", "grabcut")
    }
    figure, axes = plt.subplots(
        1, 5, figsize=(15, 15 / 5 * sample.mask.shape[0] / sample.mask.shape[1] + 0.35)
    )
    show(axes[0], sample.image, None, f"photo: {NAME}")
    axes[1].imshow(np.exp(-energies[:, :, 1]), vmin=0, vmax=1, cmap="magma")
    axes[1].contour(masks["argmax"], [0.5], colors="w", linewidths=0.8)
    axes[1].set_title(
        titled("network's probability of object", sample, masks["argmax"]), fontsize=9
    )
    axes[1].axis("off")
    show(
        axes[2],
        sample.image,
        masks["densecrf"],
        titled("network + dense CRF", sample, masks["densecrf"]),
    )
    show(
        axes[3],
        sample.image,
        masks["grabcut"],
        titled("network + GrabCut", sample, masks["grabcut"]),
    )
    show(axes[4], sample.image, sample.mask, "our mask, drawn by hand")
    figure.tight_layout(pad=0.3)
    figure.savefig(Path(__file__).parent / "images" / "bridge.png", dpi=80)


def titled(text: str, sample: samples.Sample, mask: np.ndarray) -> str:
    matrix = metrics.ConfusionMatrix(2).update(sample.truth, mask)
    return f"{text}: mIoU {100 * matrix.mean_iou:.0f}"


def show(axis, image, mask, title) -> None:
    axis.imshow(image if mask is None else np.where(mask[..., None], image, image // 4))
    if mask is not None and mask.any():
        axis.contour(mask, [0.5], colors="#e69f00", linewidths=0.8)
    axis.set_title(title, fontsize=9)
    axis.axis("off")


if __name__ == "__main__":
    main()

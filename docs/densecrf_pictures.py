"""Makes docs/images/densecrf.png: what each parameter of the dense CRF does.

python docs/densecrf_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from scipy.ndimage import gaussian_filter

from classicseg import densecrf, samples

DEFAULTS = {
    "theta_alpha": 40.0,
    "theta_beta": 10.0,
    "weight": 8.0,
    "theta_gamma": 3.0,
    "smoothness": 2.0,
}
VALUES = {
    "theta_alpha": (5, 40, 300),
    "theta_beta": (2, 10, 60),
    "weight": (1, 8, 60),
    "theta_gamma": (1, 3, 12),
    "smoothness": (0, 2, 20),
}


def main() -> None:
    sample = samples.load("coffee")
    image, mask = sample.image[::2, ::2], sample.mask[::2, ::2]
    # What a coarse network says: the mask blurred by a tenth of the image, with noise.
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal(mask.shape), 2) * 1.2
    score = 6 * (gaussian_filter(mask.astype(float), 8) - 0.5) + noise
    foreground = 1 / (1 + np.exp(-score))
    probabilities = np.stack([1 - foreground, foreground], axis=-1)

    figure, axes = plt.subplots(len(VALUES) + 1, 3, figsize=(9, 2.1 * (len(VALUES) + 1)))
    show(axes[0, 0], image, None, "photo")
    show(axes[0, 1], image, mask, "truth")
    show(axes[0, 2], image, foreground > 0.5, "scores alone")
    for row, (name, values) in zip(axes[1:], VALUES.items(), strict=True):
        for axis, value in zip(row, values, strict=True):
            parameters = DEFAULTS | {name: float(value)}
            labels = densecrf.refine(probabilities, image, **parameters)
            default = " (as in the other rows)" if value == DEFAULTS[name] else ""
            show(axis, image, labels == 1, f"{name} = {value}{default}")
    figure.tight_layout(pad=0.4)
    figure.savefig(Path(__file__).parent / "images" / "densecrf.png", dpi=80)


def show(axis, image, mask, title) -> None:
    axis.imshow(image if mask is None else np.where(mask[..., None], image, image // 4))
    if mask is not None:
        axis.contour(mask, [0.5], colors="#e69f00", linewidths=0.8)
    axis.set_title(title, fontsize=8)
    axis.axis("off")


if __name__ == "__main__":
    main()

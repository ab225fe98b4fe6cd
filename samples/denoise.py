"""A noisy photograph in 16 grey levels, restored by the local CRF's three solvers.

    python samples/denoise.py [picture.png]

Labels are grey levels; the unary is the squared difference to the noisy pixel, truncated, and
neighbours pay a truncated linear cost for different levels.
"""

from __future__ import annotations

import sys

import numpy as np
from skimage import data
from skimage.transform import resize

import classicseg as cs

N_LEVELS = 16


def noisy_photograph(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The cameraman in grey levels, and with one pixel in five replaced and the rest disturbed."""
    rng = np.random.default_rng(seed)
    clean = resize(data.camera(), (256, 256), anti_aliasing=True) * (N_LEVELS - 1)
    noisy = clean + rng.normal(scale=1.0, size=clean.shape)
    lost = rng.random(clean.shape) < 0.2
    noisy[lost] = rng.uniform(0, N_LEVELS - 1, lost.sum())
    return clean, noisy


def main(path: str = "denoise.png") -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    clean, noisy = noisy_photograph()
    levels = np.arange(N_LEVELS)
    unary = np.minimum((noisy[..., np.newaxis] - levels) ** 2 / 2, 4.0).astype(np.float32)
    edges = {(0, 1): 1.0, (1, 0): 1.0}
    cost = cs.gridcrf.truncated_linear(N_LEVELS, scale=0.8, limit=2.4)
    results = {
        "ICM": cs.gridcrf.icm(unary, edges, label_cost=cost),
        "belief propagation": cs.gridcrf.belief_propagation(unary, edges, label_cost=cost),
        "TRW-S": cs.gridcrf.trws(unary, edges, label_cost=cost),
    }
    bound = results["TRW-S"].lower_bounds[-1]
    figure, axes = plt.subplots(1, 4, figsize=(12, 4), layout="constrained")
    axes[0].imshow(noisy, cmap="gray", vmin=0, vmax=N_LEVELS - 1)
    axes[0].set_title(f"noisy\nRMS error {np.sqrt(np.mean((noisy - clean) ** 2)):.2f} levels")
    for axis, (name, result) in zip(axes[1:], results.items(), strict=True):
        error = np.sqrt(np.mean((result.labels - clean) ** 2))
        above = 100 * (result.energy / bound - 1)
        axis.imshow(result.labels, cmap="gray", vmin=0, vmax=N_LEVELS - 1)
        axis.set_title(f"{name}\nRMS error {error:.2f}\nenergy {above:.2f} % above the bound")
        print(f"{name}: energy {result.energy:.1f}, bound {bound:.1f}, RMS error {error:.2f}")
    for axis in axes:
        axis.axis("off")
        axis.title.set_fontsize(9)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(*sys.argv[1:])

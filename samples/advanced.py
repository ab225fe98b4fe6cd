"""A pipeline of one's own: evidence, superpixels, a graph over regions, and a dense CRF at the end.

    python samples/advanced.py [picture.png]

Two kinds of evidence are added up, colour models of a rectangle's inside and outside and a saliency
map. Every pixel's energies are pooled over superpixels, an exact cut decides on regions, and a
dense CRF smooths along edges. Each step is one call; all of them can be exchanged.
"""

from __future__ import annotations

import sys

import numpy as np

import classicseg as cs

NAMES = ("coffee", "flower", "rocket")


def evidence(sample: cs.samples.Sample) -> np.ndarray:
    """Energies (H, W, 2) of background and foreground, not yet decided."""
    x, y, width, height = sample.rect
    inside = np.zeros(sample.mask.shape, bool)
    inside[y : y + height, x : x + width] = True
    colors = sample.image.astype(np.float32)
    models = [cs.grabcut.fit_gmm(colors[side], rng=0) for side in (~inside, inside)]
    by_colour = np.stack([model.energies(sample.image) for model in models], axis=-1)

    salient = cs.saliency.robust_background(sample.image)
    odds = 6 * (salient - cs.saliency.adaptive_threshold(salient))
    by_saliency = cs.unary.from_scores(np.stack([-odds, odds], axis=-1))
    energies = by_colour + by_saliency
    energies[~inside, 1] += 1000  # outside of the rectangle is background
    return energies


def on_regions(image: np.ndarray, energies: np.ndarray) -> np.ndarray:
    """The best of all masks that give a region one label, exactly."""
    regions = cs.superpixels.slic(image, n_segments=1000)
    pooled = cs.superpixels.pool(energies, regions, reduce="sum")
    pairs, weights = cs.superpixels.pool_edges(cs.graphcut.contrast_weights(image, 20.0), regions)
    graph = cs.graphcut.Graph(len(pooled))
    graph.set_terminals(source=pooled[:, 0], sink=pooled[:, 1])
    graph.set_edges(pairs, weights)
    return graph.solve().mask[regions]


def main(path: str = "advanced.png") -> None:
    rows = []
    for name in NAMES:
        sample = cs.samples.load(name)
        energies = evidence(sample)
        regions = on_regions(sample.image, energies)
        certain = cs.unary.from_labels(regions.astype(int), 2, certainty=0.85)
        probabilities = cs.unary.to_probabilities(certain + 0.2 * np.clip(energies, -20, 20))
        found = {
            "each pixel": energies[..., 1] < energies[..., 0],
            "regions, cut": regions,
            "+ dense CRF": cs.densecrf.refine(probabilities, sample.image) == 1,
        }
        scores = []
        for step, mask in found.items():
            iou = cs.metrics.mask_iou(sample.mask, mask, ignore=sample.void)
            scores.append(f"{step} {iou:.3f}")
        print(f"{name}: IoU of {', '.join(scores)}")
        shown = cs.viz.draw_rect(sample.image, sample.rect)
        rows.append([shown, *(cs.viz.cutout(sample.image, mask) for mask in found.values())])
    titles = ["rectangle", "each pixel", "regions, cut", "+ dense CRF"]
    cs.io.write_image(path, cs.viz.sheet(rows, titles, NAMES, cell=220))


if __name__ == "__main__":
    main(*sys.argv[1:])

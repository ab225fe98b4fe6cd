"""One call each: what the package does to a photograph of a coffee cup.

    python samples/simple.py [picture.png]

The photograph comes with scikit-image, the rectangle and the strokes with classicseg.
"""

import sys

import numpy as np

import classicseg as cs

sample = cs.samples.load("coffee")
image = sample.image

# Where does the picture draw the eye?
salient = cs.saliency.minimum_barrier(image)

# Regions of similar pixels.
regions = cs.superpixels.slic(image, n_segments=250)

# A few strokes on either side, and one exact graph cut.
from_strokes = cs.graphcut.segment(image, sample.scribbles)

# A rectangle around the object: GrabCut learns the colours of both sides and cuts, in turns.
from_rect = cs.grabcut.segment(image, rect=sample.rect)

# Soft scores, here those of the saliency map, become labels that follow the image's edges.
odds = 8 * (salient - cs.saliency.adaptive_threshold(salient))
energies = cs.unary.from_scores(np.stack([-odds, odds], axis=-1))
refined = cs.densecrf.refine(cs.unary.to_probabilities(energies), image, weight=10.0)

for name, mask in (
    ("strokes", from_strokes),
    ("rectangle", from_rect),
    ("saliency + dense CRF", refined == 1),
):
    print(f"{name}: IoU {cs.metrics.mask_iou(sample.mask, mask, ignore=sample.void):.3f}")

pictures = [
    cs.viz.heat(salient),
    cs.viz.contour(image, regions, thickness=2),
    cs.viz.contour(cs.viz.draw_scribbles(image, sample.scribbles), from_strokes),
    cs.viz.cutout(image, from_rect),
    cs.viz.cutout(image, refined == 1),
]
titles = ["saliency", "superpixels", "graph cut", "GrabCut", "saliency + dense CRF"]
path = sys.argv[1] if len(sys.argv) > 1 else "simple.png"
cs.io.write_image(path, cs.viz.sheet([pictures], titles, cell=240))

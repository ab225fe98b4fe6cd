"""All saliency maps side by side, on photographs that come with scikit-image and scikit-learn.

    python samples/saliency_sheet.py maps.png

Makes the picture in docs/saliency.md.
"""

import sys

import numpy as np

import classicseg as cs

NAMES = ("astronaut", "chelsea", "coffee", "flower", "rocket", "china")
METHODS = (
    "combined",
    "minimum_barrier",
    "robust_background",
    "geodesic",
    "region_contrast",
    "histogram_contrast",
    "frequency_tuned",
    "boolean_map",
    "gbvs",
    "image_signature",
    "itti_koch",
    "spectral_residual",
    "centre_prior",
)

rows = []
for name in NAMES:
    image = cs.samples.load(name).image
    maps = (getattr(cs.saliency, method)(image) for method in METHODS)
    rows.append([image, *(np.rint(255 * found).astype(np.uint8) for found in maps)])

sheet = cs.viz.sheet(rows, ["photograph", *METHODS], NAMES, cell=140)
cs.io.write_image(sys.argv[1] if len(sys.argv) > 1 else "maps.png", sheet)

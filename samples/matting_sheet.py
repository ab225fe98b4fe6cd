"""Edges of cut-outs from close by, on photographs that come with scikit-image.

    python samples/matting_sheet.py matting.png

Makes the picture in docs/grabcut.md.
"""

import sys

import numpy as np

import classicseg as cs

# Part of each photograph (row, column, size), and the colour of the new background.
PARTS = {
    "astronaut": (30, 146, 64, (24, 150, 70)),
    "coffee": (20, 366, 64, (235, 235, 235)),
    "chelsea": (8, 344, 64, (24, 150, 70)),
}


def over(colour, image, opacity):
    opacity = opacity[..., None]
    return np.rint(image * opacity + np.array(colour) * (1 - opacity)).astype(np.uint8)


rows = []
for name, (row, column, size, colour) in PARTS.items():
    sample = cs.samples.load(name)
    opacity = cs.grabcut.alpha(sample.image, sample.mask)
    cutout = cs.grabcut.cutout(sample.image, sample.mask)
    pictures = (
        sample.image,
        over(colour, sample.image, sample.mask.astype(float)),
        over(colour, sample.image, opacity),
        over(colour, cutout[..., :3], opacity),
        np.rint(255 * opacity).astype(np.uint8),
    )
    part = slice(row, row + size), slice(column, column + size)
    rows.append([p[part].repeat(5, axis=0).repeat(5, axis=1) for p in pictures])

titles = ["photograph", "mask alone", "soft, the photograph's colours", "cutout", "alpha"]
sheet = cs.viz.sheet(rows, titles, list(PARTS), cell=240)
cs.io.write_image(sys.argv[1] if len(sys.argv) > 1 else "matting.png", sheet)

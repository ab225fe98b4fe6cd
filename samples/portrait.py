"""A portrait before another background: a rectangle, strokes, GrabCut, and matting for the hair.

    python samples/portrait.py [picture.png]

The photograph comes with scikit-image, the rectangle and the strokes with classicseg.
"""

from __future__ import annotations

import sys

import numpy as np

import classicseg as cs

BACKGROUND, FOREGROUND = 0, 1


def main(path: str = "portrait.png") -> None:
    sample = cs.samples.load("astronaut")
    image = sample.image
    gc = cs.grabcut.GrabCut(image, rng=0).fit(rect=sample.rect)
    first = gc.mask

    # What a person marks by hand stays; the rest is cut again with what was learned.
    trimap = gc.trimap.copy()
    trimap[sample.scribbles == 1] = BACKGROUND
    trimap[sample.scribbles == 2] = FOREGROUND
    gc.fit(trimap=trimap)
    gc.stroke(points=[(395, 305), (512, 290), (512, 350)], radius=35, label=BACKGROUND)  # the desk
    gc.stroke(points=[(400, 30), (415, 260)], radius=15, label=BACKGROUND)  # the rocket
    gc.refine()
    for name, mask in (("rectangle", first), ("+ strokes", gc.mask)):
        print(f"{name}: IoU {cs.metrics.mask_iou(sample.mask, mask, ignore=sample.void):.3f}")

    cut = gc.cutout()  # RGBA: edges soft, and free of the old background's colour
    alpha = cut[..., 3:] / 255
    height, width = alpha.shape[:2]
    sky = np.linspace((40, 60, 120), (250, 200, 160), height)[:, None].repeat(width, axis=1)
    placed = np.rint(alpha * cut[..., :3] + (1 - alpha) * sky).astype(np.uint8)

    marked = cs.viz.draw_rect(cs.viz.draw_scribbles(image, sample.scribbles), sample.rect)
    pictures = [marked, cs.viz.contour(image, first), cs.viz.contour(image, gc.mask), placed]
    titles = ["rectangle and strokes", "rectangle alone", "with the strokes", "another background"]
    cs.io.write_image(path, cs.viz.sheet([pictures], titles, cell=240))


if __name__ == "__main__":
    main(*sys.argv[1:])

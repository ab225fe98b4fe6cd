"""A loop as in an interactive program: rectangle, look, correct with strokes, cut again.

    python samples/strokes.py [picture.png]

Prints the agreement with a hand-drawn mask after each step and writes a picture, that of the
README.
"""

import sys

import classicseg as cs

sample = cs.samples.load("astronaut")
shown = cs.viz.draw_rect(sample.image, sample.rect)
pictures, titles = [shown], ["rectangle"]


def report(step: str, mask) -> None:
    iou = cs.metrics.mask_iou(sample.mask, mask, ignore=sample.void)
    print(f"{step}: IoU {iou:.3f}, energy {grabcut.energies[-1]:.0f}")
    pictures.append(cs.viz.cutout(sample.image, mask))
    titles.append(f"{step}: IoU {iou:.3f}")


grabcut = cs.grabcut.GrabCut(sample.image, rng=0).fit(rect=sample.rect)
report("first result", grabcut.mask)

# The shuttle and the desk in the background were taken for foreground: mark them as background and
# cut again with the colour models as they are.
grabcut.stroke(points=[(422, 20), (430, 180), (470, 240)], radius=8, label=0)
grabcut.stroke(points=[(395, 305), (500, 305)], radius=35, label=0)
grabcut.refine()
report("two strokes", grabcut.mask)

# The dark collar belongs to the foreground; let the models learn from all corrections.
grabcut.stroke(points=[(195, 250), (215, 285), (260, 305), (310, 300)], radius=5, label=1)
grabcut.fit()
report("a third, learned", grabcut.mask)

path = sys.argv[1] if len(sys.argv) > 1 else "steps.png"
cs.io.write_image(path, cs.viz.sheet([pictures], titles, ["astronaut"]))

"""One call each: cut an object out of a photograph with a rectangle, and with strokes.

    python samples/simple.py

Uses the photograph of a coffee cup that comes with scikit-image and the rectangle and strokes that
come with classicseg; writes cutout.png and strokes.png.
"""

import classicseg as cs

sample = cs.samples.load("coffee")

# A rectangle around the object: GrabCut learns the colours of both sides and cuts, in turns.
mask = cs.grabcut.segment(sample.image, rect=sample.rect)
cs.io.write_image("cutout.png", cs.viz.cutout(sample.image, mask))

# A few strokes on either side: one exact graph cut (Boykov & Jolly).
mask = cs.graphcut.segment(sample.image, sample.scribbles)
cs.io.write_image("strokes.png", cs.viz.contour(sample.image, mask))

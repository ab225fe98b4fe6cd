"""A scene outdoors: the shipped small DeepLab, which knows streets, and a dense CRF.

    python samples/street_scene.py [picture.png] [--photo street.jpg] [--classes road,car,...]

No photograph of a street comes with scikit-image or scikit-learn. The temple of scikit-learn has
sky, a building and trees, and nothing like the streets that the network learned from: see how far
that carries, and what it helps to say which classes there are. A photograph of your own is given by
--photo. Needs pip install 'classicseg[bridge]'.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask

import classicseg as cs

# Well inside of what they are, as (x, y); the building is the sample's mask. Water is no class.
SKY = "0,0 640,0 640,125 580,125 545,190 80,190 40,180 5,140 0,140"
TREES = (
    "400,330 440,300 480,305 530,285 560,300 565,230 590,160 615,160 640,190 640,427 345,427 "
    "350,400 375,360",
    "0,330 40,350 80,355 130,345 190,375 215,395 280,427 0,427",
    "0,165 25,195 55,230 40,245 0,260",
)
CHINA = "sky,building,tree"


def truth_of_china(classes: tuple[str, ...]) -> np.ndarray:
    sample = cs.samples.load("china")
    near = ndimage.binary_dilation(sample.mask | sample.void, iterations=3)
    truth = np.full(sample.mask.shape, 255)
    for name, areas in (("sky", (SKY,)), ("tree", TREES)):
        for area in areas:
            corners = [tuple(map(int, p.split(",")))[::-1] for p in area.split()]
            truth[polygon2mask(truth.shape, corners) & ~near] = classes.index(name)
    truth[sample.mask] = classes.index("building")
    return truth


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", nargs="?", default="street_scene.png")
    parser.add_argument("--photo", help="instead of the temple")
    parser.add_argument("--classes", help=f"those that there may be; {CHINA} for the temple")
    options = parser.parse_args()

    classes = cs.bridge.card("street_scenes").classes
    image = cs.io.read_image(options.photo) if options.photo else cs.samples.load("china").image
    truth = None if options.photo else truth_of_china(classes)
    wanted = options.classes or (",".join(classes) if options.photo else CHINA)
    possible = [classes.index(name) for name in wanted.split(",")]

    energies = cs.bridge.unary(cs.bridge.load("street_scenes"), image, flip=True)
    probabilities = cs.unary.to_probabilities(energies)
    told = np.zeros_like(probabilities)
    told[..., possible] = probabilities[..., possible] + 1e-6
    told /= told.sum(-1, keepdims=True)
    found = {
        "network": probabilities.argmax(-1),
        "+ dense CRF": cs.densecrf.refine(probabilities, image),
        "classes told": told.argmax(-1),
        "classes told + dense CRF": cs.densecrf.refine(told, image),
    }
    pictures, titles = [image], ["photograph"]
    for name, labels in found.items():
        shown = [f"{classes[k]} {100 * (labels == k).mean():.0f} %" for k in np.unique(labels)]
        line = f"{name}: {', '.join(shown)}"
        title = name
        if truth is not None:
            matrix = cs.metrics.ConfusionMatrix(len(classes)).update(truth, labels)
            line += f"; pixels right {100 * matrix.pixel_accuracy:.1f} %"
            title = f"{name}: {100 * matrix.pixel_accuracy:.0f} %"
        print(line)
        pictures.append(cs.viz.overlay(image, labels, 0.6))
        titles.append(title)
    cs.io.write_image(options.picture, cs.viz.sheet([pictures], titles, cell=240))


if __name__ == "__main__":
    main()

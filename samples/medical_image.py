"""Stained tissue: two strokes on the image, colour models of both, and what decides between them.

    python samples/medical_image.py [picture.png]

The photograph (a colon's glands, stained brown where a protein is, nuclei blue) comes with
scikit-image. Nuclei inside the glands have the colours of nuclei outside: each pixel for itself is
speckled, and a cut is not. The truth was drawn for this script, well inside of each region; what is
near a border is not scored.
"""

from __future__ import annotations

import sys

import numpy as np
from skimage import data
from skimage.draw import line, polygon2mask

import classicseg as cs

# Corners as (x, y).
GLANDS = (
    "5,20 60,25 120,15 135,60 160,70 175,110 190,60 170,20 165,5 235,5 250,60 262,130 250,200 "
    "225,235 190,250 160,240 130,225 95,205 60,190 20,150 5,120",
    "262,10 280,35 305,90 325,135 360,195 380,205 420,280 400,285 350,265 310,210 285,130 265,70",
    "295,10 415,10 440,60 455,130 455,190 440,230 425,285 390,205 388,180 350,115 322,85 305,45",
    "5,200 60,215 90,260 120,310 145,345 155,400 155,505 45,505 50,440 55,350 50,320 5,255",
    "275,315 300,320 345,340 370,360 378,400 375,450 362,495 320,495 290,470 262,410 258,350",
)
AROUND = (
    "85,215 130,240 165,260 200,262 240,250 265,215 273,160 280,180 310,225 345,270 385,292 "
    "425,305 445,250 465,190 465,100 455,20 505,5 505,505 395,505 390,400 385,345 350,320 290,300 "
    "250,320 245,360 250,420 285,490 290,505 170,505 165,400 155,330 130,300 100,255",
    "0,275 45,325 45,400 35,500 0,500",
)
STROKES = {1: ((210, 275, 330, 290), (480, 60, 480, 400), (15, 330, 15, 460), (335, 90, 360, 160))}
STROKES[2] = ((40, 60, 230, 200), (400, 40, 430, 200), (90, 320, 110, 480), (300, 350, 340, 470))


def drawn(areas: tuple[str, ...], shape: tuple[int, int]) -> np.ndarray:
    corners = [[tuple(map(int, p.split(",")))[::-1] for p in area.split()] for area in areas]
    return np.any([polygon2mask(shape, area) for area in corners], axis=0)


def main(path: str = "medical_image.png") -> None:
    image = data.immunohistochemistry()
    shape = image.shape[:2]
    truth = np.full(shape, 255)
    truth[drawn(AROUND, shape)] = 0
    truth[drawn(GLANDS, shape)] = 1
    strokes = np.zeros(shape, np.uint8)
    for label, ends in STROKES.items():
        for x0, y0, x1, y1 in ends:
            y, x = line(y0, x0, y1, x1)
            for dy in (-1, 0, 1):
                strokes[y + dy, x] = label

    colors = image.astype(np.float32)
    models = [cs.grabcut.fit_gmm(colors[strokes == label], rng=0) for label in (1, 2)]
    energies = np.stack([model.energies(image) for model in models], axis=-1)
    crf = cs.densecrf.DenseCRF(
        [
            cs.densecrf.GaussianKernel(theta_gamma=6, weight=6),
            cs.densecrf.BilateralKernel(theta_alpha=20, theta_beta=60, weight=6),
        ]
    )
    found = {
        "each pixel for itself": energies[..., 1] < energies[..., 0],
        "graph cut": cs.graphcut.cut_unary(energies, image, gamma=15.0),
        "dense CRF": crf.infer(energies, image).labels == 1,
    }
    pictures, titles = [cs.viz.draw_scribbles(image, strokes)], ["strokes"]
    for name, mask in found.items():
        matrix = cs.metrics.ConfusionMatrix(2).update(truth, mask)
        print(f"{name}: mIoU {100 * matrix.mean_iou:.1f}, glands are {100 * mask.mean():.0f} %")
        pictures.append(cs.viz.contour(image, mask, thickness=3))
        titles.append(f"{name}: mIoU {100 * matrix.mean_iou:.0f}")
    cs.io.write_image(path, cs.viz.sheet([pictures], titles, cell=240))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Land cover from above: superpixels, a classifier learned from a few images, and a cut.

    python samples/aerial_view.py [picture.png]

The images are those of fields.py: no photograph from the air comes with scikit-image or
scikit-learn, so textures taken from above are laid out as fields. For photographs of your own give
`cs.datasets.folder("images", "masks", ("meadow", "gravel", "roof"))` instead of `dataset`.
"""

from __future__ import annotations

import sys

from fields import COLORS, NAMES, dataset

import classicseg as cs


def main(path: str = "aerial_view.png") -> None:
    train, test = dataset("train", 4), dataset("test", 2)
    model = cs.semantic.SuperpixelClassifier(
        n_segments=250, n_textons=24, n_stages=1, progress=False
    )
    images, truths = zip(*((item.image, item.labels) for item in train), strict=True)
    model.fit(list(images), list(truths))

    rows = []
    scores = {
        name: cs.metrics.ConfusionMatrix(len(NAMES)) for name in ("classifier", "+ expansion")
    }
    for item in test:
        probabilities = model.predict_proba(item.image)
        energies = cs.unary.from_probabilities(probabilities, clip=0.02)
        edges = cs.graphcut.contrast_weights(item.image, gamma=4.0)
        found = {
            "classifier": probabilities.argmax(-1),
            "+ expansion": cs.graphcut.alpha_expansion(energies, edges).labels,
        }
        for name, labels in found.items():
            scores[name].update(item.labels, labels)
        rows.append([item.image, *(COLORS[labels] for labels in (item.labels, *found.values()))])
    for name, matrix in scores.items():
        print(
            f"{name}: mIoU {100 * matrix.mean_iou:.1f}, pixels {100 * matrix.pixel_accuracy:.1f} %"
        )
    titles = [f"{name}: mIoU {100 * matrix.mean_iou:.0f}" for name, matrix in scores.items()]
    cs.io.write_image(path, cs.viz.sheet(rows, ["fields", "truth", *titles], cell=220))


if __name__ == "__main__":
    main(*sys.argv[1:])

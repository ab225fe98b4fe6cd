"""FCN-8s on Stanford Background, the recipe of the paper, for those who have the data.

    python samples/train_stanford.py --root iccv09Data --out stanford
    python samples/train_stanford.py --root iccv09Data --out stanford --pretrained vgg16.pth

`classicseg datasets stanford_background` tells where the data comes from; nothing is fetched. The
name fcn:vgg16 stands for the paper's three stages, strides 32, 16 and 8, each of which starts from
what the one before has learned: the last is FCN-8s. Start from ImageNet's weights where you have
them (--pretrained, torchvision's file). Needs pip install 'classicseg[bridge]', a GPU, and hours.

Long, Shelhamer & Darrell, Fully Convolutional Networks for Semantic Segmentation, 2015,
doi:10.1109/CVPR.2015.7298965.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import classicseg as cs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder iccv09Data")
    parser.add_argument(
        "--out", type=Path, default=Path("stanford"), help="for weights and history"
    )
    parser.add_argument("--network", default="fcn:vgg16", help="or fcn:alexnet, fcn:small, ...")
    parser.add_argument("--pretrained", type=Path, help="weights of the backbone")
    parser.add_argument("--epochs", type=int, help="of each stage; the recipe's by default")
    parser.add_argument("--batch-size", type=int, help="the recipe's by default")
    parser.add_argument("--resume", action="store_true", help="go on where it was stopped")
    options = parser.parse_args()

    train = cs.datasets.stanford_background(options.root, "train")
    val = cs.datasets.stanford_background(options.root, "val")
    print(f"{len(train)} images to learn from, {len(val)} to score")
    changes = {"epochs": options.epochs, "batch_size": options.batch_size}
    recipe = cs.bridge.fcn_recipe(
        options.network.partition(":")[2], **{k: v for k, v in changes.items() if v is not None}
    )
    training = cs.bridge.train(
        options.network,
        train,
        val,
        out=options.out,
        recipe=recipe,
        pretrained=options.pretrained,
        resume=options.resume,
        show=print,
    )

    scores = cs.metrics.ConfusionMatrix(val.n_classes)
    refined = cs.metrics.ConfusionMatrix(val.n_classes)
    for item in val:
        energies = cs.bridge.unary(training.network, item.image)
        probabilities = cs.unary.to_probabilities(energies)
        scores.update(item.labels, energies.argmin(-1))
        refined.update(item.labels, cs.densecrf.refine(probabilities, item.image))
    for name, matrix in (("network", scores), ("+ dense CRF", refined)):
        print(
            f"{name}: pixel accuracy {100 * matrix.pixel_accuracy:.1f}, mean accuracy "
            f"{100 * matrix.mean_accuracy:.1f}, mIoU {100 * matrix.mean_iou:.1f}"
        )


if __name__ == "__main__":
    main()

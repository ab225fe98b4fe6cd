"""Own data set, own network, own energy.

    python samples/expert.py [picture.png] [--steps 100]

The data set is in fields.py: names, and a function that reads one. The network is a dozen lines of
PyTorch. The energy knows that what is next to what has a price of its own: a roof ends at gravel
more often than at a meadow. Needs pip install 'classicseg[bridge]'.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from fields import COLORS, NAMES, dataset
from torch import nn

import classicseg as cs


class Small(nn.Module):
    """(N, 3, H, W) images to (N, L, H, W) scores: filters at two scales."""

    def __init__(self, n_classes: int, width: int = 24) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(3, width, 5, 2, 2), nn.ReLU())
        self.coarse = nn.Sequential(
            nn.MaxPool2d(4), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()
        )
        self.scores = nn.Conv2d(width, n_classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores = self.scores(self.coarse(self.fine(images)))
        return nn.functional.interpolate(scores, images.shape[2:], mode="bilinear")


def train(network: nn.Module, data: cs.datasets.Dataset, steps: int) -> None:
    """The shortest loop; `cs.bridge.train` has recipes, augmentation, checkpoints and more."""
    images, truths = zip(*((item.image, item.labels) for item in data), strict=True)
    images = torch.as_tensor(np.stack(images)).permute(0, 3, 1, 2).float() / 255
    images = (images - 0.45) / 0.225
    truths = torch.as_tensor(np.stack(truths)).long()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for step in range(steps):
        batch = [step % len(images), (step + 1) % len(images)]
        loss = nn.functional.cross_entropy(network(images[batch]), truths[batch], ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("picture", nargs="?", default="expert.png")
    parser.add_argument("--steps", type=int, default=100, help="of training")
    options = parser.parse_args()

    torch.manual_seed(0)
    network = Small(len(NAMES))
    train(network, dataset("train", 6), options.steps)

    item = dataset("test", 1)[0]
    energies = cs.bridge.unary(network.eval(), item.image, mean=(0.45,) * 3, std=(0.225,) * 3)

    # Meadow, gravel, roof. A price for each pair, and no walls where the image is smooth.
    prices = np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], np.float32)
    edges = cs.graphcut.contrast_weights(item.image, gamma=3.0)
    cut = cs.graphcut.alpha_expansion(energies, edges, label_cost=prices)
    messages = cs.gridcrf.trws(energies, {(0, 1): 3.0, (1, 0): 3.0}, label_cost=prices)

    found = {
        "network": energies.argmin(-1),
        "own energy, expansion": cut.labels,
        "even links, TRW-S": messages.labels,
    }
    pictures, titles = [item.image, COLORS[item.labels]], ["made-up fields", "truth"]
    for name, labels in found.items():
        matrix = cs.metrics.ConfusionMatrix(len(NAMES)).update(item.labels, labels)
        print(f"{name}: mIoU {100 * matrix.mean_iou:.1f}")
        pictures.append(COLORS[labels])
        titles.append(f"{name}: mIoU {100 * matrix.mean_iou:.0f}")
    above = 100 * (messages.energy / messages.lower_bounds[-1] - 1)
    print(f"TRW-S: at most {above:.2f} % above the best energy there is")
    cs.io.write_image(options.picture, cs.viz.sheet([pictures], titles, cell=200))


if __name__ == "__main__":
    main()

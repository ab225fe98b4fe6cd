"""A network that works at one size of images and answers in theirs."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Sized"]


class Sized(nn.Module):
    """Brings images to a longest side for a network, and its scores back to their size.

    Parameters
    ----------
    network : torch.nn.Module
        (N, 3, h, w) images to (N, L, h, w) scores.
    longest_side : int, optional
        None leaves images as they are.
    """

    def __init__(self, network: nn.Module, longest_side: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.longest_side = longest_side

    def forward(self, images: Tensor) -> Tensor:
        """Scores (N, L, H, W) of images (N, 3, H, W), before the softmax."""
        size = images.shape[-2:]
        if self.longest_side is not None and max(size) != self.longest_side:
            scale = self.longest_side / max(size)
            smaller = [max(round(side * scale), 1) for side in size]
            images = F.interpolate(images, size=smaller, mode="bilinear", antialias=True)
        scores: Tensor = self.network(images)
        if scores.shape[-2:] != size:
            scores = F.interpolate(scores.float(), size=size, mode="bilinear")
        return scores

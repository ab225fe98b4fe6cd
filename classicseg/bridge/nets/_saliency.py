"""A saliency network on VGG16."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classicseg.bridge.nets._backbones import Vgg16

__all__ = ["SaliencyNet", "fixation_loss", "saliency"]

_OUTPUTS = ("fixations", "object")


def saliency(output: str = "fixations") -> SaliencyNet:
    """A network that says where people look, or which object stands out.

    Maps of three levels of VGG16 (after pool3, pool4, which has stride 1 here, and conv5) are
    stacked at an eighth of the image's size, reduced to 64 channels, and then to a map, which is
    weighted with a coarse one that is learned: people look at the centre.

    Parameters
    ----------
    output : "fixations" or "object"
        "fixations" is the paper's network: (N, 1, H, W) from 0, and its largest value is 1. It is
        trained with `fixation_loss`. "object" gives scores (N, 2, H, W) of background and salient
        object before the softmax, for cross entropy and for `bridge.unary`.

    Returns
    -------
    SaliencyNet
        Takes (N, 3, H, W) of any size from 1 x 1.

    Raises
    ------
    ValueError
        For another output.

    References
    ----------
    M. Cornia, L. Baraldi, G. Serra, R. Cucchiara: A deep multi-level network for saliency
    prediction. ICPR 2016. doi:10.1109/ICPR.2016.7900174, arXiv:1609.01064

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     image = torch.zeros(1, 3, 480, 640)
    ...     shapes = [saliency(output)(image).shape for output in ("fixations", "object")]
    >>> shapes
    [torch.Size([1, 1, 480, 640]), torch.Size([1, 2, 480, 640])]
    """
    if output not in _OUTPUTS:
        raise ValueError(f"output is {output!r}, expected 'fixations' or 'object'")
    return SaliencyNet(output)


class SaliencyNet(nn.Module):
    """`saliency` makes it."""

    def __init__(self, output: str) -> None:
        super().__init__()
        self.output = output
        self.backbone = Vgg16()
        layers = self.backbone.features
        pool3, pool4, pool5 = self.backbone.pools[2:]
        layers[pool4] = nn.MaxPool2d(3, 1, padding=1)
        layers[pool5] = nn.Identity()
        self.levels = (pool3, pool4, pool5)
        self.dropout = nn.Dropout(0.5)
        self.encode = nn.Conv2d(256 + 512 + 512, 64, 3, padding=1)
        self.score = nn.Conv2d(64, 1 if output == "fixations" else 2, 1)
        self.prior = nn.Parameter(torch.ones(1, 1, 6, 8))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> a map (N, 1, H, W) in [0, 1], or scores (N, 2, H, W)."""
        y, maps = x, []
        for number, layer in enumerate(self.backbone.features):
            y = layer(y)
            if number in self.levels:
                maps.append(y)
        scores = self.score(F.relu(self.encode(self.dropout(torch.cat(maps, 1)))))
        size = scores.shape[-2:]
        scores = scores * F.interpolate(self.prior, size=size, mode="bilinear", align_corners=True)
        if self.output == "fixations":
            scores = F.relu(scores)
        scores = F.interpolate(scores, size=x.shape[-2:], mode="bilinear", align_corners=False)
        if self.output == "fixations":
            largest = scores.amax((-2, -1), keepdim=True)
            scores = scores / largest.clamp_min(1e-6)
        return scores


def fixation_loss(network: SaliencyNet, predicted: Tensor, truth: Tensor) -> Tensor:
    """The paper's loss: squared errors that count more where people look, and a flat prior.

    Parameters
    ----------
    network : SaliencyNet
        Its prior is drawn towards ones.
    predicted, truth : (N, 1, H, W) tensors
        In [0, 1].

    Returns
    -------
    tensor
        A number.

    Examples
    --------
    >>> network = saliency("fixations")
    >>> perfect = torch.rand(1, 1, 6, 8)
    >>> fixation_loss(network, perfect, perfect).item()
    0.0
    """
    error = ((predicted - truth) / (1.1 - truth)).square().mean()
    prior = (1 - network.prior).square().sum() / network.prior.numel()
    return error + prior

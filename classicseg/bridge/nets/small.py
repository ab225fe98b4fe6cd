"""Two small networks of our own choice, which learn from nothing on a CPU within an hour or two.

Both keep the ideas of the papers and leave out their weight: residual blocks with batch
normalisation (He et al. 2016, doi:10.1109/CVPR.2016.90) stand where VGG16 stands there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classicseg._settings import MOST_CHANNELS, one_of, positive_int, sequence_of, share

__all__ = ["SmallDeepLab", "SmallFCN"]


class SmallFCN(nn.Module):
    """A fully convolutional network with skip sums from pool4 and pool3, after Long et al. 2015.

    1.3 million parameters, 1.2 GFLOP for an image of 224 x 224. As in the paper the score layers
    start at zero, and the answer is enlarged by transposed convolutions that start as bilinear
    interpolation, of which the last stays so.

    Parameters
    ----------
    n_classes : int
    stride : {8, 16, 32}
        Of the finest scores: FCN-8s, FCN-16s or FCN-32s. A coarser network's `state_dict` loads
        into a finer one with ``strict=False``: the stages of training.
    dropout : float
        Share of the last features that are left out while training.

    References
    ----------
    Long, Shelhamer & Darrell, Fully Convolutional Networks for Semantic Segmentation, 2015,
    doi:10.1109/CVPR.2015.7298965.

    Examples
    --------
    >>> import torch
    >>> from classicseg.bridge import nets
    >>> nets.SmallFCN(5)(torch.zeros(2, 3, 50, 70)).shape
    torch.Size([2, 5, 50, 70])
    """

    def __init__(self, n_classes: int, stride: int = 8, dropout: float = 0.2) -> None:
        super().__init__()
        n_classes = positive_int(n_classes, "n_classes", MOST_CHANNELS)
        dropout = share(dropout, "dropout")
        one_of(stride, (8, 16, 32), "stride")
        self.stride = stride
        self.conv1 = _stem(32)
        self.conv2 = nn.Sequential(Block(32, 48), Block(48, 48))
        self.conv3 = nn.Sequential(Block(48, 96), Block(96, 96))
        self.conv4 = nn.Sequential(Block(96, 128), Block(128, 128))
        self.conv5 = nn.Sequential(Block(128, 160), nn.Dropout2d(dropout))
        self.pool = nn.MaxPool2d(2)
        self.score = _zero(nn.Conv2d(160, n_classes, 1))
        if stride <= 16:
            self.score_pool4 = _zero(nn.Conv2d(128, n_classes, 1))
            self.up2 = bilinear(n_classes, 2)
        if stride == 8:
            self.score_pool3 = _zero(nn.Conv2d(96, n_classes, 1))
            self.up4 = bilinear(n_classes, 2)
        self.upscore = bilinear(n_classes, stride).requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (N, n_classes, H, W) of images (N, 3, H, W), before the softmax."""
        height, width = images.shape[-2:]
        pool1 = self.conv1(_padded(images, 32))
        pool2 = self.conv2(self.pool(pool1))
        pool3 = self.conv3(self.pool(pool2))
        pool4 = self.conv4(self.pool(pool3))
        scores = self.score(self.conv5(self.pool(pool4)))
        if self.stride <= 16:
            scores = self.up2(scores) + self.score_pool4(pool4)
        if self.stride == 8:
            scores = self.up4(scores) + self.score_pool3(pool3)
        enlarged: Tensor = self.upscore(scores)
        return enlarged[:, :, :height, :width]


class SmallDeepLab(nn.Module):
    """Atrous convolutions, a spatial pyramid and a light decoder, after Chen et al. 2018.

    1.3 million parameters, 2.0 GFLOP for an image of 240 x 180. Features have stride 8, those
    after it a growing rate; the pyramid's rates are half of the paper's, as its images are.

    Parameters
    ----------
    n_classes : int
    rates : sequence of int
        Of the pyramid's atrous branches, in pixels of stride 8.
    dropout : float
        Share of the pyramid's features that are left out while training.

    References
    ----------
    Chen et al., Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation,
    2018, doi:10.1007/978-3-030-01234-2_49.

    Examples
    --------
    >>> import torch
    >>> from classicseg.bridge import nets
    >>> nets.SmallDeepLab(11)(torch.zeros(2, 3, 50, 70)).shape
    torch.Size([2, 11, 50, 70])
    """

    def __init__(
        self, n_classes: int, rates: tuple[int, ...] = (3, 6, 9), dropout: float = 0.1
    ) -> None:
        super().__init__()
        n_classes = positive_int(n_classes, "n_classes", MOST_CHANNELS)
        dropout = share(dropout, "dropout")
        given = sequence_of(rates, "rates", "whole numbers from 1")
        rates = tuple(positive_int(rate, "rates", MOST_CHANNELS) for rate in given)
        self.conv1 = _stem(32)
        self.conv2 = nn.Sequential(Block(32, 48), Block(48, 48))
        self.conv3 = nn.Sequential(Block(48, 96), Block(96, 96))
        self.conv4 = nn.Sequential(Block(96, 128, 2), Block(128, 128, 4))
        self.pool = nn.MaxPool2d(2)
        branches = [_unit(128, 64, 1), *(_unit(128, 64, 3, rate) for rate in rates)]
        self.pyramid = nn.ModuleList(branches)
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(128, 64, 1), nn.ReLU())
        self.project = nn.Sequential(_unit(64 * (len(rates) + 2), 96, 1), nn.Dropout2d(dropout))
        self.low = _unit(48, 32, 1)
        self.decoder = nn.Sequential(_unit(128, 64, 3), nn.Conv2d(64, n_classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Scores (N, n_classes, H, W) of images (N, 3, H, W), before the softmax."""
        height, width = images.shape[-2:]
        padded = _padded(images, 8)
        fine = self.conv2(self.pool(self.conv1(padded)))
        coarse = self.conv4(self.conv3(self.pool(fine)))
        whole = self.whole(coarse).expand(-1, -1, *coarse.shape[-2:])
        seen = self.project(torch.cat([*(b(coarse) for b in self.pyramid), whole], 1))
        seen = F.interpolate(seen, size=fine.shape[-2:], mode="bilinear")
        scores = self.decoder(torch.cat([seen, self.low(fine)], 1))
        enlarged = F.interpolate(scores, size=padded.shape[-2:], mode="bilinear")
        return enlarged[:, :, :height, :width]


class Block(nn.Module):
    """Two 3 x 3 convolutions, the second atrous, added to what came in."""

    def __init__(self, n_in: int, n_out: int, rate: int = 1) -> None:
        super().__init__()
        self.first = _unit(n_in, n_out, 3, rate)
        self.second = nn.Conv2d(n_out, n_out, 3, padding=rate, dilation=rate, bias=False)
        self.norm = nn.BatchNorm2d(n_out)
        self.skip: nn.Module = nn.Identity()
        if n_in != n_out:
            conv = nn.Conv2d(n_in, n_out, 1, bias=False)
            self.skip = nn.Sequential(conv, nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.second(self.first(x))) + self.skip(x))


def bilinear(n_classes: int, factor: int) -> nn.ConvTranspose2d:
    """A transposed convolution per class that enlarges by bilinear interpolation."""
    up = nn.ConvTranspose2d(
        n_classes,
        n_classes,
        2 * factor,
        factor,
        factor // 2,
        groups=n_classes,
        bias=False,
    )
    tent = 1 - (torch.arange(2 * factor) - factor + 0.5).abs() / factor
    with torch.no_grad():
        up.weight.copy_(torch.outer(tent, tent).expand_as(up.weight))
    return up


def _stem(n_out: int) -> nn.Sequential:
    """A convolution of stride 2 whose outputs lie in the middle of four pixels, as pooling's do."""
    conv = nn.Conv2d(3, n_out, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out), nn.ReLU())


def _unit(n_in: int, n_out: int, side: int, rate: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(n_in, n_out, side, padding=side // 2 * rate, dilation=rate, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out), nn.ReLU())


def _zero(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


def _padded(images: Tensor, multiple: int) -> Tensor:
    """Images grown at the lower right to whole multiples, by repeating the last pixels."""
    height, width = images.shape[-2:]
    return F.pad(images, (0, -width % multiple, 0, -height % multiple), mode="replicate")

"""DeepLab: atrous convolutions on VGG16 and ResNet-101, and DeepLabv3+."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from classicseg._checks import positive_int
from classicseg.bridge.nets._backbones import Backbone, ResNet, Vgg16

__all__ = ["DeepLab", "DeepLabV3Plus", "deeplab", "deeplab_v3plus"]

_HEADS = ("fc6", "large_fov", "aspp")
_RATES = (6, 12, 18, 24)


def deeplab(backbone: str = "vgg16", head: str = "large_fov", n_classes: int = 21) -> DeepLab:
    """DeepLab: features at every eighth pixel, and a wide view of them.

    The last two strides of the backbone are 1. What follows is atrous, with holes between the
    samples that a kernel sees: rate 2 in conv5, 4 in fc6 (ResNet: 2 in layer3, 4 in layer4), so
    that it works on its own spacing at more positions. Scores are enlarged bilinearly.

    Parameters
    ----------
    backbone : "vgg16" or "resnet101"
    head : "large_fov", "aspp" or "fc6"
        "fc6" is VGG16's own 7x7 layer with rate 4. "large_fov" sees the same 25 positions with 3x3
        at rate 12 and 1024 channels, an eighth of the weights. "aspp" adds up the scores of four
        branches with rates 6, 12, 18, 24, which see 13, 25, 37 and 49 positions. ResNet-101 has
        the last two; its branches are single layers.
    n_classes : int

    Returns
    -------
    DeepLab
        Takes (N, 3, H, W) of any size from 1 x 1 and gives scores (N, n_classes, H, W).

    Raises
    ------
    TypeError, ValueError
        For a backbone or head that there is not.

    References
    ----------
    L.-C. Chen et al.: Semantic image segmentation with deep convolutional nets and fully connected
    CRFs. ICLR 2015. arXiv:1412.7062
    L.-C. Chen et al.: DeepLab. TPAMI 2018. doi:10.1109/TPAMI.2017.2699184, arXiv:1606.00915

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     network = deeplab("resnet101", head="aspp", n_classes=21)
    ...     shapes = network.features(torch.zeros(1, 3, 321, 321)).shape, network.branches
    >>> shapes[0]
    torch.Size([1, 2048, 41, 41])
    """
    positive_int(n_classes, "n_classes")
    if head not in _HEADS:
        raise ValueError(f"head is {head!r}, expected one of {', '.join(map(repr, _HEADS))}")
    if backbone == "vgg16":
        return DeepLab(_atrous_vgg16(), _vgg16_branches(head, n_classes))
    if backbone != "resnet101":
        raise ValueError(f"backbone is {backbone!r}, expected 'vgg16' or 'resnet101'")
    if head == "fc6":
        raise ValueError("head is 'fc6', which is VGG16's: expected 'large_fov' or 'aspp'")
    rates = _RATES if head == "aspp" else (12,)
    return DeepLab(
        ResNet(output_stride=8),
        [nn.Sequential(_atrous(2048, n_classes, 3, rate)) for rate in rates],
    )


class DeepLab(nn.Module):
    """A backbone with output stride 8 and branches whose scores are added up; see `deeplab`."""

    def __init__(self, backbone: Backbone, branches: Sequence[nn.Module]) -> None:
        super().__init__()
        self.backbone = backbone
        self.branches = nn.ModuleList(branches)

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.backbone, self.branches[-1]]

    def features(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, C, h, w), h about H / 8."""
        y: Tensor = self.backbone(x)[-1]
        return y

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> scores (N, n_classes, H, W)."""
        features = self.features(x)
        scores = torch.stack([branch(features) for branch in self.branches]).sum(0)
        # The corners of the map are those of the image: 321 pixels make 41 scores, and back.
        return F.interpolate(scores, size=x.shape[-2:], mode="bilinear", align_corners=True)


def _atrous(n_in: int, n_out: int, kernel: int, rate: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2 * rate, dilation=rate)


def _atrous_vgg16() -> Vgg16:
    """VGG16 with output stride 8. Poolings of 3x3 have their middle on a pixel, as the holes."""
    network = Vgg16()
    for number, index in enumerate(network.pools):
        network.features[index] = nn.MaxPool2d(3, 2 if number < 3 else 1, padding=1)
    for layer in list(network.features)[network.pools[3] : network.pools[4]]:
        if isinstance(layer, nn.Conv2d):
            layer.dilation = layer.padding = (2, 2)
    return network


def _vgg16_branches(head: str, n_classes: int) -> list[nn.Module]:
    width = 4096 if head == "fc6" else 1024
    kernel, rates = {"fc6": (7, (4,)), "large_fov": (3, (12,)), "aspp": (3, _RATES)}[head]
    return [
        nn.Sequential(
            OrderedDict(
                fc6=_atrous(512, width, kernel, rate),
                relu6=nn.ReLU(inplace=True),
                drop6=nn.Dropout(0.5),
                fc7=nn.Conv2d(width, width, 1),
                relu7=nn.ReLU(inplace=True),
                drop7=nn.Dropout(0.5),
                fc8=nn.Conv2d(width, n_classes, 1),
            )
        )
        for rate in rates
    ]


def deeplab_v3plus(n_classes: int = 21, output_stride: int = 16) -> DeepLabV3Plus:
    """DeepLabv3+ on ResNet-101: atrous spatial pyramid with image pooling, and a decoder.

    Parameters
    ----------
    n_classes : int
    output_stride : 16 or 8
        Of the encoder. The pyramid's rates are 6, 12, 18, and twice that at 8.

    Returns
    -------
    DeepLabV3Plus
        Takes (N, 3, H, W) of any size from 1 x 1 and gives scores (N, n_classes, H, W). Batch
        normalisation of the pooled image needs a batch of at least 2 while training.

    Raises
    ------
    TypeError, ValueError
        If `n_classes` is no number from 1, or for another stride.

    References
    ----------
    L.-C. Chen et al.: Encoder-decoder with atrous separable convolution for semantic image
    segmentation. ECCV 2018. doi:10.1007/978-3-030-01234-2_49, arXiv:1802.02611
    L.-C. Chen et al.: Rethinking atrous convolution for semantic image segmentation.
    arXiv:1706.05587

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     scores = deeplab_v3plus(19).eval()(torch.zeros(1, 3, 257, 513))
    >>> scores.shape
    torch.Size([1, 19, 257, 513])
    """
    positive_int(n_classes, "n_classes")
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride is {output_stride!r}, expected 8 or 16")
    return DeepLabV3Plus(ResNet(output_stride), n_classes, 16 // output_stride)


class DeepLabV3Plus(nn.Module):
    """`deeplab_v3plus` makes it."""

    def __init__(self, backbone: ResNet, n_classes: int, rate: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.aspp = _Pyramid(2048, [6 * rate, 12 * rate, 18 * rate])
        self.low_level = _unit(256, 48, 1)
        self.decoder = nn.Sequential(
            _unit(256 + 48, 256, 3),
            nn.Dropout(0.5),
            _unit(256, 256, 3),
            nn.Dropout(0.1),
            nn.Conv2d(256, n_classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> scores (N, n_classes, H, W)."""
        fine, y = x, x
        for number, layer in enumerate(self.backbone.layers(), 1):
            y = layer(y)
            if number == 5:  # layer1: stride 4, 256 channels
                fine = y
        y = _enlarged(self.aspp(y), fine)
        return _enlarged(self.decoder(torch.cat([y, self.low_level(fine)], 1)), x)


class _Pyramid(nn.Module):
    """Five views of the features side by side: one position, three rates, the whole image."""

    def __init__(self, n_in: int, rates: Sequence[int]) -> None:
        super().__init__()
        views = [_unit(n_in, 256, 1), *(_unit(n_in, 256, 3, rate) for rate in rates)]
        self.views = nn.ModuleList(views)
        self.image_pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_unit(n_in, 256, 1))
        self.project = nn.Sequential(*_unit(256 * (len(rates) + 2), 256, 1), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        whole = self.image_pooling(x).expand(-1, -1, *x.shape[-2:])
        y: Tensor = self.project(torch.cat([*(view(x) for view in self.views), whole], 1))
        return y


def _unit(n_in: int, n_out: int, kernel: int, rate: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(
        n_in, n_out, kernel, padding=kernel // 2 * rate, dilation=rate, bias=False
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True))


def _enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)

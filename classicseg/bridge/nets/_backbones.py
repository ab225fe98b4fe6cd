"""Classification networks without their classifiers: AlexNet, VGG16, GoogLeNet, ResNet-101.

Their modules have the names that torchvision gave them, so that its published weights fit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

__all__ = ["AlexNet", "Backbone", "GoogLeNet", "ResNet", "Vgg16", "build_backbone"]


class Backbone(nn.Module, ABC):
    """Layers one after the other; forward gives the maps of strides 8, 16 and 32.

    Attributes
    ----------
    ends : tuple of int
        After how many layers these maps are ready.
    channels : tuple of int
        How many they have.
    """

    ends: tuple[int, int, int]
    channels: tuple[int, int, int]

    @abstractmethod
    def layers(self) -> Sequence[nn.Module]:
        """All of them, in order."""

    def widest_path(self) -> Sequence[nn.Module]:
        return self.layers()

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for number, layer in enumerate(self.layers(), 1):
            x = layer(x)
            if number in self.ends:
                maps.append(x)
        return maps


def _relu() -> nn.ReLU:
    return nn.ReLU(inplace=True)


class AlexNet(Backbone):
    """The convolutions of AlexNet in the one-tower form of torchvision.

    Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks.
    NIPS 2012. doi:10.1145/3065386; one tower: arXiv:1404.5997
    """

    ends = (3, 6, 13)
    channels = (64, 192, 256)
    fc6_kernel = 6

    def __init__(self, padding: int = 2) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=padding),
            _relu(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(64, 192, 5, padding=2),
            _relu(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(192, 384, 3, padding=1),
            _relu(),
            nn.Conv2d(384, 256, 3, padding=1),
            _relu(),
            nn.Conv2d(256, 256, 3, padding=1),
            _relu(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
        )

    def layers(self) -> Sequence[nn.Module]:
        return list(self.features)


class Vgg16(Backbone):
    """The 13 convolutions and 5 poolings of VGG16.

    Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition.
    ICLR 2015. arXiv:1409.1556

    Parameters
    ----------
    padding : int
        Of the first convolution.
    batch_norm : bool
        After each convolution, as torchvision's `vgg16_bn`.
    """

    blocks = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    channels = (256, 512, 512)
    fc6_kernel = 7

    def __init__(self, padding: int = 1, *, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        pools: list[int] = []
        width = 3
        for channels, n_layers in self.blocks:
            for _ in range(n_layers):
                layers.append(nn.Conv2d(width, channels, 3, padding=1 if layers else padding))
                layers += [nn.BatchNorm2d(channels), _relu()] if batch_norm else [_relu()]
                width = channels
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
            pools.append(len(layers))
        self.ends = (pools[2], pools[3], pools[4])
        self.pools = [end - 1 for end in pools]
        self.features = nn.Sequential(*layers)

    def layers(self) -> Sequence[nn.Module]:
        return list(self.features)


class _Convolution(nn.Module):
    """Convolution and ReLU; with batch normalisation in between there is no bias."""

    def __init__(
        self, n_in: int, n_out: int, kernel: int, stride: int = 1, padding: int | None = None,
        *, batch_norm: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        if padding is None:
            padding = kernel // 2
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=not batch_norm)
        self.bn = nn.BatchNorm2d(n_out, eps=0.001) if batch_norm else nn.Identity()
        self.relu = _relu()

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.conv]

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.relu(self.bn(self.conv(x)))
        return y


class _Inception(nn.Module):
    """Four branches side by side: 1x1, 3x3, 5x5 and pooling."""

    def __init__(self, n_in: int, widths: tuple[int, ...], *, batch_norm: bool) -> None:
        super().__init__()

        def layer(n_from: int, n_to: int, kernel: int) -> _Convolution:
            return _Convolution(n_from, n_to, kernel, batch_norm=batch_norm)

        one, three_in, three, five_in, five, pooled = widths
        self.branch1 = layer(n_in, one, 1)
        self.branch2 = nn.Sequential(layer(n_in, three_in, 1), layer(three_in, three, 3))
        # torchvision's 5x5 are 3x3.
        kernel = 3 if batch_norm else 5
        self.branch3 = nn.Sequential(layer(n_in, five_in, 1), layer(five_in, five, kernel))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), layer(n_in, pooled, 1))
        self.n_out = one + three + five + pooled

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.branch3]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


# Channels of 1x1; before and of 3x3; before and of 5x5; of the pooling.
_INCEPTION = {
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNet(Backbone):
    """GoogLeNet up to its average pooling, without the auxiliary classifiers.

    Szegedy et al.: Going deeper with convolutions. CVPR 2015. doi:10.1109/CVPR.2015.7298594

    Parameters
    ----------
    padding : int
        Of the first convolution.
    batch_norm : bool
        False is the paper's network. True is torchvision's, whose weights need it: it has batch
        normalisation instead of local response normalisation and biases, 3x3 in place of 5x5, and
        a last pooling of 2x2.
    """

    ends = (5, 8, 16)
    channels = (192, 480, 1024)

    def __init__(self, padding: int = 3, *, batch_norm: bool = False) -> None:
        super().__init__()
        self.conv1 = _Convolution(3, 64, 7, 2, padding, batch_norm=batch_norm)
        self.conv2 = _Convolution(64, 64, 1, batch_norm=batch_norm)
        self.conv3 = _Convolution(64, 192, 3, batch_norm=batch_norm)
        width = 192
        for name, widths in _INCEPTION.items():
            block = _Inception(width, widths, batch_norm=batch_norm)
            setattr(self, name, block)
            width = block.n_out
        self.batch_norm = batch_norm

    def layers(self) -> Sequence[nn.Module]:
        def pool(kernel: int = 3) -> nn.Module:
            return nn.MaxPool2d(kernel, 2, ceil_mode=True)

        norm = nn.Identity() if self.batch_norm else nn.LocalResponseNorm(5)
        blocks = [self.get_submodule(name) for name in _INCEPTION]
        first: list[nn.Module] = [self.conv1, nn.Sequential(pool(), norm), self.conv2, self.conv3]
        last_pool = pool(2 if self.batch_norm else 3)
        return [
            *first, nn.Sequential(norm, pool()), *blocks[:2], pool(), *blocks[2:7],
            last_pool, *blocks[7:],
        ]  # fmt: skip


class _Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 around a shortcut."""

    def __init__(self, n_in: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = _relu()
        self.downsample: nn.Sequential | None = None
        if n_in != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_in, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.conv1, self.conv2, self.conv3]

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        result: Tensor = self.relu(y + shortcut)
        return result


class ResNet(Backbone):
    """ResNet-101 up to its average pooling; forward gives `layer2`, `layer3` and `layer4`.

    He, Zhang, Ren, Sun: Deep residual learning for image recognition. CVPR 2016.
    doi:10.1109/CVPR.2016.90

    Parameters
    ----------
    output_stride : 8, 16 or 32
        Below 32 the last strides are 1 and what follows them is dilated: "atrous" convolutions,
        which give at every position what they gave at each second or fourth.
    blocks : tuple of int
        Bottlenecks in each of the four layers. The default is ResNet-101.
    """

    ends = (6, 7, 8)
    channels = (512, 1024, 2048)

    def __init__(
        self, output_stride: int = 32, blocks: tuple[int, int, int, int] = (3, 4, 23, 3)
    ) -> None:
        super().__init__()
        if output_stride not in (8, 16, 32):
            raise ValueError(f"output_stride is {output_stride}, expected 8, 16 or 32")
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = _relu()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        n_in, total, dilation = 64, 4, 1
        for number, n_blocks in enumerate(blocks, 1):
            width = 32 << number
            stride = 1 if number == 1 else 2
            before = dilation
            if total * stride > output_stride:
                stride, dilation = 1, 2 * dilation
            total *= stride
            # The first 3x3 still sees the samples of the layer before.
            layers = [_Bottleneck(n_in, width, stride, before)]
            n_in = 4 * width
            layers += [_Bottleneck(n_in, width, 1, dilation) for _ in range(n_blocks - 1)]
            setattr(self, f"layer{number}", nn.Sequential(*layers))

    def layers(self) -> Sequence[nn.Module]:
        stem = [self.conv1, self.bn1, self.relu, self.maxpool]
        return stem + [self.get_submodule(f"layer{i}") for i in (1, 2, 3, 4)]


_BACKBONES: dict[str, Callable[[int], Backbone]] = {
    "alexnet": AlexNet,
    "vgg16": Vgg16,
    "googlenet": GoogLeNet,
    "googlenet_bn": lambda padding: GoogLeNet(padding, batch_norm=True),
}


def build_backbone(name: str, padding: int) -> Backbone:
    """A backbone by its name, with this padding in its first convolution."""
    if name not in _BACKBONES:
        known = ", ".join(map(repr, _BACKBONES))
        raise ValueError(f"backbone is {name!r}, expected one of {known} or 'small'")
    return _BACKBONES[name](padding)

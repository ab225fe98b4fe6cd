"""SegNet."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from classicseg._checks import positive_int
from classicseg.bridge.nets._backbones import Vgg16
from classicseg.bridge.nets._upsampling import MaxUnpool

__all__ = ["SegNet", "segnet"]


def segnet(n_classes: int = 21) -> SegNet:
    """SegNet: VGG16's 13 convolutions, and as many that go back through its poolings.

    The decoder enlarges without learning: each value goes to the place of the maximum that the
    encoder's pooling took, and convolutions make the sparse maps dense.

    Parameters
    ----------
    n_classes : int

    Returns
    -------
    SegNet
        Takes (N, 3, H, W) of any size from 1 x 1 and gives scores (N, n_classes, H, W).

    Raises
    ------
    TypeError, ValueError
        If `n_classes` is no number from 1.

    References
    ----------
    V. Badrinarayanan, A. Kendall, R. Cipolla: SegNet: a deep convolutional encoder-decoder
    architecture for image segmentation. TPAMI 2017. doi:10.1109/TPAMI.2016.2644615

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     scores = segnet(11)(torch.zeros(1, 3, 360, 480))
    >>> scores.shape
    torch.Size([1, 11, 360, 480])
    """
    return SegNet(positive_int(n_classes, "n_classes"))


class SegNet(nn.Module):
    """`segnet` makes it."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.backbone = Vgg16(batch_norm=True)
        blocks = self.backbone.blocks
        for index in self.backbone.pools:
            pool = self.backbone.features[index]
            assert isinstance(pool, nn.MaxPool2d)
            pool.return_indices = True
        self.unpool = MaxUnpool(2)
        # A block's decoder mirrors it; its last layer has the width of the block before.
        decoders = []
        for number, (width, n_layers) in reversed(list(enumerate(blocks))):
            last = blocks[number - 1][0] if number else n_classes
            layers: list[nn.Module] = []
            for i in range(n_layers):
                n_out = last if i == n_layers - 1 else width
                layers.append(nn.Conv2d(width, n_out, 3, padding=1))
                if number or i < n_layers - 1:
                    layers += [nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]
            decoders.append(nn.Sequential(*layers))
        self.decoders = nn.ModuleList(decoders)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.backbone]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> scores (N, n_classes, H, W)."""
        kept = []
        for layer in self.backbone.features:
            if isinstance(layer, nn.MaxPool2d):
                size = x.shape[-2:]
                x, places = layer(x)
                kept.append((places, size))
            else:
                x = layer(x)
        for decoder in self.decoders:
            places, size = kept.pop()
            x = decoder(self.unpool(x, places, size))
        return x

"""Fully convolutional networks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from classicseg._checks import positive_int
from classicseg.bridge.nets._backbones import Backbone, GoogLeNet, build_backbone
from classicseg.bridge.nets._receptive_field import ReceptiveField, field_after
from classicseg.bridge.nets._upsampling import bilinear_upsampling
from classicseg.bridge.nets.small import SmallFCN

__all__ = ["FCN", "fcn"]

# Around the image, so that there are scores for its border and for images smaller than the field.
_PADDING = 100


def fcn(
    backbone: str = "vgg16", stride: int = 8, n_classes: int = 21, *, fixed: bool = False
) -> nn.Module:
    """A fully convolutional network: FCN-32s, FCN-16s or FCN-8s.

    Parameters
    ----------
    backbone : str
        "vgg16", "alexnet" or "googlenet"; "googlenet_bn" takes torchvision's weights for
        GoogLeNet (see `load_pretrained`). "small" is a fast FCN-8s of our own.
    stride : 32, 16 or 8
        Of the finest map that is scored: FCN-32s, FCN-16s, FCN-8s.
    n_classes : int
        With the background.
    fixed : bool
        Only the score layers learn, as in the paper's FCN-32s-fixed.

    Returns
    -------
    nn.Module
        Takes (N, 3, H, W) of any size from 1 x 1 and gives scores (N, n_classes, H, W). Weights are
        random, scores zero.

    Raises
    ------
    TypeError, ValueError
        For a backbone or stride that there is not.

    References
    ----------
    J. Long, E. Shelhamer, T. Darrell: Fully convolutional networks for semantic segmentation.
    CVPR 2015. doi:10.1109/CVPR.2015.7298965, arXiv:1411.4038

    Examples
    --------
    >>> import torch
    >>> with torch.device("meta"):
    ...     network = fcn("vgg16", stride=8, n_classes=21)
    ...     scores = network(torch.zeros(1, 3, 500, 375))
    >>> scores.shape
    torch.Size([1, 21, 500, 375])
    """
    positive_int(n_classes, "n_classes")
    if stride not in (8, 16, 32):
        raise ValueError(f"stride is {stride!r}, expected 32, 16 or 8")
    if backbone == "small":
        if fixed:
            raise ValueError(
                "fixed=True is for backbones with weights, 'small' learns all of its own"
            )
        return SmallFCN(n_classes, stride)
    network = FCN(build_backbone(backbone, _PADDING), stride, n_classes)
    if fixed:
        for part in (network.backbone, network.head):
            part.requires_grad_(False)
    return network


class FCN(nn.Module):
    """Scores of a backbone's last map, added up with those of finer ones; `fcn` makes it.

    The fully connected layers of the classifier are convolutions. Scores are enlarged by transposed
    convolutions that start bilinear, and are added to those of the map of twice the resolution;
    the last enlargement stays bilinear. Maps are cropped to where they lie in the image.
    """

    def __init__(self, backbone: Backbone, stride: int, n_classes: int) -> None:
        super().__init__()
        self.stride = stride
        self.backbone = backbone
        self.head, width = _head(backbone)
        self.score = _score(width, n_classes)
        layers = backbone.layers()
        field = field_after([*layers, self.head])
        self.offsets: list[int] = []  # of the cropped maps
        if stride <= 16:
            skip = field_after(layers[: backbone.ends[1]])
            field, self.upscore2 = self._add_upsampling(field, skip, n_classes)
            self.score_pool4 = _score(backbone.channels[1], n_classes)
        if stride == 8:
            skip = field_after(layers[: backbone.ends[0]])
            field, self.upscore_pool4 = self._add_upsampling(field, skip, n_classes)
            self.score_pool3 = _score(backbone.channels[0], n_classes)
        # By stride, so that FCN-16s takes all that it shares with FCN-32s from its state dict.
        pixels = ReceptiveField(1, 1, 0.0)
        _, last = self._add_upsampling(field, pixels, n_classes, learned=False)
        self.add_module(f"upscore{stride}", last)

    def _add_upsampling(
        self, field: ReceptiveField, onto: ReceptiveField, n_classes: int, *, learned: bool = True
    ) -> tuple[ReceptiveField, nn.ConvTranspose2d]:
        """An enlargement whose outputs lie on those of another map, and where they lie there."""
        factor = field.stride // onto.stride
        for kernel in (2 * factor, 2 * factor - 1):
            enlarged = field.enlarged(kernel, factor)
            offset = enlarged.offset_in(onto)
            if offset.is_integer():
                self.offsets.append(int(offset))
                start = max(enlarged.centre, onto.centre) if learned else enlarged.centre
                sum_field = ReceptiveField(field.size, onto.stride, start)
                layer = bilinear_upsampling(n_classes, kernel, factor, learned=learned)
                return sum_field, layer
        raise ValueError("the maps of the backbone do not lie on a common grid")

    def widest_path(self) -> Sequence[nn.Module]:
        return [self.backbone, self.head, self.score]

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) -> scores (N, n_classes, H, W)."""
        offsets = iter(self.offsets)
        pool3, pool4, pool5 = self.backbone(x)
        scores: Tensor = self.score(self.head(pool5))
        if self.stride <= 16:
            scores = _added(self.upscore2(scores), self.score_pool4(pool4), next(offsets))
        if self.stride == 8:
            scores = _added(self.upscore_pool4(scores), self.score_pool3(pool3), next(offsets))
        # The offset of the image in the scores, the other way round than those of the maps.
        enlarged = self.get_submodule(f"upscore{self.stride}")(scores)
        return _crop(enlarged, -next(offsets), x.shape[-2:])


def _added(scores: Tensor, finer: Tensor, offset: int) -> Tensor:
    """Scores and those of the finer map, in which they begin at `offset`, where there are both."""
    scores, finer = _crop(scores, max(-offset, 0)), _crop(finer, max(offset, 0))
    height, width = map(min, scores.shape[-2:], finer.shape[-2:])
    return scores[..., :height, :width] + finer[..., :height, :width]


def _crop(maps: Tensor, offset: int, size: Sequence[int] | None = None) -> Tensor:
    height, width = size or maps.shape[-2:]
    return maps[..., offset : offset + height, offset : offset + width]


def _score(n_in: int, n_classes: int) -> nn.Conv2d:
    layer = nn.Conv2d(n_in, n_classes, 1)
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer


def _head(backbone: Backbone) -> tuple[nn.Sequential, int]:
    """The classifier's layers before the last, as convolutions."""
    if isinstance(backbone, GoogLeNet):
        # With padding, so that the smallest images have a score as well.
        return nn.Sequential(nn.AvgPool2d(7, 1, padding=3), nn.Dropout(0.4)), 1024
    kernel: int = backbone.fc6_kernel  # type: ignore[assignment]  # a Module's, says its type
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        fc6=nn.Conv2d(backbone.channels[2], 4096, kernel),
        relu6=nn.ReLU(inplace=True),
        drop6=nn.Dropout(0.5),
        fc7=nn.Conv2d(4096, 4096, 1),
        relu7=nn.ReLU(inplace=True),
        drop7=nn.Dropout(0.5),
    )
    return nn.Sequential(layers), 4096

"""U-Net: a contracting path, an expanding one, and copies of features across."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from classicseg._settings import MOST_CHANNELS, positive_int

__all__ = ["UNet", "unet"]

_LARGEST_WIDTH = 1024
_LEVELS = 5
# What the unpadded 3 x 3 convolutions of all levels take off each side of the image.
_RIM = 92


class UNet(nn.Module):
    """The U-Net of Ronneberger et al. 2015; see `unet`."""

    def __init__(
        self,
        n_classes: int,
        in_channels: int = 3,
        width: int = 64,
        *,
        padded: bool = False,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        n_classes = positive_int(n_classes, "n_classes", MOST_CHANNELS)
        in_channels = positive_int(in_channels, "in_channels", MOST_CHANNELS)
        width = positive_int(width, "width", _LARGEST_WIDTH)
        self.padded = padded
        widths = [width * 2**level for level in range(_LEVELS)]
        self.down = nn.ModuleList(
            _pair(n_in, n_out, padded, batch_norm)
            for n_in, n_out in zip([in_channels, *widths], widths, strict=False)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(0.5)
        narrowing = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(nn.ConvTranspose2d(big, small, 2, 2) for big, small in narrowing)
        self.merge = nn.ModuleList(
            _pair(big, small, padded, batch_norm) for big, small in narrowing
        )
        self.score = nn.Conv2d(width, n_classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Scores (N, n_classes, H, W) of images (N, in_channels, H, W), before the softmax."""
        height, width = images.shape[-2:]
        rim, rest = (0, 0) if self.padded else (_RIM, 4)
        return self.valid(_mirrored(images, rim, rest))[:, :, :height, :width]

    def valid(self, images: Tensor) -> Tensor:
        """Scores of what the convolutions reach without inventing a rim: 572 x 572 to 388 x 388.

        Parameters
        ----------
        images : (N, in_channels, H, W) tensor
            H and W are 16 k + 188 (16 k where the network is padded: then nothing is lost).
        """
        features, kept = images, []
        last = len(self.down) - 1
        for level, pair in enumerate(self.down):
            features = pair(features)
            if level >= last - 1:  # the end of the contracting path
                features = self.dropout(features)
            if level < last:
                kept.append(features)
                features = self.pool(features)
        for up, merge in zip(self.up, self.merge, strict=True):
            features = up(features)
            features = merge(torch.cat([_centre(kept.pop(), features), features], 1))
        scores: Tensor = self.score(features)
        return scores


def unet(
    n_classes: int,
    in_channels: int = 3,
    width: int = 64,
    *,
    padded: bool = False,
    batch_norm: bool = False,
) -> UNet:
    """U-Net: for few images, sharp borders and touching objects.

    The paper's network has 23 convolutional layers and loses a rim of 92 pixels, which its
    overlap-tile strategy makes up by mirroring the image. `UNet.forward` mirrors by itself, so that
    the answer has the image's size; `UNet.valid` is the bare network. Weights start as the paper
    says, by He's rule.

    Parameters
    ----------
    n_classes : int
    in_channels : int
    width : int
        Channels of the first level, doubled by each of the four below: 64 in the paper, where it
        makes 31 million parameters; a quarter of it learns cells on a CPU.
    padded : bool
        Zeros around the images in every convolution: less than half the work on small images, for
        scores that know less near the rim.
    batch_norm : bool
        Batch normalisation after every 3 x 3 convolution: younger than the paper, and learns
        faster.

    Returns
    -------
    UNet

    Raises
    ------
    ValueError
        If `n_classes` or `width` is below 1.

    References
    ----------
    Ronneberger, Fischer & Brox, U-Net: Convolutional Networks for Biomedical Image Segmentation,
    2015, doi:10.1007/978-3-319-24574-4_28.

    Examples
    --------
    >>> import torch
    >>> from classicseg.bridge import nets
    >>> nets.unet(2, width=4)(torch.zeros(1, 3, 30, 50)).shape
    torch.Size([1, 2, 30, 50])
    """
    return UNet(n_classes, in_channels, width, padded=padded, batch_norm=batch_norm)


def _pair(n_in: int, n_out: int, padded: bool, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (n_in, n_out):
        layers.append(nn.Conv2d(channels, n_out, 3, padding=int(padded), bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(n_out))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def _centre(features: Tensor, like: Tensor) -> Tensor:
    """The middle of features, as large as those of another tensor."""
    top, left = ((a - b) // 2 for a, b in zip(features.shape[-2:], like.shape[-2:], strict=True))
    return features[..., top : top + like.shape[-2], left : left + like.shape[-1]]


def _mirrored(images: Tensor, rim: int, rest: int) -> Tensor:
    """Images with a mirrored rim on all sides, grown at the lower right to 16 k + rest and rims.

    Mirrored again and again where the image is smaller than its rim.
    """
    rows, columns = (
        _reflected(size, rim, (rest - size) % 16, images.device) for size in images.shape[-2:]
    )
    return images[..., rows, :][..., columns]


def _reflected(size: int, rim: int, more: int, device: torch.device) -> Tensor:
    if size == 1:
        return torch.zeros(1 + 2 * rim + more, dtype=torch.long, device=device)
    period = 2 * (size - 1)
    place = torch.arange(-rim, size + rim + more, device=device) % period
    return torch.minimum(place, period - place)

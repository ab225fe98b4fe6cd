"""Layers that enlarge: bilinear transposed convolutions and three ways to undo a pooling."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from classicseg._settings import positive_int

__all__ = ["MaxUnpool", "NearestUnpool", "SparseUnpool", "bilinear_kernel", "bilinear_upsampling"]

_LARGEST_KERNEL = 4096


def bilinear_kernel(size: int) -> Tensor:
    """The kernel of a transposed convolution that interpolates linearly.

    A kernel of side 2 f or 2 f - 1 with stride f enlarges f times.

    Parameters
    ----------
    size : int
        Its side, from 1.

    Returns
    -------
    (size, size) tensor

    Raises
    ------
    ValueError
        If `size` is not at least 1.

    Examples
    --------
    >>> bilinear_kernel(4)[1].tolist()
    [0.1875, 0.5625, 0.5625, 0.1875]
    """
    size = positive_int(size, "size", _LARGEST_KERNEL)
    factor = (size + 1) // 2
    distance = (torch.arange(size, dtype=torch.float32) - (size - 1) / 2).abs()
    line = 1 - distance / factor
    return line[:, None] * line


def bilinear_upsampling(
    channels: int, kernel: int, factor: int, *, learned: bool
) -> nn.ConvTranspose2d:
    """A transposed convolution that starts as, or stays, bilinear interpolation of each channel.

    The one that stays has no weights between channels.
    """
    groups = 1 if learned else channels
    layer = nn.ConvTranspose2d(channels, channels, kernel, factor, bias=False, groups=groups)
    with torch.no_grad():
        layer.weight.zero_()
        own = torch.arange(channels)
        layer.weight[own, own if learned else 0] = bilinear_kernel(kernel).to(layer.weight)
    layer.weight.requires_grad_(learned)
    return layer


class NearestUnpool(nn.Module):
    """Every value fills the window that it came from.

    Parameters
    ----------
    factor : int
        Side of the window.

    Examples
    --------
    >>> NearestUnpool(2)(torch.tensor([[[[1.0, 2.0]]]]))[0, 0].tolist()
    [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    """

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        self.factor = _factor(factor)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, factor H, factor W)."""
        return x.repeat_interleave(self.factor, -2).repeat_interleave(self.factor, -1)


class SparseUnpool(nn.Module):
    """Every value in the upper left of its window, zeros around it: the "bed of nails".

    Parameters
    ----------
    factor : int
        Side of the window.

    Examples
    --------
    >>> SparseUnpool(2)(torch.tensor([[[[1.0, 2.0]]]]))[0, 0].tolist()
    [[1.0, 0.0, 2.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    """

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        self.factor = _factor(factor)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, factor H, factor W)."""
        f = self.factor
        y = x.new_zeros(*x.shape[:-2], x.shape[-2] * f, x.shape[-1] * f)
        y[..., ::f, ::f] = x
        return y


class MaxUnpool(nn.Module):
    """Every value goes back to where the maximum was, zeros around it.

    Zeiler, Fergus: Visualizing and understanding convolutional networks. ECCV 2014.
    doi:10.1007/978-3-319-10590-1_53

    Parameters
    ----------
    factor : int
        Side of the window of the `nn.MaxPool2d(factor, return_indices=True)` that it undoes.

    Examples
    --------
    >>> x = torch.tensor([[[[1.0, 4.0], [2.0, 3.0]]]])
    >>> largest, places = nn.MaxPool2d(2, return_indices=True)(x)
    >>> MaxUnpool(2)(largest, places, x.shape[-2:])[0, 0].tolist()
    [[0.0, 4.0], [0.0, 0.0]]
    """

    def __init__(self, factor: int = 2) -> None:
        super().__init__()
        self.factor = _factor(factor)

    def forward(self, x: Tensor, places: Tensor, size: torch.Size | tuple[int, int]) -> Tensor:
        """(N, C, h, w) and the pooling's indices -> (N, C, *size)."""
        height, width = size
        flat = x.new_zeros(*x.shape[:-2], height * width)
        flat = flat.scatter(-1, places.flatten(-2), x.flatten(-2))
        return flat.view(*x.shape[:-2], height, width)


def _factor(factor: int) -> int:
    return positive_int(factor, "factor")

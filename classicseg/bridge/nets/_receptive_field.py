"""Which pixels of the input an output depends on, by arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["ReceptiveField", "receptive_field"]

_POINTWISE = (
    nn.ReLU,
    nn.BatchNorm2d,
    nn.LocalResponseNorm,
    nn.Dropout,
    nn.Dropout2d,
    nn.Identity,
)


@dataclass(frozen=True)
class ReceptiveField:
    """The square of input pixels that an output sees.

    Attributes
    ----------
    size : int
        Its side.
    stride : int
        How far the squares of neighbouring outputs lie apart.
    centre : float
        Middle of the first output's square, in pixels of the input; negative in the padding.
    """

    size: int
    stride: int
    centre: float

    def then(
        self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1
    ) -> ReceptiveField:
        """The field after one more layer."""
        reach = dilation * (kernel - 1)
        return ReceptiveField(
            self.size + reach * self.stride,
            self.stride * stride,
            self.centre + (reach / 2 - padding) * self.stride,
        )

    def enlarged(self, kernel: int, factor: int) -> ReceptiveField:
        """The field after a transposed convolution that enlarges by `factor`.

        Its size is that of one of the inputs which an output mixes.
        """
        if self.stride % factor:
            raise ValueError(f"factor is {factor}, expected a divisor of the stride {self.stride}")
        stride = self.stride // factor
        return ReceptiveField(self.size, stride, self.centre - (kernel - 1) / 2 * stride)

    def offset_in(self, other: ReceptiveField) -> float:
        """The place of the first output of this one in a map of the same stride."""
        return (self.centre - other.centre) / self.stride


def receptive_field(model: nn.Module) -> ReceptiveField:
    """The receptive field of a network's scores before they are enlarged.

    Layers have a kernel k, stride s and dilation d: a field of side r and stride j becomes
    r + d (k - 1) j and s j. Where branches join, the largest counts.

    Parameters
    ----------
    model : nn.Module
        A network of `classicseg.bridge.nets`, or an `nn.Sequential` of convolutions, poolings and
        layers that work pixel by pixel.

    Returns
    -------
    ReceptiveField

    Raises
    ------
    TypeError
        For layers of another kind, or kernels that are not square.

    Examples
    --------
    >>> import torch
    >>> from classicseg.bridge import nets
    >>> with torch.device("meta"):  # no weights are needed
    ...     networks = [nets.fcn(name, stride=32) for name in ("alexnet", "vgg16", "googlenet")]
    >>> [receptive_field(network).size for network in networks]
    [355, 404, 907]
    """
    return field_after([model])


def field_after(layers: Iterable[nn.Module], field: ReceptiveField | None = None) -> ReceptiveField:
    """The field of the last of these layers."""
    field = field or ReceptiveField(1, 1, 0.0)
    for layer in layers:
        field = _through(layer, field)
    return field


def _through(layer: nn.Module, field: ReceptiveField) -> ReceptiveField:
    path = getattr(layer, "widest_path", None)
    if path is not None:
        return field_after(path(), field)
    if isinstance(layer, nn.Sequential):
        return field_after(layer, field)
    if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
        dilation = 1 if isinstance(layer, nn.AvgPool2d) else layer.dilation
        return field.then(
            _side(layer.kernel_size, layer),
            _side(layer.stride, layer),
            _side(layer.padding, layer),
            _side(dilation, layer),
        )
    if isinstance(layer, _POINTWISE):
        return field
    raise TypeError(f"model holds {layer}, expected layers of which the receptive field is known")


def _side(value: object, layer: nn.Module) -> int:
    """A number, or both of two that are equal."""
    sides = set(value) if isinstance(value, tuple | torch.Size) else {value}
    if len(sides) != 1 or not isinstance(side := sides.pop(), int):
        raise TypeError(f"model holds {layer}, expected square kernels")
    return side

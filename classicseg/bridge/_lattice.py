"""Gaussian filters of tensors, by classicseg's kernel or by torch, with their exact derivatives."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from classicseg.densecrf import KernelFilter, Lattice

__all__ = ["NativeFilter", "TorchFilter", "filtered"]


class _Filter(Protocol):
    def apply(self, x: Tensor, transposed: bool) -> Tensor: ...


class NativeFilter:
    """On the CPU, by the kernel that `densecrf` uses."""

    def __init__(self, kernel_filter: KernelFilter) -> None:
        self._filter = kernel_filter

    def apply(self, x: Tensor, transposed: bool) -> Tensor:
        """(points, channels) -> the same shape."""
        values = x.detach().numpy().reshape(*self._filter.shape, -1)
        return torch.from_numpy(self._filter.apply(values, transposed=transposed)).view(x.shape)


class TorchFilter:
    """The same lattice, filtered by torch on any device."""

    def __init__(self, lattice: Lattice, device: torch.device) -> None:
        # One corner after the other, and axes as pairs of neighbours.
        self._vertices = torch.from_numpy(lattice.vertices).to(device).T.long().contiguous()
        self._weights = torch.from_numpy(lattice.weights).to(device).T.contiguous()
        self._neighbours = torch.from_numpy(lattice.neighbours).to(device).long()
        self._scale = lattice.scale

    def apply(self, x: Tensor, transposed: bool) -> Tensor:
        """(points, channels) -> the same shape."""
        x = x.detach()
        # The last row stays zero: it stands for the neighbours that there are not.
        rows = x.new_zeros(self._neighbours.shape[2] + 1, x.shape[1])
        weights = self._weights.to(x.dtype)[..., None]
        for vertices, weight in zip(self._vertices, weights, strict=True):
            rows.index_add_(0, vertices, x * weight)
        rows *= self._scale
        axes = range(len(self._neighbours))
        for axis in reversed(axes) if transposed else axes:
            before, after = self._neighbours[axis]
            rows[:-1] += 0.5 * (rows[before] + rows[after])
        result = torch.zeros_like(x)
        for vertices, weight in zip(self._vertices, weights, strict=True):
            result += rows[vertices] * weight
        return result


class _Apply(torch.autograd.Function):
    """A linear map: the derivative is its transpose, at every order."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, filter_: _Filter, transposed: bool) -> Tensor:
        ctx.filter_, ctx.transposed = filter_, transposed
        return filter_.apply(x, transposed)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return filtered(gradients[0], ctx.filter_, not ctx.transposed), None, None


def filtered(x: Tensor, filter_: _Filter, transposed: bool = False) -> Tensor:
    """Values (points, channels) filtered, with derivatives."""
    y: Tensor = _Apply.apply(x, filter_, transposed)  # type: ignore[no-untyped-call]
    return y

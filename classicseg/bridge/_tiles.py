"""Large images in tiles that overlap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from classicseg._checks import positive_int, whole

__all__ = ["Tiling", "tiling"]


@dataclass(frozen=True)
class Tiling:
    """Sides of tiles and how much neighbours share at least, in multiples of the stride."""

    height: int
    width: int
    overlap: int
    stride: int

    def blend(self, x: Tensor, score: Callable[[Tensor], Tensor]) -> Tensor:
        """Scores of all tiles of (N, C, H, W), weighted so that their rims do not count."""
        rows = self._starts(x.shape[-2], self.height)
        columns = self._starts(x.shape[-1], self.width)
        total, weights = None, torch.zeros(x.shape[-2:])
        for top in rows:
            for left in columns:
                bottom = min(top + self.height, x.shape[-2])
                right = min(left + self.width, x.shape[-1])
                part = (..., slice(top, bottom), slice(left, right))
                scores = score(x[part])
                vertical = self._ramp(bottom - top, top > 0, bottom < x.shape[-2])
                weight = vertical[:, None] * self._ramp(right - left, left > 0, right < x.shape[-1])
                if total is None:
                    total = scores.new_zeros(*scores.shape[:2], *x.shape[-2:])
                total[part] += scores * weight
                weights[part] += weight
        assert total is not None
        return total / weights

    def _starts(self, length: int, tile: int) -> list[int]:
        """Where tiles begin: on multiples of the stride, the last one ends where the image does."""
        if length <= tile:
            return [0]
        step = (tile - self.overlap) // self.stride * self.stride
        return [*range(0, length - tile, step), length - tile]

    def _ramp(self, length: int, begins_inside: bool, ends_inside: bool) -> Tensor:
        """One, falling to zero over the middle half of the overlap at sides inside the image."""
        if not self.overlap:
            return torch.ones(length)
        place = torch.arange(length) + 0.5
        rise = (2 * place / self.overlap - 0.5).clamp(0, 1)
        fall = rise.flip(0)
        one = torch.ones(length)
        return (rise if begins_inside else one) * (fall if ends_inside else one)


def tiling(tile: int | tuple[int, int] | None, overlap: int | None, stride: int) -> Tiling | None:
    """The tiles that a caller asked for."""
    if tile is None:
        if overlap is not None:
            raise ValueError("overlap is for tiles: expected tile as well")
        return None
    sides = tile if isinstance(tile, tuple) else (tile, tile)
    if len(sides) != 2:
        raise ValueError(f"tile is {tile!r}, expected a number or (height, width)")
    height, width = (-(-positive_int(side, "tile") // stride) * stride for side in sides)
    smallest = min(height, width)
    if overlap is None:
        overlap = smallest // 4
    if not 0 <= whole(overlap, "overlap") <= smallest - stride:
        raise ValueError(
            f"overlap is {overlap}, expected 0 to {smallest - stride}: the tile is {height} x "
            f"{width}, a multiple of the stride {stride}"
        )
    return Tiling(height, width, overlap, stride)

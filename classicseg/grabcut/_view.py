"""Which part of a photo a canvas shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["View"]

_LARGEST_WHOLE = 3.0
_LARGEST_SCALE = 32.0  # canvas pixels for one of the photo


@dataclass(frozen=True)
class View:
    """A photo (width, height) seen through a canvas (width, height).

    Canvas point (x, y) shows the photo at (left + x / scale, top + y / scale), where (0, 0) is the
    upper left corner of the first pixel. A photo that is smaller lies in the canvas's middle.
    """

    photo: tuple[int, int]
    canvas: tuple[int, int]
    scale: float
    left: float
    top: float

    @staticmethod
    def whole(photo: tuple[int, int], canvas: tuple[int, int]) -> View:
        """All of the photo, as large as it fits, but at most three times its size."""
        scale = min(_LARGEST_WHOLE, *(c / p for c, p in zip(canvas, photo, strict=True)))
        return View(photo, canvas, scale, 0.0, 0.0)._kept_in_place()

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """The photo's point under a canvas point, in pixel centres: (0, 0) is the first pixel's."""
        return self.left + (x + 0.5) / self.scale - 0.5, self.top + (y + 0.5) / self.scale - 0.5

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """The canvas point above a point of the photo: the inverse of `to_photo`."""
        return (
            (x + 0.5 - self.left) * self.scale - 0.5,
            (y + 0.5 - self.top) * self.scale - 0.5,
        )

    def zoomed(self, factor: float, x: float, y: float) -> View:
        """Larger or smaller; what is under the canvas point (x, y) stays there."""
        least = View.whole(self.photo, self.canvas).scale
        scale = min(max(self.scale * factor, least), _LARGEST_SCALE)
        left = self.left + (x + 0.5) / self.scale - (x + 0.5) / scale
        top = self.top + (y + 0.5) / self.scale - (y + 0.5) / scale
        return replace(self, scale=scale, left=left, top=top)._kept_in_place()

    def panned(self, dx: float, dy: float) -> View:
        """The photo moved by so many canvas pixels."""
        left, top = self.left - dx / self.scale, self.top - dy / self.scale
        return replace(self, left=left, top=top)._kept_in_place()

    def _kept_in_place(self) -> View:
        """No empty canvas beside a photo that could fill it."""
        corner = []
        for begin, photo, canvas in zip(
            (self.left, self.top), self.photo, self.canvas, strict=True
        ):
            shown = canvas / self.scale
            if shown >= photo:
                corner.append((photo - shown) / 2)
            else:
                corner.append(min(max(begin, 0.0), photo - shown))
        return replace(self, left=corner[0], top=corner[1])

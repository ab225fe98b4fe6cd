"""The report's plots, as small SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from classicseg.compare.pictures import best_of_each
from classicseg.compare.scoring import WIDTHS
from classicseg.compare.summary import Comparison, Row

__all__ = ["band_chart", "speed_chart"]

# Okabe and Ito's colours, which differ for colour-blind readers too, without the yellow.
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 570, 330, 46, 12, 10, 40


def band_chart(comparison: Comparison) -> str:
    """Mean IoU in a band around the true boundaries, over the band's width, by best evidence."""
    rows = best_of_each(comparison, len(_COLORS))[: len(_COLORS)]
    known = [v for row in rows for v in row.band_iou if v == v]
    if not known:
        return ""
    y = _Scale(*_round_ends(known), _HEIGHT - _BOTTOM, _TOP)
    x = _Scale(WIDTHS[0], WIDTHS[-1], _LEFT, _WIDTH - _RIGHT)
    parts = [_grid(x, y, (1, 10, 20, 30, 40), "pixels from the boundary")]
    keys = []
    for color, row in zip(_COLORS, rows, strict=False):
        points = " ".join(
            f"{x(w):.1f},{y(v):.1f}" for w, v in zip(WIDTHS, row.band_iou, strict=True) if v == v
        )
        title = f"<title>{escape(row.pipeline)}</title>"
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2">'
            f"{title}</polyline>"
        )
        keys.append(f'<span><i style="background:{color}"></i>{escape(row.pipeline)}</span>')
    return _figure("Mean IU near boundaries", parts, "".join(keys))


def speed_chart(comparison: Comparison) -> str:
    """Mean IoU over seconds an image, with intervals."""
    rows = [row for row in comparison.rows if row.mean_iou == row.mean_iou and row.seconds > 0]
    if not rows:
        return ""
    ends = [v for row in rows for v in (*row.intervals["mean_iou"], row.mean_iou) if v == v]
    y = _Scale(*_round_ends(ends), _HEIGHT - _BOTTOM, _TOP)
    low = math.floor(math.log10(min(row.seconds for row in rows)))
    high = max(math.ceil(math.log10(max(row.seconds for row in rows))), low + 1)
    x = _Scale(low, high, _LEFT, _WIDTH - _RIGHT)
    parts = [_grid(x, y, range(low, high + 1), "seconds an image", power=True)]
    inferences = sorted({_inference(row) for row in rows})
    colors = {name: _COLORS[k] if k < len(_COLORS) else "#999" for k, name in enumerate(inferences)}
    for row in rows:
        color = colors[_inference(row)]
        at = x(math.log10(row.seconds))
        bottom, top = row.intervals["mean_iou"]
        if bottom == bottom:
            parts.append(
                f'<path d="M{at:.1f} {y(bottom):.1f}V{y(top):.1f}" stroke="{color}" opacity=".3"/>'
            )
        parts.append(
            f'<rect x="{at - 4.5:.1f}" y="{y(row.mean_iou) - 4.5:.1f}" width="9" height="9" '
            f'rx="{0 if "+superpixels:" in row.pipeline else 4.5}" fill="{color}" stroke="#fff">'
            f"<title>{escape(row.pipeline)}: {row.mean_iou:.3f}, {row.seconds:.3g} s</title></rect>"
        )
    named = [*inferences[: len(_COLORS)], *(["others"] if len(inferences) > len(_COLORS) else [])]
    keys = "".join(
        f'<span><i style="background:{colors.get(name, "#999")}"></i>{escape(name)}</span>'
        for name in named
    )
    return _figure("Mean IU and speed: pixels round, superpixels square", parts, keys)


def _inference(row: Row) -> str:
    return row.pipeline.rpartition("+")[2].removeprefix("superpixels:")


class _Scale:
    """From values to places on the paper."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _round_ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.floor(10 * min(values)) / 10, math.ceil(10 * max(values)) / 10
    return low, max(high, low + 0.1)


def _grid(x: _Scale, y: _Scale, marks: Sequence[float], title: str, power: bool = False) -> str:
    parts = []
    count = round((y.high - y.low) / 0.1)
    step = 1 if count <= 6 else 2
    for k in range(0, count + 1, step):
        value = y.low + k / 10
        parts.append(
            f'<path d="M{_LEFT} {y(value):.1f}H{_WIDTH - _RIGHT}" stroke="#d8dee4"/>'
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>'
        )
    for mark in marks:
        text = f"{10.0**mark:g}" if power else f"{mark:g}"
        parts.append(
            f'<text x="{x(mark):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">'
            f"{text}</text>"
        )
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">{title}</text>')
    return "".join(parts)


def _figure(title: str, parts: Sequence[str], keys: str) -> str:
    return (
        f'<div><h3>{title}</h3><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{title}">{"".join(parts)}</svg>'
        f'<p class="legend" style="max-width:{_WIDTH}px">{keys}</p></div>'
    )

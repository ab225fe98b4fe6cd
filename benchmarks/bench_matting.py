"""Border matting beside PyMatting's closed-form matting: errors on composites, and time.

    python benchmarks/bench_matting.py errors
    python benchmarks/bench_matting.py speed

`errors` blurs a disc over another texture, so that opacities and foreground are known, and gives
mean absolute errors in the ribbon of 6 pixels on both sides of the mask's contour. `speed` cuts a
star out of an enlarged photograph, at growing sizes.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from common import enlarged, machine, save
from rich.console import Console
from rich.table import Table
from scipy import ndimage

import classicseg as cs

BLURS = (0, 0.5, 1, 2, 3)
STRENGTHS = (0, 12, 30)
SIZES = ((960, 540), (1920, 1080), (4000, 3000))


def composite(blur: float, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, opacity and foreground."""
    rng = np.random.default_rng(0)
    shape = (160, 200)
    y, x = (((np.arange(8 * n) + 0.5) / 8 - 0.5) for n in shape)
    disc = (y[:, None] - 80.2) ** 2 + (x - 99.7) ** 2 < 50.3**2
    opacity = disc.reshape(shape[0], 8, shape[1], 8).mean(axis=(1, 3))
    if blur:
        opacity = ndimage.gaussian_filter(opacity, blur)
    sides = []
    for colour in ((200, 120, 60), (60, 90, 160)):
        noise = ndimage.gaussian_filter(rng.normal(size=(*shape, 3)), (2, 2, 0))
        sides.append(np.clip(np.array(colour) + strength * noise / noise.std(), 0, 255))
    mixed = opacity[..., None] * sides[0] + (1 - opacity[..., None]) * sides[1]
    mixed += rng.normal(0, 2, mixed.shape)
    return np.rint(mixed).clip(0, 255).astype(np.uint8), opacity, sides[0]


def errors(console: Console) -> None:
    table = Table(title="mean absolute errors: opacity in the ribbon, colour where it is 5 to 95 %")
    for title in ("texture", "blur", "mask", "border", "closed-form"):
        table.add_column(title)
    for title in ("image's colour", "border", "closed-form"):
        table.add_column(title)
    results = []
    for strength in STRENGTHS:
        for blur in BLURS:
            image, truth, foreground = composite(blur, strength)
            mask = truth > 0.5
            distance = np.where(
                mask, ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
            )
            ribbon, mixed = distance <= 6, (truth > 0.05) & (truth < 0.95)
            row = {"texture": strength, "blur": blur, "mask": np.abs(mask - truth)[ribbon].mean()}
            row["image colour"] = np.abs(image - foreground)[mixed].mean()
            for matting in ("border", "closed-form"):
                found = cs.grabcut.cutout(image, mask, matting)
                row[matting] = np.abs(found[..., 3] / 255 - truth)[ribbon].mean()
                row[f"{matting} colour"] = np.abs(found[..., :3] - foreground)[mixed].mean()
            opacities = [f"{row[key]:.4f}" for key in ("mask", "border", "closed-form")]
            colours = [
                f"{row[key]:.1f}" for key in ("image colour", "border colour", "closed-form colour")
            ]
            table.add_row(str(strength), str(blur), *opacities, *colours)
            results.append({key: float(value) for key, value in row.items()})
    console.print(table)
    save("matting_errors", {"machine": machine("numpy", "pymatting"), "rows": results})


def star(width: int, height: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    y, x = y - height / 2, x - width / 2
    wave: np.ndarray = height * (0.36 + 0.07 * np.sin(12 * np.arctan2(y, x)))
    return np.hypot(y, x) < wave


def speed(console: Console) -> None:
    photograph = cs.samples.load("astronaut").image
    table = Table(title="processor seconds")
    for title in ("size", "contour points", "alpha", "microseconds per point", "closed-form"):
        table.add_column(title)
    results = []
    for width, height in SIZES:
        image, mask = enlarged(photograph, width, height), star(width, height)
        points = int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())
        used = {}
        for matting in ("border", "closed-form"):
            cs.grabcut.alpha(image[:64, :64], np.eye(64, dtype=bool), matting)  # loads, compiles
            start = time.process_time()
            cs.grabcut.alpha(image, mask, matting)
            used[matting] = time.process_time() - start
        per_point = 1e6 * used["border"] / points
        table.add_row(
            f"{width}x{height}",
            str(points),
            f"{used['border']:.2f}",
            f"{per_point:.0f}",
            f"{used['closed-form']:.2f}",
        )
        results.append({"width": width, "height": height, "points": points, **used})
    console.print(table)
    save("matting_speed", {"machine": machine("numpy", "pymatting"), "rows": results})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["errors", "speed"])
    {"errors": errors, "speed": speed}[parser.parse_args().what](Console(width=120))


if __name__ == "__main__":
    main()

"""Makes all pictures of the pages in docs/, and the README's.

    python docs/pictures.py            # all, some minutes
    python docs/pictures.py samples    # those of samples/ only; or parameter, superpixels, ...

Runs the other scripts here and those in samples/, and then writes every picture with at most 256
colours, narrower where it would still exceed 300 kB. `superpixels_curves.png` is left as it is:
`benchmarks/bench_superpixels.py quality` makes it, from data that is not here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
LARGEST = 300_000

# Of samples/: script, what it writes to, and its picture in docs/images.
SAMPLES = {
    "simple": "simple",
    "advanced": "advanced",
    "expert": "expert",
    "street_scene": "street_scene",
    "medical_image": "medical_image",
    "aerial_view": "aerial_view",
    "portrait": "portrait",
    "denoise": "gridcrf_denoise",
    "saliency_sheet": "saliency",
    "matting_sheet": "matting",
    "grabcut_window": "grabcut_window",
    "strokes": "astronaut",
}
SCRIPTS = ("bridge", "compare", "densecrf", "superpixels", "parameter")


def run(*command: str) -> None:
    print(" ".join(command), flush=True)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)


def shrink(path: Path) -> None:
    """At most 256 colours, and narrower by tenths until the file is small."""
    with Image.open(path) as image:
        if image.mode == "P" and path.stat().st_size <= LARGEST:
            return
        whole = image.convert("RGB")
    scale = 1.0
    while True:
        size = (round(whole.width * scale), round(whole.height * scale))
        small = whole if scale == 1.0 else whole.resize(size, Image.Resampling.LANCZOS)
        small.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            return
        scale *= 0.9


def main(wanted: list[str]) -> None:
    if not wanted or "samples" in wanted:
        for script, picture in SAMPLES.items():
            run(f"samples/{script}.py", str(IMAGES / f"{picture}.png"))
    for script in SCRIPTS:
        if not wanted or script in wanted:
            run(f"docs/{script}_pictures.py")
    for path in sorted(IMAGES.glob("*.png")):
        shrink(path)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

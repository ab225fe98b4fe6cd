"""What the benchmarks share: where the data is, photographs, timing, the table's figures."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.transform import resize

import classicseg as cs


def data_folder(name: str) -> Path:
    """The folder of a data set beside the project, or under $CLASSICSEG_DATA."""
    given = os.environ.get("CLASSICSEG_DATA")
    roots = [Path(given)] if given else []
    roots += [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    for root in roots:
        if (root / name).is_dir():
            return root / name
    raise SystemExit(f"no data set {name}: set CLASSICSEG_DATA to the folder that holds it")


def bsds_images(count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Evenly chosen images of BSDS500 val, turned to landscape: 481 x 321."""
    dataset = cs.datasets.bsds500(data_folder("bsds500"))
    for item in list(dataset.select(every=len(dataset) // count))[:count]:
        image = item.image
        if image.shape[0] > image.shape[1]:
            image = np.ascontiguousarray(image.transpose(1, 0, 2))
        yield item.id, image


def grabcut_images() -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.uint8], tuple[int, ...]]]:
    """The GrabCut data set: name, image, truth (255 = void), the object's box, grown."""
    for item in cs.datasets.grabcut(data_folder("grabcut50")):
        yield item.id, item.image, item.labels, item.rect


def enlarged(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bicubic, filling the size; what sticks out below or right is cut off."""
    factor = max(width / image.shape[1], height / image.shape[0])
    shape = (round(image.shape[0] * factor), round(image.shape[1] * factor))
    large = resize(image, shape, order=3, preserve_range=True, anti_aliasing=False)
    return np.ascontiguousarray(np.clip(np.rint(large), 0, 255).astype(np.uint8)[:height, :width])


def seconds(run: Callable[..., Any], *args: Any, **options: Any) -> tuple[float, Any]:
    start = time.perf_counter()
    result = run(*args, **options)
    return time.perf_counter() - start, result


def geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values))))


def spread(values: list[float]) -> str:
    """Median and range of repeated ratios."""
    return f"{np.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


def machine(*packages: str) -> str:
    cpu = platform.processor() or platform.machine()
    for line in (
        Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    ):
        if line.startswith("model name"):
            cpu = line.split(":")[1].strip()
            break
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def save(name: str, results: object) -> None:
    folder = Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    cs.io.write_text(folder / f"{name}.json", json.dumps(results, indent=1) + "\n")

"""`bridge.CRFLayer` on one image of 500 x 375 with 21 classes: classicseg's kernel against torch.

    python benchmarks/bench_crf_layer.py

Forward, and forward with backward, of five iterations; "torch" is the same lattice filtered by
torch's operations, on the CPU and, where there is one, on a GPU. Ratios are to the CPU's kernel in
the same run, one after the other: of processor seconds on the CPU, which other load on the machine
stretches less than wall time, and of wall time for the GPU.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from common import enlarged, machine, save, spread
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_sample_image

import classicseg as cs
from classicseg.bridge import CRFLayer


def problem(device, n_classes=21):
    image = enlarged(load_sample_image("china.jpg"), 500, 375)
    torch.manual_seed(0)
    scores = torch.nn.functional.interpolate(
        torch.randn(1, n_classes, 24, 32) * 3, (375, 500), mode="bicubic"
    )
    pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]
    return scores.to(device).requires_grad_(), pixels.to(device)


def run(layer, unary, image, backward):
    y = layer(unary, image)
    if backward:
        (gradient,) = torch.autograd.grad(y[:, 0].sum(), unary)
        y = gradient
    return y[0, 0, 0, 0].item()  # waits for the device


def measured(*arguments):
    """Wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(*arguments)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5, help="of each, default 5")
    runs = parser.parse_args().runs
    engines = {"kernel, CPU": ("native", "cpu"), "torch, CPU": ("torch", "cpu")}
    if torch.cuda.is_available():
        engines["torch, CUDA"] = ("torch", "cuda")
    kernels = {"refine's": None, "80 / 13 x 10, 3 x 3": cs.densecrf.DenseCRF().kernels}

    table = Table("kernels", "pass", "engine", "wall s", "processor s", "ratio to the kernel")
    results = []
    for title, given in kernels.items():
        for backward in (False, True):
            times = {name: [] for name in engines}
            for _ in range(runs):
                for name, (engine, device) in engines.items():
                    layer = CRFLayer(21, given, engine=engine).to(device)
                    unary, image = problem(device)
                    times[name].append(measured(layer, unary, image, backward))
            own = times["kernel, CPU"]
            for name, taken in times.items():
                clock = 0 if "CUDA" in name else 1
                ratios = [t[clock] / o[clock] for t, o in zip(taken, own, strict=True)]
                what = "forward and backward" if backward else "forward"
                wall, cpu = (f"{np.median(column):.2f}" for column in zip(*taken, strict=True))
                table.add_row(title, what, name, wall, cpu, spread(ratios))
                results.append({"kernels": title, "pass": what, "engine": name, "seconds": taken})
    if "torch, CUDA" not in engines:
        table.caption = "no GPU here: not measured"
    Console().print(table, machine("torch"))
    save("crf_layer", {"machine": machine("torch"), "results": results})


if __name__ == "__main__":
    main()

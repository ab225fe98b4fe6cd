"""Digests of what every kernel makes of fixed inputs, large enough for several threads.

    python digests.py

prints a JSON list: a dict of digests for each of the rounds below, all in one process.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from classicseg import densecrf, grabcut, graphcut, gridcrf, saliency, samples, superpixels, unary

# Numbers of threads, and whether the calls come in the opposite order.
ROUNDS = ((1, False), (2, True), (3, False), (8, True))

PHOTO = samples.load("coffee")
IMAGE, HALF = PHOTO.image, np.ascontiguousarray(PHOTO.image[::2, ::2])
SCALED = (HALF / np.float32(255)).astype(np.float32)
NOISE = np.random.default_rng(7).random((*HALF.shape[:2], 5)).astype(np.float32)
ENERGIES = unary.from_labels(PHOTO.mask[::2, ::2], 5) + NOISE
WEIGHTS = graphcut.contrast_weights(HALF, 2.0, connectivity=4, n_threads=1)
VOLUME = np.stack([IMAGE[::4, ::4, c] for c in range(3)] * 4)
PAIRS = np.stack([np.arange(40_000), np.arange(40_000) * 7919 % 40_000], axis=1)


def digest(result: Any) -> str:
    """Of all the bytes in a result."""
    hashed = hashlib.sha256()

    def add(value: Any) -> None:
        if dataclasses.is_dataclass(value):
            value = [getattr(value, item.name) for item in dataclasses.fields(value)]
        if isinstance(value, dict):
            value = list(value.items())
        if isinstance(value, list | tuple):
            for part in value:
                add(part)
        elif value is not None:
            array = np.asarray(value)
            hashed.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())

    add(result)
    return hashed.hexdigest()


def grid_cut(n_threads: int) -> Any:
    graph = graphcut.GridGraph(IMAGE.shape[:2], 8)
    grey = IMAGE[..., 0].astype(np.float32)
    graph.set_terminals(np.maximum(grey - 90, 0), np.maximum(90 - grey, 0))
    graph.set_edges(graphcut.contrast_weights(IMAGE, 60.0, n_threads=n_threads))
    return graph.solve(n_threads)


def volume_cut(n_threads: int) -> Any:
    graph = graphcut.GridGraph(VOLUME.shape, 26)
    graph.set_terminals(VOLUME, 150)
    graph.set_edges({(0, 0, 1): 9, (0, 1, 0): 9, (1, 0, 0): 5, (1, 1, 1): 3})
    return graph.solve(n_threads)


def graph_cut(n_threads: int) -> Any:
    graph = graphcut.Graph(len(PAIRS))
    graph.set_terminals(np.arange(len(PAIRS)) % 97, np.arange(len(PAIRS)) % 89)
    graph.set_edges(PAIRS, np.arange(len(PAIRS)) % 31, np.arange(len(PAIRS)) % 17)
    return graph.solve(n_threads)


def cut_out(n_threads: int) -> Any:
    model = grabcut.GrabCut(HALF, max_iter=3, n_threads=n_threads)
    x, y, width, height = PHOTO.rect
    model.fit((x // 2, y // 2, width // 2, height // 2)).stroke([(150.0, 90.0)], 5.0, 0).refine()
    return model.mask, model.trimap, model.energies, model.alpha()


KERNELS: dict[str, Callable[[int], Any]] = {
    "slic": lambda n: superpixels.slic(IMAGE, 300, n_threads=n),
    "slico": lambda n: superpixels.slic(SCALED, 200, method="slico", n_threads=n),
    "slic in a volume": lambda n: superpixels.slic(VOLUME, 90, channel_axis=None, n_threads=n),
    "contrast weights": lambda n: graphcut.contrast_weights(IMAGE, n_threads=n),
    "cut of a grid": grid_cut,
    "cut of a volume": volume_cut,
    "cut of a graph": graph_cut,
    "alpha-expansion": lambda n: graphcut.alpha_expansion(ENERGIES, WEIGHTS, n_threads=n),
    "alpha-beta-swap": lambda n: graphcut.alpha_beta_swap(ENERGIES, WEIGHTS, n_threads=n),
    "icm": lambda n: gridcrf.icm(ENERGIES, WEIGHTS, n_threads=n),
    "belief propagation": lambda n: gridcrf.belief_propagation(
        ENERGIES, WEIGHTS, max_iter=3, marginals="max", n_threads=n
    ),
    "sum-product": lambda n: gridcrf.belief_propagation(
        ENERGIES, WEIGHTS, max_iter=3, marginals="sum", n_threads=n
    ),
    "trw-s": lambda n: gridcrf.trws(ENERGIES, WEIGHTS, max_iter=3, marginals=True, n_threads=n),
    "dense crf": lambda n: densecrf.DenseCRF().infer(
        ENERGIES, HALF, 3, free_energy=True, n_threads=n
    ),
    "kernel filter": lambda n: densecrf.KernelFilter(
        densecrf.BilateralKernel(20, 9, 1), HALF.shape[:2], image=HALF, n_threads=n
    ).apply(NOISE, n_threads=n),
    "refined": lambda n: densecrf.refine(
        unary.to_probabilities(ENERGIES), SCALED, marginals=True, n_threads=n
    ),
    "mixture": lambda n: grabcut.fit_gmm(HALF.reshape(-1, 3)).energies(IMAGE, n_threads=n),
    "grabcut": cut_out,
    "minimum barrier": lambda n: saliency.minimum_barrier(IMAGE, n_threads=n),
    "robust background": lambda n: saliency.robust_background(IMAGE, n_threads=n),
    "itti-koch": lambda n: saliency.itti_koch(IMAGE, n_threads=n),
}


def digests(n_threads: int, backwards: bool) -> dict[str, str]:
    names = sorted(KERNELS, reverse=backwards)
    return {name: digest(KERNELS[name](n_threads)) for name in names}


if __name__ == "__main__":
    print(json.dumps([digests(*each) for each in ROUNDS]))

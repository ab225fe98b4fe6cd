"""One call of each kernel, by name: for the tests that run all of them in some surroundings."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from classicseg import densecrf, grabcut, graphcut, gridcrf, saliency, superpixels
from classicseg._gmm import fit_gmm

# From (image, random numbers, threads) to a call that may be repeated, also by several threads.
Maker = Callable[[Any, np.random.Generator, int], Callable[[], Any]]
CALLS: dict[str, Maker] = {}


def call(name: str, side: int, n_threads: int = 2) -> Callable[[], Any]:
    """The call of this name on an image of about side x side pixels."""
    return CALLS[name](picture(side), np.random.default_rng(7), n_threads)


def picture(side: int) -> Any:
    """Stripes, blobs and noise, uint8 RGB."""
    y, x = np.mgrid[: side + 3, :side].astype(np.float32)
    waves = [np.sin(x / 37) * np.cos(y / 53), np.sin((x + y) / 71), np.cos(x / 19 - y / 91)]
    noise = np.random.default_rng(3).normal(0, 20, (*x.shape, 3))
    return (127 + 90 * np.stack(waves, -1) + noise).clip(0, 255).astype(np.uint8)


def digest(result: Any) -> str:
    """A number that tells one result from another, bit by bit."""
    return hashlib.sha256(_bytes(result)).hexdigest()


def _bytes(result: Any) -> bytes:
    if isinstance(result, np.ndarray):
        return str((result.dtype, result.shape)).encode() + np.ascontiguousarray(result).tobytes()
    if isinstance(result, dict):
        return b"".join(_bytes(k) + _bytes(v) for k, v in result.items())
    if isinstance(result, (tuple, list)):
        return b"".join(_bytes(part) for part in result)
    if hasattr(result, "__dataclass_fields__"):
        return b"".join(_bytes(getattr(result, name)) for name in result.__dataclass_fields__)
    assert result is None or isinstance(result, (bool, int, float, str, np.generic)), type(result)
    return repr(result).encode()


def _add(maker: Maker) -> Maker:
    CALLS[maker.__name__] = maker
    return maker


def _unary(rng: np.random.Generator, image: Any, n_labels: int) -> Any:
    noise = rng.random((*image.shape[:2], n_labels), np.float32)
    return (noise + image.mean(2)[..., None].astype(np.float32) / 255 * np.arange(n_labels)) * 4


@_add
def grid_graph(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    shape = image.shape[:2]
    offsets = [(0, 1), (1, -1), (1, 0), (1, 1)]
    edges = {offset: rng.integers(0, 30, shape, np.int32) for offset in offsets}
    terminals = rng.integers(0, 60, (2, *shape), np.int32)

    def run() -> Any:
        graph = graphcut.GridGraph(shape)
        graph.set_terminals(*terminals)
        graph.set_edges(edges)
        return graph.solve(n_threads)

    return run


@_add
def easy_grid(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    source = image.mean(2).astype(np.int32)
    edges = graphcut.contrast_weights(image, gamma=20)

    def run() -> Any:
        graph = graphcut.GridGraph(source.shape)
        graph.set_terminals(source, 255 - source)
        graph.set_edges(edges)
        return graph.solve(n_threads)

    return run


@_add
def volume_graph(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    shape = (9, *(n // 3 for n in image.shape[:2]))
    offsets = [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    edges = {offset: rng.random(shape, np.float32) for offset in offsets}
    terminals = rng.random((2, *shape), np.float32) * 6

    def run() -> Any:
        graph = graphcut.GridGraph(shape)
        graph.set_terminals(*terminals)
        graph.set_edges(edges)
        return graph.solve(n_threads)

    return run


@_add
def sparse_graph(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    width, n = image.shape[1], image.shape[0] * image.shape[1]
    nodes = np.arange(n - width - 1)
    pairs = np.concatenate([np.stack([nodes, nodes + k], 1) for k in (1, width, width + 1)])
    weights = rng.integers(0, 30, len(pairs), np.int32)
    terminals = rng.integers(0, 90, (2, n), np.int32)

    def run() -> Any:
        graph = graphcut.Graph(n)
        graph.set_terminals(*terminals)
        graph.set_edges(pairs, weights)
        return graph.solve(n_threads)

    return run


@_add
def contrast_weights(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    return lambda: graphcut.contrast_weights(image, n_threads=n_threads)


@_add
def segment(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    seeds = np.zeros(image.shape[:2], int)
    seeds[:5], seeds[len(seeds) // 2 :: 40] = 1, 2
    return lambda: graphcut.segment(image, seeds, n_threads=n_threads)


@_add
def alpha_expansion(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, edges = _unary(rng, image, 5), graphcut.contrast_weights(image, gamma=3)
    return lambda: graphcut.alpha_expansion(unary, edges, n_threads=n_threads)


@_add
def alpha_beta_swap(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, edges = _unary(rng, image, 4), graphcut.contrast_weights(image, gamma=3)
    return lambda: graphcut.alpha_beta_swap(unary, edges, n_threads=n_threads)


@_add
def belief_propagation(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, edges = _unary(rng, image, 6), graphcut.contrast_weights(image, gamma=3)
    return lambda: gridcrf.belief_propagation(unary, edges, max_iter=8, n_threads=n_threads)


@_add
def trws(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, edges = _unary(rng, image, 6), graphcut.contrast_weights(image, gamma=3)
    return lambda: gridcrf.trws(unary, edges, max_iter=8, n_threads=n_threads)


@_add
def icm(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, edges = _unary(rng, image, 6), graphcut.contrast_weights(image, gamma=3)
    return lambda: gridcrf.icm(unary, edges, n_threads=n_threads)


@_add
def dense_crf(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, crf = _unary(rng, image, 5), densecrf.DenseCRF()
    return lambda: crf.infer(unary, image, n_threads=n_threads)


@_add
def dense_crf_prepared(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    unary, crf = _unary(rng, image, 2), densecrf.DenseCRF()
    prepared = crf.prepare(image, n_threads=n_threads)
    return lambda: prepared.infer(unary, n_threads=n_threads)


@_add
def slic(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    return lambda: superpixels.slic(image, len(image), n_threads=n_threads)


@_add
def region_features(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    labels = superpixels.slic(image, len(image), n_threads=n_threads)
    return lambda: (superpixels.features(image, labels), superpixels.adjacency(labels))


def _saliency(name: str) -> Maker:
    method = getattr(saliency, name)
    return lambda image, rng, n_threads: lambda: method(image, n_threads=n_threads)


CALLS |= {
    name: _saliency(name)
    for name in (
        "minimum_barrier",
        "robust_background",
        "boolean_map",
        "frequency_tuned",
        "region_contrast",
        "itti_koch",
        "gbvs",
        "spectral_residual",
    )
}


@_add
def gaussian_mixture(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    return lambda: fit_gmm(image.reshape(-1, 3)).energies(image, n_threads=n_threads)


def _grabcut(image: Any, n_threads: int) -> Any:
    height, width = image.shape[:2]
    rect = (width // 8, height // 8, width * 3 // 4, height * 3 // 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return grabcut.GrabCut(image, max_iter=3, n_threads=n_threads).fit(rect=rect)


@_add
def grab_cut(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    def run() -> Any:
        fitted = _grabcut(image, n_threads)
        middle = len(image) // 2
        fitted.stroke([(middle, middle), (middle + 20, middle)], 4, 1).refine()
        return fitted.trimap, fitted.energies

    return run


@_add
def border_matting(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    mask = np.hypot(*(np.indices(image.shape[:2]) - len(image) / 2)) < len(image) / 3
    return lambda: grabcut.cutout(image, mask)


@_add
def closed_form_matting(image: Any, rng: np.random.Generator, n_threads: int) -> Callable[[], Any]:
    mask = np.hypot(*(np.indices(image.shape[:2]) - len(image) / 2)) < len(image) / 3
    return lambda: grabcut.alpha(image, mask, "closed-form")


WITHOUT_THREADS = ("region_features", "border_matting", "closed_form_matting")
# Sides for the ones that take long.
SMALL = {"closed_form_matting": 150, "gbvs": 250, "boolean_map": 400}
# Sides from which on the work is shared by two threads.
SHARED = {
    "easy_grid": 550,
    "volume_graph": 550,
    "segment": 550,
    "slic": 560,
    "grab_cut": 560,
    "contrast_weights": 330,
    "gaussian_mixture": 330,
    "minimum_barrier": 330,
    "robust_background": 330,
    "sparse_graph": 100,
    "dense_crf": 100,
    "dense_crf_prepared": 100,
    "alpha_expansion": 150,
    "alpha_beta_swap": 160,
    "belief_propagation": 135,
    "trws": 135,
    "icm": 135,
}

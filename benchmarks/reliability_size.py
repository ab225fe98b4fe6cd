"""Images as large as memory allows, with answers that are known: repeated tiles, enlarged pixels.

python benchmarks/reliability_size.py --cut 8000 --slic 12000 --saliency 30000 --icm 10500
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import machine, save

from classicseg import graphcut, gridcrf, saliency, superpixels

TILE = 500


def cut(side: int) -> bool:
    """Tiles without edges between them: each one's cut, and their flows together."""
    rng = np.random.default_rng(0)
    terminals = rng.integers(0, 100, (2, TILE, TILE), np.int32)
    edges = {o: rng.integers(0, 20, (TILE, TILE), np.int32) for o in ((0, 1), (1, 0), (1, 1))}
    edges[0, 1][:, -1] = edges[1, 0][-1] = edges[1, 1][-1] = edges[1, 1][:, -1] = 0
    n = side // TILE

    def solved(repeats: int) -> Any:
        graph = graphcut.GridGraph((repeats * TILE, repeats * TILE))
        graph.set_terminals(*(np.tile(side, (repeats, repeats)) for side in terminals))
        graph.set_edges({o: np.tile(w, (repeats, repeats)) for o, w in edges.items()})
        return graph.solve()

    one, many = solved(1), solved(n)
    same = all(
        (many.mask[y : y + TILE].reshape(TILE, n, TILE) == one.mask[:, np.newaxis]).all()
        for y in range(0, n * TILE, TILE)
    )
    return bool(many.flow == n * n * one.flow and same)


def slic(side: int) -> bool:
    """As many superpixels as asked for, none empty and each in one piece, on every 97th of them."""
    from skimage.measure import label

    rng = np.random.default_rng(1)
    tile = rng.integers(0, 256, (TILE // 10, TILE // 10, 3), np.uint8)
    tile = np.repeat(np.repeat(tile, 10, 0), 10, 1)
    n = side // TILE
    labels = superpixels.slic(np.tile(tile, (n, n, 1)), 100_000)
    sizes = np.bincount(labels.ravel())
    if len(sizes) != 100_000 or sizes.min() == 0:
        return False
    for y in range(0, side - 2000, side // 4):  # in parts: those inside of one are whole
        part = labels[y : y + 2000, :2000]
        rim = np.unique(np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]]))
        inner = np.setdiff1d(np.unique(part), rim)
        pieces = label(part, connectivity=1, background=-1)
        pairs = np.unique(np.stack([part.ravel(), pieces.ravel()]), axis=1)[0]
        if (np.bincount(pairs, minlength=100_000)[inner] != 1).any():
            return False
    return True


def barrier(side: int) -> bool:
    """Pixels a hundred times as large: what the small image's map is, enlarged."""
    rng = np.random.default_rng(2)
    factor = side // 300
    small = rng.integers(0, 256, (300, 300, 3), np.uint8)
    expected = saliency.minimum_barrier(small)
    large = np.repeat(np.repeat(small, factor, 0), factor, 1)
    found = saliency.minimum_barrier(large)
    middles = found[factor // 2 :: factor, factor // 2 :: factor]
    print(f"  largest difference {np.abs(middles - expected).max():.4f}", flush=True)
    return bool(np.abs(middles - expected).max() < 0.02)


def icm(side: int) -> bool:
    """Tiles without edges between them, each with the labels of one: energies of 20 labels."""
    rng = np.random.default_rng(3)
    tile = rng.random((TILE, TILE, 20), np.float32)
    edge = np.full((TILE, TILE), 0.3, np.float32)
    n = side // TILE

    def solved(repeats: int) -> Any:
        shape = repeats * TILE, repeats * TILE
        unary = np.empty((*shape, 20), np.float32)
        for y in range(0, shape[0], TILE):
            for x in range(0, shape[1], TILE):
                unary[y : y + TILE, x : x + TILE] = tile
        across, down = np.tile(edge, (repeats, repeats)), np.tile(edge, (repeats, repeats))
        across[:, TILE - 1 :: TILE] = down[TILE - 1 :: TILE] = 0
        print(f"  {unary.size:,} energies", flush=True)
        return gridcrf.icm(unary, {(0, 1): across, (1, 0): down}).labels

    one, many = solved(1), solved(n)
    return all(
        (many[y : y + TILE].reshape(TILE, n, TILE) == one[:, np.newaxis]).all()
        for y in range(0, n * TILE, TILE)
    )


RUNS: dict[str, Callable[[int], bool]] = {
    "cut": cut,
    "slic": slic,
    "saliency": barrier,
    "icm": icm,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in RUNS:
        parser.add_argument(f"--{name}", type=int, metavar="SIDE")
    settings = vars(parser.parse_args())
    found = []
    for name, run in RUNS.items():
        if side := settings[name]:
            begin = time.perf_counter()
            right = run(side)
            gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
            row = {"what": name, "side": side, "right": right, "peak_gigabytes": gigabytes}
            found.append(row | {"seconds": time.perf_counter() - begin})
            print(found[-1], flush=True)
    save("reliability_size", {"machine": machine("numpy"), "runs": found})


if __name__ == "__main__":
    main()

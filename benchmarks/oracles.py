"""Our answers beside those of other packages, on many problems; differences are counted, not timed.

python benchmarks/oracles.py                      # all of it: needs the data sets
python benchmarks/oracles.py --only graphs --graphs 10000
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_grabcut import energy as paper_energy
from common import bsds_images, data_folder, grabcut_images, machine, save

import classicseg as cs
from classicseg import datasets, densecrf, graphcut, superpixels


def graphs(settings: argparse.Namespace) -> dict[str, Any]:
    """Flows of random graphs: PyMaxflow's, networkx's, and after a way through a DIMACS file."""
    import maxflow
    import networkx

    rng = np.random.default_rng(settings.seed)
    wrong: dict[str, list[int]] = {"PyMaxflow": [], "networkx": [], "DIMACS": [], "cut": []}
    n_dimacs = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(settings.graphs):
            n = int(rng.integers(2, 40))
            pairs = rng.integers(0, n, (int(rng.integers(0, 4 * n)), 2))
            high = int(10 ** rng.uniform(0, 6))
            there, back = rng.integers(0, high + 1, (2, len(pairs)))
            source, sink = rng.integers(0, high + 1, (2, n)) * (rng.random((2, n)) < 0.5)
            graph = graphcut.Graph(n)
            graph.set_edges(pairs, there, back)
            graph.set_terminals(source, sink)
            cut = graph.solve(1 + number % 3)
            for mask in (cut.mask, cut.maximal_mask):
                a, b = mask[pairs[:, 0]], mask[pairs[:, 1]]
                cost = source[~mask].sum() + sink[mask].sum()
                cost += there[a & ~b].sum() + back[b & ~a].sum()
                if cost != cut.flow:
                    wrong["cut"].append(number)
            peer = maxflow.GraphFloat(n, len(pairs))
            peer.add_nodes(n)
            for (i, j), t, r in zip(pairs, there, back, strict=True):
                if i != j:
                    peer.add_edge(int(i), int(j), int(t), int(r))
            for i in range(n):
                peer.add_tedge(i, int(source[i]), int(sink[i]))
            if peer.maxflow() != cut.flow:
                wrong["PyMaxflow"].append(number)
            if arcs_flow(networkx, n, pairs, there, back, source, sink) != cut.flow:
                wrong["networkx"].append(number)
            if number % 10 == 0:
                n_dimacs += 1
                file = Path(folder) / "problem.max"
                graphcut.write_dimacs(file, graph)
                flows = graphcut.read_dimacs(file).solve().flow, dimacs_flow(networkx, file)
                if flows != (cut.flow, cut.flow):
                    wrong["DIMACS"].append(number)
    return {"graphs": settings.graphs, "through_files": n_dimacs, "differences": wrong}


def arcs_flow(
    networkx: Any, n: int, pairs: Any, there: Any, back: Any, source: Any, sink: Any
) -> int:
    arcs: dict[tuple[Any, Any], int] = {}
    for (i, j), t, r in zip(pairs.tolist(), there.tolist(), back.tolist(), strict=True):
        if i != j:
            arcs[i, j] = arcs.get((i, j), 0) + t
            arcs[j, i] = arcs.get((j, i), 0) + r
    for i in range(n):
        arcs["s", i], arcs[i, "t"] = int(source[i]), int(sink[i])
    return flow_of(networkx, arcs, "s", "t")


def flow_of(networkx: Any, arcs: dict[tuple[Any, Any], int], source: Any, sink: Any) -> int:
    graph = networkx.DiGraph()
    graph.add_nodes_from((source, sink))
    graph.add_edges_from((i, j, {"capacity": c}) for (i, j), c in arcs.items() if c > 0)
    return int(networkx.maximum_flow_value(graph, source, sink))


def dimacs_flow(networkx: Any, file: Path) -> int:
    """Read by these lines, not by ours."""
    arcs: dict[tuple[Any, Any], int] = {}
    ends = {}
    for line in file.read_text().splitlines():
        word = line.split()
        if word[0] == "n":
            ends[word[2]] = word[1]
        elif word[0] == "a":
            key = word[1], word[2]
            arcs[key] = arcs.get(key, 0) + int(word[3])
    return flow_of(networkx, arcs, ends["s"], ends["t"])


def grabcut(settings: argparse.Namespace) -> dict[str, Any]:
    """OpenCV's grabCut: one cut from its mask and models, and whole runs from a rectangle."""
    import cv2

    gaps, lower = [], 0
    for _, image, _, rect in photographs(settings):
        trimap = np.zeros(image.shape[:2], np.uint8)
        models = np.zeros((1, 65)), np.zeros((1, 65))
        bgr = np.ascontiguousarray(image[..., ::-1])
        cv2.setRNGSeed(0)
        cv2.grabCut(bgr, trimap, tuple(rect), *models, 3, cv2.GC_INIT_WITH_RECT)
        costs = [mixture_energies(image, model) for model in models]
        weights = {o: w.astype(float) for o, w in graphcut.contrast_weights(image).items()}
        hard = trimap == 0
        least = np.minimum(*costs)
        graph = graphcut.GridGraph(trimap.shape)
        graph.set_terminals(
            np.where(hard, 0, costs[0] - least), np.where(hard, np.inf, costs[1] - least)
        )
        graph.set_edges(weights)
        ours = graph.solve().mask
        frozen = trimap.copy()
        cv2.grabCut(bgr, frozen, None, *models, 1, cv2.GC_EVAL_FREEZE_MODEL)
        values = [cut_energy(costs, weights, mask) for mask in (ours, frozen % 2 == 1)]
        gaps.append((values[0] - values[1]) / abs(values[1]))  # below 0: ours is lower
        whole = cs.grabcut.GrabCut(image, max_iter=5).fit(rect=rect).mask
        theirs = np.zeros(image.shape[:2], np.uint8)
        cv2.setRNGSeed(0)
        own = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(bgr, theirs, tuple(rect), *own, 5, cv2.GC_INIT_WITH_RECT)
        energies = paper_energy(image, whole), paper_energy(image, theirs % 2 == 1)
        lower += energies[0] <= energies[1]
    return {
        "images": len(gaps),
        "one_cut_energy_less_theirs": {"min": min(gaps), "max": max(gaps)},
        "within_1e-6": sum(abs(gap) <= 1e-6 for gap in gaps),
        "ours_not_above_theirs": sum(gap <= 1e-6 for gap in gaps),
        "from_a_rectangle_ours_is_lower": lower,
    }


def photographs(settings: argparse.Namespace) -> Any:
    for number, case in enumerate(grabcut_images()):
        if number % settings.every == 0:
            yield case
    for number, item in enumerate(datasets.bundled()):
        if number % settings.every == 0 and item.image.ndim == 3 and item.rect is not None:
            yield item.id, item.image, item.labels, item.rect


def mixture_energies(image: Any, model: Any) -> Any:
    """OpenCV's data term, -log of the mixture's sum, from its 65 numbers."""
    weights, means = model[0, :5], model[0, 5:20].reshape(5, 3)
    covariances = model[0, 20:].reshape(5, 3, 3)
    colours, where = np.unique(image[..., ::-1].reshape(-1, 3), axis=0, return_inverse=True)
    used = weights > 0
    difference = colours[:, None].astype(float) - means[used]
    exponent = 0.5 * np.einsum(
        "nki,kij,nkj->nk", difference, np.linalg.inv(covariances[used]), difference
    )
    exponent += 0.5 * np.log(np.linalg.det(covariances[used])) - np.log(weights[used])
    mixed = -np.logaddexp.reduce(-exponent - 1.5 * np.log(2 * np.pi), axis=1)
    return mixed[where.ravel()].reshape(image.shape[:2])


def cut_energy(costs: list[Any], weights: dict[Any, Any], mask: Any) -> float:
    total = float(costs[0][~mask].sum() + costs[1][mask].sum())
    for (dy, dx), weight in weights.items():
        rows = slice(0, mask.shape[0] - dy), slice(dy, None)
        left, right = max(0, -dx), mask.shape[1] - max(0, dx)
        here = mask[rows[0], left:right]
        there = mask[rows[1], left + dx : right + dx]
        total += float(weight[rows[0], left:right][here != there].sum())
    return total


def dense(settings: argparse.Namespace) -> dict[str, Any]:
    """pydensecrf's marginals on images with a network's scores."""
    largest, labels, n = 0.0, [], 0
    for name, folder, scores_of in scored():
        for number, item in enumerate(folder):
            if number % settings.every_scored:
                continue
            shape = item.image.shape[:2]
            probabilities = cs.io.read_scores(scores_of(item.id), shape=shape)
            both = [
                densecrf.refine(probabilities, item.image, engine=engine, marginals=True)
                for engine in ("native", "pydensecrf")
            ]
            largest = max(
                largest, float(np.abs(both[0].probabilities - both[1].probabilities).max())
            )
            labels.append(float((both[0].labels != both[1].labels).mean()))
            n += 1
        print(f"  {name}: {n} images so far", flush=True)
    return {
        "images": n,
        "every": settings.every_scored,
        "largest_difference_of_a_marginal": largest,
        "pixels_with_other_labels": {"mean": float(np.mean(labels)), "max": max(labels)},
    }


def scored() -> Any:
    voc = data_folder("voc2012")
    yield "voc2012", datasets.voc2012(voc), lambda id: voc / "logits" / f"{id}.npz"
    camvid = data_folder("camvid")
    yield "camvid", datasets.camvid(camvid), lambda id: camvid / "val_logits" / f"{id}.npz"


def slic(settings: argparse.Namespace) -> dict[str, Any]:
    """What scikit-image's SLIC promises, too: numbers 0 ... K - 1, every region in one piece."""
    from skimage.measure import label
    from skimage.segmentation import slic as peer

    wrong, recalls, n = [], [], 0
    for name, image in bsds_images(settings.slic_images):
        for wanted in (50, 250, 1000):
            found = superpixels.slic(image, wanted)
            theirs = peer(image, wanted, start_label=0, enforce_connectivity=True)
            numbers = np.unique(found)
            pieces = label(found, connectivity=1, background=-1).max()
            good = (
                found.shape == theirs.shape
                and np.array_equal(numbers, np.arange(len(numbers)))
                and len(numbers) == wanted
                and pieces == len(numbers)
            )
            if not good:
                wrong.append((name, wanted))
            recalls.append((abs(len(numbers) - wanted), abs(int(theirs.max()) + 1 - wanted)))
            n += 1
    return {
        "cases": n,
        "broken": wrong,
        "mean_miss_of_the_number": dict(
            zip(("ours", "scikit-image"), np.mean(recalls, axis=0).tolist(), strict=True)
        ),
    }


KINDS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "graphs": graphs,
    "slic": slic,
    "grabcut": grabcut,
    "dense": dense,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--graphs", type=int, default=10000)
    parser.add_argument("--slic-images", type=int, default=100)
    parser.add_argument("--every", type=int, default=1, help="of the photographs for grabCut")
    parser.add_argument("--every-scored", type=int, default=1, help="of the images with scores")
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    found = {}
    for name, run in KINDS.items():
        if settings.only in (None, name):
            found[name] = run(settings)
            print(name, found[name], flush=True)
            save(f"oracles_{name}", {"machine": machine("numpy"), **found[name]})


if __name__ == "__main__":
    main()

"""Graph cuts, local and dense CRFs, GrabCut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from calls.values import (
    BILATERAL,
    COLOURS,
    COST,
    CRF,
    CUT,
    FIELD,
    GMM,
    IMAGE,
    IMAGES,
    LABELS,
    MAP,
    MASK,
    MEAN_FIELD,
    MIXTURE,
    NODES,
    PAIRS,
    POINTS,
    PROBABILITIES,
    RANGE,
    REGIONS,
    SEEDS,
    STRENGTHS,
    THREADS,
    TRIMAP,
    TWO,
    UNARY,
    WEIGHTS,
    Call,
    H,
    W,
)
from classicseg import densecrf, grabcut, graphcut, gridcrf


def _grid(shape: Any, connectivity: Any, **terminals: Any) -> Any:
    graph = graphcut.GridGraph(shape, connectivity)
    if terminals:
        n_threads = terminals.pop("n_threads", 1)
        weight = terminals.pop("weights", 1)
        graph.set_terminals(**terminals)
        graph.set_edges({(0, 1): weight, (1, 0): weight})
        return graph.solve(n_threads)
    return graph


def _graph(n_nodes: Any, n_edges: Any = None, **parts: Any) -> Any:
    graph = graphcut.Graph(n_nodes, n_edges)
    if parts:
        n_threads = parts.pop("n_threads", 1)
        graph.set_terminals(parts.pop("source"), parts.pop("sink"))
        graph.set_edges(**parts)
        return graph.solve(n_threads)
    return graph


def _on_grid(solver: Callable[..., Any]) -> Callable[..., Any]:
    return lambda unary, weights, **rest: solver(unary, {(0, 1): weights, (1, 0): weights}, **rest)


def _on_graph(solver: Callable[..., Any]) -> Callable[..., Any]:
    return lambda unary, pairs, weights, **rest: solver(unary, (pairs, weights), **rest)


def _grid_energy(labels: Any, unary: Any, weights: Any, **rest: Any) -> float:
    return gridcrf.energy(labels, unary, {(0, 1): weights}, **rest)


def _cut(method: str) -> Callable[..., Any]:
    """A method of GrabCut after a fit."""

    def call(image: Any, **arguments: Any) -> Any:
        model = grabcut.GrabCut(image, 2, n_threads=1).fit(trimap=TRIMAP[: len(image)])
        found = getattr(model, method)(**arguments)
        return (found.mask, found.trimap) if isinstance(found, grabcut.GrabCut) else found

    return lambda **arguments: call(IMAGE, **arguments)


def _fitted(image: Any, **settings: Any) -> Any:
    fit = {key: settings.pop(key) for key in ("rect", "trimap", "scribbles") if key in settings}
    if "mask" in settings:
        fit["mask"] = settings.pop("mask")
    model = grabcut.GrabCut(image, **settings)
    if not fit:
        return None
    model.fit(**fit)
    return model.mask, model.trimap, model.energies


def _mean_fields(prepared: bool) -> Callable[..., Any]:
    def call(unary: Any, **settings: Any) -> Any:
        return CRF.prepare(IMAGE, n_threads=1).infer(unary, **settings)

    return call if prepared else CRF.infer


def _solver_calls(name: str, solver: Callable[..., Any], **others: Any) -> list[Call]:
    settings = {"label_cost": 1.0, "n_threads": 1, **others}
    shown = {"weights": "edges", "pairs": "edges"}
    grid = {"unary": UNARY, "weights": WEIGHTS}
    graph = {"unary": NODES, "pairs": PAIRS, "weights": STRENGTHS}
    found = [
        Call(name, _on_grid(solver), grid, settings, shown),
        Call(name, _on_graph(solver), graph, settings, shown),
        Call(name, _on_grid(solver), {**grid, "label_cost": COST}, THREADS, shown),
    ]
    if name.endswith(("icm", "expansion", "swap")):
        found.append(Call(name, _on_grid(solver), {**grid, "labels": LABELS}, settings, shown))
    return found


CALLS: list[Call] = [
    Call("graphcut.GridGraph", _grid, {}, {"shape": (H, W), "connectivity": 8}),
    *(
        Call(
            f"graphcut.GridGraph.{method}",
            lambda **rest: _grid((H, W), 8, **rest),
            {"source": MAP, "sink": MAP[::-1].copy(), "weights": WEIGHTS},
            THREADS,
        )
        for method in ("set_terminals", "set_edges", "solve")
    ),
    Call("graphcut.Graph", _graph, {}, {"n_nodes": 5, "n_edges": 3}),
    *(
        Call(
            f"graphcut.Graph.{method}",
            lambda **rest: _graph(W, **rest),
            {
                "source": MAP[0].copy(),
                "sink": MAP[1].copy(),
                "pairs": PAIRS,
                "weights": STRENGTHS,
                "reverse_weights": STRENGTHS * 2,
            },
            THREADS,
        )
        for method in ("set_terminals", "set_edges", "solve")
    ),
    *_solver_calls("graphcut.alpha_expansion", graphcut.alpha_expansion),
    *_solver_calls("graphcut.alpha_beta_swap", graphcut.alpha_beta_swap),
    Call("graphcut.contrast_weights", graphcut.contrast_weights, IMAGES, CUT | THREADS),
    Call(
        "graphcut.cut_unary",
        graphcut.cut_unary,
        {"unary": TWO, "image": IMAGE, "seeds": SEEDS},
        CUT | {"engine": "native", "n_threads": 1},
    ),
    Call(
        "graphcut.segment",
        graphcut.segment,
        {"image": IMAGE, "seeds": SEEDS},
        CUT | MIXTURE | {"engine": "native", "n_threads": 1},
    ),
    *_solver_calls("gridcrf.icm", gridcrf.icm, max_iter=3),
    *_solver_calls(
        "gridcrf.belief_propagation",
        gridcrf.belief_propagation,
        max_iter=3,
        tol=0.01,
        marginals="sum",
    ),
    *_solver_calls("gridcrf.trws", gridcrf.trws, max_iter=3, tol=0.01, marginals=True),
    Call(
        "gridcrf.energy",
        _grid_energy,
        {"labels": LABELS, "unary": UNARY, "weights": WEIGHTS},
        {"label_cost": 1.0, **THREADS},
        {"weights": "edges"},
    ),
    Call(
        "gridcrf.truncated_linear",
        gridcrf.truncated_linear,
        {},
        {"n_labels": 4, "scale": 1.0, "limit": 2.0},
    ),
    Call(
        "gridcrf.truncated_quadratic",
        gridcrf.truncated_quadratic,
        {},
        {"n_labels": 4, "scale": 1.0, "limit": 2.0},
    ),
    Call(
        "densecrf.GaussianKernel", densecrf.GaussianKernel, {}, {"theta_gamma": 3.0, "weight": 1.0}
    ),
    Call(
        "densecrf.BilateralKernel",
        densecrf.BilateralKernel,
        {},
        {"theta_alpha": 3.0, "theta_beta": 4.0, "weight": 1.0},
    ),
    Call(
        "densecrf.FeatureKernel", densecrf.FeatureKernel, {}, {"theta": (3.0, 1.0), "weight": 1.0}
    ),
    Call(
        "densecrf.DenseCRF",
        lambda **rest: densecrf.DenseCRF(**rest).infer(UNARY, IMAGE, 1),
        {"compatibility": COST},
        {"kernels": [BILATERAL], "normalization": "symmetric"},
    ),
    Call(
        "densecrf.DenseCRF.infer",
        _mean_fields(False),
        {"unary": UNARY, "image": IMAGE},
        {**FIELD, **RANGE, "spacing": (1.0, 2.0), "start": MEAN_FIELD},
    ),
    Call(
        "densecrf.DenseCRF.infer",
        densecrf.DenseCRF([densecrf.FeatureKernel(0.5)]).infer,
        {"unary": NODES, "features": IMAGE[0].copy()},
        {"n_iterations": 1, **THREADS},
    ),
    Call(
        "densecrf.DenseCRF.prepare",
        lambda **rest: CRF.prepare(**rest).infer(UNARY, 1),
        IMAGES,
        {"spacing": (1.0, 2.0), **RANGE, **THREADS},
        {"image": "unary"},
    ),
    Call(
        "densecrf.PreparedCRF.infer",
        _mean_fields(True),
        {"unary": UNARY},
        {**FIELD, "start": MEAN_FIELD},
    ),
    Call(
        "densecrf.KernelFilter",
        lambda **rest: densecrf.KernelFilter(**rest).apply(UNARY),
        IMAGES,
        {"kernel": BILATERAL, "shape": (H, W), "spacing": (1.0, 2.0), **RANGE, **THREADS},
    ),
    Call(
        "densecrf.KernelFilter.apply",
        densecrf.KernelFilter(BILATERAL, (H, W), image=IMAGE).apply,
        {"values": UNARY},
        {"transposed": True, **THREADS},
        same_in_double=False,
    ),
    Call(
        "densecrf.KernelFilter.lattice",
        densecrf.KernelFilter(BILATERAL, (H, W), image=IMAGE).lattice,
        {},
        THREADS,
    ),
    Call(
        "densecrf.refine",
        densecrf.refine,
        {"probabilities": PROBABILITIES, "image": IMAGE},
        {
            "theta_alpha": 3.0,
            "theta_beta": 4.0,
            "theta_gamma": 1.0,
            "weight": 2.0,
            "smoothness": 1.0,
            "temperature": 1.5,
            "n_iterations": 2,
            "clip": 0.001,
            "marginals": False,
            "engine": "native",
            **RANGE,
            **THREADS,
        },
    ),
    Call(
        "densecrf.tune",
        lambda probabilities, image, truth, **rest: densecrf.tune(
            [(probabilities, image, truth)] * 4, **rest
        ),
        {"probabilities": PROBABILITIES, "image": IMAGE, "truth": LABELS},
        {"metric": "miou", "budget": 1, "rng": 0, "ignore_index": 255, **THREADS},
        {"probabilities": "samples", "image": "samples", "truth": "samples"},
        slow=True,
    ),
    Call("grabcut.GMM.energies", GMM.energies, IMAGES, {**RANGE, **THREADS}),
    Call("grabcut.fit_gmm", grabcut.fit_gmm, {"colours": COLOURS}, MIXTURE),
    Call(
        "grabcut.GrabCut",
        _fitted,
        IMAGES,
        {**MIXTURE, "gamma": 5.0, "max_iter": 2, "engine": "native", **RANGE, **THREADS},
    ),
    *(
        Call(
            name,
            function,
            {**IMAGES, key: value},
            {**MIXTURE, "gamma": 5.0, "max_iter": 2, **THREADS},
        )
        for name, function in (
            ("grabcut.GrabCut.fit", _fitted),
            ("grabcut.segment", grabcut.segment),
        )
        for key, value in (("trimap", TRIMAP), ("mask", MASK), ("scribbles", SEEDS))
    ),
    Call(
        "grabcut.segment",
        grabcut.segment,
        IMAGES,
        {
            "rect": (2, 1, 8, 7),
            **MIXTURE,
            "gamma": 5.0,
            "max_iter": 2,
            "engine": "native",
            **RANGE,
            **THREADS,
        },
    ),
    Call(
        "grabcut.segment",
        grabcut.segment,
        {**IMAGES, "regions": REGIONS},
        {"rect": (2, 1, 8, 7), "max_iter": 2, **THREADS},
    ),
    Call("grabcut.GrabCut.stroke", _cut("stroke"), {"points": POINTS}, {"radius": 2.0, "label": 1}),
    Call("grabcut.GrabCut.lasso", _cut("lasso"), {"points": POINTS}, {"label": 1}),
    Call("grabcut.GrabCut.refine", _cut("refine"), {}),
    Call("grabcut.GrabCut.alpha", _cut("alpha"), {}, {"matting": "border"}),
    Call("grabcut.GrabCut.cutout", _cut("cutout"), {}, {"matting": "border"}),
    Call("grabcut.alpha", grabcut.alpha, {**IMAGES, "mask": MASK}, {"matting": "border", **RANGE}),
    Call(
        "grabcut.cutout", grabcut.cutout, {**IMAGES, "mask": MASK}, {"matting": "border", **RANGE}
    ),
]

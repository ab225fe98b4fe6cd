"""Unaries, metrics, pictures, superpixels, saliency, files."""

from __future__ import annotations

from typing import Any

import numpy as np

from calls.values import (
    IMAGE,
    IMAGES,
    LABELS,
    MAP,
    MASK,
    PAIR,
    PROBABILITIES,
    RANGE,
    REGIONS,
    SEEDS,
    THREADS,
    UNARY,
    VOLUME,
    WEIGHTS,
    Call,
    H,
    W,
)
from classicseg import metrics, saliency, superpixels, unary, viz


def _confusion(n_classes: Any = 3, ignore_index: Any = 255, **arrays: Any) -> Any:
    matrix = metrics.ConfusionMatrix(n_classes, ignore_index)
    return matrix.update(**arrays).iou if arrays else matrix


CALLS: list[Call] = [
    Call(
        "unary.from_labels",
        unary.from_labels,
        {"labels": LABELS},
        {"n_classes": 3, "certainty": 0.75, "ignore_index": 255},
    ),
    Call(
        "unary.from_probabilities",
        unary.from_probabilities,
        {"probabilities": PROBABILITIES},
        {"clip": 0.001},
    ),
    Call("unary.from_scores", unary.from_scores, {"logits": UNARY}, {"temperature": 2.0}),
    Call("unary.to_probabilities", unary.to_probabilities, {"unary": UNARY}),
    Call("metrics.ConfusionMatrix", _confusion, {}, {"n_classes": 3, "ignore_index": 255}),
    Call("metrics.ConfusionMatrix.update", _confusion, PAIR),
    Call(
        "metrics.ConfusionMatrix.merge",
        metrics.ConfusionMatrix(2).merge,
        {},
        {"other": metrics.ConfusionMatrix(2)},
    ),
    Call("metrics.band", metrics.band, {"truth": LABELS}, {"width": 2.0}),
    Call("metrics.boundary_f", metrics.boundary_f, PAIR, {"tolerance": 0.1, "ignore_index": 255}),
    Call(
        "metrics.mask_iou",
        metrics.mask_iou,
        {"truth": MASK, "mask": MASK[::-1].copy(), "ignore": SEEDS == 1},
    ),
    Call(
        "viz.contour",
        viz.contour,
        {**IMAGES, "labels": LABELS},
        {"thickness": 2, "color": (1, 2, 3)},
    ),
    Call("viz.cutout", viz.cutout, {**IMAGES, "mask": MASK}, {"square": 3}),
    Call("viz.difference", viz.difference, PAIR, {"ignore_index": 255}),
    Call(
        "viz.draw_rect",
        viz.draw_rect,
        IMAGES,
        {"rect": (1, 2, 5, 4), "color": (1, 2, 3), "thickness": 2},
    ),
    Call(
        "viz.draw_scribbles",
        viz.draw_scribbles,
        {**IMAGES, "seeds": SEEDS},
        {"foreground": (1, 2, 3), "background": (4, 5, 6)},
    ),
    Call("viz.heat", viz.heat, {"values": MAP}, RANGE),
    Call(
        "viz.overlay",
        viz.overlay,
        {**IMAGES, "labels": LABELS, "colors": np.eye(3, dtype=np.uint8) * 200},
        {"alpha": 0.5},
    ),
    Call("viz.palette", viz.palette, {}, {"n": 5}),
    Call(
        "viz.sheet",
        lambda image, **rest: viz.sheet([[image]], **rest),
        IMAGES,
        {"titles": ("a",), "row_titles": ("b",), "cell": 30},
        {"image": "rows"},
    ),
    Call(
        "superpixels.achievable_accuracy",
        superpixels.achievable_accuracy,
        {"labels": REGIONS, "truth": LABELS},
    ),
    Call(
        "superpixels.adjacency", superpixels.adjacency, {"labels": REGIONS, "image": IMAGE}, RANGE
    ),
    Call(
        "superpixels.boundary_recall",
        superpixels.boundary_recall,
        {"labels": REGIONS, "truth": LABELS},
        {"tolerance": 2},
    ),
    Call("superpixels.compactness", superpixels.compactness, {"labels": REGIONS}),
    Call(
        "superpixels.explained_variation",
        superpixels.explained_variation,
        {"labels": REGIONS, "image": IMAGE},
        RANGE,
    ),
    Call(
        "superpixels.features",
        superpixels.features,
        {"image": IMAGE, "labels": REGIONS},
        {"n_bins": 4, **RANGE},
    ),
    Call(
        "superpixels.RegionFeatures.table",
        lambda image: superpixels.features(image, REGIONS).table(),
        IMAGES,
    ),
    Call(
        "superpixels.pool",
        superpixels.pool,
        {"values": UNARY, "labels": REGIONS},
        {"reduce": "mean"},
    ),
    Call(
        "superpixels.pool_edges",
        lambda weights, labels: superpixels.pool_edges({(0, 1): weights}, labels),
        {"weights": WEIGHTS, "labels": REGIONS},
        {},
        {"weights": "edges"},
    ),
    Call(
        "superpixels.slic",
        superpixels.slic,
        {**IMAGES, "mask": MASK},
        {
            "n_segments": 6,
            "compactness": 10.0,
            "n_iterations": 2,
            "method": "refined",
            "spacing": (1.0, 1.5),
            "channel_axis": -1,
            "n_threads": 1,
            **RANGE,
        },
        {"channel_axis": "spacing|mask"},
    ),
    Call(
        "superpixels.slic",
        superpixels.slic,
        {"image": VOLUME},
        {"n_segments": 6, "channel_axis": None, "method": "slico", **THREADS},
    ),
    Call(
        "superpixels.spread",
        superpixels.spread,
        {"values": np.arange(9, dtype=np.float32), "labels": REGIONS},
        {"fill": 0.5},
    ),
    Call(
        "superpixels.undersegmentation_error",
        superpixels.undersegmentation_error,
        {"labels": REGIONS, "truth": LABELS},
    ),
    *(
        Call(f"saliency.{method}", getattr(saliency, method), IMAGES, THREADS)
        for method in (
            "boolean_map",
            "combined",
            "frequency_tuned",
            "gbvs",
            "geodesic",
            "histogram_contrast",
            "image_signature",
            "itti_koch",
            "region_contrast",
            "robust_background",
            "spectral_residual",
        )
    ),
    Call(
        "saliency.minimum_barrier",
        saliency.minimum_barrier,
        IMAGES,
        {"background": True, "postprocess": True, **THREADS},
    ),
    Call("saliency.adaptive_threshold", saliency.adaptive_threshold, {"saliency": MAP}),
    Call("saliency.to_mask", saliency.to_mask, {"saliency": MAP}, {"threshold": 0.5}),
    Call(
        "saliency.centre_prior", saliency.centre_prior, {"shape_or_image": IMAGE}, {"sigma": 0.25}
    ),
    Call(
        "saliency.centre_prior",
        saliency.centre_prior,
        {},
        {"shape_or_image": (H, W), "sigma": 0.25},
    ),
    Call(
        "saliency.with_centre",
        saliency.with_centre,
        {"saliency": MAP},
        {"sigma": 0.25, "blur": 0.05, **THREADS},
    ),
    Call(
        "saliency.color_relevance",
        saliency.color_relevance,
        {"image": IMAGE, "target": MASK},
        {"rng": 0, **THREADS},
    ),
    Call(
        "saliency.top_down",
        saliency.top_down,
        {"saliency": MAP, "relevance": MAP[::-1].copy()},
        {"weight": 0.5},
    ),
    *(
        Call(
            f"saliency.metrics.{name}",
            getattr(saliency.metrics, name),
            {"saliency": MAP, "truth": MASK},
        )
        for name in ("adaptive_f", "e_measure", "mae", "max_f", "precision_recall", "s_measure")
    ),
    *(
        Call(
            f"saliency.metrics.{name}",
            getattr(saliency.metrics, name),
            {"saliency": MAP, "fixations": MASK},
        )
        for name in ("auc_judd", "nss")
    ),
    Call(
        "saliency.metrics.auc_borji",
        saliency.metrics.auc_borji,
        {"saliency": MAP, "fixations": MASK},
        {"n_splits": 2, "rng": 0},
    ),
    *(
        Call(
            f"saliency.metrics.{name}",
            getattr(saliency.metrics, name),
            {"saliency": MAP, "density": MAP[::-1].copy()},
        )
        for name in ("cc", "kl", "sim")
    ),
    Call(
        "saliency.metrics.f_measure",
        saliency.metrics.f_measure,
        {"precision": MAP, "recall": MAP[::-1].copy()},
        {"beta_squared": 0.3},
    ),
]

"""Inference: from evidence to a label at each pixel, over pixels or over superpixels.

Each is a function of a `Task` and its `Evidence`. All but GrabCut and the dense CRF minimise the
same energy: the unary plus contrast-sensitive Potts links between eight neighbours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg import densecrf, grabcut, graphcut, gridcrf, superpixels
from classicseg.compare.evidence import more_likely
from classicseg.compare.tasks import DoesNotApply, Evidence, Labels, Task

__all__ = ["ENGINES", "INFERENCE"]

# Rounds of learning and cutting, the same for every engine, so that seconds can be compared. Later
# rounds change the scores of the bundled samples by less than the seed does.
_ROUNDS = 10
_N_SUPERPIXELS = 1000
# Wide enough to stand for "whatever the colour": a kernel over positions alone.
_ANY = 1e6

Decide = Callable[[Task, Evidence], Labels]
Regions = NDArray[np.int32]


def argmax(task: Task, evidence: Evidence) -> Labels:
    """Each pixel for itself."""
    return _least(evidence.unary)


def icm(task: Task, evidence: Evidence) -> Labels:
    """Each pixel in turn takes the label that suits its neighbours, until none changes."""
    return gridcrf.icm(evidence.unary, _links(task, evidence)).labels


def belief_propagation(task: Task, evidence: Evidence) -> Labels:
    """Messages between neighbours, the max-product kind."""
    return gridcrf.belief_propagation(evidence.unary, _links(task, evidence)).labels


def trws(task: Task, evidence: Evidence) -> Labels:
    """Messages along trees of neighbours, which end near the least energy (TRW-S)."""
    return gridcrf.trws(evidence.unary, _links(task, evidence)).labels


def graph_cut(task: Task, evidence: Evidence) -> Labels:
    """The labelling of least energy of two classes; of more, alpha expansion."""
    if task.n_classes == 2:
        return graphcut.cut_unary(
            evidence.unary, task.image, gamma=evidence.gamma, engine=task.engine
        )
    if task.engine != "native":
        raise DoesNotApply(f"{task.engine} cuts two classes, not {task.n_classes}")
    return graphcut.alpha_expansion(evidence.unary, _links(task, evidence)).labels


def dense_crf(task: Task, evidence: Evidence) -> Labels:
    """Every pixel tied to all others of similar colour in reach."""
    return _crf_of(evidence).infer(evidence.unary, task.image).labels


def grab_cut(task: Task, evidence: Evidence) -> Labels:
    """Colour models and cut in turn, from the rectangle or the trimap, at most ten times."""
    return _grab_cut(task, evidence, "grabcut", engine=task.engine)


def superpixels_argmax(task: Task, evidence: Evidence) -> Labels:
    """Superpixel pooling: each region takes the label of the least mean energy."""
    regions = _regions(task)
    return _spread(_least(superpixels.pool(evidence.unary, regions)), regions)


def superpixels_icm(task: Task, evidence: Evidence) -> Labels:
    """As `icm`, of regions that agree in themselves."""
    return _over_regions(gridcrf.icm, task, evidence)


def superpixels_belief_propagation(task: Task, evidence: Evidence) -> Labels:
    """As `belief_propagation`, of regions that agree in themselves."""
    return _over_regions(gridcrf.belief_propagation, task, evidence)


def superpixels_trws(task: Task, evidence: Evidence) -> Labels:
    """As `trws`, of regions that agree in themselves."""
    return _over_regions(gridcrf.trws, task, evidence)


def superpixels_graph_cut(task: Task, evidence: Evidence) -> Labels:
    """Expansion moves over regions that agree in themselves; of two classes the least energy."""
    return _over_regions(graphcut.alpha_expansion, task, evidence)


def superpixels_dense_crf(task: Task, evidence: Evidence) -> Labels:
    """Every region tied to all others by place and mean colour; each counts as one pixel.

    Smoothness reaches as far as a region is wide, where it would have been less.
    """
    regions = _regions(task)
    seen = superpixels.features(task.image, regions)
    features = np.concatenate([seen.centroid, seen.mean_color], axis=1)
    across = float(np.sqrt(regions.size / len(features)))
    kernels = []
    for kernel in _crf_of(evidence).kernels:
        if isinstance(kernel, densecrf.GaussianKernel):
            place, color = max(kernel.theta_gamma, across), [_ANY] * 3
        elif isinstance(kernel, densecrf.BilateralKernel):
            place, theta = max(kernel.theta_alpha, across), kernel.theta_beta
            color = [theta] * 3 if isinstance(theta, float | int) else [*theta]
        else:
            raise DoesNotApply("kernels over features of one's own are made for pixels")
        kernels.append(densecrf.FeatureKernel((place, place, *color), kernel.weight))
    energies = superpixels.pool(evidence.unary, regions)
    found = densecrf.DenseCRF(kernels).infer(energies, features=features).labels
    return _spread(found, regions)


def superpixels_grab_cut(task: Task, evidence: Evidence) -> Labels:
    """As `grab_cut`, of regions that agree in themselves; the colours are learned from pixels."""
    return _grab_cut(task, evidence, "superpixels:grabcut", regions=_regions(task))


INFERENCE: dict[str, Decide] = {
    "argmax": argmax,
    "icm": icm,
    "bp": belief_propagation,
    "trws": trws,
    "graphcut": graph_cut,
    "densecrf": dense_crf,
    "grabcut": grab_cut,
    "superpixels:argmax": superpixels_argmax,
    "superpixels:icm": superpixels_icm,
    "superpixels:bp": superpixels_belief_propagation,
    "superpixels:trws": superpixels_trws,
    "superpixels:graphcut": superpixels_graph_cut,
    "superpixels:densecrf": superpixels_dense_crf,
    "superpixels:grabcut": superpixels_grab_cut,
}

#: Which inferences an engine can do; None stands for all of them.
ENGINES: dict[str, tuple[str, ...] | None] = {
    "native": None,
    "opencv": ("grabcut",),
    "pymaxflow": ("graphcut",),
}


def _grab_cut(task: Task, evidence: Evidence, name: str, **options: Any) -> Labels:
    task.needs_two_classes(name)
    trimap = more_likely(evidence.unary) if evidence.trimap is None else evidence.trimap
    return grabcut.segment(
        task.image,
        evidence.rect,
        trimap=trimap if evidence.rect is None else None,
        max_iter=_ROUNDS,
        rng=task.seed,
        **options,
    )


def _least(energies: NDArray[np.float32]) -> NDArray[np.int32]:
    least: NDArray[np.int32] = energies.argmin(axis=-1).astype(np.int32)
    return least


def _links(task: Task, evidence: Evidence) -> Any:
    return graphcut.contrast_weights(task.image, gamma=evidence.gamma)


def _crf_of(evidence: Evidence) -> densecrf.DenseCRF:
    if evidence.crf is not None:
        return evidence.crf
    strength = evidence.gamma / 50
    return densecrf.DenseCRF(
        [
            densecrf.GaussianKernel(theta_gamma=3, weight=3 * strength),
            densecrf.BilateralKernel(theta_alpha=50, theta_beta=10, weight=10 * strength),
        ]
    )


def _regions(task: Task) -> Regions:
    n_pixels = task.image.shape[0] * task.image.shape[1]
    return superpixels.slic(task.image, min(_N_SUPERPIXELS, n_pixels))


def _over_regions(solve: Callable[..., Any], task: Task, evidence: Evidence) -> Labels:
    regions = _regions(task)
    energies = superpixels.pool(evidence.unary, regions, reduce="sum")
    edges = superpixels.pool_edges(_links(task, evidence), regions)
    return _spread(solve(energies, edges).labels, regions)


def _spread(labels: NDArray[np.int32], regions: Regions) -> NDArray[np.int32]:
    spread: NDArray[np.int32] = superpixels.spread(labels, regions)
    return spread

"""How right labels are, by area and by boundary."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from classicseg._arrays import ratio, shape_of
from classicseg._checks import as_labels, as_mask, positive, positive_int, void_label
from classicseg._settings import as_void


class ConfusionMatrix:
    """Counts of pixels by true and predicted class, summed over images, and their scores.

    The scores are those of Long, Shelhamer & Darrell, Fully Convolutional Networks for Semantic
    Segmentation, 2015, doi:10.1109/CVPR.2015.7298965. A class that occurs neither in the truth nor
    in the labels has no IoU (NaN), one that does not occur in the truth no accuracy; the means
    leave them out. Where nothing was counted, all scores are NaN.

    Parameters
    ----------
    n_classes : int
        Classes are 0..n_classes-1.
    ignore_index : int, optional
        The void label of the truth, whose pixels are not counted: 255, but with more than 255
        classes it must be given.

    Attributes
    ----------
    counts : (n_classes, n_classes) int64 array
        True classes in rows, predicted ones in columns.

    Raises
    ------
    TypeError, ValueError
        If `n_classes` is no whole number from 1, or `ignore_index` is missing or a class.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import metrics
    >>> truth = np.array([[0, 0, 1, 255]])
    >>> labels = np.array([[0, 1, 1, 1]])
    >>> matrix = metrics.ConfusionMatrix(2).update(truth, labels)
    >>> matrix.counts.tolist(), matrix.mean_iou
    ([[1, 1], [0, 1]], 0.5)
    """

    def __init__(self, n_classes: int, ignore_index: int | None = None) -> None:
        self.n_classes = positive_int(n_classes, "n_classes")
        self.ignore_index = void_label(self.n_classes, ignore_index)
        self.counts: NDArray[np.int64] = np.zeros((self.n_classes, self.n_classes), np.int64)

    def update(self, truth: ArrayLike, labels: ArrayLike) -> ConfusionMatrix:
        """Count an image.

        Parameters
        ----------
        truth : integer or bool array, (H, W)
            Classes or void.
        labels : integer or bool array, (H, W)
            Classes. Where the truth is void any value will do; elsewhere void is an error, because
            a prediction that abstains has no place in these scores.

        Returns
        -------
        ConfusionMatrix
            Itself.

        Raises
        ------
        TypeError, ValueError
            If the arrays are no labels, differ in shape, or hold labels out of range; nothing is
            counted then.
        """
        true = as_labels(truth, "truth", shape_of(truth, "truth"))
        predicted = as_labels(labels, "labels", true.shape)
        known = true != self.ignore_index
        if not known.all():
            true, predicted = true[known], predicted[known]
        for name, values in (("truth", true), ("labels", predicted)):
            if values.size and (high := int(values.max())) >= self.n_classes:
                raise ValueError(
                    f"{name} holds {high}, expected classes 0..{self.n_classes - 1}"
                    + (f" or {self.ignore_index} for void" if name == "truth" else "")
                )
        index = true.astype(np.int64).ravel() * self.n_classes + predicted.ravel()
        new = np.bincount(index, minlength=self.n_classes**2)
        self.counts += new.reshape(self.counts.shape)
        return self

    def merge(self, other: ConfusionMatrix) -> ConfusionMatrix:
        """Add another matrix's counts to this one's and return this one.

        Raises
        ------
        ValueError
            If the matrices differ in classes or void label.
        """
        if not isinstance(other, ConfusionMatrix):
            raise TypeError(f"other is {type(other).__name__}, expected a ConfusionMatrix")
        mine, its = (self.n_classes, self.ignore_index), (other.n_classes, other.ignore_index)
        if mine != its:
            raise ValueError(
                f"other has (n_classes, ignore_index) = {its}, expected {mine} as in this one"
            )
        self.counts += other.counts
        return self

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        return ConfusionMatrix(self.n_classes, self.ignore_index).merge(self).merge(other)

    def __repr__(self) -> str:
        return (
            f"ConfusionMatrix(n_classes={self.n_classes}, pixels={self.counts.sum()}, "
            f"mean_iou={self.mean_iou:.4f})"
        )

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class, (n_classes,)."""
        union = self.counts.sum(axis=0) + self.counts.sum(axis=1) - np.diag(self.counts)
        return ratio(np.diag(self.counts), union)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of each class's true pixels that were found, (n_classes,)."""
        return ratio(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def pixel_accuracy(self) -> float:
        """Share of pixels that are right."""
        return float(ratio(np.trace(self.counts), self.counts.sum()))

    @property
    def mean_accuracy(self) -> float:
        """Mean of `accuracy` over the classes that have one."""
        return _mean(self.accuracy)

    @property
    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that have one."""
        return _mean(self.iou)

    @property
    def frequency_weighted_iou(self) -> float:
        """Mean of `iou`, each class weighted by its true pixels."""
        frequency = self.counts.sum(axis=1)
        present = frequency > 0
        weighted = np.sum(frequency[present] * self.iou[present])
        return float(ratio(weighted, frequency.sum()))


def mask_iou(truth: ArrayLike, mask: ArrayLike, *, ignore: ArrayLike | None = None) -> float:
    """Intersection over union of two masks; 1 where both are empty.

    Parameters
    ----------
    truth, mask : bool arrays, (H, W)
        Or integers that are 0 and 1, or 0 and 255.
    ignore : bool array, (H, W), optional
        Pixels that do not count.

    Raises
    ------
    TypeError, ValueError
        If the arrays are no masks or differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import metrics
    >>> metrics.mask_iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    true = as_mask(truth, "truth", shape_of(truth, "truth"))
    found = as_mask(mask, "mask", true.shape)
    if ignore is not None:
        counted = ~as_mask(ignore, "ignore", true.shape)
        true, found = true & counted, found & counted
    union = int(np.count_nonzero(true | found))
    return int(np.count_nonzero(true & found)) / union if union else 1.0


def boundary_f(
    truth: ArrayLike,
    labels: ArrayLike,
    tolerance: float = 0.0075,
    *,
    ignore_index: int = 255,
) -> float:
    """Harmonic mean of a boundary's precision and recall.

    Precision is the share of the found boundary within the tolerance of a true one, recall the
    share of the true boundary within it of a found one. The score is the mean over the classes
    that occur in either image (Csurka et al., What is a good evaluation measure for semantic
    segmentation?, 2013, doi:10.5244/C.27.32). Boundaries and edge cases are those of the DAVIS
    benchmark (Perazzi et al., 2016, doi:10.1109/CVPR.2016.85): a pixel that differs from its
    neighbour at the right, below or diagonally below lies on the boundary, and the image's rim
    does not.

    Parameters
    ----------
    truth, labels : arrays, (H, W)
        Two masks of bool, or integer labels. Void in the truth is made void in the labels too.
    tolerance : float
        Below 1 a share of the image's diagonal, rounded up to whole pixels (the default is the
        paper's); else pixels.
    ignore_index : int
        The void label.

    Returns
    -------
    float
        In [0, 1]. A class without a boundary in both images scores 1, in one of them 0. NaN where
        all is void.

    Raises
    ------
    TypeError, ValueError
        If the arrays are no labels or differ in shape, or `tolerance` is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import metrics
    >>> truth = np.zeros((40, 40), bool)
    >>> truth[10:30, 10:30] = True
    >>> metrics.boundary_f(truth, np.roll(truth, 1, axis=1), tolerance=1)
    1.0
    >>> round(metrics.boundary_f(truth, np.roll(truth, 5, axis=1), tolerance=1), 3)
    0.45
    """
    true = as_labels(truth, "truth")
    found = as_labels(labels, "labels", true.shape)
    radius = positive(tolerance, "tolerance")
    if radius < 1:
        radius = math.ceil(radius * math.hypot(*true.shape))
    void = true == as_void(ignore_index)
    found = np.where(void, ignore_index, found)
    classes = np.union1d(true[~void], found[~void])
    if all(np.asarray(array).dtype.kind == "b" for array in (truth, labels)):
        classes = np.array([1])  # the background has the same boundary
    scores = [_class_boundary_f(true == label, found == label, radius) for label in classes]
    return _mean(np.array(scores))


def band(truth: ArrayLike, width: float) -> NDArray[np.bool_]:
    """Pixels close to a boundary, to score labels where it is hard.

    Parameters
    ----------
    truth : integer or bool array, (H, W)
        Void counts as a label of its own here: its rim is a boundary.
    width : float
        How many pixels on either side of the boundary, which runs between pixels.

    Returns
    -------
    (H, W) bool array

    Raises
    ------
    TypeError, ValueError
        If `truth` holds no labels, or `width` is not above 0.

    References
    ----------
    Kohli, Ladicky & Torr, Robust Higher Order Potentials for Enforcing Label Consistency, 2009,
    doi:10.1007/s11263-008-0202-0 (section 6, the trimap around the boundaries).

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import metrics
    >>> metrics.band(np.array([[0, 0, 0, 1, 1, 1]]), 2).astype(int).tolist()
    [[0, 1, 1, 1, 1, 0]]
    """
    labels = as_labels(truth, "truth")
    reach = positive(width, "width") - 0.5  # a pixel at the boundary is half a pixel away
    touching = np.zeros(labels.shape, bool)
    for here, there in (
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:, :-1], np.s_[:, 1:]),
    ):
        differs = labels[here] != labels[there]
        touching[here] |= differs
        touching[there] |= differs
    return _near(touching, reach)


def _class_boundary_f(truth: NDArray[np.bool_], found: NDArray[np.bool_], radius: float) -> float:
    true_edge, found_edge = _boundary(truth), _boundary(found)
    n_true, n_found = int(np.count_nonzero(true_edge)), int(np.count_nonzero(found_edge))
    if n_true == 0 or n_found == 0:
        return float(n_true == n_found)
    precision = _count_near(found_edge, true_edge, radius) / n_found
    recall = _count_near(true_edge, found_edge, radius) / n_true
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return edge


def _count_near(points: NDArray[np.bool_], others: NDArray[np.bool_], radius: float) -> int:
    """How many points have another within the radius; a tree is faster where both are few."""
    if 20 * (np.count_nonzero(points) + np.count_nonzero(others)) > points.size:
        return int(np.count_nonzero(points & _near(others, radius)))
    places, targets = np.argwhere(points), np.argwhere(others)
    # Squared distances are whole: the bound, which is exclusive, may lie anywhere up to the next.
    bound = math.sqrt(math.floor(radius * radius) + 0.5)
    distances, _ = cKDTree(targets).query(places, distance_upper_bound=bound)
    return int(np.count_nonzero(np.isfinite(distances)))


def _near(points: NDArray[np.bool_], distance: float) -> NDArray[np.bool_]:
    if distance < 1 or not points.any():
        return points & (distance >= 0)
    near: NDArray[np.bool_] = ndimage.distance_transform_edt(~points) <= distance
    return near


def _mean(scores: NDArray[np.float64]) -> float:
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if known.size else math.nan

"""Classes of superpixels from what they look like, then again from what is around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg import superpixels
from classicseg._checks import positive, positive_int
from classicseg.semantic._channels import Textons
from classicseg.semantic._estimator import (
    ClassWeight,
    ImageClassifier,
    check_groups,
    columns,
    fit_rows,
    over_images,
)
from classicseg.semantic._regions import GROUPS, LabelledRows, Rows, rows_of

__all__ = ["SuperpixelClassifier"]

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
# An image's first-stage scores come from trees that never saw it nor its neighbours in the list.
_N_FOLDS = 3


class SuperpixelClassifier(ImageClassifier):
    """Semantic segmentation by superpixels, hand-made features and a scikit-learn classifier.

    An image is cut into SLIC superpixels; each becomes a row of numbers: colour (Lab moments, RGB
    histograms), texture (the 17 filters of Winn et al., histograms of the textons that k-means
    finds in them, local binary patterns), location, shape, and context (the same of its
    neighbours, and of windows around it). A classifier learns the rows, weighted by their pixels.

    Then it learns again, from the same rows and the probabilities of the first stage in and around
    each superpixel (stacking, or auto-context): a car stands on a road. So that these
    probabilities are as good on training images as on new ones, each image's come from a
    classifier that was fitted to other images. Folds are runs of the list: give the frames of a
    video in order.

    Parameters
    ----------
    n_segments : int
        Superpixels of an image. Default 800: at 480 x 360 they are about 15 pixels wide, and the
        best labels for them reach a mean IoU of about 0.8 on CamVid; what is thinner is lost.
    compactness : float
        Of SLIC. Default 10.
    features : sequence of str
        Among "color", "texture", "location", "shape", "context". Default: all.
    n_textons : int
        Words of the texture vocabulary. Default 64.
    n_stages : int
        1 is without stacking. Default 2.
    estimator : scikit-learn classifier, optional
        Anything with `predict_proba`; it is cloned. Default: 60 extremely randomised trees with
        leaves of at least 10 superpixels.
    class_weight : float, "balanced", dict or None
        Classes count by their frequency to this negative power: 0 or None as they come, for a high
        pixel accuracy; 1 or "balanced" all alike, for rare classes. A dict gives weights by class.
        The default, 0.75, lies between.
    n_classes : int, optional
        L. Default: the largest label of the training set, plus one.
    ignore_index : int, optional
        The void label. Default 255.
    n_jobs : int, optional
        Processes and threads, as in joblib. Results do not depend on it.
    random_state : int, RandomState or None
        Of the textons and the classifiers. Default 0.
    progress : bool
        A bar on stderr while `fit` works, if that is a terminal. Default True.

    Attributes
    ----------
    classes_ : (L,) array
        0..L-1.
    n_classes_ : int
        L.
    textons_ : Textons
        The vocabulary.
    stages_ : list of lists of classifiers
        The mean of a stage's classifiers counts.

    References
    ----------
    J. Tighe, S. Lazebnik: SuperParsing. ECCV 2010. doi:10.1007/978-3-642-15555-0_26
    Z. Tu, X. Bai: Auto-context and its application to high-level vision tasks. PAMI 2010.
    doi:10.1109/TPAMI.2009.186
    J. Winn, A. Criminisi, T. Minka: Object categorization by learned universal visual dictionary.
    ICCV 2005. doi:10.1109/ICCV.2005.171
    P. Geurts, D. Ernst, L. Wehenkel: Extremely randomized trees. Machine Learning 2006.
    doi:10.1007/s10994-006-6226-1

    Examples
    --------
    >>> import numpy as np
    >>> from classicseg import semantic
    >>> image = np.zeros((24, 32, 3), np.uint8)
    >>> image[:12] = (90, 140, 230)
    >>> labels = np.repeat([[0], [1]], 12, axis=0).repeat(32, axis=1)
    >>> model = semantic.SuperpixelClassifier(n_segments=96, n_textons=4).fit([image], [labels])
    >>> model.predict_proba(image).shape, bool((model.predict(image) == labels).mean() > 0.9)
    ((24, 32, 2), True)
    """

    def __init__(
        self,
        n_segments: int = 800,
        compactness: float = 10.0,
        features: Sequence[str] = GROUPS,
        n_textons: int = 64,
        n_stages: int = 2,
        estimator: Any = None,
        *,
        class_weight: ClassWeight = 0.75,
        n_classes: int | None = None,
        ignore_index: int | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = 0,
        progress: bool = True,
    ) -> None:
        self.n_segments = n_segments
        self.compactness = compactness
        self.features = features
        self.n_textons = n_textons
        self.n_stages = n_stages
        self.estimator = estimator
        self.class_weight = class_weight
        self.n_classes = n_classes
        self.ignore_index = ignore_index
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.progress = progress

    def _fit(self, images: list[Image], labels: list[NDArray[np.int32]]) -> None:
        self._fit_stages(self._describe(images, labels))

    def _describe(self, images: list[Image], labels: list[NDArray[np.int32]]) -> list[LabelledRows]:
        """The training images as rows, after the textons have been learned from them."""
        self._check_parameters()
        self._seed = self._first_seed()
        self.textons_ = Textons(images, self.n_textons, self._seed, self.n_jobs, self.progress)
        settings = (self.textons_, self.n_segments, self.compactness, tuple(self.features))
        tasks = [
            (image, truth, self.n_classes_, *settings)
            for image, truth in zip(images, labels, strict=True)
        ]
        rows: list[LabelledRows] = over_images(
            _labelled_rows, tasks, "superpixels", self.n_jobs, self.progress
        )
        return rows

    def _fit_stages(self, images: list[LabelledRows]) -> None:
        counts = np.concatenate([rows.counts for rows in images])
        classes = counts.argmax(axis=1)
        weights = np.zeros(len(counts), np.float32)
        known = counts.sum(axis=1) > 0
        amounts = counts.max(axis=1).astype(np.float32)
        weights[known] = self._row_weights(classes[known], amounts[known])
        ends = np.cumsum([len(rows.table) for rows in images])[:-1]
        folds = _folds(images)
        inputs = np.concatenate([rows.table for rows in images])
        self.stages_: list[list[Any]] = []
        for stage in range(self.n_stages):
            seed = self._seed + stage
            if stage == self.n_stages - 1:
                self.stages_.append(
                    [fit_rows(self.estimator, inputs, classes, weights, seed, self.n_jobs)]
                )
                return
            models = []
            scores = np.empty((len(inputs), self.n_classes_), np.float32)
            for fold in range(int(folds.max()) + 1):
                out = folds == fold
                seen = weights * ~out
                if not seen.any():
                    seen = weights  # all that is known lies in this fold
                models.append(fit_rows(self.estimator, inputs, classes, seen, seed, self.n_jobs))
                scores[out] = columns(models[-1], inputs[out], self.n_classes_)
            self.stages_.append(models)
            parts = zip(images, np.split(scores, ends), strict=True)
            inputs = np.concatenate([rows.context(part) for rows, part in parts])

    def _probabilities(self, image: Image) -> Array:
        rows = self._rows(image)
        return superpixels.spread(self._region_scores(rows), rows.regions)

    def _region_scores(self, rows: Rows) -> Array:
        """Probabilities of the superpixels of an image, (K, L)."""
        inputs = rows.table
        for models in self.stages_[:-1]:
            inputs = rows.context(_mean_columns(models, inputs, self.n_classes_))
        return _mean_columns(self.stages_[-1], inputs, self.n_classes_)

    def _rows(self, image: Image) -> Rows:
        return _image_rows(
            image, self.textons_, self.n_segments, self.compactness, tuple(self.features)
        )

    def _check_parameters(self) -> None:
        positive_int(self.n_segments, "n_segments")
        positive(self.compactness, "compactness")
        positive_int(self.n_textons, "n_textons")
        positive_int(self.n_stages, "n_stages")
        check_groups(self.features, GROUPS)


def _folds(images: list[LabelledRows]) -> NDArray[np.int64]:
    """The fold of each superpixel: runs of images, or parts of the only one."""
    sizes = [len(rows.table) for rows in images]
    groups = np.repeat(np.arange(len(images)), sizes) if len(images) > 1 else np.arange(sizes[0])
    n = int(groups[-1]) + 1
    return groups * min(_N_FOLDS, n) // n


def _image_rows(
    image: Image, textons: Textons, n_segments: int, compactness: float, groups: tuple[str, ...]
) -> Rows:
    regions = superpixels.slic(image, min(n_segments, image[..., 0].size), compactness)
    return Rows(*rows_of(image, regions, textons, groups), regions)


def _labelled_rows(
    image: Image, truth: NDArray[np.int32], n_classes: int, *settings: Any
) -> LabelledRows:
    rows = _image_rows(image, *settings)
    known = truth >= 0
    index = rows.regions[known].astype(np.int64) * n_classes + truth[known]
    counts = np.bincount(index, minlength=len(rows.table) * n_classes)
    return LabelledRows(rows.table, rows.surroundings, counts.reshape(-1, n_classes))


def _mean_columns(models: list[Any], rows: Array, n_classes: int) -> Array:
    found = [columns(model, rows, n_classes) for model in models]
    mean: Array = np.mean(found, axis=0, dtype=np.float32)
    return mean

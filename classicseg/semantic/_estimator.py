"""What the three estimators share: the door, class weights, folds, progress, scores."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from classicseg._checks import as_labels, as_uint8_image, non_negative, positive_int, void_label
from classicseg._progress import progress
from classicseg._settings import sequence_of
from classicseg.metrics import ConfusionMatrix

__all__ = ["ImageClassifier", "check_groups", "columns", "fit_rows", "over_images"]

Array = NDArray[np.float32]
Image = NDArray[np.uint8]
ClassWeight = Mapping[int, float] | str | float | None

# Small leaves let the trees separate rare classes by chance alone, and their weights do nothing.
_TREES = {"n_estimators": 60, "min_samples_leaf": 10}

# Seeds of images and stages are counted up from the first.
_SEEDS = 1 << 24


class ImageClassifier(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """scikit-learn's manners for images: a list of images is what a table is elsewhere.

    Subclasses define `_fit` and `_probabilities`, and set their parameters in `__init__`.
    """

    n_classes: int | None
    ignore_index: int | None
    class_weight: ClassWeight
    n_jobs: int | None
    random_state: int | np.random.RandomState | None
    progress: bool

    @abstractmethod
    def _fit(self, images: list[Image], labels: list[NDArray[np.int32]]) -> None: ...

    @abstractmethod
    def _probabilities(self, image: Image) -> Array: ...

    def fit(self, images: Sequence[ArrayLike], labels: Sequence[ArrayLike]) -> Self:
        """Learn from images and their labels.

        Parameters
        ----------
        images : list of (H, W, 3) or (H, W) arrays
            uint8, uint16, or floats in [0, 1]; of any sizes.
        labels : list of integer arrays, (H, W)
            0..L-1, or void, which is left out.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        TypeError, ValueError
            If the lists are none or differ in length, an image or a label array is unusable, a
            label is out of range, or fewer than two classes occur.
        """
        pictures, truths = self._checked(images, labels)
        self.classes_ = np.arange(self.n_classes_)
        self._fit(pictures, truths)
        return self

    def predict_proba(self, image: ArrayLike) -> Array:
        """Probability of each class at each pixel of one image.

        Parameters
        ----------
        image : (H, W, 3) or (H, W) array

        Returns
        -------
        (H, W, L) float32 array
            The last axis sums to 1. A class that no training pixel had gets 0.

        Raises
        ------
        TypeError, ValueError
            If the image is unusable.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self, "classes_")
        scores = np.maximum(self._probabilities(as_uint8_image(image)), 0)
        total = scores.sum(axis=-1, keepdims=True)
        scores += (total <= 0) / np.float32(scores.shape[-1])
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores.astype(np.float32, copy=False)

    def predict(self, image: ArrayLike) -> NDArray[np.int32]:
        """The likeliest class at each pixel of one image, (H, W) int32.

        Raises
        ------
        TypeError, ValueError
            If the image is unusable.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        best: NDArray[np.int32] = self.predict_proba(image).argmax(axis=-1).astype(np.int32)
        return best

    def score(self, images: Sequence[ArrayLike], labels: Sequence[ArrayLike]) -> float:
        """Mean IoU of `predict` over all images together; more in `classicseg.metrics`.

        Raises
        ------
        TypeError, ValueError
            As `fit`.
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self, "classes_")
        matrix = ConfusionMatrix(self.n_classes_, void_label(self.n_classes_, self.ignore_index))
        _same_length(images, labels)
        for image, truth in zip(images, labels, strict=True):
            matrix.update(truth, self.predict(image))
        return matrix.mean_iou

    def _checked(
        self, images: Sequence[ArrayLike], labels: Sequence[ArrayLike]
    ) -> tuple[list[Image], list[NDArray[np.int32]]]:
        """8-bit RGB images, and labels with -1 for void; sets `n_classes_`."""
        _same_length(images, labels)
        pictures = [as_uint8_image(image, name=f"images[{i}]") for i, image in enumerate(images)]
        truths = [
            as_labels(truth, f"labels[{i}]", picture.shape[:2])
            for i, (truth, picture) in enumerate(zip(labels, pictures, strict=True))
        ]
        if self.n_classes is None:
            void = 255 if self.ignore_index is None else self.ignore_index
            values = np.unique(np.concatenate([np.unique(truth) for truth in truths]))
            n_classes = int(values[values != void].max(initial=0)) + 1
        else:
            n_classes = positive_int(self.n_classes, "n_classes")
        void = void_label(n_classes, self.ignore_index)
        seen: set[int] = set()
        for i, truth in enumerate(truths):
            known = truth[truth != void]
            if known.size and (high := int(known.max())) >= n_classes:
                raise ValueError(
                    f"labels[{i}] holds {high}, expected 0..{n_classes - 1} or {void} for void"
                )
            seen.update(np.unique(known).tolist())
            truths[i] = np.where(truth == void, -1, truth).astype(np.int32)
        if len(seen) < 2:
            raise ValueError(
                f"labels hold {len(seen)} classes beside void ({sorted(seen)}), expected at least 2"
            )
        self.n_classes_ = n_classes
        return pictures, truths

    def _first_seed(self) -> int:
        """Drawn from `random_state`; the next `_SEEDS` ones are free as well."""
        try:
            generator = check_random_state(self.random_state)
        except (TypeError, ValueError) as error:
            raise type(error)(f"random_state is {self.random_state!r}: {error}") from None
        return int(generator.randint(2**31 - _SEEDS))

    def _row_weights(self, classes: NDArray[Any], amounts: Array) -> Array:
        """Weights of rows: their amounts, times those of their classes."""
        total = np.bincount(classes, amounts, self.n_classes_)
        setting = self.class_weight
        if setting is None:
            of_class = np.ones(self.n_classes_)
        elif isinstance(setting, Mapping):
            unknown = set(setting) - set(range(self.n_classes_))
            if unknown:
                raise ValueError(f"class_weight names {unknown}, expected 0..{self.n_classes_ - 1}")
            of_class = np.array(
                [
                    non_negative(setting.get(c, 1.0), f"class_weight[{c}]")
                    for c in range(self.n_classes_)
                ]
            )
        else:
            if isinstance(setting, str) and setting != "balanced":
                raise ValueError(
                    f"class_weight is {setting!r}, expected 'balanced', a power, a dict or None"
                )
            power = 1.0 if isinstance(setting, str) else non_negative(setting, "class_weight")
            of_class = np.maximum(total, 1e-12) ** -power
        weights = amounts * of_class[classes]
        if not weights.sum() > 0:
            raise ValueError("class_weight leaves no training pixel with a weight above 0")
        scaled: Array = (weights / weights.mean()).astype(np.float32)
        return scaled


def check_groups(features: Sequence[str], groups: tuple[str, ...]) -> tuple[str, ...]:
    """The groups of features that are wanted, of those that there are."""
    given = sequence_of(features, "features", f"some of {groups}")
    if not given or not all(isinstance(name, str) and name in groups for name in given):
        raise ValueError(f"features is {features!r}, expected some of {groups}")
    return given


def fit_rows(
    estimator: Any | None,
    rows: Array,
    classes: NDArray[Any],
    weights: Array,
    seed: int,
    n_jobs: int | None,
) -> Any:
    """A clone of the classifier (default: extremely randomised trees), fitted to weighted rows."""
    kept = weights > 0
    if not kept.all():
        rows, classes, weights = rows[kept], classes[kept], weights[kept]
    if np.all(classes == classes[0]):  # a fold may hold one class only, which many refuse
        return DummyClassifier(strategy="prior").fit(rows, classes)
    model = ExtraTreesClassifier(**_TREES) if estimator is None else clone(estimator)
    settings = model.get_params()
    if "n_jobs" in settings and estimator is None:
        model.set_params(n_jobs=n_jobs)
    if settings.get("random_state", 0) is None:
        model.set_params(random_state=seed)
    if has_fit_parameter(model, "sample_weight"):
        return model.fit(rows, classes, sample_weight=weights)
    return model.fit(rows, classes)


def columns(model: Any, rows: Array, n_classes: int) -> Array:
    """Probabilities (N, n_classes) of the rows, 0 for a class that the model has not seen."""
    scores = np.zeros((len(rows), n_classes), np.float32)
    scores[:, np.asarray(model.classes_, np.int64)] = model.predict_proba(rows)
    return scores


def over_images(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    title: str,
    n_jobs: int | None,
    show: bool,
) -> list[Any]:
    """`function(*task)` for each image, in processes, with a bar where someone looks."""
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    results = parallel(delayed(function)(*task) for task in tasks)
    if not show:
        return list(results)
    done = []
    with progress(title) as move:
        for result in results:
            done.append(result)
            move(len(done), len(tasks))
    return done


def _same_length(images: Sequence[ArrayLike], labels: Sequence[ArrayLike]) -> None:
    for name, value in (("images", images), ("labels", labels)):
        if not isinstance(value, list | tuple):
            raise TypeError(
                f"{name} is a {type(value).__name__}, expected a list of arrays; put one image "
                f"into a list"
            )
    if len(images) != len(labels):
        raise ValueError(f"images holds {len(images)} and labels {len(labels)}, expected as many")
    if not images:
        raise ValueError("images is empty, expected at least one image")

"""Classifiers that are fitted to a training set before a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from classicseg import io
from classicseg.compare.evidence import fitted
from classicseg.datasets import Dataset

__all__ = ["fit_classifiers"]


def fit_classifiers(
    evidence: Iterable[str], train: Dataset | None, images: Dataset, folder: Path, seed: int
) -> dict[str, Callable[..., Any]]:
    """Fit what ends in ``:train``, and give the evidence that reads it from the folder.

    A file that is there already, of a run that was interrupted, is used as it is.
    """
    kinds = [name.partition(":")[0] for name in evidence if name.endswith(":train")]
    files = {kind: folder / f"{kind}.joblib" for kind in kinds}
    missing = {kind: path for kind, path in files.items() if not path.is_file()}
    if missing:
        assert train is not None  # checked with the names
        if train.n_classes != images.n_classes:
            raise ValueError(
                f"train has {train.n_classes} classes, expected {images.n_classes} as in the data"
            )
        items = list(train)
        pictures = [item.image for item in items]
        labels = [np.where(item.labels == train.void, 255, item.labels) for item in items]
        for kind, path in missing.items():
            model = _estimator(kind, images.n_classes, seed).fit(pictures, labels)
            with io.atomic(path) as file:
                joblib.dump(model, file, compress=3)
    return {f"{kind}:train": partial(fitted, str(path.resolve())) for kind, path in files.items()}


def _estimator(kind: str, n_classes: int, seed: int) -> Any:
    from classicseg import semantic

    made = {"superpixels": semantic.SuperpixelClassifier, "patches": semantic.PatchClassifier}[kind]
    return made(n_classes=n_classes, random_state=seed)

"""Good arguments: float16, float32 and float64 hold their values alike, so that answers compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicseg import densecrf, grabcut

__all__ = [
    "BILATERAL",
    "COLOURS",
    "COST",
    "CRF",
    "CUT",
    "FIELD",
    "GMM",
    "GREY",
    "IMAGE",
    "IMAGES",
    "INSIDE",
    "LABELS",
    "MAP",
    "MASK",
    "MEAN_FIELD",
    "MIXTURE",
    "NODES",
    "PAIR",
    "PAIRS",
    "POINTS",
    "PROBABILITIES",
    "RANGE",
    "REGIONS",
    "SEEDS",
    "STRENGTHS",
    "THREADS",
    "TRIMAP",
    "TWO",
    "UNARY",
    "VOLUME",
    "WEIGHTS",
    "Call",
    "H",
    "L",
    "W",
]


@dataclass(frozen=True)
class Call:
    """A public function and arguments that it takes."""

    name: str  # below classicseg
    function: Callable[..., Any]
    arrays: dict[str, NDArray[Any]]
    others: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)  # what else errors call an argument
    same_in_double: bool = True  # float64 gives what float32 does
    slow: bool = False  # few of the cases are enough


H, W, L = 10, 12, 3
_noise = np.random.default_rng(9)
_y, _x = np.mgrid[:H, :W]
INSIDE = (abs(_y - 4) < 3) & (abs(_x - 6) < 4)
IMAGE = ((INSIDE * 120)[..., None] + _noise.integers(0, 60, (H, W, 3))).astype(np.float32) / 256
GREY = IMAGE[..., 0].copy()
VOLUME = np.stack([GREY, GREY[::-1], GREY[:, ::-1]])
MASK = INSIDE.copy()
LABELS = (INSIDE + 2 * (_y > 7)).astype(np.int32)
REGIONS = (_y // 4 * 3 + _x // 4).astype(np.int32)
TRIMAP = np.where(INSIDE, 3, 0).astype(np.uint8)
TRIMAP[4, 6] = 1
SEEDS = np.zeros((H, W), np.uint8)
SEEDS[0], SEEDS[4, 4:8] = 1, 2
MAP = _noise.integers(0, 64, (H, W)).astype(np.float32) / 64
UNARY = _noise.integers(0, 64, (H, W, L)).astype(np.float32) / 16
TWO = UNARY[..., :2].copy()
PROBABILITIES = np.full((H, W, L), 0.25, np.float32)
np.put_along_axis(PROBABILITIES, UNARY.argmin(-1)[..., None], 0.5, -1)
WEIGHTS = _noise.integers(0, 32, (H, W)).astype(np.float32) / 8
NODES = np.ascontiguousarray(UNARY[0])
PAIRS = np.array([[i, i + 1] for i in range(W - 1)] + [[0, 5]], np.int64)
STRENGTHS = (np.arange(len(PAIRS)) % 5 + 1).astype(np.float32) / 4
COST = np.abs(np.subtract.outer(np.arange(L), np.arange(L))).astype(np.float32)
POINTS = np.array([[2.0, 3.0], [7.0, 4.0], [5.0, 8.0]])
COLOURS = IMAGE.reshape(-1, 3) * 256
GMM = grabcut.fit_gmm(COLOURS, 2)
BILATERAL = densecrf.BilateralKernel(4.0, 20.0, 2.0)
CRF = densecrf.DenseCRF([densecrf.GaussianKernel(1.0, 1.0), BILATERAL])
MEAN_FIELD = CRF.infer(UNARY, IMAGE, 2)
THREADS = {"n_threads": 1}
IMAGES = {"image": IMAGE}
RANGE = {"data_range": (0.0, 1.0)}
PAIR = {"truth": LABELS, "labels": LABELS[::-1].copy()}
CUT: dict[str, Any] = {
    "gamma": 5.0,
    "beta": 1.5,
    "connectivity": 8,
    "spacing": (1.0, 2.0),
} | RANGE
MIXTURE = {"n_components": 2, "rng": 0}
FIELD = {"n_iterations": 2, "tol": 0.001, "free_energy": True, "n_threads": 1}

"""The same inference by the authors' code, for comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicseg._checks import as_uint8_image
from classicseg._settings import one_of
from classicseg.densecrf._crf import DenseCRF
from classicseg.densecrf._kernels import BilateralKernel, GaussianKernel
from classicseg.densecrf._mean_field import MeanField

ENGINES = ("native", "pydensecrf")


def check_engine(engine: str) -> None:
    one_of(engine, ENGINES, "engine")


def refine_with_pydensecrf(
    unary: NDArray[np.float32],
    image: ArrayLike,
    crf: DenseCRF,
    n_iterations: int,
    data_range: tuple[float, float] | None,
) -> MeanField:
    """Mean field of a CRF with Potts' compatibility on an 8-bit image."""
    try:
        from pydensecrf import densecrf
    except ImportError:
        raise ImportError(
            "engine='pydensecrf' needs pydensecrf2: pip install 'classicseg[peers]'"
        ) from None
    pixels = as_uint8_image(image, data_range=data_range)
    if unary.ndim != 3 or pixels.shape[:2] != unary.shape[:2]:
        raise ValueError(
            f"engine='pydensecrf' takes 2-D images: image has shape {np.shape(image)}, the "
            f"probabilities {unary.shape}"
        )
    height, width, n_labels = unary.shape
    peer = densecrf.DenseCRF2D(width, height, n_labels)
    peer.setUnaryEnergy(np.ascontiguousarray(unary.reshape(-1, n_labels).T))
    for kernel in crf.kernels:
        if isinstance(kernel, GaussianKernel):
            peer.addPairwiseGaussian(sxy=kernel.theta_gamma, compat=kernel.weight)
        elif isinstance(kernel, BilateralKernel):
            peer.addPairwiseBilateral(
                sxy=kernel.theta_alpha, srgb=kernel.theta_beta, rgbim=pixels, compat=kernel.weight
            )
    found = np.array(peer.inference(n_iterations), np.float32).reshape(n_labels, height, width)
    probabilities = np.ascontiguousarray(np.moveaxis(found, 0, -1))
    labels = probabilities.argmax(axis=-1).astype(np.int32)
    return MeanField(labels, probabilities, n_iterations)

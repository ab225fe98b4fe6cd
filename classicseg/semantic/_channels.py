"""What is computed at each pixel: colour, a bank of filters, textons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from sklearn.cluster import MiniBatchKMeans

from classicseg._lab import lab
from classicseg.semantic._estimator import over_images

__all__ = ["N_SMOOTHED", "Textons", "filter_bank"]

Array = NDArray[np.float32]
# The bank of Winn, Criminisi & Minka, Object categorization by learned universal visual dictionary,
# 2005, doi:10.1109/ICCV.2005.171: Gaussians of L, a and b, Laplacians and both derivatives of L.
_GAUSSIANS = (1.0, 2.0, 4.0)
_LAPLACIANS = (1.0, 2.0, 4.0, 8.0)
_DERIVATIVES = (2.0, 4.0)
N_SMOOTHED = 3 * len(_GAUSSIANS)  # so many of the responses are colours, the others texture
# Pixels of one image that teach the textons.
_PIXELS_PER_IMAGE = 500
# Pixels whose distances to all textons are in memory at a time.
_BLOCK = 1 << 16


def filter_bank(colors: Array) -> Array:
    """Responses of 17 filters to Lab, (H, W, 17), all of the order of the steps that they see."""
    planes = [np.ascontiguousarray(colors[:, :, channel]) for channel in range(3)]
    light = planes[0]
    count = N_SMOOTHED + len(_LAPLACIANS) + 2 * len(_DERIVATIVES)
    responses = np.empty((*light.shape, count), np.float32)
    column = 0
    for sigma in _GAUSSIANS:
        for plane in planes:
            responses[..., column] = ndimage.gaussian_filter(plane, sigma)
            column += 1
    for sigma in _LAPLACIANS:
        responses[..., column] = sigma**2 * ndimage.gaussian_laplace(light, sigma)
        column += 1
    for sigma in _DERIVATIVES:
        for order in ((0, 1), (1, 0)):
            responses[..., column] = sigma * ndimage.gaussian_filter(light, sigma, order=order)
            column += 1
    return responses


class Textons:
    """Typical filter responses, found by k-means; each pixel is named after the closest one."""

    def __init__(
        self,
        images: list[NDArray[np.uint8]],
        n_textons: int,
        seed: int,
        n_jobs: int | None,
        progress: bool,
    ) -> None:
        tasks = [(image, seed + i) for i, image in enumerate(images)]
        rows = np.concatenate(over_images(_sample, tasks, "textons", n_jobs, progress))
        self.mean = rows.mean(axis=0)
        self.scale = np.maximum(rows.std(axis=0), np.float32(1e-3))
        rows = (rows - self.mean) / self.scale
        k = min(n_textons, len(np.unique(rows, axis=0)))
        means = MiniBatchKMeans(k, random_state=seed, n_init=1, batch_size=4096).fit(rows)
        self.centers: Array = means.cluster_centers_.astype(np.float32)

    def __len__(self) -> int:
        return len(self.centers)

    def assign(self, responses: Array) -> NDArray[np.int32]:
        """Index of the closest texton, (H, W)."""
        flat = responses.reshape(-1, responses.shape[-1])
        closest = np.empty(len(flat), np.int32)
        lengths = (self.centers**2).sum(axis=1)
        for start in range(0, len(flat), _BLOCK):
            rows = (flat[start : start + _BLOCK] - self.mean) / self.scale
            closest[start : start + _BLOCK] = (lengths - 2 * (rows @ self.centers.T)).argmin(axis=1)
        return closest.reshape(responses.shape[:-1])


def _sample(image: NDArray[np.uint8], seed: int) -> Array:
    """Responses at a few pixels of an image."""
    responses = filter_bank(lab(image))
    flat = responses.reshape(-1, responses.shape[-1])
    count = min(_PIXELS_PER_IMAGE, len(flat))
    return flat[np.sort(np.random.default_rng(seed).choice(len(flat), count, replace=False))]

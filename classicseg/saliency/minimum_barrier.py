"""Minimum barrier salient object detection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from classicseg._kernels import ext
from classicseg._lab import lab
from classicseg._settings import yes_or_no
from classicseg.saliency._scale import Colors, Map, enlarged, shrunk, stretched

# The paper's settings.
_SIDE = 300
_PASSES = 3
_RIM = 0.1  # of each side, for the colours of the background
_ALPHA = 20.0  # the smoothing's reach is alpha times the root of the map's mean
_CONTRAST = 10.0
# Lab differences that are rounding, not contrast.
_NOISE = 0.5


def minimum_barrier(
    image: ArrayLike,
    *,
    background: bool = True,
    postprocess: bool = True,
    n_threads: int | None = None,
) -> Map:
    """Salient objects by the contrast that one has to cross on the way from the image's rim.

    The minimum barrier distance of a pixel is the least range of values, highest minus lowest,
    along any path to the rim. It is found approximately by three raster scans in each channel of
    CIE Lab.

    Parameters
    ----------
    image : array, (H, W) or (H, W, 3)
        uint8, uint16, or floats in [0, 1]; sRGB. The method works at 300 pixels along the longer
        side, as in the paper.
    background : bool
        Add how much the colour differs from those at the image's four edges (the paper's "MB+").
        It finds objects that touch an edge.
    postprocess : bool
        Smooth the map by morphological reconstruction, which keeps its outlines, weight it towards
        the centre, and raise its contrast. Default, as in the paper.
    n_threads : int, optional
        For large images, which have to be made smaller. The result does not depend on it, and the
        scans run on one.

    Returns
    -------
    (H, W) float32 array
        In [0, 1]; all 0 for an image of one colour.

    Raises
    ------
    TypeError, ValueError
        If `image` is no image.

    References
    ----------
    Zhang, Sclaroff, Lin, Shen, Price & Mech, Minimum Barrier Salient Object Detection at 80 FPS,
    2015, doi:10.1109/ICCV.2015.165.
    Vincent, Morphological Grayscale Reconstruction in Image Analysis, 1993, doi:10.1109/83.217222.

    Examples
    --------
    >>> from classicseg import saliency
    >>> image = np.zeros((40, 60, 3))
    >>> image[10:20, 20:30] = (1, 0, 0)
    >>> saliency.minimum_barrier(image)[[15, 30], [25, 50]].round(2)
    array([0.97, 0.  ], dtype=float32)
    """
    yes_or_no(background, "background")
    yes_or_no(postprocess, "postprocess")
    colors = lab(shrunk(image, _SIDE, n_threads))
    values = stretched(barrier_distance(colors), _NOISE)
    if background:
        values = stretched(values + edge_contrast(colors))
    if postprocess:
        values = enhanced(values)
    return enlarged(values, image, n_threads)


def barrier_distance(colors: Colors) -> Map:
    """Sum over the channels of the minimum barrier distance to the image's rim."""
    seeds = np.ones(colors.shape[:2], np.uint8)
    seeds[1:-1, 1:-1] = 0
    distance = np.empty(colors.shape[:2], np.float32)
    ext.minimum_barrier(colors, seeds, _PASSES, distance)
    return distance


def edge_contrast(colors: Colors) -> Map:
    """How unlike a colour is to those along three of the image's four edges.

    For each edge the Mahalanobis distance from its strip's colours, with 1 at the most different
    pixel; of the four maps the highest value is left out, because the object may lie on one edge.
    """
    height, width = colors.shape[:2]
    rows, columns = max(1, round(_RIM * height)), max(1, round(_RIM * width))
    strips = (colors[:rows], colors[-rows:], colors[:, :columns], colors[:, -columns:])
    whitened = [_whitening(strip.reshape(-1, 3)) for strip in strips]
    # All four at once: one product, not four, over many pixels of few numbers.
    deviations = np.vstack([matrix for matrix, _ in whitened]) @ colors.reshape(-1, 3).T
    deviations -= np.concatenate([mean for _, mean in whitened])[:, np.newaxis]
    deviations *= deviations
    squares = deviations[::3] + deviations[1::3] + deviations[2::3]
    distances = np.sqrt(squares, out=squares)
    distances /= np.maximum(distances.max(axis=1, keepdims=True), _NOISE)
    return stretched(distances.sum(axis=0) - distances.max(axis=0)).reshape(height, width)


def enhanced(values: Map) -> Map:
    """The paper's post-processing of a map in [0, 1]: smoothing, centredness, contrast."""
    reach = _ALPHA * float(np.sqrt(values.mean(dtype=np.float64)))
    size = max(1, round(reach))
    opened = _reconstructed(ndimage.minimum_filter(values, size), values)
    smooth = -_reconstructed(-ndimage.maximum_filter(opened, size), -opened)
    height, width = values.shape
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, np.newaxis]
    x = np.arange(width, dtype=np.float32) + np.float32(0.5 - width / 2)
    centredness = 1 - np.hypot(x, y) / np.hypot(height / 2, width / 2)
    return contrasted(stretched(smooth * centredness))


def contrasted(values: Map) -> Map:
    """A map in [0, 1] with its middle drawn apart, by the paper's sigmoid."""
    return stretched(1 / (1 + np.exp(_CONTRAST * (0.5 - values))))


def _whitening(sample: Colors) -> tuple[Colors, Colors]:
    """The matrix that makes a sample's covariance the identity, and the sample's mean after it."""
    mean = sample.mean(axis=0, dtype=np.float64)
    # A strip of one colour has no spread: one unit of Lab is no contrast in any case.
    covariance = np.cov(sample, rowvar=False, bias=True) + np.eye(3)
    matrix = np.linalg.inv(np.linalg.cholesky(covariance))
    return matrix.astype(np.float32), (matrix @ mean).astype(np.float32)


def _reconstructed(marker: Map, mask: Map) -> Map:
    values = np.ascontiguousarray(marker)
    ext.reconstruct(np.ascontiguousarray(mask), values)
    return values

"""An evidence and an inference of one's own, for `classicseg compare`."""

import numpy as np
from scipy import ndimage

from classicseg import compare


def reddish(task: compare.Task) -> compare.Evidence:
    """The redder, the likelier foreground."""
    task.needs_two_classes("reddish")
    red, green, blue = np.moveaxis(task.image.astype(np.float32) / 255, 2, 0)
    unary = 4 * np.stack([np.maximum(red - np.maximum(green, blue), 0), np.full_like(red, 0.1)], -1)
    return compare.Evidence(unary, gamma=2.0)


def opened(task: compare.Task, evidence: compare.Evidence) -> np.ndarray:
    """Each pixel for itself, then what is thinner than five pixels goes."""
    return ndimage.binary_opening(evidence.unary.argmin(axis=2), np.ones((5, 5)))

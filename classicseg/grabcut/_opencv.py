"""The same by OpenCV, for comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["OpenCVModels"]


class OpenCVModels:
    """OpenCV's two mixtures over one image; `fresh` until they have been learned."""

    background = foreground = None  # it keeps them to itself

    def __init__(self, image: NDArray[np.uint8], rng: np.random.Generator) -> None:
        try:
            import cv2
        except ImportError:
            raise ImportError(
                "engine='opencv' needs OpenCV: pip install opencv-python (or the headless or "
                "contrib build, one of them only)"
            ) from None
        self._cv2: Any = cv2
        self._image = np.ascontiguousarray(image[..., ::-1])
        self._background = np.zeros((1, 65))
        self._foreground = np.zeros((1, 65))
        self._seed = int(rng.integers(2**31))
        self.fresh = True

    def learn_and_cut(self, trimap: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], None]:
        """One round; the first one of a start runs k-means."""
        if self.fresh:
            self._cv2.setRNGSeed(self._seed)
        mode = self._cv2.GC_INIT_WITH_MASK if self.fresh else self._cv2.GC_EVAL
        self.fresh = False
        return self._run(trimap, mode), None

    def refine(self, trimap: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], None]:
        """A cut with the present mixtures, once there are some."""
        return self._run(trimap, self._cv2.GC_EVAL_FREEZE_MODEL), None

    def restart(self, rng: np.random.Generator | None = None) -> None:
        self.fresh = True

    def paint(self, window: tuple[slice, slice], freed: bool) -> None:
        """Nothing is kept from one cut to the next."""

    def _run(self, trimap: NDArray[np.uint8], mode: int) -> NDArray[np.uint8]:
        result = trimap.copy()
        self._cv2.grabCut(self._image, result, None, self._background, self._foreground, 1, mode)
        return result

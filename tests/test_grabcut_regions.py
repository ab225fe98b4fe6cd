"""GrabCut over superpixels."""

from __future__ import annotations

import numpy as np
import pytest

from classicseg import grabcut, samples, superpixels

PHOTO = samples.load("coffee")
IMAGE = np.ascontiguousarray(PHOTO.image[::4, ::4])
RECT = tuple(v // 4 for v in PHOTO.rect)


@pytest.mark.parametrize("start", ["rect", "trimap"])
def test_over_single_pixels_it_is_grabcut(start: str) -> None:
    trimap = np.zeros(IMAGE.shape[:2], np.uint8)
    x, y, width, height = RECT
    trimap[y : y + height, x : x + width] = 3
    trimap[y + height // 2, x + width // 2] = 1
    value = RECT if start == "rect" else trimap
    pixels = np.arange(trimap.size, dtype=np.int32).reshape(trimap.shape)
    found = grabcut.segment(IMAGE, **{start: value}, regions=pixels, max_iter=4, rng=3)
    expected = grabcut.segment(IMAGE, **{start: value}, max_iter=4, rng=3)
    assert (found != expected).mean() < 1e-3
    assert 0.02 < found.mean() < 0.9


def test_regions_agree_in_themselves_and_with_hard_pixels() -> None:
    regions = superpixels.slic(IMAGE, 150)
    found = grabcut.segment(IMAGE, RECT, regions=regions)
    x, y, width, height = RECT
    inside = np.zeros(found.shape, bool)
    inside[y : y + height, x : x + width] = True
    assert not found[~inside].any()
    for region in range(regions.max() + 1):
        assert len(np.unique(found[(regions == region) & inside])) <= 1
    truth = PHOTO.mask[::4, ::4] == 1
    assert (found & truth).sum() > 0.75 * (found | truth).sum()


def test_one_side_alone() -> None:
    regions = np.zeros((6, 7), np.int32)
    image = np.zeros((6, 7, 3), np.uint8)
    for label in (0, 1):
        trimap = np.full((6, 7), label, np.uint8)
        with pytest.warns(UserWarning, match="to learn from"):
            found = grabcut.segment(image, trimap=trimap, regions=regions)
        assert (found == label).all()


def test_what_does_not_fit_is_named() -> None:
    regions = np.zeros(IMAGE.shape[:2], np.int32)
    with pytest.raises(ValueError, match="regions has shape"):
        grabcut.segment(IMAGE, RECT, regions=regions[1:])
    with pytest.raises(ValueError, match="regions holds the value -1"):
        grabcut.segment(IMAGE, RECT, regions=regions - 1)
    with pytest.raises(ValueError, match="segment got 0 starts"):
        grabcut.segment(IMAGE, regions=regions)
    with pytest.raises(ValueError, match="engine is 'opencv'"):
        grabcut.segment(IMAGE, RECT, regions=regions, engine="opencv")

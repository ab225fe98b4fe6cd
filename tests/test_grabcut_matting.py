"""Border matting: composites of known opacity, exact paths, odd masks, closed-form matting."""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from scipy.stats import norm

from classicseg import samples
from classicseg.grabcut import GrabCut, alpha, cutout
from classicseg.grabcut._border import _data_term, border_of
from classicseg.grabcut._ribbon import ribbon_of
from classicseg.grabcut._step_path import best_path

Array = np.ndarray[Any, Any]


def texture(rng: np.random.Generator, colour: tuple[int, int, int], strength: float) -> Array:
    noise = ndimage.gaussian_filter(rng.normal(size=(120, 140, 3)), (2, 2, 0))
    return np.clip(np.array(colour) + strength * noise / noise.std(), 0, 255)


def composite(
    rng: np.random.Generator, blur: float, strength: float = 12
) -> tuple[Array, Array, Array]:
    """A disc, anti-aliased and blurred, over another texture: image, opacity, foreground."""
    y, x = (((np.arange(8 * n) + 0.5) / 8 - 0.5) for n in (120, 140))
    disc = (y[:, None] - 60.2) ** 2 + (x - 69.7) ** 2 < 38.3**2
    opacity = disc.reshape(120, 8, 140, 8).mean(axis=(1, 3))
    if blur > 0:
        opacity = ndimage.gaussian_filter(opacity, blur)
    foreground = texture(rng, (200, 120, 60), strength)
    background = texture(rng, (60, 90, 160), strength)
    mixed = opacity[..., None] * foreground + (1 - opacity[..., None]) * background
    return np.rint(mixed).astype(np.uint8), opacity, foreground


# Mean absolute errors in the ribbon; the hard mask's are 0.020, 0.035, 0.069, 0.135 and 0.197.
@pytest.mark.parametrize(
    ("blur", "largest"), [(0, 0.008), (0.5, 0.012), (1, 0.018), (2, 0.025), (3, 0.035)]
)
def test_opacities_of_composites(blur: float, largest: float, rng: np.random.Generator) -> None:
    image, truth, _ = composite(rng, blur)
    mask = truth > 0.5
    found = alpha(image, mask)
    ribbon = ribbon_of(mask)
    here = ribbon.rows, ribbon.columns
    error = np.abs(found - truth)[here].mean()
    hard = np.abs(mask - truth)[here].mean()
    assert error < largest and error < 0.35 * hard
    outside = np.ones(mask.shape, bool)
    outside[here] = False
    np.testing.assert_array_equal(found[outside], mask[outside])
    # The same place as the mask's: a pixel farther than one from the contour is on its side.
    away = np.abs(ribbon.distance) > 1
    np.testing.assert_array_equal((found > 0.5)[here][away], mask[here][away])


def test_a_mask_that_is_off_by_two_pixels_is_put_right(rng: np.random.Generator) -> None:
    image, truth, _ = composite(rng, 0.5)
    for grown in (ndimage.binary_dilation, ndimage.binary_erosion):
        mask = grown(truth > 0.5, iterations=2)
        error = np.abs(alpha(image, mask) - truth).sum()
        assert error < 0.25 * np.abs(mask - truth).sum()


@pytest.mark.parametrize("blur", [0.5, 1, 2, 3])
def test_colours_carry_no_tint_of_the_background(blur: float, rng: np.random.Generator) -> None:
    image, truth, foreground = composite(rng, blur)
    found = cutout(image, truth > 0.5).astype(float)
    mixed = (truth > 0.05) & (truth < 0.95)
    tint = (image - foreground)[mixed].mean(axis=0)
    assert np.abs(tint).max() > 40  # what a cut-out with the image's colours would show
    rest = (found[..., :3] - foreground)[mixed]
    assert np.abs(rest.mean(axis=0)).max() < 4
    assert np.abs(rest).mean() < 0.3 * np.abs(image - foreground)[mixed].mean()
    whole = found[..., 3] == 255
    np.testing.assert_array_equal(found[whole][:, :3], image[whole])
    far = ndimage.distance_transform_edt(truth <= 0.5) > 8
    assert not found[far].any()


def brute_force(unary: Array, first: Array, second: Array, closed: bool) -> float:
    length, a, b = unary.shape
    best = np.inf
    for path in itertools.product(itertools.product(range(a), range(b)), repeat=length):
        cost = sum(float(unary[t, i, j]) for t, (i, j) in enumerate(path))
        pairs = zip(path, path[1:] + path[:1] if closed else path[1:], strict=False)
        cost += sum(first[i, k] + second[j, m] for (i, j), (k, m) in pairs)
        best = min(best, cost)
    return best


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(("length", "states"), [(1, (3, 4)), (2, (3, 4)), (3, (2, 5)), (6, (2, 2))])
def test_paths_are_the_best_ones(
    length: int, states: tuple[int, int], closed: bool, rng: np.random.Generator
) -> None:
    first, second = (np.subtract.outer(np.arange(n), np.arange(n)) ** 2.0 for n in states)
    for weight in (0, 0.1, 0.3, 1, 5):
        for _ in range(4):
            unary = rng.normal(size=(length, *states)).astype(np.float32)
            path, cost = best_path(unary, weight * first, 0.5 * weight * second, closed)
            expected = brute_force(unary, weight * first, 0.5 * weight * second, closed)
            assert cost == pytest.approx(expected, abs=1e-5)
            assert path.shape == (length, 2)
            a, b = path.T
            own = unary[np.arange(length), a, b].sum()
            after = (np.roll(a, -1), np.roll(b, -1)) if closed else (a[1:], b[1:])
            a, b = (a, b) if closed else (a[:-1], b[:-1])
            own += weight * (first[a, after[0]] + 0.5 * second[b, after[1]]).sum()
            assert own == pytest.approx(expected, abs=1e-5)


def test_the_data_term_is_that_of_the_paper(rng: np.random.Generator) -> None:
    """Against the formula with the windows' pixels gathered one by one."""
    image, truth, _ = composite(rng, 1)
    mask = truth > 0.5
    pixels = image.astype(np.float32)
    border = border_of(pixels, mask)
    assert border is not None
    ribbon = border.ribbon
    unary = _data_term(border)
    sure = np.ones(mask.shape, bool)
    sure[ribbon.rows, ribbon.columns] = False
    spreads, centres = np.linspace(0.3, 3, 10), np.linspace(-3, 3, 30)
    for t in range(0, len(ribbon.points), 29):
        y, x = np.rint(ribbon.points[t]).astype(int)
        window = slice(max(0, y - 20), y + 21), slice(max(0, x - 20), x + 21)
        sides = [image[window][sure[window] & (mask[window] == side)] for side in (False, True)]
        means = [side.mean(axis=0) for side in sides]
        spans = [np.cov(side.T, bias=True) + 4 * np.eye(3) for side in sides]
        expected = np.zeros((10, 30))
        for n in np.flatnonzero(ribbon.nearest == t):
            colour = pixels[ribbon.rows[n], ribbon.columns[n]]
            for i, j in itertools.product((0, 4, 9), (0, 10, 15, 29)):
                ends = [(d - centres[j]) / spreads[i] for d in (-6, ribbon.distance[n], 6)]
                low, at, high = norm.cdf(ends)
                a = (at - low) / (high - low)
                covariance = (1 - a) ** 2 * spans[0] + a**2 * spans[1]
                offset = colour - (1 - a) * means[0] - a * means[1]
                expected[i, j] += offset @ np.linalg.solve(covariance, offset) / 2
                expected[i, j] += np.log(np.linalg.det(covariance) / np.linalg.det(spans[0])) / 2
        # Opacities and distances are tabulated: to some parts in a hundred.
        at = np.ix_((0, 4, 9), (0, 10, 15, 29))
        np.testing.assert_allclose(unary[t][at], expected[at], rtol=0.05, atol=3)


def test_distances_to_the_contour() -> None:
    y, x = np.mgrid[:80, :90]
    for radius in (12, 25.5):
        mask = np.hypot(y - 40, x - 44) < radius
        ribbon = ribbon_of(mask)
        exact = radius - np.hypot(ribbon.rows - 40, ribbon.columns - 44)
        assert np.abs(ribbon.distance - exact).max() < 0.75
        assert np.abs(ribbon.distance - exact).std() < 0.25
        assert [contour.closed for contour in ribbon.contours] == [True]
        assert (np.diff(ribbon.nearest) >= 0).all()
    slope = y * 5 < x * 2 + 60  # a straight line, whose staircase is smoothed
    ribbon = ribbon_of(slope)
    assert [contour.closed for contour in ribbon.contours] == [False]
    exact = (2 * ribbon.columns + 60 - 5 * ribbon.rows) / np.hypot(2, 5)
    error = ribbon.distance - exact
    assert error.std() < 0.1


@pytest.mark.parametrize("turn", ["up-down", "left-right", "transposed", "turned"])
def test_flipped_images_have_flipped_opacities(turn: str, rng: np.random.Generator) -> None:
    image, truth, _ = composite(rng, 1)
    mask = truth > 0.5
    mask[20:30, 60:70] = False  # corners
    turns = {
        "up-down": np.flipud,
        "left-right": np.fliplr,
        "transposed": lambda a: np.swapaxes(a, 0, 1),
        "turned": np.rot90,
    }
    there = turns[turn]
    here = there(alpha(image, mask))
    error = np.abs(alpha(there(image), there(mask)) - here)
    # Pixels as near to one contour point as to another may count for either.
    assert error.max() < 0.1 and error.mean() < 1e-4


def test_results_are_the_same_each_time(rng: np.random.Generator) -> None:
    image, truth, _ = composite(rng, 1)
    first = cutout(image, truth > 0.5)
    np.testing.assert_array_equal(cutout(image.copy(), truth > 0.5), first)
    other = np.asfortranarray(image.astype(np.uint16) * 257)
    np.testing.assert_array_equal(cutout(other, truth > 0.5), first)


def odd_masks() -> list[Array]:
    masks = []
    for shape in [(1, 1), (2, 1), (1, 40), (40, 1), (2, 2), (3, 3), (20, 25)]:
        masks += [np.zeros(shape, bool), np.ones(shape, bool)]
        one = np.zeros(shape, bool)
        one[0, 0] = True
        middle = np.zeros(shape, bool)
        middle[shape[0] // 2, shape[1] // 2] = True
        masks += [one, ~one, middle, ~middle]
        masks += [np.indices(shape).sum(axis=0) % 2 == 0]
    y, x = np.mgrid[:50, :60]
    rings = (np.hypot(y - 25, x - 30) // 5).astype(int) % 2 == 0  # holes in holes
    two = (np.hypot(y - 20, x - 5) < 12) | (np.hypot(y - 35, x - 50) < 9)
    lines = np.zeros((50, 60), bool)
    lines[10], lines[:, 20], lines[30:32] = True, True, True
    diagonal = y == x
    return [*masks, rings, two, lines, diagonal]


def test_odd_masks(rng: np.random.Generator) -> None:
    for mask in odd_masks():
        for image in (
            rng.integers(0, 256, mask.shape, np.uint8),
            np.zeros((*mask.shape, 3), np.uint8),
            np.where(mask, np.uint8(255), np.uint8(0)),
        ):
            opacity = alpha(image, mask)
            assert opacity.dtype == np.float32 and opacity.shape == mask.shape
            assert opacity.min() >= 0 and opacity.max() <= 1
            rgba = cutout(image, mask)
            assert rgba.dtype == np.uint8 and rgba.shape == (*mask.shape, 4)
            np.testing.assert_array_equal(rgba[..., 3], np.rint(opacity * 255))
            if mask.all() or not mask.any():
                np.testing.assert_array_equal(opacity, mask)
                assert (rgba[..., :3][mask].T == image[mask].T).all()
                assert not rgba[~mask].any()


def test_what_reaches_the_images_edge_goes_on(rng: np.random.Generator) -> None:
    image, truth, _ = composite(rng, 0.5)
    image, truth = image[40:, 50:], truth[40:, 50:]
    found = alpha(image, truth > 0.5)
    assert (found[0, :20] == 1).all() and (found[:20, 0] == 1).all()
    assert np.abs(found - truth).mean() < 0.2 * np.abs((truth > 0.5) - truth).mean() + 1e-3


def test_grabcut_has_soft_cutouts() -> None:
    sample = samples.load("astronaut")
    image, scribbles = sample.image[::3, ::3], sample.scribbles[::3, ::3]
    grabcut = GrabCut(image, max_iter=3)
    with pytest.raises(ValueError, match="no labels yet"):
        grabcut.alpha()
    grabcut.fit(scribbles=scribbles)
    opacity = grabcut.alpha()
    np.testing.assert_array_equal(opacity, alpha(image, grabcut.mask))
    np.testing.assert_array_equal(grabcut.cutout(), cutout(image, grabcut.mask))
    assert 0.005 < ((opacity > 0.02) & (opacity < 0.98)).mean() < 0.2
    soft = (opacity > 0.5) != grabcut.mask
    assert soft.mean() < 0.02


def test_bad_input() -> None:
    image, mask = np.zeros((5, 6, 3), np.uint8), np.zeros((5, 6), bool)
    with pytest.raises(ValueError, match=r"mask has shape \(6, 5\), expected \(5, 6\)"):
        alpha(image, mask.T)
    with pytest.raises(TypeError, match="mask has dtype float"):
        cutout(image, mask * 1.0)
    with pytest.raises(ValueError, match="matting is 'bayes', expected one of border, closed-form"):
        alpha(image, mask, "bayes")
    with pytest.raises(ValueError, match="matting is 'bayes'"):
        cutout(image, mask, "bayes")
    with pytest.raises(ValueError, match="image"):
        alpha(np.full((5, 6), np.nan), mask)


@pytest.mark.parametrize("blur", [0.5, 2])
def test_closed_form(blur: float, rng: np.random.Generator) -> None:
    pytest.importorskip("pymatting")
    image, truth, foreground = composite(rng, blur)
    mask = truth > 0.5
    found = alpha(image, mask, "closed-form")
    assert np.abs(found - truth).sum() < 0.65 * np.abs(mask - truth).sum()
    rgba = cutout(image, mask, "closed-form")
    np.testing.assert_array_equal(rgba[..., 3], np.rint(255 * found))
    mixed = (truth > 0.05) & (truth < 0.95)
    rest = np.abs(rgba[..., :3] - foreground)[mixed].mean()
    assert rest < 0.4 * np.abs(image - foreground)[mixed].mean()
    grey = alpha(image[..., 0], mask, "closed-form")
    assert np.abs(grey - truth).sum() < 0.9 * np.abs(mask - truth).sum()


@pytest.mark.filterwarnings("ignore::UserWarning:pymatting")
def test_closed_form_takes_odd_masks(rng: np.random.Generator) -> None:
    pytest.importorskip("pymatting")
    for mask in odd_masks():
        image = rng.integers(0, 256, (*mask.shape, 3), np.uint8)
        if min(mask.shape) < 3 and mask.any() and not mask.all():
            with pytest.raises(ValueError, match="expected at least 3 x 3 pixels"):
                cutout(image, mask, "closed-form")
        else:
            assert cutout(image, mask, "closed-form").shape == (*mask.shape, 4)


def test_closed_form_without_pymatting_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymatting", None)
    image, mask = np.zeros((9, 9), np.uint8), np.eye(9, dtype=bool)
    with pytest.raises(ImportError, match=r"pip install 'classicseg\[matting\]'"):
        alpha(image, mask, "closed-form")

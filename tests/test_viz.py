"""Pictures: their colours at known pixels, their sizes, and that nothing they get is changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from classicseg import viz


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray:
    picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    picture.flags.writeable = False
    return picture


@pytest.fixture
def mask() -> np.ndarray:
    inside = np.zeros((20, 30), bool)
    inside[5:15, 8:22] = True
    return inside


def test_palette_is_pascal_vocs() -> None:
    colors = viz.palette(256)
    known = {0: (0, 0, 0), 1: (128, 0, 0), 7: (128, 128, 128), 8: (64, 0, 0), 15: (192, 128, 128)}
    known |= {20: (0, 64, 128), 255: (224, 224, 192)}
    for index, color in known.items():
        assert tuple(colors[index]) == color
    assert len(np.unique(colors, axis=0)) == 256
    np.testing.assert_array_equal(viz.palette(21), colors[:21])
    for n in (0, 257):
        with pytest.raises(ValueError, match=r"\bn is"):
            viz.palette(n)


def test_overlay_of_a_mask(image: np.ndarray, mask: np.ndarray) -> None:
    picture = viz.overlay(image, mask, 0.25)
    np.testing.assert_array_equal(picture[~mask], image[~mask])
    expected = 0.75 * image[mask] + 0.25 * np.array(viz.ORANGE)
    assert np.abs(picture[mask] - expected).max() <= 0.5
    np.testing.assert_array_equal(viz.overlay(image, mask, 0), image)
    assert (viz.overlay(image, mask, 1)[mask] == viz.ORANGE).all()


def test_overlay_of_labels(image: np.ndarray) -> None:
    labels = np.arange(600, dtype=np.uint16).reshape(20, 30)
    picture = viz.overlay(image, labels, 1.0)
    np.testing.assert_array_equal(picture[labels == 255], image[labels == 255])
    assert picture.reshape(-1, 3)[3].tolist() == [128, 128, 0]
    assert picture.reshape(-1, 3)[256].tolist() == viz.palette(2)[1].tolist()
    own = [[1, 2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(
        viz.overlay(image, labels % 2, 1.0, colors=own), np.array(own)[labels % 2]
    )
    with pytest.raises(ValueError, match=r"labels holds 2, but there are 2 colors"):
        viz.overlay(image, labels % 3, colors=own)
    for alpha in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="alpha"):
            viz.overlay(image, labels, alpha)


def test_contour_follows_the_boundary(image: np.ndarray, mask: np.ndarray) -> None:
    picture = viz.contour(image, mask, 2, color=(1, 2, 3))
    line = (picture == (1, 2, 3)).all(axis=2)
    assert line[10, 7] and line[10, 8] and not line[10, 9] and not line[10, 6]
    changed = (picture != image).any(axis=2)
    assert not changed[:3].any() and not changed[8:12, 12:18].any()
    np.testing.assert_array_equal(viz.contour(image, np.zeros((20, 30), int)), image)


def test_cutout(image: np.ndarray, mask: np.ndarray) -> None:
    picture = viz.cutout(image, mask, square=4)
    np.testing.assert_array_equal(picture[mask], image[mask])
    assert picture[0, 0].tolist() == [255] * 3
    assert picture[0, 4].tolist() == [204] * 3
    assert picture[4, 4].tolist() == [255] * 3
    np.testing.assert_array_equal(viz.cutout(image, mask.astype(float), square=4), picture)
    np.testing.assert_array_equal(viz.cutout(image, np.ones((20, 30))), image)
    with pytest.raises(ValueError, match=r"mask has shape \(2, 2\)"):
        viz.cutout(image, np.ones((2, 2)))


def test_difference() -> None:
    truth = np.array([[0, 1, 255, 1]])
    picture = viz.difference(truth, np.array([[0, 2, 3, 1]]))
    assert (picture[0, 0] == picture[0, 3]).all()
    assert tuple(picture[0, 1]) == viz.VERMILION
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 3
    masks = viz.difference(truth == 1, np.array([[True, False, False, True]]))
    assert tuple(masks[0, 0]) == viz.VERMILION  # added
    assert tuple(masks[0, 1]) == viz.BLUE  # missed
    assert tuple(masks[0, 3]) > tuple(masks[0, 2])  # found is light, background dark


def test_heat() -> None:
    picture = viz.heat(np.linspace(0, 1, 256)[None])
    light = picture.astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(light[0]) > -0.5).all() and light[0, -1] - light[0, 0] > 150
    np.testing.assert_array_equal(viz.heat(np.linspace(-5, 5, 256)[None], (-5, 5)), picture)
    with pytest.raises(ValueError, match="values"):
        viz.heat(np.array([[2.0]]))
    with pytest.raises(ValueError, match=r"expected \(H, W\)"):
        viz.heat(np.zeros((4, 4, 3)))


def test_heat_is_matplotlibs_viridis() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    theirs = matplotlib.colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    ours = viz.heat(np.arange(256, dtype=np.uint8)[None], (0, 255))[0]
    error = np.abs(ours.astype(int) - theirs)  # straight lines between ten of its colours
    assert error.max() <= 16 and error.mean() < 1.5


def test_rect(image: np.ndarray) -> None:
    picture = viz.draw_rect(image, (5, 4, 12, 10), color=(9, 8, 7), thickness=2)
    line = (picture == (9, 8, 7)).all(axis=2)
    assert line.sum() == 12 * 10 - 8 * 6
    assert line[4, 5] and line[13, 16] and not line[3, 5] and not line[14, 5]
    np.testing.assert_array_equal(picture[7:11, 8:14], image[7:11, 8:14])
    outside = np.ones((20, 30), bool)
    outside[4:14, 5:17] = False
    np.testing.assert_array_equal(picture[outside], image[outside])
    clipped = viz.draw_rect(image, (-10, -10, 100, 100), color=(9, 8, 7), thickness=1)
    assert (clipped[0] == (9, 8, 7)).all() and (clipped[:, -1] == (9, 8, 7)).all()
    thin = viz.draw_rect(image, (3, 3, 1, 5), color=(9, 8, 7), thickness=4)
    assert (thin[3:8, 3] == (9, 8, 7)).all()


def test_scribbles(image: np.ndarray) -> None:
    seeds = np.zeros((20, 30), int)
    seeds[3, 3:9], seeds[15, 20] = 1, 2
    picture = viz.draw_scribbles(image, seeds, foreground=(1, 1, 1), background=(2, 2, 2))
    assert (picture[3, 3:9] == 2).all() and (picture[15, 20] == 1).all()
    assert (picture != image).any(axis=2).sum() <= 3 * 8 + 9
    with pytest.raises(ValueError, match="seeds"):
        viz.draw_scribbles(image, seeds + 1)


def test_sheet_of_different_sizes(image: np.ndarray, rng: np.random.Generator) -> None:
    tall, grey = rng.random((300, 90, 3)), np.zeros((4, 4))
    rows = [[image, None, tall], [grey]]
    page = viz.sheet(rows, ["one", "two", "three"], ["first", "second"], cell=100)
    assert page.dtype == np.uint8 and page.shape[2] == 3
    assert page.shape[1] > 3 * 100 and page.shape[0] > 2 * 100
    for side in (page[0], page[-1], page[:, 0], page[:, -1]):
        assert (side == 255).all()
    # The grey one is the only black square of 100 x 100.
    black = (page == 0).all(axis=2)
    assert black.sum() >= 100 * 100
    y, x = np.argwhere(black).min(axis=0)
    assert black[y : y + 100, x : x + 100].mean() > 0.99


def test_sheet_places_pictures_in_order() -> None:
    colors = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 0, 255)]]
    rows = [[np.full((10, 10, 3), c, np.uint8) for c in row] for row in colors]
    page = viz.sheet(rows, cell=40)
    centre = {c: np.argwhere((page == c).all(axis=2)).mean(axis=0) for row in colors for c in row}
    (a, b), (c, d) = ([centre[color] for color in row] for row in colors)
    assert a[0] == b[0] < c[0] == d[0]
    assert a[1] == c[1] < b[1] == d[1]
    assert all((page == color).all(axis=2).sum() == 1600 for row in colors for color in row)


def test_sheet_titles_are_drawn_and_make_room(image: np.ndarray) -> None:
    bare = viz.sheet([[image]], cell=200)
    titled = viz.sheet([[image]], ["a title"], ["a row"], cell=200)
    assert titled.shape[0] > bare.shape[0] and titled.shape[1] > bare.shape[1]
    top = titled[: titled.shape[0] - bare.shape[0]]
    assert (top < 128).any()
    long = viz.sheet(
        [[image]], ["a very long title that cannot fit on a line of this cell"], cell=200
    )
    assert long.shape[0] > titled.shape[0] and long.shape[1] == bare.shape[1]
    line = viz.sheet([[image]], ["ÄÖÜ\nsecond line"], cell=200)
    assert line.shape[0] > titled.shape[0]


@pytest.mark.parametrize(
    ("rows", "titles", "row_titles", "message"),
    [
        ([], [], [], "no picture"),
        ([[]], [], [], "no picture"),
        ([[np.zeros((2, 2))]], ["a", "b"], [], "2 titles"),
        ([[np.zeros((2, 2))]], [], ["a", "b"], "2 row_titles"),
        ([[np.zeros((2, 2)), np.zeros((2, 2, 5))]], [], [], r"rows\[0\]\[1\] has shape"),
    ],
)
def test_bad_sheets(rows: Any, titles: list[str], row_titles: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        viz.sheet(rows, titles, row_titles)


@pytest.mark.parametrize("color", [(1, 2), (1, 2, 300), (0.5, 0, 0), "red"])
def test_bad_colors(color: Any, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"colou?r"):
        viz.draw_rect(image, (0, 0, 5, 5), color=color)


@pytest.mark.parametrize(
    "draw",
    [
        lambda image: viz.overlay(image, np.zeros(image.shape[:2], bool)),
        lambda image: viz.contour(image, np.eye(*image.shape[:2], dtype=bool)),
        lambda image: viz.cutout(image, np.zeros(image.shape[:2], bool)),
        lambda image: viz.draw_rect(image, (0, 0, 3, 3)),
        lambda image: viz.draw_scribbles(image, np.ones(image.shape[:2], int)),
    ],
)
def test_any_image_goes_and_none_is_shared(draw: Any, image: np.ndarray) -> None:
    expected = draw(image)
    for same in (image / 255.0, image.astype(np.uint16) * 257, np.asfortranarray(image)):
        np.testing.assert_array_equal(draw(same), expected)
    assert not np.shares_memory(expected, image)
    assert draw(np.zeros((1, 1), np.uint8)).shape == (1, 1, 3)
    with pytest.raises(ValueError, match="image"):
        draw(np.zeros((4, 4, 4), np.uint8))

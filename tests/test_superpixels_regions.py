"""Adjacency, pooling, features: against loops over pixels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classicseg import superpixels as sp

SHAPES = [(1, 1), (1, 7), (6, 1), (9, 11), (3, 4, 5)]


def neighbours(shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    pairs = []
    for p in itertools.product(*map(range, shape)):
        for axis in range(len(shape)):
            q = tuple(i + (a == axis) for a, i in enumerate(p))
            if q[axis] < shape[axis]:
                pairs.append((p, q))
    return pairs


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("void", [False, True])
def test_adjacency_face_by_face(
    shape: tuple[int, ...], void: bool, rng: np.random.Generator
) -> None:
    labels = rng.integers(-1 if void else 0, 4, shape)
    labels.flat[0] = 3
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    expected: dict[tuple[int, int], list[float]] = {}
    for p, q in neighbours(shape):
        a, b = sorted((labels[p], labels[q]))
        if a != b and a >= 0:
            step = image[p].astype(float) - image[q]
            expected.setdefault((a, b), []).append(float(np.linalg.norm(step)))
    found = sp.adjacency(labels, image)
    assert [tuple(pair) for pair in found.pairs.tolist()] == sorted(expected)
    faces = [expected[key] for key in sorted(expected)]
    np.testing.assert_array_equal(found.lengths, [len(f) for f in faces])
    np.testing.assert_allclose(found.contrast, [np.mean(f) for f in faces], rtol=1e-6)
    assert found.pairs.shape == (len(expected), 2) and found.pairs.dtype == np.int32
    assert sp.adjacency(labels).contrast is None


@pytest.mark.parametrize("shape", SHAPES)
def test_pool_and_spread(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    labels = rng.integers(-1, 5, shape)
    labels.flat[0] = 4
    unary = rng.normal(size=(*shape, 3))
    mean, total = sp.pool(unary, labels), sp.pool(unary, labels, reduce="sum")
    assert mean.shape == (5, 3) and mean.dtype == np.float32
    for k in range(5):
        own = unary[labels == k]
        np.testing.assert_allclose(total[k], own.sum(axis=0), atol=1e-5)
        np.testing.assert_allclose(mean[k], own.mean(axis=0) if len(own) else 0, atol=1e-5)
    np.testing.assert_array_equal(sp.pool(unary[..., 1], labels), mean[:, 1])
    back = sp.spread(mean, labels, fill=7)
    assert back.shape == (*shape, 3)
    for p in np.ndindex(shape):
        np.testing.assert_array_equal(back[p], mean[labels[p]] if labels[p] >= 0 else 7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_spreading_the_pooled_changes_no_region_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, tuple(rng.integers(1, 9, 2)))
    values = rng.random((*labels.shape, 2))
    again = sp.pool(sp.spread(sp.pool(values, labels), labels), labels)
    np.testing.assert_allclose(again, sp.pool(values, labels), rtol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (9, 11), (3, 4, 5)])
@pytest.mark.parametrize("channels", [0, 3, 5])
def test_features(shape: tuple[int, ...], channels: int, rng: np.random.Generator) -> None:
    labels = rng.integers(0, 4, shape)
    labels.flat[-1] = 3
    full = (*shape, channels) if channels else shape
    image = rng.integers(0, 256, full, np.uint8)
    found = sp.features(image, labels, n_bins=4)
    colors = image.reshape(*shape, -1).astype(float)
    for k in range(4):
        own = labels == k
        assert found.size[k] == own.sum()
        if not own.any():
            continue
        np.testing.assert_allclose(found.centroid[k], np.argwhere(own).mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.mean_color[k], colors[own].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.std_color[k], colors[own].std(axis=0), atol=1e-3)
        for c in range(colors.shape[-1]):
            counts = np.histogram(colors[own][:, c], 4, (0, 256))[0]
            np.testing.assert_allclose(found.histograms[k, c], counts / own.sum(), rtol=1e-6)
        assert found.texture[k, 2:].sum() == pytest.approx(1, abs=1e-5)
    n = max(channels, 1)
    assert found.table().shape == (4, 1 + len(shape) + 6 * n + 12)
    assert np.isfinite(found.table()).all()


def test_texture_tells_stripes_from_flat() -> None:
    image = np.full((40, 40), 100, np.uint8)
    image[:, 20::2] = 200
    labels = np.repeat([[0, 1]], 20, axis=1).repeat(40, axis=0)
    texture = sp.features(image, labels).texture
    assert texture[0, 0] < 10 and np.abs(texture[0, 2:] - texture[1, 2:]).sum() > 0.5


def test_errors_name_the_argument() -> None:
    labels, image = np.zeros((4, 5), int), np.zeros((4, 5, 3), np.uint8)
    for call, error, message in [
        (lambda: sp.adjacency(np.zeros(4, int)), ValueError, r"^labels has shape \(4,\)"),
        (lambda: sp.adjacency(labels - 2), ValueError, "^labels holds the value -2"),
        (lambda: sp.adjacency(labels - 1), ValueError, "^labels holds only -1"),
        (lambda: sp.adjacency(labels + 2**30), ValueError, "^labels holds the value 1073741824"),
        (lambda: sp.adjacency(labels * 0.5), TypeError, "^labels has dtype float64"),
        (lambda: sp.adjacency(labels[:0]), ValueError, "^labels"),
        (lambda: sp.adjacency(labels, image[:3]), ValueError, "^image has shape"),
        (lambda: sp.adjacency(labels, image * np.nan), ValueError, "^image holds"),
        (lambda: sp.pool(image[:, :4], labels), ValueError, "^values has shape"),
        (lambda: sp.pool(np.full((4, 5), np.nan), labels), ValueError, "^values holds"),
        (lambda: sp.pool(image.astype(str), labels), TypeError, "^values has dtype"),
        (lambda: sp.pool(image, labels, reduce="max"), ValueError, "^reduce is 'max'"),
        (lambda: sp.spread([1, 2], labels + 2), ValueError, "^values has shape"),
        (lambda: sp.spread(3, labels), ValueError, "^values has shape"),
        (lambda: sp.features(image, labels, 0), ValueError, "^n_bins"),
        (lambda: sp.features(image, labels, 257), ValueError, "^n_bins"),
        (lambda: sp.features(image, labels.T), ValueError, "^image has shape"),
    ]:
        with pytest.raises(error, match=message):
            call()


def test_any_layout_and_nothing_is_written() -> None:
    labels = np.array([[0, 1, 1], [0, 0, 2]], ">i8")[:, ::-1]
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)[:, ::-1]
    labels.flags.writeable = image.flags.writeable = False
    plain = sp.adjacency(np.array(labels, int), np.array(image))
    found = sp.adjacency(labels, image)
    np.testing.assert_array_equal(found.pairs, plain.pairs)
    np.testing.assert_array_equal(found.contrast, plain.contrast)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("both_ways", [False, True])
def test_pooled_energies_are_those_of_the_pixels(
    shape: tuple[int, ...], both_ways: bool, rng: np.random.Generator
) -> None:
    regions = rng.integers(0, 5, shape)
    regions.flat[0] = 4
    offsets = [(0, 1), (1, 0), (1, -1)] if len(shape) == 2 else [(0, 0, 1), (1, -1, 1)]
    if both_ways:
        offsets += [tuple(-d for d in offset) for offset in offsets]
    edges = {offset: rng.random(shape) for offset in offsets}
    unary = rng.normal(size=(*shape, 3)).astype(np.float32)
    pairs, weights = sp.pool_edges(edges, regions)
    assert len(np.unique(pairs, axis=0)) == len(pairs) and (pairs[:, 0] < pairs[:, 1]).all()
    summed = sp.pool(unary, regions, reduce="sum")
    choice = rng.integers(0, 3, 5)
    over_regions = summed[np.arange(5), choice].sum()
    over_regions += weights[choice[pairs[:, 0]] != choice[pairs[:, 1]]].sum()
    labels = sp.spread(choice, regions)
    over_pixels = np.take_along_axis(unary, labels[..., np.newaxis], -1).sum(dtype=float)
    for offset, array in edges.items():
        for p in np.ndindex(*shape):
            q = tuple(np.add(p, offset))
            if all(0 <= i < size for i, size in zip(q, shape, strict=True)):
                over_pixels += array[p] * (labels[p] != labels[q])
    assert over_regions == pytest.approx(over_pixels, abs=1e-4)


def test_solvers_over_regions_find_what_pixels_that_agree_would(rng: np.random.Generator) -> None:
    from classicseg.graphcut import alpha_expansion
    from classicseg.gridcrf import energy

    regions = np.repeat(np.repeat(np.arange(20).reshape(4, 5), 3, 0), 2, 1)
    unary = rng.random((12, 10, 3)).astype(np.float32)
    edges = {(0, 1): rng.random((12, 10)) * 0.2, (1, -1): 0.1}
    over = sp.pool(unary, regions, reduce="sum"), sp.pool_edges(edges, regions)
    result = alpha_expansion(*over)
    labels = sp.spread(result.labels, regions)
    assert energy(labels, unary, edges) == pytest.approx(result.energy, abs=1e-4)


def test_pool_edges_without_regions_and_with_bad_edges(rng: np.random.Generator) -> None:
    regions = np.array([[0, -1, 1], [0, 0, -1]])
    pairs, weights = sp.pool_edges({(0, 1): 1.0, (0, 2): 5.0, (3, 0): 1.0}, regions)
    assert pairs.tolist() == [[0, 1]] and weights.tolist() == [5.0]
    pairs, weights = sp.pool_edges({}, regions)
    assert pairs.shape == (0, 2) and weights.shape == (0,)
    for edges, error, message in (
        (3, TypeError, "edges is a int"),
        ({(0, 0): 1}, ValueError, "offset"),
        ({(0, 0, 1): 1}, ValueError, "offset"),
        ({(0, 1): np.ones((3, 2))}, ValueError, "shape"),
        ({(0, 1): "x"}, TypeError, "dtype"),
        ({(0, 2): np.nan}, ValueError, "NaN"),
    ):
        with pytest.raises(error, match=message):
            sp.pool_edges(edges, regions)

"""The filter of one kernel: near the Gaussian, linear, with its transpose and its lattice."""

from __future__ import annotations

import numpy as np
import pytest

from classicseg.densecrf import (
    BilateralKernel,
    DenseCRF,
    FeatureKernel,
    GaussianKernel,
    KernelFilter,
)


def picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    return (rng.integers(0, 4, (height, width, 3)) * 60).astype(np.uint8)


def matrix_of(blur: KernelFilter, transposed: bool = False) -> np.ndarray:
    n = int(np.prod(blur.shape))
    return blur.apply(np.eye(n).reshape(*blur.shape, n), transposed=transposed).reshape(n, n)


@pytest.mark.parametrize("kernel", [GaussianKernel(3), BilateralKernel(8, 40)])
def test_the_transpose_is_the_transpose(
    kernel: GaussianKernel | BilateralKernel, rng: np.random.Generator
) -> None:
    blur = KernelFilter(kernel, (9, 11), image=picture(rng, 9, 11))
    forward, backward = matrix_of(blur), matrix_of(blur, transposed=True)
    assert np.abs(forward.T - backward).max() < 1e-14
    assert np.abs(forward - backward).max() > 0.01  # not symmetric, so that it matters


def test_a_dot_in_the_middle_becomes_a_gaussian_of_that_deviation() -> None:
    """In the mean over places in the lattice's cells; docs/densecrf.md has the error of one."""
    blur = KernelFilter(GaussianKernel(5), (81, 81))
    offsets = np.arange(-40, 41)
    variances = []
    for y in range(35, 47, 3):
        for x in range(35, 47, 3):
            dot = np.zeros((81, 81, 1))
            dot[y, x] = 1
            sums = blur.apply(dot)[..., 0]
            for axis, middle in ((1, y), (0, x)):
                line = sums.sum(axis=axis) / sums.sum()
                assert abs(line @ (offsets + 40) - middle) < 0.5
                variances.append(line @ (offsets + 40 - middle) ** 2)
    assert np.mean(variances) == pytest.approx(25, rel=0.1)


def test_the_lattice_says_all_that_the_filter_does(rng: np.random.Generator) -> None:
    image = picture(rng, 12, 15)
    blur = KernelFilter(BilateralKernel(8, 40), (12, 15), image=image)
    lattice = blur.lattice()
    n = 12 * 15
    splat = np.zeros((blur.n_vertices, n))
    np.add.at(splat, (lattice.vertices, np.arange(n)[:, None]), lattice.weights)
    assert np.allclose(splat.sum(axis=0), 1, atol=1e-5)
    rows = splat
    for before, after in lattice.neighbours:
        padded = np.vstack([rows, np.zeros((1, n))])
        rows = rows + 0.5 * (padded[before] + padded[after])
    assert np.abs(lattice.scale * splat.T @ rows - matrix_of(blur)).max() < 1e-12


def test_mean_field_is_made_of_it(rng: np.random.Generator) -> None:
    """One iteration, by hand."""
    image, unary = picture(rng, 14, 13), rng.normal(size=(14, 13, 3)).astype(np.float32)
    kernel = BilateralKernel(6, 30, weight=2)
    blur = KernelFilter(kernel, (14, 13), image=image)
    scale = 1 / np.sqrt(blur.apply(np.ones((14, 13, 1))))
    q = np.exp(-unary)
    q /= q.sum(axis=-1, keepdims=True)
    message = kernel.weight * scale * blur.apply(q * scale)
    q = np.exp(message - unary)
    q /= q.sum(axis=-1, keepdims=True)
    found = DenseCRF([kernel]).infer(unary, image, n_iterations=1).probabilities
    assert np.abs(found - q).max() < 1e-5


def test_any_threads_types_and_layouts(rng: np.random.Generator) -> None:
    image = picture(rng, 90, 80)
    values = rng.normal(size=(90, 80, 5))
    blur = KernelFilter(BilateralKernel(20, 40), (90, 80), image=image)
    exact = blur.apply(values, n_threads=1)
    assert exact.dtype == np.float64
    for n in (2, 3, 8):
        assert np.array_equal(blur.apply(values, n_threads=n), exact)
    single = blur.apply(values.astype(np.float32))
    assert single.dtype == np.float32 and np.abs(single - exact).max() < 1e-3
    assert np.array_equal(blur.apply(values.astype(">f8")), exact)
    assert np.array_equal(blur.apply(np.asfortranarray(values)), exact)
    assert blur.apply(np.ones((90, 80, 1), bool)).dtype == np.float32
    points = KernelFilter(FeatureKernel(2.0), (7,), features=rng.normal(size=(7, 2)))
    assert points.apply(np.ones((7, 4))).shape == (7, 4)
    assert points.apply(np.ones((7, 1))).min() > 0


def test_wrong_arguments_are_named() -> None:
    blur = KernelFilter(GaussianKernel(3), (4, 5))
    with pytest.raises(ValueError, match=r"values has shape \(5, 4, 1\), expected \(4, 5\)"):
        blur.apply(np.zeros((5, 4, 1)))
    with pytest.raises(TypeError, match="values has dtype complex128"):
        blur.apply(np.zeros((4, 5, 1), complex))
    with pytest.raises(ValueError, match="values has shape"):
        blur.apply(np.zeros((4, 5, 0)))
    with pytest.raises(TypeError, match="kernel is 'gaussian'"):
        KernelFilter("gaussian", (4, 5))
    with pytest.raises(ValueError, match="image is missing"):
        KernelFilter(BilateralKernel(), (4, 5))
    with pytest.raises(ValueError, match="theta_gamma=1e-09 is too small"):
        KernelFilter(GaussianKernel(1e-9), (400, 500))
    with pytest.raises(ValueError, match=r"shape is \(\)"):
        KernelFilter(GaussianKernel(3), ())

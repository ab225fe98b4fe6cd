"""What the dense CRF is given by mistake, and where it runs."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classicseg.densecrf import (
    BilateralKernel,
    DenseCRF,
    FeatureKernel,
    GaussianKernel,
    PreparedCRF,
    refine,
)

UNARY = np.zeros((6, 8, 3), np.float32)
IMAGE = np.zeros((6, 8, 3), np.uint8)
HALF = np.full((6, 8, 2), 0.5)


def with_value(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.astype(np.float64)
    changed[2, 3, 1] = value
    return changed


@pytest.mark.parametrize(
    ("unary", "image", "message"),
    [
        (UNARY, np.zeros((8, 6, 3), np.uint8), "height and width are swapped, it is 8 high and 6"),
        (UNARY, np.zeros((8, 6), np.uint8), "height and width are swapped"),
        (UNARY, np.zeros((3, 6, 8), np.uint8), "channels come first"),
        (np.zeros((3, 6, 8)), IMAGE, r"labels come first, use numpy.moveaxis\(unary, 0, -1\)"),
        (UNARY, np.zeros((5, 8, 3), np.uint8), r"^image has shape \(5, 8, 3\), expected \(6, 8\)"),
        (UNARY, np.zeros((6, 8, 3, 1), np.uint8), "^image has shape"),
        (np.zeros((6, 8)), IMAGE, "^image has shape"),
        (np.zeros(6), None, r"^unary has shape \(6,\)"),
        (np.zeros((2, 2, 2, 2, 2)), None, "^unary has shape"),
        (np.zeros((0, 8, 3)), np.zeros((0, 8, 3), np.uint8), "shape is|empty"),
        (np.zeros((6, 8, 0)), IMAGE, "empty"),
        (with_value(UNARY, np.nan), IMAGE, "^unary holds .* NaN"),
        (with_value(UNARY, np.inf), IMAGE, "^unary holds infinite"),
        (with_value(UNARY, 1e300), IMAGE, "^unary holds infinite"),
        (UNARY, np.full((6, 8, 3), np.nan), "^image holds .* NaN"),
        (UNARY, np.full((6, 8, 3), 7.0), "^image holds floats"),
        (UNARY, IMAGE.astype(np.int32), "^image has dtype int32"),
        (UNARY, IMAGE.astype(complex), "^image .* complex"),
        (UNARY, None, "^image is missing"),
        (UNARY.astype(bool), IMAGE, "^unary has dtype bool"),
        ([UNARY], [IMAGE, IMAGE], "^image must be a list of 1"),
        ([UNARY], IMAGE, "^image must be a list of 1"),
    ],
)
def test_arrays_that_do_not_fit(unary: Any, image: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        DenseCRF().infer(unary, image)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianKernel(0), "^theta_gamma is 0"),
        (lambda: GaussianKernel(-3), "^theta_gamma is -3"),
        (lambda: GaussianKernel(np.nan), "^theta_gamma is nan"),
        (lambda: GaussianKernel(3, -1), "^weight is -1"),
        (lambda: GaussianKernel(3, 1e30), "^weight is 1e"),
        (lambda: BilateralKernel(-80, 13), "^theta_alpha is -80"),
        (lambda: BilateralKernel(80, (1, 2, 0)), "^theta_beta is 0"),
        (lambda: BilateralKernel(80, "13"), "^theta_beta is '1'|^theta_beta"),
        (lambda: FeatureKernel(0), "^theta is 0"),
        (lambda: DenseCRF([]), "^kernels has 0"),
        (lambda: DenseCRF([3]), "^kernels is"),
        (lambda: DenseCRF(normalization="L2"), "^normalization is 'L2'"),
        (lambda: DenseCRF(compatibility="pots"), "^compatibility is 'pots'"),
        (lambda: DenseCRF(compatibility=np.zeros((2, 3))), "^compatibility has shape"),
        (lambda: DenseCRF(compatibility=np.array([[0, 1], [2, 0]])), "^compatibility is not symm"),
        (lambda: DenseCRF(compatibility=np.array([1, np.nan])), "^compatibility holds"),
        (lambda: DenseCRF(compatibility=np.ones(4)).infer(UNARY, IMAGE), "is for 4 labels"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, -1), "^n_iterations is -1"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, 2.5), "^n_iterations is 2.5"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, tol=-1), "^tol is -1"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, start=UNARY), "^start is ndarray"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, spacing=(1, 2, 3)), "^spacing has 3"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, spacing=0), "^spacing is 0"),
        (lambda: DenseCRF().infer(UNARY, IMAGE, n_threads=0), "^n_threads is 0"),
        (lambda: DenseCRF().prepare(), "^prepare needs"),
        (lambda: DenseCRF().prepare(shape=(0, 3)), "^shape is"),
        (lambda: DenseCRF().prepare(IMAGE).infer(np.zeros((8, 6, 3))), "^unary has shape"),
        (lambda: DenseCRF([FeatureKernel()]).infer(UNARY, IMAGE), "^features is missing"),
        (lambda: refine(HALF * 2, IMAGE), "sums to 2"),
        (lambda: refine(with_value(HALF, -1), IMAGE), "^probabilities holds the value -1"),
        (lambda: refine(np.full((2, 6, 8), 0.5), IMAGE), "labels come first"),
        (lambda: refine(HALF, IMAGE, temperature=0), "^temperature is 0"),
        (lambda: refine(HALF, IMAGE, clip=1), "^clip is 1"),
    ],
)
def test_parameters_out_of_range(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("kernel", "name"),
    [
        (GaussianKernel(1e-9), "theta_gamma"),
        (BilateralKernel(1e-9, 13), "theta_alpha"),
        (BilateralKernel(80, 1e-9), "theta_beta"),
        (BilateralKernel(3e-3, 3e-3), "theta_"),
    ],
)
def test_thetas_too_small_for_the_keys_are_named(kernel: Any, name: str, rng) -> None:
    image = rng.integers(0, 256, (40, 50, 3), np.uint8)
    with pytest.raises(
        ValueError, match=rf"^{name}.* is too small for these .*: the points span .* cells"
    ):
        DenseCRF([kernel]).infer(np.zeros((40, 50, 2)), image)


def test_features_that_are_wrong() -> None:
    crf = DenseCRF([FeatureKernel()])
    for features in (np.zeros((5, 8, 2)), np.zeros((6, 8)), np.full((6, 8, 1), np.nan)):
        with pytest.raises(ValueError, match=r"^features "):
            crf.infer(UNARY, features=features)
    with pytest.raises(TypeError, match=r"^features has dtype"):
        crf.infer(UNARY, features=np.zeros((6, 8, 1), complex))
    with pytest.raises(ValueError, match="16 dimensions: the lattice takes 15"):
        crf.infer(UNARY, features=np.zeros((6, 8, 16)))
    with pytest.raises(ValueError, match="theta has 3 values, expected one or 2"):
        DenseCRF([FeatureKernel((1, 2, 3))]).infer(UNARY, features=np.zeros((6, 8, 2)))


def problem(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    image = rng.integers(0, 256, (70, 90, 3), np.uint8)
    image[:, 40:] //= 4
    return rng.normal(0, 1, (70, 90, 5)).astype(np.float32), image


IN_A_NEW_PROCESS = """
import sys
import numpy as np
from classicseg.densecrf import BilateralKernel, DenseCRF, GaussianKernel
from classicseg._kernels import ext
given = np.load(sys.argv[1])
found = {"isa": ext.instruction_set}
for n in (1, 2, 3, 5):
    crf = DenseCRF([GaussianKernel(3, 3), BilateralKernel(20, 20, 5)])
    found[f"q{n}"] = crf.infer(given["unary"][..., :n], given["image"]).probabilities
    energy = crf.infer(given["unary"][..., :n], given["image"][..., 0], free_energy=True)
    found[f"e{n}"] = energy.free_energy
    found[f"g{n}"] = energy.probabilities
np.savez(sys.argv[2], **found)
"""


def test_the_portable_path_differs_by_rounding_only(tmp_path: Path, rng) -> None:
    unary, image = problem(rng)
    np.savez(tmp_path / "given.npz", unary=unary, image=image)
    results = []
    for isa in ("baseline", ""):
        file = tmp_path / f"found{isa}.npz"
        subprocess.run(
            [sys.executable, "-c", IN_A_NEW_PROCESS, tmp_path / "given.npz", file],
            env=os.environ | {"CLASSICSEG_ISA": isa},
            check=True,
        )
        results.append(dict(np.load(file)))
    assert str(results[0].pop("isa")) == "baseline"
    results[1].pop("isa")
    for name in results[0]:
        np.testing.assert_allclose(
            results[0][name], results[1][name], rtol=1e-5, atol=2e-6, err_msg=name
        )


def test_several_python_threads_share_lattices(rng) -> None:
    unary, image = problem(rng)
    prepared: PreparedCRF = DenseCRF().prepare(image)
    expected = [prepared.infer(unary[..., :n]).probabilities for n in (1, 2, 3, 4, 5)]
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda n: prepared.infer(unary[..., :n], n_threads=2), [1, 2, 3, 4, 5] * 4)
        for i, result in enumerate(found):
            np.testing.assert_array_equal(result.probabilities, expected[i % 5])


def _labels(arguments: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return DenseCRF().infer(*arguments, n_threads=2).labels


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_it_runs_after_a_fork(rng) -> None:
    """Where thread pools that outlive a call hang."""
    given = problem(rng)
    expected = DenseCRF().infer(*given, n_threads=2).labels
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found in pool.map_async(_labels, [given] * 3).get(timeout=60):
            np.testing.assert_array_equal(found, expected)


def test_without_pydensecrf_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydensecrf", None)
    with pytest.raises(ImportError, match=r"classicseg\[peers\]"):
        refine(HALF, IMAGE, engine="pydensecrf")


def test_nothing_slows_down_where_marginals_vanish(rng) -> None:
    """Denormal numbers, of marginals near 0, would take ten times as long."""
    unary, image = problem(rng)
    sure = DenseCRF().infer(unary * 100, image)
    tiny = sure.probabilities[(sure.probabilities > 0) & (sure.probabilities < 1e-30)]
    assert tiny.size == 0
    assert sure.probabilities.min() < 1e-20

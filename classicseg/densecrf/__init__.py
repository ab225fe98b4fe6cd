"""The fully connected CRF: labels that follow edges of the image, by mean field inference."""

from classicseg.densecrf._crf import DenseCRF
from classicseg.densecrf._filter import KernelFilter, Lattice
from classicseg.densecrf._kernels import BilateralKernel, FeatureKernel, GaussianKernel
from classicseg.densecrf._mean_field import MeanField
from classicseg.densecrf._prepared import PreparedCRF
from classicseg.densecrf._refine import refine
from classicseg.densecrf._tune import Trial, Tuning, tune

__all__ = [
    "BilateralKernel",
    "DenseCRF",
    "FeatureKernel",
    "GaussianKernel",
    "KernelFilter",
    "Lattice",
    "MeanField",
    "PreparedCRF",
    "Trial",
    "Tuning",
    "refine",
    "tune",
]

"""Mean field in the fully connected CRF as a layer of a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from classicseg._settings import MOST_CHANNELS, int_from, one_of, positive_int, sequence_of
from classicseg.bridge._lattice import NativeFilter, TorchFilter, filtered
from classicseg.densecrf import BilateralKernel, GaussianKernel, KernelFilter

__all__ = ["CRFLayer"]

_MOST_ITERATIONS = 1000
# Of `densecrf.refine`: mild ones, that help most networks.
_DEFAULT_KERNELS = (
    GaussianKernel(theta_gamma=1.0, weight=1.0),
    BilateralKernel(theta_alpha=20.0, theta_beta=4.0, weight=3.0),
)


class CRFLayer(nn.Module):
    """The dense CRF as a layer that learns with the network before it.

    Mean field is unrolled: an iteration filters the marginals with each kernel, weighs and adds up
    the results, multiplies with the compatibility matrix, and takes the softmax with the unaries.
    All of it can be differentiated, with respect to the unaries, the weights of the kernels and the
    compatibilities; the kernels' thetas and the image are fixed. It starts as, and then equals, a
    `classicseg.densecrf.DenseCRF` with the same kernels.

    On the CPU the filters are those of `densecrf`, on other devices torch's gathers and sums on the
    same lattice, which is built on the CPU for each image. Derivatives are exact in both: that of a
    filter is its transpose, which blurs the axes of the lattice in the opposite order. On CUDA sums
    have no fixed order, so that results differ by rounding from run to run.

    Parameters
    ----------
    n_classes : int
        At least 2.
    kernels : sequence of kernels, optional
        `GaussianKernel` and `BilateralKernel` of `classicseg.densecrf`. Their weights are where the
        learned ones start. Default: those of `densecrf.refine`, for networks' scores.
    n_iterations : int
        Of mean field. Default 5, as the paper for training; it is an attribute, and may be raised
        to 10 for inference.
    engine : None, "native" or "torch"
        None is "native" for tensors on the CPU, "torch" for all others.

    Attributes
    ----------
    weights : (n_kernels, n_classes) parameter
        What agreement on each class is worth, by kernel.
    compatibility : (n_classes, n_classes) parameter
        What it costs a pixel to have a label (row) where others have another one (column). Starts
        as Potts' model: 0 for equal labels, else 1.

    Raises
    ------
    TypeError, ValueError
        For something else.

    References
    ----------
    S. Zheng et al.: Conditional random fields as recurrent neural networks. ICCV 2015.
    doi:10.1109/ICCV.2015.179, arXiv:1502.03240
    P. Krähenbühl, V. Koltun: Efficient inference in fully connected CRFs with Gaussian edge
    potentials. NIPS 2011. arXiv:1210.5644

    Examples
    --------
    >>> layer = CRFLayer(n_classes=3)
    >>> scores = torch.randn(2, 3, 20, 30, requires_grad=True)  # a network's
    >>> image = torch.rand(2, 3, 20, 30)
    >>> log_marginals = layer(-scores, image)
    >>> truth = torch.zeros(2, 20, 30, dtype=torch.long)
    >>> loss = nn.functional.nll_loss(log_marginals, truth)
    >>> loss.backward()
    >>> scores.grad.shape, layer.weights.grad.shape, layer.compatibility.grad.shape
    (torch.Size([2, 3, 20, 30]), torch.Size([2, 3]), torch.Size([3, 3]))
    """

    def __init__(
        self,
        n_classes: int,
        kernels: Sequence[GaussianKernel | BilateralKernel] | None = None,
        *,
        n_iterations: int = 5,
        engine: str | None = None,
    ) -> None:
        super().__init__()
        n_classes = int_from(2, n_classes, "n_classes", MOST_CHANNELS)
        n_iterations = positive_int(n_iterations, "n_iterations", _MOST_ITERATIONS)
        if engine is not None:
            one_of(engine, ("native", "torch"), "engine")
        given = _DEFAULT_KERNELS if kernels is None else kernels
        self.kernels = sequence_of(given, "kernels", "a list of kernels")
        if not self.kernels:
            raise ValueError("kernels is empty, expected at least one")
        for kernel in self.kernels:
            if not isinstance(kernel, GaussianKernel | BilateralKernel):
                raise TypeError(
                    f"kernels holds {kernel!r}, expected GaussianKernel or BilateralKernel"
                )
        self.n_classes = n_classes
        self.n_iterations = n_iterations
        self.engine = engine
        start = torch.tensor([[float(kernel.weight)] for kernel in self.kernels])
        self.weights = nn.Parameter(start.repeat(1, n_classes))
        self.compatibility = nn.Parameter(1 - torch.eye(n_classes))

    def extra_repr(self) -> str:
        return f"{self.n_classes}, {list(self.kernels)}, n_iterations={self.n_iterations}"

    def forward(self, unary: Tensor, image: Tensor) -> Tensor:
        """Log marginals of these unaries.

        Parameters
        ----------
        unary : (N, n_classes, H, W) tensor
            Energies, lower is better: a network's scores, negated. A constant that is added to all
            classes of a pixel changes nothing. Half precision is computed in float32.
        image : (N, C, H, W) tensor
            uint8 or floats in [0, 1], before any normalisation for the network.

        Returns
        -------
        (N, n_classes, H, W) tensor
            For `nll_loss`, or `cross_entropy`, which leaves them as they are. Their exponentials
            are the marginals that `DenseCRF.infer` gives.

        Raises
        ------
        TypeError, ValueError
            For tensors that do not fit together.
        """
        self._check(unary, image)
        engine = self.engine or ("native" if unary.device.type == "cpu" else "torch")
        if engine == "native" and unary.device.type != "cpu":
            raise ValueError(f"engine is 'native', but unary is on {unary.device}")
        energies = unary if unary.dtype == torch.float64 else unary.float()
        images = image.detach().cpu()
        if images.is_floating_point():
            images = images.float()
        with torch.autocast(unary.device.type, enabled=False):
            results = [
                self._infer(energy, pixels.permute(1, 2, 0), engine)
                for energy, pixels in zip(energies, images, strict=True)
            ]
        return torch.stack(results)

    def _check(self, unary: Tensor, image: Tensor) -> None:
        for name, tensor in (("unary", unary), ("image", image)):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"{name} is a {type(tensor).__name__}, expected a tensor")
        if not unary.is_floating_point():
            raise TypeError(f"unary has dtype {unary.dtype}, expected floating point")
        if unary.ndim != 4 or unary.shape[1] != self.n_classes or unary.numel() == 0:
            raise ValueError(
                f"unary has shape {tuple(unary.shape)}, expected (N, {self.n_classes}, H, W)"
            )
        n, _, height, width = unary.shape
        if image.ndim != 4 or image.shape[0] != n or image.shape[2:] != unary.shape[2:]:
            raise ValueError(
                f"image has shape {tuple(image.shape)}, expected ({n}, C, {height}, {width}) "
                f"like the unary"
            )

    def _infer(self, unary: Tensor, image: Tensor, engine: str) -> Tensor:
        """Mean field for one image: (C, H, W) -> (C, H, W)."""
        shape = unary.shape
        energies = unary.flatten(1).T.contiguous()  # a row for each pixel
        filters = [self._filter(kernel, image, engine, unary) for kernel in self.kernels]
        ones = torch.ones_like(energies[:, :1])
        # As in `densecrf`: divided by the root of a kernel's sums before and after the filter.
        scales = [(filtered(ones, f).clamp_min(0) + 1e-20).rsqrt() for f in filters]
        weights = self.weights.to(energies)
        compatibility = self.compatibility.to(energies)
        log_q = (-energies).log_softmax(1)
        for _ in range(self.n_iterations):
            q = log_q.exp()
            message = torch.zeros_like(q)
            for filter_, scale, weight in zip(filters, scales, weights, strict=True):
                message = message + filtered(q * scale, filter_) * scale * weight
            log_q = (-energies - message @ compatibility.T).log_softmax(1)
        return log_q.T.reshape(shape)

    def _filter(
        self,
        kernel: GaussianKernel | BilateralKernel,
        image: Tensor,
        engine: str,
        unary: Tensor,
    ) -> NativeFilter | TorchFilter:
        height, width = image.shape[:2]
        native = KernelFilter(kernel, (height, width), image=image.numpy())
        if engine == "native":
            return NativeFilter(native)
        return TorchFilter(native.lattice(), unary.device)

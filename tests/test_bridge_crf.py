"""The CRF as a layer: the same marginals as densecrf, exact derivatives, and it learns."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from torch import Tensor, nn  # noqa: E402  # needs torch

import classicseg as cs  # noqa: E402
from classicseg.bridge import CRFLayer  # noqa: E402
from classicseg.densecrf import (  # noqa: E402
    BilateralKernel,
    DenseCRF,
    GaussianKernel,
    KernelFilter,
)

pytestmark = pytest.mark.usefixtures("one_torch_thread")

ENGINES = ("native", "torch")
KERNELS = (GaussianKernel(2, 2), BilateralKernel(8, 20, 3))


def problem(n: int, n_classes: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Random unaries, and pictures with a few regions and some noise."""
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 230, (n, 3, 5, 5)).repeat(9, axis=2).repeat(11, axis=3)
    blocks = blocks[..., :height, :width] + rng.integers(0, 25, (n, 3, height, width))
    unary = torch.from_numpy(rng.normal(size=(n, n_classes, height, width)) * 2)
    return unary.float(), torch.from_numpy(blocks.astype(np.uint8))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n_classes", [2, 3, 21])
def test_the_marginals_are_those_of_densecrf(engine: str, n_classes: int) -> None:
    unary, image = problem(2, n_classes, 23, 31)
    layer = CRFLayer(n_classes, KERNELS, n_iterations=4, engine=engine)
    with torch.no_grad():
        ours = layer(unary, image).exp()
    for u, i, q in zip(unary, image, ours, strict=True):
        theirs = DenseCRF(KERNELS).infer(
            u.permute(1, 2, 0).numpy(), i.permute(1, 2, 0).numpy(), n_iterations=4
        )
        assert np.abs(q.permute(1, 2, 0).numpy() - theirs.probabilities).max() < 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_costs_of_pairs_are_those_of_densecrf(engine: str) -> None:
    unary, image = problem(1, 4, 20, 25)
    rng = np.random.default_rng(2)
    cost = rng.uniform(0, 2, (4, 4))
    cost += cost.T
    layer = CRFLayer(4, KERNELS, engine=engine)
    with torch.no_grad():
        layer.compatibility.copy_(torch.from_numpy(cost))
        ours = layer(unary, image)[0].exp()
    theirs = DenseCRF(KERNELS, compatibility=cost).infer(
        unary[0].permute(1, 2, 0).numpy(), image[0].permute(1, 2, 0).numpy(), n_iterations=5
    )
    assert np.abs(ours.permute(1, 2, 0).numpy() - theirs.probabilities).max() < 1e-5


def test_rows_of_the_costs_are_a_pixels_own_labels() -> None:
    """One iteration by hand, with costs and weights that differ in every entry."""
    unary, image = problem(1, 3, 12, 14)
    kernel = BilateralKernel(8, 20)
    layer = CRFLayer(3, [kernel], n_iterations=1)
    rng = np.random.default_rng(3)
    cost, weight = rng.uniform(0, 3, (3, 3)), rng.uniform(1, 3, 3)
    with torch.no_grad():
        layer.compatibility.copy_(torch.from_numpy(cost))
        layer.weights.copy_(torch.from_numpy(weight)[None])
        ours = layer(unary, image)[0].exp().permute(1, 2, 0).numpy()
    blur = KernelFilter(kernel, (12, 14), image=image[0].permute(1, 2, 0).numpy())
    scale = 1 / np.sqrt(blur.apply(np.ones((12, 14, 1))))
    energies = unary[0].permute(1, 2, 0).double().numpy()
    message = scale * blur.apply(scale * cs.unary.to_probabilities(energies)) * weight
    penalty = np.stack([(cost[label] * message).sum(axis=-1) for label in range(3)], axis=-1)
    expected = cs.unary.to_probabilities(energies + penalty)
    assert np.abs(ours - expected).max() < 1e-5


@pytest.mark.parametrize("n_classes", [2, 5, 21])
def test_both_engines_agree_with_each_other_and_so_do_their_derivatives(n_classes: int) -> None:
    """The path of CUDA, run on the CPU: a batch, its marginals and every derivative."""
    unary, image = problem(2, n_classes, 40, 37)
    found = []
    for engine in ENGINES:
        torch.manual_seed(0)
        layer = CRFLayer(n_classes, KERNELS, engine=engine)
        with torch.no_grad():
            layer.weights += torch.rand(2, n_classes)
            layer.compatibility += torch.rand(n_classes, n_classes)
        leaf = unary.clone().requires_grad_()
        y = layer(leaf, image)
        (y * torch.randn(y.shape)).mean().backward()
        found.append((y.exp(), leaf.grad, layer.weights.grad, layer.compatibility.grad))
    for native, by_torch in zip(*found, strict=True):
        assert (native - by_torch).abs().max() < 1e-4 * native.abs().max()
    for derivative in found[0][1:]:
        assert derivative[..., 1].abs().max() > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_gradients_are_exact(engine: str) -> None:
    """Of the unaries, the weights and the compatibilities, in double precision."""
    unary, image = problem(1, 3, 4, 5)
    layer = CRFLayer(3, KERNELS, n_iterations=2, engine=engine).double()
    torch.manual_seed(0)
    weights = (layer.weights + torch.rand(2, 3)).detach().requires_grad_()
    costs = (layer.compatibility + torch.rand(3, 3)).detach().requires_grad_()

    def marginals(unary: Tensor, weights: Tensor, costs: Tensor) -> Tensor:
        parameters = {"weights": weights, "compatibility": costs}
        return torch.func.functional_call(layer, parameters, (unary, image)).exp()

    leaf = unary.double().requires_grad_()
    assert torch.autograd.gradcheck(marginals, (leaf, weights, costs), fast_mode=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_second_derivatives_are_exact(engine: str) -> None:
    unary, image = problem(1, 2, 3, 4)
    layer = CRFLayer(2, KERNELS, n_iterations=2, engine=engine).double()
    leaf = unary.double().requires_grad_()
    assert torch.autograd.gradgradcheck(lambda u: layer(u, image).exp(), (leaf,))


def test_a_batch_is_its_images() -> None:
    unary, image = problem(3, 3, 17, 19)
    layer = CRFLayer(3)
    with torch.no_grad():
        together = layer(unary, image)
        for k in range(3):
            assert torch.equal(together[k : k + 1], layer(unary[k : k + 1], image[k : k + 1]))
    assert image.dtype == torch.uint8
    torch.testing.assert_close(layer(unary, image / 255), together, atol=1e-4, rtol=1e-4)
    grey = image[:, :1]
    assert layer(unary, grey).shape == unary.shape
    torch.testing.assert_close(together.exp().sum(1), torch.ones(3, 17, 19))


def test_half_precision_is_computed_in_single() -> None:
    unary, image = problem(1, 3, 17, 19)
    layer = CRFLayer(3)
    half = layer(unary.bfloat16(), image)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, layer(unary.bfloat16().float(), image))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(layer(unary, image), layer(unary.float(), image))


def noisy_shapes(n: int) -> tuple[Tensor, Tensor]:
    """Discs on a ground, whose colours differ, with much noise in two of three channels."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:32, :32]
    images, truths = [], []
    for _ in range(n):
        cy, cx = rng.uniform(8, 24, 2)
        disc = (y - cy) ** 2 + (x - cx) ** 2 < rng.uniform(5, 10) ** 2
        image = np.where(disc, 0.65, 0.35)[..., None] + rng.normal(0, [0.3, 0.3, 0.02], (32, 32, 3))
        images.append(image.clip(0, 1))
        truths.append(disc)
    pixels = torch.tensor(np.stack(images)).float().permute(0, 3, 1, 2)
    return pixels, torch.tensor(np.stack(truths)).long()


def test_it_trains_with_a_network_and_raises_miou() -> None:
    """The network sees two noisy channels, pixel by pixel; the layer learns how to smooth."""
    torch.manual_seed(0)
    images, truth = noisy_shapes(8)
    network = nn.Conv2d(2, 2, 1)
    kernels = [GaussianKernel(2, 0.1), BilateralKernel(10, (200, 200, 20), 0.1)]
    layer = CRFLayer(2, kernels, n_iterations=3)
    start = {name: p.detach().clone() for name, p in layer.named_parameters()}

    def trained(n_steps: int, *parts: nn.Module) -> tuple[list[float], list[float]]:
        parameters = [p for part in parts for p in part.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=0.1)
        losses, scores = [], []
        for _ in range(n_steps):
            answer = network(images[:, :2])
            if layer in parts:
                answer = layer(-answer, images)
            loss = nn.functional.cross_entropy(answer, truth)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            labels = answer.argmax(1).numpy()
            scores.append(cs.metrics.ConfusionMatrix(2).update(truth.numpy(), labels).mean_iou)
        return losses, scores

    _, alone = trained(100, network)
    losses, scores = trained(15, network, layer)
    assert losses[-1] < 0.4 * losses[0]
    assert scores[-1] > scores[0] + 0.1
    assert scores[-1] > max(alone) + 0.1 and scores[-1] > 0.9
    for name, parameter in layer.named_parameters():
        assert (parameter - start[name]).abs().max() > 0.1


def test_a_graph_that_is_alive_at_the_end_is_no_leak() -> None:
    code = (
        "import torch; from classicseg.bridge import CRFLayer; "
        "y = CRFLayer(2)(torch.zeros(1, 2, 4, 5, requires_grad=True), torch.rand(1, 3, 4, 5))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "" and done.stdout == ""


def test_wrong_arguments_are_named() -> None:
    unary, image = problem(1, 3, 5, 6)
    layer = CRFLayer(3)
    with pytest.raises(ValueError, match=r"unary has shape \(3, 5, 6\), expected \(N, 3, H, W\)"):
        layer(unary[0], image)
    with pytest.raises(ValueError, match=r"image has shape .* expected \(1, C, 5, 6\)"):
        layer(unary, image[..., 1:])
    with pytest.raises(TypeError, match="unary is a ndarray"):
        layer(unary.numpy(), image)
    with pytest.raises(TypeError, match=r"unary has dtype torch\.int64"):
        layer(unary.long(), image)
    with pytest.raises(ValueError, match=r"image holds floats in .* expected \[0, 1\]"):
        layer(unary, image.float())
    with pytest.raises(ValueError, match="n_classes is 1"):
        CRFLayer(1)
    with pytest.raises(ValueError, match="n_iterations is 0"):
        CRFLayer(2, n_iterations=0)
    with pytest.raises(ValueError, match="engine is 'cuda'"):
        CRFLayer(2, engine="cuda")
    with pytest.raises(ValueError, match="kernels is empty"):
        CRFLayer(2, [])
    with pytest.raises(TypeError, match="kernels holds 'gaussian'"):
        CRFLayer(2, ["gaussian"])

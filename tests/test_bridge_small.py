"""The networks of our own choice, and U-Net."""

from __future__ import annotations

import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")

from classicseg.bridge import nets  # noqa: E402  # needs torch
from classicseg.bridge.nets.small import bilinear  # noqa: E402


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_unet_has_the_papers_size_and_layers() -> None:
    network = nets.unet(2, in_channels=1)
    assert parameters(network) == 31_030_658  # the count everyone quotes for the paper's layers
    kinds = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    assert sum(isinstance(m, kinds) for m in network.modules()) == 23
    with torch.no_grad():
        assert nets.unet(2, 1, width=2).valid(torch.zeros(1, 1, 572, 572)).shape[2:] == (388, 388)


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (40, 33), (100, 64)])
@pytest.mark.parametrize("padded", [False, True])
def test_unet_answers_in_the_images_size(size: tuple[int, int], padded: bool) -> None:
    network = nets.unet(3, width=2, padded=padded).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, *size)).shape == (1, 3, *size)


def test_unet_mirrors_what_lies_beyond_the_image() -> None:
    """Its answer on an image equals the bare network's in the middle of the mirrored image."""
    torch.manual_seed(0)
    network = nets.unet(2, width=2).eval()
    image = torch.rand(1, 3, 132, 116)
    mirrored = torch.nn.functional.pad(image, (92, 92, 92, 92), mode="reflect")
    with torch.no_grad():
        torch.testing.assert_close(network(image), network.valid(mirrored)[..., :132, :116])


def test_unet_copies_features_across() -> None:
    """Without the copies the finest level would not see single pixels beside each other."""
    torch.manual_seed(0)
    network = nets.unet(2, width=2).eval()
    with torch.no_grad():
        network.merge[-1][0].weight[:, :2] = 0  # the copies come first
        without = network(torch.eye(48).expand(1, 3, 48, 48))
        network.merge[-1][0].weight[:, :2] = 1
        assert not torch.allclose(without, network(torch.eye(48).expand(1, 3, 48, 48)))


@pytest.mark.parametrize("size", [(1, 1), (31, 64), (70, 45)])
@pytest.mark.parametrize("network", [nets.SmallFCN(4), nets.SmallDeepLab(4)])
def test_the_small_networks_take_any_size(size: tuple[int, int], network: torch.nn.Module) -> None:
    with torch.no_grad():
        assert network.eval()(torch.zeros(2, 3, *size)).shape == (2, 4, *size)


def test_the_small_fcn_starts_at_zero_and_learns_in_stages() -> None:
    torch.manual_seed(0)
    coarse, fine = nets.SmallFCN(3, stride=32).eval(), nets.SmallFCN(3, stride=8).eval()
    image = torch.rand(1, 3, 256, 256)
    inside = (..., slice(64, -64), slice(64, -64))  # beyond the rim the scores fade to zero
    with torch.no_grad():
        assert not coarse(image).any()
        coarse.score.weight.normal_()
        weights = {k: v for k, v in coarse.state_dict().items() if k != "upscore.weight"}
        missing = fine.load_state_dict(weights, strict=False).missing_keys
        new = {"score_pool4", "score_pool3", "up2", "up4", "upscore"}
        assert {key.split(".")[0] for key in missing} == new
        # The new scores are zero: a stage starts where the last one ended, but for a tent of
        # tents being no tent exactly.
        before, after = coarse(image)[inside], fine(image)[inside]
        assert (after - before).std() < 0.1 * before.std()
    assert not fine.upscore.weight.requires_grad and fine.up2.weight.requires_grad


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_bilinear_layers_equal_interpolation(factor: int) -> None:
    scores = torch.rand(1, 2, 6, 7)
    ours = bilinear(2, factor)(scores)
    theirs = torch.nn.functional.interpolate(scores, scale_factor=factor, mode="bilinear")
    inside = (..., slice(factor, -factor), slice(factor, -factor))
    torch.testing.assert_close(ours[inside], theirs[inside])


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ValueError, match="stride is 4, expected one of 8, 16, 32"):
        nets.SmallFCN(2, stride=4)
    with pytest.raises(ValueError, match="width is 0"):
        nets.unet(2, width=0)


def test_without_torch_the_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from classicseg import bridge\n"
        "try: bridge.nets.unet\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "classicseg.bridge needs torch: pip install 'classicseg[bridge]'"
    )

"""SegNet, DeepLab, the saliency network, unpooling, and published weights in them."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from torch import Tensor, nn  # noqa: E402  # needs torch

from classicseg.bridge import nets  # noqa: E402
from classicseg.bridge.nets._backbones import ResNet, Vgg16, build_backbone  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

SIZES = [(1, 1), (2, 37), (33, 65), (321, 321)]


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def meta(build: object, *arguments: object, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(*arguments, **options).eval()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("network", "channels"),
    [
        (meta(nets.segnet, 11), 11),
        (meta(nets.deeplab, "vgg16", "fc6"), 21),
        (meta(nets.deeplab, "vgg16", "large_fov"), 21),
        (meta(nets.deeplab, "vgg16", "aspp", 4), 4),
        (meta(nets.deeplab, "resnet101", "large_fov", 4), 4),
        (meta(nets.deeplab, "resnet101", "aspp"), 21),
        (meta(nets.deeplab_v3plus, 19), 19),
        (meta(nets.deeplab_v3plus, 19, output_stride=8), 19),
        (meta(nets.saliency, "fixations"), 1),
        (meta(nets.saliency, "object"), 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else None,
)
def test_scores_have_the_images_size(
    network: nn.Module, channels: int, size: tuple[int, int]
) -> None:
    assert network(torch.zeros(1, 3, *size, device="meta")).shape == (1, channels, *size)


def test_segnet_has_the_papers_weights() -> None:
    """117 MB of float32, 13 convolutions each way, no fully connected layer."""
    network = meta(nets.segnet, 11)
    assert n_parameters(network) * 4 // 10**6 == 117
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.backbone.modules()) == 13
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.decoders.modules()) == 13


def test_segnet_puts_values_back_to_where_the_maximum_was() -> None:
    torch.manual_seed(0)
    network = nets.segnet(3).eval()
    seen: list[tuple[Tensor, ...]] = []
    network.unpool.register_forward_hook(lambda _, given, y: seen.append((*given[:2], y)))
    with torch.no_grad():
        network(torch.rand(1, 3, 37, 50))
    assert [tuple(y.shape[-2:]) for _, _, y in seen] == [
        (3, 4),
        (5, 7),
        (10, 13),
        (19, 25),
        (37, 50),
    ]
    for x, places, y in seen:
        assert torch.equal(y.flatten(-2).gather(-1, places.flatten(-2)), x.flatten(-2))
        assert (y != 0).sum() <= x.numel()


def test_unpooling() -> None:
    x = torch.rand(2, 3, 4, 6)
    for factor in (1, 2, 3):
        near = nets.NearestUnpool(factor)(x)
        assert torch.equal(near, torch.nn.functional.interpolate(x, scale_factor=factor))
        nails = nets.SparseUnpool(factor)(x)
        assert torch.equal(nails[..., ::factor, ::factor], x)
        torch.testing.assert_close(nails.sum(), x.sum())
    for factor, size in ((2, (8, 12)), (2, (7, 11)), (3, (11, 17))):
        fine = torch.rand(2, 3, *size, requires_grad=True)
        pool = nn.MaxPool2d(factor, return_indices=True, ceil_mode=True)
        largest, places = pool(fine)
        back = nets.MaxUnpool(factor)(largest, places, size)
        assert torch.equal(back, torch.where(back != 0, fine, 0))
        assert (back != 0).sum() == largest.numel()
        back.sum().backward()
        assert torch.equal(fine.grad != 0, back != 0)
    with pytest.raises(ValueError, match="factor is 0"):
        nets.NearestUnpool(0)


def test_deeplab_has_the_papers_counts() -> None:
    """Table of arXiv:1412.7062: 134.3 and 20.5 million; ResNet-101 less its classifier has 42.5."""
    assert round(n_parameters(meta(nets.deeplab, "vgg16", "fc6")) / 1e5) == 1343
    assert round(n_parameters(meta(nets.deeplab, "vgg16", "large_fov")) / 1e5) == 205
    resnet = meta(nets.deeplab, "resnet101", "aspp")
    assert n_parameters(resnet.backbone) == 44_549_160 - 2048 * 1000 - 1000
    assert n_parameters(resnet.branches) == 4 * (2048 * 9 * 21 + 21)


def test_deeplab_v3plus_has_the_published_pyramid() -> None:
    """torchvision publishes 60,996,202 for DeepLabv3 with an auxiliary head and this pyramid."""
    auxiliary = 1024 * 9 * 256 + 2 * 256 + 256 * 21 + 21
    rest = 256 * 9 * 256 + 2 * 256 + 256 * 21 + 21
    network = meta(nets.deeplab_v3plus, 21)
    assert n_parameters(network.aspp) + n_parameters(network.backbone) == (
        60_996_202 - auxiliary - rest
    )
    rates = [view[0].dilation[0] for view in network.aspp.views]
    assert rates == [1, 6, 12, 18]
    assert [v[0].dilation[0] for v in meta(nets.deeplab_v3plus, 2, 8).aspp.views] == [1, 12, 24, 36]


def test_fields_of_the_four_branches() -> None:
    """13, 25, 37 and 49 positions; LargeFOV sees as much as fc6 with rate 4."""
    for backbone in ("vgg16", "resnet101"):
        branches = meta(nets.deeplab, backbone, "aspp").branches
        assert [nets.receptive_field(branch).size for branch in branches] == [13, 25, 37, 49]
    for head in ("fc6", "large_fov"):
        (branch,) = meta(nets.deeplab, "vgg16", head).branches
        assert nets.receptive_field(branch).size == 25


def test_branches_are_added_up() -> None:
    torch.manual_seed(0)
    network = nets.deeplab("vgg16", "aspp", 2).eval()
    with torch.no_grad():
        image = torch.rand(1, 3, 17, 17)
        features = network.features(image)
        expected = sum(branch(features) for branch in network.branches)
        assert features.shape[-2:] == (3, 3)
        torch.testing.assert_close(network(image)[..., ::8, ::8], expected)


def test_atrous_vgg16_gives_at_every_position_what_strides_give_at_each_second() -> None:
    torch.manual_seed(0)
    dense = nets.deeplab("vgg16", "fc6", 2).eval().backbone
    strided = Vgg16().eval()
    strided.load_state_dict(dense.state_dict())
    for index in strided.pools:
        strided.features[index] = nn.MaxPool2d(3, 2, padding=1)
    last = strided.pools[4]  # up to the last pooling, whose windows are of neighbours
    with torch.no_grad():
        image = torch.rand(1, 3, 97, 70)
        a, b = dense.features[:last](image), strided.features[:last](image)
    assert a.shape[-2:] == (13, 9) and b.shape[-2:] == (7, 5)
    torch.testing.assert_close(a[..., ::2, ::2], b)


@pytest.mark.parametrize("output_stride", [8, 16])
def test_atrous_resnet_gives_at_every_position_what_strides_give(output_stride: int) -> None:
    torch.manual_seed(0)
    dense, strided = (ResNet(s, blocks=(1, 2, 2, 2)).eval() for s in (output_stride, 32))
    strided.load_state_dict(dense.state_dict())
    with torch.no_grad():
        image = torch.rand(1, 3, 97, 70)
        a, b = dense(image)[-1], strided(image)[-1]
    step = 32 // output_stride
    torch.testing.assert_close(a[..., ::step, ::step], b)
    assert a.shape[-1] > b.shape[-1]


def test_the_saliency_networks_map() -> None:
    torch.manual_seed(0)
    network = nets.saliency("fixations").eval()
    network.score.bias.data.fill_(1.0)
    image = torch.rand(2, 3, 33, 47)
    maps = network(image)
    assert maps.min() >= 0
    torch.testing.assert_close(maps.amax((1, 2, 3)), torch.ones(2))
    truth = torch.rand(2, 1, 33, 47)
    loss = nets.fixation_loss(network, maps, truth)
    loss.backward()
    assert loss > 0 and network.prior.grad.abs().sum() > 0
    # Three levels of 1280 channels at stride 8, 64 filters of 3 x 3, one map and a prior of 6 x 8.
    assert n_parameters(network) == 14_714_688 + 1280 * 9 * 64 + 64 + 64 + 1 + 48
    with pytest.raises(ValueError, match="output is 'mask'"):
        nets.saliency("mask")


def empty(build: object, *arguments: object, **options: object) -> nn.Module:
    """A network without the time that random weights take."""
    return meta(build, *arguments, **options).to_empty(device="cpu")


def torchvision_vgg16() -> dict[str, Tensor]:
    state = {}
    numbers = iter((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))
    n_in = 3
    for width, n_layers in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(n_layers):
            number = next(numbers)
            state[f"features.{number}.weight"] = torch.randn(width, n_in, 3, 3)
            state[f"features.{number}.bias"] = torch.randn(width)
            n_in = width
    state["classifier.0.weight"] = torch.arange(4096.0 * 512 * 49).view(4096, -1)
    state["classifier.0.bias"] = torch.randn(4096)
    state["classifier.3.weight"] = torch.arange(4096.0 * 4096).view(4096, -1)
    state["classifier.3.bias"] = torch.randn(4096)
    state["classifier.6.weight"] = torch.randn(10, 4096)
    state["classifier.6.bias"] = torch.randn(10)
    return state


def test_vgg16s_weights_fit_everywhere(tmp_path: Path) -> None:
    state = torchvision_vgg16()
    torch.save({k: v for k, v in state.items() if "classifier" not in k}, tmp_path / "vgg16.pth")
    for network in (empty(nets.segnet, 2), empty(nets.saliency)):
        nets.load_pretrained(network, tmp_path / "vgg16.pth")
        convolutions = [m for m in network.backbone.modules() if isinstance(m, nn.Conv2d)]
        assert torch.equal(convolutions[0].weight, state["features.0.weight"])
        assert torch.equal(convolutions[12].bias, state["features.28.bias"])

    network = empty(nets.deeplab, "vgg16", "large_fov", 2)
    nets.load_pretrained(network, state)
    kernel = state["classifier.0.weight"].view(4096, 512, 7, 7)
    fc6 = network.branches[0].fc6.weight
    assert fc6.shape == (1024, 512, 3, 3)
    assert torch.equal(fc6[0], kernel[0][:, ::3, ::3])  # the corners, as rate 4 sees them
    assert torch.equal(fc6[-1], kernel[-1][:, ::3, ::3])
    assert network.branches[0].fc7.weight.shape == (1024, 1024, 1, 1)

    network = empty(nets.deeplab, "vgg16", "fc6", 2)
    nets.load_pretrained(network, state)
    assert torch.equal(network.branches[0].fc6.weight, kernel)
    with pytest.raises(ValueError, match=r"no 'classifier\.0'"):
        nets.load_pretrained(network, tmp_path / "vgg16.pth")


def test_alexnets_weights_make_an_fcn(tmp_path: Path) -> None:
    shapes = {
        0: (64, 3, 11),
        3: (192, 64, 5),
        6: (384, 192, 3),
        8: (256, 384, 3),
        10: (256, 256, 3),
    }
    state = {}
    for number, (n_out, n_in, side) in shapes.items():
        state[f"features.{number}.weight"] = torch.randn(n_out, n_in, side, side)
        state[f"features.{number}.bias"] = torch.randn(n_out)
    for number, n_in in ((1, 9216), (4, 4096)):
        state[f"classifier.{number}.weight"] = torch.arange(4096.0 * n_in).view(4096, -1)
        state[f"classifier.{number}.bias"] = torch.randn(4096)
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(state, tmp_path / "alexnet.safetensors")
    network = empty(nets.fcn, "alexnet", stride=32, n_classes=2)
    nets.load_pretrained(network, tmp_path / "alexnet.safetensors")
    assert torch.equal(network.head.fc6.weight.flatten(1), state["classifier.1.weight"])
    assert torch.equal(network.head.fc7.bias, state["classifier.4.bias"])
    assert torch.equal(network.backbone.features[3].weight, state["features.3.weight"])


def test_the_names_of_googlenet_and_resnet_are_torchvisions() -> None:
    with torch.device("meta"):
        names = build_backbone("googlenet_bn", 3).state_dict().keys()
        residual = ResNet().state_dict().keys()
    assert {
        "conv1.conv.weight", "conv1.bn.running_mean", "conv2.conv.weight", "conv3.bn.bias",
        "inception3a.branch1.conv.weight", "inception3a.branch2.0.conv.weight",
        "inception4e.branch3.1.bn.weight", "inception5b.branch4.1.conv.weight",
    } <= names  # fmt: skip
    assert len(names) == 57 * 6  # 57 convolutions, each with its normalisation
    assert {
        "conv1.weight", "bn1.running_var", "layer1.0.conv1.weight", "layer1.0.downsample.0.weight",
        "layer1.0.downsample.1.bias", "layer3.22.conv3.weight", "layer4.2.bn3.weight",
    } <= residual  # fmt: skip
    assert len(residual) == 104 * 6


def test_residual_weights_fit_deeplab() -> None:
    """A file also has the classifier, and old ones have no counts of batches."""
    names = meta(ResNet).state_dict().items()
    state = {k: torch.full(v.shape, float(number)) for number, (k, v) in enumerate(names)}
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    state |= {"fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    network = empty(nets.deeplab, "resnet101", "aspp", 2)
    nets.load_pretrained(network, state)
    own = network.backbone.state_dict()
    assert all(torch.equal(own[k], v) for k, v in state.items() if not k.startswith("fc."))


def test_files_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with torch.device("meta"):
        googlenet = nets.fcn("googlenet", stride=32)
        published = build_backbone("googlenet_bn", 3).state_dict()
    with pytest.raises(ValueError, match=r"conv1.conv.bias.*fcn\('googlenet_bn'\)"):
        nets.load_pretrained(googlenet, published)
    with torch.device("meta"):
        plain, normalised = nets.saliency(), Vgg16(batch_norm=True).state_dict()
    with pytest.raises(ValueError, match=r"no 'features\.2\.weight' and lacks"):
        nets.load_pretrained(plain, normalised)
    with pytest.raises(TypeError, match="SmallFCN, expected one with a backbone"):
        nets.load_pretrained(nets.SmallFCN(2), {})
    network = nets.segnet(2)
    with pytest.raises(FileNotFoundError, match=r"nothing\.pth"):
        nets.load_pretrained(network, tmp_path / "nothing.pth")
    for name in ("text.pth", "text.safetensors"):
        (tmp_path / name).write_text("no weights")
        with pytest.raises(ValueError, match=name):
            nets.load_pretrained(network, tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match="no state dict"):
        nets.load_pretrained(network, tmp_path / "list.pth")
    state = network.backbone.state_dict()
    state["features.0.weight"] = torch.zeros(64, 1, 3, 3)
    with pytest.raises(ValueError, match=r"'features.0.weight' of shape \(64, 1, 3, 3\)"):
        nets.load_pretrained(network, state)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="backbone is 'resnet18'"):
        nets.deeplab("resnet18")
    with pytest.raises(ValueError, match="head is 'fc6', which is VGG16's"):
        nets.deeplab("resnet101", "fc6")
    with pytest.raises(ValueError, match="head is 'crf'"):
        nets.deeplab("vgg16", "crf")
    with pytest.raises(ValueError, match="output_stride is 4"):
        nets.deeplab_v3plus(2, output_stride=4)
    with pytest.raises(TypeError, match="n_classes"):
        nets.segnet(2.5)

"""Fully convolutional networks: sizes, weights and what each sees."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from torch import nn  # noqa: E402  # needs torch

from classicseg.bridge import nets  # noqa: E402
from classicseg.bridge.nets._backbones import build_backbone  # noqa: E402
from classicseg.bridge.nets._receptive_field import field_after  # noqa: E402
from classicseg.bridge.nets._upsampling import bilinear_upsampling  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

BACKBONES = ("alexnet", "vgg16", "googlenet", "googlenet_bn")


def n_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def on_meta(*arguments: object, **options: object) -> nn.Module:
    with torch.device("meta"):
        return nets.fcn(*arguments, **options)


@pytest.mark.parametrize(
    ("name", "millions", "field"),
    [("alexnet", 57, 355), ("vgg16", 134, 404), ("googlenet", 6, 907)],
)
def test_parameters_and_fields_of_the_papers_first_table(
    name: str, millions: int, field: int
) -> None:
    network = on_meta(name, stride=32)
    learned = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert round(learned / 1e6) == millions
    assert nets.receptive_field(network).size == field
    assert nets.receptive_field(network).stride == 32


def test_backbones_have_torchvisions_counts() -> None:
    """What torchvision publishes for the classifiers, less their last layers."""
    classifiers = {
        "alexnet": (61_100_840, 9216 * 4096 + 4096 * 4096 + 4096 * 1000 + 2 * 4096 + 1000),
        "vgg16": (138_357_544, 25088 * 4096 + 4096 * 4096 + 4096 * 1000 + 2 * 4096 + 1000),
        "googlenet_bn": (6_624_904, 1024 * 1000 + 1000),
    }
    for name, (whole, last) in classifiers.items():
        with torch.device("meta"):
            assert n_parameters(build_backbone(name, padding=1)) == whole - last


def test_sizes_of_the_maps_of_fcn_8s() -> None:
    """500 pixels become 16, 34, 70 and 500 again."""
    network = on_meta("vgg16", stride=8)
    sides = []
    for name in ("score", "upscore2", "upscore_pool4"):
        layer = network.get_submodule(name)
        layer.register_forward_hook(lambda _, __, y: sides.append(tuple(y.shape[-2:])))
    scores = network(torch.zeros(2, 3, 500, 500, device="meta"))
    assert sides == [(16, 16), (34, 34), (70, 70)]
    assert scores.shape == (2, 21, 500, 500)
    assert network.backbone.features[0].padding == (100, 100)


def test_crops_are_those_of_the_authors_networks() -> None:
    """The offsets in the prototxt files that the authors published for VGG16 and AlexNet."""
    assert on_meta("vgg16", stride=32).offsets == [-19]
    assert on_meta("vgg16", stride=16).offsets == [5, -27]
    assert on_meta("vgg16", stride=8).offsets == [5, 9, -31]
    assert on_meta("alexnet", stride=32).offsets == [-18]


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("stride", [32, 16, 8])
def test_any_size_down_to_one_pixel(name: str, stride: int) -> None:
    network = on_meta(name, stride=stride, n_classes=3)
    for height, width in [(1, 1), (1, 70), (7, 33), (31, 32), (64, 65), (500, 375)]:
        image = torch.zeros(1, 3, height, width, device="meta")
        assert network(image).shape == (1, 3, height, width)


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(("stride", "n_maps"), [(32, 1), (16, 2), (8, 3)])
def test_scores_lie_where_the_image_is(name: str, stride: int, n_maps: int) -> None:
    """Maps that hold where their values lie in the image add up to a ramp over the image."""
    network = nets.FCN(_Ramp(name), stride, n_classes=1)
    network.head = nn.Identity()
    network.score = nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        for part, layer in network.named_modules():
            if part.startswith("score"):
                layer.weight.fill_(1 / n_maps)
                layer.bias.zero_()
        scores = network(torch.zeros(1, 3, 90, 170))[0, 0]
    torch.testing.assert_close(scores, torch.arange(170.0).expand(90, -1), atol=1e-3, rtol=0)


class _Ramp(nn.Module):
    """A backbone whose maps hold the column of the image that each value lies on."""

    def __init__(self, name: str) -> None:
        super().__init__()
        with torch.device("meta"):
            self.real = [build_backbone(name, 100)]
        self.ends = self.real[0].ends
        self.channels = (1, 1, 1)
        self.fc6_kernel = 1

    def layers(self) -> list[nn.Module]:
        return list(self.real[0].layers())

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = []
        for end, real in zip(self.ends, self.real[0](x.to("meta")), strict=True):
            field = field_after(self.layers()[:end])
            column = field.centre + field.stride * torch.arange(real.shape[-1])
            maps.append(column.expand(1, 1, real.shape[-2], -1).float())
        return maps


def test_the_field_by_arithmetic_is_the_field_by_gradient() -> None:
    """Of a smaller network of every kind of layer, and of the place where it lies."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 1, 5, stride=2, padding=3),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.Conv2d(1, 1, 3, padding=2, dilation=2),
        nn.AvgPool2d(2, 1),
    )
    field = nets.receptive_field(network)
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                layer.weight.fill_(1)
    network[2] = nn.AvgPool2d(3, 2, ceil_mode=True)  # so that every pixel counts
    image = torch.ones(1, 1, 90, 90, requires_grad=True)
    network(image)[0, 0, 6, 7].backward()
    rows, columns = (image.grad[0, 0] != 0).nonzero().T
    assert rows.max() - rows.min() + 1 == field.size
    assert (rows.max() + rows.min()) / 2 == field.centre + 6 * field.stride
    assert (columns.max() + columns.min()) / 2 == field.centre + 7 * field.stride


@pytest.mark.parametrize(("name", "field"), [("alexnet", 355), ("vgg16", 404), ("googlenet", 907)])
def test_the_papers_fields_by_gradient(name: str, field: int) -> None:
    """Of the networks' own layers, with one channel each, and sums for maxima."""
    with torch.device("meta"):
        network = nets.fcn(name, stride=32)
    layers = [_thin(layer) for layer in _flat(network)]
    side = 2 * field + 60
    image = torch.ones(1, 1, side, 1, requires_grad=True)
    y = image
    for layer in layers:
        y = layer(y)
    middle = y.shape[2] // 2
    y[0, 0, middle, 0].backward()
    rows = (image.grad[0, 0, :, 0] != 0).nonzero()[:, 0]
    assert rows.max() - rows.min() + 1 == field


def _flat(module: nn.Module) -> list[nn.Module]:
    """The layers of the widest path."""
    path = getattr(module, "widest_path", None)
    children = path() if path else module if isinstance(module, nn.Sequential) else None
    if children is None:
        return [module] if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) else []
    return [layer for child in children for layer in _flat(child)]


def _thin(layer: nn.Module) -> nn.Module:
    """A column of ones in place of the layer's window, with its stride and padding."""

    def side(value: object) -> int:
        return value if isinstance(value, int) else value[0]  # type: ignore[index, return-value]

    thin = nn.Conv2d(
        1, 1, (side(layer.kernel_size), 1), (side(layer.stride), 1), (side(layer.padding), 0),
        bias=False,
    )  # fmt: skip
    nn.init.ones_(thin.weight)
    return thin


def test_training_starts_from_zero_scores_and_bilinear_layers() -> None:
    network = nets.fcn("googlenet", stride=8, n_classes=2)
    for name in ("score", "score_pool4", "score_pool3"):
        assert not any(p.any() for p in network.get_submodule(name).parameters())
    for name in ("upscore2", "upscore_pool4"):
        weight = network.get_submodule(name).weight
        assert weight.requires_grad
        assert weight[0, 0].sum().item() == pytest.approx(4) and not weight[0, 1].any()
    assert not network.upscore8.weight.requires_grad
    with torch.no_grad():
        assert not network.eval()(torch.rand(1, 3, 20, 30)).any()


@pytest.mark.parametrize(("kernel", "factor"), [(4, 2), (3, 2), (64, 32), (63, 32), (16, 8)])
def test_bilinear_layers_interpolate(kernel: int, factor: int) -> None:
    layer = bilinear_upsampling(2, kernel, factor, learned=False)
    x = torch.rand(1, 2, 5, 6)
    with torch.no_grad():
        y = layer(x)
    if kernel == 2 * factor - 1:  # passes through the samples
        start = factor - 1
        torch.testing.assert_close(y[..., start::factor, start::factor][..., :5, :6], x)
    expected = torch.nn.functional.interpolate(x, scale_factor=factor, mode="bilinear")
    if kernel == 2 * factor:
        inside = (..., slice(factor, -factor), slice(factor, -factor))
        cut = factor // 2
        torch.testing.assert_close(y[..., cut:-cut, cut:-cut][inside], expected[inside])


def test_fixed_networks_learn_scores_only() -> None:
    network = on_meta("vgg16", stride=32, n_classes=5, fixed=True)
    learned = {name for name, p in network.named_parameters() if p.requires_grad}
    assert learned == {"score.weight", "score.bias"}


def test_stages_hand_over_their_weights() -> None:
    """FCN-8s of a trained FCN-32s starts with its scores, enlarged."""
    torch.manual_seed(0)
    coarse = nets.fcn("googlenet", stride=32, n_classes=2).eval()
    nn.init.normal_(coarse.score.weight)
    fine = nets.fcn("googlenet", stride=8, n_classes=2).eval()
    missing, unexpected = fine.load_state_dict(coarse.state_dict(), strict=False)
    assert unexpected == ["upscore32.weight"]
    assert {name.split(".")[0] for name in missing} == {
        "score_pool4", "score_pool3", "upscore2", "upscore_pool4", "upscore8",
    }  # fmt: skip
    with torch.no_grad():
        image = torch.rand(1, 3, 48, 48)
        before, after = coarse(image), fine(image)
    middle = (..., slice(12, 36), slice(12, 36))
    assert (before - after)[middle].abs().max() < 0.05 * before.abs().max()


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="backbone is 'vgg19', expected one of"):
        nets.fcn("vgg19")
    with pytest.raises(ValueError, match="stride is 4"):
        nets.fcn("vgg16", stride=4)
    with pytest.raises(ValueError, match="n_classes is 0"):
        nets.fcn("vgg16", n_classes=0)
    with pytest.raises(TypeError, match="expected layers of which"):
        nets.receptive_field(nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveAvgPool2d(1)))
    with pytest.raises(TypeError, match="square"):
        nets.receptive_field(nn.Conv2d(1, 1, (3, 5)))


def test_the_small_network_is_one_of_them() -> None:
    assert isinstance(nets.fcn("small", stride=16, n_classes=4), nets.SmallFCN)
    with pytest.raises(ValueError, match="fixed=True"):
        nets.fcn("small", fixed=True)

"""Any model's scores as energies."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from torch import Tensor, nn  # noqa: E402  # needs torch

import classicseg as cs  # noqa: E402
from classicseg import bridge  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")

MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def picture(height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(4)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def by_hand(model: nn.Module, image: np.ndarray) -> np.ndarray:
    """Scores (H, W, L) of a model without strides."""
    x = torch.from_numpy(((image / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        return model(x)[0].permute(1, 2, 0).numpy()


class Wrapped(nn.Module):
    """A model with another kind of answer."""

    def __init__(self, model: nn.Module, wrap: object) -> None:
        super().__init__()
        self.model, self.wrap = model, wrap

    def forward(self, x: Tensor) -> object:
        return self.wrap(self.model(x))


@pytest.mark.parametrize(
    "wrap",
    [lambda y: y, lambda y: {"out": y, "aux": y * 0}, lambda y: SimpleNamespace(logits=y)],
    ids=["tensor", "mapping", "logits"],
)
def test_energies_of_every_kind_of_answer(wrap: object) -> None:
    torch.manual_seed(0)
    model, image = nn.Conv2d(3, 5, 1), picture(20, 33)
    expected = cs.unary.from_scores(by_hand(model, image), temperature=2.0)
    found = bridge.unary(Wrapped(model, wrap), image, temperature=2.0)
    assert found.dtype == np.float32 and found.flags.c_contiguous
    assert np.abs(found - expected).max() < 1e-5
    assert np.array_equal(found, bridge.unary(Wrapped(model, wrap), image, temperature=2))


def test_one_channel_is_the_foregrounds_logit() -> None:
    model, image = nn.Conv2d(3, 1, 1), picture(9, 8)
    energies = bridge.unary(model, image)
    logit = by_hand(model, image)[..., 0]
    assert np.abs(energies[..., 1] - np.log1p(np.exp(-logit))).max() < 1e-5
    assert np.abs(energies[..., 0] - np.log1p(np.exp(logit))).max() < 1e-5


def test_scores_of_a_coarse_map_are_enlarged_and_cropped() -> None:
    """A network that gives a pooled map: as torch enlarges it, over the padded image."""
    image = picture(70, 50)
    model = nn.Sequential(nn.AvgPool2d(8), nn.Conv2d(3, 2, 1))
    x = torch.from_numpy(((image / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
    padded = nn.functional.pad(x, (0, 14, 0, 26), mode="replicate")  # to 96 x 64
    with torch.no_grad():
        scores = nn.functional.interpolate(model(padded), (96, 64), mode="bilinear")
    expected = cs.unary.from_scores(scores[0, :, :70, :50].permute(1, 2, 0).numpy())
    assert np.abs(bridge.unary(model, image) - expected).max() < 1e-5
    seen: list[tuple[int, ...]] = []
    model.register_forward_hook(lambda _, x, __: seen.append(tuple(x[0].shape)))
    bridge.unary(model, image)
    bridge.unary(model, image, stride=1)
    bridge.unary(model, image, stride=40)
    assert seen == [(1, 3, 96, 64), (1, 3, 70, 50), (1, 3, 80, 80)]


def convolutions() -> nn.Module:
    """Sees 11 x 11 pixels, with stride 2."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2), nn.Conv2d(6, 6, 3, padding=1),
        nn.Tanh(), nn.Conv2d(6, 3, 3, padding=1), nn.Upsample(scale_factor=2),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("size", "tile", "overlap"),
    [((150, 130), 64, None), ((150, 130), (64, 96), 32), ((40, 300), 48, 24), ((64, 64), 64, None)],
)
def test_tiles_give_what_the_whole_gives(
    size: tuple[int, int], tile: int | tuple[int, int], overlap: int | None
) -> None:
    """As the network sees less than a quarter of the overlap, exactly but for rounding."""
    model, image = convolutions(), picture(*size)
    whole = bridge.unary(model, image, stride=8)
    seen: list[tuple[int, ...]] = []
    model.register_forward_hook(lambda _, x, __: seen.append(tuple(x[0].shape[2:])))
    if overlap is None:
        overlap = 24
    tiled = bridge.unary(model, image, stride=8, tile=tile, overlap=overlap)
    assert np.abs(tiled - whole).max() < 1e-5
    height, width = tile if isinstance(tile, tuple) else (tile, tile)
    assert all(h <= height and w <= width for h, w in seen)
    assert len(seen) > 1 or size == (64, 64)


def test_tiles_blend_where_they_differ() -> None:
    """A network that only knows which tile it sees: a ramp in between, no step."""

    class Counting(nn.Module):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            y = torch.zeros(len(x), 2, *x.shape[-2:])
            y[:, 1] = self.calls
            return y

    energies = bridge.unary(Counting(), picture(32, 96), tile=64, overlap=32, stride=32)
    scores = energies[..., 0] - energies[..., 1]
    assert np.abs(scores[:, :40] - 1).max() < 1e-5 and np.abs(scores[:, 56:] - 2).max() < 1e-5
    steps = np.diff(scores[0])
    assert steps.min() > -1e-5 and steps.max() < 0.07


def test_scales_and_mirror_images_are_averaged() -> None:
    model, image = convolutions(), picture(48, 64)
    plain = bridge.unary(model, image, stride=8)
    mirrored = bridge.unary(model, image[:, ::-1], stride=8)[:, ::-1]
    both = bridge.unary(model, image, stride=8, flip=True)
    assert np.abs(np.exp(-both) - (np.exp(-plain) + np.exp(-mirrored)) / 2).max() < 1e-5
    sizes: list[tuple[int, ...]] = []
    hook = model.register_forward_hook(lambda _, x, __: sizes.append(tuple(x[0].shape[2:])))
    averaged = bridge.unary(model, image, stride=8, scales=(0.5, 1, 2))
    hook.remove()
    assert sizes == [(24, 32), (48, 64), (96, 128)]
    parts = [bridge.unary(model, image, stride=8, scales=[scale]) for scale in (0.5, 1, 2)]
    assert np.abs(np.exp(-averaged) - np.mean([np.exp(-p) for p in parts], axis=0)).max() < 1e-5
    assert np.abs(np.exp(-averaged).sum(axis=-1) - 1).max() < 1e-5


def test_a_list_is_a_batch() -> None:
    model = convolutions()
    images = [picture(20, 30), picture(20, 30)[::-1], picture(21, 30), picture(20, 30)]
    alone = [bridge.unary(model, image) for image in images]
    sizes: list[int] = []
    model.register_forward_hook(lambda _, x, __: sizes.append(len(x[0])))
    together = bridge.unary(model, images, batch_size=4)
    assert sizes == [2, 1, 1]
    assert isinstance(together, list) and len(together) == 4
    for a, b in zip(alone, together, strict=True):
        assert np.abs(a - b).max() < 1e-5
    assert bridge.unary(model, []) == []


def test_images_of_other_kinds() -> None:
    model, image = convolutions(), picture(20, 30)
    expected = bridge.unary(model, image)
    for other in (image / 255, image.astype(np.uint16) * 257, np.asfortranarray(image)):
        assert np.abs(bridge.unary(model, other) - expected).max() < 1e-5
    image.flags.writeable = False
    bridge.unary(model, image)
    grey = bridge.unary(model, image[..., 0])
    assert np.abs(grey - bridge.unary(model, np.repeat(image[..., :1], 3, axis=2))).max() < 1e-5
    single = nn.Conv2d(1, 2, 3, padding=1)
    assert bridge.unary(single, image[..., 0], mean=[0.5], std=[0.5]).shape == (20, 30, 2)
    assert bridge.unary(model, picture(1, 1)).shape == (1, 1, 3)


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Conv2d(4, 2, 1))
    model.train()
    model[1].eval()
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    energies = bridge.unary(model, picture(12, 12), device="cpu")
    assert np.array_equal(energies, bridge.unary(model, picture(12, 12)))  # no dropout
    assert [m.training for m in model.modules()] == [True, True, False, True, True]
    assert torch.equal(model[0].weight.grad, torch.ones_like(model[0].weight))
    assert all(p.requires_grad for p in model.parameters()) and model[3].weight.grad is None
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    broken = Wrapped(model, lambda y: y / 0)
    with pytest.raises(ValueError, match="NaN or infinite"):
        bridge.unary(broken, picture(12, 12))
    assert model.training and not model[1].training
    assert torch.is_grad_enabled()


def test_models_in_half_precision_run_on_the_cpu() -> None:
    model = convolutions()
    full = bridge.unary(model, picture(16, 16))
    half = bridge.unary(model.bfloat16(), picture(16, 16))
    assert half.dtype == np.float32 and 0 < np.abs(half - full).max() < 0.1


@pytest.fixture(scope="module")
def transformers() -> object:
    return pytest.importorskip("transformers", reason="tested with transformers' models")


def test_segformer(transformers: object) -> None:
    torch.manual_seed(0)
    config = transformers.SegformerConfig(
        num_labels=7, depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32],
        num_attention_heads=[1, 2, 3, 4], decoder_hidden_size=16,
    )  # fmt: skip
    model = transformers.SegformerForSemanticSegmentation(config)
    image = picture(70, 100)
    energies = bridge.unary(model, image)
    assert energies.shape == (70, 100, 7)
    x = torch.from_numpy(((image / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
    padded = nn.functional.pad(x, (0, 28, 0, 26), mode="replicate")
    with torch.no_grad():
        logits = model.eval()(padded).logits
    assert logits.shape[-2:] == (24, 32)
    scores = nn.functional.interpolate(logits, (96, 128), mode="bilinear")[0, :, :70, :100]
    expected = cs.unary.from_scores(scores.permute(1, 2, 0).numpy())
    assert np.abs(energies - expected).max() < 1e-4


def test_mask2former(transformers: object) -> None:
    """As transformers' own semantic inference."""
    torch.manual_seed(0)
    backbone = transformers.SwinConfig(
        embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.Mask2FormerConfig(
        backbone_config=backbone, num_labels=5, hidden_dim=32, feature_size=32,
        mask_feature_size=32,
        encoder_layers=1, decoder_layers=2, num_queries=6, num_attention_heads=2,
        encoder_feedforward_dim=32, dim_feedforward=32,
    )  # fmt: skip
    model = transformers.Mask2FormerForUniversalSegmentation(config).eval()
    image = picture(64, 96)
    energies = bridge.unary(model, image)
    assert energies.shape == (64, 96, 5)
    x = torch.from_numpy(((image / 255 - MEAN) / STD).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        output = model(x)
    classes = output.class_queries_logits.softmax(-1)[..., :-1]
    sums = torch.einsum("bqc,bqhw->bchw", classes, output.masks_queries_logits.sigmoid())
    sums = nn.functional.interpolate(sums, (64, 96), mode="bilinear")[0].permute(1, 2, 0).numpy()
    assert np.abs(np.exp(-energies) - sums / sums.sum(axis=-1, keepdims=True)).max() < 1e-4


def test_wrong_arguments_are_named() -> None:
    model, image = convolutions(), picture(16, 16)
    with pytest.raises(TypeError, match=r"model is a function, expected a torch\.nn\.Module"):
        bridge.unary(lambda x: x, image)
    with pytest.raises(TypeError, match="model gave a tuple, expected a tensor"):
        bridge.unary(Wrapped(model, lambda y: (y, y)), image)
    with pytest.raises(ValueError, match=r"model gave scores of shape \(1, 3\)"):
        bridge.unary(Wrapped(model, lambda y: y.mean((2, 3))), image)
    with pytest.raises(ValueError, match=r"image has shape \(3, 16, 16\).*channels come first"):
        bridge.unary(model, np.moveaxis(image, -1, 0))
    with pytest.raises(ValueError, match="temperature"):
        bridge.unary(model, image, temperature=0)
    with pytest.raises(ValueError, match=r"scales is \(\), expected sizes"):
        bridge.unary(model, image, scales=())
    with pytest.raises(ValueError, match="scales"):
        bridge.unary(model, image, scales=(1, -1))
    with pytest.raises(ValueError, match="overlap is 64, expected 0 to 32"):
        bridge.unary(model, image, tile=50, overlap=64)
    with pytest.raises(ValueError, match="overlap is for tiles"):
        bridge.unary(model, image, overlap=8)
    with pytest.raises(ValueError, match="tile is 0"):
        bridge.unary(model, image, tile=0)
    with pytest.raises(ValueError, match="mean has 2 values and std 3"):
        bridge.unary(model, image, mean=(0.5, 0.5))
    with pytest.raises(ValueError, match="image has 3 channels, expected 1"):
        bridge.unary(model, image, mean=(0.5,), std=(0.5,))

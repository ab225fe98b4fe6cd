"""Classifiers as fully convolutional networks: every score is the classifier's for its window."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the bridge needs torch")

from torch import Tensor, nn  # noqa: E402  # needs torch

from classicseg.bridge import nets  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def flattened() -> nn.Module:
    """As AlexNet and VGG: convolutions, a flattened map, three linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.Flatten(), nn.Dropout(), nn.Linear(8 * 4 * 6, 20), nn.ReLU(),
        nn.Linear(20, 15, bias=False), nn.BatchNorm1d(15), nn.Sigmoid(), nn.Linear(15, 4),
    )  # fmt: skip


class Averaged(nn.Module):
    """As GoogLeNet and ResNet: a global average, then one layer; written with functions."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.BatchNorm2d(6), nn.ReLU())
        self.branch = nn.Conv2d(6, 6, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        x = torch.relu(x + self.branch(x))
        return self.fc(torch.flatten(self.pool(x), 1))


class Windows(nn.Module):
    """As torchvision's VGG: an average to several windows before the flattening."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 5, 3)
        self.pool = nn.AdaptiveAvgPool2d((2, 3))
        self.classifier = nn.Sequential(nn.Linear(30, 7), nn.ReLU(), nn.Linear(7, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.features(x))
        return self.classifier(x.view(x.size(0), -1))


@pytest.mark.parametrize(
    ("classifier", "size", "stride"),
    [(flattened(), (29, 37), 4), (Averaged(), (11, 15), 2), (Windows(), (10, 14), 1)],
    ids=["flattened", "averaged", "windows"],
)
def test_every_score_is_the_classifiers_for_its_window(
    classifier: nn.Module, size: tuple[int, int], stride: int
) -> None:
    torch.manual_seed(0)
    for layer in classifier.modules():  # as if trained
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    classifier.eval()
    network = nets.convolutionalize(classifier, size)
    image = torch.rand(2, 3, size[0] + 13, size[1] + 9)
    with torch.no_grad():
        scores = network(image)
        assert scores.shape[-2:] == (13 // stride + 1, 9 // stride + 1)
        for row in range(scores.shape[-2]):
            for column in range(scores.shape[-1]):
                y, x = row * stride, column * stride
                window = image[..., y : y + size[0], x : x + size[1]]
                expected = classifier(window)
                torch.testing.assert_close(scores[..., row, column], expected, atol=1e-5, rtol=1e-4)


def test_a_padded_classifier_keeps_its_answer_at_its_own_size() -> None:
    torch.manual_seed(0)
    classifier = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 64, 5)
    ).eval()
    image = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        scores = nets.convolutionalize(classifier, 16)(image)
        torch.testing.assert_close(scores[..., 0, 0], classifier(image))


def test_the_classifier_stays_as_it_is_and_the_network_learns_by_itself() -> None:
    classifier = flattened().train()
    before = {k: v.clone() for k, v in classifier.state_dict().items()}
    network = nets.convolutionalize(classifier, (29, 37))
    assert network.training and classifier.training
    network(torch.rand(2, 3, 40, 40)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert all(p.grad is None for p in classifier.parameters())
    assert all(torch.equal(v, before[k]) for k, v in classifier.state_dict().items())
    weights = sum(p.numel() for p in network.parameters())
    assert weights == sum(p.numel() for p in classifier.parameters())


def test_what_is_no_such_classifier_is_told() -> None:
    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(TypeError, match=r"torch\.fx cannot trace"):
        nets.convolutionalize(Branching())
    with pytest.raises(TypeError, match="classifier is a str"):
        nets.convolutionalize("vgg16")
    with pytest.raises(ValueError, match="no convolution"):
        nets.convolutionalize(nn.Sequential(nn.Flatten(), nn.Linear(12, 3)), 2)
    with pytest.raises(ValueError, match="no linear layer"):
        nets.convolutionalize(nn.Conv2d(3, 4, 3), 16)
    with pytest.raises(ValueError, match="does not take images of 20 x 20"):
        nets.convolutionalize(flattened(), 20)
    with pytest.raises(ValueError, match="whole windows"):
        nets.convolutionalize(Windows(), (11, 14))
    odd = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4 * 36, 4), nn.LayerNorm(4))
    with pytest.raises(ValueError, match="LayerNorm"):
        nets.convolutionalize(odd, 8)

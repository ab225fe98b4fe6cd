"""The weights that come with the package, and those that training writes."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from classicseg import bridge, compare, metrics, samples  # noqa: E402  # needs torch
from classicseg.bridge._sized import Sized  # noqa: E402
from classicseg.bridge._weights import save  # noqa: E402

SHIPPED = {"figure_ground": 2, "street_scenes": 11, "cells": 2}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_small_and_have_cards(name: str) -> None:
    place = files("classicseg.bridge") / "weights"
    assert len((place / f"{name}.safetensors").read_bytes()) < 4_000_000
    card = bridge.card(name)
    assert len(card.classes) == SHIPPED[name]
    for heading in ("Data", "Command", "Recipe", "Scores", "Licence"):
        assert f"## {heading}\n" in card.text
    assert f"--network {card.network} " in card.text
    assert "--seed 0" in card.text and "research" in card.text


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_networks_take_any_size(name: str) -> None:
    network = bridge.load(name)
    assert not network.training
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    with torch.no_grad():
        for size in ((1, 1), (40, 90), (300, 200)):
            scores = network(torch.zeros(1, 3, *size))
            assert scores.shape == (1, SHIPPED[name], *size)


def test_the_figure_ground_network_knows_objects() -> None:
    """Better than the place in the image alone, over photographs that it has not seen."""
    found = {"fcn:figure_ground+argmax": [], "saliency:centre_prior+argmax": []}
    for name in samples.names():
        sample = samples.load(name)
        for pipeline, scores in found.items():
            mask = compare.segment(sample.image, pipeline)
            matrix = metrics.ConfusionMatrix(2).update(sample.truth, mask)
            scores.append(matrix.mean_iou)
    network, centre = (float(np.mean(scores)) for scores in found.values())
    assert network > centre, found


def test_weights_come_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    network = bridge.nets.unet(3, width=2, padded=True, batch_norm=True).eval()
    image = torch.rand(1, 3, 40, 60)
    for half, tolerance in ((False, 0.0), (True, 0.05)):
        save(path, network, "unet:2", ["a", "b", "c"], 30, half=half)
        loaded = bridge.load(path)
        assert bridge.card(path).classes == ("a", "b", "c")
        with torch.no_grad():
            torch.testing.assert_close(
                loaded(image), Sized(network, 30)(image), rtol=0, atol=tolerance
            )


def test_a_sized_network_sees_its_size() -> None:
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(images.shape[-2:]))
            return images[:, :2, ::2, ::2]

    for size, longest, expected in (
        ((50, 100), 20, (10, 20)),
        ((100, 50), 200, (200, 100)),
        ((50, 100), None, (50, 100)),
        ((1, 100), 10, (1, 10)),
    ):
        assert Sized(Spy(), longest)(torch.zeros(1, 3, *size)).shape == (1, 2, *size)
        assert seen[-1] == expected


def test_other_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing is no file, and none .*: cells, figure"):
        bridge.load("nothing")
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"\x00" * 40)
    with pytest.raises(ValueError, match="cannot be read as weights"):
        bridge.load(path)
    save(path, torch.nn.Conv2d(3, 2, 1), "", ["0", "1"])
    with pytest.raises(ValueError, match="does not tell its network"):
        bridge.load(path)
    save(path, torch.nn.Conv2d(3, 2, 1), "unet:2", ["0", "1"])
    with pytest.raises(ValueError, match="does not fit its network unet:2"):
        bridge.load(path)


def test_without_torch_compare_leaves_the_network_out(tmp_path: Path) -> None:
    code = (
        "import sys, importlib.util as util; real = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'torch' else real(name, *rest)\n"
        "from classicseg import cli\n"
        "from classicseg.compare import pipelines\n"
        "wanted = ['fcn:figure_ground+argmax', 'saliency:centre_prior+argmax']\n"
        "pipelines.default = lambda n_classes, trained: wanted\n"
        "out = ['--out', sys.argv[1]]\n"
        "print(cli.main(['compare', '--samples', 'coffee', *out]))\n"
        "print(cli.main(['compare', '--pipelines', 'fcn:figure_ground+argmax', *out]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert any(line.startswith("saliency:centre_prior+argmax") for line in lines)
    assert not any(line.startswith("fcn:") for line in lines)
    assert (lines[-2], lines[-1]) == ("0", "2")
    assert done.stderr.splitlines() == [
        "classicseg: left out 1 pipeline: pip install 'classicseg[bridge]' brings torch",
        "classicseg: the pipeline 'fcn:figure_ground+argmax' needs torch: pip install "
        "'classicseg[bridge]' brings it",
    ]

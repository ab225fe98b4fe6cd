"""Training: it learns, goes on after a kill, and runs on several processes."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

from classicseg import bridge, cli, io  # noqa: E402  # needs torch
from classicseg.bridge.training import (  # noqa: E402
    _balance,
    _carry_over,
    _losses,
    _optimizer,
    _scores,
)

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")
# Fabric imports torchmetrics where it is installed, and that half of the world: seconds.
QUICK = "import sys; sys.modules['torchmetrics'] = None\n"
TINY = bridge.modern_recipe(
    epochs=4, batch_size=4, size=(32, 32), learning_rate=1e-2, precision="float32"
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def squares(n: int, side: int = 32) -> list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Bright squares on dark noise."""
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(n):
        labels = np.zeros((side, side), np.uint8)
        y, x = rng.integers(4, side // 2, 2)
        labels[y : y + 12, x : x + 12] = 1
        image = rng.integers(0, 90, (side, side, 3)) + 150 * labels[:, :, None]
        pairs.append((image.astype(np.uint8), labels))
    return pairs


def on_disk(place: Path, n: int) -> list[str]:
    for name in ("images", "masks"):
        (place / name).mkdir()
    for i, (image, labels) in enumerate(squares(n)):
        io.write_image(place / "images" / f"{i}.png", image)
        io.write_mask(place / "masks" / f"{i}.png", labels == 1)
    return [str(place / "images"), str(place / "masks"), "--classes", "2", "--values", "0,255"]


def test_a_network_learns(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=12)
    lines: list[str] = []
    result = bridge.train(
        "deeplab:small", squares(12), squares(3), out=tmp_path, recipe=recipe, n_classes=2,
        validate_every=5, show=lines.append,
    )  # fmt: skip
    assert result.history[-1]["loss"] < 0.5 * result.history[0]["loss"]
    assert result.history[-1]["val_miou"] > 0.8
    assert [r["epoch"] for r in result.history if r["val_miou"] is not None] == [4, 9, 11]
    assert len(lines) == 12 and lines[-1].startswith("epoch 12/12: loss ")
    assert json.loads((tmp_path / "history.json").read_text())["epochs"] == result.history
    image, labels = squares(1)[0]
    scores = result.network(
        bridge.training.normalised(torch.from_numpy(image.transpose(2, 0, 1)[None]))
    )
    assert (scores[0].argmax(0).numpy() == labels).mean() > 0.9


def test_a_killed_run_goes_on_to_the_same_result(tmp_path: Path) -> None:
    options = [
        *on_disk(tmp_path, 12), "--network", "fcn:small", "--recipe", "modern", "--epochs", "8",
        "--batch-size", "4", "--size", "48x48", "--scale", "0.7,1.5", "--colour", "1",
        "--seed", "3", "--threads", "1", "--accelerator", "cpu",
    ]  # fmt: skip
    code = f"{QUICK}from classicseg.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "train", *options]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([*command, "--out", killed], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 100
    while not (killed / "history.json").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.wait()
    done = len(json.loads((killed / "history.json").read_text())["epochs"])
    assert 1 <= done < 8 and not (killed / "weights.safetensors").exists()
    assert cli.main(["train", *options, "--out", str(killed), "--resume"]) == 0
    assert cli.main(["train", *options, "--out", str(whole)]) == 0
    for name in ("weights.safetensors", "history.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    # Another run's checkpoint is not taken for this one's.
    other = [option if option != "48x48" else "32x32" for option in options]
    assert cli.main(["train", *other, "--out", str(killed), "--resume"]) == 2


def test_the_seed_decides(tmp_path: Path) -> None:
    results = [
        bridge.train(
            "unet:2", squares(4), out=tmp_path, recipe=replace(TINY, epochs=1), n_classes=2, seed=s
        ).history[0]["loss"]
        for s in (1, 1, 2)
    ]
    assert results[0] == results[1] != results[2]


def test_two_processes_learn_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for rounding: a network without batch statistics, and masks with unequal void."""
    script = tmp_path / "run.py"
    script.write_text(
        f"{QUICK}import numpy as np, torch\n"
        "from classicseg import bridge\n"
        "torch.set_num_threads(1); torch.manual_seed(0)\n"
        "rng = np.random.default_rng(0)\n"
        "data = [(rng.integers(0, 255, (16, 16, 3)).astype(np.uint8),\n"
        "         np.where(rng.random((16, 16)) < i / 8, 255, i % 2).astype(np.uint8))\n"
        "        for i in range(6)]\n"
        "recipe = bridge.modern_recipe(epochs=2, batch_size=4, size=(16, 16),\n"
        "                              precision='float32', learning_rate=1e-4)\n"
        "net = bridge.nets.unet(2, width=2, padded=True)\n"
        "net.dropout.p = 0.0\n"
        "bridge.train(net, data, data[:3], out=sys.argv[1], recipe=recipe, n_classes=2,\n"
        "             accelerator='cpu', devices=int(sys.argv[2]))\n"
    )
    monkeypatch.setitem(sys.modules, "torchmetrics", sys.modules.get("torchmetrics"))
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path / "1"), "1"])
    runpy.run_path(str(script))
    command = [sys.executable, script, tmp_path / "2", "2"]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    one, two = (json.loads((tmp_path / d / "history.json").read_text())["epochs"] for d in "12")
    for a, b in zip(one, two, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["val_miou"] == pytest.approx(b["val_miou"], abs=0.01)
    from safetensors.torch import load_file

    weights = [load_file(tmp_path / d / "weights.safetensors") for d in "12"]
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], rtol=1e-3, atol=1e-4)


def test_the_fcn_recipe_trains_in_three_stages(tmp_path: Path) -> None:
    recipe = bridge.fcn_recipe("small", epochs=1, batch_size=4)
    result = bridge.train("fcn:small", squares(4), out=tmp_path, recipe=recipe, n_classes=2)
    assert [r["stage"] for r in result.history] == [0, 1, 2]
    assert result.network.network.stride == 8
    # The first step of a stage starts from what the one before has learned.
    coarse, fine = bridge.nets.SmallFCN(2, stride=32), bridge.nets.SmallFCN(2, stride=16)
    _carry_over(coarse.state_dict(), fine)
    assert torch.equal(coarse.conv1[0].weight, fine.conv1[0].weight)
    with pytest.raises(ValueError, match="have none in common"):
        _carry_over(torch.nn.Conv2d(3, 2, 1).state_dict(), fine)


def test_biases_learn_twice_as_fast_and_later_stages_slowly() -> None:
    recipe = bridge.fcn_recipe("vgg16")
    network = bridge.nets.SmallFCN(2)
    for stage, rate in ((0, 1e-4), (1, 1e-6)):
        weights, norms, biases = _optimizer(network, recipe, stage).param_groups
        assert weights["base_rate"] == norms["base_rate"] == pytest.approx(rate)
        assert biases["base_rate"] == pytest.approx(2 * rate)
        assert (weights["weight_decay"], biases["weight_decay"]) == (5e-4, 0)
        assert weights["momentum"] == 0.9
        count = sum(len(g["params"]) for g in (weights, norms, biases))
        assert count == sum(p.requires_grad for p in network.parameters())


def test_void_and_weights_in_the_loss() -> None:
    scores = torch.randn(1, 2, 1, 3, requires_grad=True)
    labels = torch.tensor([[[0, 1, 255]]])
    losses, masses = _losses(scores, labels, torch.tensor([[[1.0, 3, 9]]]), torch.tensor([1.0, 2]))
    assert masses.tolist() == [[[1, 6, 0]]]
    losses.sum().backward()
    assert not scores.grad[..., 2].any() and scores.grad[..., :2].all()
    expected = -scores.log_softmax(1)[0, 1, 0, 1] * 6
    torch.testing.assert_close(losses[0, 0, 1], expected)


def test_median_frequency_balancing() -> None:
    counts = np.array([100, 50, 10, 0])
    assert _balance(counts, 1.0).tolist() == [0.5, 1, 5, 1]
    assert _balance(counts, 0.0).tolist() == [1, 1, 1, 1]


def test_whole_images_of_several_sizes_make_a_batch() -> None:
    small, large = (torch.full((3, n, 4), 7, dtype=torch.uint8) for n in (2, 5))
    batch = bridge.training.collate(
        [(i, torch.zeros(i.shape[1:]).long(), torch.ones(i.shape[1:])) for i in (small, large)]
    )
    assert batch[0].shape == (2, 3, 5, 4)
    assert (batch[1][0, 2:] == 255).all() and not batch[1][1].any()
    assert batch[0][0, :, 3, 0].tolist() == [124, 116, 104]


def test_answers_of_other_libraries() -> None:
    scores = torch.zeros(1, 2, 3, 3)
    assert _scores({"out": scores}) is scores
    assert _scores(type("Output", (), {"logits": scores})()) is scores
    with pytest.raises(TypeError, match="the network gave int"):
        _scores(3)


def test_what_cannot_be_is_told_before_training(tmp_path: Path) -> None:
    data = squares(2)

    def train(network: object = "unet:2", **settings: object) -> None:
        bridge.train(network, data, **{"out": tmp_path, "recipe": TINY, "n_classes": 2} | settings)

    with pytest.raises(ValueError, match="there is no network 'unet:x'"):
        train("unet:x")
    with pytest.raises(TypeError, match="network is empty"):
        train([])
    with pytest.raises(ValueError, match="n_classes is missing"):
        train(n_classes=None)
    with pytest.raises(ValueError, match=r"data\[0\] hold 1, expected classes 0\.\.0"):
        train(n_classes=1)
    with pytest.raises(ValueError, match="devices is 8"):
        train(devices=8)
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="expected a folder"):
        train(out=tmp_path / "file")
    with pytest.raises(FloatingPointError, match=r"the learning rate .* is too high"):
        train(recipe=replace(TINY, learning_rate=1e30))


def test_the_command_line_complains_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = on_disk(tmp_path, 2)
    out = ["--out", str(tmp_path / "out")]
    for options, message in (
        ([*data[:2], "--classes", "2"], "holds the label 255, expected 0..1"),
        ([*data, "--network", "vgg"], "there is no network 'vgg'"),
        ([*data, "--size", "3"], "--size is '3', expected 2 numbers"),
        ([*data, "--val-images", data[0]], "give both --val-images and --val-masks"),
        ([*data, "--hold-out", "x*"], "the pattern 'x*' matches none"),
    ):
        assert cli.main(["train", *options, "--ignore", "99", *out]) == 2
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()

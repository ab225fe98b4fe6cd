"""Training: samples, steps, scores and checkpoints. Lightning Fabric knows the devices.

Whatever is random follows from the seed, the stage, the epoch and the sample alone, so that a run
that was killed goes on from its last checkpoint to the result of one that was not.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from classicseg._checks import as_uint8_image, positive_int
from classicseg._progress import progress
from classicseg.bridge import nets
from classicseg.bridge._checkpoint import Record, read_checkpoint, write_checkpoint
from classicseg.bridge._networks import build, stages
from classicseg.bridge._pairs import VOID, Pair, Pairs, as_pairs, count_classes
from classicseg.bridge._recipes import Recipe, fcn_recipe
from classicseg.bridge._samples import Batches, Samples, collate, normalised
from classicseg.bridge._sized import Sized
from classicseg.bridge._weights import save
from classicseg.datasets import Dataset
from classicseg.metrics import ConfusionMatrix

__all__ = ["Training", "train"]


@dataclass(frozen=True)
class Training:
    """What `train` gives.

    Attributes
    ----------
    network : torch.nn.Module
        In eval mode; takes images of any size, normalised as ImageNet's.
    history : list of dict
        For each epoch: stage, epoch, loss and mean IoU on the training samples, and the mean IoU
        on the validation images, where there are any.
    folder : Path
        Where checkpoint.pt, history.json and weights.safetensors lie.
    """

    network: nn.Module
    history: list[Record]
    folder: Path


def train(
    network: str | nn.Module | Sequence[nn.Module],
    data: Dataset | Sequence[Pair],
    validation: Dataset | Sequence[Pair] | None = None,
    *,
    out: str | os.PathLike[str],
    recipe: Recipe | None = None,
    n_classes: int | None = None,
    classes: Sequence[str] | None = None,
    half: bool = False,
    validate_every: int = 1,
    seed: int = 0,
    resume: bool = False,
    pretrained: str | os.PathLike[str] | None = None,
    accelerator: str = "auto",
    devices: int = 1,
    show: Callable[[str], None] | None = None,
) -> Training:
    """Train a network to label pixels.

    Parameters
    ----------
    network : str, torch.nn.Module, or a sequence of them
        "fcn:small", "fcn:vgg16", "deeplab:small", "unet:16", ...; or any module from (N, 3, H, W)
        images to (N, L, H, W) scores, or several: stages, each of which starts from what the one
        before has learned under the same names. An FCN's name with a recipe that has a
        `stage_factor` below 1 stands for its strides 32, 16 and 8.
    data : datasets.Dataset, or a sequence of (image, labels)
        Labels are 0..L-1, or 255 for void.
    validation : the same, optional
        Scored after epochs; nothing is chosen by it.
    out : path
        A folder for checkpoint.pt, history.json and weights.safetensors; made if missing.
    recipe : Recipe, optional
        By default `fcn_recipe`, with the learning rate of the network's name.
    n_classes : int, optional
        Needed where `data` does not tell it.
    classes : sequence of str, optional
        Their names, kept with the weights; a `Dataset`'s by default.
    half : bool
        Write the weights in half precision.
    validate_every : int
        After how many epochs `validation` is scored, and after the last.
    seed : int
        With it and one thread, the result is the same bit for bit on the same machine.
    resume : bool
        Go on from the checkpoint in `out`, where there is one. The recipe may have more or fewer
        epochs than before, all else has to be the same.
    pretrained : path, optional
        Weights to start from: of a backbone, as `nets.load_pretrained` takes them, or for the small
        networks and U-Net a ``weights.safetensors`` of which all that has the same name and shape
        is taken.
    accelerator : str
        Lightning Fabric's: "auto", "cpu", "cuda", ...
    devices : int
        More than one train together (DDP): the process starts others like itself.
    show : function, optional
        Gets a line of text after each epoch. The bar on a terminal needs none.

    Returns
    -------
    Training

    Raises
    ------
    TypeError, ValueError
        Before anything is learned: if an argument makes no sense, a label is out of range, or an
        image and its labels differ in size; or if the checkpoint is of another run.
    FloatingPointError
        If the loss is no longer finite: the learning rate is too high.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from classicseg import bridge
    >>> image = np.zeros((32, 32, 3), np.uint8)
    >>> image[8:24, 8:24] = 255
    >>> labels = (image[:, :, 0] > 0).astype(np.uint8)
    >>> recipe = bridge.modern_recipe(epochs=2, size=(32, 32), batch_size=2, precision="float32")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     data = [(image, labels)] * 4
    ...     result = bridge.train("fcn:small", data, out=place, recipe=recipe, n_classes=2)
    >>> len(result.history)
    2
    """
    from lightning_fabric import Fabric

    if isinstance(data, Dataset) and classes is None:
        classes = data.class_names
    data = as_pairs(data)
    validation = None if validation is None else as_pairs(validation)
    n_classes = _n_classes(data, n_classes)
    positive_int(validate_every, "validate_every")
    if classes is not None and len(classes) != n_classes:
        raise ValueError(f"classes has {len(classes)} names, expected {n_classes}")
    recipe = fcn_recipe(_backbone(network)) if recipe is None else recipe
    if recipe.batch_size < positive_int(devices, "devices") or len(data) < devices:
        raise ValueError(f"devices is {devices}, but a batch or the data holds fewer images")
    place = Path(out)
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(f"out is {place}, which is a file, expected a folder")
    with progress("checking the data") as update:
        counts = count_classes(data, n_classes, "data", update)
        if validation is not None:
            count_classes(validation, n_classes, "validation", update)
    torch.manual_seed(seed)
    networks = _networks(network, n_classes, recipe)
    if pretrained is not None:
        _start_from(networks[0], pretrained)

    precision: Any = {"float32": "32-true", "bfloat16": "bf16-mixed"}[recipe.precision]
    strategy = "ddp" if devices > 1 else "auto"
    fabric = Fabric(
        accelerator=accelerator, devices=devices, strategy=strategy, precision=precision
    )
    fabric.launch()
    if fabric.is_global_zero:
        place.mkdir(parents=True, exist_ok=True)
    run = {
        "recipe": asdict(recipe),
        "seed": seed,
        "n_classes": n_classes,
        "counts": counts.tolist(),
        "stages": len(networks),
    }
    saved = read_checkpoint(place, run) if resume else None
    history: list[Record] = [] if saved is None else saved["history"]
    samples = Samples(data, recipe, seed)
    balance = _balance(counts, recipe.balance)
    first = 0 if saved is None else saved["stage"]
    for stage in range(first, len(networks)):
        if stage > 0 and (saved is None or stage > first):
            _carry_over(networks[stage - 1].state_dict(), networks[stage])
        begin = 0
        optimizer = _optimizer(networks[stage], recipe, stage)
        if saved is not None and stage == first:
            networks[stage].load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            begin = saved["epoch"] + 1
        model, fast = fabric.setup(
            networks[stage].to(memory_format=torch.channels_last),  # type: ignore[call-overload]
            optimizer,
        )
        for epoch in range(begin, recipe.epochs):
            loss, seen = _epoch(fabric, model, fast, samples, recipe, balance, stage, epoch, seed)
            scored = None
            due = (epoch + 1) % validate_every == 0 or epoch + 1 == recipe.epochs
            if validation is not None and due:
                scored = _evaluate(fabric, model, validation, n_classes, recipe.longest_side)
            record: Record = {"stage": stage, "epoch": epoch, "loss": loss}
            history.append(record | {"train_miou": seen, "val_miou": scored})
            if fabric.is_global_zero:
                write_checkpoint(place, networks[stage], optimizer, stage, epoch, history, run)
                if show is not None:
                    show(_line(history[-1], recipe.epochs, len(networks)))
    final = networks[-1].eval().cpu().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    if fabric.is_global_zero:
        name = network if isinstance(network, str) else ""
        names = [str(label) for label in range(n_classes)] if classes is None else classes
        save(place / "weights.safetensors", final, name, names, recipe.longest_side, half=half)
    fabric.barrier()
    return Training(Sized(final, recipe.longest_side).eval(), history, place)


def _epoch(
    fabric: Any,
    model: Any,
    optimizer: Any,
    samples: Samples,
    recipe: Recipe,
    balance: NDArray[np.float32],
    stage: int,
    epoch: int,
    seed: int,
) -> tuple[float, float]:
    """One pass over the data; gives the mean loss and the mean IoU on the samples."""
    world, rank = fabric.world_size, fabric.global_rank
    torch.manual_seed(hash((seed, stage, epoch, rank)) % 2**63)  # of dropout
    batches = Batches(len(samples), recipe.batch_size, (stage, epoch), seed, rank, world)
    loader = fabric.setup_dataloaders(
        torch.utils.data.DataLoader(samples, batch_sampler=batches, collate_fn=collate),
        use_distributed_sampler=False,
    )
    class_weights = torch.from_numpy(balance).to(fabric.device)
    matrix = ConfusionMatrix(len(balance))
    total = torch.zeros(2, device=fabric.device, dtype=torch.float64)
    model.train()
    title = f"epoch {epoch + 1}/{recipe.epochs}"
    with progress(title) as update:
        for step, (images, labels, weights) in enumerate(loader):
            rate = recipe.rate((epoch + step / len(batches)) / recipe.epochs)
            for group in optimizer.param_groups:
                group["lr"] = group["base_rate"] * rate
            scores = _scores(model(normalised(images))).float()
            losses, masses = _losses(scores, labels, weights, class_weights)
            mass = fabric.all_reduce(masses.detach().sum(), reduce_op="sum").clamp(min=1e-12)
            loss = losses.sum() * world / mass  # DDP takes the mean of what processes have
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss.item()} in epoch {epoch + 1}: the learning rate "
                    f"{group['lr']:g} is too high"
                )
            fabric.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            total += torch.stack([losses.detach().sum(), masses.detach().sum()]).double()
            matrix.update(
                labels.flatten(1).cpu().numpy(), scores.argmax(1).flatten(1).cpu().numpy()
            )
            now = float(total[0] / total[1].clamp(min=1e-12))
            update(step + 1, len(batches), f"{title}  loss {now:.3f}  mIoU {matrix.mean_iou:.3f}")
    total = fabric.all_reduce(total, reduce_op="sum")
    counts = fabric.all_reduce(torch.from_numpy(matrix.counts).to(fabric.device), reduce_op="sum")
    matrix.counts = counts.cpu().numpy()
    return float(total[0] / total[1].clamp(min=1e-12)), matrix.mean_iou


def _evaluate(
    fabric: Any, model: Any, data: Sequence[Pair], n_classes: int, longest_side: int | None
) -> float:
    """Mean IoU on whole images in their own size."""
    model.eval()
    sized = Sized(model, longest_side)
    matrix = ConfusionMatrix(n_classes)
    with torch.no_grad():
        for index in range(fabric.global_rank, len(data), fabric.world_size):
            image, labels = data[index]
            pixels = torch.from_numpy(as_uint8_image(image)).permute(2, 0, 1)[None]
            scores = _scores(sized(normalised(pixels.to(fabric.device))))
            matrix.update(labels, scores[0].argmax(0).cpu().numpy())
    counts = fabric.all_reduce(torch.from_numpy(matrix.counts).to(fabric.device), reduce_op="sum")
    matrix.counts = counts.cpu().numpy()
    return matrix.mean_iou


def _losses(
    scores: Tensor, labels: Tensor, weights: Tensor, class_weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Weighted cross entropy of each pixel, and its weight: 0 in void."""
    losses = F.cross_entropy(scores, labels, ignore_index=VOID, reduction="none")
    known = labels != VOID
    mass = class_weights[torch.where(known, labels, 0)] * weights * known
    return losses * mass, mass


def _scores(answer: Any) -> Tensor:
    """What networks give: a tensor, a dictionary with "out", or an object with `.logits`."""
    if isinstance(answer, dict) and "out" in answer:
        answer = answer["out"]
    answer = getattr(answer, "logits", answer)
    if not isinstance(answer, Tensor) or answer.ndim != 4:
        raise TypeError(f"the network gave {type(answer).__name__}, expected scores (N, L, H, W)")
    return answer


def _balance(counts: NDArray[np.int64], power: float) -> NDArray[np.float32]:
    share = counts / counts.sum()
    present = share > 0
    weights = np.ones(len(counts))
    weights[present] = (np.median(share[present]) / share[present]) ** power
    return weights.astype(np.float32)


def _optimizer(network: nn.Module, recipe: Recipe, stage: int) -> torch.optim.Optimizer:
    """Biases and norms have no weight decay, and biases perhaps a learning rate of their own."""
    groups: dict[str, list[nn.Parameter]] = {"weights": [], "norms": [], "biases": []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            kind = (
                "biases" if name.endswith("bias") else "norms" if parameter.ndim < 2 else "weights"
            )
            groups[kind].append(parameter)
    rate = recipe.learning_rate * (recipe.stage_factor if stage else 1.0)
    settings: list[dict[str, Any]] = []
    for kind, parameters in groups.items():
        own = rate * (recipe.bias_factor if kind == "biases" else 1.0)
        decay = recipe.weight_decay if kind == "weights" else 0.0
        settings.append({"params": parameters, "lr": own, "base_rate": own, "weight_decay": decay})
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(settings, lr=rate, momentum=recipe.momentum)
    return torch.optim.AdamW(settings, lr=rate)


def _networks(
    network: str | nn.Module | Sequence[nn.Module], n_classes: int, recipe: Recipe
) -> list[nn.Module]:
    if isinstance(network, str):
        staged = network.startswith("fcn:") and recipe.stage_factor < 1
        return stages(network, n_classes) if staged else [build(network, n_classes)]
    networks = [network] if isinstance(network, nn.Module) else list(network)
    if not networks or not all(isinstance(n, nn.Module) for n in networks):
        raise TypeError("network is empty or holds other things, expected a name or torch modules")
    return networks


def _n_classes(data: Sequence[Pair], given: int | None) -> int:
    if isinstance(data, Pairs):
        if given is not None and given != data.n_classes:
            raise ValueError(f"n_classes is {given}, but the data has {data.n_classes}")
        return data.n_classes
    if given is None:
        raise ValueError("n_classes is missing: the data does not tell it")
    return positive_int(given, "n_classes")


def _backbone(network: object) -> str:
    return network.partition(":")[2] if isinstance(network, str) else ""


def _start_from(network: nn.Module, weights: str | os.PathLike[str]) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load

    if hasattr(network, "backbone"):
        nets.load_pretrained(network, weights)
        return
    try:
        state = load(Path(weights).read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{weights} cannot be read as weights: {error}") from error
    _carry_over(state, network)


def _carry_over(before: Mapping[str, Tensor], network: nn.Module) -> None:
    """Weights of the same name and shape; all else stays as it starts."""
    new = network.state_dict()
    kept = {k: v.float() for k, v in before.items() if k in new and v.shape == new[k].shape}
    if not kept:
        raise ValueError("the network and the weights that it starts from have none in common")
    network.load_state_dict(kept, strict=False)


def _line(record: Record, epochs: int, n_stages: int) -> str:
    values = {k: math.nan if v is None else v for k, v in record.items()}
    stage = f"stage {int(values['stage']) + 1}/{n_stages}, " if n_stages > 1 else ""
    scored = "" if record["val_miou"] is None else f", validation {values['val_miou']:.4f}"
    return (
        f"{stage}epoch {int(values['epoch']) + 1}/{epochs}: loss {values['loss']:.4f}, "
        f"mIoU {values['train_miou']:.4f}{scored}"
    )

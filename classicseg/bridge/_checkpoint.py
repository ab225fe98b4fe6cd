"""Checkpoints: all that a run needs to go on, in one file that is written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from classicseg.io import atomic, write_json

__all__ = ["Record", "read_checkpoint", "write_checkpoint"]

Record = dict[str, float | None]


def write_checkpoint(
    place: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    stage: int,
    epoch: int,
    history: list[Record],
    run: dict[str, Any],
) -> None:
    state = {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "stage": stage,
        "epoch": epoch,
        "history": history,
        "run": run,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with atomic(place / "checkpoint.pt") as file:
        file.write(buffer.getbuffer())
    write_json(place / "history.json", {"run": run, "epochs": history})


def read_checkpoint(place: Path, run: dict[str, Any]) -> dict[str, Any] | None:
    path = place / "checkpoint.pt"
    if not path.exists():
        return None
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        before = saved["run"]
        # More or fewer epochs are the same run: the schedule goes by the new number from here on.
        theirs = before | {"recipe": before["recipe"] | {"epochs": run["recipe"]["epochs"]}}
    except Exception as error:  # torch's reader has no family of errors
        raise ValueError(f"{path} cannot be read as a checkpoint: {error}") from error
    if theirs != run:
        other = sorted(k for k in run if theirs.get(k) != run[k])
        raise ValueError(f"{path} is of another run: it differs in {', '.join(other)}")
    return saved

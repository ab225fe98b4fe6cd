"""kill -9 at random moments of training, comparing and saving: what is left in the folder?

After each kill every file under a final name is read, and all that was there before must still be;
then the run goes on where it was. Each run that comes to its end is compared with one that nothing
disturbed. Needs fork: the parent has everything imported, so that the moments fall into the work.

    python benchmarks/reliability_kill.py --kills 50
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import machine, save

from classicseg import compare, datasets, io
from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action, read_session


class BrokenPromise(Exception):
    pass


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise BrokenPromise(message)


def killed_after(seconds: float | None, work: Callable[[], Any]) -> bool:
    """Does the work in a process of its own; False if it came to its end before."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work()
            code = 0
        finally:
            os._exit(code)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    expect(code in (0, -signal.SIGKILL), f"the process ended with {code}")
    return code != 0


def squares(n: int, side: int) -> list[tuple[Any, Any]]:
    """Images of a bright square, and their labels."""
    rng = np.random.default_rng(0)
    data = []
    for _ in range(n):
        labels = np.zeros((side, side), np.uint8)
        y, x = rng.integers(2, side // 2, 2)
        labels[y : y + side // 3, x : x + side // 3] = 1
        noise = rng.integers(0, 90, (side, side, 3))
        data.append(((noise + 150 * labels[..., None]).astype(np.uint8), labels))
    return data


class Training:
    """Loses at most the epoch in hand."""

    epochs, longest = 25, 3.0

    def __init__(self) -> None:
        import torch

        torch.set_num_threads(1)
        self.data = squares(16, 64)

    def run(self, folder: Path) -> None:
        from classicseg import bridge

        recipe = bridge.modern_recipe(
            epochs=self.epochs, size=(64, 64), batch_size=4, precision="float32"
        )
        options = {"recipe": recipe, "n_classes": 2, "accelerator": "cpu", "resume": True}
        bridge.train("fcn:small", self.data, out=folder, **options)

    def done(self, folder: Path) -> int:
        """Epochs that are there; all files must be whole."""
        import torch

        n = 0
        if (folder / "checkpoint.pt").exists():
            n = len(torch.load(folder / "checkpoint.pt", weights_only=True)["history"])
        if (folder / "history.json").exists():
            listed = len(json.loads((folder / "history.json").read_text())["epochs"])
            expect(n - 1 <= listed <= n, f"history.json has {listed} epochs, checkpoint.pt {n}")
        if (folder / "weights.safetensors").exists():
            from classicseg import bridge

            bridge.load(folder / "weights.safetensors")
            expect(n == self.epochs, "weights before the last epoch")
        return n

    def result(self, folder: Path) -> Any:
        return [(folder / n).read_bytes() for n in ("weights.safetensors", "history.json")]


class Comparing:
    """Loses at most the image in hand."""

    longest = 1.5

    def __init__(self) -> None:
        data = squares(60, 96)
        colors = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)

        def read(name: str) -> datasets.Item:
            image, labels = data[int(name)]
            return datasets.Item(name, image, labels.astype(np.int32))

        ids = tuple(map(str, range(len(data))))
        self.data = datasets.Dataset("squares", ("background", "square"), colors, ids, read)

    def run(self, folder: Path) -> None:
        pipelines = ["gmm:rect+grabcut", "gmm:rect+densecrf", "saliency:minimum_barrier+graphcut"]
        table = compare.run(pipelines, self.data, folder=folder)
        io.write_json(folder / "rows.json", [[row.pipeline, row.mean_iou] for row in table.rows])

    def done(self, folder: Path) -> int:
        records = sorted((folder / "journal").glob("[0-9]*.npz"))
        for path in records:
            with np.load(path) as record:
                for name in record.files:
                    record[name]
        for path in (folder / "journal" / "settings.json", folder / "rows.json"):
            if path.exists():
                json.loads(path.read_text())
        return len(records)

    def result(self, folder: Path) -> Any:
        return json.loads((folder / "rows.json").read_text())


class Saving:
    """An existing file stays, or has all of its new content."""

    longest = 0.4

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        self.images = rng.integers(0, 256, (4, 300, 400, 3), np.uint8)
        self.session = Session(self.images[0])
        self.session.do(Action("rect", ((50, 50), (350, 250)), rounds=1))

    def run(self, folder: Path) -> None:
        for turn in range(1_000_000):
            image = self.images[turn % 4]
            io.write_image(folder / "image.png", image)
            io.write_image(folder / "image.jpg", image)
            io.write_labels(folder / "labels.png", image[..., 0])
            io.write_mask(folder / "mask.png", image[..., 0] > 100)
            io.write_json(folder / "turn.json", {"turn": turn, "image": image[:9].tolist()})
            self.session.save(folder / "session.json")

    def done(self, folder: Path) -> int:
        readers = {
            "image.png": lambda path: self.is_one(io.read_image(path), self.images),
            "image.jpg": io.read_image,
            "labels.png": lambda path: self.is_one(io.read_labels(path), self.images[..., 0]),
            "mask.png": lambda path: self.is_one(io.read_mask(path), self.images[..., 0] > 100),
            "turn.json": lambda path: json.loads(path.read_text()),
            "session.json": read_session,
        }
        there = [name for name in readers if (folder / name).exists()]
        for name in there:
            readers[name](folder / name)
        return len(there)

    @staticmethod
    def is_one(array: Any, of: Any) -> None:
        expect(any(np.array_equal(array, other) for other in of), "other pixels than were written")


def strangers(folder: Path) -> int:
    """Unfinished files, which have hidden names of their own."""
    return sum(path.name.startswith(".") for path in folder.rglob("*"))


def torture(case: Any, kills: int, place: Path, rng: np.random.Generator) -> dict[str, int]:
    count = {"kills": 0, "ends": 0, "with_unfinished_files": 0}
    expected = None
    if hasattr(case, "result"):
        (place / "whole").mkdir()
        killed_after(None, lambda: case.run(place / "whole"))
        expected = case.result(place / "whole")
    while count["kills"] < kills:
        folder = place / str(count["ends"])
        folder.mkdir()
        before = 0
        while count["kills"] < kills or expected is not None:
            last = count["kills"] >= kills
            moment = None if last else float(rng.uniform(0.01, case.longest))
            if not killed_after(moment, lambda folder=folder: case.run(folder)):
                break
            count["kills"] += 1
            count["with_unfinished_files"] += strangers(folder) > 0
            now = case.done(folder)
            expect(now >= before, f"{before} were done before the kill, {now} are")
            before = now
        case.done(folder)
        if expected is not None:
            count["ends"] += 1
            expect(case.result(folder) == expected, "not the result of an undisturbed run")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="of each kind; default 50")
    parser.add_argument("--only", choices=["training", "comparing", "saving"])
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    cases = {"saving": Saving, "comparing": Comparing, "training": Training}
    found = {}
    for name, kind in cases.items():
        if settings.only in (None, name):
            with tempfile.TemporaryDirectory() as place:
                rng = np.random.default_rng(settings.seed)
                found[name] = torture(kind(), settings.kills, Path(place), rng)
            print(f"{name:10} {found[name]}", flush=True)
    if settings.only is None:
        save("reliability_kill", {"machine": machine("numpy", "torch"), "found": found})


if __name__ == "__main__":
    main()

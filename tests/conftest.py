"""Fixtures for all tests."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from classicseg import compare, samples
from classicseg.samples import Sample

# Shells start background jobs with Ctrl-C ignored, and processes started here would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder `shared/data` in the nearest folder above the tests that has one."""
    for folder in Path(__file__).resolve().parents:
        if (data := folder / "shared" / "data").is_dir():
            return data
    pytest.skip("no folder shared/data with real images above the tests")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(20040809)


@pytest.fixture(scope="module")
def one_torch_thread() -> Iterator[None]:
    """Small tensors: on a busy machine torch's threads wait for each other most of the time."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def quarter(name: str) -> Sample:
    """A bundled sample at a quarter of its size."""
    whole = samples.load(name)
    x, y, width, height = whole.rect
    return Sample(
        name=name,
        image=np.ascontiguousarray(whole.image[::4, ::4]),
        mask=whole.mask[::4, ::4],
        void=whole.void[::4, ::4],
        truth=whole.truth[::4, ::4],
        rect=(x // 4, y // 4, width // 4 + 1, height // 4 + 1),
        scribbles=whole.scribbles[::4, ::4],
        description=whole.description,
    )


@pytest.fixture(scope="session")
def small() -> list[Sample]:
    """Two bundled samples, a colour and a grey one, that take little time."""
    return [quarter("flower"), quarter("coins")]


@pytest.fixture(scope="session")
def table(small: list[Sample]) -> compare.Comparison:
    """The default pipelines on them."""
    return compare.run(data=small)

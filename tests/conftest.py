"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


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

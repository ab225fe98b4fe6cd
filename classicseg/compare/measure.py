"""What a piece of work costs: seconds, and memory at its peak."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

__all__ = ["measured"]

T = TypeVar("T")

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measured(work: Callable[[], T]) -> tuple[T, float, float]:
    """What a function returns, its seconds, and by how many MB the process grew at its peak.

    The memory is the process's own peak as Linux counts it, compiled code and threads included,
    above what it held before. NaN on other systems. What was freed earlier is given back to the
    system first, so that reusing it counts.
    """
    before = _start()
    begin = time.perf_counter()
    value = work()
    seconds = time.perf_counter() - begin
    return value, seconds, (_kilobytes("VmHWM") - before) / 1024


def _start() -> float:
    with suppress(AttributeError, OSError):  # not in every C library
        ctypes.CDLL(None).malloc_trim(0)
    try:
        _RESET.write_text("5")  # the peak becomes what is held now
    except OSError:
        return math.nan
    return _kilobytes("VmRSS")


def _kilobytes(entry: str) -> float:
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{entry}:"):
                return float(line.split()[1])
    except OSError:
        pass
    return math.nan

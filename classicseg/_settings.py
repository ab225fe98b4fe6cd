"""Check single numbers: sizes, weights, labels of void, numbers of threads."""

from __future__ import annotations

import math
import multiprocessing
import numbers
import os
from collections.abc import Sequence

import numpy as np

# More than any machine's cores: a larger number is a mistake, and would start that many threads.
_MAX_THREADS = 1024


def positive(value: float, name: str) -> float:
    """Check a finite number above 0."""
    number = finite(value, name)
    if number <= 0:
        raise ValueError(f"{name} is {value}, expected a number above 0")
    return number


def non_negative(value: float, name: str) -> float:
    """Check a finite number from 0."""
    number = finite(value, name)
    if number < 0:
        raise ValueError(f"{name} is {value}, expected a number from 0")
    return number


def spacing_of(spacing: float | Sequence[float] | None, n_axes: int) -> tuple[float, ...]:
    """Distances between neighbours along each axis: one number for all, or one each; default 1."""
    if spacing is None:
        return (1.0,) * n_axes
    if not isinstance(spacing, Sequence | np.ndarray) or isinstance(spacing, str):
        return (positive(spacing, "spacing"),) * n_axes
    if len(spacing) != n_axes:
        raise ValueError(
            f"spacing has {len(spacing)} values, expected one for each of {n_axes} axes"
        )
    return tuple(positive(value, "spacing") for value in spacing)


def positive_int(value: int, name: str) -> int:
    """Check a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}, expected a whole number from 1")
    if value < 1:
        raise ValueError(f"{name} is {value}, expected a whole number from 1")
    return int(value)


def void_label(n_classes: int, ignore_index: int | None) -> int:
    """The label of void: 255 unless given, which it must be where 255 is a class."""
    if ignore_index is None:
        if n_classes > 255:
            raise ValueError(
                f"ignore_index must be given where n_classes ({n_classes}) is over 255"
            )
        return 255
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, numbers.Integral):
        raise TypeError(f"ignore_index is {ignore_index!r}, expected a whole number")
    if 0 <= ignore_index < n_classes:
        raise ValueError(f"ignore_index is {ignore_index}, which is one of {n_classes} classes")
    return int(ignore_index)


def check_threads(n_threads: int | None) -> int:
    """Resolve `n_threads` to a number of threads, at least 1.

    A given number counts. Else the environment variable CLASSICSEG_NUM_THREADS counts. Else all
    cores that this process may use (its affinity, its control group's quota), and in a worker
    process of joblib the share that joblib gives it, so that workers do not fight over cores.
    """
    if n_threads is not None:
        given = positive_int(n_threads, "n_threads")
        if given > _MAX_THREADS:
            raise ValueError(f"n_threads is {n_threads}, expected at most {_MAX_THREADS}")
        return given
    setting = os.environ.get("CLASSICSEG_NUM_THREADS", "").strip()
    if setting:
        if not setting.isdecimal() or not 1 <= int(setting) <= _MAX_THREADS:
            raise ValueError(
                f"the environment variable CLASSICSEG_NUM_THREADS is {setting!r}, expected a "
                f"whole number from 1 to {_MAX_THREADS}"
            )
        return int(setting)
    worker = multiprocessing.current_process()
    if worker.daemon:  # a multiprocessing pool: its owner has spread the work over the cores
        return 1
    from joblib import cpu_count

    cores = int(cpu_count())
    if worker.name.startswith("LokyProcess"):
        share = os.environ.get("OMP_NUM_THREADS", "").strip()
        if share.isdecimal() and int(share) >= 1:
            return min(cores, int(share))
    return cores


def finite(value: float, name: str) -> float:
    """Check a finite number."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {value!r}, expected a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{name} is {value}, expected a finite number")
    return number


def whole(value: float, name: str) -> int:
    """Check a whole number, of whatever type."""
    number = finite(value, name)
    if number != math.floor(number):
        raise ValueError(f"{name} holds {value}, expected whole numbers")
    return int(number)

"""Check single settings: sizes, weights, names, seeds, labels of void, numbers of threads."""

from __future__ import annotations

import math
import multiprocessing
import numbers
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# More than any machine's cores: a larger number is a mistake, and would start that many threads.
_MAX_THREADS = 1024
# Of a network: more is a mistake, and its weights would not fit.
MOST_CHANNELS = 2**16
# Below this, energies leave the range of float32.
_LEAST_TEMPERATURE = 1e-30


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
    if isinstance(spacing, str | bytes):
        raise TypeError(f"spacing is {spacing!r}, expected a number, or one for each axis")
    if not isinstance(spacing, Sequence | np.ndarray):
        return (positive(spacing, "spacing"),) * n_axes
    if len(spacing) != n_axes:
        raise ValueError(
            f"spacing has {len(spacing)} values, expected one for each of {n_axes} axes"
        )
    return tuple(positive(value, "spacing") for value in spacing)


def positive_int(value: int, name: str, most: int | None = None) -> int:
    """Check a whole number from 1, to `most` if there is one."""
    return int_from(1, value, name, most)


def int_from(least: int, value: int, name: str, most: int | None = None) -> int:
    """Check a whole number from `least`, to `most` if there is one."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}, expected a whole number from {least}")
    if value < least:
        raise ValueError(f"{name} is {value}, expected a whole number from {least}")
    if most is not None and value > most:
        raise ValueError(f"{name} is {value}, expected at most {most}")
    return int(value)


def sequence_of(values: Any, name: str, what: str) -> tuple[Any, ...]:
    """Check that there are several, whatever they are; a text is one."""
    if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str | bytes):
        raise TypeError(f"{name} is {values!r}, expected {what}")
    return tuple(values)


def one_of(value: Any, known: Sequence[Any], name: str) -> Any:
    """Check that a name or a number is one of those known."""
    if isinstance(value, str | numbers.Integral) and value in known:
        return value
    raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(str, known))}")


def yes_or_no(value: bool, name: str) -> bool:
    """Check a switch."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {value!r}, expected True or False")
    return bool(value)


def function_of(function: Any, name: str) -> Any:
    """Check that something can be called."""
    if not callable(function):
        raise TypeError(f"{name} is {function!r}, expected a function")
    return function


def strings_of(values: Any, name: str) -> tuple[str, ...]:
    """Check that there are several texts, or none; a text is not several."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{name} is {values!r}, expected a list of strings")
    found = tuple(values)
    if not all(isinstance(value, str) for value in found):
        raise TypeError(f"{name} holds other things than strings")
    return found


def inverse_temperature(temperature: float) -> float:
    """What scores are multiplied by."""
    if positive(temperature, "temperature") < _LEAST_TEMPERATURE:
        raise ValueError(f"temperature is {temperature}, expected at least {_LEAST_TEMPERATURE}")
    return 1 / temperature


def share(value: float, name: str) -> float:
    """Check a number from 0 to 1."""
    number = finite(value, name)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} is {value}, expected a number from 0 to 1")
    return number


def seed_of(rng: int, name: str = "rng") -> int:
    """Check a seed: a whole number from 0."""
    return int_from(0, rng, name)


def generator_of(rng: int | np.random.Generator, name: str = "rng") -> np.random.Generator:
    """A generator of random numbers: the given one, or one that begins with the given seed."""
    if isinstance(rng, np.random.Generator):
        return rng
    if not isinstance(rng, numbers.Integral):
        raise TypeError(f"{name} is {rng!r}, expected a seed or a numpy.random.Generator")
    return np.random.default_rng(seed_of(rng, name))


def lengths_of(shape: Sequence[int], name: str = "shape") -> tuple[int, ...]:
    """Check the lengths of 1 to 3 axes."""
    lengths = tuple(shape) if isinstance(shape, Sequence | np.ndarray) else ()
    whole_numbers = (isinstance(n, numbers.Integral) and n >= 1 for n in lengths)
    if not 1 <= len(lengths) <= 3 or not all(whole_numbers):
        raise ValueError(f"{name} is {shape!r}, expected 1 to 3 lengths from 1")
    return tuple(int(n) for n in lengths)


def void_label(n_classes: int, ignore_index: int | None) -> int:
    """The label of void: 255 unless given, which it must be where 255 is a class."""
    if ignore_index is None:
        if n_classes > 255:
            raise ValueError(
                f"ignore_index must be given where n_classes ({n_classes}) is over 255"
            )
        return 255
    void = as_void(ignore_index)
    if 0 <= void < n_classes:
        raise ValueError(f"ignore_index is {void}, which is one of {n_classes} n_classes")
    return void


def as_void(ignore_index: int) -> int:
    """Check the label of void: any whole number that labels may have, or -1."""
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, numbers.Integral):
        raise TypeError(f"ignore_index is {ignore_index!r}, expected a whole number")
    if not -(2**31) <= ignore_index < 2**31:
        raise ValueError(f"ignore_index is {ignore_index}, expected a number of 32 bits")
    return int(ignore_index)


def check_threads(n_threads: int | None) -> int:
    """Resolve `n_threads` to a number of threads, at least 1.

    A given number counts. Else the environment variable CLASSICSEG_NUM_THREADS counts. Else all
    cores that this process may use (its affinity, its control group's quota), and in a worker
    process of joblib the share that joblib gives it, so that workers do not fight over cores.
    """
    if n_threads is not None:
        return positive_int(n_threads, "n_threads", _MAX_THREADS)
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

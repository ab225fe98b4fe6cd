"""Every public function with bad arguments: the answer of the good ones, or an error that tells."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from calls import CALLS, EXCLUDED, Call
from calls.spoiled import other_forms, other_shapes, spoiled, spoiled_setting, wrong_types

# Forms of an array that hold the same numbers as numbers of the same type.
_PLAIN = ("read-only", "non-contiguous", "Fortran", "negative", "not", "other")
_SLOW = 16  # one in that many cases of calls that take long
_DOUBLE = ("dtype f8", "dtype >f8", "dtype g")


@dataclasses.dataclass
class Case:
    """A call with some arguments replaced."""

    call: Call
    kind: str  # form, shape, value or setting
    label: str
    replaced: dict[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self.call.arrays, **self.call.others, **self.replaced}

    def is_path(self, name: str) -> bool:
        return isinstance(self.call.others.get(name), Path)

    def tells(self, error: BaseException) -> bool:
        """Whether it names what was replaced, or of what does not fit together one of them."""
        names = list(self.arguments if self.kind == "shape" else self.replaced)
        names += [self.call.shown[name] for name in names if name in self.call.shown]
        names += [re.escape(str(v)) for n, v in self.replaced.items() if self.is_path(n)]
        # Of a part of a data set, the file or folder that is missing.
        if isinstance(error, OSError):
            names += [re.escape(v) for v in self.replaced.values() if isinstance(v, str) and v]
        return re.search(rf"(?<![a-z_])({'|'.join(names)})(?![a-z])", str(error)) is not None


def cases(call: Call) -> Iterator[Case]:
    kinds = {"form": other_forms, "shape": other_shapes, "value": spoiled, "type": wrong_types}
    for name, array in call.arrays.items():
        for kind, variants in kinds.items():
            for label, value in variants(array):
                listed = kind == "type" and "list" in label
                yield Case(call, "shape" if listed else kind, label, {name: value})
    for label, cut in (("pixel", np.s_[:1, :1]), ("row", np.s_[:1]), ("column", np.s_[:, :1])):
        grids = {n: a[cut].copy() for n, a in call.arrays.items() if a.shape[:2] == (10, 12)}
        if grids:
            yield Case(call, "shape", f"one {label}", grids)
    for name, good in call.others.items():
        for label, value in spoiled_setting(good):
            yield Case(call, "setting", label, {name: value})


def numbers(result: Any) -> Iterator[Any]:
    """The arrays and numbers in a result."""
    if dataclasses.is_dataclass(result):
        result = [getattr(result, item.name) for item in dataclasses.fields(result)]
    elif isinstance(result, dict):
        result = [*result.keys(), *result.values()]
    if isinstance(result, tuple | list):
        for item in result:
            yield from numbers(item)
    elif isinstance(result, np.ndarray | int | float | np.generic):
        yield np.asarray(result)


def same(a: Any, b: Any) -> bool:
    first, second = list(numbers(a)), list(numbers(b))
    return len(first) == len(second) and all(
        x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in zip(first, second, strict=True)
    )


def has_nan(result: Any) -> bool:
    return any(x.dtype.kind == "f" and bool(np.isnan(x).any()) for x in numbers(result))


def fingerprint(arguments: dict[str, Any]) -> list[str]:
    return [
        hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        for value in arguments.values()
        if isinstance(value, np.ndarray) and not value.dtype.hasobject
    ]


def outcome(case: Case) -> tuple[Any, BaseException | None, str]:
    """The result or the error, and what is wrong in either case, empty where nothing is."""
    arguments = case.arguments
    before = fingerprint(arguments)
    result, error = None, None
    allowed: tuple[type[Exception], ...] = (ValueError, TypeError, MemoryError)
    if any(case.is_path(name) for name in case.call.others):
        allowed += (OSError,)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", RuntimeWarning)  # numbers that went wrong inside
            result = case.call.function(**arguments)
    except allowed as caught:
        error = caught
    except Exception as caught:
        return None, caught, f"raises {type(caught).__name__}: {caught}"
    if fingerprint(arguments) != before:
        return result, error, "the caller's array was changed"
    return result, error, ""


def complaint(case: Case, expected: Any) -> str:
    """What is wrong with a case, empty where nothing is."""
    result, error, wrong = outcome(case)
    if wrong:
        return wrong
    if error is not None:
        if case.kind == "form" and case.label.startswith(_PLAIN):
            return f"raises {error!r}"
        of_a_path = isinstance(error, OSError) and any(map(case.is_path, case.replaced))
        if not case.tells(error) and not of_a_path:
            return f"raises {error!r}, which names no argument that it could be"
    elif case.kind == "form":
        precise = case.label in _DOUBLE and not case.call.same_in_double
        if not precise and not same(result, expected):
            return "gives another answer"
    elif case.kind == "setting" and has_nan(result):
        return "gives NaN"
    if case.label.startswith("broadcast"):
        plain = {name: np.array(value, order="C") for name, value in case.replaced.items()}
        its_result, its_error, _ = outcome(dataclasses.replace(case, replaced=plain))
        if (error is None) != (its_error is None) or not same(result, its_result):
            return f"differs from a copy: {error!r}, {its_error!r}"
    return ""


def failures(call: Call) -> list[str]:
    expected = call.function(**call.arrays, **call.others)
    found = []
    for number, case in enumerate(cases(call)):
        if call.slow and number % _SLOW:
            continue
        if wrong := complaint(case, expected):
            found.append(f"{call.name}({', '.join(case.replaced)}: {case.label}) {wrong}")
    return found


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """An absurd size that slips through ends in a MemoryError, not in the machine's."""
    resource = pytest.importorskip("resource", reason="no limits on this system")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 4 * 2**30, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.mark.parametrize("call", CALLS, ids=[f"{i}-{call.name}" for i, call in enumerate(CALLS)])
def test_the_same_answer_or_an_error_that_names_the_argument(call: Call) -> None:
    wrong = failures(call)
    assert not wrong, f"{len(wrong)} cases:\n" + "\n".join(wrong)


def test_there_are_many_cases() -> None:
    assert sum(1 for call in CALLS for _ in cases(call)) >= 20_000


_MODULES = (
    "unary metrics io viz samples superpixels graphcut saliency saliency.metrics gridcrf densecrf "
    "grabcut semantic datasets compare bridge bridge.nets bridge.functional"
)


def public_names() -> set[str]:
    """What the public faces offer, with the methods of the classes that are in the table."""
    names = set()
    for path in _MODULES.split():
        module = importlib.import_module(f"classicseg.{path}")
        offered = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        ]
        names |= {f"{path}.{name}" for name in offered}
    for path in sorted(names - set(EXCLUDED)):
        *place, name = path.split(".")
        value = getattr(importlib.import_module(f"classicseg.{'.'.join(place)}"), name)
        if inspect.isclass(value):
            own = [key for key, item in vars(value).items() if inspect.isfunction(item)]
            if issubclass(value, torch.nn.Module):
                own = [key for key in own if path == "bridge.CRFLayer"]  # others take tensors only
            names |= {f"{path}.{key}" for key in own if not key.startswith("_")}
    return names


def test_every_public_function_is_called() -> None:
    names, called = public_names(), {call.name for call in CALLS}
    assert names - called - set(EXCLUDED) == set()
    methods_of_results = {
        "compare.Comparison.labels",
        "datasets.Dataset.check",
        "datasets.Dataset.read",
        "datasets.Dataset.select",
        "densecrf.PreparedCRF.infer",
        "grabcut.GMM.energies",
        "superpixels.RegionFeatures.table",
    }
    inherited = {name for name in called - names if name.startswith("semantic.")}
    assert called - names == methods_of_results | inherited
    assert set(EXCLUDED) <= names and not called & set(EXCLUDED)

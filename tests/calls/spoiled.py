"""What the arguments of a call can be turned into: other forms of the same values, and nonsense."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["other_forms", "other_shapes", "spoiled", "spoiled_setting", "wrong_types"]

HUGE = 2**62


def other_forms(array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The same values in other layouts and types."""
    frozen = array.copy()
    frozen.setflags(write=False)
    yield "read-only", frozen
    wide = np.zeros([2 * n for n in array.shape], array.dtype)
    steps = (slice(None, None, 2),) * array.ndim
    wide[steps] = array
    yield "non-contiguous", wide[steps]
    yield "Fortran order", np.asfortranarray(array)
    backwards = (slice(None, None, -1),) * array.ndim
    yield "negative strides", array[backwards].copy()[backwards]
    misplaced = np.empty(array.nbytes + 1, np.uint8)[1:].view(array.dtype).reshape(array.shape)
    misplaced[...] = array
    yield "not aligned", misplaced
    yield "other byte order", array.astype(array.dtype.newbyteorder())
    types = "f2 f4 f8 >f2 >f4 >f8 g" if array.dtype.kind == "f" else "i1 u1 i2 >u2 i4 i8 >i8 u8"
    for name in types.split():
        with np.errstate(all="ignore"):
            changed = array.astype(name)
        if np.array_equal(changed, array):
            yield f"dtype {name}", changed
    if array.dtype.kind != "b" and np.isin(array, (0, 1)).all():
        yield "bool", array.astype(bool)
    if array.dtype.kind == "f" and np.array_equal(np.rint(array), array):
        yield "int64", array.astype(np.int64)


def other_shapes(array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Axes that are swapped, missing, too many, too short or empty."""
    yield "no axis", array.reshape(-1)[0]
    yield "one axis fewer", array[0].copy()
    yield "one axis more", array[np.newaxis]
    yield "an axis behind", array[..., np.newaxis]
    yield "seven axes", array.reshape((1,) * (7 - array.ndim) + array.shape)
    if array.ndim > 1:
        yield "first axes swapped", np.ascontiguousarray(np.swapaxes(array, 0, 1))
        yield "last axis first", np.ascontiguousarray(np.moveaxis(array, -1, 0))
        yield "one column", array[:, :1].copy()
    yield "one row less", array[:-1].copy()
    yield "one row more", np.concatenate([array, array[:1]])
    yield "one row", array[:1].copy()
    yield "no rows", array[:0].copy()
    yield "nothing at all", array.reshape(-1)[:0].copy()
    yield "no last axis", array[..., :0].copy()
    yield "one pixel", array[(slice(1),) * min(array.ndim, 2)].copy()
    yield "broadcast", np.broadcast_to(array[:1], array.shape)
    yield "broadcast number", np.broadcast_to(array.reshape(-1)[0], array.shape)


def spoiled(array: NDArray[Any]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Values that make no sense in one element, or everywhere."""
    middle = tuple(n // 2 for n in array.shape)
    if array.dtype.kind == "f":
        numbers = (np.nan, np.inf, -np.inf, -0.5, 1.5, 1e30, -1e30, 3.4e38, 1e-45)
        for number in numbers:
            changed = array.copy()
            changed[middle] = number
            yield f"a {number}", changed
        for number in (np.nan, np.inf, -1.0, 0.0, 1e30, 3e38):
            yield f"all {number}", np.full_like(array, number)
        yield "float64 beyond float32", np.full(array.shape, 1e300)
        yield "negative float64", -array.astype(np.float64)
    else:
        for other in (-1, -(2**31), 7, 254, 255, 256, 2**31 - 1, 2**31, 2**40, 2**63 - 1):
            changed = array.astype(np.int64)
            changed[middle] = other
            yield f"a {other}", changed
            yield f"all {other}", np.full(array.shape, other, np.int64)
        yield "largest uint64", np.full(array.shape, 2**64 - 1, np.uint64)
        yield "halves", array + 0.5
        yield "NaN", np.full(array.shape, np.nan)


def wrong_types(array: NDArray[Any]) -> Iterator[tuple[str, Any]]:
    """No array of real numbers."""
    yield "None", None
    yield "a text", "text"
    yield "bytes", b"\x00\x01"
    yield "a number", 3.5
    yield "a dict", {"a": array}
    yield "an object", object()
    yield "a class", np.ndarray
    yield "a function", np.zeros
    yield "an iterator", iter([1, 2])
    yield "nested lists", array.tolist()
    yield "ragged lists", [[1, 2], [3]]
    yield "a list of arrays", [array]
    yield "dtype object", array.astype(object)
    yield "dtype object of Nones", np.full(array.shape, None)
    yield "dtype complex", array.astype(complex)
    yield "dtype text", array.astype(str)
    yield "dtype bytes", array.astype(bytes)
    yield "dtype time", np.full(array.shape, "2004-08-09", "datetime64[D]")
    yield "records", np.zeros(array.shape, [("a", "f4"), ("b", "i4")])
    yield "masked", np.ma.masked_array(array, array == array.reshape(-1)[0])


def spoiled_setting(value: Any) -> Iterator[tuple[str, Any]]:
    """Nonsense in place of a number, a name, a sequence, a path or an object."""
    anything: list[Any] = [
        None,
        "2",
        "",
        b"2",
        1j,
        {},
        [],
        object(),
        np.zeros((2, 2)),
        np.nan,
        np.inf,
    ]
    numbers: list[Any] = [
        0,
        -1,
        1.5,
        True,
        -np.inf,
        1e30,
        -1e30,
        1e308,
        1e-300,
        HUGE,
        -HUGE,
        2**100,
    ]
    numbers += [
        np.float32(1.5),
        np.int8(-1),
        np.uint64(2**63),
        np.datetime64("2004-08-09"),
        [1],
        (1,),
    ]
    if isinstance(value, Path):
        paths = [
            value / "missing" / "a",
            value.parent,
            value.parent / "missing",
            "/dev/null",
            "a\x00b",
            "a" * 5000,
        ]
        for bad in [
            None,
            3,
            1.5,
            b"\x00",
            {},
            [],
            object(),
            np.zeros(2),
            "",
            *paths,
            *map(str, paths),
        ]:
            yield f"{bad!r:.30}", bad
    elif isinstance(value, tuple | list):
        yield from (
            (f"{bad!r:.30}", bad) for bad in [*anything, 3, -1, HUGE, "ab", value * 5, value[:-1]]
        )
        for bad in (None, "a", np.nan, np.inf, -1, 0, 1.5, 1e30, HUGE, 2**100, [1], object()):
            yield f"with {bad!r:.30}", (bad, *value[1:])
            yield f"ending with {bad!r:.30}", (*value[:-1], bad)
    elif isinstance(value, str):
        yield from (
            (f"{bad!r:.30}", bad) for bad in [*anything, 3, True, "nonsense", "\x00", value.upper()]
        )
    else:
        yield from ((f"{bad!r:.30}", bad) for bad in [*anything, *numbers])

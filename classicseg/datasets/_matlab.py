"""Matlab's .mat files of version 5 to 7: numbers, cells and structs.

SciPy's reader takes the lengths in a file on trust, and a damaged file can end the process. This
one looks at each length before it believes it. The format is that of MathWorks' "MAT-File Format".
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classicseg._files import explained

__all__ = ["read_matlab"]

_HEAD = 128
_MATRIX, _COMPRESSED = 14, 15
_KINDS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_CELL, _STRUCT = 1, 2
_NUMBERS = range(6, 16)  # double to uint64
_DEEPEST = 16
_LARGEST = 1 << 30  # bytes after unpacking


def read_matlab(path: str | os.PathLike[str], name: str) -> Any:
    """Read one variable.

    Returns
    -------
    array, list or dict
        Numbers are an array, a cell is the list of what it holds, by columns, a struct a dict, and
        several structs a list of dicts. Whatever else there may be, such as text, is None.

    Raises
    ------
    OSError, ValueError
        If the file is missing, damaged, of another version, or has no such variable.
    """
    with explained(path, f"a Matlab file with {name}"):
        data = Path(path).read_bytes()
        order = {b"IM": "<", b"MI": ">"}.get(data[126:128])
        if order is None or len(data) < _HEAD:
            raise ValueError("it has not the head of one, of version 5 to 7")
        if data[125 if order == "<" else 124] != 1:
            raise ValueError("it is of version 7.3 or later: save it with -v7")
        found = []
        for kind, content in _Bytes(data[_HEAD:], order).elements():
            variable, value = _variable(kind, content)
            if variable == name:
                return value
            found.append(variable)
        raise ValueError(f"it holds no {name!r}, but {', '.join(found) or 'nothing'}")


@dataclass
class _Bytes:
    """A stretch of the file, taken from its front."""

    data: bytes
    order: str
    start: int = 0

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.start:
            raise ValueError("it ends too early")
        self.start += count
        return self.data[self.start - count : self.start]

    def element(self) -> tuple[int, _Bytes]:
        """The next one's kind and content; short ones share a word with their tag."""
        (word,) = struct.unpack(f"{self.order}I", self.take(4))
        kind, count = word & 0xFFFF, word >> 16
        if count:
            if count > 4:
                raise ValueError("a short element is too long")
            return kind, _Bytes(self.take(4)[:count], self.order)
        (count,) = struct.unpack(f"{self.order}I", self.take(4))
        content = _Bytes(self.take(count), self.order)
        if kind != _COMPRESSED:
            self.start = min(self.start + -count % 8, len(self.data))
        return kind, content

    def elements(self) -> Any:
        while self.start < len(self.data):
            yield self.element()

    def numbers(self, kind: int) -> Any:
        """All that is left, as an array."""
        if kind not in _KINDS:
            raise ValueError(f"it holds data of the unknown kind {kind}")
        what = np.dtype(self.order + _KINDS[kind])
        rest = self.take(len(self.data) - self.start)
        if len(rest) % what.itemsize:
            raise ValueError("a number is cut off")
        return np.frombuffer(rest, what).astype(what.newbyteorder("="))


def _variable(kind: int, content: _Bytes) -> tuple[str, Any]:
    if kind == _COMPRESSED:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(content.data, _LARGEST)
        if not unpacker.eof:
            raise ValueError("its packed data is cut off or too large")
        kind, content = _Bytes(data, content.order).element()
    if kind != _MATRIX:
        raise ValueError(f"it holds an element of the kind {kind} where a variable should be")
    return _matrix(content, 0)


def _matrix(content: _Bytes, depth: int) -> tuple[str, Any]:
    """Name and value of an array of any class."""
    if depth > _DEEPEST:
        raise ValueError("it is nested too deeply")
    if not content.data:
        return "", np.zeros((0, 0))
    kind, flags = content.element()
    words = flags.numbers(kind)
    if len(words) == 0:
        raise ValueError("an array has no class")
    code = int(words[0]) & 0xFF
    kind, sizes = content.element()
    shape = [int(size) for size in sizes.numbers(kind)]
    if len(shape) < 2 or len(shape) > 8 or min(shape) < 0:
        raise ValueError(f"an array has the shape {shape}")
    count = math.prod(shape)
    _, label = content.element()
    name = label.data.decode("latin-1")
    if code in _NUMBERS:
        kind, numbers = content.element()
        values = numbers.numbers(kind)
        if len(values) != count:
            raise ValueError(f"an array of the shape {shape} has {len(values)} numbers")
        return name, values.reshape(shape, order="F")
    if code == _CELL:
        return name, [_inner(content, depth) for _ in range(_possible(count, content))]
    if code == _STRUCT:
        return name, _struct(content, count, depth)
    return name, None


def _struct(content: _Bytes, count: int, depth: int) -> Any:
    kind, length = content.element()
    longest = length.numbers(kind)
    _, labels = content.element()
    if len(longest) != 1 or longest[0] < 1 or len(labels.data) % int(longest[0]):
        raise ValueError("the names of a struct are damaged")
    step = int(longest[0])
    names = [
        labels.data[k : k + step].split(b"\0")[0].decode("latin-1")
        for k in range(0, len(labels.data), step)
    ]
    found = [
        {name: _inner(content, depth) for name in names}
        for _ in range(_possible(count, content) if names else 0)
    ]
    return found[0] if len(found) == 1 else found


def _possible(count: int, content: _Bytes) -> int:
    """How many elements there are; each takes 8 bytes at least."""
    if count > (len(content.data) - content.start) // 8:
        raise ValueError(f"{count} elements do not fit into it")
    return count


def _inner(content: _Bytes, depth: int) -> Any:
    kind, inner = content.element()
    if kind != _MATRIX:
        raise ValueError(f"it holds an element of the kind {kind} where an array should be")
    return _matrix(inner, depth + 1)[1]

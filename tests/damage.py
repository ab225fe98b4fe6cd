"""Files that are damaged, or lie about their size: for the tests of readers."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from hypothesis import strategies as st

__all__ = ["damaged", "png_of", "tiff_of"]


@st.composite
def damaged(draw: Any, good: bytes) -> bytes:
    """A file cut off, with some bytes changed, repeated, or left out; or nothing like it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(good)
    places = st.integers(0, len(good) - 1)
    for _ in range(draw(st.integers(1, 4))):
        place = min(draw(places), max(0, len(data) - 1))
        how = draw(st.integers(0, 4))
        if how == 0:
            del data[place:]
        elif how == 1:
            data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif how == 2:
            data[place : place + 4] = draw(
                st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"])
            )
        elif how == 3:
            data[place:place] = data[: draw(st.integers(0, 64))]
        else:
            del data[place : place + draw(st.integers(1, 16))]
    return bytes(data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    )


def tiff_of(side: int) -> bytes:
    tags = [(256, side), (257, side), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, side)]
    tags.append((279, side * side % 2**32))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4)

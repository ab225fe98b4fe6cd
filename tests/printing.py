"""What a terminal shows."""

from __future__ import annotations

import io

from rich.console import Console

from classicseg import compare


def printed(result: compare.Comparison, width: int) -> str:
    """The table of a comparison on a terminal of that width."""
    stream = io.StringIO()
    Console(file=stream, width=width).print(compare.table(result))
    return stream.getvalue()

"""Whether what a kernel needs fits into memory, said before work begins."""

from __future__ import annotations

from pathlib import Path

__all__ = ["expect_memory"]

# Less is not worth a look at what there is.
_SMALL = 1 << 28
_CGROUP = Path("/sys/fs/cgroup")


def expect_memory(needed: float, what: str) -> None:
    """Raise MemoryError, with the figures, where so many bytes are not there.

    Systems promise more memory than they have, and end processes that take it. Where the system
    does not say what is left, as outside of Linux, nothing is checked.

    >>> expect_memory(1e3, "a small thing")
    """
    if needed < _SMALL:
        return
    free = _free()
    if free is not None and needed > free:
        raise MemoryError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free"
        )


def _free() -> int | None:
    """What the machine, or the container, has left."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        entries = dict(line.split(":", 1) for line in lines)
        free = sum(1024 * int(entries[key].split()[0]) for key in ("MemAvailable", "SwapFree"))
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit = int((_CGROUP / "memory.max").read_text())  # "max" where there is none
        used = int((_CGROUP / "memory.current").read_text())
        files = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(files.get("inactive_file", 0)))
    except (OSError, ValueError):
        pass
    return free

"""How a thread stops what another one works on, when its result is not wanted any more."""

from __future__ import annotations

from classicseg._kernels import ext

__all__ = ["Stop", "Stopped"]

# `with Stop() as stop: ...` runs kernels that any thread may end by `stop.set()`, within some
# milliseconds; they raise `Stopped`. It stays set: the next work needs a Stop of its own.
Stop = ext.Stop
Stopped = ext.Stopped

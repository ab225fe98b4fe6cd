"""What the bridge needs beyond classicseg's own requirements, and how its absence is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["naming_the_extra"]

_PACKAGES = {"torch", "safetensors", "lightning_fabric"}


def naming_the_extra(getter: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let a lazy module's `__getattr__` say which extra holds a package that is missing."""

    def __getattr__(name: str) -> Any:
        try:
            return getter(name)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in _PACKAGES:
                raise
            raise ImportError(
                f"classicseg.bridge needs {error.name}: pip install 'classicseg[bridge]'",
                name=error.name,
            ) from error

    return __getattr__

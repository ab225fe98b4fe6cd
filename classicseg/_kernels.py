"""The compiled kernels, also where a source folder shadows the installed package.

Python started in the repository's root finds the folder `classicseg` there before the installed
package. That folder has no compiled module unless it was installed with `pip install -e`; the one
of the installed package is used then, provided that it is of the same version.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from classicseg import __version__

__all__ = ["ext"]


def _load() -> ModuleType:
    try:
        from classicseg import _ext
    except ImportError as error:
        if not (error.name or "").startswith("classicseg"):
            raise
        return _load_installed()
    return _ext


def _load_installed() -> ModuleType:
    here = Path(__file__).parent
    elsewhere = [entry for entry in sys.path if Path(entry or ".").resolve() != here.parent]
    package = importlib.machinery.PathFinder.find_spec("classicseg", elsewhere)
    folders = package.submodule_search_locations if package else None
    name = "classicseg._ext"
    spec = importlib.machinery.PathFinder.find_spec(name, folders) if folders else None
    if spec is None or spec.loader is None:
        raise ImportError(
            f"classicseg has no compiled kernels in {here}: install it with 'pip install -e .' "
            "there, or run Python from another folder"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.version != __version__:
        raise ImportError(
            f"the sources in {here} are version {__version__}, the installed kernels are version "
            f"{module.version}: install again, or run Python from another folder"
        )
    sys.modules[name] = module
    return module


ext = _load()

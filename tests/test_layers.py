"""The architecture: who may import whom, and what is only imported where it is needed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import classicseg

PACKAGE = Path(classicseg.__file__).parent

# From the bottom up. Modules in one line do not import each other.
LAYERS = [
    {"_ext"},
    {"_arrays", "_kernels", "_offsets", "_progress", "_settings"},
    {"_checks", "_memory", "_stop"},
    {"_colors", "_deep_colour", "_files", "_gmm", "_lab", "_sheet"},
    {"metrics", "unary"},
    {"_scores"},
    {"io", "viz"},
    {"superpixels", "graphcut", "samples"},
    {"saliency", "densecrf", "gridcrf", "datasets"},
    {"grabcut", "semantic", "bridge"},
    {"compare"},
    {"_cli_compare", "_cli_datasets", "_cli_grabcut", "_cli_photo", "_cli_train"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Heavy, optional or of another licence: only inside the functions that need them.
DEFERRED = {"cv2", "torch", "matplotlib", "maxflow", "pydensecrf", "gco", "pymatting"}

FILES = sorted(path for path in PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The module or folder of the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST, path: Path, everywhere: bool) -> set[str]:
    """Full names of what is imported: anywhere, or only when the module itself is imported."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            if everywhere:
                for child in node.body:
                    visit(child)
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not everywhere:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                folder = ("classicseg", *path.relative_to(PACKAGE).parts)[: -node.level]
                base = ".".join([*folder, *filter(None, [base])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


def test_every_module_has_a_layer() -> None:
    parts = {part_of(path) for path in FILES} - {"__init__"}
    assert parts <= LEVEL.keys(), f"add {parts - LEVEL.keys()} to LAYERS"
    assert {"_gmm", "graphcut", "grabcut", "compare", "cli"} <= parts  # the package was found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_lower_layers_never_import_upper_ones(path: Path) -> None:
    part = part_of(path)
    names = imports(ast.parse(path.read_text("utf-8")), path, everywhere=True)
    used = {name.split(".")[1] for name in names if name.startswith("classicseg.")}
    used -= {part, "__version__"}
    if part == "__init__":
        assert not used  # all lazy
        return
    for other in used:
        assert other in LEVEL, f"{path.name} imports {other}, which has no layer"
        assert LEVEL[other] < LEVEL[part], f"{path.name} ({part}) imports {other} from above"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_only_imported_inside_functions(path: Path) -> None:
    names = imports(ast.parse(path.read_text("utf-8")), path, everywhere=False)
    # The files behind `bridge`'s lazy names hold networks: they are loaded when one is asked for.
    lazy = {"torch"} if part_of(path) == "bridge" and path.name != "__init__.py" else set()
    assert not (DEFERRED - lazy) & {name.split(".")[0] for name in names}


def test_private_names_stay_inside_their_folder_or_come_from_below() -> None:
    """Of `superpixels`, `grabcut`, ... others use the public face; the solvers share helpers."""
    shared = {
        f"classicseg.graphcut.{name}" for name in ("_contrast", "_edges", "_grid", "_label_cost")
    }
    for path in FILES:
        names = imports(ast.parse(path.read_text("utf-8")), path, everywhere=True)
        for name in names:
            parts = name.split(".")
            foreign = parts[0] == "classicseg" and len(parts) > 2 and parts[1] != part_of(path)
            if foreign and parts[2].startswith("_") and parts[1] in LEVEL:
                assert ".".join(parts[:3]) in shared, f"{path.name} imports {name}"


def test_the_parser_sees_what_it_should() -> None:
    code = (
        "import cv2\nfrom classicseg.io import read\nif TYPE_CHECKING:\n    import torch\n"
        "def f():\n    import maxflow\nclass C:\n    import matplotlib.pyplot\n"
        "try:\n    from . import viz\nexcept ImportError:\n    pass\n"
    )
    path = PACKAGE / "compare" / "runner.py"
    at_import = imports(ast.parse(code), path, everywhere=False)
    assert {"cv2", "classicseg.io", "matplotlib.pyplot", "classicseg.compare.viz"} <= at_import
    assert not {"maxflow", "torch"} & at_import
    assert {"maxflow", "torch"} <= imports(ast.parse(code), path, everywhere=True)

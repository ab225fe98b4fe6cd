"""The pages: links lead somewhere, pictures are small, and the reference can be built."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import classicseg

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))

pytestmark = pytest.mark.skipif(not PAGES, reason="docs/ is not beside the tests")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith("# ")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        other = page.parent / file if file else page
        assert other.exists(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", other.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
            assert anchor in anchors, f"{page.name} links to {target}"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem)
def test_the_names_in_the_code_exist(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for name in re.findall(r"\bcs((?:\.\w+)+)", block):
            found: Any = classicseg
            for part in name.split(".")[1:]:
                assert hasattr(found, part), f"{page.name} uses cs{name}"
                found = getattr(found, part)


def test_pictures_are_small_and_used() -> None:
    used = "".join(page.read_text("utf-8") for page in (*PAGES, ROOT / "README.md"))
    for picture in (DOCS / "images").iterdir():
        assert picture.stat().st_size <= 300_000, picture.name
        assert f"images/{picture.name}" in used, f"no page shows {picture.name}"


def test_every_page_is_listed_and_every_module_has_one() -> None:
    listed = (DOCS / "README.md").read_text("utf-8")
    for page in PAGES:
        if page.name != "README.md":
            assert f"]({page.name})" in listed, page.name
    together = {"viz": "io", "samples": "samples"}
    pages = {page.stem for page in PAGES}
    for module in classicseg.__all__:
        assert together.get(module, module) in pages, f"classicseg.{module} has no page"


def test_the_reference_is_built_without_warnings(tmp_path: Path) -> None:
    """Of two modules; the workflow builds all."""
    pdoc = pytest.importorskip("pdoc", reason="the reference needs pip install 'classicseg[docs]'")
    pdoc.render.configure(docformat="numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pdoc.pdoc("classicseg.datasets", "classicseg.unary", output_directory=tmp_path)
    text = (tmp_path / "classicseg" / "datasets.html").read_text("utf-8")
    for name in classicseg.datasets.__all__:
        assert f'id="{name}"' in text

"""The page for those who come from another library: both sides of every row are run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import classicseg as cs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "migration.md"
NEEDS = {
    "pydensecrf": "pydensecrf",
    "PyMaxflow": "maxflow",
    "OpenCV's grabCut": "cv2",
    "skimage.segmentation.slic": "skimage",
}


@dataclass(frozen=True)
class Row:
    library: str
    setup: str
    title: str
    before: str
    after: str
    closeness: str


def rows() -> list[Row]:
    if not PAGE.is_file():
        return []
    found = []
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        library = section.partition("\n")[0]
        setup = re.search(r"```python\n(.*?)```", section, re.DOTALL)
        assert setup, library
        for line in section.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if line.startswith("| ") and len(cells) == 4 and "`" in cells[1]:
                before, after = (
                    "\n".join(part.strip().strip("`") for part in cell.split("<br>"))
                    for cell in cells[1:3]
                )
                found.append(Row(library, setup[1], cells[0], before, after, cells[3].rstrip(" |")))
    return found


def run(code: str, known: dict[str, Any]) -> Any:
    """All lines but the last are statements, the last is the result."""
    *statements, last = code.splitlines()
    scope = dict(known)
    exec("\n".join(statements), scope)
    return eval(last, scope)


def as_image(values: Any, shape: tuple[int, ...]) -> Any:
    """(L, H * W), as in pydensecrf, becomes (H, W, L)."""
    values = np.asarray(values)
    if len(shape) == 3 and values.shape == (shape[2], shape[0] * shape[1]):
        return values.T.reshape(shape)
    return values


def pays(mask: Any, known: dict[str, Any]) -> int:
    """The capacity that a cut with this sink side takes away, on the grid of the page."""
    links = (mask[:, 1:] != mask[:, :-1]).sum() + (mask[1:] != mask[:-1]).sum()
    return int(known["source"][mask].sum() + known["sink"][~mask].sum() + 20 * links)


def compare(row: Row, before: Any, after: Any, known: dict[str, Any]) -> None:
    words = row.closeness
    if words == "equal":
        np.testing.assert_array_equal(before, after)
    elif words == "a minimum cut":
        flow = known["grid_graph"]().solve().flow
        assert pays(before, known) == pays(after, known) == flow
    elif (match := re.fullmatch(r"equal to ([\d.e-]+)( on average)?", words)) is not None:
        difference = np.abs(as_image(before, np.shape(after)) - after.astype(float))
        assert (difference.mean() if match[2] else difference.max()) <= float(match[1])
    elif (match := re.fullmatch(r"([\d.]+) % of pixels", words)) is not None:
        assert after.any() and not after.all()
        assert (np.asarray(before) == after).mean() >= float(match[1]) / 100
    elif (match := re.fullmatch(r"energy no higher than ([\d.]+) times", words)) is not None:
        edges = {(0, 1): 1, (1, 0): 1}
        ours, theirs = (
            cs.gridcrf.energy(labels, known["unary"], edges, label_cost=known["potts"])
            for labels in (after, before)
        )
        assert ours <= theirs * float(match[1])
    elif words == "explain the colours as well":
        explained = [
            cs.superpixels.explained_variation(labels, known["image"]) for labels in (before, after)
        ]
        assert explained[1] >= explained[0] - 0.02
    elif words == "as many regions, or nearer to what was asked for":
        wanted = 60
        assert abs(after.max() + 1 - wanted) <= abs(before.max() + 1 - wanted)
    else:
        pytest.fail(f"the page says {words!r}, which no test understands")


@pytest.mark.skipif(not PAGE.is_file(), reason="the page is not beside the tests")
def test_the_page_has_all_four_libraries() -> None:
    assert {row.library for row in rows()} == set(NEEDS)
    assert len(rows()) > 20


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.library}: {row.title}")
def test_both_sides_of(row: Row) -> None:
    pytest.importorskip(NEEDS[row.library], reason=f"{row.library} is not installed")
    known: dict[str, Any] = {}
    exec(row.setup, known)
    compare(row, run(row.before, known), run(row.after, known), known)

"""The report in a real browser: it sorts, complains of nothing and asks no network."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from classicseg import compare

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Put at the start: collects what goes wrong. At the end: sorts by clicks and tells what it saw.
LISTEN = """<script>
const complaints = [];
addEventListener("error", e => complaints.push(e.message || String(e.target.src)), true);
addEventListener("securitypolicyviolation", e => complaints.push(e.blockedURI));
console.error = console.warn = (...said) => complaints.push(said.join(" "));
</script>"""
TELL = """<script>
addEventListener("load", () => {
  const rows = () => [...document.querySelectorAll("#table tbody tr")];
  const column = n => rows().map(r => r.cells[n].textContent);
  const button = n => document.querySelectorAll("#table thead button")[n];
  const seen = {first: column(0)};
  button(0).click(); seen.names = column(0);
  button(6).click(); seen.boundary = column(6); seen.address = location.hash;
  button(6).click(); seen.reversed = column(6);
  seen.images = [...document.images].map(i => [i.naturalWidth, i.src.slice(0, 11)]);
  seen.charts = document.querySelectorAll("svg polyline").length;
  seen.requests = performance.getEntriesByType("resource").map(e => e.name);
  seen.complaints = complaints;
  const tell = document.createElement("pre");
  tell.id = "seen"; tell.textContent = JSON.stringify(seen);
  document.body.append(tell);
});
</script>"""


@pytest.fixture(scope="module")
def report(table: compare.Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compare.write(table, tmp_path_factory.mktemp("report"), ["classicseg", "<b>&"])[2]


def test_the_report_is_one_file_and_escapes(report: Path, table: compare.Comparison) -> None:
    text = report.read_text(encoding="utf-8")
    assert "&lt;b&gt;&amp;" in text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)
    assert "http:" not in text and "https:" not in text
    assert text.count("<figure>") == len(table.images) * (len(table.rows) + 2)
    assert len(text) < 3_000_000


def test_the_report_in_a_browser(report: Path, table: compare.Comparison, tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    text = report.read_text(encoding="utf-8")
    copy = tmp_path / "copy.html"
    copy.write_text(
        text.replace("<style>", LISTEN + "<style>", 1).replace("</body>", TELL + "</body>")
    )
    seen = seen_by(browser, f"{copy.as_uri()}#sort=-pipeline", tmp_path)
    rows = sorted(row.pipeline for row in table.rows)
    assert seen["complaints"] == []
    assert seen["requests"] == []
    assert sorted(seen["first"]) == rows
    assert seen["first"] == seen["names"][::-1]  # by the address, then the other way by a click
    scores = sorted((f"{row.boundary_f:.3f}" for row in table.rows), reverse=True)
    assert seen["boundary"] == scores
    assert seen["reversed"] == scores[::-1]
    assert seen["address"] == "#sort=-boundary_f"
    assert len(seen["images"]) == len(table.images) * (len(table.rows) + 2)
    assert all(width > 50 and start == "data:image/" for width, start in seen["images"])
    assert seen["charts"] == 7


def seen_by(browser: str, address: str, folder: Path) -> dict[str, Any]:
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'user'}"]
    done = subprocess.run(
        [browser, *options, "--dump-dom", address], capture_output=True, timeout=120, check=True
    )
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout.decode("utf-8"), re.DOTALL)
    assert found, done.stdout[-500:]
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen

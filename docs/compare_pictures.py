"""Make the picture of docs/compare.md: the head of a report, by headless Chromium.

python docs/compare_pictures.py
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

import classicseg as cs

PIPELINES = ["gmm:rect+*", "saliency:minimum_barrier+graphcut", "saliency:gbvs+argmax"]
SIZE = (1300, 1750)

browser = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
if browser is None:
    raise SystemExit("neither chromium nor google-chrome is installed")
with tempfile.TemporaryDirectory() as folder:
    result = cs.compare.run(PIPELINES, ["coffee", "coins", "flower", "rocket"])
    report = cs.compare.write(result, folder)[2]
    # The page without the table of classes: text enough.
    text = report.read_text(encoding="utf-8")
    start, end = text.index("<h2>IoU by class"), text.index("<h2>Images")
    report.write_text(text[:start] + text[end:], encoding="utf-8")
    picture = Path(folder) / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    options += [f"--window-size={SIZE[0]},{SIZE[1]}", f"--user-data-dir={folder}/user"]
    subprocess.run(
        [browser, *options, f"--screenshot={picture}", report.as_uri()],
        check=True,
        capture_output=True,
    )
    with Image.open(picture) as page:
        small = page.convert("RGB").resize((SIZE[0] * 3 // 4, SIZE[1] * 3 // 4), Image.LANCZOS)
    # Few colours, of which median cuts, the default, would mix up those of the plots.
    few = small.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(Path(__file__).parent / "images" / "compare.png", optimize=True)

"""Trees of files, one of which is damaged: told with its name, or left out and counted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from damage import damaged, png_of, tiff_of
from data_trees import TREES, codes, put_image
from hypothesis import given, settings
from PIL import Image

from classicseg import datasets
from classicseg.compare.journal import Journal
from classicseg.datasets._coco import _index, _numbers

N_EXAMPLES = int(os.environ.get("CLASSICSEG_FUZZ_EXAMPLES", "40"))
SECONDS = 20  # more than any small file takes, on a busy machine too


@dataclass(frozen=True)
class Kind:
    """A file of a small data set; `own` where it is of the first item only."""

    name: str
    split: str | None
    make: Callable[[Path], object]
    file: str
    ids: tuple[str, ...]
    own: bool = True


def _coco(root: Path) -> None:
    for k in (1, 2):
        put_image(root / "val2017" / f"{k}.jpg")
    images = [{"id": k, "file_name": f"{k}.jpg", "height": 3, "width": 4} for k in (1, 2)]
    shapes = [[[0, 0, 2, 0, 2, 2, 0, 2]], {"size": [3, 4], "counts": [3, 6, 3]}]
    found = [
        {"id": k, "image_id": 1, "category_id": k + 1, "segmentation": shape}
        for k, shape in enumerate(shapes)
    ]
    path = root / "annotations" / "instances_val2017.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"images": images, "annotations": found, "categories": []}))


def _volume(root: Path) -> None:
    """Two slices in one file, as the challenge gives them."""
    pages = [Image.fromarray(np.uint8(codes(*values))) for values in ((0, 255), (255, 255, 0))]
    for name in ("train-volume.tif", "train-labels.tif"):
        pages[0].save(root / name, save_all=True, append_images=pages[1:])


def _pictures() -> Iterator[Kind]:
    """The image of the first item, and its labels."""
    for tree in TREES:
        yield Kind(tree.name, tree.split, tree.make, tree.truth, tree.ids)
        with tempfile.TemporaryDirectory() as place:
            tree.make(Path(place))
            files = sorted(str(p.relative_to(place)) for p in Path(place).rglob("*.*"))
        of_first = {f for f in files if Path(f).name.startswith(tree.ids[0]) and "fixPts" not in f}
        (image,) = of_first - {tree.truth}
        yield Kind(tree.name, tree.split, tree.make, image, tree.ids)
        for file in files:
            if file.endswith(".txt") and not file.endswith(".regions.txt"):
                yield Kind(tree.name, tree.split, tree.make, file, tree.ids, own=False)


KINDS = [
    *_pictures(),
    Kind("coco", None, _coco, "annotations/instances_val2017.json", ("1", "2"), own=False),
    Kind("coco", None, _coco, "val2017/1.jpg", ("1", "2")),
    Kind("isbi2012", None, _volume, "train-volume.tif", ("0", "1"), own=False),
    Kind("isbi2012", None, _volume, "train-labels.tif", ("0", "1"), own=False),
]


def complaint(kind: Kind, root: Path) -> str:
    """What is wrong with how a damaged data set is read, empty where nothing is."""
    _index.cache_clear()
    _numbers.cache_clear()
    try:
        list(datasets.open(kind.name, root, kind.split))
    except (ValueError, OSError) as error:
        if str(root) not in str(error):
            return f"does not name the file: {error!r}"
    try:
        lenient = datasets.open(kind.name, root, kind.split, strict=False)
    except (ValueError, OSError) as error:
        return f"not strict, still raises {error!r}" if kind.own else ""
    found = {item.id for item in lenient}
    if kind.own and kind.ids[1] not in found:
        return "an item that is whole is left out"
    if found | set(lenient.skipped) < set(lenient.ids):
        return "an item is neither read nor counted"
    if set(lenient.check().ids) != found:
        return "check finds others"
    return ""


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.name}-{kind.file}")
def test_a_damaged_file_is_told_or_left_out(kind: Kind, tmp_path: Path) -> None:
    kind.make(tmp_path)
    path = tmp_path / kind.file
    good = path.read_bytes()
    assert complaint(kind, tmp_path) == ""
    assert [item.id for item in datasets.open(kind.name, tmp_path, kind.split)] == list(kind.ids)

    @settings(max_examples=N_EXAMPLES, deadline=SECONDS * 1000, database=None, derandomize=True)
    @given(damaged(good))
    def check(data: bytes) -> None:
        path.write_bytes(data)
        assert complaint(kind, tmp_path) == ""

    check()


def test_a_journal_that_is_damaged_is_told_or_done_again(tmp_path: Path) -> None:
    settings_of = {"images": 3, "names": "a"}
    Journal(tmp_path, settings_of)
    path = tmp_path / "settings.json"
    good = path.read_bytes()

    @settings(max_examples=3 * N_EXAMPLES, deadline=None, database=None, derandomize=True)
    @given(damaged(good))
    def check(data: bytes) -> None:
        path.write_bytes(data)
        try:
            Journal(tmp_path, settings_of)
        except (ValueError, OSError) as error:
            assert str(tmp_path) in str(error)

    check()
    for text in ('{"settings": 3}', '{"settings": [1]}', "[]", "7", '{"finished": 1}'):
        (tmp_path / "000000.npz").write_bytes(b"")
        check.hypothesis.inner_test(text.encode())


def test_images_that_lie_about_their_size_take_no_memory(tmp_path: Path) -> None:
    """In place of each image and each map, in a process that may not take a gigabyte more."""
    for number, kind in enumerate(KINDS):
        if Path(kind.file).suffix in (".txt", ".mat", ".json"):
            continue
        root = tmp_path / f"{number}-{kind.name}-{kind.split or ''}"
        root.mkdir()
        kind.make(root)
        lie = tiff_of(60_000) if kind.file.endswith(".tif") else png_of(60_000, 60_000)
        (root / kind.file).write_bytes(lie)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from classicseg import datasets\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))\n"
        "for root in sorted(Path(sys.argv[1]).iterdir()):\n"
        "    _, name, split = root.name.split('-')\n"
        "    try:\n"
        "        list(datasets.open(name, root, split or None))\n"
        "        print(root.name, 'was read')\n"
        "    except ValueError as error:\n"
        "        print('told', str(root) in str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    shutil.rmtree(tmp_path)
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) >= 25 and set(told) == {"told True"}, done.stdout

"""Sessions: actions that can be undone, saved and replayed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action

IMAGE = data.chelsea()[::2, ::2]  # 150 x 226
RECT = Action("rect", ((60.0, 10.0), (190.0, 130.0)), rounds=2)


def strokes(rng: np.random.Generator, n: int) -> list[Action]:
    out = []
    for _ in range(n):
        path = rng.integers((60, 10), (190, 130)) + rng.normal(0, 4, (4, 2)).cumsum(axis=0)
        points = tuple((float(x), float(y)) for x, y in path)
        kind = "lasso" if rng.integers(4) == 0 else "stroke"
        out.append(Action(kind, points, int(rng.integers(4)), float(rng.uniform(1, 5))))
    return out


def state(session: Session) -> tuple[Any, ...]:
    trimap = session.grabcut.trimap
    models = session.grabcut.background_gmm, session.grabcut.foreground_gmm
    return (
        None if trimap is None else trimap.tobytes(),
        *(None if model is None else model.means.tobytes() for model in models),
        session.labels.tobytes(),
    )


def test_a_start_is_cut_when_its_labels_are_needed(tmp_path: Path) -> None:
    rect = Action("rect", RECT.points, rounds=1)
    whole, longer = Session(IMAGE), Session(IMAGE)
    whole.do(rect)
    longer.do(RECT)  # two rounds
    for need in (Session.cut, lambda s: s.save(tmp_path / "session.json")):
        session = Session(IMAGE)
        session.start(rect)
        assert session.uncut and session.actions == [rect] and not session.grabcut.energies
        assert state(session) != state(whole)
        need(session)
        assert not session.uncut and state(session) == state(whole)
        assert session.grabcut.energies == whole.grabcut.energies
    for need in (lambda s: s.extend(RECT), lambda s: s.do(Action("learn", rounds=1))):
        session = Session(IMAGE)
        session.start(rect)
        need(session)
        assert not session.uncut and state(session) == state(longer)
        session.start(rect)
        assert session.undo() and not session.uncut
        assert state(session) == state(longer)


@pytest.mark.filterwarnings("error")
def test_a_start_without_background_needs_no_cut() -> None:
    everything = Action("rect", ((-5.0, -5.0), (500.0, 500.0)), rounds=1)
    whole, session = Session(IMAGE), Session(IMAGE)
    whole.do(everything)
    session.start(everything)
    assert not session.uncut and session.mask.all()
    session.cut()
    assert state(session) == state(whole)


def test_undo_and_redo_go_through_all_states(rng: np.random.Generator) -> None:
    session = Session(IMAGE)
    actions = [RECT, *strokes(rng, 5), Action("learn", rounds=1), *strokes(rng, 3), RECT]
    actions.append(Action("stroke", ((100.0, 60.0), (120.0, 70.0)), 0, 3.0))
    states, energies = [state(session)], [session.grabcut.energies]
    for action in actions:
        session.do(action)
        states.append(state(session))
        energies.append(session.grabcut.energies)
    assert len(set(states)) > 6
    for k in range(len(actions) - 1, -1, -1):
        assert session.undo()
        assert state(session) == states[k], f"undo of action {k}"
        assert session.grabcut.energies == energies[k]
    assert not session.undo()
    for k in range(len(actions)):
        assert session.redo()
        assert state(session) == states[k + 1], f"redo of action {k}"
        assert session.grabcut.energies == pytest.approx(energies[k + 1], rel=1e-9)
    assert not session.redo()
    session.undo()
    session.do(actions[1])
    assert not session.can_redo


def test_what_was_undone_does_not_matter(rng: np.random.Generator, tmp_path: Path) -> None:
    session = Session(IMAGE)
    session.do(Action("rect", ((20.0, 20.0), (90.0, 90.0)), rounds=1))
    session.do(strokes(rng, 1)[0])
    session.reset()
    session.do(RECT)
    for action in strokes(rng, 4):
        session.do(action)
    session.undo()
    session.save(tmp_path / "s.json", "cat.jpg")
    assert session.saved
    again = Session(IMAGE, n_threads=1)
    again.load(tmp_path / "s.json")
    np.testing.assert_array_equal(again.mask, session.mask)
    np.testing.assert_array_equal(again.grabcut.trimap, session.grabcut.trimap)
    assert again.saved and again.actions == session.actions
    again.undo()
    assert not again.saved


OTHER_MACHINES = [
    {"CLASSICSEG_ISA": "baseline", "CLASSICSEG_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Prescott"},
    {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 X86_V3 X86_V4 AVX512F AVX512_SKX",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
]


@pytest.mark.parametrize("environment", OTHER_MACHINES)
def test_other_machines_find_the_same_mask(
    environment: dict[str, str], rng: np.random.Generator, tmp_path: Path
) -> None:
    """Kernels, NumPy's loops and linear algebra for older processors; fewer threads."""
    session = Session(IMAGE)
    for action in (RECT, *strokes(rng, 5), Action("learn", rounds=2), *strokes(rng, 3)):
        session.do(action)
    session.save(tmp_path / "session.json")
    np.save(tmp_path / "image.npy", IMAGE)
    replay = (
        "import numpy as np\n"
        "from classicseg.grabcut._session import Session\n"
        "session = Session(np.load('image.npy'))\n"
        "session.load('session.json')\n"
        "np.save('mask.npy', session.mask)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", replay],
        cwd=tmp_path,
        env=os.environ | environment,
        check=True,
        timeout=300,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "mask.npy"), session.mask)


def test_a_stroke_in_pieces_is_the_stroke(rng: np.random.Generator) -> None:
    path = tuple((float(x), float(y)) for x, y in rng.integers((60, 10), (190, 130), (9, 2)))
    for label in range(4):
        whole, pieces = Session(IMAGE), Session(IMAGE)
        for session in (whole, pieces):
            session.do(RECT)
        before = state(pieces)
        whole.do(Action("stroke", path, label, 3.0))
        pieces.begin(Action("stroke", path[:2], label, 3.0))
        for n in (3, 6, 9):
            pieces.extend(Action("stroke", path[:n], label, 3.0))
        pieces.end()
        assert state(pieces) == state(whole) and pieces.actions == whole.actions
        pieces.undo()
        assert state(pieces) == before


def test_scribbles_start_when_both_sides_have_some() -> None:
    session = Session(IMAGE)
    session.do(Action("stroke", ((120.0, 70.0), (130.0, 80.0)), 1, 4.0, rounds=1))
    assert not session.started and session.labels[75, 125] == 1 and session.labels[0, 0] == 2
    assert not session.mask[0, 0] and session.mask[75, 125]
    session.do(Action("stroke", ((5.0, 5.0), (20.0, 100.0)), 0, 4.0, rounds=1))
    assert session.started and session.mask[75, 125] and not session.mask[5, 5]
    session.undo()
    assert not session.started and session.labels[75, 125] == 1 and session.labels[5, 5] == 2
    session.undo()
    assert (session.labels == 2).all()


def test_a_lasso_starts_too() -> None:
    session = Session(IMAGE)
    corners = ((60.0, 10.0), (190.0, 10.0), (190.0, 130.0), (60.0, 130.0))
    session.do(Action("lasso", corners, 3, rounds=1))
    assert session.grabcut.trimap is not None
    assert (session.grabcut.trimap[:, :59] == 0).all() and session.mask.any()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (Action("learn", rounds=1), "rectangle first"),
        (Action("rect", ((-9.0, -9.0), (-2.0, 50.0))), "no pixel"),
        (Action("rect", ((5.0, 5.0), (5.0, 50.0))), "no pixel"),
        (Action("lasso", ((900.0, 9.0), (910.0, 9.0), (905.0, 20.0))), "no pixel"),
    ],
)
def test_senseless_actions_are_refused_and_change_nothing(action: Action, message: str) -> None:
    session = Session(IMAGE)
    with pytest.raises(ValueError, match=message):
        session.do(action)
    assert not session.actions and not session.started and session.saved


def test_rectangles_in_any_direction_and_partly_outside() -> None:
    masks = []
    for a, b in (((60, -40), (500, 130)), ((500, 130), (60, -40)), ((60, 130), (500, -40))):
        session = Session(IMAGE)
        session.do(Action("rect", ((float(a[0]), float(a[1])), (float(b[0]), float(b[1])))))
        masks.append(session.mask.copy())
    assert all((mask == masks[0]).all() for mask in masks) and not masks[0][:, :60].any()


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 7), (40, 3)])
def test_tiny_and_flat_photos(shape: tuple[int, ...]) -> None:
    session = Session(np.full(shape, 90, np.uint8))
    session.do(Action("rect", ((0.0, 0.0), (1.0, 1.0)), rounds=2))
    session.do(Action("stroke", ((0.0, 0.0),), 0, 0.5))
    session.do(Action("learn", rounds=1))
    while session.undo():
        pass
    assert not session.started


def session_file(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    session = Session(IMAGE)
    session.do(RECT)
    session.do(Action("stroke", ((100.0, 60.0), (120.0, 70.0)), 0, 3.0))
    path = tmp_path / "session.json"
    session.save(path, "cat.jpg")
    return path, json.loads(path.read_text())


LEARN = {"kind": "learn", "points": [], "label": 1, "radius": 1, "rounds": 1}
BROKEN: list[tuple[Any, str]] = [
    (lambda d: [], "no session file"),
    (lambda d: {**d, "format": "x"}, "no session file"),
    (lambda d: {**d, "version": 2}, "version 2"),
    (lambda d: {**d, "actions": 3}, "no actions"),
    (lambda d: {**d, "height": "a"}, "no height"),
    (lambda d: {**d, "height": True}, "no height"),
    (lambda d: {**d, "seed": -1}, "seed -1"),
    (lambda d: {**d, "width": 9}, "another photo"),
    (lambda d: {**d, "pixels": "0"}, "another photo"),
    (lambda d: {**d, "actions": [3]}, "action 0 is of no known kind"),
    (lambda d: {**d, "actions": [{"kind": "x"}]}, "known kind"),
    (lambda d: {**d, "actions": [LEARN]}, "action 0 cannot"),
]
FIELDS: list[tuple[str, Any, str]] = [
    ("points", [[1, 2], [3]], "list of points"),
    ("points", "abc", "list of points"),
    ("points", [[1, float("nan")]], "NaN"),
    ("points", [[1e12, 0]], "1e9"),
    ("points", [], "0 points"),
    ("label", 7, "label 7"),
    ("label", True, "label True"),
    ("rounds", -1, "-1 rounds"),
    ("rounds", 10**9, "rounds"),
    ("radius", 0, "radius"),
    ("radius", "x", "radius"),
    ("radius", 1e300, "radius"),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_broken_session_files_are_explained(tmp_path: Path, change: Any, message: str) -> None:
    path, content = session_file(tmp_path)
    path.write_text(json.dumps(change(content)))
    with pytest.raises(ValueError, match=message) as caught:
        Session(IMAGE).load(path)
    assert "session.json" in str(caught.value)


@pytest.mark.parametrize(("field", "value", "message"), FIELDS)
def test_impossible_actions_are_named(tmp_path: Path, field: str, value: Any, message: str) -> None:
    path, content = session_file(tmp_path)
    content["actions"][1][field] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"action 1.*{message}"):
        Session(IMAGE).load(path)


def test_truncated_and_binary_session_files(tmp_path: Path) -> None:
    path, _ = session_file(tmp_path)
    text = path.read_bytes()
    for broken in (b"", text[: len(text) // 2], b"\xff\xfe\x00", b"[" * 100_000):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"session\.json"):
            Session(IMAGE).load(path)
    with pytest.raises(FileNotFoundError):
        Session(IMAGE).load(tmp_path / "none.json")
    with pytest.raises(IsADirectoryError):
        Session(IMAGE).load(tmp_path)

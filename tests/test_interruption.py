"""Ctrl-C, and work that another thread stops: at once, and everything goes on as before."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import kernel_calls as calls
import numpy as np
import pytest

from classicseg import densecrf, grabcut, graphcut
from classicseg._stop import Stop, Stopped
from classicseg.grabcut._session import Session
from classicseg.grabcut._session_file import Action

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers on this system")

# What is promised; a kernel looks every 50 ms.
LONGEST_WAIT = 0.5


class Interrupted(Exception):
    """As KeyboardInterrupt, but pytest does not end with it."""


@contextmanager
def interrupted_after(seconds: float) -> Iterator[list[float]]:
    """Sends a signal, whose handler raises; gives when it was due, and then what it took."""
    waited: list[float] = []
    wanted = True

    def handler(*_: object) -> None:
        if wanted:
            raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    due = time.perf_counter() + seconds
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield waited
        finally:
            wanted = False  # if the signal comes before this, then inside the outer try
    except Interrupted:
        waited.append(time.perf_counter() - due)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait_of(run: Callable[[], Any], seconds: float) -> float:
    with interrupted_after(seconds) as waited:
        while True:
            run()
    return waited[0]


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", calls.CALLS)
def test_every_kernel_is_interrupted_at_once(
    name: str, n_threads: int, rng: np.random.Generator
) -> None:
    if n_threads == 2 and name in calls.WITHOUT_THREADS:
        pytest.skip("takes no number of threads")
    calls.call(
        name, 40, n_threads
    )()  # imports are not to be interrupted: they would stay half done
    run = calls.call(name, calls.SMALL.get(name, 700), n_threads)
    # A busy machine may keep anybody waiting once.
    waits = []
    while min(waits, default=np.inf) > LONGEST_WAIT and len(waits) < 3:
        waits.append(wait_of(run, rng.uniform(0.02, 0.3)))
    assert min(waits) < LONGEST_WAIT


def moments(of: Callable[[], Any], n: int) -> list[float]:
    """When to interrupt something, from its beginning to its end."""
    begin = time.perf_counter()
    of()
    length = time.perf_counter() - begin
    return [length * (i + 0.5) / n for i in range(n)]


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Any, Any]:
    edges = {o: rng.integers(0, 30, shape, np.int32) for o in ((0, 1), (1, -1), (1, 0), (1, 1))}
    return rng.integers(0, 60, (2, *shape), np.int32), edges


def test_a_grid_graph_goes_on_after_an_interrupt(rng: np.random.Generator) -> None:
    terminals, edges = noise(rng, (240, 200))
    others, _ = noise(rng, (240, 200))

    def fresh(source_and_sink: Any) -> Any:
        graph = graphcut.GridGraph((240, 200))
        graph.set_edges(edges)
        graph.set_terminals(*source_and_sink)
        return graph

    expected = calls.digest(fresh(terminals).solve()), calls.digest(fresh(others).solve())
    graph = fresh(terminals)
    for i, moment in enumerate(moments(lambda: fresh(terminals).solve(), 8)):
        with interrupted_after(moment):
            graph.solve(1 + i % 2)
        assert calls.digest(graph.solve()) == expected[0]
        graph.set_terminals(*others)
        with interrupted_after(moment / 2):
            graph.solve(1 + i % 2)
        assert calls.digest(graph.solve()) == expected[1]
        graph.set_terminals(*terminals)


def test_a_graph_goes_on_after_an_interrupt(rng: np.random.Generator) -> None:
    n = 40000
    nodes = np.arange(n - 201)
    pairs = np.concatenate([np.stack([nodes, nodes + k], 1) for k in (1, 200, 201)])
    weights, terminals = rng.integers(0, 30, len(pairs)), rng.integers(0, 60, (2, n))

    def fresh() -> Any:
        graph = graphcut.Graph(n)
        graph.set_edges(pairs, weights)
        graph.set_terminals(*terminals)
        return graph

    expected = calls.digest(fresh().solve())
    graph = fresh()
    for i, moment in enumerate(moments(lambda: fresh().solve(), 6)):
        graph.set_terminals(terminals[1], terminals[0])
        with interrupted_after(moment):
            graph.solve(1 + i % 2)
        graph.set_terminals(*terminals)
        assert calls.digest(graph.solve()) == expected


def test_a_prepared_crf_goes_on_after_an_interrupt() -> None:
    image = calls.picture(250)
    unary = np.random.default_rng(0).random((*image.shape[:2], 5), np.float32)
    prepared = densecrf.DenseCRF().prepare(image)
    expected = calls.digest(prepared.infer(unary))
    for moment in moments(lambda: prepared.infer(unary), 5):
        with interrupted_after(moment):
            prepared.infer(unary)
        assert calls.digest(prepared.infer(unary)) == expected


def with_an_object(side: int) -> Any:
    image = calls.picture(side)
    image[side // 3 : 2 * side // 3, side // 4 : 3 * side // 4, 0] = 255
    return image


def session_of(image: Any) -> Session:
    session = Session(image)
    side = len(image)
    session.do(Action("rect", ((side / 8, side / 8), (side * 0.9, side * 0.9)), rounds=1))
    return session


def state(session: Session) -> Any:
    return session.labels, session.grabcut.energies, len(session.actions)


def test_what_is_interrupted_in_a_session_was_never_there() -> None:
    image = with_an_object(300)
    stroke = Action("stroke", ((90, 90), (200, 160)), label=0, radius=12)
    learn = Action("learn", rounds=1)

    def whole(session: Session) -> None:
        for action in (stroke, learn):
            session.do(action)
        session.undo()

    reference = session_of(image)
    before = calls.digest(state(reference))
    after = []
    for step in (lambda: reference.do(stroke), lambda: reference.do(learn), reference.undo):
        step()
        after.append(calls.digest(state(reference)))
    session = session_of(image)
    for moment in moments(lambda: whole(session_of(image)), 8):
        known = [before, *after]
        with interrupted_after(moment / 3):
            whole(session)
        assert calls.digest(state(session)) in known  # nothing is half done
        while session.actions[1:]:
            session.undo()
        # Rounding may differ where the flow began elsewhere, labels may not.
        whole(session)
        np.testing.assert_array_equal(session.labels, reference.labels)
        np.testing.assert_allclose(session.grabcut.energies, reference.grabcut.energies, rtol=1e-9)
        session.undo()


def test_strokes_after_a_round_that_was_stopped() -> None:
    image = with_an_object(400)
    stroke = Action("stroke", ((90, 90), (200, 160)), label=0, radius=12)
    other = Action("stroke", ((300, 90), (310, 300)), label=1, radius=12)
    learn = Action("learn", rounds=1)
    reference = session_of(image)
    expected = []
    for action in (stroke, other, learn):
        reference.do(action)
        expected.append(reference.labels)

    def longer(session: Session) -> None:
        session.extend(replace(session.actions[0], rounds=2))

    first, stopped = session_of(image), 0
    for moment in moments(lambda: longer(first), 12):
        session = session_of(image)
        before = calls.digest(state(session))
        with Stop() as stop:
            timer = threading.Timer(moment, stop.set)
            timer.start()
            try:
                longer(session)
            except Stopped:
                stopped += 1
            timer.join()
        if session.actions[0].rounds == 2:  # it was done by then
            continue
        assert calls.digest(state(session)) == before
        for action, labels in zip((stroke, other, learn), expected, strict=True):
            session.do(action)
            np.testing.assert_array_equal(session.labels, labels)
        np.testing.assert_allclose(session.grabcut.energies, reference.grabcut.energies, rtol=1e-9)
    assert stopped  # a busy machine may miss most moments


def test_strokes_after_a_start_whose_cut_was_stopped() -> None:
    """They do not wait for it, and lead to what they would have led to."""
    image = with_an_object(400)
    rect = Action("rect", ((60, 60), (340, 340)), rounds=1)
    stroke = Action("stroke", ((90, 90), (200, 160)), label=0, radius=12)
    learn = Action("learn", rounds=1)
    reference, expected = Session(image, n_threads=1), []
    for action in (rect, stroke, learn):
        reference.do(action)
        expected.append((reference.labels, reference.grabcut.energies[-1]))

    def check(session: Session, labels: Any, energy: float) -> None:
        np.testing.assert_array_equal(session.labels, labels)
        assert session.grabcut.energies[-1] == pytest.approx(energy, rel=1e-9)

    def cut() -> None:
        session.uncut = True
        session.cut()

    session, stopped = Session(image, n_threads=1), 0
    session.start(rect)
    for moment in moments(cut, 12):
        session = Session(image, n_threads=1)
        session.start(rect)
        with Stop() as stop:
            timer = threading.Timer(moment, stop.set)
            timer.start()
            try:
                session.cut()
            except Stopped:
                stopped += 1
            timer.join()
        for action, found in zip((stroke, learn), expected[1:], strict=True):
            session.do(action)
            check(session, *found)
        for found in expected[1::-1]:
            assert session.undo()
            check(session, *found)
    assert stopped  # a busy machine may miss most moments


def test_an_interrupted_fit_keeps_its_rounds_and_goes_on() -> None:
    image = with_an_object(300)
    rect = (40, 40, 220, 220)
    expected = grabcut.GrabCut(image, max_iter=4).fit(rect=rect)
    for moment in moments(lambda: grabcut.GrabCut(image, max_iter=4).fit(rect=rect), 6):
        fitted = grabcut.GrabCut(image, max_iter=4)
        with interrupted_after(moment):
            fitted.fit(rect=rect)
        n = len(fitted.energies)
        assert fitted.energies == expected.energies[:n]
        if n == 0:  # k-means goes on with other random numbers
            fitted.fit(rect=rect)
            assert fitted.energies[-1] == pytest.approx(expected.energies[-1], rel=0.01)
        elif n < len(expected.energies):
            fitted.max_iter = len(expected.energies) - n
            assert fitted.fit().energies == expected.energies


def test_ctrl_c_in_a_script() -> None:
    code = (
        "import os, signal, threading, time, numpy as np, kernel_calls as calls\n"
        "run = calls.call('grid_graph', 1500)\n"
        "def send():\n"
        "    global sent\n"
        "    sent = time.perf_counter(); os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Timer(0.4, send).start()\n"
        "try:\n"
        "    while True: run()\n"
        "except KeyboardInterrupt:\n"
        "    print(time.perf_counter() - sent)\n"
        "before = calls.digest(calls.call('grid_graph', 50)())\n"
        "assert before == calls.digest(calls.call('grid_graph', 50, 1)())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=calls.__file__.rpartition("/")[0],
    )
    assert float(ran.stdout) < LONGEST_WAIT


@pytest.mark.parametrize("n_threads", [1, 2])
def test_another_thread_stops_a_kernel(n_threads: int) -> None:
    run = calls.call("grid_graph", 700, n_threads)
    ended: list[BaseException | None] = []
    stop = Stop()

    def work() -> None:
        with stop:
            try:
                while True:
                    run()
            except Stopped as error:
                ended.append(error)
        run_small()  # without the Stop, the thread works on

    small = calls.call("grid_graph", 30, n_threads)
    results: list[str] = []

    def run_small() -> None:
        results.append(calls.digest(small()))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    assert not stop.is_set()
    begin = time.perf_counter()
    stop.set()
    thread.join(30)
    assert time.perf_counter() - begin < 2 * LONGEST_WAIT
    assert len(ended) == 1
    assert results == [calls.digest(small())]


def test_a_stop_that_is_set_lets_no_kernel_begin() -> None:
    run = calls.call("slic", 30)
    with Stop() as stop:
        run()
        stop.set()
        with pytest.raises(Stopped):
            run()
    run()
    with Stop(), pytest.raises(Stopped), stop:
        run()

"""Every kernel in many threads and processes, and after a fork: the same bits as alone."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kernel_calls as calls
import pytest

SIDE = 60
TIMEOUT = 120  # seconds: nothing here takes more than some

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def digest_of(name: str) -> str:
    return calls.digest(calls.call(name, SIDE, 2)())


def shared_digest_of(name: str) -> str:
    """Of a call whose work is shared by threads of its own."""
    return calls.digest(calls.call(name, calls.SHARED[name], 2)())


def digests(names: list[str]) -> dict[str, str]:
    return {name: digest_of(name) for name in names}


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    return digests(list(calls.CALLS))


@pytest.mark.parametrize("name", calls.CALLS)
def test_eight_threads_at_once(name: str, alone: dict[str, str]) -> None:
    run = calls.call(name, calls.SHARED.get(name, SIDE), 2)
    expected = calls.digest(run()) if name in calls.SHARED else alone[name]
    together = threading.Barrier(8)

    def one(_: int) -> str:
        together.wait(TIMEOUT)
        return calls.digest(run())

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(one, range(8), timeout=TIMEOUT))
    assert found == [expected] * 8


@pytest.mark.parametrize("method", [pytest.param("fork", marks=needs_fork), "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_processes(method: str, alone: dict[str, str]) -> None:
    names = list(calls.CALLS)
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map_async(digests, [names[::2], names[1::2]]).get(TIMEOUT)
    assert found[0] | found[1] == alone


def test_loky(alone: dict[str, str]) -> None:
    joblib = pytest.importorskip("joblib")
    names = list(calls.CALLS)
    parallel = joblib.Parallel(n_jobs=2, backend="loky", timeout=TIMEOUT)
    found = parallel(joblib.delayed(digests)(part) for part in (names[::2], names[1::2]))
    assert found[0] | found[1] == alone


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_work() -> None:
    """The child has none of the threads that were at work, and whatever they held."""
    names = ["easy_grid", "sparse_graph", "trws", "dense_crf", "slic", "alpha_expansion"]
    expected = [shared_digest_of(name) for name in names]
    working, stop = threading.Event(), threading.Event()

    def work() -> None:
        runs = [calls.call(name, calls.SHARED[name], 2) for name in names]
        while not stop.is_set():
            for run in runs:
                working.set()
                run()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert working.wait(TIMEOUT)
        for _ in range(3):
            _in_a_fork(lambda: [shared_digest_of(name) for name in names] == expected)
    finally:
        stop.set()
        for thread in threads:
            thread.join(TIMEOUT)


def _in_a_fork(check: Callable[[], bool]) -> None:
    child = os.fork()
    if child == 0:
        import signal

        code = 1
        try:
            signal.alarm(TIMEOUT)  # ends the child if it hangs
            code = 0 if check() else 1
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class _Calls:
    """A torch dataset of digests."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> str:
        return digest_of(self.names[index])


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_workers_of_a_data_loader(alone: dict[str, str]) -> None:
    data = pytest.importorskip("torch").utils.data
    names = list(calls.CALLS)
    loader = data.DataLoader(_Calls(names), batch_size=None, num_workers=2, timeout=TIMEOUT)
    assert list(loader) == [alone[name] for name in names]


def test_the_end_of_python_while_a_thread_works() -> None:
    """A daemon's kernel is at work when the interpreter goes: it exits, and does not crash."""
    code = (
        "import threading, time, kernel_calls as calls\n"
        "run = calls.call('grid_graph', 800, 2)\n"
        "def work():\n"
        "    while True: run()\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.3)\n"
    )
    folder = Path(calls.__file__).parent
    subprocess.run([sys.executable, "-c", code], check=True, timeout=TIMEOUT, cwd=folder)

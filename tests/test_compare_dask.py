"""On a cluster of worker processes, one of which is killed."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from pathlib import Path

import pytest
from test_compare_resume import logged, same, tiny

from classicseg import compare


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_killed_worker_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # the workers import this module
    monkeypatch.setitem(compare.EVIDENCE, "logged", logged(tmp_path / "log", 0.05))
    pipelines, data = ["logged+argmax", "logged+icm"], tiny(60)
    killed: list[int] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:

        def progress(done: int, total: int) -> None:
            if done >= 5 and not killed:
                pids = [worker.pid for worker in cluster.workers.values()]
                assert len(pids) == 2
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)

        result = compare.run(pipelines, data, dask=cluster.scheduler_address, progress=progress)
    assert killed
    assert not result.failures
    assert set((tmp_path / "log").read_text().split()) == set(data.ids)
    monkeypatch.setitem(compare.EVIDENCE, "logged", logged(tmp_path / "other"))
    assert result.n_jobs == 0
    same(dataclasses.replace(result, n_jobs=1), compare.run(pipelines, data))


def test_a_cluster_that_is_not_there_is_named() -> None:
    pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(OSError, match="1:1"),
    ):
        compare.run(["saliency:centre_prior+argmax"], ["coffee"], dask="tcp://127.0.0.1:1")

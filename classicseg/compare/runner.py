"""Run pipelines over images: one image a task, in any process, on any machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from classicseg import __version__
from classicseg._checks import positive_int
from classicseg._files import path_of
from classicseg._settings import function_of, seed_of, strings_of, yes_or_no
from classicseg.compare import pipelines as known
from classicseg.compare.data import Data, as_dataset
from classicseg.compare.inference import ENGINES
from classicseg.compare.journal import Journal
from classicseg.compare.scoring import Record
from classicseg.compare.summary import Comparison, Failure, Table
from classicseg.compare.training import fit_classifiers
from classicseg.compare.work import Plan, work
from classicseg.datasets import Dataset

__all__ = ["run"]

# More processes than any machine has cores: a mistake.
_MOST_JOBS = 1024
# The package that an engine needs.
_PACKAGES = {"opencv": "cv2", "pymaxflow": "maxflow"}


def run(
    pipelines: Iterable[str] | None = None,
    data: Data = None,
    engine: str = "native",
    n_jobs: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    fresh: bool = False,
    dask: str | None = None,
    train: Dataset | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Comparison:
    """Run pipelines over images and score their labels.

    Parameters
    ----------
    pipelines : names, optional
        Each ``evidence+inference``, or a pattern with * in it: "saliency:*+graphcut". By default a
        choice that takes less than a minute on the bundled photographs.
    data : Dataset, or names, `Sample` or `datasets.Item` objects, optional
        All bundled photographs by default. Names are of these.
    engine : {"native", "opencv", "pymaxflow"}
        Who solves the inference: "opencv" does grabcut, "pymaxflow" does graphcut, and the
        pipelines that the engine has no part in are left out.
    n_jobs : int
        Processes, by joblib. Seconds are only comparable where it is 1.
    seed : int
        Of all random numbers; the same seed gives the same labels.
    progress : callable, optional
        Called with how many images are done and how many there are.
    folder : path, optional
        Where finished images are kept, in `journal`: a run that was interrupted or killed goes on
        from there, until `write` has written what it came to. By default a temporary folder,
        which goes with the result.
    fresh : bool
        Start anew where the folder holds an unfinished run.
    dask : str, optional
        The address of a Dask scheduler, whose workers then do the work instead of local processes.
    train : Dataset, optional
        For the evidence ``superpixels:train`` and ``patches:train``: what they are fitted to.
    say : callable, optional
        Told in a line what else there is to know.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError, ValueError
        If a name is unknown, nothing is left to run, the folder holds an unfinished run with other
        settings, or a number makes no sense.
    ImportError
        If the engine, or what a pipeline asked for needs, is not installed.
    ChildProcessError
        If a worker process was killed. What is finished is kept: run again to go on.

    Notes
    -----
    A broken image and a pipeline that fails do not stop the rest: see `Comparison.failures`.

    Examples
    --------
    >>> from classicseg import compare
    >>> table = compare.run(["gmm:rect+argmax", "gmm:rect+grabcut"], ["coffee"])
    >>> [row.pipeline for row in table.rows]
    ['gmm:rect+grabcut', 'gmm:rect+argmax']
    """
    positive_int(n_jobs, "n_jobs", _MOST_JOBS)
    seed = seed_of(seed, "seed")
    yes_or_no(fresh, "fresh")
    function_of(say, "say")
    if progress is not None:
        function_of(progress, "progress")
    if dask is not None and not isinstance(dask, str):
        raise TypeError(f"dask is {dask!r}, expected an address such as tcp://scheduler:8786")
    if train is not None and not isinstance(train, Dataset):
        raise TypeError(f"train is a {type(train).__name__}, expected a Dataset")
    if folder is not None:
        path_of(folder, "folder")
        if not os.fspath(folder):
            raise ValueError(f"folder is {folder!r}, expected a path")
    images = as_dataset(data)
    names, left_out = _chosen(pipelines, images.n_classes, train is not None, engine)
    kept = None if folder is not None else tempfile.TemporaryDirectory(prefix="classicseg-compare-")
    place = Path(kept.name if kept else folder or ".")
    plan = Plan(
        tuple(names),
        {known.parts(n)[0]: known.evidence_of(n) for n in names},
        {known.parts(n)[1]: known.inference_of(n) for n in names},
        engine,
        seed,
    )
    journal = Journal(place / "journal", _settings(images, plan, train), fresh, say)
    if any(e in known.TRAINED for e in plan.evidence):
        plan.evidence.update(fit_classifiers(plan.evidence, train, images, journal.folder, seed))
    table = Table(names, images.ids, images.n_classes)
    _go_through(images, plan, journal, table, _Workers(n_jobs, dask), progress)
    left_out |= table.left_out()
    rows = table.rows(engine, seed)
    if not rows and len(table.broken) < len(images):
        reasons = "; ".join(dict.fromkeys(left_out.values()))
        raise ValueError(f"none of the pipelines applies to {images.name}: {reasons}")
    return Comparison(
        rows=tuple(rows),
        dataset=images.name,
        class_names=tuple(images.class_names),
        palette=images.palette,
        void=images.void,
        images=tuple(images.ids),
        engine=engine,
        seed=seed,
        n_jobs=n_jobs if dask is None else 0,
        left_out=left_out,
        broken=(
            *(Failure("all", name, why) for name, why in sorted(images.skipped.items())),
            *(
                Failure("all", images.ids[index], why)
                for index, why in sorted(table.broken.items())
            ),
        ),
        rects_of_truth=table.rects_of_truth,
        warnings=dict(sorted(table.warnings.items())),
        data=images,
        _journal=journal,
        _order=tuple(names),
        _kept=kept,
    )


@dataclass(frozen=True)
class _Workers:
    """Who does the work."""

    n_jobs: int
    dask: str | None

    def started(self) -> AbstractContextManager[Any]:
        """Until the end of the block, joblib's work is done by them."""
        if self.dask is None:
            return nullcontext()
        try:
            from distributed import Client
        except ImportError:
            raise ImportError(
                "a Dask cluster needs the package distributed: "
                "pip install 'classicseg[distributed]' brings it"
            ) from None
        try:
            client = Client(self.dask)
        except ValueError as error:
            raise ValueError(f"dask is {self.dask!r}: {error}") from error
        return _Cluster(client)

    def parallel(self) -> Parallel:
        """joblib's, which gives results as they come."""
        n_jobs = self.n_jobs if self.dask is None else -1
        return Parallel(n_jobs=n_jobs, return_as="generator_unordered")


class _Cluster:
    """A connection to a cluster, as joblib's backend."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __enter__(self) -> None:
        self._config = parallel_config(backend="dask", client=self._client)
        self._config.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._config.__exit__(*error)
        self._client.close()


def _go_through(
    images: Dataset,
    plan: Plan,
    journal: Journal,
    table: Table,
    workers: _Workers,
    progress: Callable[[int, int], None] | None,
) -> None:
    """All images: those of the journal are added up, the others done and written to it."""
    before = {index for index in journal.done() if _add(index, images, journal, table)}
    todo = [index for index in range(len(images)) if index not in before]
    total, done = len(images), len(before)
    if progress is not None and done:
        progress(done, total)
    jobs = (
        delayed(work)(images.reader, images.ids[index], index, plan, images.n_classes, images.void)
        for index in todo
    )
    with workers.started():
        finished: Iterator[tuple[int, bytes | None, str]] = workers.parallel()(jobs)
        try:
            for index, packed, reason in finished:
                if packed is None:
                    table.broken[index] = reason
                else:
                    journal.write(index, packed)
                    table.add(index, Record.unpack(packed, with_labels=False))
                done += 1
                if progress is not None:
                    progress(done, total)
        except TerminatedWorkerError as error:
            raise ChildProcessError(
                f"a worker process was killed, perhaps for lack of memory: {done} of {total} "
                f"images are done and kept; run again to go on, perhaps with fewer jobs"
            ) from error


def _add(index: int, images: Dataset, journal: Journal, table: Table) -> bool:
    """Add a record of the journal; False where it is damaged or of something else."""
    try:
        record = journal.read(index, with_labels=False)
    except ValueError:
        record = None
    if record is None or index >= len(images) or record.name != images.ids[index]:
        journal.drop(index)
        return False
    table.add(index, record)
    return True


def _chosen(
    pipelines: Iterable[str] | None, n_classes: int, trained: bool, engine: str
) -> tuple[list[str], dict[str, str]]:
    """The pipelines to run, and those that are left out with the reasons."""
    known.check_engine(engine)
    package = _PACKAGES.get(engine)
    if package is not None and importlib.util.find_spec(package) is None:
        raise ImportError(
            f"the engine {engine!r} needs the package {package}: "
            f"pip install 'classicseg[peers]' brings it"
        )
    left_out: dict[str, str] = {}
    asked = () if pipelines is None else strings_of(pipelines, "pipelines")
    wanted = known.default(n_classes, trained) if pipelines is None else known.chosen(asked)
    able, kept = ENGINES[engine], []
    for name in wanted:
        evidence, inference = known.parts(name)
        missing = known.missing_packages(name)
        if missing and any(evidence == known.parts(one)[0] for one in asked):
            known.check_installed(name)
        if missing:
            left_out[name] = f"pip install 'classicseg[bridge]' brings {' and '.join(missing)}"
        elif able is not None and inference not in able:
            left_out[name] = f"{engine} has no part in {inference}"
        elif evidence in known.TRAINED and not trained:
            raise ValueError(f"{evidence} needs a training set to be fitted to (--train-split)")
        else:
            kept.append(name)
    if not kept:
        raise ValueError(f"nothing left to run: {'; '.join(dict.fromkeys(left_out.values()))}")
    return kept, left_out


def _settings(images: Dataset, plan: Plan, train: Dataset | None) -> dict[str, Any]:
    """All that the records depend on."""
    return {
        "classicseg": __version__,
        "data": images.name,
        "images": len(images),
        "names": _digest(images.ids),
        # The folders that are read, where the reader tells; not where it lies in memory.
        "reader": _digest([re.sub(r" at 0x[0-9a-f]+", "", repr(images.reader))]),
        "classes": list(images.class_names),
        "pipelines": list(plan.pipelines),
        "engine": plan.engine,
        "seed": plan.seed,
        "train": None if train is None else [train.name, len(train), _digest(train.ids)],
    }


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]

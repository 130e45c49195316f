"""A pool of worker processes for thousands of SWMM runs; a worker that dies costs the one job it was at.

The pools of the standard library either hang (`multiprocessing.Pool`) or give up every job that waits
(`concurrent.futures`) when a worker dies in C code, which is why this one keeps its own pipes. Each worker is a fresh
process (spawn) with a folder of its own and a silent standard output; Ctrl-C reaches only the parent, which ends them.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import message

Job = Callable[[Any, Path], Any]
"""Does one piece of work in a folder; pickled once for each worker, so that pieces can be small."""
_BATCH = 32
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Otherwise every worker starts as many idle threads as there are cores, while the others start theirs."""
_READY = -1


@dataclass(frozen=True)
class Outcome:
    """What became of one piece: its value, or the problems for which it has none."""

    index: int
    value: Any = None
    problems: tuple[Problem, ...] = ()


@dataclass
class _Worker:
    """One process with its pipe and the pieces it holds, in the order in which it answers."""

    process: BaseProcess
    pipe: Connection
    held: list[int] = field(default_factory=list)
    ready: bool = False


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_pool(job: Job, pieces: Sequence[Any], workers: int | None = None) -> Iterator[Outcome]:
    """Do every piece in a pool and yield each outcome as soon as it is there, in any order.

    Parameters
    ----------
    job : callable
        What to do with each piece: ``job(piece, folder)``; must be picklable.
    pieces : sequence
        Must be picklable.
    workers : int, optional
        Number of processes; as many as there are cores by default, never more than pieces.

    Raises
    ------
    UserError
        If no worker can start at all.

    Notes
    -----
    Closing the iterator, or an exception in the loop that reads it, ends all workers.
    """
    count = max(min(workers or cores(), len(pieces)), 0)
    waiting = list(range(len(pieces)))[::-1]
    left = len(pieces)
    with TemporaryDirectory(prefix="cyclopolis-") as home:
        crew: list[_Worker] = []
        started = 0
        try:
            while left:
                while len(crew) < min(count, len(waiting) + sum(bool(worker.held) for worker in crew)):
                    started += 1
                    crew.append(_start(job, Path(home) / f"worker{started}"))
                talking = wait([worker.pipe for worker in crew])
                for worker in [worker for worker in crew if worker.pipe in talking]:
                    try:
                        outcome = _hear(worker)
                    except (EOFError, OSError):
                        crew.remove(worker)
                        outcome = _bury(worker, waiting)
                    else:
                        if not worker.held:
                            _feed(worker, pieces, waiting, count)
                    if outcome is not None:
                        left -= 1
                        yield outcome
        finally:
            for worker in crew:
                worker.process.kill()
                worker.process.join()
                worker.pipe.close()


def _start(job: Job, folder: Path) -> _Worker:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, folder, job), daemon=True)
    with _environment(_ONE_THREAD):
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextmanager
def _environment(extra: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes started meanwhile."""
    before = {name: os.environ.get(name) for name in extra}
    os.environ.update(extra)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _feed(worker: _Worker, pieces: Sequence[Any], waiting: list[int], workers: int) -> None:
    """Hand a worker its next pieces: many while there are many, few at the end so that all finish together.

    One that has died since it answered last has begun none of them: they wait again.
    """
    size = max(1, min(_BATCH, len(waiting) // (4 * workers)))
    worker.held = [waiting.pop() for _ in range(min(size, len(waiting)))]
    if worker.held:
        try:
            worker.pipe.send([(index, pieces[index]) for index in worker.held])
        except OSError:
            waiting += worker.held[::-1]
            worker.held = []


def _hear(worker: _Worker) -> Outcome | None:
    """Return what a worker has answered, None where it says that it has begun; a dead one raises."""
    outcome: Outcome = worker.pipe.recv()
    if outcome.index == _READY:
        worker.ready = True
        return None
    worker.held.remove(outcome.index)
    return outcome


def _bury(worker: _Worker, waiting: list[int]) -> Outcome | None:
    """Give up the piece at which a worker died, and put back those that it had not begun."""
    worker.process.join()
    worker.pipe.close()
    if not worker.ready:
        raise user_error("drainage.no_worker", code=worker.process.exitcode)
    if not worker.held:
        return None
    culprit, *others = worker.held
    waiting += others[::-1]
    text = message("drainage.worker_died", design=culprit + 1, code=worker.process.exitcode)
    return Outcome(culprit, problems=(Problem(text),))


def _work(pipe: Connection, folder: Path, job: Job) -> None:
    """Do pieces until the parent goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    folder.mkdir()
    try:
        pipe.send(Outcome(_READY))
        while True:
            for index, piece in pipe.recv():
                pipe.send(_outcome(job, index, piece, folder))
    except (EOFError, BrokenPipeError):
        return


def _outcome(job: Job, index: int, piece: Any, folder: Path) -> Outcome:  # noqa: ANN401 - whatever the job takes
    try:
        return Outcome(index, job(piece, folder))
    except UserError as error:
        return Outcome(index, problems=error.problems)

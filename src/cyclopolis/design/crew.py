"""Kept models that solve side by side, one Python thread each."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Program

Task = TypeVar("Task")


class Crew:
    """Kept models of one programme that work through tasks in the order in which they were given.

    As a context it stops what still runs when it is left, by Ctrl-C too.

    Parameters
    ----------
    program : Program
        What each of them keeps.
    options : SolveOptions
        Of every solve; each runs on one thread.
    threads : int
        How many.
    """

    def __init__(self, program: Program, options: SolveOptions, threads: int) -> None:
        self._kepts = [Kept(program, options) for _ in range(max(threads, 1))]
        self._free: SimpleQueue[Kept] = SimpleQueue()
        for kept in self._kepts:
            self._free.put(kept)
        self._pool = ThreadPoolExecutor(len(self._kepts))
        self._futures: list[Future[Any]] = []

    def submit(self, task: Callable[[Kept], Task]) -> "Future[Task]":
        """Hand out a task; it gets a kept model for itself."""

        def work() -> Task:
            kept = self._free.get()
            try:
                return task(kept)
            finally:
                self._free.put(kept)

        future = self._pool.submit(work)
        self._futures = [known for known in self._futures if not known.done()]
        self._futures.append(future)
        return future

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what runs, drop what waits, and return when every thread is idle."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in self._futures):
            for kept in self._kepts:
                kept.cancel()
            time.sleep(0.01)

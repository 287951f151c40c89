"""Doing tasks with worker processes, of which none can stop the others.

`Runner` is the seam: whatever takes a function and tasks and says which are done can be put in its place.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, NamedTuple

from loopnet_cli.errors import DatasetError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Done(NamedTuple):
    """A task that came to an end; `died` if it took its process with it (crashed, or killed for its memory)."""

    task: Any
    died: bool


Runner = Callable[[Callable[[Any], object], Sequence[Any]], Iterator[Done]]
"""Does ``work(task)`` for each task, in any order, and yields it when it is done.

`work` is a function of a module and can be sent by name; tasks can be pickled; what `work` returns is not needed:
it keeps its result itself. Exceptions of `work` are raised.
"""


def here(work: Callable[[Any], object], tasks: Sequence[Any]) -> Iterator[Done]:
    """Do tasks in this process; a `Runner`."""
    for task in tasks:
        work(task)
        yield Done(task, False)


def processes(workers: int) -> Runner:
    """Return a `Runner` with worker processes of one thread each; with 0 the tasks are done in this process."""
    if workers == 0:
        return here

    def run(work: Callable[[Any], object], tasks: Sequence[Any]) -> Iterator[Done]:
        waiting = list(reversed(tasks))
        with one_thread():
            while waiting:
                suspects: list[Any] = []
                yield from _pool(work, waiting, workers, suspects)
                # one of these took the pool with it: each gets a process of its own
                for task in suspects:
                    yield from _alone(work, task)

    return run


def _pool(work: Callable[[Any], object], waiting: list[Any], workers: int, suspects: list[Any]) -> Iterator[Done]:
    """Take tasks from the end of `waiting`; when the pool breaks, leave those under way in `suspects`."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running: dict[Future[object], Any] = {}
        try:
            while waiting or running:
                # a few in the queue at a time, so that an interruption loses little and ends soon
                while waiting and len(running) < 2 * workers:
                    task = waiting.pop()
                    running[_submitted(pool, work, task)] = task
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    task = running.pop(future)
                    try:
                        future.result()
                    except BrokenProcessPool:
                        suspects += [task, *running.values()]
                        return
                    yield Done(task, False)
        finally:
            for future in running:
                future.cancel()


def _submitted(pool: ProcessPoolExecutor, work: Callable[[Any], object], task: Any) -> Future[object]:
    """Submit a task; a pool that has broken meanwhile gives a future that says so."""
    try:
        return pool.submit(work, task)
    except BrokenProcessPool as error:
        future: Future[object] = Future()
        future.set_exception(error)
        return future


def _alone(work: Callable[[Any], object], task: Any) -> Iterator[Done]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(work, task).result()
        except BrokenProcessPool:
            _check_workers()
            yield Done(task, True)
        else:
            yield Done(task, False)


def _check_workers() -> None:
    """Make sure that it was the task: where no process lives, every task would seem to kill its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool as error:
            raise DatasetError("worker processes die as soon as they start: use --workers 0") from error


@contextmanager
def one_thread() -> Iterator[None]:
    """Have processes that are started meanwhile compute on one thread each."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

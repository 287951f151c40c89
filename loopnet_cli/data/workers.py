"""Doing tasks with worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Task = TypeVar("Task")
Result = TypeVar("Result")


def do_all(work: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> Iterator[Result]:
    """Do tasks; results come as they are done, in no fixed order.

    Parameters
    ----------
    work : callable
        A function of a module (it is sent by name) whose result depends on its task alone.
    tasks : sequence
        Whatever can be pickled.
    workers : int
        Processes of one thread each; 0 works in this process.
    """
    if workers == 0:
        yield from map(work, tasks)
        return
    with one_thread(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        # a few in the queue at a time, so that an interruption loses little and ends soon
        waiting = iter(tasks)
        running: set[Future[Result]] = set()
        try:
            for task in waiting:
                running.add(pool.submit(work, task))
                if len(running) >= 2 * workers:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            for future in running:
                future.cancel()


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

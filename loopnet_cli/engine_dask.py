"""Doing tasks with the workers of a dask cluster (the extra ``dask``): dask moves them, and mends what breaks."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator, Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from loopnet_cli.engine import Ended, WorkerLostError
from loopnet_cli.errors import UsageError
from loopnet_cli.version import __version__

Task = TypeVar("Task")
Result = TypeVar("Result")

INSTALL = 'pip install "loopnet[dask]"'
CONNECT_SECONDS = 15
AHEAD = 2
"""Tasks given out for each thread of the cluster: the next one waits there while one is done."""


def run_on_dask(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    scheduler: str,
    *,
    begin: Callable[[int], bool],
    stop: Callable[[], bool],
    say: Callable[[str], None],
) -> Generator[Ended[Result], None, None]:
    """Do tasks; see `loopnet_cli.engine.run_tasks`.

    Raises
    ------
    UsageError
        If dask is not installed, or the scheduler cannot be reached.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise UsageError(f"--engine dask needs dask.distributed: {INSTALL}") from error
    with _connected(Client, scheduler) as client:
        _check_workers(client, say)
        work = partial(_do, function, str(Path().absolute()))
        name = f"loopnet-{secrets.token_hex(6)}"
        running: dict[Any, int] = {}
        results: Any = as_completed(loop=client.loop)  # type: ignore[no-untyped-call]
        waiting = iter(range(len(tasks)))

        def give() -> None:
            """Give out as many tasks as the cluster can begin soon; it may have grown meanwhile."""
            room = AHEAD * max(1, sum(client.nthreads().values())) - len(running) if not stop() else 0
            while room > 0:
                index = next(waiting, None)
                if index is None:
                    return
                if begin(index):
                    future = client.submit(work, tasks[index], key=f"{name}-{index}", pure=False)
                    running[future] = index
                    results.add(future)
                    room -= 1

        give()
        try:
            while running:
                future = next(results)
                index = running.pop(future)
                yield _ended(future, index)
                future.release()
                give()
        finally:
            if running:
                client.cancel(list(running), force=True)


def _do(function: Callable[[Any], Any], folder: str, task: Any) -> Any:
    """Do a task where it would be done without dask: relative paths mean the same files, on a shared file system."""
    # the folder is that of the process: tasks of one process take turns, also where it has many threads
    with _turn():
        try:
            here = contextlib.chdir(folder)
            here.__enter__()
        except OSError as error:
            raise WorkerLostError(f"a dask worker has no folder {folder}: the file system has to be shared") from error
        try:
            return function(task)
        finally:
            here.__exit__(None, None, None)


@cache
def _turn() -> Lock:
    return Lock()


def _connected(client: Any, scheduler: str) -> Any:
    how = {"scheduler_file": scheduler} if scheduler.endswith(".json") else {"address": scheduler}
    try:
        return client(**how, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UsageError(f"--scheduler {scheduler}: no dask scheduler answers there ({reason})") from error


def _worker_version() -> str:
    return __version__


def _check_workers(client: Any, say: Callable[[str], None]) -> None:
    """Make sure that the workers have this very version, which is half of getting the same bytes from all.

    Raises
    ------
    UsageError
        If one has not.
    """
    if not client.nthreads():
        say("the cluster has no workers yet: waiting for some")
        client.wait_for_workers(1)
    for worker, found in client.run(_worker_version, on_error="return").items():
        if isinstance(found, ImportError):
            raise UsageError(f"the dask worker {worker} has no loopnet, or not this one ({found}): install it there")
        if isinstance(found, str) and found != __version__:
            raise UsageError(f"the dask worker {worker} has loopnet {found}, here it is {__version__}")


def _ended(future: Any, index: int) -> Ended[Any]:
    from distributed import KilledWorker

    if future.status == "cancelled":
        return Ended(index, None, WorkerLostError("the dask scheduler cancelled it"))
    error = future.exception()
    if error is None:
        return Ended(index, future.result())
    if isinstance(error, KilledWorker):
        error = WorkerLostError("all dask workers that tried it died: is there enough memory?")
    if not isinstance(error, Exception):
        error = WorkerLostError(f"{type(error).__name__}: {error}")
    return Ended(index, None, error)

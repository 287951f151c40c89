"""Doing many independent tasks: with worker processes here, or with dask workers anywhere.

A task is a value that can be pickled, the work a function of a module whose result depends on its task alone. So the
results are the same whoever does them, however many there are, and in whatever order they end. A task whose worker
dies (killed for want of memory, say) is given to another one once; the other tasks go on.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Literal, TypeVar

from loopnet_cli.errors import LoopnetError, UsageError
from loopnet_cli.threads import one_thread_meanwhile

Task = TypeVar("Task")
Result = TypeVar("Result")

MAX_TRIES = 2
"""Of a task whose worker dies."""
MAX_FALSE_STARTS = 2
"""Workers in a row that die before they are ready, until that is the error."""
PATIENCE = 3.0
"""Seconds that a worker gets to end by itself."""


class WorkerLostError(LoopnetError):
    """The process that did a task died."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Who does the tasks.

    Attributes
    ----------
    kind : str
        ``local`` for processes of this machine, ``dask`` for the workers of a dask cluster.
    workers : int
        Processes of the local engine, of one thread each.
    scheduler : str
        Address of the dask scheduler, or the path of its scheduler file (``.json``).

    Raises
    ------
    UsageError
        If there is not one process at least.
    """

    kind: Literal["local", "dask"] = "local"
    workers: int = 1
    scheduler: str = ""

    def __post_init__(self) -> None:
        """Refuse what would wait for ever."""
        if self.kind == "local" and self.workers < 1:
            raise UsageError(f"{self.workers} worker processes: at least 1 is needed")


@dataclass(frozen=True, slots=True)
class Ended(Generic[Result]):
    """What became of a task.

    Attributes
    ----------
    index : int
        Which one.
    value : object
        What the function returned; None after an error.
    error : Exception or None
        What the function raised, or `WorkerLostError`.
    tries : int
        How often it was begun, as far as that is known.
    """

    index: int
    value: Result | None = None
    error: Exception | None = None
    tries: int = 1


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chosen_engine(kind: str, workers: int | None, scheduler: str | None, option: str = "--jobs") -> Engine:
    """Return the engine that the options ``--engine``, `option` (how many workers) and ``--scheduler`` ask for.

    Raises
    ------
    UsageError
        If they contradict each other.
    """
    if kind == "local":
        if scheduler is not None:
            raise UsageError("--scheduler is of the engine dask: add --engine dask")
        return Engine("local", workers or usable_cores())
    if scheduler is None:
        raise UsageError("--engine dask needs --scheduler ADDRESS, e.g. tcp://10.0.0.1:8786")
    if workers is not None:
        raise UsageError(f"{option} is of the engine local: with dask the cluster says how many workers there are")
    return Engine("dask", 0, scheduler)


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    engine: Engine | None = None,
    *,
    begin: Callable[[int], bool] = lambda index: True,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> Generator[Ended[Result], None, None]:
    """Do tasks and yield what became of each as it ends, in no fixed order.

    Closing the iterator early ends the workers at once.

    Parameters
    ----------
    function : callable
        Of a module, so that it can be sent by its name.
    tasks : sequence
        What to call it with.
    engine : Engine, optional
        Who does them; one local worker by default.
    begin : callable
        Told the index of a task before it is given away; False leaves it out.
    stop : callable
        Asked before a task is given away; after True none is, and those that run are waited for.
    say : callable
        Told what the user may want to know about the workers.

    Raises
    ------
    WorkerLostError
        If no worker can be started.
    UsageError
        If the engine cannot be used.
    """
    engine = engine or Engine()
    if engine.kind == "dask":
        from loopnet_cli.engine_dask import run_on_dask

        yield from run_on_dask(function, tasks, engine.scheduler, begin=begin, stop=stop, say=say)
        return
    yield from _Pool(function, tasks, engine.workers, begin, stop).run()


class _Worker:
    """A process and the task that it has."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        context = get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, function), daemon=True)
        with one_thread_meanwhile(), _deaf_to_interrupts():
            self.process.start()
        other.close()  # so that its death is seen as the end of the pipe
        self.ready = False
        self.index: int | None = None

    def end(self, patience: float) -> None:
        """Have the process end: by itself if it can, else by force."""
        self.connection.close()
        self.process.join(patience)
        for force in (self.process.terminate, self.process.kill):
            if self.process.is_alive():
                force()
                self.process.join(PATIENCE)
        self.process.close()

    def death(self) -> str:
        """Say of what it died."""
        self.process.join(PATIENCE)
        code = self.process.exitcode
        if code is None or code >= 0:
            return f"the worker process ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        hint = ": is there enough memory? Fewer --jobs need less" if name == "SIGKILL" else ""
        return f"the worker process was killed by {name}{hint}"


class _Pool:
    """Workers of this machine: each has one task at a time, so that it is known which one a dead worker had."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        size: int,
        begin: Callable[[int], bool],
        stop: Callable[[], bool],
    ) -> None:
        self.function, self.tasks, self.begin, self.stop = function, tasks, begin, stop
        self.waiting = deque(range(len(tasks)))
        self.tries = [0] * len(tasks)
        self.size = min(size, len(tasks))
        self.workers: list[_Worker] = []
        self.false_starts = 0

    def run(self) -> Iterator[Ended[Any]]:
        finished = False
        try:
            while True:
                while len(self.workers) < self.size and self._has_more():
                    self.workers.append(_Worker(self.function))
                busy = [worker for worker in self.workers if worker.index is not None]
                if not busy and not self._has_more():
                    break
                ready = wait([worker.connection for worker in self.workers])
                for worker in [worker for worker in self.workers if worker.connection in ready]:
                    yield from self._hear(worker)
            finished = True
        finally:
            for worker in self.workers:
                if not finished:
                    worker.process.terminate()
            for worker in self.workers:
                worker.end(PATIENCE)

    def _has_more(self) -> bool:
        return bool(self.waiting) and not self.stop()

    def _hear(self, worker: _Worker) -> Iterator[Ended[Any]]:
        index = worker.index
        try:
            answer = worker.connection.recv()
        except (EOFError, OSError):
            self.workers.remove(worker)
            death = worker.death()
            worker.end(0)
            yield from self._lost(worker, index, death)
            return
        except Exception as error:  # an answer that cannot be unpickled here
            answer = (None, error)
        if not worker.ready:
            worker.ready, self.false_starts = True, 0
        elif index is not None:
            worker.index = None
            yield Ended(index, answer[0], answer[1], self.tries[index])
        self._give(worker)

    def _lost(self, worker: _Worker, index: int | None, death: str) -> Iterator[Ended[Any]]:
        if not worker.ready:
            self.false_starts += 1
            if self.false_starts >= MAX_FALSE_STARTS:
                raise WorkerLostError(f"no worker can be started: {death}")
        elif index is not None:
            if self.tries[index] < MAX_TRIES and not self.stop():
                self.waiting.appendleft(index)
            else:
                yield Ended(index, None, WorkerLostError(death), self.tries[index])

    def _give(self, worker: _Worker) -> None:
        while self._has_more():
            index = self.waiting.popleft()
            if self.tries[index] == 0 and not self.begin(index):
                continue
            self.tries[index] += 1
            worker.index = index
            with suppress(OSError):  # it has died: its end of the pipe says so
                worker.connection.send(self.tasks[index])
            return


def _serve(connection: Connection, function: Callable[[Any], Any]) -> None:
    """Do tasks until there are no more; the life of a worker."""
    # Ctrl-C reaches all processes of the terminal: the one that gives out tasks decides
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # so that what is being written is cleared away
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        connection.send(None)
        while True:
            task = connection.recv()
            connection.send(_answer(function, task))
    except (EOFError, OSError):
        return


def _answer(function: Callable[[Any], Any], task: Any) -> tuple[Any, Exception | None]:
    try:
        answer: tuple[Any, Exception | None] = (function(task), None)
        pickle.dumps(answer)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            error = RuntimeError(f"{type(error).__name__}: {error}")
        return None, error
    return answer


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Have processes that are started meanwhile ignore Ctrl-C from their first moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

"""The engine: every task once, whoever does it, and dead workers survived."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from loopnet_cli.engine import Engine, WorkerLostError, chosen_engine, run_tasks
from loopnet_cli.errors import UsageError


def square(number: int) -> int:
    return number * number


def pid_and_threads(_: int) -> tuple[int, str | None]:
    time.sleep(0.05)
    return os.getpid(), os.environ.get("OMP_NUM_THREADS")


def fail(number: int) -> int:
    raise ValueError(f"no {number}")


class StubbornError(Exception):
    """Cannot be sent."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one)


def fail_oddly(number: int) -> int:
    raise StubbornError(1, 2)


def die(folder: str, deaths: int, number: int) -> int:
    mark = Path(folder) / str(number)
    tries = len(mark.read_text()) if mark.exists() else 0
    mark.write_text("x" * (tries + 1))
    if number == 1 and tries < deaths:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


class DeadOnArrival:
    """A task's function that no worker can unpack."""

    def __reduce__(self):
        return os._exit, (3,)

    def __call__(self, number: int) -> int:
        return number


def test_every_task_is_done_once_by_workers_of_one_thread():
    ended = list(run_tasks(pid_and_threads, range(8), Engine(workers=2)))
    assert sorted(e.index for e in ended) == list(range(8)) and {e.tries for e in ended} == {1}
    values = [e.value for e in ended]
    assert {threads for _, threads in values} == {"1"}
    assert os.getpid() not in {pid for pid, _ in values} and len({pid for pid, _ in values}) <= 2


def test_no_task_no_worker():
    assert list(run_tasks(square, [], Engine(workers=2))) == []


def test_what_a_task_raises_is_its_end_alone():
    ended = list(run_tasks(fail, [3, 4], Engine(workers=1)))
    assert [(e.index, str(e.error), e.value) for e in ended] == [(0, "no 3", None), (1, "no 4", None)]
    (odd,) = run_tasks(fail_oddly, [1], Engine(workers=1))
    assert "Stubborn" in str(odd.error)


def test_the_task_of_a_dead_worker_is_done_by_another(tmp_path):
    ended = {e.index: e for e in run_tasks(partial(die, str(tmp_path), 1), [0, 1, 2], Engine(workers=1))}
    assert {index: e.value for index, e in ended.items()} == {0: 0, 1: 1, 2: 2}
    assert ended[1].tries == 2


def test_a_task_that_kills_every_worker_is_given_up_and_the_others_go_on(tmp_path):
    ended = {e.index: e for e in run_tasks(partial(die, str(tmp_path), 9), [0, 1, 2], Engine(workers=1))}
    assert isinstance(ended[1].error, WorkerLostError) and "SIGKILL" in str(ended[1].error)
    assert ended[1].tries == 2 and (ended[0].value, ended[2].value) == (0, 2)


def test_workers_that_cannot_start_are_an_error():
    with pytest.raises(WorkerLostError, match=r"no worker can be started: .*exit code 3"):
        list(run_tasks(DeadOnArrival(), [1, 2], Engine(workers=1)))


def test_nothing_is_begun_after_a_stop_or_when_left_out():
    done: list[int] = []
    begun: list[int] = []

    def begin(index: int) -> bool:
        begun.append(index)
        return index != 1

    for ended in run_tasks(square, range(6), Engine(workers=1), begin=begin, stop=lambda: len(done) >= 2):
        done.append(ended.index)
    assert done == [0, 2] and begun == [0, 1, 2]


def test_workers_end_with_the_iterator():
    tasks = run_tasks(pid_and_threads, range(50), Engine(workers=1))
    first = next(tasks)
    tasks.close()
    with pytest.raises(ProcessLookupError):
        os.kill(first.value[0], 0)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("local", None, "tcp://x"), "add --engine dask"),
        (("dask", None, None), "needs --scheduler"),
        (("dask", 2, "tcp://x"), "--jobs is of the engine local"),
    ],
)
def test_options_that_contradict_each_other(words, part):
    with pytest.raises(UsageError, match=part):
        chosen_engine(*words)


def test_engines_by_options():
    assert chosen_engine("local", 3, None) == Engine("local", 3)
    assert chosen_engine("local", None, None).workers >= 1
    assert chosen_engine("dask", None, "tcp://x:1") == Engine("dask", 0, "tcp://x:1")


def test_no_scheduler_there():
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    from loopnet_cli import engine_dask

    engine_dask.CONNECT_SECONDS, before = 1, engine_dask.CONNECT_SECONDS
    try:
        with pytest.raises(UsageError, match="no dask scheduler answers there"):
            list(run_tasks(square, [1], Engine("dask", 0, "tcp://127.0.0.1:9")))
    finally:
        engine_dask.CONNECT_SECONDS = before


@pytest.mark.parametrize("workers", [0, -1])
def test_no_workers_are_refused_and_not_waited_for(workers: int) -> None:
    with pytest.raises(UsageError, match="at least 1 is needed"):
        Engine("local", workers)

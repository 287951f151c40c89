"""Doing planned rows with an engine, keeping record of each as it ends, and stopping well."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from loopnet_cli.cli.console import Advance, Console
from loopnet_cli.engine import Ended, Engine, run_tasks
from loopnet_cli.jobs.plan import Plan, Planned
from loopnet_cli.jobs.record import DONE, FAILED, STARTED, Record
from loopnet_cli.jobs.worker import RowDone, do_row

TOLD_EVERY = 30.0
"""Seconds between two lines on how far it is, where there is no terminal with a bar."""
SHOWN_FAILURES = 1000
"""In the summary; the record has all."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row that ended in this run.

    Attributes
    ----------
    planned : Planned
        The row.
    error : str or None
        What failed.
    loops : tuple of str
        The loops that are there.
    files : Mapping of path to SHA-256
        All files that are there.
    measured : tuple of Mapping
        The features measured in each loop, if that was asked for.
    """

    planned: Planned
    error: str | None
    loops: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)
    measured: tuple[Mapping[str, float], ...] = ()


@dataclass
class Summary:
    """What became of a run."""

    rows: int
    done: int = 0
    failed: int = 0
    complete: int = 0
    left: int = 0
    loops: int = 0
    seconds: float = 0.0
    signal: int | None = None
    failures: list[dict[str, Any]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def not_started(self) -> int:
        """Rows that were to be done, and were not come to."""
        return self.rows - self.done - self.failed - self.complete - self.left

    @property
    def line(self) -> str:
        """One line for people."""
        rate = f" ({self.loops / self.seconds:.3g} a second)" if self.loops and self.seconds > 0 else ""
        parts = [f"{_count(self.loops, 'loop')} in {self.seconds:.1f} s{rate}"]
        parts += [f"{_count(self.complete, 'row')} complete before"] if self.complete else []
        parts += [f"{_count(self.left, 'row')} left out"] if self.left else []
        parts += [f"{_count(self.failed, 'row')} failed"] if self.failed else []
        parts += [f"{_count(self.not_started, 'row')} not begun"] if self.not_started else []
        return ", ".join(parts)

    def plain(self) -> dict[str, Any]:
        """Return plain values for ``--json``."""
        return {
            "rows": self.rows, "done": self.done, "failed": self.failed, "complete_before": self.complete,
            "left_out": self.left, "not_begun": self.not_started, "loops": self.loops,
            "seconds": round(self.seconds, 3), "interrupted": self.signal is not None, "failures": self.failures,
        }  # fmt: skip


def run_plan(
    plan: Plan, engine: Engine, record: Record, console: Console, *, fail_fast: bool = False, keep: bool = False
) -> Summary:
    """Do the rows that are to be done.

    Ctrl-C, or SIGTERM, lets the rows that run end and begins no other; a second one raises KeyboardInterrupt.

    Parameters
    ----------
    plan : Plan
        Without problems.
    engine : Engine
        Who does them.
    record : Record
        Gets a line when a row begins and one when it ends.
    console : Console
        Gets failures and warnings as they come, and the bar.
    fail_fast : bool
        Whether to begin no other row after one that failed.
    keep : bool
        Whether to keep the outcomes, for a page or an index.
    """
    todo = plan.of("todo")
    summary = Summary(len(plan.rows), complete=len(plan.of("complete")), left=len(plan.of("left")))
    begin_time = time.perf_counter()
    with _interrupts() as asked, console.progress(len(todo), "rows", rate=True) as advance:
        late: list[tuple[int, str]] = []

        def begin(index: int) -> bool:
            planned = todo[index]
            with contextlib.chdir(planned.task.folder):
                found = planned.in_the_way()
            if found is not None:  # since the planning
                late.append((index, f"{found} exists by now: use --overwrite"))
                return False
            record.write(STARTED, **_said(planned), planned=list(planned.files))
            return True

        def stop() -> bool:
            return asked.signal is not None or (fail_fast and summary.failed > 0)

        def settle_late() -> None:
            for index, error in late:
                nothing = RowDone(error, None, (), (), {}, {}, (), 0.0)
                _ended(Ended(index, nothing, tries=0), todo[index], record, console, summary, keep, advance)
            late.clear()

        told_at = begin_time
        tasks = [planned.task for planned in todo]
        with closing(run_tasks(do_row, tasks, engine, begin=begin, stop=stop, say=console.warn)) as results:
            for ended in results:
                _ended(ended, todo[ended.index], record, console, summary, keep, advance)
                settle_late()
                now = time.perf_counter()
                if not console.is_terminal and now - told_at > TOLD_EVERY:
                    told_at, count = now, summary.done + summary.failed
                    left = (now - begin_time) / count * (len(todo) - count)
                    console.info(f"{count} of {len(todo)} rows, {_clock(left)} left")
        settle_late()
        summary.signal = asked.signal
    summary.seconds = time.perf_counter() - begin_time
    return summary


def _ended(
    ended: Ended[RowDone],
    planned: Planned,
    record: Record,
    console: Console,
    summary: Summary,
    keep: bool,
    advance: Advance,
) -> None:
    """Keep record of a row, and say what went wrong."""
    done = ended.value
    if done is None:  # its worker died, or the row could not be sent
        done = RowDone(str(ended.error), None, (), (), {}, {}, (), 0.0)
    status = DONE if done.error is None else FAILED
    record.write(
        status, **_said(planned), path=done.loops[0] if done.loops else None, loops=list(done.loops),
        files=dict(done.files), inputs=dict(done.inputs), seconds=round(done.seconds, 3),
        tries=ended.tries, error=done.error, warnings=list(done.warnings), cells=dict(planned.row.cells),
        **({"trace": done.trace} if done.trace else {}),
        **({"measured": list(_measured(done))} if done.told else {}),
    )  # fmt: skip
    if done.error is None:
        summary.done += 1
        summary.loops += len(done.loops)
        for warning in done.warnings:
            console.warn(f"{planned.row.place}: {warning}")
    else:
        summary.failed += 1
        console.error(f"{planned.row.place}: {done.error}")
        if len(summary.failures) < SHOWN_FAILURES:
            summary.failures.append({"row": planned.row.number, "line": planned.row.line, "error": done.error})
    if keep:
        loops = planned.loops if done.error is not None and not done.loops else done.loops
        summary.outcomes.append(Outcome(planned, done.error, loops, done.files, tuple(_measured(done))))
    advance(done.loops[0] if done.loops else planned.row.place)


def _said(planned: Planned) -> dict[str, Any]:
    return {"key": planned.key, "row": planned.row.number, "command": planned.task.command, "seed": planned.seed}


def _measured(done: RowDone) -> Iterator[dict[str, float]]:
    """Yield the features measured in each loop, out of what ``--json`` says."""
    for told in done.told:
        timbre = told.get("controls", {}).get("timbre", {})
        yield {name: value["measured"] for name, value in timbre.items() if value.get("measured") is not None}


@dataclass
class _Asked:
    """Which signal has asked to stop, if one has."""

    signal: int | None = None


@contextmanager
def _interrupts() -> Iterator[_Asked]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop, the second into KeyboardInterrupt."""
    asked = _Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def hear(number: int, frame: FrameType | None) -> None:
        if asked.signal is not None:
            raise KeyboardInterrupt
        asked.signal = number
        # not by the console, in the middle of whose work this may be
        with contextlib.suppress(OSError):
            os.write(2, b"\nloopnet: finishing the rows that run; once more stops at once\n")

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"

"""What ``loopnet batch`` and ``loopnet grid`` do with their rows: check, do, keep record, show, leave."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from loopnet_cli.audio.files import make_folder
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.options import ReportAudioMode
from loopnet_cli.engine import Engine
from loopnet_cli.errors import LoopnetError, UsageError
from loopnet_cli.jobs.files import Row
from loopnet_cli.jobs.plan import Common, Plan, Planned, plan_rows, remove_leftovers
from loopnet_cli.jobs.record import Record, read_record
from loopnet_cli.jobs.run import Outcome, Summary, run_plan
from loopnet_cli.report import ReportItem

MAX_PROBLEMS = 20
"""Bad rows that are told one by one."""


@dataclass(frozen=True)
class Wishes:
    """How rows shall be done.

    Attributes
    ----------
    common : Common
        What holds for all of them.
    engine : Engine
        Who does them.
    record : Path or None
        Where to keep what became of each.
    resume, retry_failed, dry_run, fail_fast : bool
        As the options.
    report : Path or None
        A page to make of the loops.
    report_audio : ReportAudioMode
        Whether it holds them.
    as_json, quiet : bool
        What to print.
    """

    common: Common
    engine: Engine
    record: Path | None
    resume: bool = False
    retry_failed: bool = False
    dry_run: bool = False
    fail_fast: bool = False
    report: Path | None = None
    report_audio: ReportAudioMode = ReportAudioMode.embed
    as_json: bool = False
    quiet: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether this is the rest of an earlier run."""
        return self.resume or self.retry_failed


def do_rows(
    rows: Sequence[Row],
    wishes: Wishes,
    *,
    title: str,
    reserved: Sequence[Path] = (),
    axes: Callable[[Row], Mapping[str, str | float]] = lambda row: {},
    finish: Callable[[Plan, Summary], None] | None = None,
) -> None:
    """Do rows and leave with the exit code that the run deserves.

    Parameters
    ----------
    rows : sequence of Row
        What to do.
    wishes : Wishes
        How.
    title : str
        Of the run and its page.
    reserved : sequence of Path
        Files that no row may write.
    axes : callable
        What was swept in a row, for the page.
    finish : callable, optional
        Called with plan and summary when all is done.

    Raises
    ------
    UsageError
        If options contradict each other, or the record cannot be used.
    typer.Exit
        2 for bad rows, 1 for rows that failed, 128 and more after a signal.
    """
    console = Console(wishes.quiet)
    known = _known(wishes)
    kept = [*reserved, *(path for path in (wishes.record, wishes.report) if path is not None)]
    if wishes.report is not None and not wishes.dry_run:
        from loopnet_cli.report import check_report

        check_report(wishes.report, overwrite=wishes.common.overwrite or wishes.goes_on)
    only_failed = wishes.retry_failed and not wishes.resume
    plan = plan_rows(rows, wishes.common, known, only_failed=only_failed, reserved=[path.absolute() for path in kept])
    if plan.problems:
        for problem in plan.problems[:MAX_PROBLEMS]:
            console.error(problem)
        if len(plan.problems) > MAX_PROBLEMS:
            console.error(f"and {len(plan.problems) - MAX_PROBLEMS} more rows are wrong: nothing was rendered")
        raise typer.Exit(UsageError.exit_code)
    if wishes.dry_run:
        _show(plan, as_json=wishes.as_json)
        return
    if wishes.record is not None:
        make_folder(wishes.record.parent)
    if wishes.goes_on:
        remove_leftovers(plan)
    with Record(wishes.record, fresh=not wishes.goes_on, about={"title": title}) as record:
        keep = wishes.report is not None or finish is not None
        summary = run_plan(plan, wishes.engine, record, console, fail_fast=wishes.fail_fast, keep=keep)
    if finish is not None:
        finish(plan, summary)
    told: dict[str, Any] = {**summary.plain(), "record": None if wishes.record is None else str(wishes.record)}
    if wishes.report is not None:
        told["report"] = _write_page(wishes, plan, summary, console, title, axes)
    console.info(summary.line)
    if wishes.as_json:
        tell_json(told)
    if summary.signal is not None:
        if summary.not_started:
            console.error(f"interrupted: {summary.not_started} rows were not begun; --resume goes on")
        raise typer.Exit(128 + summary.signal)
    if summary.failed:
        raise typer.Exit(LoopnetError.exit_code)


def _known(wishes: Wishes) -> Mapping[str, Any]:
    """Return what the record says, and make sure that none is lost."""
    if wishes.record is None:
        if wishes.goes_on:
            raise UsageError("--resume and --retry-failed need a record: name it by --record")
        return {}
    known = read_record(wishes.record)
    if wishes.goes_on:
        return known
    if known and not wishes.common.overwrite and not wishes.dry_run:
        raise UsageError(
            f"{wishes.record} is the record of an earlier run: use --resume to go on, --overwrite to begin anew, "
            "or another --record"
        )
    return {}


def _show(plan: Plan, *, as_json: bool) -> None:
    """Print what would be made."""
    for planned in plan.rows:
        if as_json:
            tell_json(
                {
                    "row": planned.row.number, "state": planned.state, "command": planned.task.command,
                    "seed": planned.seed, "files": list(planned.files), "problem": planned.doubt or None,
                }
            )  # fmt: skip
        else:
            what = {"todo": "make", "complete": "complete", "left": "left out"}[planned.state]
            told = " ".join([what, *(planned.loops or planned.files)])
            print(f"{planned.row.place}: " + (f"would fail: {planned.doubt}" if planned.doubt else told))


def _write_page(
    wishes: Wishes,
    plan: Plan,
    summary: Summary,
    console: Console,
    title: str,
    axes: Callable[[Row], Mapping[str, str | float]],
) -> str | None:
    """Make a page of all loops that are there, those of earlier runs too, and of those that failed."""
    from loopnet_cli.report import write_report

    assert wishes.report is not None
    ended = {outcome.planned.key: outcome for outcome in summary.outcomes}
    with contextlib.chdir(wishes.common.folder):
        items = (item for planned in plan.rows for item in _items(planned, ended.get(planned.key), axes))
        page = wishes.report.absolute()
        report = write_report(page, items, title=title, overwrite=True, audio=wishes.report_audio.value)
    for warning in report.warnings:
        console.warn(f"{wishes.report}: {warning}")
    console.info(f"{wishes.report}: {report.loops} {'loop' if report.loops == 1 else 'loops'} to look at and listen to")
    return str(wishes.report)


def _items(
    planned: Planned, outcome: Outcome | None, axes: Callable[[Row], Mapping[str, str | float]]
) -> Iterator[ReportItem]:
    from loopnet_cli.report import ReportItem, item_from_file

    swept = axes(planned.row)
    measured: Sequence[Any]
    if outcome is not None:
        loops, measured, error = outcome.loops, outcome.measured, outcome.error
    elif planned.state == "complete" and planned.before is not None:
        line = planned.before.line
        found = line.get("loops")
        # a record is a file like any other: only what it says it wrote is looked at
        loops = tuple(path for path in found if path in planned.files) if isinstance(found, list) else ()
        values = line.get("measured")
        measured = values if isinstance(values, list) else ()
        error = None
    else:
        return
    for index, path in enumerate(loops):
        if error is not None:
            yield ReportItem(Path(path).name, None, axes=swept, error=error)
            continue
        own = measured[index] if index < len(measured) and isinstance(measured[index], Mapping) else None
        try:
            yield item_from_file(path, measured=own, axes=swept)
        except LoopnetError as problem:
            yield ReportItem(Path(path).name, None, axes=swept, error=str(problem))
    if error is not None and not loops:
        yield ReportItem(planned.row.place, None, axes=swept, error=error)

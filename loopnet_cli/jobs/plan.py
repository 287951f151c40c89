"""Planning rows: everything that can be known to be wrong is found before anything is rendered."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopnet_cli.cli.checks import chosen_seed
from loopnet_cli.cli.options import MAX_SEED
from loopnet_cli.errors import JobsError, LoopnetError, UsageError, WeightsError
from loopnet_cli.jobs.columns import command_of, commands, named, parsed, settle, words_of
from loopnet_cli.jobs.files import Row
from loopnet_cli.jobs.record import DONE, FAILED, STARTED, Entry
from loopnet_cli.jobs.worker import RowHost, RowTask, digest_of

LEFTOVER_SECONDS = 60.0
_LEFTOVER = re.compile(r"\.[0-9a-f]{16}\.part")
"""As `loopnet_cli.audio.files` names files that are not whole."""


@dataclass(frozen=True, slots=True)
class Common:
    """What holds for all rows.

    Attributes
    ----------
    folder : Path
        Absolute: where the paths of the rows begin.
    out_dir : Path or None
        For rows that name no place of their own.
    seed : int or None
        For rows that have none: row 1 gets this one, row 2 the next.
    overwrite : bool
        Whether files that exist are replaced.
    measure : bool
        Whether the sound of each loop is measured (for a page about them).
    """

    folder: Path
    out_dir: Path | None = None
    seed: int | None = None
    overwrite: bool = False
    measure: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A row and all that is known about it before it is rendered.

    Attributes
    ----------
    row : Row
        As it stands in the file.
    key : str
        What it asks for, in short.
    task : RowTask
        What a worker is to do.
    seed : int or None
        What chance will be drawn from.
    loops : tuple of str
        The loops that it will write.
    files : tuple of str
        All files that it will write.
    replaceable : frozenset of str
        Those of them that may be there already, since they are the row's own.
    guarded : bool
        Whether no other file of these names may be replaced.
    state : str
        ``todo``, ``complete`` (the record says so and the files agree) or ``left`` (not asked for).
    before : Entry or None
        What the record says.
    doubt : str
        What will make it fail, as far as it is known.
    """

    row: Row
    key: str
    task: RowTask
    seed: int | None
    loops: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    replaceable: frozenset[str] = frozenset()
    guarded: bool = True
    state: str = "todo"
    before: Entry | None = None
    doubt: str = ""

    def in_the_way(self) -> str | None:
        """Return a file that the row would replace without being asked to; its folder has to be the current one."""
        if not self.guarded:
            return None
        return next((path for path in self.files if path not in self.replaceable and os.path.lexists(path)), None)


@dataclass
class Plan:
    """All rows, and what is wrong with some."""

    rows: list[Planned] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """A line for each thing that is wrong, in the order of the rows."""
        return [text for _, text in sorted(self.wrong, key=lambda pair: pair[0])]

    def of(self, state: str) -> list[Planned]:
        """Return the rows in a state."""
        return [row for row in self.rows if row.state == state]


def plan_rows(
    rows: Iterable[Row],
    common: Common,
    known: Mapping[str, Entry] | None = None,
    *,
    only_failed: bool = False,
    reserved: Sequence[Path] = (),
) -> Plan:
    """Check all rows; nothing is rendered or written.

    Parameters
    ----------
    rows : iterable of Row
        From a file of jobs.
    common : Common
        What holds for all.
    known : Mapping of key to Entry, optional
        From the record, if the run goes on with an earlier one.
    only_failed : bool
        Whether rows that have not failed are left.
    reserved : sequence of Path
        Absolute paths of files that no row may write: the jobs themselves, the record.

    Raises
    ------
    WeightsError
        If no row can be rendered.
    """
    plan = Plan()
    counts: dict[str, int] = {}
    with contextlib.chdir(common.folder):
        for row in rows:
            try:
                plan.rows.append(_planned(row, common, known or {}, counts, only_failed))
            except JobsError as error:
                plan.wrong.append((row.number, str(error)))
        _check_files(plan, reserved, goes_on=bool(known))
    return plan


def check_row(row: Row, common: Common) -> None:
    """Check the values of a row, but not its files.

    Raises
    ------
    JobsError
        With what is wrong.
    """
    with contextlib.chdir(common.folder):
        _planned(row, common, {}, {}, False)


def _planned(
    row: Row, common: Common, known: Mapping[str, Entry], counts: dict[str, int], only_failed: bool
) -> Planned:
    command = command_of(row)
    words = words_of(row, command)
    host = RowHost(False, {})
    context = parsed(row, command, words, host)
    params = context.params
    if common.out_dir is not None and params.get("output") is None and params.get("out_dir") is None:
        params["out_dir"] = common.out_dir
        words = settle(words, "--out-dir", common.out_dir)
    if common.seed is not None and params.get("seed", 0) is None:
        params["seed"] = (common.seed + row.number - 1) % (MAX_SEED + 1)
        words = settle(words, "--seed", params["seed"])
    key = hashlib.sha256(json.dumps([command, words]).encode()).hexdigest()[:20]
    counts[key] = counts.get(key, 0) + 1
    if counts[key] > 1:  # rows may be the same but for the seed that is drawn
        key += f"-{counts[key]}"
    before = known.get(key)
    if params.get("seed", 0) is None:
        params["seed"] = chosen_seed(None) if before is None or before.seed is None else before.seed
        words = settle(words, "--seed", params["seed"])
    task = RowTask(command, tuple(words), str(common.folder))
    seed = params.get("seed")
    if before is not None and before.status == DONE and not only_failed and _is_complete(before):
        return Planned(row, key, task, seed, state="complete", files=tuple(before.files), before=before)
    if only_failed and (before is None or before.status != FAILED):
        return Planned(row, key, task, seed, state="left", before=before)
    doubt = _ask_for_files(row, command, context, host)
    guarded = not (common.overwrite or params.get("overwrite") or params.get("skip_existing"))
    if not params.get("overwrite") and not params.get("skip_existing"):
        words = settle(words, "--overwrite")  # what is in the way is looked for here, and told once
    if common.measure:
        words = settle(words, "--json")
    return Planned(
        row, key, RowTask(command, tuple(words), str(common.folder)), seed,
        loops=tuple(str(output.path) for output in host.outputs),
        files=tuple(str(path) for output in host.outputs for path in output.files),
        inputs=tuple(str(path) for path in host.inputs),
        replaceable=frozenset() if before is None else _own(before),
        guarded=guarded, before=before, doubt=doubt,
    )  # fmt: skip


def _ask_for_files(row: Row, command: str, context: Any, host: RowHost) -> str:
    """Have the command say which files it would write; return what will make the row fail, if that is known."""
    try:
        with context:
            commands()[command].invoke(context)
    except UsageError as error:
        raise JobsError(named(row, command, error)) from error
    except WeightsError:
        raise
    except LoopnetError as error:
        return str(error)
    return host.notes.errors[0] if host.notes.errors else ""


def _is_complete(before: Entry) -> bool:
    """Tell whether all that was written and read is still as it was."""
    return bool(before.files) and all(
        digest_of(path) == digest for table in (before.files, before.inputs) for path, digest in table.items()
    )


def _own(before: Entry) -> frozenset[str]:
    """Return the files that an earlier try of the row made and nobody has changed.

    Of a row that was interrupted no digests are known; its files were not there when it was started.
    """
    if before.status == STARTED:
        return frozenset(before.planned)
    return frozenset(path for path, digest in before.files.items() if digest_of(path) == digest)


def _check_files(plan: Plan, reserved: Sequence[Path], *, goes_on: bool) -> None:
    """Find files that would be written twice, over something that is read, or over something that is there."""
    kept = {_identity(path) for path in reserved}
    read = {_identity(path) for row in plan.rows for path in row.inputs}
    taken: dict[str, Row] = {}
    hint = " and is not what this row has made: use --overwrite"
    if not goes_on:
        hint = ": use --overwrite, or --resume to go on with an earlier run"
    for planned in plan.rows:
        place, problems = planned.row.place, []
        for path in planned.files:
            identity = _identity(path)
            other = taken.setdefault(identity, planned.row)
            if other is not planned.row:
                problems.append(f"{place}: writes {path}, as {other.place} does: name it otherwise")
            elif identity in kept:
                problems.append(f"{place}: would write over {path}, which this run needs itself")
            elif identity in read and planned.state == "todo":
                problems.append(f"{place}: would write over {path}, which a row reads")
        found = planned.in_the_way() if planned.state == "todo" else None
        if found is not None:
            problems.append(f"{place}: {found} exists{hint}")
        plan.wrong += [(planned.row.number, problem) for problem in problems]


def remove_leftovers(plan: Plan) -> None:
    """Remove what a process that was killed while writing left beside the files of the rows that it did."""
    interrupted = [row for row in plan.of("todo") if row.before is not None and row.before.status == STARTED]
    folders = {(Path(row.task.folder) / path).parent for row in interrupted for path in row.files}
    for folder in folders:
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                # what is younger may be being written, by somebody else
                if _LEFTOVER.fullmatch(path.name) and time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                    path.unlink(missing_ok=True)


def _identity(path: str | Path) -> str:
    return os.path.normcase(os.path.realpath(path))

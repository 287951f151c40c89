"""Making a data set from tasks: each leaves a part on disk, all parts are joined at the end."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from loopnet_cli.data.parts import Part, PartsFolder, read_part
from loopnet_cli.data.rows import LoopInfo, Rejected
from loopnet_cli.data.store import BarStore
from loopnet_cli.data.store_writer import StoreWriter
from loopnet_cli.engine import Engine, WorkerLostError, run_tasks
from loopnet_cli.errors import DatasetError

SAME_CONTENT = "same content as another file"


class Task(Protocol):
    """What leaves a part in `folder`; the name of its file is `key`."""

    @property
    def key(self) -> str:
        """Unique among the tasks, and the same in every run."""

    def died(self, how: str) -> Part:
        """Return the part of a task that took its process with it, or raise an error."""


@dataclass(frozen=True)
class Plan:
    """What is to be made.

    Attributes
    ----------
    target : Path
        The data set.
    settings : Mapping
        What it is made with, as plain values; kept in it.
    tasks : sequence of Task
        In the order of their rows.
    work : callable
        Does a task and keeps its part.
    studio : bool
        Whether bars are kept at 44.1 kHz too.
    exact : Mapping from array name to bool
        Whether activations and patterns are what was played, or what was heard.
    rejected : tuple of Rejected
        Files that never became tasks.
    """

    target: Path
    settings: Mapping[str, Any]
    tasks: Sequence[Task]
    work: Callable[[Any], object]
    studio: bool
    exact: Mapping[str, bool]
    rejected: tuple[Rejected, ...] = ()

    @property
    def folder(self) -> PartsFolder:
        """Where the parts are."""
        return PartsFolder(self.target)


@dataclass
class Summary:
    """What came of it.

    Attributes
    ----------
    loops, bars : dict of split to int
        What was kept.
    reasons : dict of str to int
        How many files were left out for which reason.
    rejected : list of Rejected
        All of them.
    tempo_from : dict of str to int
        Loops by where their tempo is from.
    seconds : float
        Processor time of all tasks, those of earlier runs too.
    slowest : float
        Of the longest task.
    resumed : int
        Tasks that an earlier run had done.
    """

    loops: Counter[str] = field(default_factory=Counter)
    bars: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: list[Rejected] = field(default_factory=list)
    tempo_from: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest: float = 0.0
    resumed: int = 0

    def add(self, part: Part) -> None:
        """Count a part."""
        for loop in part.loops:
            self.loops[loop.split] += 1
            self.bars[loop.split] += loop.bars
            self.tempo_from[loop.tempo_from] += 1
        for one in part.rejected:
            self.reasons[one.reason] += 1
        self.rejected += part.rejected
        self.seconds += part.seconds
        self.slowest = max(self.slowest, part.seconds)


def make(
    plan: Plan, engine: Engine | None = None, *, overwrite: bool = False, advance: Callable[[], object] = lambda: None
) -> Summary:
    """Make a data set, or go on with one that an interrupted run began.

    Parameters
    ----------
    plan : Plan
    engine : Engine, optional
        Who does the tasks; by default this process. None of the files can stop the others, unless it is this
        process that it crashes.
    overwrite : bool
        Whether a data set that exists may be replaced.
    advance : callable
        Called for each task that is done, those done before as well.

    Returns
    -------
    Summary

    Raises
    ------
    DatasetError
        If the data set exists, cannot be written, would be empty, or was begun with other settings.
    """
    folder = plan.folder
    if plan.target.is_dir():
        raise DatasetError(f"{plan.target}: is a folder: name a file, e.g. {plan.target / 'bars.h5'}")
    if plan.target.exists() and not overwrite:
        if not _just_made(plan):
            raise DatasetError(f"{plan.target} exists: use --overwrite")
        shutil.rmtree(folder.path, ignore_errors=True)
        return _summary_of(plan.target)
    folder.open(plan.settings)
    with folder.alone():
        left = []
        for task in plan.tasks:
            if folder.done(task.key):
                advance()
            else:
                left.append(task)
        for task, death in _done(plan.work, left, engine):
            if death:
                folder.save(task.key, task.died(death))
            advance()
        summary = _assembled(plan)
        summary.resumed = len(plan.tasks) - len(left)
    shutil.rmtree(folder.path, ignore_errors=True)
    if not summary.loops:
        raise EmptyDatasetError(f"{plan.target}: nothing was kept, so there is no data set", summary)
    return summary


class EmptyDatasetError(DatasetError):
    """No loop was kept; `summary` says why."""

    def __init__(self, text: str, summary: Summary) -> None:
        super().__init__(text)
        self.summary = summary


def _done(work: Callable[[Any], object], tasks: Sequence[Task], engine: Engine | None) -> Iterator[tuple[Task, str]]:
    """Yield each task when it is done, and of what its process died where it did."""
    if engine is None:
        for task in tasks:
            work(task)
            yield task, ""
        return
    for ended in run_tasks(work, tasks, engine):
        if ended.error is not None and not isinstance(ended.error, WorkerLostError):
            raise ended.error
        yield tasks[ended.index], str(ended.error or "")


def _assembled(plan: Plan) -> Summary:
    """Join the parts in the order of the tasks, one in memory at a time."""
    summary, seen = Summary(), dict[str, str]()
    beside = plan.folder.path / ".assembled.tmp"
    try:
        with StoreWriter(beside, plan.settings, studio=plan.studio, exact=plan.exact) as writer:
            for part in _parts(plan):
                part = _unique(part, seen)
                summary.add(part)
                if part.rows is not None:
                    writer.append(part.loops, part.rows)
                writer.reject(part.rejected)
        if summary.loops:
            beside.replace(plan.target)
    except OSError as error:
        raise DatasetError(f"{plan.target}: cannot be written: {error.strerror or error}") from error
    return summary


def _parts(plan: Plan) -> Iterable[Part]:
    for task in plan.tasks:
        yield read_part(plan.folder.file(task.key))
    yield Part(rejected=plan.rejected)


def _unique(part: Part, seen: dict[str, str]) -> Part:
    """Leave a file out whose content has been met under another name: it would count twice."""
    if len(part.loops) != 1 or not part.loops[0].sha256:
        return part
    loop = part.loops[0]
    first = seen.setdefault(loop.sha256, loop.source)
    if first == loop.source:
        return part
    return replace(part, loops=(), rows=None, rejected=(Rejected(loop.source, SAME_CONTENT, first),))


def _just_made(plan: Plan) -> bool:
    """Whether a run was killed between naming the data set and removing its parts."""
    if not plan.folder.path.is_dir():
        return False
    try:
        with BarStore(plan.target) as store:
            return store.settings == dict(plan.settings)
    except DatasetError:
        return False


def _summary_of(path: Path) -> Summary:
    """Return what can be said of a data set that is there already."""
    with BarStore(path) as store:
        loops: Sequence[LoopInfo] = store.loops()
        summary = Summary()
        summary.add(Part(tuple(loops), None, tuple(store.rejected())))
    return summary

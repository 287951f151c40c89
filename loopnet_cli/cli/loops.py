"""Many rhythms, one model: read them all, plan all files, then render one after the other.

A rhythm that cannot be read or a file that cannot be written does not stop
the others; it is counted, and the exit code says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer

from loopnet_cli.cli import produce
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.inputs import Input
from loopnet_cli.cli.outputs import Output, existing, fill_name, fill_path
from loopnet_cli.errors import AudioError, LoopnetError, MissingProgramError, WeightsError
from loopnet_cli.pattern.model import STEMS, Pattern
from loopnet_cli.pattern.read import read_pattern
from loopnet_cli.synthesis.isolate import voices_alone

if TYPE_CHECKING:
    from loopnet_cli.cli.report import Book


@dataclass(frozen=True, slots=True)
class Rhythm:
    """An input that was read: its pattern, and what reading it had to say."""

    input: Input
    pattern: Pattern
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One loop to make."""

    rhythm: Rhythm
    seed: int
    output: Output


@dataclass(frozen=True, slots=True)
class Naming:
    """Where the files of a run go.

    Attributes
    ----------
    path : Path or None
        The one output file, if it is named.
    to_stdout : bool
        Whether the loop goes to standard output.
    folder : Path
        Where files go that are named by `template`.
    template : str
        Names of loops; `ending` is added where it is missing.
    ending : str
        ``.wav`` or ``.flac``.
    stems_folder : Path or None
        Where stems go, if asked for.
    plot : str or None
        Template of the pictures' paths, if asked for.
    """

    path: Path | None
    to_stdout: bool
    folder: Path
    template: str
    ending: str
    stems_folder: Path | None = None
    plot: str | None = None

    def output(self, values: Mapping[str, object]) -> Output:
        """Return the files of the loop that `values` describe."""
        if self.path is not None:
            path = self.path
        else:
            name = fill_name(self.template, values)
            path = self.folder / (name if name.lower().endswith(self.ending) else name + self.ending)
        stems = {}
        if self.stems_folder is not None:
            stems = {stem: self.stems_folder / f"{path.stem}_{stem}{self.ending}" for stem in STEMS}
        plot = None if self.plot is None else fill_path(self.plot, values)
        made = [self.stems_folder] if self.path or self.to_stdout else [self.stems_folder, self.folder]
        folders = tuple(folder for folder in made if folder is not None)
        return Output(None if self.to_stdout else path, stems, plot, folders)


@dataclass
class Tally:
    """What became of a run."""

    console: Console
    tell: Callable[[Mapping[str, Any]], None] = tell_json
    written: int = 0
    skipped: int = 0
    failed: int = 0
    bug: Exception | None = field(default=None)
    _told: list[Exception] = field(default_factory=list)

    def fail(self, error: Exception, label: str, *sources: str) -> None:
        """Count a failure and say what it was; an exception that fails several loops is told once.

        Parameters
        ----------
        error : Exception
            What happened.
        label : str
            To whom: put before errors that name neither it nor one of the `sources`.
        """
        self.failed += 1
        if any(error is other for other in self._told):
            return
        self._told.append(error)
        if isinstance(error, LoopnetError):
            text = str(error)
            # errors of reading and writing name their file themselves
            named = any(name in text for name in (label, *sources)) or isinstance(error, AudioError)
            self.console.error(text if named else f"{label}: {text}")
        elif isinstance(error, MemoryError):
            self.console.error(f"{label}: not enough memory: use fewer bars or repeats")
        else:
            self.console.error(f"{label}: unexpected {type(error).__name__}: {error}")
            self.bug = error


def read_rhythms(inputs: Iterable[Input], tally: Tally, **how: Any) -> list[Rhythm]:
    """Read all inputs; those that cannot be read are counted in `tally`. For `how` see `read_pattern`."""
    rhythms = []
    for item in inputs:
        with one_of_many(tally, item.label):
            found = read_pattern(item.source, **how)
            for warning in found.warnings:
                tally.console.warn(f"{item.label}: {warning}")
            rhythms.append(Rhythm(item, found.pattern, tuple(found.warnings)))
    return rhythms


def plan(rhythms: Iterable[Rhythm], naming: Naming, *, kit: str, model: str, seed: int, variations: int) -> list[Job]:
    """Return one job for each rhythm and variation; variation n has the seed ``seed + n - 1``."""
    jobs = []
    for rhythm in rhythms:
        pattern = rhythm.pattern
        for variation in range(variations):
            values = {
                "stem": rhythm.input.stem,
                "kit": kit,
                "model": model,
                "seed": seed + variation,
                "bpm": f"{pattern.tempo:.5g}",
                "bars": pattern.bars,
                "meter": f"{pattern.meter[0]}-{pattern.meter[1]}",
                "variation": variation + 1,
            }
            jobs.append(Job(rhythm, seed + variation, naming.output(values)))
    return jobs


class _HasOutput(Protocol):
    @property
    def output(self) -> Output: ...


_AnyJob = TypeVar("_AnyJob", bound=_HasOutput)


def drop_existing(jobs: Iterable[_AnyJob], tally: Tally, *, skip: bool) -> list[_AnyJob]:
    """Return the jobs that would replace nothing; the others are skipped or failures."""
    kept = []
    for job in jobs:
        found = existing(job.output)
        if found is None:
            kept.append(job)
        elif skip:
            tally.skipped += 1
        else:
            hint = "use --overwrite or --skip-existing"
            tally.fail(AudioError(f"{found} exists: {hint}"), str(found))
    return kept


def run(
    model: Any,
    jobs: list[Job],
    sound: produce.Sound,
    finish: produce.Finish,
    tally: Tally,
    *,
    alone: tuple[str, ...] = (),
    as_json: bool = False,
    book: Book | None = None,
) -> None:
    """Make all loops; failures are counted in `tally`, reports printed as they come, loops put in the `book`.

    `alone` names the voices and stems that sound; all, if there are none.
    """
    measure = as_json or book is not None or any(job.output.plot is not None for job in jobs)
    with tally.console.progress(len(jobs), "loops") as advance:
        for job in jobs:
            with one_of_many(tally, job.rhythm.input.label):
                written = job.rhythm.pattern
                pattern = voices_alone(written, alone) if alone else written
                product = produce.make(
                    model, written, sound, job.seed, finish, measure=measure, alone=pattern if alone else None
                )
                produce.write(product, job.output, finish, partial(produce.picture, product, pattern, sound))
                tally.written += 1
                if book is not None:
                    book.add(product, pattern, sound, job.output)
                name = "standard output" if job.output.path is None else str(job.output.path)
                for warning in product.warnings:
                    tally.console.warn(f"{name}: {warning}")
                tally.console.info(produce.summary(product, name, sound))
                if as_json:
                    told = produce.report(product, job.output, sound, finish, job.rhythm.warnings)
                    tally.tell(told)
            advance(job.rhythm.input.label)


def close(tally: Tally) -> None:
    """Sum the run up where it had more than one loop, and leave with its exit code."""
    if tally.written + tally.skipped + tally.failed > 1 or tally.skipped:
        loops = "1 loop" if tally.written == 1 else f"{tally.written} loops"
        parts = [f"{loops} written"]
        parts += [f"{tally.skipped} skipped"] if tally.skipped else []
        parts += [f"{tally.failed} failed"] if tally.failed else []
        tally.console.info(", ".join(parts))
    if tally.bug is not None:
        raise tally.bug
    if tally.failed:
        raise typer.Exit(LoopnetError.exit_code)


@contextmanager
def one_of_many(tally: Tally, label: str, *sources: str) -> Iterator[None]:
    """Count an error of the block instead of raising it, unless it would be that of all the others too.

    That is: nobody reads our output any more, or weights or a program are missing.
    """
    try:
        yield
    except (BrokenPipeError, WeightsError, MissingProgramError):
        raise
    except Exception as error:
        tally.fail(error, label, *sources)

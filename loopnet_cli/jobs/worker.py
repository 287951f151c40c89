"""Doing one row: the very command that would be typed, in a process that keeps its models from row to row."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import typer

from loopnet_cli.cli.console import Advance, Console
from loopnet_cli.cli.host import Host
from loopnet_cli.cli.outputs import HINT, Output, check_clashes, check_folders
from loopnet_cli.errors import LoopnetError
from loopnet_cli.jobs.columns import commands

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowTask:
    """A row to do.

    Attributes
    ----------
    command : str
        ``generate`` or ``transfer``.
    words : tuple of str
        Its command line.
    folder : str
        Absolute; paths in `words` are relative to it.
    """

    command: str
    words: tuple[str, ...]
    folder: str


@dataclass(frozen=True, slots=True)
class RowDone:
    """What became of a row.

    Attributes
    ----------
    error : str or None
        What failed, in one line.
    trace : str or None
        Where, if it was nothing a user can cause.
    warnings : tuple of str
        What the user should know.
    loops : tuple of Path
        The loops that were written.
    files : Mapping of path to SHA-256
        All files of the row that are there now, stems and pictures too.
    inputs : Mapping of path to SHA-256
        All files that were read.
    told : tuple of Mapping
        What ``--json`` says of each loop, if it was asked for.
    seconds : float
        How long it took.
    """

    error: str | None
    trace: str | None
    warnings: tuple[str, ...]
    loops: tuple[str, ...]
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    told: tuple[Mapping[str, Any], ...]
    seconds: float


class Notes(Console):
    """A console that keeps what is said."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.warnings: list[str] = []
        self.errors: list[str] = []

    def info(self, text: str) -> None:
        """Let pass what was done."""

    def warn(self, text: str) -> None:
        """Keep what the user may not have meant."""
        self.warnings.append(text)

    def error(self, text: object) -> None:
        """Keep what failed."""
        self.errors.append(str(text))

    @contextmanager
    def progress(self, total: int, title: str, *, rate: bool = False) -> Iterator[Advance]:
        """Show nothing."""
        yield lambda label="", steps=1: None


@dataclass
class RowHost(Host):
    """What a row's command talks to.

    Attributes
    ----------
    go_on : bool
        Whether it shall render, or only say which files it would write.
    kept : dict
        Models by name, kept for the rows to come.
    """

    go_on: bool
    kept: dict[str, Any]
    notes: Notes = field(default_factory=Notes)
    outputs: tuple[Output, ...] = ()
    inputs: tuple[Path, ...] = ()
    told: list[Mapping[str, Any]] = field(default_factory=list)

    def console(self, quiet: bool) -> Console:
        """Return what keeps the messages."""
        return self.notes

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` returned when it was called first under this name in this process."""
        if name not in self.kept:
            self.kept[name] = make()
            if "torch" in sys.modules:
                # where the environment did not say so (a dask worker): see loopnet_cli.engine
                sys.modules["torch"].set_num_threads(1)
        found: T = self.kept[name]
        return found

    def accept(self, outputs: Iterable[Output], inputs: Iterable[Path], hint: str = HINT) -> bool:
        """Check and keep all files."""
        self.outputs, self.inputs = tuple(outputs), tuple(dict.fromkeys(inputs))
        check_clashes(self.outputs, self.inputs, hint)
        check_folders(self.outputs)
        return self.go_on

    def tell(self, values: Mapping[str, Any]) -> None:
        """Keep what was made."""
        self.told.append(values)


@cache
def _kept() -> dict[str, Any]:
    """Return the models of this process."""
    return {}


@cache
def _turn() -> Lock:
    """Return what makes the rows of one process take turns, whose folder is that of the process."""
    return Lock()


def do_row(task: RowTask) -> RowDone:
    """Make the loops of a row; never raises what went wrong with it."""
    begin = time.perf_counter()
    host = RowHost(True, _kept())
    error = trace = None
    with _turn(), contextlib.chdir(task.folder):
        try:
            invoke(task, host)
        except LoopnetError as failure:
            error = str(failure)
        except MemoryError:
            error = "not enough memory: use fewer bars or repeats"
        except Exception as failure:
            error = f"unexpected {type(failure).__name__}: {failure}"
            trace = "".join(traceback.format_exception(failure))[-4000:]
        told = tuple(dict.fromkeys(host.notes.errors))
        if told:
            more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
            error = told[0] + more
        files = digests(path for output in host.outputs for path in output.files)
        loops = tuple(str(output.path) for output in host.outputs if str(output.path) in files)
        inputs = digests(host.inputs)
    error = None if error is None else " ".join(error.split())
    seconds = time.perf_counter() - begin
    return RowDone(error, trace, tuple(host.notes.warnings), loops, files, inputs, tuple(host.told), seconds)


def invoke(task: RowTask, host: RowHost) -> None:
    """Run a row's command in this process and this folder.

    Raises
    ------
    LoopnetError
        Or anything else that the command raises; but for its leaving with an exit code, which has been told by then.
    """
    command = commands()[task.command]
    with (
        command.make_context(task.command, list(task.words), obj=host) as context,
        contextlib.suppress(typer.Exit),
    ):
        command.invoke(context)


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of those that are files, by path."""
    found = {}
    for path in paths:
        digest = digest_of(path)
        if digest is not None:
            found[str(path)] = digest
    return found


def digest_of(path: str | os.PathLike[str]) -> str | None:
    """Return the SHA-256 of a file; None if it is no file or cannot be read."""
    try:
        if not Path(path).is_file():
            return None
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return None

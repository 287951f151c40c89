"""Where a command gets its console and its models from, and where it says what it made: its host.

On the command line that is the process itself. ``loopnet batch`` gives the same commands another host: a worker
that keeps the models from row to row and keeps what is said, or a planner that lets nothing be rendered.
A host is passed as Typer passes such things: as the object of the context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import typer

from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.cli.outputs import HINT, Output, check_clashes, check_folders

T = TypeVar("T")


class Host:
    """The process that runs one command."""

    def console(self, quiet: bool) -> Console:
        """Return where messages go."""
        return Console(quiet)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` returns; a host that runs many commands may keep it under its name."""
        return make()

    def accept(self, outputs: Iterable[Output], inputs: Iterable[Path], hint: str = HINT) -> bool:
        """Check all files before anything is rendered, and say whether to go on.

        Raises
        ------
        UsageError
            If a file would be written twice, or over an input.
        AudioError
            If it is to go where there is no folder.
        """
        outputs = tuple(outputs)
        check_clashes(outputs, inputs, hint)
        check_folders(outputs)
        return True

    def tell(self, values: Mapping[str, Any]) -> None:
        """Say as data what was made: one JSON object a line on standard output."""
        tell_json(values)


def host_of(context: typer.Context) -> Host:
    """Return the host of a command: the one it was called with, else the process."""
    return context.obj if isinstance(context.obj, Host) else Host()

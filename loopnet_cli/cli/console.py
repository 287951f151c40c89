"""What the user reads: all of it on stderr, so that stdout carries data alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console as RichConsole


class Advance(Protocol):
    """Tells a progress display that one more step is done, and what comes next."""

    def __call__(self, label: str = "", steps: int = 1) -> None:
        """Go on by `steps`."""


def one_line(text: object) -> str:
    """Return a text without line breaks and control characters."""
    line = " ".join(str(text).split())
    return "".join(c if c.isprintable() else "?" for c in line)


def tell_json(values: Mapping[str, Any]) -> None:
    """Print one JSON object as a line on standard output."""
    print(json.dumps(values), flush=True)


class Console:
    """Messages and progress on stderr: Rich on a terminal, plain lines elsewhere.

    Parameters
    ----------
    quiet : bool
        Whether to print errors alone.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._console: RichConsole | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody may be looking."""
        return self._terminal

    def info(self, text: str) -> None:
        """Say what was done."""
        if not self.quiet:
            self._print(text)

    def warn(self, text: str) -> None:
        """Say what the user may not have meant."""
        if not self.quiet:
            self._print(f"loopnet: warning: {text}", "yellow")

    def error(self, text: object) -> None:
        """Say what failed, in one line."""
        self._print(f"loopnet: error: {text}", "red")

    @contextmanager
    def progress(self, total: int, title: str, *, rate: bool = False) -> Iterator[Advance]:
        """Show a bar for `total` steps while the block runs, if on a terminal and worth it; `rate`: steps a second."""
        if self.quiet or not self._terminal or total < 2:
            yield lambda label="", steps=1: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            *([TextColumn("{task.fields[rate]}", markup=False)] if rate else []),
            TimeRemainingColumn(),
        ]
        # prints go above the bar where both are on the screen; else standard output is data, not to be touched
        on_screen = sys.stdout.isatty()
        with Progress(*columns, console=self._rich(), transient=True, redirect_stdout=on_screen) as bar:
            task = bar.add_task(title, total=total, rate="")

            def advance(label: str = "", steps: int = 1) -> None:
                speed = bar.tasks[task].finished_speed or bar.tasks[task].speed
                shown = f"{speed:.3g} a second" if speed else ""
                bar.update(task, advance=steps, description=label or title, rate=shown)

            yield advance

    def _print(self, text: str, style: str = "") -> None:
        line = one_line(text)
        if not self._terminal:
            print(line, file=sys.stderr, flush=True)
            return
        # not wrapped: a terminal folds long lines so that they can still be copied whole
        self._rich().print(line, style=style, markup=False, soft_wrap=True)

    def _rich(self) -> RichConsole:
        """Return the one Rich console of this object: lines printed through it stay clear of its progress bar."""
        if self._console is None:
            from rich.console import Console as RichConsole

            self._console = RichConsole(stderr=True, highlight=False)
        return self._console

"""The `loopnet` command: the root of its subcommands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import atexit
import gc
import io
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from loopnet_cli.cli.commands import COMMANDS
from loopnet_cli.cli.console import Console
from loopnet_cli.cli.lazy import LazyCommands, LazyGroup
from loopnet_cli.cli.lean import lean
from loopnet_cli.errors import LoopnetError
from loopnet_cli.threads import one_thread
from loopnet_cli.version import __version__

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as shells have it."""
GARBAGE = 20_000
"""Objects that are made before the collector looks for circles among them; Python's own figure is 700."""


class LoopnetGroup(LazyGroup):
    """The root command; every error of a command ends here as one line on stderr and an exit code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyCommands(COMMANDS, self.commands)
        lean(self)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit with its code."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # names of files need not be text, nor does a terminal know every letter
            sys.stdout.reconfigure(errors="backslashreplace")
        words, debug = _take_debug(list(sys.argv[1:] if args is None else args))
        try:
            # outside standalone mode errors arrive here, and an exit code is returned
            code = super().main(words, prog_name, complete_var, False, windows_expand_args, **extra)
        except Exception as error:
            code = _report(error, debug)
        sys.exit(code if isinstance(code, int) else 0)


def _take_debug(words: list[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out from wherever it stands, so that it can be added at the end of a line that failed."""
    stop = words.index("--") if "--" in words else len(words)
    kept = [word for word in words[:stop] if word != "--debug"]
    return kept + words[stop:], len(kept) < stop


def _report(error: Exception, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    console = Console()
    if isinstance(error, typer.Abort):
        console.error("interrupted")
        return INTERRUPTED
    if isinstance(error, LoopnetError):
        console.error(error)
        return error.exit_code
    # Typer's own errors; their class moved between its versions
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        console.error(f"{format_message()}{hint}")
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        # a name that no file system takes, a folder that may not be looked into: nothing that --debug explains
        console.error(f"{error.filename}: {error.strerror[:1].lower()}{error.strerror[1:]}")
        return 1
    if isinstance(error, MemoryError):
        console.error("not enough memory: use fewer bars or repeats")
        return 1
    console.error(f"unexpected {type(error).__name__}: {error}; run again with --debug to see where")
    return 1


app = typer.Typer(
    name="loopnet",
    cls=LoopnetGroup,
    help="Turn a rhythm into a seamless 44.1 kHz drum loop, with knobs for how it sounds.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from; may stand anywhere.")] = False,
) -> None:
    """Print the version, or the help where no command is given."""
    if version:
        print(f"loopnet {__version__}")
        raise typer.Exit()
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit()


def main() -> None:
    """Run the command line; the entry point of the console script."""
    one_thread()
    # most of what one command makes lives until it ends: looking through it takes longer than it frees
    gc.set_threshold(GARBAGE)
    atexit.register(gc.freeze)
    app(prog_name="loopnet")

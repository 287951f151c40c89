"""``python -m loopnet_cli.cli.docs [FILE]``: the reference of the command line, from the commands themselves.

Written from names and help texts, not from rendered help, so that the text
depends neither on the width of the terminal nor on the version of Typer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = """\
# The command line

This page is made by `python -m loopnet_cli.cli.docs docs/cli.md` from the commands themselves.

Data goes to standard output, everything else to standard error. Exit codes: 0 all went well, 1 something could
not be read, made or written (the rest was done all the same), 2 the command was used wrongly, 130 interrupted.
An error is one line; `--debug`, anywhere on the line, shows where it comes from. `loopnet --install-completion`
sets up completion for the shell in use, `loopnet --show-completion` prints it.
"""


def reference() -> str:
    """Return the whole page as Markdown."""
    from typer.main import get_command

    from loopnet_cli.cli.app import app

    return HEAD + "".join(_section(command, name) for name, command in _walk(get_command(app), "loopnet"))


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, child in getattr(command, "commands", {}).items():
        yield from _walk(child, f"{name} {word}")


def _section(command: Any, name: str) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not _is_typers(p)]
    usage = [name]
    usage += ["[OPTIONS]"] if options else []
    usage += ["COMMAND"] if hasattr(command, "commands") else []
    usage += [p.metavar or p.name.upper() for p in arguments]
    text = " ".join((command.help or "").split())
    parts = [f"\n## {name}\n\n    {' '.join(usage)}\n\n{text}\n"]
    if arguments:
        parts.append(_table("Argument", [(f"`{p.metavar or p.name.upper()}`", p.help or "") for p in arguments]))
    panels: dict[str, list[tuple[str, str]]] = {}
    for option in options:
        panels.setdefault(option.rich_help_panel or "Options", []).append((_names(option), _text(option)))
    parts += [_table(panel, rows) for panel, rows in panels.items()]
    return "".join(parts)


def _is_typers(option: Any) -> bool:
    return option.name in ("install_completion", "show_completion", "help")


def _names(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    return names if option.is_flag else f"{names} `{option.metavar or option.name.upper()}`"


def _text(option: Any) -> str:
    default = getattr(option.default, "value", option.default)
    # a default of None is told by the help where there is something to tell
    shown = f" Default: `{default}`." if default is not None and not option.is_flag else ""
    return (option.help or "") + _range(option) + shown


def _range(option: Any) -> str:
    # Typer keeps the limits on the option or, in older versions, on its type
    holder = option if hasattr(option, "min") else option.type
    low, high = getattr(holder, "min", None), getattr(holder, "max", None)
    if low is None and high is None:
        return ""
    return f" {low:g} or more." if high is None else f" {low:.10g} to {high:.10g}."


def _table(head: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"\n| {head} | |", "|---|---|"]
    lines += [f"| {_cell(left)} | {_cell(right)} |" for left, right in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    else:
        print(reference(), end="")

"""``python -m loopnet_cli.cli.docs [FILE]``: the reference of the command line, from the commands themselves.

FILE (``docs/cli.md``) becomes the index, and the folder ``commands`` beside it gets a page for each command; a group's
commands share the group's page. Without FILE all of it is printed. Written from names and help texts, not from
rendered help, so that the text depends neither on the width of the terminal nor on the version of Typer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from loopnet_cli.cli.examples import EXAMPLES, EXIT_CODES

INDEX = "cli.md"
FOLDER = "commands"
"""Where the pages are, beside the index."""

MARK = "This page is made by `make docs` from the commands themselves."

HEAD = f"""\
# The command line

{MARK}

Data goes to standard output, everything else to standard error. An error is one line; `--debug`, anywhere on the
line, shows where it comes from. `loopnet --install-completion` sets up completion for the shell in use,
`loopnet --show-completion` prints it. `loopnet --version` prints the version, `--help` (or `-h`) after any command
its options.
"""

CODES = {
    0: "all went well",
    1: "something could not be read, made or written; the rest was done all the same",
    2: "the command was used wrongly; nothing was done",
    130: "interrupted by Ctrl-C",
}
"""Exit codes of every command; `EXIT_CODES` has what is different."""


def pages() -> dict[str, str]:
    """Return the pages as Markdown, by their path from the folder of the index."""
    from typer.main import get_command

    from loopnet_cli.cli.app import app

    root = get_command(app)
    found = {INDEX: _index(root)}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        found[f"{FOLDER}/{name}.md"] = _page(command, name)
    return found


def reference() -> str:
    """Return all pages in one text."""
    return "\n".join(pages().values())


def write(index: Path) -> None:
    """Write all pages, and remove those of commands that are gone."""
    texts = {index.parent / path: text for path, text in pages().items() if path != INDEX}
    folder = index.parent / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old not in texts and MARK in old.read_text(encoding="utf-8"):
            old.unlink()
    for path, text in {index: pages()[INDEX], **texts}.items():
        path.write_text(text, encoding="utf-8")


def _index(root: Any) -> str:
    rows = [
        (f"[`loopnet {name}`]({FOLDER}/{path}.md{anchor})", _first_sentence(command))
        for name, command, path, anchor in _places(root)
    ]
    codes = [(f"`{code}`", f"{text}") for code, text in CODES.items()]
    return HEAD + _table("Command", rows) + _table("Exit code", codes)


def _places(root: Any) -> Iterator[tuple[str, Any, str, str]]:
    for top, command in root.commands.items():
        for words, found in _walk(command, top):
            yield words, found, top, "" if words == top else f"#loopnet-{words.replace(' ', '-')}"


def _page(command: Any, name: str) -> str:
    head = f"# loopnet {name}\n\n{MARK} [All commands](../{INDEX})\n"
    parts = [_section(found, words, top=words == name) for words, found in _walk(command, name)]
    return head + "".join(parts)


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, child in getattr(command, "commands", {}).items():
        yield from _walk(child, f"{name} {word}")


def _section(command: Any, name: str, *, top: bool) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not _is_typers(p)]
    commands = getattr(command, "commands", None)
    usage = ["loopnet", name]
    usage += ["[OPTIONS]"] if options else []
    usage += ["COMMAND"] if commands else []
    usage += [_argument(p) for p in arguments]
    parts = ["" if top else f"\n## loopnet {name}\n", f"\n    {' '.join(usage)}\n\n{_help(command)}\n"]
    if commands:
        rows = [(f"[`{word}`](#loopnet-{name}-{word})", _first_sentence(child)) for word, child in commands.items()]
        return "".join(parts) + _table("Command", rows)
    if arguments:
        parts.append(_table("Argument", [(f"`{_argument(p)}`", p.help or "") for p in arguments]))
    panels: dict[str, list[tuple[str, str]]] = {}
    for option in options:
        panels.setdefault(option.rich_help_panel or "Options", []).append((_names(option), _text(option)))
    parts += [_table(panel, rows) for panel, rows in panels.items()]
    level = "##" if top else "###"
    parts += [_examples(name, level), _codes(name, level)]
    return "".join(parts)


def _examples(name: str, level: str) -> str:
    found = EXAMPLES.get(name, ())
    width = max((len(line) for line, _ in found), default=0)
    lines = [f"{line:<{width}}   # {remark}" if remark else line for line, remark in found]
    return f"\n{level} Examples\n\n```sh\n" + "\n".join(lines) + "\n```\n" if lines else ""


def _codes(name: str, level: str) -> str:
    codes = {**CODES, **EXIT_CODES.get(name, {})}
    return f"\n{level} Exit codes\n\n" + "\n".join(f"- `{code}`: {codes[code]}" for code in sorted(codes)) + "\n"


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _first_sentence(command: Any) -> str:
    return _help(command).split(". ", 1)[0].rstrip(".").replace(" - ", " ") + "."


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    many = "..." if argument.nargs == -1 and not name.endswith("...") else ""
    return f"{name}{many}" if argument.required else f"[{name}{many}]"


def _is_typers(option: Any) -> bool:
    return option.name in ("install_completion", "show_completion", "help")


def _names(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} `{option.metavar or _choices(option) or option.name.upper()}`"


def _choices(option: Any) -> str:
    # Typer keeps the enumeration or, in older versions, its words
    choices = getattr(getattr(option, "type", None), "choices", None)
    if choices is None:
        found = getattr(getattr(option, "type_descriptor", None), "annotation", None)
        choices = found if isinstance(found, type) and issubclass(found, Enum) else ()
    return "|".join(str(getattr(choice, "value", choice)) for choice in choices)


def _text(option: Any) -> str:
    default = getattr(option.default, "value", option.default)
    needed = " Required." if option.required else ""
    # a default of None is told by the help where there is something to tell
    told = default is None or option.required or option.is_flag or "Default: " in (option.help or "")
    return (option.help or "") + _range(option) + needed + ("" if told else f" Default: `{default}`.")


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
        write(Path(sys.argv[1]))
    else:
        print(reference(), end="")

"""Columns are the options of ``generate`` and ``transfer``: a row becomes the words that would be typed.

The commands' own parameters are looked at, so that there is no second list of options, and the commands' own
parser says what is wrong with a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import typer

from loopnet_cli.cli import generate, transfer
from loopnet_cli.cli.host import Host
from loopnet_cli.errors import JobsError, LoopnetError, UsageError
from loopnet_cli.jobs.files import Row, Value

COMMAND_COLUMN = "command"
NOT_IN_ROWS = ("as_json", "quiet", "report", "report_audio")
"""Parameters that are about the whole run."""
_TRUE, _FALSE = ("true", "yes", "on", "1", "x"), ("false", "no", "off", "0")


@cache
def commands() -> Mapping[str, Any]:
    """Return the commands that a row can run, by name."""
    app = typer.Typer(context_settings={"help_option_names": []})
    app.command("generate")(generate.generate)
    app.command("transfer")(transfer.transfer)
    return dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


@cache
def columns(command: str) -> Mapping[str, Any]:
    """Return the parameters of a command by the names that its columns may have, dashes as underscores."""
    found: dict[str, Any] = {}
    for parameter in commands()[command].params:
        if parameter.param_type_name == "option" and not _long(parameter):
            continue
        found.setdefault(parameter.name, parameter)
        for name in parameter.opts:
            if name.startswith("--"):
                found[name[2:].replace("-", "_")] = parameter
    if "inputs" in found:
        found["input"] = found["inputs"]
    return found


def shown(parameter: Any) -> str:
    """Return what a parameter's column is called."""
    return parameter.name if parameter.param_type_name == "argument" else _long(parameter)[2:]


def command_of(row: Row) -> str:
    """Return which command a row runs: the one it names, else ``transfer`` if it has a rhythm, else ``generate``.

    Raises
    ------
    JobsError
        If it names one that a row cannot run.
    """
    named = row.cells.get(COMMAND_COLUMN)
    if named is None:
        return "transfer" if "rhythm" in map(_plain, row.cells) else "generate"
    if not isinstance(named, str) or named.strip() not in commands():
        raise JobsError(f"{row.place}, column {COMMAND_COLUMN}: {_quoted(named)} is neither generate nor transfer")
    return named.strip()


def words_of(row: Row, command: str) -> list[str]:
    """Return the words that would be typed, in an order of their own, so that equal rows have equal words.

    Raises
    ------
    JobsError
        If a column is unknown, given twice under two names, or has a value of the wrong kind.
    """
    options: dict[str, list[str]] = {}
    arguments: list[str] = []
    seen: dict[str, str] = {}
    for column, value in row.cells.items():
        if _plain(column) == COMMAND_COLUMN:
            continue
        parameter = _parameter(row, command, column)
        if parameter.name in seen:
            raise JobsError(f"{row.place}: columns {seen[parameter.name]} and {column} say the same: fill one")
        seen[parameter.name] = column
        texts = [value] if isinstance(value, str) else list(value)
        place = f"{row.place}, column {column}"
        if "-" in texts:
            raise JobsError(f"{place}: - is standard input or output, which a row cannot have: name a file")
        if any("\0" in text for text in texts):
            raise JobsError(f"{place}: there is a NUL in it")
        many = parameter.nargs == -1 or getattr(parameter, "multiple", False)
        if len(texts) > 1 and not many:
            raise JobsError(f"{place}: one value is needed, not {len(texts)}")
        if parameter.param_type_name == "argument":
            arguments += texts
        elif parameter.is_flag:
            options[parameter.name] = [_long(parameter)] if _truth(texts[0], place) else []
        else:
            options[parameter.name] = [f"{_long(parameter)}={text}" for text in texts]
    words = [word for name in sorted(options) for word in options[name]]
    return [*words, "--", *arguments] if arguments else words


def parsed(row: Row, command: str, words: list[str], host: Host) -> Any:
    """Return the context that the command's own parser makes of the words.

    Raises
    ------
    JobsError
        With the row and column of what is wrong.
    """
    try:
        return commands()[command].make_context(command, list(words), obj=host)
    except LoopnetError as error:
        raise JobsError(named(row, command, error)) from error
    except Exception as error:
        # Typer's own errors; their class moved between its versions
        if not hasattr(error, "format_message"):
            raise
        raise JobsError(named(row, command, error)) from error


def named(row: Row, command: str, error: Exception) -> str:
    """Return what is wrong with a row, with the row and, if it can be told, the column."""
    parameter = getattr(error, "param", None)
    text = " ".join(str(getattr(error, "message", "") or error).split())
    if parameter is not None:
        used = [column for column in row.cells if columns(command).get(_plain(column)) is parameter]
        if not used:
            return f"{row.place}: there is no {shown(parameter)}, which {command} needs"
        return f"{row.place}, column {used[0]}: {_quoted(row.cells[used[0]])}: {text}"
    if isinstance(error, UsageError):
        for column in row.cells:
            found = columns(command).get(_plain(column))
            if found is not None and any(f"{option} " in f"{text} " for option in _options(found)):
                return f"{row.place}, column {column}: {text}"
        quoting = [column for column, value in row.cells.items() if _quoted(value) in text]
        if len(quoting) == 1:
            return f"{row.place}, column {quoting[0]}: {text}"
    return f"{row.place}: {text}"


def settle(words: Iterable[str], option: str, value: object = None) -> list[str]:
    """Return words with one option more, before the arguments; a flag has no value."""
    return [option if value is None else f"{option}={value}", *words]


def _parameter(row: Row, command: str, column: str) -> Any:
    known = columns(command)
    found = known.get(_plain(column))
    if found is not None and found.name not in NOT_IN_ROWS:
        return found
    if found is not None:
        raise JobsError(f"{row.place}, column {column}: it is about the whole run: give {_long(found)} to batch")
    other = next((name for name in commands() if _plain(column) in columns(name)), None)
    if other is not None:
        hint = f"{command} has none, {other} has: leave it empty, or add a column {COMMAND_COLUMN}"
    else:
        near = get_close_matches(_plain(column), [COMMAND_COLUMN, *known], 1)
        hint = f"did you mean {near[0]}?" if near else f"columns are called like the options of {command}"
    raise JobsError(f"{row.place}: there is no column {_quoted(column)}: {hint}")


def _plain(column: str) -> str:
    """Return a column's name as parameters are called: ``--low-depth``, ``low.depth`` and ``low_depth`` are one."""
    return column.strip().lower().lstrip("-").replace("-", "_").replace(".", "_").replace(" ", "_")


def _options(parameter: Any) -> list[str]:
    return [name for name in parameter.opts if name.startswith("--")]


def _long(parameter: Any) -> str:
    return next(iter(_options(parameter)), "") if parameter.param_type_name == "option" else ""


def _truth(text: str, place: str) -> bool:
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise JobsError(f"{place}: {_quoted(text)} is neither true nor false")
    return word in _TRUE


def _quoted(value: Value) -> str:
    text = value if isinstance(value, str) else ", ".join(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")

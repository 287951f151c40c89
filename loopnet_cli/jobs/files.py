"""Files of jobs: CSV, JSON Lines or YAML, a row a loop. They come from anywhere: everything in them is bounded.

All values stay texts as they were typed: what they mean is up to the options that they are for.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from loopnet_cli.errors import JobsError

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "yaml",  # which YAML is nearly a superset of
}
"""Formats by the ending of the file's name."""
MAX_BYTES = {"csv": 1 << 28, "jsonl": 1 << 28, "yaml": 1 << 22}
"""YAML takes long to read: some seconds a megabyte."""
MAX_ROWS = 1_000_000
MAX_TEXT = 100_000
"""Characters of a value."""
MAX_ITEMS = 10_000
"""Values in a list."""

Value = str | list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the file.

    Attributes
    ----------
    number : int
        From 1.
    line : int
        Where it begins in the file, from 1; 0 if that is not known.
    cells : Mapping of column to text or list of texts
        Without those that are empty.
    name : str
        What errors call it instead of its number.
    """

    number: int
    line: int
    cells: Mapping[str, Value]
    name: str = ""

    @property
    def place(self) -> str:
        """What errors call it."""
        if self.name:
            return self.name
        return f"row {self.number} (line {self.line})" if self.line else f"row {self.number}"


def format_of(path: str) -> str | None:
    """Return the format that a file's name tells, if it does."""
    return FORMATS.get(Path(path).suffix.lower())


def read_jobs(source: str, format: str, stdin: BinaryIO | None = None) -> list[Row]:
    """Read a file of jobs.

    Parameters
    ----------
    source : str
        Its path; ``-`` for standard input.
    format : str
        ``csv``, ``jsonl`` or ``yaml``.
    stdin : binary file, optional
        What ``-`` reads.

    Raises
    ------
    JobsError
        If it cannot be read, is of another format, too large, or holds no row.
    """
    name = source
    limit = MAX_BYTES[format]
    try:
        if stdin is not None and source == "-":
            name, content = "standard input", stdin.read(limit + 1)
        else:
            with Path(source).open("rb") as stream:
                content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise JobsError(f"cannot read {name}: {reason[:1].lower()}{reason[1:]}") from error
    if len(content) > limit:
        raise JobsError(
            f"{name} is larger than {limit >> 20} MB: split it"
            + (", or use CSV or JSON Lines" if format == "yaml" else "")
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise JobsError(f"{name} is not UTF-8 text (byte {error.start}): save it as UTF-8") from None
    if "\0" in text:
        raise JobsError(f"{name} is no text: there is a NUL in it")
    rows = []
    for row in _READERS[format](text, name):
        rows.append(row)
        if len(rows) > MAX_ROWS:
            raise JobsError(f"{name} has more than {MAX_ROWS} rows: split it")
    if not rows:
        raise JobsError(f"{name} holds no row")
    return rows


def _csv(text: str, name: str) -> Iterator[Row]:
    head = text.split("\n", 1)[0]
    # a table program writes what the country separates by
    delimiter = max(",;\t", key=head.count) if any(mark in head for mark in ",;\t") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    columns: list[str] | None = None
    number = 0
    line = 1
    try:
        for values in reader:
            begin, line = line, reader.line_num + 1
            if not any(value.strip() for value in values):
                continue
            if columns is None:
                columns = [value.strip() for value in values]
                _check_columns(columns, name)
                continue
            number += 1
            place = f"{name}: row {number} (line {begin})"
            if len(values) != len(columns):
                hint = f": put a value with a {delimiter!r} in double quotes" if len(values) > len(columns) else ""
                raise JobsError(f"{place} has {len(values)} values, but there are {len(columns)} columns{hint}")
            cells = {column: _short(value, place, column) for column, value in zip(columns, values, strict=True)}
            yield Row(number, begin, {column: value for column, value in cells.items() if value.strip()})
    except csv.Error as error:
        raise JobsError(f"{name}: line {reader.line_num}: no CSV ({error})") from None


def _check_columns(columns: list[str], name: str) -> None:
    for index, column in enumerate(columns):
        if not column:
            raise JobsError(f"{name}: column {index + 1} has no name: the first line names the columns")
        if column in columns[:index]:
            raise JobsError(f"{name}: there are two columns {column[:40]}")


def _jsonl(text: str, name: str) -> Iterator[Row]:
    number = 0
    # not splitlines: a text may hold other separators of lines
    for line, words in enumerate(text.split("\n"), 1):
        if not words.strip():
            continue
        number += 1
        place = f"{name}: row {number} (line {line})"
        try:
            # numbers as they were typed
            entry = json.loads(
                words, parse_int=str, parse_float=str, parse_constant=_no_number, object_pairs_hook=_once
            )
        except json.JSONDecodeError as error:
            raise JobsError(f"{place}: no JSON ({error.msg}, character {error.colno})") from None
        except RecursionError:
            raise JobsError(f"{place}: nested too deeply") from None
        except ValueError as error:
            raise JobsError(f"{place}: {error}") from None
        if not isinstance(entry, dict):
            raise JobsError(f'{place}: no JSON object: write {{"inputs": "beat.mid", ...}}')
        yield Row(number, line, _cells(entry, place))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"column {twice[:40]} is given twice")
    return found


def _yaml(text: str, name: str) -> Iterator[Row]:
    from loopnet_cli.jobs.yaml_text import read_yaml

    found = read_yaml(text, name)
    common: Mapping[str, Value] = {}
    if isinstance(found, dict) and "jobs" in found:
        unknown = next((key for key in found if key not in ("jobs", "defaults")), None)
        if unknown is not None:
            raise JobsError(f"{name}: beside jobs only defaults may stand, not {unknown[:40]}")
        defaults = found.get("defaults") or {}
        if not isinstance(defaults, dict):
            raise JobsError(f"{name}: defaults are not names and values")
        common = _cells(defaults, f"{name}: defaults")
        found = found["jobs"]
    if found in (None, "", {}):
        return
    if not isinstance(found, list):
        raise JobsError(f"{name}: no list of jobs: each row begins with a dash")
    for number, entry in enumerate(found, 1):
        line = getattr(entry, "line", 0)
        place = f"{name}: row {number}" + (f" (line {line})" if line else "")
        if not isinstance(entry, dict):
            raise JobsError(f"{place}: no names and values: write - inputs: beat.mid")
        own = _cells(entry, place)
        # what a row leaves empty is empty, whatever the defaults
        kept = {key: value for key, value in common.items() if key not in entry}
        yield Row(number, line, {**kept, **own})


def _cells(entry: Mapping[str, Any], place: str) -> dict[str, Value]:
    """Return what is not empty, as texts."""
    cells: dict[str, Value] = {}
    for column, value in entry.items():
        if isinstance(value, list):
            if len(value) > MAX_ITEMS:
                raise JobsError(f"{place}, column {column[:40]}: more than {MAX_ITEMS} values")
            if value:
                cells[column] = [_short(item, place, column) for item in value]
        elif value is not None and value != "":
            cells[column] = _short(value, place, column)
    return cells


def _short(value: object, place: str, column: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise JobsError(f"{place}, column {column[:40]}: a text, a number or a list of them is needed")
    if len(value) > MAX_TEXT:
        raise JobsError(f"{place}, column {column[:40]}: longer than {MAX_TEXT} characters")
    return value


_READERS = {"csv": _csv, "jsonl": _jsonl, "yaml": _yaml}


def names(rows: Iterable[Row]) -> list[str]:
    """Return the columns of all rows, in the order in which they come up."""
    return list(dict.fromkeys(column for row in rows for column in row.cells))

"""The record of a run: what became of each row, a line of JSON as soon as it is known, appended to a file.

A row is known by what it asks for, not by its place, so that rows can be added, removed and moved between runs. The
line that a killed process left half written is passed over.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from loopnet_cli.errors import JobsError
from loopnet_cli.version import __version__

FORMAT, VERSION = "loopnet-record", 1
MAX_BYTES = 1 << 30
STARTED, DONE, FAILED = "started", "done", "failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a row from earlier runs.

    Attributes
    ----------
    status : str
        ``started`` (and not ended: it was interrupted), ``done`` or ``failed``.
    seed : int or None
        What chance was drawn from, if that was drawn too.
    planned : tuple of str
        All files that the row may have written.
    files, inputs : Mapping of path to SHA-256
        What it wrote and read, if it ended.
    line : Mapping
        All that was recorded.
    """

    status: str
    seed: int | None
    planned: tuple[str, ...]
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    line: Mapping[str, Any] = field(default_factory=dict)


def read_record(path: Path) -> dict[str, Entry]:
    """Return the last that is known of each row, by key; nothing if there is no such file or it is empty.

    Raises
    ------
    JobsError
        If it is no record.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise JobsError(f"{path} is larger than {MAX_BYTES >> 30} GB: name another --record")
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise JobsError(f"cannot read the record {path}: {getattr(error, 'strerror', None) or error}") from error
    if not content.strip():
        return {}
    lines = content.split(b"\n")
    head = _object(lines[0])
    if head is None or head.get("format") != FORMAT:
        raise JobsError(f"{path} is no record of loopnet: name another --record")
    if head.get("version") != VERSION:
        raise JobsError(f"{path} is a record of version {head.get('version')!r}, not {VERSION}: name another --record")
    entries: dict[str, Entry] = {}
    for text in lines[1:]:
        line = _object(text)
        if line is None or not isinstance(line.get("key"), str):
            continue
        entry = _entry(line, entries.get(line["key"]))
        if entry is not None:
            entries[line["key"]] = entry
    return entries


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _entry(line: dict[str, Any], before: Entry | None) -> Entry | None:
    """Check a line; None for one that cannot be used."""
    status, seed = line.get("status"), line.get("seed")
    if status not in (STARTED, DONE, FAILED) or isinstance(seed, bool) or not isinstance(seed, int | None):
        return None
    planned = line.get("planned", list(before.planned) if before else [])
    files, inputs = line.get("files", {}), line.get("inputs", {})
    if not isinstance(planned, list) or not all(isinstance(path, str) for path in planned):
        return None
    for table in (files, inputs):
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            return None
    return Entry(status, seed, tuple(planned), files, inputs, line)


class Record:
    """A record that is being written.

    Parameters
    ----------
    path : Path or None
        None to keep none.
    fresh : bool
        Whether to begin anew rather than go on.
    about : Mapping
        What to say in its first line.

    Raises
    ------
    JobsError
        If it cannot be written, or another run is writing it.
    """

    def __init__(self, path: Path | None, *, fresh: bool, about: Mapping[str, Any]) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        if path is None:
            return
        try:
            # read and written: how it ends is looked at
            self._stream = path.open("a+b")
            self._lock(path)
            if fresh:
                self._stream.truncate(0)
            size = self._stream.seek(0, os.SEEK_END)
            if size == 0:
                self._write({"format": FORMAT, "version": VERSION, "loopnet": __version__, **about})
                return
            self._stream.seek(size - 1)
            if self._stream.read(1) != b"\n":
                self._stream.write(b"\n")  # after a line that was torn
        except (OSError, ValueError) as error:
            raise JobsError(f"cannot write the record {path}: {getattr(error, 'strerror', None) or error}") from error

    def _lock(self, path: Path) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        assert self._stream is not None
        try:
            fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobsError(f"another run is writing {path}: wait for it, or name another --record") from None
        except OSError:
            return  # a file system that knows no locks

    def write(self, status: str, **what: Any) -> None:
        """Append a line; it is with the system when this returns, so that no end of this process loses it."""
        self._write({"status": status, "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **what})

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(json.dumps(line).encode() + b"\n")
            self._stream.flush()
        except OSError as error:
            raise JobsError(f"cannot write the record {self.path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Let the file go."""
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

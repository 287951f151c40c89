"""Tempos of files from a table: CSV with the columns ``file`` and ``bpm``, and ``meter`` if there is one."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from loopnet_cli.errors import DatasetError
from loopnet_cli.pattern.model import MAX_TEMPO, MIN_TEMPO

MAX_BYTES = 2**26


@dataclass(frozen=True)
class Entry:
    """What a table says of a file; the meter is 4/4 where it says none."""

    tempo: float
    meter: tuple[int, int] = (4, 4)


@dataclass
class TempoTable:
    """A table that was read.

    Attributes
    ----------
    entries : dict of tuple of str to Entry
        By the parts of the path that it names.
    digest : str
        SHA-256 of its content.
    found : set
        What has been looked up.
    """

    entries: dict[tuple[str, ...], Entry] = field(default_factory=dict)
    digest: str = ""
    found: set[tuple[str, ...]] = field(default_factory=set)

    def of(self, path: Path) -> Entry | None:
        """Return what the table says of a file: the entry that the longest end of its path agrees with."""
        parts = PurePosixPath(path.absolute().as_posix()).parts
        for first in range(len(parts)):
            if parts[first:] in self.entries:
                self.found.add(parts[first:])
                return self.entries[parts[first:]]
        return None

    @property
    def unused(self) -> list[str]:
        """Names that no file answered to."""
        return ["/".join(name) for name in self.entries if name not in self.found]


def read_tempo_table(path: Path) -> TempoTable:
    """Read a table of tempos.

    Parameters
    ----------
    path : Path
        UTF-8; other columns do not matter. Names may be paths or their ends: ``kick/loop1.wav``, ``loop1.wav``.

    Raises
    ------
    DatasetError
        If the file cannot be read, lacks a column, or a line makes no sense; with the line.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DatasetError(f"{path}: larger than 64 MB: is no table of tempos")
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), restval="")
        columns = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
        missing = [name for name in ("file", "bpm") if name not in columns]
        if missing:
            raise DatasetError(f"{path}: has no column {missing[0]!r}: its first line must name file and bpm")
        entries: dict[tuple[str, ...], Entry] = {}
        for row in rows:
            name = PurePosixPath(row[columns["file"]].strip().replace("\\", "/")).parts
            if name:
                meter = row[columns["meter"]] if "meter" in columns else ""
                entries[name] = _entry(row[columns["bpm"]], meter, f"{path}, line {rows.line_num}")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: is no CSV table in UTF-8: {error}") from error
    return TempoTable(entries, hashlib.sha256(content).hexdigest())


def _entry(bpm: str, meter: str, where: str) -> Entry:
    try:
        tempo = float(bpm)
    except ValueError:
        tempo = 0.0
    if not MIN_TEMPO <= tempo <= MAX_TEMPO:
        raise DatasetError(f"{where}: bpm {bpm.strip()[:40]!r} is no tempo ({MIN_TEMPO:g} to {MAX_TEMPO:g})")
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", meter.strip(), re.ASCII)
    if meter.strip() and match is None:
        raise DatasetError(f"{where}: meter {meter.strip()[:40]!r}: write it as e.g. 4/4")
    return Entry(tempo, (int(match[1]), int(match[2])) if match else (4, 4))

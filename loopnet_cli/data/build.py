"""Building a data set from folders of recordings: which files there are, and what becomes of each."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from loopnet_cli.audio.stretch import require_rubberband
from loopnet_cli.data.curation import BuildSettings, FileTask, curate_file
from loopnet_cli.data.making import Plan
from loopnet_cli.data.parts import PartsFolder
from loopnet_cli.data.rows import REJECTED_FIELDS, Rejected
from loopnet_cli.data.tempo_table import TempoTable
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.model import MAX_TEMPO, MIN_TEMPO
from loopnet_cli.version import __version__

AUDIO_ENDINGS = frozenset({
    ".wav", ".wave", ".rf64", ".w64", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf", ".ogg", ".oga",
    ".opus", ".mp3", ".m4a", ".mp4", ".aac", ".wma", ".wv",
})  # fmt: skip
"""Names of audio. What libsndfile does not know among them is rejected by its content."""


def plan_build(folders: Sequence[Path], target: Path, settings: BuildSettings, table: TempoTable | None = None) -> Plan:
    """Find the files of folders and plan what becomes of them.

    Parameters
    ----------
    folders : sequence of Path
        Folders, with all that is in them, or single files.
    target : Path
        The data set.
    settings : BuildSettings
    table : TempoTable, optional

    Returns
    -------
    Plan
        Files in the order of the folders and their names. What is no audio by its name, no file or cannot be
        reached is among those rejected.

    Raises
    ------
    UsageError
        If a folder does not exist or holds no files.
    MissingProgramError
        If Rubber Band is not installed.
    """
    require_rubberband()
    parts, tasks, rejected, seen = PartsFolder(target), [], list[Rejected](), set[str]()
    for path, problem in find_files(folders):
        source = printable(path)
        if problem:
            rejected.append(Rejected(source, *problem))
            continue
        name = os.path.realpath(path)
        if name in seen or Path(name) == target.absolute():
            continue
        seen.add(name)
        entry = None if table is None else table.of(path)
        tasks.append(FileTask(settings, parts, path, source, _key(path, entry), entry))
    if not tasks and not rejected:
        raise UsageError(f"{', '.join(map(str, folders))}: no files there")
    told: dict[str, Any] = {
        "made_by": "dataset build",
        "version": __version__,
        **asdict(settings),
        "tempos": table.digest if table is not None else "",
    }
    return Plan(
        target, told, tasks, curate_file, settings.studio, {"activations": False, "patterns": False}, tuple(rejected)
    )


def find_files(folders: Iterable[Path]) -> Iterator[tuple[Path, tuple[str, str] | None]]:
    """Yield the files of folders in order; those that cannot be audio with reason and detail.

    Raises
    ------
    UsageError
        If one of the folders does not exist.
    """
    for folder in folders:
        if not folder.exists():
            raise UsageError(f"{folder}: no such folder")
        if not folder.is_dir():
            yield folder, _problem(folder, named=True)
            continue
        unreachable: list[OSError] = []
        for where, names, files in os.walk(folder, onerror=unreachable.append):
            names[:] = sorted(name for name in names if not name.startswith(".") and not name.endswith(".parts"))
            for name in sorted(files):
                if not name.startswith("."):
                    yield Path(where, name), _problem(Path(where, name))
            while unreachable:
                error = unreachable.pop()
                yield Path(str(error.filename)), ("not readable", error.strerror or "cannot be opened")


def _problem(path: Path, *, named: bool = False) -> tuple[str, str] | None:
    """Say why a file need not be opened; a file that the user named may have any ending."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return "not readable", error.strerror or str(error)
    if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
        return "not readable", "no regular file"
    if not named and path.suffix.lower() not in AUDIO_ENDINGS:
        return "not audio by its name", path.suffix or "no ending"
    return None


def _key(path: Path, entry: object) -> str:
    """Name a file's part by what decides it: which file, as of when, and what a table says of it."""
    facts = path.stat()
    what = f"{os.fsencode(path.absolute())!r} {facts.st_size} {facts.st_mtime_ns} {entry}"
    return f"file-{hashlib.sha256(what.encode()).hexdigest()[:24]}"


def printable(path: Path) -> str:
    """Return a path as text that can be stored and shown, whatever bytes are in it."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)


def parse_range(text: str) -> tuple[float, float]:
    """Read a range of tempos such as ``120:140``.

    Raises
    ------
    UsageError
        If it is not written like that, or holds no tempo.
    """
    low, _, high = text.partition(":")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (0.0, 0.0)
    if not MIN_TEMPO <= found[0] <= found[1] <= MAX_TEMPO:
        raise UsageError(f"--tempo-range {text}: write it as e.g. 120:140 ({MIN_TEMPO:g} to {MAX_TEMPO:g})")
    return found


def rejected_csv(rejected: Iterable[Rejected]) -> bytes:
    """Return a table of what was left out, and why."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(REJECTED_FIELDS)
    writer.writerows([one.source, one.reason, one.detail] for one in rejected)
    return stream.getvalue().encode("utf-8")

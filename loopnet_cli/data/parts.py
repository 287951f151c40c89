"""The work of making a data set, kept on disk as it is done: a folder of parts beside the data set.

``DATASET.parts`` holds ``settings.json`` and a file for each task that is done, named by the task's key. A part
is written under a passing name and renamed, so that whatever is there is whole: after a kill the same command
goes on where it stopped. When all are there they are joined, one at a time, and the folder is removed.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from loopnet_cli.data.rows import ROW_SHAPES, LoopInfo, Rejected, Rows
from loopnet_cli.errors import DatasetError

ENDING = ".npz"
SETTINGS, LOCK = "settings.json", "lock"


@dataclass(frozen=True)
class Part:
    """What came of one task.

    Attributes
    ----------
    loops : tuple of LoopInfo
    rows : Rows or None
        Their bars; None where there are none.
    rejected : tuple of Rejected
        Files that were left out.
    seconds : float
        Processor time that the task took.
    """

    loops: tuple[LoopInfo, ...] = ()
    rows: Rows | None = None
    rejected: tuple[Rejected, ...] = ()
    seconds: float = 0.0


def work_seconds() -> float:
    """Return the processor time of this process so far, with that of programs it ran (Rubber Band)."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def encode_part(part: Part) -> bytes:
    """Pack a part: arrays, and the rest as JSON."""
    told = {
        "loops": [asdict(loop) for loop in part.loops],
        "rejected": [asdict(one) for one in part.rejected],
        "seconds": part.seconds,
        "patterns": part.rows.patterns if part.rows is not None else (),
    }
    arrays = {name: getattr(part.rows, name) for name in ROW_SHAPES} if part.rows is not None else {}
    stream = io.BytesIO()
    np.savez(
        stream,
        told=np.frombuffer(json.dumps(told).encode(), np.uint8),
        **{name: array for name, array in arrays.items() if array is not None},
    )
    return stream.getvalue()


def read_part(path: Path) -> Part:
    """Read what `encode_part` packed.

    Raises
    ------
    DatasetError
        If the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = json.loads(arrays.pop("told").tobytes())
        rows = Rows(**{"audio_studio": None, **arrays}, patterns=tuple(told["patterns"])) if arrays else None
        loops = tuple(LoopInfo(**loop) for loop in told["loops"])
        rejected = tuple(Rejected(**one) for one in told["rejected"])
        return Part(loops, rows, rejected, float(told["seconds"]))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        told = " ".join(str(error).split())[:200]
        raise DatasetError(f"{path}: a part that cannot be read ({told}): delete it and run again") from error


@dataclass(frozen=True)
class PartsFolder:
    """The parts of a data set that is being made.

    Attributes
    ----------
    target : Path
        The data set.
    """

    target: Path

    @property
    def path(self) -> Path:
        """``DATASET.parts``."""
        return self.target.with_name(self.target.name + ".parts")

    def open(self, settings: Mapping[str, Any]) -> None:
        """Make the folder, or continue one that was made with the same settings.

        Raises
        ------
        DatasetError
            If it cannot be made or was made with other settings.
        """
        text = json.dumps(settings, sort_keys=True, indent=1)
        note = self.path / SETTINGS
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not note.exists():
                self._write(note, text.encode())
            stored = note.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{self.path}: cannot be used: {getattr(error, 'strerror', '') or error}") from error
        if stored != text:
            raise DatasetError(
                f"{self.path}: was begun with other settings ({_difference(stored, settings)}): "
                "use the same, or delete the folder to begin again"
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other runs out while the block runs, where the system can; a killed run locks nobody out.

        Raises
        ------
        DatasetError
            If another run is making the same data set.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        with (self.path / LOCK).open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise DatasetError(f"{self.target}: another run is making it: wait for it, or end it") from error
            for stale in self.path.glob(".*.tmp"):  # of a run that was killed
                stale.unlink(missing_ok=True)
            yield

    def file(self, key: str) -> Path:
        """Return where the part of a task is kept."""
        return self.path / f"{key}{ENDING}"

    def done(self, key: str) -> bool:
        """Whether a task's part is there."""
        return self.file(key).exists()

    def save(self, key: str, part: Part) -> None:
        """Keep a part: written beside, then renamed."""
        self._write(self.file(key), encode_part(part))

    def _write(self, path: Path, content: bytes) -> None:
        beside = self.path / f".{secrets.token_hex(8)}.tmp"
        try:
            with beside.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error


def _difference(stored: str, settings: Mapping[str, Any]) -> str:
    try:
        before = dict(json.loads(stored))
    except (ValueError, TypeError):
        return "its settings.json is damaged"
    names = [name for name in sorted({*before, *settings}) if before.get(name) != settings.get(name)]
    return "; ".join(f"{name}: {before.get(name)!r}" for name in names)[:200]

"""Reading a data set of bars: one HDF5 file, documented in docs/DATASET.md.

Arrays hold a row a bar and carry the names of their columns as attributes; columns are found by these names,
so that a file whose columns stand in another order reads the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.data.rows import (
    COLUMNS,
    LOOP_FIELDS,
    REJECTED_FIELDS,
    ROW_SHAPES,
    SPLITS,
    LoopInfo,
    Rejected,
    read_pattern_text,
    to_float,
)
from loopnet_cli.errors import DatasetError, PatternError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.pattern.model import Pattern

FORMAT, VERSION = "loopnet-dataset", 1
MAX_SETTINGS = 2**20
MAX_ROWS = 10_000_000
"""Of any table: what is never written takes no room in HDF5, so that a small file can claim any number of rows."""

# what h5py raises for damaged files, and what reading nonsense comes to
_DAMAGE = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    RuntimeError,
    OverflowError,
    MemoryError,
)


@dataclass(frozen=True)
class Bars:
    """Bars that were read.

    Attributes
    ----------
    audio : ndarray of float32, shape (n, 29538)
        16 kHz, -1..1.
    activations : ndarray of float32, shape (n, 185, 3)
        Kick, snare, hat; 100 frames a second.
    envelope : ndarray of float32, shape (n, 29538)
        Of the audio.
    chroma : ndarray of float32, shape (n, 12)
        C first.
    timbre : ndarray of float32, shape (n, 21)
        AudioCommons points, in the order of `controls.TIMBRE_NAMES`.
    loop : ndarray of int32, shape (n,)
        Rows of `BarStore.loops`: bars of one loop are not independent.
    """

    audio: NDArray[np.float32]
    activations: NDArray[np.float32]
    envelope: NDArray[np.float32]
    chroma: NDArray[np.float32]
    timbre: NDArray[np.float32]
    loop: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.audio)


class BarStore:
    """A data set, open for reading; rows are read when asked for.

    Parameters
    ----------
    path : Path or str
        What ``loopnet dataset build`` or ``render`` made.

    Attributes
    ----------
    settings : dict
        What it was made with.

    Raises
    ------
    DatasetError
        If the file cannot be read, is no data set, or is of another version.
    """

    def __init__(self, path: Path | str) -> None:
        import h5py

        self.path = Path(path)
        try:
            self._file = h5py.File(self.path, "r")
        except OSError as error:
            raise DatasetError(f"{self.path}: {_why(self.path, error)}") from error
        try:
            self._check()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> BarStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[BarStore], tuple[Path]]:
        # another process opens the file for itself
        return BarStore, (self.path,)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __len__(self) -> int:
        return len(self._file["loop"])

    @property
    def has_studio_audio(self) -> bool:
        """Whether the bars are there at 44.1 kHz."""
        return "audio_studio" in self._file

    def indices(self, split: str) -> NDArray[np.int64]:
        """Return the rows of ``train`` or ``test``, ascending."""
        if split not in SPLITS:
            raise UsageError(f"split {split!r}: use {' or '.join(SPLITS)}")
        with self._reading("split"):
            found: NDArray[np.int64] = np.flatnonzero(self._file["split"][:] == SPLITS.index(split)).astype(np.int64)
        return found

    def read(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> Bars:
        """Read rows, in the order asked.

        Raises
        ------
        DatasetError
            If the file is damaged.
        IndexError
            If there is no such row.
        """
        return Bars(
            audio=to_float(self._rows("audio_paper", indices)),
            activations=self._rows("activations", indices),
            envelope=self._rows("envelope", indices).astype(np.float32),
            chroma=self._rows("chroma", indices),
            timbre=self._rows("timbre", indices),
            loop=self._rows("loop", indices),
        )

    def features(self, name: str, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Read one feature alone: ``activations``, ``envelope``, ``chroma`` or ``timbre``."""
        return self._rows(name, indices).astype(np.float32, copy=False)  # type: ignore[no-any-return]

    def studio_audio(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Read bars at 44.1 kHz, shape (n, 81415), -1..1.

        Raises
        ------
        DatasetError
            If they were left out (``--no-studio``).
        """
        if not self.has_studio_audio:
            raise DatasetError(f"{self.path}: holds no 44.1 kHz audio: make it again without --no-studio")
        return to_float(self._rows("audio_studio", indices))

    def loops(self) -> list[LoopInfo]:
        """Read what is known of the loops."""
        with self._reading("loops"):
            group = self._file["loops"]
            columns: dict[str, list[Any]] = {
                name: list(group[name].asstr()[:] if kind is str else group[name][:].tolist())
                for name, kind in LOOP_FIELDS.items()
            }
            return [LoopInfo(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]

    def rejected(self) -> list[Rejected]:
        """Read which files were left out, and why."""
        with self._reading("rejected"):
            columns = [self._file["rejected"][name].asstr()[:] for name in REJECTED_FIELDS]
            return [Rejected(*row) for row in zip(*columns, strict=True)]

    def patterns(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> list[Pattern | None]:
        """Return what is played in each bar, exactly or as heard (see `settings`); None where it is not known.

        Raises
        ------
        DatasetError
            If one is damaged.
        """
        try:
            return [read_pattern_text(text.decode("utf-8")) for text in self._rows("patterns", indices)]
        except (ValueError, KeyError, TypeError, AttributeError, PatternError) as error:
            raise DatasetError(f"{self.path}: a pattern cannot be read: {_short(error)}") from error

    def loop_of(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.int32]:
        """Return the row in `loops` of each bar."""
        found: NDArray[np.int32] = self._rows("loop", indices)
        return found

    def _rows(self, name: str, indices: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[Any]:
        wanted = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"bars {wanted.min()} to {wanted.max()} of a data set of {len(self)}")
        sorted_, back = np.unique(wanted, return_inverse=True)
        # h5py picks single rows slowly: neighbours are read at once
        runs = np.split(np.arange(len(sorted_)), np.flatnonzero(np.diff(sorted_) > 1) + 1) if len(sorted_) else []
        with self._reading(name):
            data = self._file[name]
            out = np.empty((len(sorted_), *data.shape[1:]), data.dtype)
            for run in runs:
                out[run[0] : run[-1] + 1] = data[sorted_[run[0]] : sorted_[run[-1]] + 1]
            if out.dtype.kind == "f" and not np.isfinite(out).all():
                raise ValueError("it holds values that are no numbers")
        out = out[back]
        return out if name not in self._order else out[..., self._order[name]]

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise DatasetError(f"{self.path}: {name} cannot be read, the file is damaged: {_short(error)}") from error

    def _check(self) -> None:
        try:
            attributes = self._file.attrs
            kind, version = attributes.get("format"), attributes.get("version")
            if not isinstance(kind, str) or kind != FORMAT:
                raise DatasetError(
                    f"{self.path}: is no loopnet data set: make one with loopnet dataset build or render"
                )
            if np.ndim(version) or version != VERSION:
                raise DatasetError(f"{self.path}: is a data set of version {_short(version)}, not {VERSION}")
            self._shapes()
            text = attributes["settings"]
            if not isinstance(text, str) or len(text) > MAX_SETTINGS:
                raise ValueError("settings")
            self.settings: dict[str, Any] = dict(json.loads(text))
            self._order = {name: self._columns(name) for name in COLUMNS}
            for group, names in (("loops", LOOP_FIELDS), ("rejected", REJECTED_FIELDS)):
                for name in names:
                    _own(self._file[group][name], self._file)
        except (*_DAMAGE, RecursionError) as error:
            raise DatasetError(f"{self.path}: is damaged or incomplete ({_short(error)}): make it again") from error

    def _shapes(self) -> None:
        count = len(_own(self._file["loop"], self._file))
        for name, (shape, kind) in {**ROW_SHAPES, "split": ((), "uint8"), "patterns": ((), "object")}.items():
            if name == "audio_studio" and name not in self._file:
                continue
            data = _own(self._file[name], self._file)
            if data.shape != (count, *shape) or data.dtype != kind:
                raise ValueError(f"{name} is {data.dtype} of shape {data.shape}")

    def _columns(self, name: str) -> list[int]:
        """Return where the file keeps each column of a feature."""
        stored = [str(column) for column in self._file[name].attrs["columns"]]
        if sorted(stored) != sorted(COLUMNS[name]):
            raise ValueError(f"columns of {name} are {', '.join(stored[:30])}")
        return [stored.index(column) for column in COLUMNS[name]]


def _own(data: Any, file: Any) -> Any:
    """Return a table after seeing that it is of a size that can be and lies in this file, not in others it names.

    Raises
    ------
    ValueError
        If it is not.
    """
    if len(data.shape) < 1 or data.shape[0] > MAX_ROWS:
        raise ValueError(f"{data.name} has the shape {data.shape}")
    if data.is_virtual or data.external or data.file != file:
        raise ValueError(f"{data.name} lies in another file")
    return data


def _short(error: object) -> str:
    return " ".join(str(error).split())[:600]


def _why(path: Path, error: OSError) -> str:
    """Say why a file cannot be opened; h5py's own words are long."""
    if not path.exists():
        return "no such file"
    if path.is_dir():
        return "is a folder, not a data set"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return "is no data set (not an HDF5 file, or cut short)"

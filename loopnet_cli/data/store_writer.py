"""Writing a data set of bars, piece by piece, so that its size does not matter."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any

from loopnet_cli.data.rows import (
    COLUMNS,
    LOOP_FIELDS,
    REJECTED_FIELDS,
    ROW_SHAPES,
    SPLITS,
    STUDIO_RATE,
    TEMPO,
    LoopInfo,
    Rejected,
    Rows,
)
from loopnet_cli.data.store import FORMAT, VERSION
from loopnet_cli.synthesis.papernet import PAPER_RATE


class StoreWriter:
    """A data set that is being written; nothing that was appended is kept in memory.

    Parameters
    ----------
    path : Path
        Replaced if it exists. Write beside the final name and rename.
    settings : Mapping
        What the set is made with, as plain values.
    studio : bool
        Whether bars are kept at 44.1 kHz too.
    exact : Mapping from array name to bool
        Whether activations and patterns are what was played, or what was heard.
    """

    def __init__(
        self, path: Path, settings: Mapping[str, Any], *, studio: bool, exact: Mapping[str, bool] | None = None
    ) -> None:
        import h5py

        # no times inside: the same bars give the same bytes
        self._file = h5py.File(path, "w", track_order=True)
        root = self._file.attrs
        root["format"], root["version"] = FORMAT, VERSION
        root["settings"] = json.dumps(settings, sort_keys=True)
        root["sample_rate_paper"], root["sample_rate_studio"], root["tempo"] = PAPER_RATE, STUDIO_RATE, TEMPO
        self._names = [name for name in ROW_SHAPES if studio or name != "audio_studio"]
        for name in self._names:
            shape, kind = ROW_SHAPES[name]
            self._array(self._file, name, shape, kind)
        self._array(self._file, "split", (), "uint8").attrs["values"] = list(SPLITS)
        for name, columns in COLUMNS.items():
            self._file[name].attrs["columns"] = list(columns)
        self._file["activations"].attrs["frame_rate"] = 100
        self._file["timbre"].attrs["unit"] = "AudioCommons points"
        text = h5py.string_dtype("utf-8")
        self._array(self._file, "patterns", (), text)
        for name in ("activations", "patterns"):
            self._file[name].attrs["exact"] = (exact or {}).get(name, False)
        loops = self._file.create_group("loops", track_order=True)
        for name, field in LOOP_FIELDS.items():
            self._array(loops, name, (), text if field is str else {float: "float64", int: "int64"}[field])
        rejected = self._file.create_group("rejected", track_order=True)
        for name in REJECTED_FIELDS:
            self._array(rejected, name, (), text)

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @staticmethod
    def _array(group: Any, name: str, shape: tuple[int, ...], kind: Any) -> Any:
        # a chunk a bar where bars are long: any bar is one read away
        chunk = 1 if shape and shape[0] > 1000 else 64 if shape else 1024
        return group.create_dataset(
            name, shape=(0, *shape), maxshape=(None, *shape), chunks=(chunk, *shape), dtype=kind, track_times=False
        )

    def append(self, loops: Iterable[LoopInfo], rows: Rows) -> None:
        """Add loops and their bars; `rows.loop` counts from the first of `loops`."""
        loops = list(loops)
        if not loops:
            return
        group = self._file["loops"]
        first_loop, first = len(group["name"]), len(self._file["loop"])
        for name, column in zip(LOOP_FIELDS, zip(*map(astuple, loops), strict=True), strict=True):
            group[name].resize(first_loop + len(loops), axis=0)
            group[name][first_loop:] = column
        if not len(rows):
            return
        splits = [SPLITS.index(loops[number].split) for number in rows.loop]
        for name in (*self._names, "split", "patterns"):
            values: Any = splits if name == "split" else getattr(rows, name)
            self._file[name].resize(first + len(rows), axis=0)
            self._file[name][first:] = values + first_loop if name == "loop" else values

    def reject(self, rejected: Iterable[Rejected]) -> None:
        """Add files that were left out."""
        group = self._file["rejected"]
        for one in rejected:
            count = len(group["source"])
            for name, value in zip(REJECTED_FIELDS, astuple(one), strict=True):
                group[name].resize(count + 1, axis=0)
                group[name][count] = value

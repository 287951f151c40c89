"""One door for rhythms: a MIDI file, a grid file, a grid given as text, or standard input."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.grid import MAX_GRID_CHARS, grid_settings, looks_like_grid, parse_grid
from loopnet_cli.pattern.midi import MidiPattern, read_bytes, read_midi, take_bars
from loopnet_cli.pattern.smf import MAX_BYTES

GRID_SUFFIXES = (".grid", ".txt")
STDIN = "-"


def read_pattern(
    source: str | Path,
    *,
    drum_map: str | Path | Mapping[int, str] = "auto",
    tempo: float | None = None,
    bars: int | None = None,
    meter: tuple[int, int] | None = None,
    stdin: BinaryIO | None = None,
) -> MidiPattern:
    """Read a rhythm from wherever the user keeps it.

    Parameters
    ----------
    source : str or path
        ``-`` for standard input (MIDI or a grid, told apart by content), a text grid itself, a
        grid file (``.grid``, ``.txt``), or a MIDI file (any other name).
    drum_map, tempo, bars, meter
        As for `read_midi`; what is given overrules the file or grid.
    stdin : binary file, optional
        What ``-`` reads; by default the process's standard input.

    Raises
    ------
    PatternError
        If there is no rhythm to be had; the message names the source.
    """
    if source == STDIN:
        data = (stdin or sys.stdin.buffer).read(MAX_BYTES + 1)
        if data[:4] not in (b"MThd", b"RIFF"):
            text = _decode(data)
            if text is not None and looks_like_grid(text):
                return _read_grid(text, "standard input", tempo, bars, meter)
        return read_midi(data, drum_map=drum_map, tempo=tempo, bars=bars, meter=meter, name="standard input")
    if isinstance(source, str) and looks_like_grid(source):
        return _read_grid(source, "grid", tempo, bars, meter)
    path = Path(source)
    if path.suffix.lower() in GRID_SUFFIXES:
        text = _decode(read_bytes(path, MAX_GRID_CHARS))
        if text is None:
            raise PatternError(f"{path} is not a text grid: it is not UTF-8 text")
        return _read_grid(text, str(path), tempo, bars, meter)
    return read_midi(path, drum_map=drum_map, tempo=tempo, bars=bars, meter=meter)


def _decode(data: bytes) -> str | None:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _read_grid(
    text: str, name: str, tempo: float | None, bars: int | None, meter: tuple[int, int] | None
) -> MidiPattern:
    try:
        settings = grid_settings(text)
        pattern = parse_grid(text, tempo=tempo, meter=meter)
        if bars is not None:
            pattern = take_bars(pattern, bars)
    except PatternError as error:
        raise PatternError(f"{name}: {error}") from None
    return MidiPattern(
        pattern=pattern,
        unmapped=MappingProxyType({}),
        notes=len(pattern.hits),
        tempo_source="given" if tempo is not None else "file" if "bpm" in settings else "default",
        meter_source="given" if meter is not None else "file" if "meter" in settings else "default",
    )

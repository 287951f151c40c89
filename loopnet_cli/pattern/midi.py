"""From a MIDI file to a pattern: which notes are drums, what voice each plays, how many bars they fill.

`loopnet_cli.pattern.smf` reads the bytes, `loopnet_cli.pattern.bars` finds the bars.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.bars import fit_bars
from loopnet_cli.pattern.maps import find_drum_map, gm_name
from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO, Hit, Pattern
from loopnet_cli.pattern.smf import MAX_BYTES, Smf, SmfError, SmfTrack, parse_smf

DEFAULT_TEMPO = 120.0
"""Tempo of a MIDI file that names none (Standard MIDI Files 1.0)."""

MAX_HITS = 400_000
"""Strokes that a repeated pattern may have: more are no rhythm, and would only fill the memory."""

LOOP_START, LOOP_END = "loopStart", "loopEnd"
"""Markers that bound a loop, as game engines and some DAWs write them; they overrule all guessing."""

_T = TypeVar("_T")
_DRUM_CHANNEL = 9
_DRUM_NAME = re.compile(
    r"drum|percussi|\b(perc|kit|beats?|groove|schlagzeug|batterie|bater[ií]a|batteria|[6789]0[6789])\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class MidiPattern:
    """A pattern and what became of the file it was read from.

    Attributes
    ----------
    pattern : Pattern
        The rhythm.
    unmapped : Mapping from MIDI note to count
        Drum notes that the map knows no voice for.
    warnings : tuple of str
        What the user should know, one line each, without the file's name.
    dropped : int
        Strokes left out: outside the bars taken, or on top of another stroke of their voice.
    notes : int
        Drum notes in the file.
    tempo_source, meter_source : str
        ``given``, ``file`` or ``default``.
    """

    pattern: Pattern
    unmapped: Mapping[int, int]
    warnings: tuple[str, ...] = ()
    dropped: int = 0
    notes: int = 0
    tempo_source: str = "file"
    meter_source: str = "file"


def read_midi(
    source: str | Path | bytes,
    *,
    drum_map: str | Path | Mapping[int, str] = "auto",
    tempo: float | None = None,
    bars: int | None = None,
    meter: tuple[int, int] | None = None,
    name: str | None = None,
) -> MidiPattern:
    """Read the drums of a MIDI file.

    Drums are the notes of channel 10; without any, those of the tracks that say drums by name or
    by drum bank; without any, those of the only track. Strokes keep their place in beats whatever
    the tempo does. The length is the music's whole bars (see `loopnet_cli.pattern.bars`).

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    drum_map : str, path or mapping, default "auto"
        A built-in map's name, a map file (see `read_drum_map`), or note to voice.
    tempo : float, optional
        Quarter notes per minute, in place of the file's.
    bars : int, optional
        Take that many bars from the start, or repeat the music until it fills them.
    meter : tuple of int, optional
        Numerator and denominator, in place of the file's.
    name : str, optional
        What to call the source in messages; by default its path.

    Raises
    ------
    PatternError
        If the file cannot be read, is damaged, or holds no drums that the map knows.
    """
    if not isinstance(drum_map, Mapping):
        find_drum_map(drum_map)  # here too, so that its errors do not blame the MIDI file
    data = source if isinstance(source, bytes) else read_bytes(Path(source), MAX_BYTES)
    name = name or ("MIDI data" if isinstance(source, bytes) else str(source))
    try:
        return _pattern_of(parse_smf(data), drum_map, tempo, bars, meter)
    except SmfError as error:
        raise PatternError(f"{name} {error}") from None
    except PatternError as error:
        raise PatternError(f"{name}: {error}") from None


def read_bytes(path: Path, limit: int) -> bytes:
    """Return a file's content, up to one byte more than `limit`, so that the parser can refuse it.

    Raises
    ------
    PatternError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise PatternError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def _pattern_of(
    smf: Smf,
    drum_map: str | Path | Mapping[int, str],
    tempo: float | None,
    bars: int | None,
    meter: tuple[int, int] | None,
) -> MidiPattern:
    if bars is not None and not 1 <= bars <= MAX_BARS:
        raise PatternError(f"{bars} bars asked for: a loop has 1 to {MAX_BARS} bars")
    warnings: list[str] = []
    notes, end = _drum_notes(smf, warnings)
    last = max(tick for tick, _, _ in notes)
    counts = Counter(note for _, note, _ in notes)
    voices = drum_map if isinstance(drum_map, Mapping) else find_drum_map(drum_map, counts)
    unmapped = {note: count for note, count in sorted(counts.items()) if note not in voices}
    if len(unmapped) == len(counts):
        raise PatternError(f"no voice for any of its notes ({_list_notes(unmapped)}): give a drum map")
    if unmapped:
        count = sum(unmapped.values())
        warnings.append(f"{count} of {len(notes)} notes have no voice: {_list_notes(unmapped)}")

    tempo, tempo_source = (tempo, "given") if tempo is not None else _tempo_of(smf, last, warnings)
    meter, meter_source = (meter, "given") if meter is not None else _meter_of(smf, last, warnings)
    # an empty pattern checks both before they are reckoned with
    bar = Pattern((), 1, meter, tempo).beats_per_bar

    ticks_per_beat = smf.ticks_per_beat or smf.ticks_per_second * 60.0 / tempo

    # counted in seconds, strokes miss the grid by rounding errors: a millionth of a beat hides them
    def place(tick: int) -> float:
        beat = tick / ticks_per_beat
        return beat if smf.ticks_per_beat else round(beat, 6)

    hits = [Hit(place(tick), voices[note], velocity / 127) for tick, note, velocity in notes if note in voices]
    loop = _loop_markers(smf, ticks_per_beat)
    fitted = fit_bars(hits, bar, end=end / ticks_per_beat, loop=loop, tick=1.0 / ticks_per_beat, bars=bars)
    if not fitted.hits:
        where = f"the first {bars} bars: take more" if bars else "the loop that its markers enclose"
        raise PatternError(f"no strokes in {where}")
    pattern = Pattern(fitted.hits, fitted.bars, meter, tempo)
    if bars is not None:
        pattern = take_bars(pattern, bars)
    return MidiPattern(
        pattern=pattern,
        unmapped=MappingProxyType(unmapped),
        warnings=(*warnings, *fitted.warnings),
        dropped=fitted.dropped,
        notes=len(notes),
        tempo_source=tempo_source,
        meter_source=meter_source,
    )


def take_bars(pattern: Pattern, bars: int) -> Pattern:
    """Return the first `bars` bars, or the pattern repeated until it fills them.

    Raises
    ------
    PatternError
        If that leaves no stroke, or more than `MAX_HITS`.
    """
    if not 1 <= bars <= MAX_BARS:
        raise PatternError(f"{bars} bars asked for: a loop has 1 to {MAX_BARS} bars")
    if len(pattern.hits) * (bars / pattern.bars) > MAX_HITS:
        raise PatternError(f"{bars} bars of this would be more than {MAX_HITS:,} strokes: ask for fewer")
    taken = pattern.with_bars(bars)
    if not taken.hits:
        raise PatternError(f"no strokes in the first {bars} bars: take more")
    return taken


def _drum_notes(smf: Smf, warnings: list[str]) -> tuple[list[tuple[int, int, int]], int]:
    """Return the drum strokes as (tick, note, velocity) and the tick where their tracks end."""
    tracks = [track for track in smf.tracks if track.notes]
    if not tracks:
        raise PatternError("holds no notes")
    if smf.format == 2 and len(tracks) > 1:
        # tracks of format 2 are songs of their own, not parts of one
        chosen = next((t for t in tracks if _drums_of(t)), tracks[0])
        warnings.append(f"holds {len(tracks)} separate songs: read track {smf.tracks.index(chosen) + 1}")
        tracks = [chosen]
    parts = [(track, [n for n in track.notes if n[1] == _DRUM_CHANNEL]) for track in tracks]
    if not any(found for _, found in parts):
        parts = [(track, _drums_of(track)) for track in tracks]
    if not any(found for _, found in parts):
        channels = {(id(track), n[1]) for track in tracks for n in track.notes}
        if len(channels) > 1:
            found = _list_tracks(tracks)
            raise PatternError(f"no drums on channel 10 or on a track named drums, only {found}")
        parts = [(tracks[0], tracks[0].notes)]
    notes = [(tick, note, velocity) for _, found in parts for tick, _, note, velocity in found]
    return sorted(notes), max(track.end for track, found in parts if found)


def _drums_of(track: SmfTrack) -> list[tuple[int, int, int, int]]:
    """Return the notes of a track that says it is drums by channel, drum bank or name."""
    banked = track.drum_channels | {_DRUM_CHANNEL}
    named = track.notes if _DRUM_NAME.search(track.name) else []
    return [n for n in track.notes if n[1] in banked] or named


def _tempo_of(smf: Smf, last: int, warnings: list[str]) -> tuple[float, str]:
    """Return the tempo that lasts longest up to the last stroke, and where it comes from."""
    events = [(tick, _tempo(usec)) for tick, usec in smf.tempos if usec > 0]
    if not events:
        warnings.append(f"names no tempo: took {DEFAULT_TEMPO:g} BPM")
        return DEFAULT_TEMPO, "default"
    lasting = _durations(events, last, DEFAULT_TEMPO)
    seconds = {bpm: ticks / bpm for bpm, ticks in lasting.items()}
    tempo = max(seconds, key=lambda bpm: seconds[bpm])
    if len(seconds) > 1:
        low, high = min(seconds), max(seconds)
        changes = f"its tempo changes between {low:g} and {high:g} BPM"
        warnings.append(f"{changes}: took {tempo:g} BPM, which lasts longest")
    if not MIN_TEMPO <= tempo <= MAX_TEMPO:
        limits = f"{MIN_TEMPO:g} to {MAX_TEMPO:g}"
        raise PatternError(f"its tempo of {tempo:g} BPM lies outside {limits}: give another with --bpm")
    return tempo, "file"


def _tempo(usec: int) -> float:
    """Return the roundest tempo that is stored as `usec` microseconds a beat: 126, not 126.00013."""
    exact = 60e6 / usec
    return next((t for d in range(7) if (t := round(exact, d)) and round(60e6 / t) == usec), exact)


def _meter_of(smf: Smf, last: int, warnings: list[str]) -> tuple[tuple[int, int], str]:
    """Return the meter that lasts longest up to the last stroke, and where it comes from."""
    events = [(tick, (n, d)) for tick, n, d in smf.meters if 1 <= n <= 64 and d <= 32]
    if len(events) < len(smf.meters):
        warnings.append("names a meter that makes no sense, which was ignored")
    if not events:
        return (4, 4), "default"
    lasting = _durations(events, last, (4, 4))
    meter = max(lasting, key=lambda m: lasting[m])
    if len(lasting) > 1:
        names = ", ".join(f"{n}/{d}" for n, d in list(lasting)[:8])
        warnings.append(f"its meter changes ({names}): took {meter[0]}/{meter[1]}, which lasts longest")
    return meter, "file"


def _durations(events: list[tuple[int, _T]], last: int, default: _T) -> dict[_T, int]:
    """Return for how many ticks each value holds between the start and the last stroke."""
    # of several values at one tick the last holds; before the first one the default of the standard
    values = {0: default} | dict(events)
    ticks = [t for t in values if t <= last] or [0]
    lasting: dict[_T, int] = {}
    for start, stop in zip(ticks, [*ticks[1:], last + 1], strict=True):
        lasting[values[start]] = lasting.get(values[start], 0) + stop - start
    return lasting


def _loop_markers(smf: Smf, ticks_per_beat: float) -> tuple[float, float] | None:
    """Return the start and end in beats that loop markers name, if they name both."""
    places = {text.lower(): tick for tick, text in smf.markers}
    start, end = places.get(LOOP_START.lower()), places.get(LOOP_END.lower())
    if start is None or end is None or start >= end:
        return None
    return start / ticks_per_beat, end / ticks_per_beat


def _list_notes(counts: Mapping[int, int]) -> str:
    labels = {note: f"{note} ({gm_name(note)})" if gm_name(note) else str(note) for note in counts}
    names = [f"{labels[note]} x {count}" for note, count in counts.items()]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _list_tracks(tracks: list[SmfTrack]) -> str:
    parts = []
    for number, track in enumerate(tracks, 1):
        channels = sorted({n[1] + 1 for n in track.notes})
        label = repr(track.name) if track.name else f"track {number}"
        parts.append(f"{label} on channel {', '.join(map(str, channels))}")
    return "; ".join(parts[:6]) + (f" and {len(parts) - 6} more" if len(parts) > 6 else "")

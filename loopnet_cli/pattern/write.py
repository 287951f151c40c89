"""From a pattern to a MIDI file that any DAW, and `read_midi`, reads as the same loop."""

from __future__ import annotations

import io
from pathlib import Path

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.maps import NOTE_OF_VOICE
from loopnet_cli.pattern.midi import LOOP_END, LOOP_START
from loopnet_cli.pattern.model import Pattern

TICKS_PER_BEAT = 960
"""Resolution: divides into triplets, 128th notes and quintuplets."""

_NOTE_BEATS = 0.125  # drums ring on by themselves; DAWs only need a note that can be seen
_CHANNEL = 9


def to_midi(pattern: Pattern, *, ticks_per_beat: int = TICKS_PER_BEAT) -> bytes:
    """Return the pattern as a MIDI file of one track.

    Strokes are General MIDI notes on channel 10, at the nearest tick and 7-bit velocity. Tempo and
    meter are stored; the track ends on the last bar line; markers ``loopStart`` and ``loopEnd`` keep
    bars that start or end in silence.

    Parameters
    ----------
    pattern : Pattern
        What to write.
    ticks_per_beat : int, default 960
        Resolution in ticks per quarter note; a multiple of 8, so that every bar line is on a tick.

    Raises
    ------
    PatternError
        If the resolution cannot hold bar lines.
    """
    import mido

    if not 8 <= ticks_per_beat <= 32760 or ticks_per_beat % 8:
        raise PatternError(f"{ticks_per_beat} ticks a beat: use a multiple of 8 up to 32760, such as 480 or 960")
    total = round(pattern.beats * ticks_per_beat)
    numerator, denominator = pattern.meter
    # (tick, order at that tick, message): the settings, then ends of notes, then notes
    events: list[tuple[int, int, mido.Message]] = [
        (0, 0, mido.MetaMessage("track_name", name="Drums")),
        (0, 0, mido.MetaMessage("set_tempo", tempo=round(60e6 / pattern.tempo))),
        (0, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)),
        (0, 0, mido.MetaMessage("marker", text=LOOP_START)),
        (total, 3, mido.MetaMessage("marker", text=LOOP_END)),
        (total, 4, mido.MetaMessage("end_of_track")),
    ]
    strokes: dict[tuple[int, int], int] = {}
    for hit in pattern.hits:
        # the tick after the last one is the first one of the next turn
        key = (NOTE_OF_VOICE[hit.voice], round(hit.beat * ticks_per_beat) % total)
        strokes[key] = max(strokes.get(key, 1), round(hit.velocity * 127))
    placed = sorted(strokes.items())
    for index, ((note, tick), velocity) in enumerate(placed):
        stop = min(tick + max(1, round(_NOTE_BEATS * ticks_per_beat)), total)
        if index + 1 < len(placed) and placed[index + 1][0][0] == note:
            stop = min(stop, placed[index + 1][0][1])  # a note ends before it is struck again
        on = mido.Message("note_on", channel=_CHANNEL, note=note, velocity=velocity)
        off = mido.Message("note_off", channel=_CHANNEL, note=note, velocity=64)
        events += [(tick, 2, on), (stop, 1, off)]
    events.sort(key=lambda event: event[:2])

    track = mido.MidiTrack()
    now = 0
    for tick, _, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    file = mido.MidiFile(type=0, ticks_per_beat=ticks_per_beat)
    file.tracks.append(track)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def write_midi(pattern: Pattern, path: str | Path, *, ticks_per_beat: int = TICKS_PER_BEAT) -> Path:
    """Write the pattern to a MIDI file (see `to_midi`) and return its path.

    Raises
    ------
    PatternError
        If the file cannot be written; what stood there before is then untouched.
    """
    path = Path(path)
    data = to_midi(pattern, ticks_per_beat=ticks_per_beat)
    partial = path.with_name(f".{path.name}.part")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    except (OSError, ValueError) as error:
        partial.unlink(missing_ok=True)
        raise PatternError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from None
    return path

"""Standard MIDI Files, byte by byte: the notes, tempos and meters, and nothing else.

Written for files from anywhere: the work is bounded by the file's size, `MAX_NOTES` and
`MAX_SIGNS`, and damage is reported with the byte where it lies. (mido, which the tests compare
this with, builds an object an event, so that a hostile file of 16 MB takes minutes and gigabytes.)
Reference: MMA RP-001, Standard MIDI Files 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_BYTES = 16 * 1024 * 1024
MAX_NOTES = 200_000
MAX_SIGNS = 50_000

# how many data bytes follow a status byte: channel messages by their high nibble, system messages whole
_CHANNEL_DATA = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_DATA = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_TRACK_NAME, _INSTRUMENT, _MARKER, _END, _TEMPO, _METER = 0x03, 0x04, 0x06, 0x2F, 0x51, 0x58


class SmfError(Exception):
    """The bytes are not a MIDI file, or a damaged one. The message is a clause without the file's name."""


@dataclass(slots=True)
class SmfTrack:
    """One track.

    Attributes
    ----------
    name : str
        Its name and its instrument's name.
    notes : list of (tick, channel, note, velocity)
        The strokes, in file order; channels from 0, velocities 1..127.
    drum_channels : set of int
        Channels switched to a drum bank (GM2 and XG bank select).
    end : int
        The tick of its end.
    """

    name: str = ""
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    drum_channels: set[int] = field(default_factory=set)
    end: int = 0


@dataclass(slots=True)
class Smf:
    """What a MIDI file holds.

    Attributes
    ----------
    format : int
        0, 1 or 2.
    ticks_per_beat : int
        Resolution, or 0 where the file counts in seconds.
    ticks_per_second : float
        Resolution of a file that counts in SMPTE frames, else 0.
    tracks : list of SmfTrack
    tempos : list of (tick, microseconds a beat)
        Sorted by tick.
    meters : list of (tick, numerator, denominator)
        Sorted by tick.
    markers : list of (tick, text)
        Sorted by tick.
    """

    format: int
    ticks_per_beat: int
    ticks_per_second: float
    tracks: list[SmfTrack] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    markers: list[tuple[int, str]] = field(default_factory=list)


def parse_smf(data: bytes) -> Smf:
    """Parse the bytes of a MIDI file (also one wrapped in RIFF, ``.rmi``).

    Raises
    ------
    SmfError
        If the bytes are no MIDI file, damaged, cut short, or beyond `MAX_BYTES` or `MAX_NOTES`.
    """
    if not data:
        raise SmfError("is empty")
    if len(data) > MAX_BYTES:
        raise SmfError(f"is too large for a rhythm: more than {MAX_BYTES >> 20} MB")
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        start = data.find(b"MThd", 12)
        data = data[start:] if start > 0 else b""
    if data[:4] != b"MThd":
        raise SmfError("is not a MIDI file")
    length = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or length < 6:
        raise SmfError("is cut short in its header")
    division = int.from_bytes(data[12:14], "big")
    ticks_per_beat, ticks_per_second = division, 0.0
    if division & 0x8000:
        frames, per_frame = 256 - (division >> 8), division & 0xFF
        ticks_per_beat, ticks_per_second = 0, (29.97 if frames == 29 else float(frames)) * per_frame
    if not ticks_per_beat and not ticks_per_second:
        raise SmfError("has a resolution of 0 ticks")
    smf = Smf(int.from_bytes(data[8:10], "big"), ticks_per_beat, ticks_per_second)
    _read_tracks(data, 8 + length, int.from_bytes(data[10:12], "big"), smf)
    smf.tempos.sort(key=lambda event: event[0])
    smf.meters.sort(key=lambda event: event[0])
    smf.markers.sort(key=lambda event: event[0])
    return smf


def _read_tracks(data: bytes, position: int, announced: int, smf: Smf) -> None:
    total = 0
    while position + 8 <= len(data) and len(smf.tracks) < announced:
        kind, size = data[position : position + 4], int.from_bytes(data[position + 4 : position + 8], "big")
        position += 8
        if kind == b"MTrk":
            if position + size > len(data):
                raise SmfError(f"is cut short: track {len(smf.tracks) + 1} lacks its last "
                               f"{position + size - len(data)} bytes")  # fmt: skip
            track = _read_track(data, position, position + size, smf, MAX_NOTES - total)
            total += len(track.notes)
            smf.tracks.append(track)
        position += size  # chunks of another kind are skipped, as the standard asks
    if len(smf.tracks) < announced:
        raise SmfError(f"is cut short: {len(smf.tracks)} of its {announced} tracks are there")


def _read_track(data: bytes, position: int, stop: int, smf: Smf, room: int) -> SmfTrack:
    """Read one track's events; everything but notes, names, tempos, meters and markers is skipped."""
    track = SmfTrack()
    notes = track.notes
    tick = status = 0
    event = position
    try:
        while position < stop:
            event = position
            delta, position = _varint(data, position, stop)
            tick += delta
            byte = data[position]
            if byte == 0xFF:
                kind = data[position + 1]
                size, position = _varint(data, position + 2, stop)
                if position + size > stop:
                    raise IndexError
                if kind == _END:
                    break
                _meta(kind, tick, data[position : position + size], track, smf)
                position += size
                continue
            if byte in (0xF0, 0xF7):
                size, position = _varint(data, position + 1, stop)
                position += size
                if position > stop:
                    raise IndexError
                continue
            if byte > 0xF0:  # not allowed in files, but its length is known
                position += 1 + _SYSTEM_DATA.get(byte, 0)
                continue
            if byte & 0x80:
                status = byte
                position += 1
            elif not status:
                raise SmfError(f"is damaged at byte {position}: data where an event should start")
            high = status >> 4
            count = _CHANNEL_DATA[high]
            if position + count > stop:
                raise IndexError
            first = data[position]
            if first > 127:
                raise SmfError(f"is damaged at byte {position}: {first} where data up to 127 should be")
            if high == 0x9 and data[position + 1]:
                if len(notes) >= room:
                    raise SmfError(f"holds more than {MAX_NOTES:,} notes: too many for a rhythm")
                # some writers overshoot the 7 bits of the velocity
                notes.append((tick, status & 15, first, min(data[position + 1], 127)))
            elif high == 0xB and first == 0 and data[position + 1] in (120, 127):
                track.drum_channels.add(status & 15)
            position += count
    except IndexError:
        raise SmfError(f"is damaged at byte {event}: an event reaches past the end of its track") from None
    track.end = tick
    return track


def _varint(data: bytes, position: int, stop: int) -> tuple[int, int]:
    """Return a variable-length number (at most four bytes) and the position after it."""
    value = data[position]
    position += 1
    if value & 0x80:
        value &= 0x7F
        for _ in range(3):
            byte = data[position]
            position += 1
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        else:
            raise SmfError(f"is damaged at byte {position}: a number of more than four bytes")
    if position > stop:
        raise IndexError
    return value, position


def _meta(kind: int, tick: int, payload: bytes, track: SmfTrack, smf: Smf) -> None:
    if len(smf.tempos) + len(smf.meters) + len(smf.markers) >= MAX_SIGNS:
        raise SmfError(f"holds more than {MAX_SIGNS:,} tempos, meters and markers: too many for a rhythm")
    if kind in (_TRACK_NAME, _INSTRUMENT):
        track.name = f"{track.name} {_text(payload)}".strip()[:120]
    elif kind == _MARKER:
        smf.markers.append((tick, _text(payload)))
    elif kind == _TEMPO and len(payload) >= 3:
        smf.tempos.append((tick, int.from_bytes(payload[:3], "big")))
    elif kind == _METER and len(payload) >= 2:
        # the denominator is stored as a power of two; keep hostile ones small
        smf.meters.append((tick, payload[0], 1 << min(payload[1], 16)))


def _text(payload: bytes) -> str:
    """Return a name as one printable line."""
    text = payload[:80].decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()

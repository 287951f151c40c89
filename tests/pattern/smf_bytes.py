"""MIDI files spelled out byte by byte, so that the tests do not trust the code they test."""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(reversed(out))


def header(tracks: int = 1, division: int = 480, kind: int = 0) -> bytes:
    return b"MThd" + struct.pack(">IHHH", 6, kind, tracks, division)


def track(body: bytes, end: int | None = 0) -> bytes:
    """Wrap events; `end` is the delta of the end-of-track event, None for a track without one."""
    if end is not None:
        body += varint(end) + b"\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def tempo(usec: int, delta: int = 0) -> bytes:
    return varint(delta) + b"\xff\x51\x03" + usec.to_bytes(3, "big")


def meter(numerator: int, power: int, delta: int = 0) -> bytes:
    return varint(delta) + b"\xff\x58\x04" + bytes([numerator, power, 24, 8])


def name(text: str) -> bytes:
    return b"\x00\xff\x03" + varint(len(text.encode())) + text.encode()


def marker(text: str, delta: int = 0) -> bytes:
    return varint(delta) + b"\xff\x06" + varint(len(text)) + text.encode()


def hits(*beats: float, note: int = 36, velocity: int = 100, channel: int = 9, division: int = 480) -> bytes:
    """Note-ons at the beats, each ended at once by a note-on of velocity 0."""
    out, now = b"", 0
    for beat in beats:
        tick = round(beat * division)
        out += varint(tick - now) + bytes([0x90 | channel, note, velocity])
        out += b"\x00" + bytes([0x90 | channel, note, 0])
        now = tick
    return out


def song(body: bytes, end: int = 1, division: int = 480) -> bytes:
    """A file of one track; by default its end falls on no bar line."""
    return header(division=division) + track(body, end)

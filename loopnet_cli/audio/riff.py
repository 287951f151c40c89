"""RIFF/WAVE bytes: writing a file with loop metadata, and walking the chunks of one that somebody else wrote.

Layout written: ``fmt`` (``fact`` for floats), ``data``, then ``smpl``, ``acid`` and ``LIST INFO``. What
describes the loop comes after the audio, where readers that stop at ``data`` never meet it. Nothing depends
on the time or the machine, so the same audio and settings give the same bytes.

Sources: "Multimedia Programming Interface and Data Specifications 1.0" (RIFF, WAVE, INFO), the Microsoft
"New Multimedia Data Types" note (``smpl``), and the field order of the undocumented ``acid`` chunk as
libsndfile reads it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import BinaryIO, NamedTuple

from loopnet_cli.errors import AudioError

MAX_RIFF_BYTES = 2**32 - 2**20
"""Sizes are 32 bits wide; a mebibyte is left for the chunks around the audio."""

_PCM, _FLOAT = 1, 3
_ACID_ONE_SHOT, _ACID_STRETCH = 0x01, 0x04  # a sound without a tempo; a loop to be stretched to the project
_ACID_LAYOUT = "<IHHfIHHf"
_MOST_CHUNKS = 1024  # files have a dozen
MAX_CHUNKS = 100_000
"""A hostile file could hold hundreds of millions of empty ones."""
_UNKNOWN_SIZES = (0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFF000)  # what programs write that stream a WAV into a pipe


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk: name, size, body, and the pad byte that keeps what follows at an even place."""
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def smpl_chunk(samples: int, sample_rate: int) -> bytes:
    """Return a ``smpl`` chunk with one endless forward loop over the whole file, last sample included."""
    period = round(1e9 / sample_rate)
    header = struct.pack("<9I", 0, 0, period, 60, 0, 0, 0, 1, 0)
    return chunk(b"smpl", header + struct.pack("<6I", 0, 0, 0, samples - 1, 0, 0))


def acid_chunk(tempo: float, meter: tuple[int, int], beats: float) -> bytes:
    """Return an ``acid`` chunk: a loop, its tempo, meter and length.

    The count of beats is a whole number in this chunk; a loop with half a
    quarter note at its end (one bar of 7/8) is rounded there. The tempo is not.
    """
    count = max(1, int(beats + 0.5))
    numerator, denominator = meter
    return chunk(
        b"acid",
        struct.pack(_ACID_LAYOUT, _ACID_STRETCH, 60, 0x8000, 0.0, count, denominator, numerator, tempo),
    )


def info_chunk(texts: Mapping[str, str]) -> bytes:
    """Return a ``LIST INFO`` chunk, e.g. from ``{"ISFT": "loopnet 1.0", "ICMT": "..."}``."""
    body = b"".join(chunk(name.encode("ascii"), text.encode("utf-8") + b"\0") for name, text in texts.items())
    return chunk(b"LIST", b"INFO" + body)


def wave_bytes(
    samples: bytes, *, sample_rate: int, channels: int, bits: int, floating: bool, chunks: bytes = b""
) -> bytes:
    """Return a whole WAV file.

    Parameters
    ----------
    samples : bytes
        Interleaved little-endian samples.
    sample_rate, channels : int
        Of `samples`.
    bits : int
        Per sample: 16, 24 or 32.
    floating : bool
        Whether the samples are IEEE floats.
    chunks : bytes
        Chunks to place after the audio.

    Raises
    ------
    AudioError
        If the file would pass the 4 GB that RIFF can hold.
    """
    if len(samples) + len(chunks) > MAX_RIFF_BYTES:
        raise AudioError("more audio than the 4 GB that a WAV file can hold: use FLAC or fewer repeats")
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", _FLOAT if floating else _PCM, channels, sample_rate, sample_rate * frame, frame, bits)
    body = b"WAVE"
    if floating:
        body += chunk(b"fmt ", fmt + b"\0\0") + chunk(b"fact", struct.pack("<I", len(samples) // frame))
    else:
        body += chunk(b"fmt ", fmt)
    body += chunk(b"data", samples) + chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


class Chunk(NamedTuple):
    """A chunk as found: `size` is what its header says, `available` how much of that is there."""

    name: bytes
    size: int
    available: int
    body: bytes


def walk(stream: BinaryIO, *, max_body: int = 2**24) -> Iterator[Chunk]:
    """Yield the chunks of a RIFF/WAVE stream, to its end.

    The bodies of ``data`` and of chunks longer than `max_body` bytes are not read (empty in what is yielded).

    Raises
    ------
    AudioError
        If the stream is no RIFF/WAVE file, or has more than `MAX_CHUNKS` chunks.
    """
    head = stream.read(12)
    if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise AudioError("not a RIFF/WAVE file")
    end = stream.seek(0, 2)
    at = 12
    count = 0
    while at + 8 <= end:
        count += 1
        if count > MAX_CHUNKS:
            raise AudioError(f"damaged: more than {MAX_CHUNKS:,} chunks")
        stream.seek(at)
        name, size = struct.unpack("<4sI", stream.read(8))
        body = b"" if name == b"data" or size > max_body else stream.read(size)
        yield Chunk(name, size, min(size, end - at - 8), body)
        at += 8 + size + size % 2


def check_data(stream: BinaryIO) -> None:
    """Raise AudioError if a RIFF/WAVE stream holds less audio than its header says.

    Sizes that programs write who stream a WAV into a pipe count as unknown, not as a claim.
    """
    for found in walk(stream, max_body=0):
        if found.name == b"data" and found.available < found.size and found.size not in _UNKNOWN_SIZES:
            raise AudioError(f"cut short: its header says {found.size} bytes of audio, {found.available} are there")


def parse_info(body: bytes) -> dict[str, str]:
    """Return the texts of a ``LIST INFO`` chunk's body; what is damaged is left out."""
    texts: dict[str, str] = {}
    if body[:4] != b"INFO":
        return texts
    at = 4
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        raw = body[at + 8 : at + 8 + size]
        texts[name.decode("ascii", "replace")] = raw.rstrip(b"\0").decode("utf-8", "replace")
        at += 8 + size + size % 2
    return texts


class Acid(NamedTuple):
    """What an ``acid`` chunk says of a file; values that make no sense are None."""

    one_shot: bool
    tempo: float | None
    beats: int | None
    meter: tuple[int, int] | None


def parse_acid(body: bytes) -> Acid | None:
    """Read the body of an ``acid`` chunk; None if it is too short to be one."""
    if len(body) < struct.calcsize(_ACID_LAYOUT):
        return None
    flags, _, _, _, beats, denominator, numerator, tempo = struct.unpack_from(_ACID_LAYOUT, body)
    is_meter = 1 <= numerator <= 64 and denominator in (1, 2, 4, 8, 16, 32)
    return Acid(
        one_shot=bool(flags & _ACID_ONE_SHOT),
        tempo=tempo if math.isfinite(tempo) and 20.0 <= tempo <= 400.0 else None,
        beats=beats if 1 <= beats <= 4096 else None,
        meter=(numerator, denominator) if is_meter else None,
    )


def read_acid(stream: BinaryIO) -> Acid | None:
    """Find the ``acid`` chunk among the first thousand chunks of a stream; None if it has none or is no WAV file."""
    try:
        for found in islice(walk(stream, max_body=256), _MOST_CHUNKS):
            if found.name == b"acid":
                return parse_acid(found.body)
    except AudioError:
        pass
    return None

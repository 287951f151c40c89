"""An audio file decoded block by block, so that its length costs no memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from loopnet_cli.audio import riff
from loopnet_cli.audio.hush import hushed
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_RATE, MAX_RATE = 1000, 768_000
BLOCK = 1 << 16
MAX_BYTES = 2**31
"""The most that is taken from a pipe or standard input; files may be larger."""
LOUDEST = 1e12
"""Samples beyond so many times full scale are damage; floats hold 3e38, and their squares do not fit."""
_NO_COUNT = 2**40  # above what FLAC can count; libsndfile's answer where a header leaves it open is near 2**63
# containers whose header states the number of frames, so that fewer mean a damaged file
_EXACT = frozenset({"WAV", "WAVEX", "RF64", "AIFF", "FLAC", "CAF", "W64", "AU"})


@dataclass(frozen=True)
class AudioStream:
    """An open audio file.

    Attributes
    ----------
    name : str
        What errors call it.
    sample_rate, channels : int
        In Hz, and how many.
    format, subtype : str
        As libsndfile names them, e.g. ``WAV`` and ``PCM_16``.
    frames : int or None
        How many the header says there are; None where it does not say, or may be wrong (MP3).
    """

    name: str
    sample_rate: int
    channels: int
    format: str
    subtype: str
    frames: int | None
    _file: Any

    @property
    def comment(self) -> str:
        """What the file says about itself; empty for nothing."""
        return str(self._file.comment)

    @property
    def software(self) -> str:
        """What the file says it was made with; empty for nothing."""
        return str(self._file.software)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Decode from frame `start` up to `stop`, or to the end; full scale is -1..1.

        Yields
        ------
        ndarray of float32, shape (frames, channels)
            At most `BLOCK` frames.

        Raises
        ------
        AudioError
            If the file is damaged, or holds less than its header says.
        """
        import soundfile

        at = 0
        try:
            if self.frames is not None and start:
                # the others find no exact place: they are decoded up to it
                at = self._file.seek(min(start, self.frames))
            else:
                self._file.seek(0)
            while stop is None or at < stop:
                # block by block: a header may claim more frames than fit in memory
                wanted = BLOCK if stop is None else min(BLOCK, stop - at)
                with hushed(self.format == "MP3"):
                    block = self._file.read(wanted, dtype="float32", always_2d=True)
                if not len(block):
                    break
                at += len(block)
                kept = block[max(0, start - (at - len(block))) :]
                if len(kept):
                    yield kept
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{self.name} is not audio that can be read: {error.error_string}") from error
        if self.frames is not None and at < (self.frames if stop is None else min(stop, self.frames)):
            raise AudioError(f"{self.name} is cut short: its header says {self.frames} samples, {at} are there")


@contextmanager
def open_audio(source: str | Path | bytes, name: str | None = None) -> Iterator[AudioStream]:
    """Open an audio file.

    Parameters
    ----------
    source : path or bytes
        A file in any format that libsndfile knows, or its content.
    name : str, optional
        What errors call it; by default its path.

    Raises
    ------
    AudioError
        If the file is missing, no audio, cut short, or of a sample rate out of range.
    """
    import soundfile

    name = name or ("the audio" if isinstance(source, bytes) else str(source))
    with _bytes_of(source, name) as stream:
        if not stream.read(1):
            raise AudioError(f"{name} is empty")
        stream.seek(0)
        head = stream.read(4)
        if head == b"RIFF":
            # libsndfile mends a data chunk that claims too much, in silence
            try:
                stream.seek(0)
                riff.check_data(stream)
            except AudioError as error:
                raise AudioError(f"{name}: {error}") from error
        stream.seek(0)
        try:
            with hushed(_may_be_mpeg(head)):
                file = soundfile.SoundFile(_Seekable(stream))
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{name} is not audio that can be read: {error.error_string}") from error
        with file:
            rate = int(file.samplerate)
            if not MIN_RATE <= rate <= MAX_RATE:
                raise AudioError(f"{name} has a sample rate of {rate} Hz: {MIN_RATE} to {MAX_RATE} can be read")
            counted = file.format in _EXACT and file.frames < _NO_COUNT
            frames = int(file.frames) if counted else None
            yield AudioStream(name, rate, int(file.channels), file.format, file.subtype, frames, file)


def _may_be_mpeg(head: bytes) -> bool:
    return head[:3] == b"ID3" or (head[:1] == b"\xff" and head[1:2] >= b"\xe0")


class _Seekable:
    """A binary file for libsndfile, which seeks to anywhere in damaged files; Python would print a traceback.

    It has no name either, from whose ending soundfile would guess at headerless audio.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = stream.seek(0, 2)
        stream.seek(0)
        self.read, self.tell = stream.read, stream.tell

    def readinto(self, buffer: Any) -> int:
        return int(self._stream.readinto(buffer))  # type: ignore[attr-defined]

    def seek(self, offset: int, whence: int = 0) -> int:
        base = {0: 0, 1: self._stream.tell(), 2: self._size}[whence]
        return self._stream.seek(min(max(0, base + offset), self._size))


@contextmanager
def _bytes_of(source: str | Path | bytes, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    path = Path(source)
    try:
        if path.is_dir():
            raise AudioError(f"cannot read {name}: it is a folder")
        stream: BinaryIO = path.open("rb")
        if not path.is_file():
            # a pipe or a device: libsndfile has to seek
            with stream:
                content = stream.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise AudioError(f"{name} is larger than 2 GB: cut it first")
            stream = io.BytesIO(content)
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    with stream:
        yield stream

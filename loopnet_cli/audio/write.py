"""Loops to files: WAV and FLAC that say how they repeat, and from what they were made."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio import riff
from loopnet_cli.audio.files import write_whole
from loopnet_cli.audio.stream import open_audio
from loopnet_cli.controls import Loop
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.version import __version__

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS: tuple[str, ...] = ("wav", "flac")
SUBTYPES: dict[str, str] = {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}
"""Sample formats by the name used on the command line, with libsndfile's."""

_TOLD_IN = (b"smpl", b"acid", b"LIST")

SOFTWARE = f"loopnet {__version__}"


@dataclass(frozen=True)
class LoopMetadata:
    """What a file says about the loop in it; None or empty where it says nothing.

    Attributes
    ----------
    loop_points : tuple of int, or None
        First and last sample of the repeated part, both included.
    tempo : float or None
        Quarter notes per minute.
    meter : tuple of int, or None
        Numerator and denominator.
    beats : int or None
        Length in quarter notes, rounded where the format counts whole ones.
    software : str
        What wrote the file.
    settings : Mapping
        How the loop was made, as `write_loop` stored it.
    """

    loop_points: tuple[int, int] | None = None
    tempo: float | None = None
    meter: tuple[int, int] | None = None
    beats: int | None = None
    software: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)


def check_format(format: str, subtype: str) -> None:
    """Raise UsageError if there is no such file format, or it cannot hold such samples."""
    if format not in FORMATS:
        raise UsageError(f"unknown format {format!r}: use {' or '.join(FORMATS)}")
    if subtype not in SUBTYPES:
        raise UsageError(f"unknown subtype {subtype!r}: use {', '.join(SUBTYPES)}")
    if format == "flac" and subtype == "float":
        raise UsageError("FLAC holds 16 or 24 bits, not floats: use --subtype 24, or --format wav")


def settings_text(loop: Loop) -> str:
    """Return the settings stored with a loop: one line of JSON, ASCII, keys in order."""
    settings = {
        **loop.settings,
        "seed": loop.seed,
        "tempo": loop.tempo,
        "bars": loop.bars,
        "meter": list(loop.meter),
        "sample_rate": loop.sample_rate,
    }
    return json.dumps(settings, sort_keys=True, separators=(",", ":"))


def encode_loop(loop: Loop, *, format: str = "wav", subtype: str = "24") -> bytes:
    """Return a loop as the bytes of a file.

    Parameters
    ----------
    loop : Loop
        What to write; samples beyond -1..1 are clipped unless `subtype` is ``float``.
    format : str
        ``wav`` or ``flac``.
    subtype : str
        ``16``, ``24`` or (WAV only) ``float``.

    Raises
    ------
    UsageError
        If the format cannot hold the subtype.
    AudioError
        If the loop is empty or not finite, or too long for the format.
    """
    import numpy as np

    check_format(format, subtype)
    if loop.audio.shape[0] == 0:
        raise AudioError("the loop is empty")
    if not np.isfinite(loop.audio).all():
        raise AudioError("the loop holds values that are no numbers (NaN or infinity)")
    if format == "flac":
        return _flac(loop, SUBTYPES[subtype])
    beats = loop.bars * loop.meter[0] * 4 / loop.meter[1]
    chunks = (
        riff.smpl_chunk(loop.audio.shape[0], loop.sample_rate)
        + riff.acid_chunk(loop.tempo, loop.meter, beats)
        + riff.info_chunk({"ISFT": SOFTWARE, "ICMT": settings_text(loop)})
    )
    return riff.wave_bytes(
        _raw_samples(loop.audio, SUBTYPES[subtype], loop.sample_rate),
        sample_rate=loop.sample_rate,
        channels=1 if loop.audio.ndim == 1 else loop.audio.shape[1],
        bits={"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}[SUBTYPES[subtype]],
        floating=subtype == "float",
        chunks=chunks,
    )


def write_loop(loop: Loop, path: str | Path, *, format: str = "wav", subtype: str = "24") -> None:
    """Write a loop to a file, whole or not at all; see `encode_loop`.

    Raises
    ------
    UsageError, AudioError
        As `encode_loop`; AudioError also if the file cannot be written.
    """
    write_whole(path, encode_loop(loop, format=format, subtype=subtype))


def read_loop_metadata(path: str | Path) -> LoopMetadata:
    """Read what a WAV or FLAC file says about the loop in it.

    Raises
    ------
    AudioError
        If the file cannot be read or is cut short.
    """
    try:
        with Path(path).open("rb") as stream:
            if stream.read(4) == b"RIFF":
                stream.seek(0)
                told = [c for c in riff.walk(stream) if c.name in _TOLD_IN]
                return _wav_metadata({c.name: c.body for c in told if c.name != b"LIST" or c.body[:4] == b"INFO"})
    except OSError as error:
        raise AudioError(f"cannot read {path}: {error.strerror}") from error
    except AudioError as error:
        raise AudioError(f"{path}: {error}") from error
    return _tagged_metadata(path)


def _raw_samples(audio: NDArray[np.float32], subtype: str, sample_rate: int) -> bytes:
    import soundfile

    # libsndfile converts and clips; not its WAV header, which holds the time of day in float files
    stream = io.BytesIO()
    soundfile.write(stream, audio, sample_rate, format="RAW", subtype=subtype, endian="LITTLE")
    return stream.getvalue()


def _flac(loop: Loop, subtype: str) -> bytes:
    import soundfile

    stream = io.BytesIO()
    channels = 1 if loop.audio.ndim == 1 else loop.audio.shape[1]
    try:
        with soundfile.SoundFile(
            stream, "w", samplerate=loop.sample_rate, channels=channels, format="FLAC", subtype=subtype
        ) as file:
            file.software = SOFTWARE
            file.comment = settings_text(loop)
            file.write(loop.audio)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"FLAC cannot hold this loop: {error.error_string}") from error
    return stream.getvalue()


def _wav_metadata(chunks: Mapping[bytes, bytes]) -> LoopMetadata:
    points = tempo = meter = beats = None
    smpl = chunks.get(b"smpl", b"")
    if len(smpl) >= 60 and struct.unpack_from("<I", smpl, 28)[0] >= 1:
        points = struct.unpack_from("<II", smpl, 44)
    acid = chunks.get(b"acid", b"")
    if len(acid) >= 24:
        beats, denominator, numerator, tempo = struct.unpack_from("<IHHf", acid, 12)
        meter = (numerator, denominator)
    texts = riff.parse_info(chunks.get(b"LIST", b""))
    return LoopMetadata(points, tempo, meter, beats, texts.get("ISFT", ""), _settings(texts.get("ICMT", "")))


def _tagged_metadata(path: str | Path) -> LoopMetadata:
    with open_audio(path) as stream:
        settings = _settings(stream.comment)
        software, last = stream.software, (stream.frames or 0) - 1
    tempo, meter, bars = settings.get("tempo"), settings.get("meter"), settings.get("bars")
    if not (isinstance(tempo, int | float) and isinstance(bars, int) and isinstance(meter, list)):
        return LoopMetadata(software=software, settings=settings)
    match meter:
        case [int(numerator), int(denominator)] if denominator > 0:
            beats = int(bars * numerator * 4 / denominator + 0.5)
            return LoopMetadata((0, last), float(tempo), (numerator, denominator), beats, software, settings)
    return LoopMetadata((0, last), float(tempo), None, None, software, settings)


def _settings(text: str) -> dict[str, object]:
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}

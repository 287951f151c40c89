"""Audio to what fits in a page: lossless and exactly as long as it is, with a small picture of itself."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio import levels
from loopnet_cli.errors import AudioError
from loopnet_cli.report.items import Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SECONDS = 120.0
"""What a page takes of one recording; recordings that a loop is compared with may be long."""

COLUMNS = 320
"""Width of the small picture."""

LOW_HZ, HIGH_HZ = 180.0, 3500.0
"""Where low meets mid and mid meets high in the colours of the small picture."""


@dataclass(frozen=True)
class Encoded:
    """A clip ready for a page.

    Attributes
    ----------
    media : str
        Its type, e.g. ``audio/flac``.
    content : bytes
        The file; empty if it is to be linked.
    sample_rate, samples, channels : int
        Of what is in `content`.
    loudness, peak_db : float
        In LUFS, and true peak in dB.
    picture : str
        `COLUMNS` times 4 bytes in base64: lowest and highest sample (-127..127), shares of low and high (0..255).
    cut : bool
        Whether only the first `MAX_SECONDS` are there.
    """

    media: str
    content: bytes
    sample_rate: int
    samples: int
    channels: int
    loudness: float
    peak_db: float
    picture: str
    cut: bool


def encode_clip(clip: Clip, *, embed: bool = True) -> Encoded:
    """Read, measure and encode a clip: 16-bit FLAC, which is lossless and adds no sample.

    Raises
    ------
    AudioError
        If its file cannot be read, or there is nothing to hear.
    """
    import numpy as np

    audio, rate, cut = _audio(clip)
    finite = np.nan_to_num(audio, nan=0.0, posinf=1.0, neginf=-1.0)
    media, content = _flac(finite, rate) if embed else ("", b"")
    if clip.levels is None:
        loudness, peak = levels.loudness(finite, rate), levels.true_peak_db(finite)
    else:
        loudness, peak = clip.levels.loudness_lufs, clip.levels.true_peak_db
    mono = finite if finite.ndim == 1 else finite.mean(axis=1)
    return Encoded(
        media=media,
        content=content,
        sample_rate=rate,
        samples=audio.shape[0],
        channels=1 if audio.ndim == 1 else audio.shape[1],
        loudness=round(loudness, 2),
        peak_db=round(peak, 2),
        picture=base64.b64encode(picture(mono, rate).tobytes()).decode("ascii"),
        cut=cut,
    )


def _audio(clip: Clip) -> tuple[NDArray[np.float32], int, bool]:
    if clip.audio is not None:
        if not clip.sample_rate:
            raise AudioError(f"{clip.label}: audio without a sample rate")
        audio, rate = clip.audio, clip.sample_rate
        most = int(MAX_SECONDS * rate)
    elif clip.path is not None:
        from loopnet_cli.audio.read import read_part
        from loopnet_cli.audio.stream import open_audio

        with open_audio(clip.path) as stream:
            rate = stream.sample_rate
        most = int(MAX_SECONDS * rate)
        audio = read_part(clip.path, 0, most + 1, mono=False)
    else:
        raise AudioError(f"{clip.label}: there is no audio")
    if not audio.shape[0]:
        raise AudioError(f"{clip.label} holds no audio (0 samples)")
    return audio[:most], rate, audio.shape[0] > most


def _flac(audio: NDArray[np.float32], sample_rate: int) -> tuple[str, bytes]:
    """Encode as FLAC; as WAV at the few rates that FLAC cannot state."""
    import soundfile

    for media, format in (("audio/flac", "FLAC"), ("audio/wav", "WAV")):
        stream = io.BytesIO()
        try:
            soundfile.write(stream, audio, sample_rate, format=format, subtype="PCM_16")
        except soundfile.LibsndfileError:
            continue
        return media, stream.getvalue()
    raise AudioError(f"audio at {sample_rate} Hz cannot be put in a page: resample it")


def picture(mono: NDArray[np.floating], sample_rate: int, columns: int = COLUMNS) -> NDArray[np.uint8]:
    """Return a small picture of a waveform: how far it swings, and where its power lies.

    Returns
    -------
    ndarray of uint8, shape (columns, 4)
        Lowest and highest sample as two's complement, -127..127; shares of power below `LOW_HZ` and above `HIGH_HZ`,
        0..255.
    """
    import numpy as np

    samples = mono.shape[0]
    edges = np.arange(columns) * samples // columns
    found = np.zeros((columns, 4), dtype=np.uint8)
    swing = np.stack([np.minimum.reduceat(mono, edges), np.maximum.reduceat(mono, edges)], axis=1)
    found[:, :2] = np.round(127 * np.clip(swing, -1, 1)).astype(np.int8).view(np.uint8)
    centres = edges + samples // (2 * columns)
    windows = mono[(centres[:, None] + np.arange(-512, 512)) % samples] * np.hanning(1024)
    lines = np.abs(np.fft.rfft(windows)) ** 2
    hertz = np.fft.rfftfreq(1024, 1 / sample_rate)
    low, high = hertz < LOW_HZ, hertz > HIGH_HZ
    # the ear weighs octaves, not hertz: high bands hold little power and much of what is heard
    parts = np.stack([lines[:, low].sum(1) * 0.35, lines[:, ~low & ~high].sum(1), lines[:, high].sum(1) * 6], axis=1)
    shares = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-20)
    found[:, 2:] = np.round(255 * shares[:, [0, 2]]).astype(np.uint8)
    return found


def link_to(path: Path, page: Path) -> str:
    """Return the address of a file as seen from a page: relative where that is possible."""
    import os
    from urllib.parse import quote_from_bytes

    target, folder = Path(os.path.abspath(path)), Path(os.path.abspath(page)).parent  # noqa: PTH100 - links are kept
    try:
        parts = Path(os.path.relpath(target, folder)).parts
    except ValueError:  # another drive
        return target.as_uri()
    # a leading ./ keeps a name such as javascript:x from being read as a scheme
    return "./" + "/".join(quote_from_bytes(os.fsencode(part), safe="") for part in parts)

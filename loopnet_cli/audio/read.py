"""Any audio file to floats, with limits on what a file may claim."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio import riff
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SECONDS = 3600.0
MIN_RATE, MAX_RATE = 1000, 768_000
_BLOCK = 1 << 16
_NO_COUNT = 2**40  # above what FLAC can count; libsndfile's answer where a header leaves it open is near 2**63
# containers whose header states the number of frames, so that fewer mean a damaged file
_EXACT = frozenset({"WAV", "WAVEX", "RF64", "AIFF", "FLAC", "CAF", "W64", "AU"})


def read_audio(
    source: str | Path | bytes, *, mono: bool = False, max_seconds: float = MAX_SECONDS
) -> tuple[NDArray[np.float32], int]:
    """Read an audio file.

    Parameters
    ----------
    source : path or bytes
        A file in any format that libsndfile knows, or its content.
    mono : bool
        Whether to average the channels.
    max_seconds : float
        The longest audio accepted.

    Returns
    -------
    audio : ndarray of float32, shape (samples,) or (samples, 2)
        Full scale is -1..1. Files of more than two channels are averaged to one.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        If the file is missing, no audio, cut short, empty, too long, or holds NaN or infinity.
    """
    import numpy as np

    name = "the audio" if isinstance(source, bytes) else str(source)
    content = source if isinstance(source, bytes) else _content(Path(source))
    if not content:
        raise AudioError(f"{name} is empty")
    blocks, sample_rate, claimed = _decode(content, name, max_seconds)
    audio = np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)
    if audio.shape[0] == 0:
        raise AudioError(f"{name} holds no audio (0 samples)")
    if audio.shape[0] < claimed:
        raise AudioError(f"{name} is cut short: its header says {claimed} samples, {audio.shape[0]} are there")
    if not np.isfinite(audio).all():
        raise AudioError(f"{name} holds values that are no numbers (NaN or infinity)")
    if mono or audio.shape[1] != 2:
        audio = audio.mean(axis=1, dtype=np.float32)
    return audio, sample_rate


class _Content(io.BytesIO):
    """Bytes for libsndfile, which seeks before the start in damaged files; Python would print a traceback."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = {0: 0, 1: self.tell(), 2: self.getbuffer().nbytes}[whence]
        return super().seek(max(0, base + offset))


def _content(path: Path, limit: int = 2**31) -> bytes:
    try:
        if path.is_dir():
            raise AudioError(f"cannot read {path}: it is a folder")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > limit:
        raise AudioError(f"{path} is larger than 2 GB: cut it first")
    return content


def _decode(content: bytes, name: str, max_seconds: float) -> tuple[list[NDArray[np.float32]], int, int]:
    """Return blocks of shape (frames, channels), the rate, and the frames the header claims (0: open)."""
    import soundfile

    if content[:4] == b"RIFF":
        # libsndfile mends a data chunk that claims too much, in silence
        try:
            riff.check_data(io.BytesIO(content))
        except AudioError as error:
            raise AudioError(f"{name}: {error}") from error
    blocks: list[NDArray[np.float32]] = []
    total = 0
    try:
        with soundfile.SoundFile(_Content(content)) as file:
            rate = int(file.samplerate)
            if not MIN_RATE <= rate <= MAX_RATE:
                raise AudioError(f"{name} has a sample rate of {rate} Hz: {MIN_RATE} to {MAX_RATE} can be read")
            # read block by block: a header may claim more frames than fit in memory
            while (block := file.read(_BLOCK, dtype="float32", always_2d=True)).shape[0]:
                blocks.append(block)
                total += block.shape[0]
                if total > max_seconds * rate:
                    raise AudioError(f"{name} is longer than {max_seconds:g} s: cut it first")
            claimed = file.frames if file.format in _EXACT and file.frames < _NO_COUNT else 0
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{name} is not audio that can be read: {error.error_string}") from error
    return blocks, rate, claimed

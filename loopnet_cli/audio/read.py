"""Any audio file to floats, with limits on what a file may claim."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio.stream import LOUDEST, open_audio
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SECONDS = 3600.0


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

    blocks: list[NDArray[np.float32]] = []
    total = 0
    with open_audio(source) as stream:
        for block in stream.blocks():
            blocks.append(block)
            total += len(block)
            if total > max_seconds * stream.sample_rate:
                raise AudioError(f"{stream.name} is longer than {max_seconds:g} s: cut it first")
    if not total:
        raise AudioError(f"{stream.name} holds no audio (0 samples)")
    audio = np.concatenate(blocks)
    if not (np.abs(audio) < LOUDEST).all():
        raise AudioError(f"{stream.name} holds values that are no numbers (NaN or infinity)")
    if mono or audio.shape[1] != 2:
        audio = mix_down(audio)
    return audio, stream.sample_rate


def read_part(
    source: str | Path | bytes, start: int, stop: int, *, mono: bool = True, name: str | None = None
) -> NDArray[np.float32]:
    """Read the frames `start` up to `stop` of a file; nothing else of it is kept in memory.

    Returns
    -------
    ndarray of float32, shape (frames,) or (frames, 2)
        As `read_audio` returns it; shorter than asked for where the file ends before `stop`.

    Raises
    ------
    AudioError
        If the file is missing, no audio or cut short, or holds nothing there.
    """
    import numpy as np

    with open_audio(source, name) as stream:
        blocks = [
            mix_down(block)[:, None] if mono or stream.channels != 2 else block for block in stream.blocks(start, stop)
        ]
    if not blocks:
        raise AudioError(f"{stream.name} holds no audio from {start / stream.sample_rate:g} s on")
    audio = np.concatenate(blocks)
    return audio if audio.shape[1] == 2 else audio[:, 0]


def mix_down(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average channels: shape (frames, channels) to (frames,)."""
    import numpy as np

    mixed: NDArray[np.float32] = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)
    return mixed

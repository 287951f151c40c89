"""What can be said of a recording before anybody listens: length, level, clipping, offset, silence.

One pass over the file, block by block.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio.read import MAX_SECONDS, mix_down
from loopnet_cli.audio.stream import LOUDEST, AudioStream, open_audio
from loopnet_cli.errors import AudioError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SECONDS = 0.05
"""Shorter than any stroke: nothing can be said of it."""
SILENCE_PEAK = 1e-4
"""A recording that never leaves its mean by more (-80 dB below full scale) is silent: the last bits of 16."""
CLIPPED_RUN = 3
"""So many samples in a row at full scale are clipped; one or two may just be the peak of a loud recording."""
_FULL_SCALE = {"PCM_S8": 1 - 2**-7, "PCM_U8": 1 - 2**-7, "PCM_16": 1 - 2**-15}
_FULL_SCALE_OF_OTHERS = 1 - 2**-20  # 24 and 32 bits as float32, and floats


@dataclass(frozen=True, slots=True)
class Survey:
    """The plain facts about a recording, or the part of it that was chosen.

    Attributes
    ----------
    format, subtype : str
        As libsndfile names them, e.g. ``WAV`` and ``PCM_16``.
    channels, sample_rate : int
        Of the file.
    start, stop : int
        The frames chosen.
    peak : float
        Largest absolute sample of all channels, linear.
    clipped : int
        Samples in runs of `CLIPPED_RUN` or more at full scale, over all channels.
    dc : float
        Mean of the mono mix, linear.
    warnings : tuple of str
        What is odd about the choice.
    """

    format: str
    subtype: str
    channels: int
    sample_rate: int
    start: int
    stop: int
    peak: float
    clipped: int
    dc: float
    warnings: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of what was chosen."""
        return (self.stop - self.start) / self.sample_rate


def survey(
    source: str | Path | bytes, *, start: float | None = None, end: float | None = None, name: str | None = None
) -> Survey:
    """Look over a recording.

    Parameters
    ----------
    source : path or bytes
        A file in any format that libsndfile knows, or its content.
    start, end : float, optional
        The part that counts, in seconds; the rest is not looked at.
    name : str, optional
        What errors call it.

    Raises
    ------
    UsageError
        If `end` does not lie after `start`.
    AudioError
        If the file is no audio, ends before `start`, is too short or too long, silent, or holds NaN or infinity.
    """
    first = _not_negative(start, "start") or 0.0
    last = _not_negative(end, "end")
    if last is not None and last <= first:
        raise UsageError(f"the end, {last:g} s, must lie after the start, {first:g} s")
    with open_audio(source, name) as stream:
        frames = _Frames(stream)
        begin = round(first * stream.sample_rate)
        limit = begin + round(MAX_SECONDS * stream.sample_rate)
        stop = None if last is None else round(last * stream.sample_rate)
        _check_length(stream, begin, min(stop or limit + 1, stream.frames or 0), limit)
        # one frame more than allowed tells that there is more
        for block in stream.blocks(begin, min(limit + 1, stop or limit + 1)):
            frames.add(block, begin)
        _check_length(stream, begin, begin + frames.count, limit)
        return _checked(frames, stream, begin, stop)


def _not_negative(seconds: float | None, what: str) -> float | None:
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        raise UsageError(f"the {what}, {seconds:g} s, must be 0 or more")
    return seconds


def _check_length(stream: AudioStream, begin: int, stop: int, limit: int) -> None:
    if stop > limit:
        raise AudioError(f"{stream.name} is longer than an hour: choose a part of it by --start and --end, or cut it")


def _checked(frames: _Frames, stream: AudioStream, begin: int, stop: int | None) -> Survey:
    name, rate = stream.name, stream.sample_rate
    if frames.count == 0:
        if begin:
            raise AudioError(f"{name} ends before {begin / rate:g} s, where it was to start")
        raise AudioError(f"{name} holds no audio (0 samples)")
    if frames.count < MIN_SECONDS * rate:
        length = f"{1000 * frames.count / rate:.3g} ms"
        raise AudioError(f"{name} is too short, {length}: at least {1000 * MIN_SECONDS:g} ms are needed")
    if (frames.high - frames.low) / 2 < SILENCE_PEAK:
        if frames.spread >= 2 * SILENCE_PEAK:
            raise AudioError(f"{name} is silent in mono, its channels cancel each other: invert one of them")
        offset = f" (a steady offset of {frames.dc:+.3g})" if abs(frames.dc) > SILENCE_PEAK else ""
        raise AudioError(f"{name} is silent{offset}: there is nothing to hear")
    warnings = []
    if stop is not None and begin + frames.count < stop:
        warnings.append(f"it ends at {(begin + frames.count) / rate:.3f} s, before {stop / rate:g} s")
    return Survey(
        stream.format, stream.subtype, stream.channels, rate, begin, begin + frames.count, frames.peak, frames.clipped,
        frames.dc, tuple(warnings),
    )  # fmt: skip


class _Frames:
    """What is counted while blocks pass by."""

    def __init__(self, stream: AudioStream) -> None:
        self._stream = stream
        self._ceiling = _FULL_SCALE.get(stream.subtype, _FULL_SCALE_OF_OTHERS)
        self._runs = [0] * stream.channels
        self._sum = 0.0
        self.count = self.clipped = 0
        self.peak = self.spread = 0.0
        self.low, self.high = math.inf, -math.inf

    @property
    def dc(self) -> float:
        return self._sum / self.count if self.count else 0.0

    def add(self, block: NDArray[np.float32], begin: int) -> None:
        import numpy as np

        finite = (np.abs(block) < LOUDEST).all(axis=1)
        if not finite.all():
            seconds = (begin + self.count + int(np.argmin(finite))) / self._stream.sample_rate
            raise AudioError(
                f"{self._stream.name} holds values that are no numbers (NaN or infinity), first at {seconds:.3f} s: "
                "repair it, or choose another part by --start and --end"
            )
        low, high = block.min(axis=0), block.max(axis=0)
        self.peak = max(self.peak, float(high.max()), float(-low.min()))
        self.spread = max(self.spread, float((high - low).max()))
        mono = mix_down(block)
        self.low, self.high = min(self.low, float(mono.min())), max(self.high, float(mono.max()))
        self._sum += float(mono.sum(dtype=np.float64))
        for channel in range(block.shape[1]):
            self._add_clipped(np.abs(block[:, channel]) >= self._ceiling, channel)
        self.count += len(block)

    def _add_clipped(self, full: NDArray[np.bool_], channel: int) -> None:
        """Count runs; one that reaches the end of the block may go on in the next."""
        import numpy as np

        open_run = self._runs[channel]
        if not full.any():
            self._runs[channel] = 0
            return
        edges = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8)))
        starts, ends = edges[::2], edges[1::2]
        lengths = ends - starts
        known = 0
        if starts[0] == 0:
            # what of this run was counted with the block before
            known = open_run if open_run >= CLIPPED_RUN else 0
            lengths[0] += open_run
        self.clipped += int(lengths[lengths >= CLIPPED_RUN].sum()) - known
        self._runs[channel] = int(lengths[-1]) if full[-1] else 0

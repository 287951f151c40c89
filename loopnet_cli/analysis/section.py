"""Which part of a recording is taken: whole bars, with their tempo.

What the user states comes first, then what the file says of itself, then what is heard. A file cut as a loop is
taken whole. Of a longer recording the steadiest bars are chosen, and cut at the attacks on their first beats.

A section always satisfies ``tempo == 60 * bars * beats_per_bar / (end - start)``. It may end after the audio
(a trimmed tail, a single hit): `section_audio` fills up with silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis import stated
from loopnet_cli.analysis.hints import Hints, file_hints
from loopnet_cli.analysis.loop_evidence import Meter
from loopnet_cli.analysis.search import Search, Section
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

__all__ = ["Hints", "Section", "file_hints", "find_section", "section_audio"]

SILENCE_PEAK = 1e-4
"""Audio that never leaves its mean by more (-80 dB below full scale) is silent."""


def section_audio(audio: Audio, sample_rate: int, section: Section) -> Audio:
    """Cut a section out of the audio it was found in, with silence where it ends after it."""
    first = round(section.start * sample_rate)
    count = max(1, round((section.end - section.start) * sample_rate))
    piece = audio[first : first + count]
    return np.concatenate((piece, np.zeros(count - len(piece), piece.dtype)))


def find_section(
    audio: Audio,
    sample_rate: int,
    *,
    hints: Hints | None = None,
    bpm: float | None = None,
    bars: int | None = None,
    start: float | None = None,
    end: float | None = None,
    meter: Meter | None = None,
    madmom: bool = True,
) -> Section:
    """Find whole bars and their tempo.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono.
    sample_rate : int
        In Hz.
    hints : Hints, optional
        What the file says of itself (`file_hints`).
    bpm, bars, start, end : optional
        What the user states: tempo in BPM, number of bars, ends in seconds.
    meter : tuple of int, optional
        By default that of the hints, or 4/4.
    madmom : bool
        Whether madmom may listen, where it is installed.

    Returns
    -------
    Section

    Raises
    ------
    AudioError
        If the audio is empty, silent, not mono or not finite.
    UsageError
        If what the user states contradicts itself or the audio.
    """
    _check_audio(audio)
    seconds = len(audio) / sample_rate
    hints = hints or Hints()
    _check_stated(seconds, bpm, bars, start, end)
    search = Search(
        audio, sample_rate, meter or hints.meter or (4, 4), may_halve=(meter or hints.meter) is None, madmom=madmom
    )
    if start is not None:
        return stated.from_start(search, start, end, bpm, bars)
    if end is not None:
        search = replace(search, audio=audio[: round(end * sample_rate)])
        hints = Hints()
    if bpm is not None and bars is not None:
        return stated.bars_at_tempo(search, bars, bpm)
    if bpm is not None:
        return search.at_tempo(bpm, "the tempo stated")
    if bars is not None:
        return stated.of_bars(search, bars)
    return search.unstated(hints)


def _check_audio(audio: Audio) -> None:
    if audio.ndim != 1 or not len(audio):
        raise AudioError(f"tempo needs mono audio, got shape {audio.shape}")
    low, high = float(audio.min()), float(audio.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise AudioError("the audio holds values that are no numbers or infinite: repair it first")
    if high - low < 2 * SILENCE_PEAK:
        raise AudioError("the audio is silent: there is no rhythm to hear in it")


def _check_stated(seconds: float, bpm: float | None, bars: int | None, start: float | None, end: float | None) -> None:
    if bpm is not None and not MIN_TEMPO <= bpm <= MAX_TEMPO:
        raise UsageError(f"--bpm {bpm:g}: must lie between {MIN_TEMPO:g} and {MAX_TEMPO:g}")
    if bars is not None and not 1 <= bars <= MAX_BARS:
        raise UsageError(f"--bars {bars}: must lie between 1 and {MAX_BARS}")
    for name, value in (("--start", start), ("--end", end)):
        if value is not None and not 0 <= value <= seconds + 0.01:
            raise UsageError(f"{name} {value:g}: the audio lasts {seconds:.3f} s")
    if start is not None and end is not None and end - start < 0.05:
        raise UsageError(f"--start {start:g} --end {end:g}: the end must come after the start, by 0.05 s at least")
    if start is not None and seconds - start < 0.05:
        raise UsageError(f"--start {start:g}: nothing is left after it, the audio lasts {seconds:.3f} s")
    if end is not None and end < 0.05:
        raise UsageError(f"--end {end:g}: must be 0.05 s at least")

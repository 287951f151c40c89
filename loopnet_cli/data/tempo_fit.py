"""Which tempo a loop has and how sure that is: the confidence measure of Font and Serra (ISMIR 2016).

The confidence compares a length with the nearest whole number of beats: ``1 - distance / half a beat``. It is the
best over the whole length and those without leading, trailing or any silence (60 dB below the peak).

A tempo comes from a table, the file's name or its ``acid`` chunk; else it is estimated. An estimate is independent
of the length, as the measure needs it: what essentia's trackers say, rounded to whole BPM as Font and Serra do and
brought to the octave of the likeliest reading of the loop (`loopnet_cli.analysis.tempo`). So a loop at a broken
tempo that nobody states is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loopnet_cli.analysis.hints import Hints, named_tempo
from loopnet_cli.analysis.search import MAX_LOOP_SECONDS, Search
from loopnet_cli.analysis.tempo import length_confidence, read_loop

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

FOLDS = (1.0, 2.0, 0.5, 4.0, 0.25)
AGREES = 0.04
"""How far a tracker may lie from a reading it agrees with."""


@dataclass(frozen=True)
class Fit:
    """A tempo, and how well the length of a loop fits it.

    Attributes
    ----------
    tempo : float
        Quarter notes per minute, folded if that was asked for.
    tempo_from : str
        ``table``, ``file name``, ``acid chunk`` or ``estimate``.
    confidence : float
        0..1.
    start, end : float
        The part of the audio that fits, in seconds.
    folded : float
        What the tempo was multiplied by.
    """

    tempo: float
    tempo_from: str
    confidence: float
    start: float
    end: float
    folded: float = 1.0

    @property
    def beats(self) -> int:
        """The nearest whole number of quarter notes, at least 1."""
        return max(1, round((self.end - self.start) * self.tempo / 60))


def fold(tempo: float, low: float, high: float) -> float | None:
    """Return by what a tempo has to be multiplied to lie from `low` to `high`: 1, 2, 1/2, 4, 1/4, or None."""
    return next((factor for factor in FOLDS if low <= tempo * factor <= high), None)


def fit_length(audio: Audio, sample_rate: int, tempo: float, tempo_from: str) -> Fit:
    """Compare the length of a loop with whole beats at a tempo.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, not silent.
    sample_rate : int
        In Hz.
    tempo : float
        Quarter notes per minute.
    tempo_from : str
        Where it is from.

    Returns
    -------
    Fit
        With the part of the audio, of those with and without silence, that fits best; the longest of equals.
    """
    spans = Search(audio, sample_rate, (4, 4)).spans()
    fits = [Fit(tempo, tempo_from, length_confidence(last - first, tempo), first, last) for first, last in spans]
    return max(fits, key=lambda fit: fit.confidence)


def stated_fit(audio: Audio, sample_rate: int, name: str, acid: Hints) -> Fit | None:
    """Return the better fit of the tempos that a file states by its name and its ``acid`` chunk; None without any.

    Parameters
    ----------
    name : str
        Of the file.
    acid : Hints
        What `loopnet_cli.analysis.hints.file_hints` says of the file.
    """
    tempos: list[tuple[float, str]] = []
    named = named_tempo(name)
    if named is not None:
        tempos.append((named, "file name"))
    if acid.bpm is not None and acid.bpm_from == "acid chunk":
        tempos.append((acid.bpm, "acid chunk"))
    elif acid.beats is not None:
        tempos.append((60 * acid.beats * sample_rate / len(audio), "acid chunk"))
    fits = [fit_length(audio, sample_rate, *tempo) for tempo in tempos]
    return max(fits, key=lambda fit: fit.confidence, default=None)


def estimated_fit(audio: Audio, sample_rate: int, enough: float) -> Fit | None:
    """Estimate the tempo of a loop, and how well its length fits.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, not silent.
    sample_rate : int
        In Hz.
    enough : float
        A confidence above which no other part of the audio is tried.

    Returns
    -------
    Fit or None
        None where the audio is too long to be read as a loop, or no tracker agrees with the likeliest reading.
    """
    if len(audio) > MAX_LOOP_SECONDS * sample_rate:
        return None
    best: Fit | None = None
    # madmom is not asked: the same data set comes out wherever it is made
    for first, last in Search(audio, sample_rate, (4, 4)).spans():
        # read anew: the trackers hear the loop repeat, and a pause at its end shifts every beat
        piece = audio[round(first * sample_rate) : round(last * sample_rate)]
        reading = read_loop(piece, sample_rate, madmom=False)
        for bpm in _agreeing(reading.best.tempo, reading.estimates.values()):
            confidence = length_confidence(last - first, bpm)
            if best is None or confidence > best.confidence:
                best = Fit(bpm, "estimate", confidence, first, last)
        if best is not None and best.confidence > enough:
            break
    return best


def _agreeing(tempo: float, trackers: Iterable[float]) -> list[float]:
    """Return what trackers say who agree with a tempo but for octaves: in its octave, in whole BPM."""
    octaves = [bpm * factor for bpm in trackers for factor in (1.0, 2.0, 0.5)]
    return sorted({float(round(bpm)) for bpm in octaves if abs(bpm / tempo - 1) <= AGREES})


def folded(fit: Fit, audio: Audio, sample_rate: int, low: float, high: float) -> Fit | None:
    """Bring a fit's tempo into a range by octaves and compare again; None if no octave lies there."""
    factor = fold(fit.tempo, low, high)
    if factor is None:
        return None
    if factor == 1.0:
        return fit
    return replace(fit_length(audio, sample_rate, fit.tempo * factor, fit.tempo_from), folded=factor)

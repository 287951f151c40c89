"""Bars of a recording that is no loop: where it is heard, by which tracker, and where it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis import tempo_estimators as trackers
from loopnet_cli.analysis.beats import curve_tempo, onset_near, steadiest_bars, track_beats, with_downbeats
from loopnet_cli.analysis.loop_evidence import Meter, beats_per_bar
from loopnet_cli.analysis.pulse import OnsetCurves, onset_curves

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_HEARD_SECONDS = 120.0
"""Of a longer recording only the loudest part of this length is tracked."""
TEMPO_ROOM = 1.08
"""How far from a stated tempo beats are looked for."""
HALF_BEAT = 0.5


@dataclass(frozen=True)
class Bars:
    """Whole bars of a recording.

    Attributes
    ----------
    start, end : float
        In seconds.
    bars : int
    tempo : float
        In BPM, exactly that of `bars` bars from `start` to `end`.
    confidence : float
        0..1.
    method : str
        What was used, in words.
    """

    start: float
    end: float
    bars: int
    tempo: float
    confidence: float
    method: str


def loudest_part(audio: NDArray[np.float32], sample_rate: int, seconds: float = LONGEST_HEARD_SECONDS) -> int:
    """Return the first sample of the part of `seconds` in which the quietest seconds are loudest."""
    window = int(seconds)
    blocks = len(audio) // sample_rate
    if blocks <= window:
        return 0
    level = np.array([
        np.sqrt(np.mean(np.square(audio[at * sample_rate : (at + 1) * sample_rate], dtype=np.float64)))
        for at in range(blocks)
    ])  # fmt: skip
    view = np.lib.stride_tricks.sliding_window_view(level, window)[:: max(1, window // 12)]
    # the lower fifth of its seconds: a part with pauses loses to one that goes on
    return int(np.argmax(np.quantile(view, 0.2, axis=1) + 0.5 * view.mean(axis=1))) * max(1, window // 12) * sample_rate


def bars_of_recording(
    audio: NDArray[np.float32],
    sample_rate: int,
    *,
    meter: Meter,
    bars: int,
    tempo: float | None = None,
    madmom: bool = True,
) -> Bars | None:
    """Choose the steadiest bars of a recording.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono.
    sample_rate : int
        In Hz.
    meter : tuple of int
    bars : int
        How many; fewer if there are not as many.
    tempo : float, optional
        Roughly what it is known to be, in BPM.
    madmom : bool
        Whether madmom may listen, where it is installed.

    Returns
    -------
    Bars or None
        None if no whole bar was found.
    """
    first = loudest_part(audio, sample_rate)
    heard = audio[first : first + int(LONGEST_HEARD_SECONDS * sample_rate)]
    cut = "" if len(heard) == len(audio) else f" in the loudest {LONGEST_HEARD_SECONDS:.0f} s"
    curves = onset_curves(heard, sample_rate, circular=False)
    beats = with_downbeats(_beats(heard, sample_rate, curves, meter, tempo, madmom), curves, meter)
    chosen = steadiest_bars(beats, heard, sample_rate, bars=bars, meter=meter)
    if chosen is None:
        return None
    start = onset_near(heard, sample_rate, chosen.start)
    end = onset_near(heard, sample_rate, chosen.end)
    a_bar = beats_per_bar(meter)
    found = 60 * chosen.bars * a_bar / (end - start)
    steadiness = float(np.clip(1.0 - chosen.deviation / 0.12, 0.0, 1.0))
    offset = first / sample_rate
    words = f"{beats.tracker}{cut}; the steadiest {'bar' if chosen.bars == 1 else f'{chosen.bars} bars'}"
    return Bars(start + offset, end + offset, chosen.bars, found, 0.9 * steadiness, words)


def _beats(
    audio: NDArray[np.float32], sample_rate: int, curves: OnsetCurves, meter: Meter, tempo: float | None, madmom: bool
) -> trackers.Beats:
    """Track beats by the best tracker there is."""
    heard = trackers.at_estimator_rate(audio, sample_rate)
    low, high = (55.0, 215.0) if tempo is None else (tempo / TEMPO_ROOM, tempo * TEMPO_ROOM)
    a_bar = beats_per_bar(meter)
    if madmom and float(a_bar).is_integer() and (activations := trackers.madmom_activations(heard)) is not None:
        found = trackers.madmom_beats(activations, beats_per_bar=(int(a_bar),), low=low, high=high)
        if found is not None and len(found.seconds) > a_bar:
            return found
    if tempo is None:
        found = trackers.essentia_beats(heard)
        if found is not None and len(found.seconds) > a_bar:
            return found
        tempo = curve_tempo(curves)
    return track_beats(curves, tempo)

"""Tempo by the trackers of essentia and, where it is installed, of madmom.

All of them take mono audio at any rate and give beats per minute; none knows that the audio is a loop, so
`loop_estimates` lets them hear it several times in a row. What cannot be loaded or finds nothing is left out.

Sources: essentia's RhythmExtractor2013 (Zapata, Davies and Gómez, ISMIR 2014; Degara et al. 2012),
PercivalBpmEstimator (Percival and Tzanetakis, TASLP 2014), LoopBpmEstimator (Font and Serra, ISMIR 2016);
madmom's RNNDownBeatProcessor with DBNDownBeatTrackingProcessor (Böck, Krebs and Widmer, ISMIR 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.analysis.madmom_compat import MadmomError, has_madmom, import_madmom

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

ESTIMATOR_RATE = 44100
TILED_SECONDS = 16.0
"""How much of a repeated loop the trackers hear, at least; two turns where that is more."""
MOST_TILED_SECONDS = 60.0
MADMOM_FPS = 100
DOWNBEAT_METERS = (3, 4)
"""Bars that madmom chooses between where no meter is given."""


@dataclass(frozen=True)
class Beats:
    """Beats of a recording.

    Attributes
    ----------
    seconds : ndarray of float64, shape (beats,)
        Rising.
    positions : ndarray of int64, shape (beats,)
        Place in the bar, 1 for the downbeat; zeros where the tracker does not say.
    tracker : str
        What found them, in words.
    """

    seconds: NDArray[np.float64]
    positions: NDArray[np.int64]
    tracker: str


def at_estimator_rate(audio: Audio, sample_rate: int) -> Audio:
    """Return mono audio at 44.1 kHz, where the trackers are at home."""
    if sample_rate == ESTIMATOR_RATE:
        return np.ascontiguousarray(audio, dtype=np.float32)
    from scipy.signal import resample_poly

    common = math.gcd(sample_rate, ESTIMATOR_RATE)
    up, down = ESTIMATOR_RATE // common, sample_rate // common
    if max(up, down) > 2000:  # an odd rate: its filter would be longer than the audio
        position = np.arange(int(len(audio) * ESTIMATOR_RATE / sample_rate)) * (sample_rate / ESTIMATOR_RATE)
        return np.asarray(np.interp(position, np.arange(len(audio)), audio), dtype=np.float32)
    return np.asarray(resample_poly(audio, up, down), dtype=np.float32)


def tiled(audio: Audio, rate: int = ESTIMATOR_RATE, seconds: float = TILED_SECONDS) -> tuple[Audio, int]:
    """Repeat a loop until it lasts `seconds`, at least twice; return it and the number of turns."""
    turns = max(2, math.ceil(seconds * rate / len(audio)))
    return np.tile(audio, turns)[: int(MOST_TILED_SECONDS * rate)], turns


def essentia_estimates(loop: Audio) -> dict[str, float]:
    """Estimate the tempo of a loop at 44.1 kHz by essentia's trackers.

    Returns
    -------
    dict of str to float
        Of ``percival``, ``degara``, ``multifeature`` and ``loop``; empty if essentia cannot be loaded.
    """
    standard = _essentia()
    if standard is None:
        return {}
    heard, _ = tiled(loop)
    ways: dict[str, Callable[[], float]] = {
        "percival": lambda: standard.PercivalBpmEstimator()(heard),
        "degara": lambda: standard.RhythmExtractor2013(method="degara")(heard)[0],
        "multifeature": lambda: standard.RhythmExtractor2013(method="multifeature")(heard)[0],
        "loop": lambda: standard.LoopBpmEstimator(confidenceThreshold=0.0)(loop),
    }
    found = {}
    for name, way in ways.items():
        try:
            bpm = float(way())
        except RuntimeError:  # too short or too quiet for this one
            continue
        if 20.0 <= bpm <= 400.0:
            found[name] = bpm
    return found


def essentia_beats(audio: Audio, *, low: float = 40.0, high: float = 208.0) -> Beats | None:
    """Track the beats of a recording at 44.1 kHz by essentia, between two tempos; None if that cannot be done."""
    standard = _essentia()
    if standard is None:
        return None
    try:
        found = standard.RhythmExtractor2013(
            method="multifeature", minTempo=int(max(40, min(180, low))), maxTempo=int(max(60, min(250, high)))
        )(audio)
    except RuntimeError:
        return None
    seconds = np.asarray(found[1], dtype=np.float64)
    return Beats(seconds, np.zeros(len(seconds), np.int64), "beats by essentia")


def madmom_activations(audio: Audio) -> NDArray[np.float64] | None:
    """Return madmom's beat and downbeat activations of audio at 44.1 kHz, shape (frames, 2), 100 frames a second.

    None if madmom is not installed, does not load, or finds no music in the audio.
    """
    if not has_madmom():
        return None
    try:
        downbeats = import_madmom("madmom.features.downbeats")
        signal = import_madmom("madmom.audio.signal")
    except MadmomError:
        return None
    try:
        # its networks expect 16 bit integers' worth of level
        heard = signal.Signal(np.clip(audio, -1, 1), sample_rate=ESTIMATOR_RATE, num_channels=1)
        return np.asarray(downbeats.RNNDownBeatProcessor()(heard), dtype=np.float64)
    except (ValueError, IndexError):
        return None


def madmom_beats(
    activations: NDArray[np.float64], *, beats_per_bar: tuple[int, ...] = DOWNBEAT_METERS, low: float = 55.0,
    high: float = 215.0,
) -> Beats | None:  # fmt: skip
    """Track beats and downbeats through madmom's activations; None if there are none."""
    try:
        module = import_madmom("madmom.features.downbeats")
        tracker = module.DBNDownBeatTrackingProcessor(
            beats_per_bar=list(beats_per_bar), fps=MADMOM_FPS, min_bpm=low, max_bpm=high
        )
        found = np.asarray(tracker(activations), dtype=np.float64)
    except (MadmomError, ValueError, IndexError):
        return None
    if found.ndim != 2 or len(found) < 2:
        return None
    return Beats(found[:, 0], found[:, 1].astype(np.int64), "beats and downbeats by madmom")


def steady_tempo(seconds: NDArray[np.float64]) -> float | None:
    """Return the tempo of beats by a straight line through them; None for fewer than four."""
    if len(seconds) < 4:
        return None
    gap = float(np.median(np.diff(seconds)))
    if gap <= 0:
        return None
    # beats that were left out or added must not bend the line
    number = np.cumsum(np.concatenate(([0.0], np.maximum(1, np.round(np.diff(seconds) / gap)))))
    slope = float(np.polyfit(number, seconds, 1)[0])
    return 60.0 / slope if slope > 0 else None


def _essentia() -> Any:
    try:
        import essentia

        essentia.log.infoActive = False
        essentia.log.warningActive = False
        import essentia.standard
    except ImportError:
        return None
    return essentia.standard

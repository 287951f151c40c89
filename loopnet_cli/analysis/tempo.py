"""Tempo and bars of a loop from its length: every whole number of bars is a hypothesis, judged by what is heard.

A loop of ``length`` seconds and ``n`` bars has the tempo ``60 * beats / length`` exactly. For each ``n`` that
gives a sensible tempo the evidence is gathered as a few numbers (`EVIDENCE`): a prior on tempo and on counts of
bars, how periodic the loop is as a circle at the lengths of a beat, a bar and their halves, whether beats are
struck, and how many tempo trackers agree. A weighted sum of them, and a softmax over the hypotheses, say which
is likeliest (conditional logit; the weights come from `loopnet_cli.analysis.tempo_fit`).

Whether the audio is a loop at all is judged by the confidence measure of Font and Serra (ISMIR 2016), that the
paper uses: how near the length comes to a whole number of beats at a tempo found without it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.loop_evidence import TYPICAL_TEMPO, Meter, beats_per_bar, gather
from loopnet_cli.analysis.tempo_weights import WEIGHTS, WEIGHTS_WITH_MADMOM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.pulse import OnsetCurves

LOWEST_TEMPO, HIGHEST_TEMPO = 50.0, 220.0
"""Hypotheses lie between; a loop that has none there gets the nearest outside."""


def length_confidence(seconds: float, bpm: float) -> float:
    """Say how near a length comes to a whole number of beats: 1 is exact, 0 half a beat off (Font and Serra)."""
    beats = seconds * bpm / 60.0
    if beats < 0.5:
        return 0.0
    return max(0.0, 1.0 - abs(beats - max(1.0, round(beats))) / 0.5)


@dataclass(frozen=True)
class Hypothesis:
    """One reading of a loop.

    Attributes
    ----------
    bars : int
    meter : tuple of int
    tempo : float
        Quarter notes per minute.
    probability : float
        Among all hypotheses of the loop, 0..1.
    """

    bars: int
    meter: Meter
    tempo: float
    probability: float


def bar_counts(seconds: float, meter: Meter) -> list[int]:
    """Return the counts of bars that give a length a sensible tempo; at least one."""
    a_bar = beats_per_bar(meter)
    lowest = math.ceil(seconds * LOWEST_TEMPO / 60 / a_bar)
    highest = math.floor(seconds * HIGHEST_TEMPO / 60 / a_bar)
    counts = list(range(max(1, lowest), highest + 1))
    return counts or [max(1, round(seconds * TYPICAL_TEMPO / 60 / a_bar))]


@dataclass(frozen=True)
class LoopReading:
    """What a recording is, read as a loop.

    Attributes
    ----------
    hypotheses : tuple of Hypothesis
        The likeliest first; at least one.
    fit : float
        How near the length comes to the beats of the first, at the pulse that is heard, 0..1
        (`length_confidence` with a tempo measured without the length).
    estimates : dict of str to float
        What each tracker says, in BPM.
    madmom : bool
        Whether madmom listened.
    """

    hypotheses: tuple[Hypothesis, ...]
    fit: float
    estimates: dict[str, float]
    madmom: bool

    @property
    def best(self) -> Hypothesis:
        """The likeliest hypothesis."""
        return self.hypotheses[0]


def read_loop(
    audio: NDArray[np.float32], sample_rate: int, meter: Meter = (4, 4), *, madmom: bool = True
) -> LoopReading:
    """Read a recording as a loop of whole bars.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, not silent, up to a minute or so.
    sample_rate : int
        In Hz.
    meter : tuple of int
        Of its bars.
    madmom : bool
        Whether madmom may listen, where it is installed.
    """
    from loopnet_cli.analysis import tempo_estimators as trackers
    from loopnet_cli.analysis.pulse import onset_curves

    seconds = len(audio) / sample_rate
    heard = trackers.at_estimator_rate(audio, sample_rate)
    estimates = trackers.essentia_estimates(heard)
    activations = trackers.madmom_activations(trackers.tiled(heard)[0]) if madmom else None
    curves = onset_curves(audio, sample_rate, circular=True)
    counts = bar_counts(seconds, meter)
    table, madmom_tempo = gather(curves, seconds, counts, meter, estimates, activations)
    weights = WEIGHTS if activations is None else WEIGHTS_WITH_MADMOM
    if madmom_tempo is not None:
        estimates["madmom"] = madmom_tempo
    scores = table @ np.array(list(weights.values()))
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    a_bar = beats_per_bar(meter)
    found = [
        Hypothesis(bars, meter, 60 * bars * a_bar / seconds, float(chance))
        for bars, chance in zip(counts, chances, strict=True)
    ]
    found.sort(key=lambda one: -one.probability)
    open_curves = onset_curves(audio, sample_rate, circular=False)
    fit = pulse_fit(open_curves, found[0].bars * a_bar)
    return LoopReading(tuple(found), fit, estimates, activations is not None)


def pulse_fit(curves: OnsetCurves, beats: float) -> float:
    """Say how near the pulse of a recording comes to `beats` beats over its length: 1 exact, 0 half a beat off.

    The pulse is the frequency near the one expected at which the curve, and its second and fourth harmonics, is
    strongest; the curve is not bent to a circle, so that nothing forces a whole number.
    """
    curve = curves.overall - curves.overall.mean()
    time = np.arange(len(curve)) / len(curve)
    tried = beats + np.linspace(-0.75, 0.75, 121)
    strength = np.zeros(len(tried))
    for harmonic in (1, 2, 4):
        for at, cycles in enumerate(tried):
            strength[at] += abs(np.exp(-2j * np.pi * harmonic * cycles * time) @ curve) ** 2
    return max(0.0, 1.0 - abs(float(tried[int(np.argmax(strength))]) - beats) / 0.5)

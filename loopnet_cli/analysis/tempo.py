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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.tempo_weights import WEIGHTS, WEIGHTS_WITH_MADMOM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.pulse import OnsetCurves

Meter = tuple[int, int]

LOWEST_TEMPO, HIGHEST_TEMPO = 50.0, 220.0
"""Hypotheses lie between; a loop that has none there gets the nearest outside."""
TYPICAL_TEMPO = 115.0
SNARE = 4
"""Row of a circle: strokes of the middle band that are none of the low one."""
SMOOTHING_SECONDS = 0.015
"""Width (standard deviation) of the Gaussian that forgives the timing of hands."""
EXACT_SHARE, OCTAVE_SHARE = 0.02, 0.02
"""A tracker agrees if its tempo lies about this near, as a share."""


def beats_per_bar(meter: Meter) -> float:
    """Quarter notes in a bar."""
    return meter[0] * 4 / meter[1]


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


class Circle:
    """The onset curves of a loop as functions on a circle, in its Fourier series.

    Parameters
    ----------
    curves : OnsetCurves
        Of a loop.
    """

    def __init__(self, curves: OnsetCurves) -> None:
        low, middle = (band / max(float(band.mean()), 1e-12) for band in curves.bands[:2])
        snare = np.maximum(middle - low, 0.0)
        rows = np.vstack((curves.overall, curves.bands, snare[None]))
        self.frames = rows.shape[1]
        spectrum = np.fft.rfft(rows, axis=1) / self.frames
        turns = np.arange(spectrum.shape[1])
        seconds = self.frames / curves.rate
        spectrum = spectrum * np.exp(-0.5 * (2 * np.pi * turns / seconds * SMOOTHING_SECONDS) ** 2)
        self.mean: NDArray[np.float64] = spectrum[:, 0].real
        self.spectrum = spectrum[:, 1:]
        self.turns = turns[1:]
        power = np.abs(self.spectrum) ** 2
        self.power = power / np.maximum(power.sum(axis=1, keepdims=True), 1e-20)
        self.smooth = np.fft.irfft(spectrum * self.frames, self.frames, axis=1)

    def repeats(self, parts: float, row: int = 0) -> float:
        """Correlate the curve with itself turned by one of `parts` equal parts of the circle, -1..1."""
        return float(self.power[row] @ np.cos(2 * np.pi * self.turns / parts))

    def struck(self, parts: int, offset: float = 0.0, row: int = 0) -> float:
        """Return the mean of the curve at `parts` even places, over its mean everywhere."""
        places = (np.arange(parts) + offset) / parts * self.frames
        at = np.interp(places, np.arange(self.frames + 1), np.append(self.smooth[row], self.smooth[row, 0]))
        return float(at.mean() / max(self.mean[row], 1e-12))


EVIDENCE: tuple[str, ...] = (
    "usual tempo", "doubling", "odd bars", "one bar", "beat", "half beat", "quarter beat", "bar", "half bar",
    "low half bar", "snare half bar", "on beat", "off beat", "backbeat", "downbeat", "percival", "degara",
    "multifeature", "loop", "agreement",
)  # fmt: skip
MADMOM_EVIDENCE: tuple[str, ...] = (
    "madmom tempo", "madmom octave", "madmom beats", "madmom offbeats", "madmom downbeats",
)  # fmt: skip


def evidence(
    circle: Circle, seconds: float, bars: int, meter: Meter, estimates: Mapping[str, float]
) -> NDArray[np.float64]:
    """Gather what speaks for a loop of `seconds` having `bars` bars, in the order of `EVIDENCE`."""
    a_bar = beats_per_bar(meter)
    beats = bars * a_bar
    tempo = 60 * beats / seconds
    whole = max(1, round(beats))
    doubling = bars & (bars - 1) == 0
    votes = [_vote(tempo, estimates.get(name)) for name in ("percival", "degara", "multifeature", "loop")]
    return np.array([
        -math.log(tempo / TYPICAL_TEMPO) ** 2,
        float(doubling),
        float(bars % 2 == 1 and bars > 1),
        float(bars == 1),
        circle.repeats(beats),
        circle.repeats(2 * beats),
        circle.repeats(4 * beats),
        circle.repeats(bars) if bars > 1 else 0.0,
        circle.repeats(2 * bars),
        circle.repeats(2 * bars, 1),
        circle.repeats(2 * bars, SNARE),
        math.log(0.1 + circle.struck(whole)),
        math.log(0.1 + circle.struck(whole, 0.5)),
        _backbeat(circle, bars, a_bar),
        math.log(0.1 + circle.struck(bars, 0.0, 1)),
        *votes,
        max(votes),
    ])  # fmt: skip


def _vote(tempo: float, estimate: float | None) -> float:
    """Return 1 for a tracker that says just this tempo, falling to 0 for others."""
    if estimate is None:
        return 0.0
    return math.exp(-0.5 * (math.log(tempo / estimate) / EXACT_SHARE) ** 2)


def _backbeat(circle: Circle, bars: int, a_bar: float) -> float:
    """Compare snare-like strokes on the even beats with the odd ones; 0 for a meter without them."""
    if a_bar % 2:
        return 0.0
    pairs = round(bars * a_bar / 2)
    on, between = circle.struck(pairs, 0.5, SNARE), circle.struck(pairs, 0.0, SNARE)
    return math.log((0.2 + on) / (0.2 + between))


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
    pulse : float
        How periodic the audio is at the first one's beat or its half, -1..1.
    estimates : dict of str to float
        What each tracker says, in BPM.
    madmom : bool
        Whether madmom listened.
    """

    hypotheses: tuple[Hypothesis, ...]
    fit: float
    pulse: float
    estimates: dict[str, float]
    madmom: bool

    @property
    def best(self) -> Hypothesis:
        """The likeliest hypothesis."""
        return self.hypotheses[0]


def read_loop(audio: NDArray[np.float32], sample_rate: int, meter: Meter = (4, 4)) -> LoopReading:
    """Read a recording as a loop of whole bars.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, not silent, up to a minute or so.
    sample_rate : int
        In Hz.
    meter : tuple of int
        Of its bars.
    """
    from loopnet_cli.analysis import tempo_estimators as trackers
    from loopnet_cli.analysis.pulse import onset_curves

    seconds = len(audio) / sample_rate
    heard = trackers.at_estimator_rate(audio, sample_rate)
    estimates = trackers.essentia_estimates(heard)
    activations = trackers.madmom_activations(trackers.tiled(heard)[0])
    judge = None if activations is None else MadmomJudge(activations, seconds)
    circle = Circle(onset_curves(audio, sample_rate, circular=True))
    counts = bar_counts(seconds, meter)
    table = np.array([evidence(circle, seconds, bars, meter, estimates) for bars in counts])
    weights = WEIGHTS
    if judge is not None:
        table = np.hstack((table, [judge.evidence(bars, meter) for bars in counts]))
        weights = WEIGHTS_WITH_MADMOM
        if judge.tempo is not None:
            estimates["madmom"] = judge.tempo
    scores = table @ np.array(list(weights.values()))
    chances = np.exp(scores - scores.max())
    chances /= chances.sum()
    a_bar = beats_per_bar(meter)
    found = [
        Hypothesis(bars, meter, 60 * bars * a_bar / seconds, float(chance))
        for bars, chance in zip(counts, chances, strict=True)
    ]
    found.sort(key=lambda one: -one.probability)
    beats = found[0].bars * a_bar
    pulse = max(circle.repeats(beats), circle.repeats(2 * beats))
    curves = onset_curves(audio, sample_rate, circular=False)
    return LoopReading(tuple(found), pulse_fit(curves, beats), pulse, estimates, judge is not None)


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


class MadmomJudge:
    """madmom's opinion of a loop that it heard several times in a row."""

    def __init__(self, activations: NDArray[np.float64], seconds: float) -> None:
        from loopnet_cli.analysis.tempo_estimators import MADMOM_FPS, madmom_beats, steady_tempo

        self.turn = seconds * MADMOM_FPS
        self.turns = max(1, int(len(activations) / self.turn))
        self.curves = np.stack((activations.sum(axis=1), activations[:, 1]))
        beats = madmom_beats(activations)
        self.tempo: float | None = None if beats is None else steady_tempo(beats.seconds)

    def evidence(self, bars: int, meter: Meter) -> NDArray[np.float64]:
        """Gather what it says for `bars` bars, in the order of `MADMOM_EVIDENCE`."""
        a_bar = beats_per_bar(meter)
        tempo = 60 * bars * a_bar * 100 / self.turn
        whole = max(1, round(bars * a_bar))
        octave = 0.0 if self.tempo is None else max(_vote(tempo, 2 * self.tempo), _vote(tempo, self.tempo / 2))
        return np.array([
            _vote(tempo, self.tempo), octave, self._mean(whole, 0.0, 0), self._mean(whole, 0.5, 0),
            self._mean(bars, 0.0, 1),
        ])  # fmt: skip

    def _mean(self, parts: int, offset: float, row: int) -> float:
        """Return the mean activation, at its highest within 20 ms, at `parts` even places of each turn."""
        places = (np.arange(parts * self.turns) + offset) * self.turn / parts
        curve = self.curves[row]
        places = places[places < len(curve) - 1]
        if not len(places):
            return 0.0
        near = places[:, None] + np.arange(-2, 3)
        return float(np.interp(near, np.arange(len(curve)), curve).max(axis=1).mean())

"""What speaks for a loop having so many bars: the evidence that `loopnet_cli.analysis.tempo` weighs.

A loop is a circle, and so is its onset curve: its Fourier series says how periodic it is at any fraction of the
loop, exactly, without a seam. To that come a prior on tempo and on counts of bars, and what tempo trackers say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.pulse import OnsetCurves

Meter = tuple[int, int]

TYPICAL_TEMPO = 115.0
SNARE = 4
"""Row of a circle: strokes of the middle band that are none of the low one."""
SNARE_REACH_SECONDS = 0.025
SMOOTHING_SECONDS = 0.015
"""Width (standard deviation) of the Gaussian that forgives the timing of hands."""
EXACT_SHARE = 0.02
"""A tracker agrees if its tempo lies about this near, as a share."""


def beats_per_bar(meter: Meter) -> float:
    """Quarter notes in a bar."""
    return meter[0] * 4 / meter[1]


class Circle:
    """The onset curves of a loop as functions on a circle, in its Fourier series.

    Parameters
    ----------
    curves : OnsetCurves
        Of a loop.
    """

    def __init__(self, curves: OnsetCurves) -> None:
        rows = np.vstack((curves.overall, curves.bands, snare_curve(curves)[None]))
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


def snare_curve(curves: OnsetCurves) -> NDArray[np.float64]:
    """Return the strokes of a loop's middle band during which the low band is not struck, shape (frames,)."""
    from scipy.ndimage import maximum_filter1d

    low, middle = curves.bands[:2]
    low = maximum_filter1d(low, 2 * round(SNARE_REACH_SECONDS * curves.rate) + 1, mode="wrap")
    full = float(np.quantile(low, 0.95))
    curve: NDArray[np.float64] = middle * np.clip(1.0 - low / max(full, 1e-12), 0.0, 1.0)
    return curve


EVIDENCE: tuple[str, ...] = (
    "usual tempo", "doubling", "odd bars", "one bar", "beat", "quarter beat", "bar", "half bar", "on beat", "off beat",
    "backbeat", "percival", "loop", "extractors", "octaves",
)  # fmt: skip
ESTIMATORS = ("percival", "loop", "degara", "multifeature")
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
    exact = {name: _vote(tempo, estimates.get(name)) for name in ESTIMATORS}
    octaves = [max(_vote(2 * tempo, estimates.get(name)), _vote(tempo / 2, estimates.get(name))) for name in ESTIMATORS]
    return np.array([
        -math.log(tempo / TYPICAL_TEMPO) ** 2,
        float(doubling),
        float(bars % 2 == 1 and bars > 1),
        float(bars == 1),
        circle.repeats(beats),
        circle.repeats(4 * beats),
        circle.repeats(bars) if bars > 1 else 0.0,
        circle.repeats(2 * bars),
        math.log(0.1 + circle.struck(whole)),
        math.log(0.1 + circle.struck(whole, 0.5)),
        math.tanh(_backbeat(circle, bars, a_bar)),
        exact["percival"],
        exact["loop"],
        exact["degara"] + exact["multifeature"],
        float(np.mean(octaves)),
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


def gather(
    curves: OnsetCurves,
    seconds: float,
    counts: Sequence[int],
    meter: Meter,
    estimates: Mapping[str, float],
    activations: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], float | None]:
    """Gather all evidence on a loop.

    Parameters
    ----------
    curves : OnsetCurves
        Of the loop, circular.
    seconds : float
        Its length.
    counts : sequence of int
        The hypotheses: how many bars.
    meter : tuple of int
    estimates : mapping of str to float
        Of essentia's trackers, in BPM.
    activations : ndarray of float64, shape (frames, 2), optional
        madmom's, of the loop played again and again.

    Returns
    -------
    table : ndarray of float64, shape (counts, evidence)
        The columns are `EVIDENCE`, then, with `activations`, `MADMOM_EVIDENCE`.
    tempo : float or None
        What madmom makes of it, in BPM.
    """
    circle = Circle(curves)
    table = np.array([evidence(circle, seconds, bars, meter, estimates) for bars in counts])
    if activations is None:
        return table, None
    judge = MadmomJudge(activations, seconds)
    return np.hstack((table, [judge.evidence(bars, meter) for bars in counts])), judge.tempo


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

"""Beats of a recording, where its bars begin, and which of its bars are the steadiest.

madmom tracks beats and downbeats together. essentia tracks beats only: the downbeat is then the beat of the bar
on which the low drums are struck and the middle ones are not. Where the tempo is known, or neither is there, our
own tracker finds the beats by dynamic programming (Ellis, *Beat tracking by dynamic programming*, 2007).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.loop_evidence import TYPICAL_TEMPO, beats_per_bar
from loopnet_cli.analysis.pulse import OnsetCurves
from loopnet_cli.analysis.tempo_estimators import Beats, steady_tempo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.loop_evidence import Meter

TIGHTNESS = 100.0
"""How much an uneven beat costs in the dynamic programming (Ellis's alpha)."""
PREFERENCE_OCTAVES = 0.9
"""Width of the preference for tempos near the typical one."""
USUAL_DEVIATION = 0.02
"""Share of a beat by which steady playing deviates; more costs a stretch its choice."""
LEVEL_STEP_DB = 6.0
SILENT_BEAT_DB = -40.0
"""A beat so far below the loudest is taken for silence."""
SNAP_SECONDS = 0.05
LEAD_SECONDS = 0.001
"""A cut is made this much before the attack, so that none of it is lost."""


@dataclass(frozen=True)
class Stretch:
    """Whole bars chosen from a recording.

    Attributes
    ----------
    start, end : float
        In seconds.
    bars : int
    deviation : float
        Standard deviation of the beats' lengths as a share of a beat.
    """

    start: float
    end: float
    bars: int
    deviation: float


def curve_tempo(curves: OnsetCurves, low: float = 55.0, high: float = 215.0) -> float:
    """Estimate the tempo of a recording from its onset curve: its best lag, tempos near 115 BPM preferred."""
    curve = curves.overall - curves.overall.mean()
    spectrum = np.fft.rfft(curve, 2 * len(curve))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(curve)]
    lags = np.arange(max(1, int(60 / high * curves.rate)), min(len(curve), int(60 / low * curves.rate) + 2))
    if not len(lags):
        return TYPICAL_TEMPO
    tempos = 60 * curves.rate / lags
    weight = np.exp(-0.5 * (np.log2(tempos / TYPICAL_TEMPO) / PREFERENCE_OCTAVES) ** 2)
    double = correlation[np.minimum(2 * lags, len(curve) - 1)]
    return float(np.clip(tempos[int(np.argmax((correlation[lags] + 0.5 * double) * weight))], low, high))


def track_beats(curves: OnsetCurves, tempo: float) -> Beats:
    """Find the beats at a known tempo by dynamic programming over an onset curve.

    Parameters
    ----------
    curves : OnsetCurves
        Of a recording.
    tempo : float
        In BPM.
    """
    period = 60.0 / tempo * curves.rate
    local = _smoothed(curves.overall, period / 32)
    local = local / max(float(local.std()), 1e-12)
    back = np.arange(-round(2 * period), -round(period / 2) + 1)
    cost = -TIGHTNESS * np.log(-back / period) ** 2
    count = len(local)
    total = local.copy()
    before = np.full(count, -1)
    for now in range(-int(back[-1]), count):
        reachable = back[max(0, -int(back[0]) - now) :]
        scores = total[now + reachable] + cost[len(cost) - len(reachable) :]
        best = int(np.argmax(scores))
        if scores[best] > 0:
            total[now] += scores[best]
            before[now] = now + reachable[best]
    tail = max(0, count - round(1.5 * period))
    now = tail + int(np.argmax(total[tail:]))
    frames = []
    while now >= 0:
        frames.append(now)
        now = int(before[now])
    seconds = np.array(frames[::-1]) / curves.rate
    return Beats(seconds, np.zeros(len(seconds), np.int64), "beats by our own tracker")


def _smoothed(curve: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(curve, max(1.0, width), mode="constant"))


def with_downbeats(beats: Beats, curves: OnsetCurves, meter: Meter) -> Beats:
    """Say of beats without places where in the bar they lie, by how low and middle drums are struck.

    In meters whose bar is no whole number of quarter notes every beat that lies a whole number of bars after
    another is told from those that do not, with the bar's true length.
    """
    if beats.positions.any() or len(beats.seconds) < 2:
        return beats
    a_bar = beats_per_bar(meter)
    whole = max(1, round(a_bar))
    low, middle = (_at(curves.bands[band], curves.rate, beats.seconds) for band in (0, 1))
    accent = low / max(float(low.mean()), 1e-12) - 0.5 * middle / max(float(middle.mean()), 1e-12)
    rise = np.maximum(_at(curves.overall, curves.rate, beats.seconds), 0.0)
    accent = accent + 0.25 * rise / max(float(rise.mean()), 1e-12)
    scores = [float(accent[phase::whole].mean()) for phase in range(min(whole, len(accent)))]
    if whole % 2 == 0 and len(scores) == whole:
        # kicks mark the half of the bar too, at half the weight
        scores = [one + 0.5 * scores[(phase + whole // 2) % whole] for phase, one in enumerate(scores)]
    first = int(np.argmax(scores))
    positions = (np.arange(len(beats.seconds)) - first) % whole + 1
    return Beats(beats.seconds, positions, f"{beats.tracker}, downbeats by low-drum accents")


def _at(curve: NDArray[np.float64], rate: float, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest value of a curve within 35 ms of each time."""
    from scipy.ndimage import maximum_filter1d

    highest = maximum_filter1d(curve, 2 * round(0.035 * rate) + 1, mode="nearest")
    return np.asarray(highest[np.clip(np.round(seconds * rate).astype(int), 0, len(curve) - 1)])


def steadiest_bars(
    beats: Beats, audio: NDArray[np.float32], sample_rate: int, *, bars: int, meter: Meter
) -> Stretch | None:
    """Choose `bars` bars in a row: even beats, good level, no silence.

    Parameters
    ----------
    beats : Beats
        With places in the bar.
    audio : ndarray of float32, shape (samples,)
        What the beats' seconds count from the start of.
    bars : int
        How many; fewer (halved until they fit) if the recording has not as many.

    Returns
    -------
    Stretch or None
        Its ends lie on beats, not yet on attacks. None if there is no whole bar.
    """
    a_bar = beats_per_bar(meter)
    levels = _levels(beats.seconds, audio, sample_rate)
    while bars >= 1:
        span = round(bars * a_bar)
        if abs(span - bars * a_bar) < 0.01 and span >= 1:
            starts = [at for at in np.flatnonzero(beats.positions == 1) if at + span < len(beats.seconds)]
            if starts:
                return min((_judged(beats, levels, int(at), span, bars) for at in starts), key=lambda f: f[0])[1]
        elif (found := _uneven(beats, levels, bars, a_bar)) is not None:
            return found
        bars = bars // 2 if bars > 1 else 0
    return None


def _judged(beats: Beats, levels: NDArray[np.float64], at: int, span: int, bars: int) -> tuple[float, Stretch]:
    gaps = np.diff(beats.seconds[at : at + span + 1])
    deviation = float(gaps.std() / gaps.mean())
    inside = levels[at : at + span]
    cost = (
        deviation / USUAL_DEVIATION - float(inside.mean()) / LEVEL_STEP_DB + 5 * float((inside < SILENT_BEAT_DB).mean())
    )
    return cost, Stretch(float(beats.seconds[at]), float(beats.seconds[at + span]), bars, deviation)


def _uneven(beats: Beats, levels: NDArray[np.float64], bars: int, a_bar: float) -> Stretch | None:
    """Choose bars that end between two beats, as in 7/8."""
    tempo = steady_tempo(beats.seconds)
    if tempo is None:
        return None
    length = bars * a_bar * 60 / tempo
    found = []
    for at in np.flatnonzero(beats.positions == 1):
        if beats.seconds[at] + length <= beats.seconds[-1]:
            cost, stretch = _judged(beats, levels, int(at), max(1, math.floor(bars * a_bar)), bars)
            found.append((cost, Stretch(stretch.start, stretch.start + length, bars, stretch.deviation)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _levels(seconds: NDArray[np.float64], audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Return the level of each beat (to the next) in dB below the loudest, shape (beats,)."""
    places = np.clip((np.append(seconds, len(audio) / sample_rate) * sample_rate).astype(int), 0, len(audio))
    power = np.array(
        [float(np.mean(audio[a:b].astype(np.float64) ** 2)) if b > a else 0.0 for a, b in pairwise(places)]
    )
    return 10 * np.log10(np.maximum(power / max(float(power.max(initial=0.0)), 1e-20), 1e-10))


def onset_near(audio: NDArray[np.float32], sample_rate: int, seconds: float, reach: float = SNAP_SECONDS) -> float:
    """Return where the attack nearest to a time begins, or the time itself if there is none within `reach`.

    The attack is the steepest rise of level, in steps of a millisecond.
    """
    step = max(1, sample_rate // 1000)
    first = max(0, round((seconds - reach) * sample_rate) - 4 * step)
    piece = audio[first : round((seconds + reach) * sample_rate)]
    count = len(piece) // step
    if count < 12:
        return seconds
    peaks = np.abs(piece[: count * step]).reshape(count, step).max(axis=1).astype(np.float64)
    if peaks.max() < 1e-4:
        return seconds
    # compare the loudest of the next 4 ms with that of the last 4 ms
    ahead = np.array([peaks[i : i + 4].max() for i in range(4, count - 3)])
    behind = np.array([peaks[i - 4 : i].max() for i in range(4, count - 3)])
    rise = np.log((ahead + 0.02 * peaks.max()) / (behind + 0.02 * peaks.max()))
    at = int(np.argmax(rise))
    if rise[at] < math.log(2.0):
        return seconds
    # from the first millisecond that belongs to the attack
    start = 4 + at
    while start < count - 1 and peaks[start] < 2 * max(behind[at], 0.02 * ahead[at]):
        start += 1
    return max(0.0, (first + start * step) / sample_rate - LEAD_SECONDS)

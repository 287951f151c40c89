"""Where energy arrives: onset curves of a loop (as a circle) or of a recording, in three bands and overall.

A curve holds the mean rise of logarithmic band levels from frame to frame (spectral flux; Böck and Widmer's
log-filtered variant without the maximum filter), at about `CURVE_RATE` frames a second. Over a loop, frames
divide the circle evenly, so that a loop of n beats has its energy at whole multiples of n cycles per turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import extend

if TYPE_CHECKING:
    from numpy.typing import NDArray

CURVE_RATE = 172.0
WINDOW_SECONDS = 0.046
BAND_EDGES_HZ = (0.0, 150.0, 3000.0, math.inf)
"""Kick; snare and toms; hats."""
BANDS_AN_OCTAVE = 3
LOWEST_HZ, HIGHEST_HZ = 30.0, 16000.0
COMPRESSION = 1000.0
"""Levels are log(1 + COMPRESSION * magnitude / loudest magnitude): the lowest 60 dB fade into silence."""
LOOK_BACK_SECONDS = 0.012
_CHUNK = 256


@dataclass(frozen=True)
class OnsetCurves:
    """Onset strength over time.

    Attributes
    ----------
    bands : ndarray of float64, shape (3, frames)
        Rise in the bands of `BAND_EDGES_HZ`; never negative.
    rate : float
        Frames a second; frame ``n`` lies at ``n / rate`` seconds.
    """

    bands: NDArray[np.float64]
    rate: float

    @property
    def overall(self) -> NDArray[np.float64]:
        """The sum over bands, shape (frames,), each band weighing the same per filter."""
        total: NDArray[np.float64] = self.bands.sum(axis=0)
        return total


def onset_curves(audio: NDArray[np.float32], sample_rate: int, *, circular: bool) -> OnsetCurves:
    """Measure where energy arrives.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, at least one sample.
    sample_rate : int
        In Hz.
    circular : bool
        Whether the audio is a loop.
    """
    from scipy.fft import rfft

    count = len(audio)
    frames = max(8, round(count / sample_rate * CURVE_RATE))
    size = 1 << max(4, round(math.log2(WINDOW_SECONDS * sample_rate)))
    signal = extend(audio.astype(np.float32, copy=False), size // 2, size // 2 + 1, circular)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    weights, band_of = _filters(sample_rate, size)
    starts = np.arange(frames) * count // frames
    levels = np.empty((frames, weights.shape[1]), np.float32)
    for first in range(0, frames, _CHUNK):
        index = starts[first : first + _CHUNK, None] + np.arange(size)
        magnitude = np.abs(rfft(signal[index] * window, axis=1)).astype(np.float32)
        levels[first : first + _CHUNK] = magnitude @ weights
    levels /= max(float(levels.max(initial=0.0)), 1e-9)
    np.log1p(COMPRESSION * levels, out=levels)
    rate = frames * sample_rate / count
    lag = max(1, round(LOOK_BACK_SECONDS * rate))
    before = np.roll(levels, lag, axis=0)
    if not circular:
        before[:lag] = 0.0
    rise = np.maximum(levels - before, 0.0).astype(np.float64)
    bands = np.stack([rise[:, band_of == band].sum(axis=1) / len(band_of) for band in range(len(BAND_EDGES_HZ) - 1)])
    return OnsetCurves(bands, rate)


def _filters(sample_rate: int, size: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Design triangles on a logarithmic scale, shape ``(bins, filters)``, and say in which band each lies."""
    top = min(HIGHEST_HZ, 0.48 * sample_rate)
    steps = max(2, round(BANDS_AN_OCTAVE * math.log2(max(top / LOWEST_HZ, 2.0))))
    bin_hz = sample_rate / size
    # no filter narrower than a bin: at the bottom the scale becomes linear
    edges = [LOWEST_HZ]
    ratio = (top / LOWEST_HZ) ** (1 / steps)
    while edges[-1] < top:
        edges.append(max(edges[-1] * ratio, edges[-1] + bin_hz))
    points = np.array(edges)
    bins = np.arange(size // 2 + 1)[:, None] * bin_hz
    rise = (bins - points[:-2]) / (points[1:-1] - points[:-2])
    fall = (points[2:] - bins) / (points[2:] - points[1:-1])
    weights = np.maximum(0.0, np.minimum(rise, fall))
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    band_of = np.searchsorted(np.array(BAND_EDGES_HZ[1:]), points[1:-1], side="right")
    return weights.astype(np.float32), band_of.astype(np.int64)


def onset_peaks(curves: OnsetCurves, *, least: float = 0.1, apart_seconds: float = 0.06) -> int:
    """Count the strokes: peaks of the curve of at least this share of the highest, so far apart."""
    from scipy.signal import find_peaks

    curve = np.concatenate(([0.0], curves.overall, [0.0]))
    apart = max(1, round(apart_seconds * curves.rate))
    found, _ = find_peaks(curve, height=max(least * float(curve.max()), 1e-9), distance=apart)
    return len(found)


def repetition(curves: OnsetCurves) -> float:
    """Say how much a recording repeats: the highest autocorrelation of its onset curve, up to 1.

    Lags run from 0.2 s to 1.5 s or three fifths of the recording. Noise of any length stays below 0.07; 0 for
    what is too short to repeat.
    """
    from scipy.ndimage import gaussian_filter1d

    curve = gaussian_filter1d(curves.overall, 0.015 * curves.rate, mode="constant")
    curve = curve - curve.mean()
    count = len(curve)
    first, last = round(0.2 * curves.rate), min(round(1.5 * curves.rate), int(0.6 * count))
    power = float(curve @ curve)
    if last <= first or power < 1e-12:
        return 0.0
    product = np.fft.irfft(np.abs(np.fft.rfft(curve, 2 * count)) ** 2)[first:last]
    return float((product * count / (count - np.arange(first, last))).max() / power)


def attack_at_start(curves: OnsetCurves, seconds: float = 0.03) -> float:
    """Compare the strokes in the first 30 ms with the strongest of the recording (up to 1)."""
    first = curves.overall[: max(2, round(seconds * curves.rate))]
    return min(1.0, float(first.max()) / max(float(np.quantile(curves.overall, 0.98)), 1e-12))

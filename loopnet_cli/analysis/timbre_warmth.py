"""Warmth: weight in the low Barks, little above, and an even fall of the spectrum of each sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import frames as overlapping
from loopnet_cli.analysis.spectra import peaks, refine, window
from loopnet_cli.analysis.timbre_bark import BarkFrames, log10, region

if TYPE_CHECKING:
    from numpy.typing import NDArray

WARM_FFT = 8192
PEAK_CONTRAST = 0.2
FUNDAMENTAL_BELOW_HZ = 260.0
REGION_FACTOR, REGION_MAX_HZ = 3.5, 12000.0


def warmth(signal: NDArray[np.float64], onsets: list[int], bark: BarkFrames, sample_rate: int) -> float:
    """Score warmth.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        Levelled.
    onsets : list of int
        Where its sounds begin.
    bark : BarkFrames
        Its loudness patterns.
    """
    warm = float((bark.pattern @ region(10, 40)).mean())
    harsh = bark.average(bark.pattern @ region(80, 240), 1)
    levels, shares, centroids, falls = [], [], [], []
    for start, end in zip(onsets, [*onsets[1:], len(signal)], strict=True):
        segment = signal[start:end]
        share, centroid, fall = _segment(segment, sample_rate)
        levels.append(float(np.sqrt(np.mean(segment**2))))
        shares.append(share)
        centroids.append(centroid)
        falls.append(fall)
    share = float(np.average(shares, weights=levels)) if sum(levels) > 0 else 0.0
    return (
        -4.464258317026696 * log10(float(np.mean(centroids)), 1.0)
        - 0.08819320850778556 * harsh
        + 0.29156539973575546 * warm
        + 17.274733561081554 * float(np.mean(falls))
        + 8.403340066029507 * share
        + 45.21212125085579
    )


def _segment(segment: NDArray[np.float64], sample_rate: int) -> tuple[float, float, float]:
    """Measure one sound: share of power near its fundamental, spectral centroid in Hz, straightness of the fall."""
    spectrum = _spectrum(segment)
    hertz = np.arange(len(spectrum)) * (sample_rate / WARM_FFT)
    top = float(spectrum.max())
    if top <= 0:
        return 0.0, 0.0, 0.0
    spectrum = spectrum / top
    frame, index = peaks(spectrum[None, :], PEAK_CONTRAST)
    position, _ = refine(spectrum[None, :], frame, index)
    lowest = int(index.min()) if len(index) else 0
    fundamental = float(position.min()) * hertz[1] if len(index) else 0.0
    limit = min(fundamental * REGION_FACTOR, REGION_MAX_HZ)
    total = float(spectrum.sum())
    share = 0.0
    if fundamental < FUNDAMENTAL_BELOW_HZ:
        share = float(spectrum[lowest : int(np.argmax(hertz > FUNDAMENTAL_BELOW_HZ))].sum()) / total
    above = int(np.argmax(hertz > limit))
    level = np.log10(np.maximum(spectrum[above:], 1e-30))
    return share, float((hertz * spectrum).sum()) / total, _straightness(np.log10(hertz[above:]), level)


def _spectrum(segment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power spectrum of a sound, summed over its frames."""
    from scipy.fft import rfft

    size = min(len(segment), WARM_FFT)
    hop = max(1, size - size // 8)
    blocks = overlapping(segment, size, hop)
    blocks = (blocks - blocks.mean(axis=1, keepdims=True)) * window("tukey", size)
    spectrum = rfft(blocks, WARM_FFT, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=0)
    power[1:-1] *= 2
    return np.asarray(power)


def _straightness(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the share of the variance of `y` that a straight line over `x` explains."""
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x) * float(y @ y)
    return float(x @ y) ** 2 / spread if spread > 0 else 0.0

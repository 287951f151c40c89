"""The attributes read off spectrograms alone: brightness and roughness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import butterworth, extend, frames, run_filter
from loopnet_cli.analysis.spectra import peaks, power_spectrogram, refine, window
from loopnet_cli.analysis.timbre_bark import log10

if TYPE_CHECKING:
    from numpy.typing import NDArray

BRIGHT_FFT, BRIGHT_HOP = 2048, 512
BRIGHT_FROM_HZ, CENTROID_FROM_HZ = 2000.0, 100.0


def brightness(audible: NDArray[np.float64], sample_rate: int, circular: bool) -> float:
    """Score brightness: the share of power above 2 kHz and the spectral centroid above 100 Hz.

    Parameters
    ----------
    audible : ndarray, shape (samples,)
        The signal without what lies below 20 Hz.
    """
    upper = run_filter(audible, butterworth("high", 2, BRIGHT_FROM_HZ, sample_rate, 3), circular, sample_rate)
    middle = run_filter(audible, butterworth("high", 2, CENTROID_FROM_HZ, sample_rate, 3), circular, sample_rate)
    whole = _frame_power(audible, circular)
    share = _frame_power(upper, circular) / whole if whole > 0 else 0.0
    power = power_spectrogram(middle.astype(np.float32), "hamming", BRIGHT_FFT, BRIGHT_HOP, circular).sum(axis=0)
    hertz = np.arange(len(power)) * (sample_rate / BRIGHT_FFT)
    centroid = float(power @ hertz) / float(power.sum()) if power.sum() > 0 else 0.0
    return 4.613128018020465 * log10(share, 1e-12) + 17.378889309312974 * log10(centroid, 1.0) + 17.434733750553022


def _frame_power(signal: NDArray[np.float64], circular: bool) -> float:
    """Return the power of all frames of the brightness spectrogram, which needs no transform (Parseval)."""
    signal = extend(signal, 0, BRIGHT_FFT - BRIGHT_HOP if circular else 0, circular)
    blocks = frames(signal.astype(np.float32), BRIGHT_FFT, BRIGHT_HOP)
    shape = window("hamming", BRIGHT_FFT) ** 2
    # each sample counts once per frame that covers it; frames lose their mean
    cover = np.zeros(len(signal))
    for start in range(0, len(blocks) * BRIGHT_HOP, BRIGHT_HOP):
        cover[start : start + BRIGHT_FFT] += shape
    weighted, mean = (blocks @ np.stack([shape, np.full(BRIGHT_FFT, 1 / BRIGHT_FFT)], 1).astype(np.float32)).T
    return float(signal**2 @ cover) + float((mean**2 * shape.sum() - 2 * mean * weighted).sum())


ROUGH_SECONDS, ROUGH_FFT = 0.05, 4096
ROUGH_CONTRAST = 0.01
ROUGH_MIN = 0.01
"""Below this mean roughness the score is 0."""
ROUGH_REACH = 6.0
"""Pairs of partials further apart than this many decay constants add well below 1 % of the whole."""


def roughness(signal: NDArray[np.float64], sample_rate: int, circular: bool) -> float:
    """Score roughness: beating between all pairs of spectral peaks (Plomp and Levelt; Vassilakis)."""
    from scipy.fft import rfft

    size = int(ROUGH_SECONDS * sample_rate)
    if circular:
        count = max(1, round(2 * len(signal) / size))
        starts = (np.arange(count) * len(signal) / count).astype(np.int64)
        padded = extend(signal, 0, size, True)
    else:
        padded = extend(signal, 512, max(0, size - 512 - len(signal)), False)
        count = (len(padded) - size) * 2 // size + 1
        starts = (np.arange(count) * (size / 2)).astype(np.int64)
    shape = (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(1, size + 1) / (size + 1))).astype(np.float32)
    blocks = np.lib.stride_tricks.sliding_window_view(padded.astype(np.float32), size)[starts] * shape
    magnitude = np.abs(rfft(blocks, ROUGH_FFT, axis=1))
    lowest, highest = (float(magnitude.min()) if circular else 0.0), float(magnitude.max())
    if highest <= lowest:
        return 0.0
    frame, index = peaks((magnitude - lowest) / (highest - lowest), ROUGH_CONTRAST)
    position, level = refine(magnitude, frame, index)
    hertz = position * (sample_rate / ROUGH_FFT)
    # the reference's mean runs over one more frame than the clip fills
    divisor = count if circular else int(len(padded) / (size / 2))
    mean = _beating(frame, hertz.astype(np.float32), level.astype(np.float32)) / max(1, divisor)
    return 0.0 if mean < ROUGH_MIN else 13.98779569 * log10(mean) + 48.97606571545886


def _beating(frame: NDArray[np.int64], hertz: NDArray[np.float32], level: NDArray[np.float32]) -> float:
    """Sum the roughness of all pairs of peaks within each frame; entries are sorted by frame, then frequency."""
    soft = level**0.1
    scale = 0.24 / (0.0207 * hertz + 18.96)
    total = 0.0
    low = np.arange(len(frame))
    for lag in range(1, len(frame)):
        # partials that are too far apart at this lag are so at the next: the list only gets shorter
        low = low[low + lag < len(frame)]
        low = low[frame[low + lag] == frame[low]]
        distance = scale[low] * (hertz[low + lag] - hertz[low])
        near = 3.51 * distance < ROUGH_REACH
        low, distance = low[near], distance[near]
        if not len(low):
            break
        first, second = level[low], level[low + lag]
        # exp and log are several times faster than a power
        depth = np.exp(3.11 * np.log(2 * np.maximum(first, second) / (first + second)))
        beats = np.exp(-3.51 * distance) - np.exp(-5.75 * distance)
        total += 0.5 * float((soft[low] * soft[low + lag] * depth * beats).sum())
    return total

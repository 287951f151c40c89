"""Hardness: fast, wide-band, bright attacks, and how percussive the whole is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import frames
from loopnet_cli.analysis.onsets import HOP, attack, attack_time
from loopnet_cli.analysis.timbre_bark import BarkFrames, log10, region

if TYPE_CHECKING:
    from numpy.typing import NDArray

BANDWIDTH_FFT, BANDWIDTH_HOP = 4096, 256
CHUNK, GROUP = 16, 16
BANDWIDTH_FROM = 10 ** (-75 / 20)
"""Spectral magnitude (per square root of Hz) that still counts as part of a sound."""
LONGEST_ATTACK = 0.1
CENTROID_SECONDS, CENTROID_MIN_SAMPLES, CENTROID_MIN_HZ, AUDIBLE_HZ = 0.125, 512, 200.0, 20.0
MEDIAN = 31
DENSE_BINS, BIN_STEP, FRAME_STEP = 48, 12, 2
"""The percussive share is computed in all of the lowest bins, in every so many above, and in every other frame:
neighbours differ little."""


@dataclass(frozen=True)
class Attacks:
    """What hardness needs to know of a signal that holds a margin of one bandwidth frame before its start.

    Attributes
    ----------
    signal, envelope : ndarray, shape (samples,)
        With the margin.
    onsets : list of int
        In samples of `signal`.
    strength : ndarray
        Onset strength of `signal`, a value every `HOP` samples.
    """

    signal: NDArray[np.float64]
    envelope: NDArray[np.float64]
    onsets: list[int]
    strength: NDArray[np.float32]


def hardness(attacks: Attacks, spectrum: NDArray[np.complex64], bark: BarkFrames, sample_rate: int) -> float:
    """Score hardness.

    Parameters
    ----------
    attacks : Attacks
        The levelled signal with its margin, and its onsets.
    spectrum : ndarray, shape (frames, 1025)
        Short-time spectra of the signal without the margin.
    bark : BarkFrames
        Its loudness patterns.
    """
    bandwidth = _bandwidth(attacks.signal, sample_rate)
    onsets = attacks.onsets
    starts = [max(0, onset - BANDWIDTH_FFT) // BANDWIDTH_HOP for onset in onsets]
    ends = [*onsets[1:], len(attacks.signal)]
    widths, width_weights, strengths, times, centroids = [], [], [], [], []
    for index, (onset, end) in enumerate(zip(onsets, ends, strict=True)):
        last = index == len(onsets) - 1
        strongest = float(attacks.strength[onset // HOP : None if last else end // HOP].max(initial=0.0))
        strengths.append(strongest)
        width = _attack_bandwidth(bandwidth[starts[index] : None if last else starts[index + 1]], sample_rate)
        if width is not None:
            widths.append(width)
            width_weights.append(strongest)
        begin = 0
        rise = attack(attacks.envelope[onset:end])
        if rise is not None:
            seconds, offset = attack_time(rise[1], sample_rate, LONGEST_ATTACK)
            times.append(log10(seconds, 1e-6))
            begin = rise[0] + offset
        sound = attacks.signal[onset + begin : min(end, onset + begin + int(CENTROID_SECONDS * sample_rate))]
        if len(sound) > CENTROID_MIN_SAMPLES:
            centroids.append(_centroid(sound, sample_rate))
    wide = float(np.average(widths, weights=width_weights)) if sum(width_weights) > 0 else 0.0
    if wide <= 512.0:
        wide = sample_rate / 512.0
    middle = bark.average(bark.pattern @ region(70, 140), 1)
    return (
        12.079781720638145 * log10(wide)
        + 18.52100377170042 * log10(float(np.mean(centroids)) if centroids else 0.0, CENTROID_MIN_HZ)
        + 14.139883645260355 * log10(middle)
        + 5.567690321917516 * log10(percussive_share(spectrum))
        + 3.9346817690405635 * log10(float(np.mean(strengths)))
        - 4.326890461087848 * (float(np.mean(times)) if times else log10(LONGEST_ATTACK))
        - 85.60352209068202
    )


def _bandwidth(signal: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Measure, frame by frame, the width in Hz of what lies above the threshold; 0 in quiet frames."""
    from scipy.fft import rfft

    view = frames(signal.astype(np.float32), BANDWIDTH_FFT, BANDWIDTH_HOP)
    ones = np.ones(GROUP, dtype=np.float32)
    scale = np.float32(1 / np.sqrt(sample_rate * BANDWIDTH_FFT))
    level, low, high = np.empty(len(view)), np.empty(len(view)), np.empty(len(view))
    # a few frames at a time stay in the cache
    for start in range(0, len(view), CHUNK):
        part = slice(start, start + CHUNK)
        magnitude = np.abs(rfft(view[part], axis=1)) * scale
        magnitude[:, 0] = 0  # the mean of a frame is no part of its sound
        groups = np.cumsum(magnitude[:, :-1].reshape(len(magnitude), -1, GROUP) @ ones, axis=1)
        level[part] = groups[:, -1] + magnitude[:, -1]
        # where 5 % of the level is reached: first the group of bins, then the bin
        aim = 0.05 * level[part, None]
        group = np.minimum((groups < aim).sum(axis=1), groups.shape[1] - 1)[:, None]
        before = np.where(group > 0, np.take_along_axis(groups, np.maximum(group - 1, 0), axis=1), 0.0)
        inside = np.take_along_axis(magnitude, group * GROUP + np.arange(GROUP), axis=1)
        low[part] = group[:, 0] * GROUP + (before + np.cumsum(inside, axis=1) < aim).sum(axis=1)
        above = magnitude[:, ::-1] >= BANDWIDTH_FROM
        high[part] = np.where(above.any(axis=1), magnitude.shape[1] - 1 - above.argmax(axis=1), low[part])
    loud = level > level.min() + 0.1 * (level.max() - level.min())
    return np.where(loud, high - low, 0.0) * (sample_rate / BANDWIDTH_FFT)


def _attack_bandwidth(curve: NDArray[np.float64], sample_rate: int) -> float | None:
    """Return the largest bandwidth during the attack of one sound; None if it has no attack."""
    rise = attack(curve) if len(curve) and curve.max() > 0 else None
    if rise is None:
        return None
    low, high = rise[1].min(), rise[1].max()
    start = rise[0] + int(np.argmax(rise[1] >= low + 0.2 * (high - low)))
    longest = int(LONGEST_ATTACK * sample_rate / BANDWIDTH_HOP)
    # only long sounds are cut to the attack, as in the reference
    end = start + longest if len(curve) - start > start + longest else len(curve)
    return float(curve[start:end].max())


def _centroid(sound: NDArray[np.float64], sample_rate: int) -> float:
    """Return the centroid in Hz of the magnitude spectrum of a sound."""
    from scipy.fft import rfft

    size = 1 << (len(sound) - 1).bit_length()
    magnitude = np.abs(rfft(sound, size))
    hertz = np.arange(len(magnitude)) * (sample_rate / size)
    magnitude[hertz < AUDIBLE_HZ] = 0
    total = float(magnitude.sum())
    return float(magnitude @ hertz) / total if total > 0 else 0.0


def percussive_share(spectrum: NDArray[np.complex64]) -> float:
    """Measure how much of a signal's amplitude is percussive (median filtering, Fitzgerald), 0..1.

    Energy that is steadier over time than over frequency is harmonic, the rest percussive.
    """
    from numpy.lib.stride_tricks import sliding_window_view

    magnitude = np.abs(spectrum)
    half = MEDIAN // 2
    over_bins = np.pad(magnitude[::FRAME_STEP], ((0, 0), (half, half)), mode="symmetric")
    percussive, harmonic = np.zeros(len(over_bins)), np.zeros(len(over_bins))
    for rows, width in ((slice(0, DENSE_BINS), 1), (slice(DENSE_BINS, None, BIN_STEP), BIN_STEP)):
        over_time = np.pad(magnitude[:, rows], ((half, half), (0, 0)), mode="symmetric")
        steady = np.sort(sliding_window_view(over_time, MEDIAN, axis=0)[::FRAME_STEP], axis=-1)[..., half] ** 2
        flat = np.sort(sliding_window_view(over_bins, MEDIAN, axis=1)[:, rows], axis=-1)[..., half] ** 2
        both = steady + flat
        mask = np.where(both > 0, flat / np.where(both > 0, both, 1), 0.5)
        chosen = magnitude[::FRAME_STEP, rows]
        percussive += width * ((chosen * mask) ** 2).sum(axis=1)
        harmonic += width * ((chosen * (1 - mask)) ** 2).sum(axis=1)
    amplitude = np.sqrt(percussive).sum()
    total = float(amplitude + np.sqrt(harmonic).sum())
    return float(amplitude) / total if total > 0 else 0.5

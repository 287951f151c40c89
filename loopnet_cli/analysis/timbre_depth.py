"""Depth: how low a sound lies and how long it lasts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import butterworth, extend, power_response
from loopnet_cli.analysis.onsets import AUDIBLE_FROM_HZ, HOP, find_onsets, hold_envelope, mel_levels, onset_strength
from loopnet_cli.analysis.spectra import peaks, power_spectrogram, refine

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEPTH_FFT, DEPTH_HOP = 4096, 1024
CENTROID_BELOW_HZ, SHARE_BELOW_HZ = 2000.0, 500.0
SOUNDING = 10 ** (-60 / 20)
"""Frames of less power than this (peak of the signal: 1) count as silence."""
RMS_STEP, DECAYED = 256, 10 ** (-40 / 20)
PITCH_CONTRAST = 0.01
COARSE = 8


def depth(audible: NDArray[np.float64], spectrum: NDArray[np.complex64], sample_rate: int, circular: bool) -> float:
    """Score depth.

    Parameters
    ----------
    audible : ndarray, shape (samples,)
        The signal without what lies below 20 Hz, its peak at 1.
    spectrum : ndarray, shape (frames, 1025)
        Short-time spectra of the signal.
    """
    power = power_spectrogram(audible.astype(np.float32), "hamming", DEPTH_FFT, DEPTH_HOP, circular)
    hertz = np.arange(power.shape[1]) * (sample_rate / DEPTH_FFT)
    total = power.sum(axis=1)
    everything = max(float(total.sum()), 1e-30)
    loud = power[total > SOUNDING]
    below_2k = power_response(butterworth("low", 2, CENTROID_BELOW_HZ, sample_rate, 3), DEPTH_FFT)
    below_500 = power_response(butterworth("low", 2, SHARE_BELOW_HZ, sample_rate, 3), DEPTH_FFT)
    centroids = (loud @ (below_2k * hertz)) / np.maximum(loud @ below_2k, 1e-30)
    centroid = min(float(centroids @ total[total > SOUNDING]) / everything, CENTROID_BELOW_HZ)
    share = float((loud @ below_500).sum()) / everything
    duration = math.log10(_mean_duration(audible, spectrum, sample_rate))
    sigmoid = share**10 / (share**10 + 0.2)
    return (
        -0.0043703565847874465 * centroid
        + 32.83743202462131 * share
        + 4.750862716905235 * duration
        - 14.217438690256062 * _log_pitch(power.sum(axis=0), hertz[1])
        + 3.8782339862813924 * share * duration
        - 0.8544826091735516 * sigmoid * duration
        + 66.69534393444391
    )


def _log_pitch(spectrum: NDArray[np.float64], spacing: float) -> float:
    """Return the logarithm of the frequency of the lowest peak of a spectrum; 0 if there is none above 0 Hz."""
    span = float(spectrum.max() - spectrum.min())
    if span <= 0:
        return 0.0
    scaled = ((spectrum - spectrum.min()) / span)[None, :]
    frame, index = peaks(scaled, PITCH_CONTRAST)
    position, _ = refine(scaled, frame, index)
    positive = position[position > 0]
    return math.log10(float(positive.min()) * spacing) if len(positive) else 0.0


def _mean_duration(audible: NDArray[np.float64], spectrum: NDArray[np.complex64], sample_rate: int) -> float:
    """Measure the mean time in seconds that sounds take to fall 40 dB below the loudest moment of all."""
    # the envelope only serves to find onsets here: its peaks in steps of a few samples are enough
    blocks = np.abs(extend(audible, 0, -len(audible) % COARSE, False)).reshape(-1, COARSE).max(axis=1)
    envelope = np.repeat(hold_envelope(blocks, sample_rate / COARSE, decay_seconds=0.2), COARSE)[: len(audible)]
    strength = onset_strength(mel_levels(spectrum, sample_rate, AUDIBLE_FROM_HZ))
    onsets = [onset // RMS_STEP for onset in find_onsets(envelope, strength, sample_rate, margin=HOP)]
    whole = (len(audible) - 1) // RMS_STEP * RMS_STEP
    rms = np.sqrt(np.mean(audible[:whole].reshape(-1, RMS_STEP) ** 2, axis=1))
    rms = np.append(rms, np.sqrt(np.mean(audible[whole:] ** 2)))
    rms /= max(float(rms.max()), 1e-30)
    durations = []
    for onset, end in zip(onsets, [*onsets[1:], len(rms)], strict=True):
        segment = rms[onset:end]
        after = segment[int(segment.argmax()) :]
        decayed = after < DECAYED
        durations.append(int(decayed.argmax()) if decayed.any() else len(after))
    return max(float(np.mean(durations)), 1.0) * RMS_STEP / sample_rate

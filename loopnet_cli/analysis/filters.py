"""Filters and framing for analysis, over a signal that is either a loop (periodic) or a clip (silence around it).

Conventions: audio is mono, shape ``(samples,)``; filters are second-order (or first-order) sections
``(b, a)`` in a tuple, applied one after the other. Over a loop, filters start with the loop's own
end in their memory, so they are in steady state and there is no transient at the seam.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.controls import BANDS
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[Any]

Section = tuple[tuple[float, ...], tuple[float, ...]]

LOW_PASS_HZ, BAND_CENTRE_HZ, BAND_WIDTH_HZ, HIGH_PASS_HZ = 90.0, 280.0, 100.0, 9000.0
"""The paper's three bands; the width of the middle one is that of its training features."""

PRE_ROLL_SECONDS = 0.25
"""Memory given to a filter over a loop: all filters here have decayed below 1e-9 after it."""


def extend(signal: Floats, before: int, after: int, circular: bool) -> Floats:
    """Return `signal` with context on both sides: the loop's own continuation, or zeros."""
    count = len(signal)
    if not circular:
        return np.concatenate((np.zeros(before, signal.dtype), signal, np.zeros(after, signal.dtype)))
    if max(before, after) <= count:
        return np.concatenate((signal[count - before :], signal, signal[:after]))
    return signal[np.arange(-before, count + after) % count]


def frames(signal: Floats, size: int, hop: int) -> Floats:
    """Return a view of overlapping frames, shape ``(count, size)``; a remainder shorter than a frame is left out."""
    return np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]


def run_filter(
    signal: Floats, sections: tuple[Section, ...], circular: bool, sample_rate: int = 44100
) -> NDArray[np.float64]:
    """Apply `sections` to `signal`, from rest or, over a loop, in steady state."""
    from scipy.signal import sosfilt

    pre_roll = round(PRE_ROLL_SECONDS * sample_rate) if circular else 0
    table = np.zeros((len(sections), 6))
    for row, (b, a) in zip(table, sections, strict=True):
        row[: len(b)], row[3 : 3 + len(a)] = np.divide(b, a[0]), np.divide(a, a[0])
    output = sosfilt(table, extend(signal, pre_roll, 0, circular).astype(np.float64))
    return np.asarray(output[pre_roll:])


@lru_cache(maxsize=64)
def butterworth(kind: str, order: int, cutoff: float, sample_rate: int, repeats: int = 1) -> tuple[Section, ...]:
    """Design a Butterworth ``low`` or ``high`` pass of first or second order, run `repeats` times."""
    from scipy.signal import butter

    b, a = butter(order, cutoff / (sample_rate / 2), kind)
    return ((tuple(b.tolist()), tuple(a.tolist())),) * repeats


@lru_cache(maxsize=64)
def power_response(sections: tuple[Section, ...], fft_size: int) -> NDArray[np.float64]:
    """Return the power gain of a filter at the bins of a real FFT."""
    turn = np.exp(-2j * np.pi * np.arange(fft_size // 2 + 1) / fft_size)
    gain = np.ones(len(turn))
    for b, a in sections:
        gain *= np.abs(np.polyval(b[::-1], turn) / np.polyval(a[::-1], turn)) ** 2
    return gain


@lru_cache(maxsize=16)
def band_sections(band: str, sample_rate: int) -> tuple[Section, ...]:
    """Design the filter of one of the paper's bands.

    ``low`` and ``high`` are first-order Butterworth filters; ``mid`` is the second-order band-pass whose
    gain is 1 at the centre and -3 dB at the edges of a band of `BAND_WIDTH_HZ` (all-pass form).
    """
    if band == "low":
        return butterworth("low", 1, LOW_PASS_HZ, sample_rate)
    if band == "high":
        return butterworth("high", 1, HIGH_PASS_HZ, sample_rate)
    if band == "mid":
        tangent = math.tan(math.pi * BAND_WIDTH_HZ / sample_rate)
        c = (tangent - 1) / (tangent + 1)
        d = -math.cos(2 * math.pi * BAND_CENTRE_HZ / sample_rate)
        gain = (1 + c) / 2
        return (((gain, 0.0, -gain), (1.0, d * (1 - c), -c)),)
    raise ValueError(f"unknown band {band!r}: use {', '.join(BANDS)}")


def band_filter(audio: Floats, band: str, sample_rate: int = 44100, *, circular: bool = True) -> NDArray[np.float64]:
    """Return one of the paper's three bands of `audio`.

    Parameters
    ----------
    audio : ndarray, shape (samples,)
        Mono audio.
    band : str
        ``low``, ``mid`` or ``high``.
    sample_rate : int
        In Hz, above 18 000 (the high band must exist).
    circular : bool
        Whether the audio is a loop, so that the filter runs in steady state.

    Returns
    -------
    ndarray of float64, shape (samples,)

    Raises
    ------
    AudioError
        If the sample rate leaves no room for the high band.
    """
    if sample_rate <= 2 * HIGH_PASS_HZ:
        raise AudioError(
            f"sample rate {sample_rate} Hz: the high band starts at {HIGH_PASS_HZ:g} Hz, analyse at 44100 Hz"
        )
    return run_filter(audio, band_sections(band, sample_rate), circular, sample_rate)

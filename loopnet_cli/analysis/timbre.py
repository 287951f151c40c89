"""Timbre: seven attributes, in three bands.

The attributes are those of the AudioCommons timbral models 0.4 (Pearce, Brookes, Mason: University of
Surrey), here as vectorised code of our own; docs/TIMBRE.md says what each measures and how closely the
values agree. Points run from about 0 to 100 and are not clipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import band_filter, butterworth, extend, run_filter
from loopnet_cli.analysis.loudness import level_to
from loopnet_cli.analysis.onsets import (
    AUDIBLE_FROM_HZ,
    FFT,
    HOP,
    find_onsets,
    hold_envelope,
    mel_levels,
    onset_strength,
    short_time_spectrum,
)
from loopnet_cli.analysis.timbre_bark import BarkFrames, bark_frames, boominess, sharpness
from loopnet_cli.analysis.timbre_depth import depth
from loopnet_cli.analysis.timbre_hardness import BANDWIDTH_FFT, Attacks, hardness
from loopnet_cli.analysis.timbre_spectral import brightness, roughness
from loopnet_cli.analysis.timbre_warmth import warmth
from loopnet_cli.controls import ATTRIBUTES, BANDS
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["band_filter", "timbre_attributes", "timbre_features"]

TARGET_LUFS = -24.0
MIN_SECONDS = 0.2
"""A shorter loop is repeated, a shorter clip followed by silence, up to this length."""
MAX_SECONDS = 600.0
LOUDEST = 1e6
MIN_RATE, MAX_RATE = 32000, 192000
SILENCE = 1e-6
"""Audio whose variation never exceeds this (-120 dBFS) cannot be analysed."""


def timbre_features(
    audio: NDArray[np.float32], sample_rate: int = 44100, *, circular: bool = True, only: Sequence[str] = BANDS
) -> dict[str, float]:
    """Measure the 21 timbre features of a loop.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono.
    sample_rate : int
        In Hz, 32 000 to 192 000; 44 100 is what the attributes are defined for.
    circular : bool
        Whether the audio repeats without a gap. A loop's features do not depend on where it is cut.
    only : sequence of str
        The bands to measure, where not all are needed: each takes a third of the time.

    Returns
    -------
    dict
        Points for each name in `controls.TIMBRE_NAMES`, in that order; of the bands measured.

    Raises
    ------
    AudioError
        If the audio is silent (or a steady offset), not mono, too long, or holds values that are not finite,
        or if its sample rate is out of range.
    """
    signal = _prepare(audio, sample_rate, circular)
    wanted = [band for band in BANDS if band in only]
    bands = [band_filter(signal, band, sample_rate, circular=circular) for band in wanted]
    found = _attributes(bands, sample_rate, circular)
    return {f"{band}.{name}": values[name] for band, values in zip(wanted, found, strict=True) for name in ATTRIBUTES}


def timbre_attributes(
    audio: NDArray[np.floating], sample_rate: int = 44100, *, circular: bool = True
) -> dict[str, float]:
    """Measure the seven attributes of a signal as it is (whole, or one band of it).

    Parameters and errors are those of `timbre_features`; the keys are `controls.ATTRIBUTES`.
    """
    return _attributes([_prepare(audio, sample_rate, circular)], sample_rate, circular)[0]


def _prepare(audio: NDArray[np.floating], sample_rate: int, circular: bool) -> NDArray[np.float64]:
    """Check audio, bring it to the least length, and cut a loop where it is loudest."""
    signal = np.asarray(audio, dtype=np.float64)
    if signal.ndim != 1:
        raise AudioError(f"timbre needs mono audio, got shape {signal.shape}: mix the channels first")
    if not len(signal):
        raise AudioError("timbre of empty audio: there is nothing to analyse")
    if not MIN_RATE <= sample_rate <= MAX_RATE:
        raise AudioError(f"timbre at a sample rate of {sample_rate} Hz: resample to 44100 Hz first")
    if len(signal) > MAX_SECONDS * sample_rate:
        raise AudioError(f"timbre of {len(signal) / sample_rate:.0f} s of audio: cut it to {MAX_SECONDS:g} s or less")
    if not np.isfinite(signal).all():
        raise AudioError("the audio holds values that are not numbers or infinite: repair it first")
    if np.ptp(signal) < SILENCE:
        raise AudioError("the audio is silent: there is no timbre to analyse")
    peak = float(np.abs(signal).max())
    if peak > LOUDEST:  # absurd, but powers of it must not overflow
        signal = signal / peak
    missing = max(0, round(MIN_SECONDS * sample_rate) - len(signal))
    if not circular:
        return extend(signal, 0, missing, False)
    signal = np.roll(signal, -_loudest(signal, sample_rate))
    return np.tile(signal, -(-missing // len(signal)) + 1)


def _loudest(signal: NDArray[np.float64], sample_rate: int) -> int:
    """Find the sample before the loudest moment of a loop, wherever the loop was cut."""
    # whole numbers: sums that do not depend on the order of samples make the choice the same after any rotation
    power = np.rint((signal / np.abs(signal).max()) ** 2 * 2**24).astype(np.int64)
    score = np.zeros(len(power), dtype=np.int64)
    for seconds in (0.01, 0.04, 0.3):
        span = max(1, min(round(seconds * sample_rate), len(power)))
        total = np.concatenate(([0], np.cumsum(extend(power, 0, span, True))))
        score += (total[span:-1] - total[: -span - 1]) * (round(0.3 * sample_rate) // span)
    return int(score.argmax()) - round(0.005 * sample_rate)


def _attributes(bands: list[NDArray[np.float64]], sample_rate: int, circular: bool) -> list[dict[str, float]]:
    """Measure the attributes of each of several signals of one length."""
    levelled = [level_to(band, TARGET_LUFS, sample_rate, circular=circular) for band in bands]
    barks = bark_frames(levelled, sample_rate, circular)
    return [_one(signal, bark, sample_rate, circular) for signal, bark in zip(levelled, barks, strict=True)]


def _one(signal: NDArray[np.float64], bark: BarkFrames, sample_rate: int, circular: bool) -> dict[str, float]:
    """Measure the attributes of one levelled signal."""
    audible = run_filter(signal, butterworth("high", 2, AUDIBLE_FROM_HZ, sample_rate, 3), circular, sample_rate)
    peak = float(np.abs(audible).max())
    if peak > 0:
        audible /= peak
    # hardness sees the signal after a margin of one frame; its spectra include those of the bare signal
    margin, edge = BANDWIDTH_FFT, FFT // 2
    extended = extend(signal, margin, 0, circular)
    spectrum = short_time_spectrum(extend(signal, margin + edge, edge, circular))
    levels = mel_levels(spectrum, sample_rate)
    skip = margin // HOP
    strength, own_strength = onset_strength(levels), onset_strength(levels[skip:])
    envelope = hold_envelope(extended, sample_rate, decay_seconds=0.1)
    onsets = _several(find_onsets(envelope, strength, sample_rate, margin))
    own_onsets = _several(find_onsets(envelope[margin:], own_strength, sample_rate, margin))
    return {
        "hardness": hardness(Attacks(extended, envelope, onsets, strength), spectrum[skip:], bark, sample_rate),
        "depth": depth(audible, spectrum[skip:], sample_rate, circular),
        "brightness": brightness(audible, sample_rate, circular),
        "roughness": roughness(signal, sample_rate, circular),
        "boominess": boominess(bark),
        "warmth": warmth(signal, own_onsets, bark, sample_rate),
        "sharpness": sharpness(bark),
    }


def _several(onsets: list[int]) -> list[int]:
    """Return onsets, or the start if there is only one: a single sound begins where its recording does."""
    return onsets if len(onsets) > 1 else [0]

"""How loud a loop is, and making it as loud as wanted.

All measures treat the audio as a circle, i.e. as the endless repetition of
the loop: filters run in their steady state and windows wrap. So a bar of one
second has a loudness, and a hit at the seam counts as one anywhere else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from loopnet_cli.controls import Loop
from loopnet_cli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PEAK_TARGET_DB = -1.0
"""dBTP; leaves room for lossy codecs, as EBU R 128 advises."""
LOUDNESS_TARGET_LUFS = -14.0
"""A common level of streaming services."""
NORMALIZE_MODES: tuple[str, ...] = ("peak", "lufs", "none")
SILENCE_DB = -120.0
"""What the measures in dB return for digital silence."""

_OVERSAMPLING = 4
_HALF_TAPS = 24
_BLOCK = 512
"""Values that are looked at together; more than the interpolator has taps."""
_KEPT_SIZE = 2**19
"""Up to this length the response of K-weighting is kept for the next loop that is as long; 4 MB each."""
_RUN_UP_SECONDS = 0.25
"""In this time K-weighting forgets all but 1e-17 of what was before: its slowest poles lie at 38 Hz."""


@dataclass(frozen=True, slots=True)
class Levels:
    """The measures of one loop.

    Attributes
    ----------
    peak : float
        Largest absolute sample, linear.
    true_peak_db : float
        Largest value of the waveform between samples too, dB relative to full scale.
    loudness_lufs : float
        Integrated loudness after ITU-R BS.1770-4.
    clipped : int
        Samples beyond full scale, which an integer format cuts off.
    dc : float
        Mean of the samples, linear.
    """

    peak: float
    true_peak_db: float
    loudness_lufs: float
    clipped: int
    dc: float


def measure(audio: NDArray[np.float32], sample_rate: int) -> Levels:
    """Return all measures of a loop of shape (samples,) or (samples, channels)."""
    return Levels(
        peak=sample_peak(audio),
        true_peak_db=true_peak_db(audio),
        loudness_lufs=loudness(audio, sample_rate),
        clipped=clipped_samples(audio),
        dc=dc_offset(audio),
    )


def sample_peak(audio: NDArray[np.float32]) -> float:
    """Return the largest absolute sample; 0 for empty audio."""
    return float(max(abs(audio.max()), abs(audio.min()))) if audio.size else 0.0


def clipped_samples(audio: NDArray[np.float32]) -> int:
    """Return how many samples lie beyond full scale (-1..1)."""
    import numpy as np

    return int(np.count_nonzero(np.abs(audio) > 1.0))


def dc_offset(audio: NDArray[np.float32]) -> float:
    """Return the mean sample; the one furthest from 0 over the channels."""
    import numpy as np

    means = np.atleast_1d(audio.mean(axis=0, dtype=np.float64)) if audio.size else np.zeros(1)
    return float(means[np.argmax(np.abs(means))])


def true_peak(audio: NDArray[np.float32]) -> float:
    """Return the largest absolute value of the waveform, sampled four times as densely, linear.

    As in ITU-R BS.1770-4 annex 2 with a longer interpolator (48 taps a phase,
    Kaiser window), circular.
    """
    import numpy as np

    peak = sample_peak(audio)
    for channel in _channels(audio):
        padded = _wrap(channel.astype(np.float64), _HALF_TAPS, _HALF_TAPS - 1)
        highest = _window_peaks(padded)
        for phase in range(1, _OVERSAMPLING):
            taps = _interpolator(phase)
            # where the samples around are too low to pass the peak by any signs, nothing is computed
            reach = highest * (float(np.abs(taps).sum()) * (1 + 1e-9))
            for start, end in _runs(reach > peak):
                between = np.convolve(padded[start * _BLOCK : end * _BLOCK + len(taps) - 1], taps, mode="valid")
                peak = max(peak, float(np.abs(between).max(initial=0.0)))
    return peak


def true_peak_db(audio: NDArray[np.float32]) -> float:
    """Return `true_peak` in dB relative to full scale, `SILENCE_DB` at least."""
    return max(SILENCE_DB, _db(true_peak(audio)))


def loudness(audio: NDArray[np.float32], sample_rate: int) -> float:
    """Return the integrated loudness of the endlessly repeated loop in LUFS.

    ITU-R BS.1770-4: K-weighting, blocks of 400 ms, gates at -70 LUFS and 10
    LU below the mean of what is left. Blocks start every 10 ms around the
    circle instead of every 100 ms: over many repeats of a loop, whose length
    is rarely a multiple of 100 ms, the standard's blocks start everywhere too.

    Returns `SILENCE_DB` where all blocks lie below the gate.
    """
    import numpy as np

    if audio.shape[0] == 0:
        return SILENCE_DB
    samples = audio.shape[0]
    block = round(0.4 * sample_rate)
    count = max(1, round(samples / (0.01 * sample_rate)))
    starts = np.arange(count) * samples // count
    energy = np.zeros(len(starts))
    for channel in _channels(audio):
        total = np.concatenate([[0.0], np.cumsum(_k_weighted(channel, sample_rate) ** 2)])
        turns, rest = np.divmod(starts + block, samples)
        energy += (turns * total[-1] + total[rest] - total[starts]) / block
    level = -0.691 + 10 * np.log10(np.maximum(energy, 1e-20))
    loud = level > -70.0
    if not loud.any():
        return SILENCE_DB
    relative = -0.691 + 10 * math.log10(float(energy[loud].mean())) - 10.0
    kept = energy[loud & (level > relative)]
    return -0.691 + 10 * math.log10(float(kept.mean()))


def parse_normalize(text: str) -> tuple[str, float | None]:
    """Read ``peak``, ``lufs`` or ``none``, with a target after a colon if not the usual one (``lufs:-16``).

    Raises
    ------
    UsageError
        If the mode is unknown or the target no sensible level.
    """
    mode, colon, number = text.strip().lower().partition(":")
    if mode not in NORMALIZE_MODES or (colon and mode == "none"):
        raise UsageError(f"--normalize {text}: use peak, lufs or none, or with a level, e.g. peak:-3 or lufs:-16")
    if not colon:
        return mode, None
    try:
        target = float(number)
    except ValueError:
        target = math.nan
    if not -60.0 <= target <= 0.0:
        raise UsageError(f"--normalize {text}: the level must lie between -60 and 0 dB")
    return mode, target


def normalize(loop: Loop, mode: str = "peak", target: float | None = None) -> tuple[Loop, str | None]:
    """Bring a loop to a level by one gain, common to the loop and its stems.

    Parameters
    ----------
    loop : Loop
        What to level; silence is returned as it is.
    mode : str
        ``peak`` (true peak), ``lufs`` (integrated loudness) or ``none``.
    target : float, optional
        dBTP or LUFS; `PEAK_TARGET_DB` or `LOUDNESS_TARGET_LUFS` if not given.

    Returns
    -------
    loop : Loop
        The same sound at the new level.
    warning : str or None
        One line if the loudness asked would pass the peak limit of `PEAK_TARGET_DB`, which then wins.
    """
    import numpy as np

    if mode not in NORMALIZE_MODES:
        raise UsageError(f"unknown normalisation {mode!r}: use {', '.join(NORMALIZE_MODES)}")
    peak_db = true_peak_db(loop.audio)
    if mode == "none" or peak_db <= SILENCE_DB:
        return loop, None
    warning = None
    if mode == "peak":
        gain_db = (PEAK_TARGET_DB if target is None else target) - peak_db
    else:
        wanted = LOUDNESS_TARGET_LUFS if target is None else target
        measured = loudness(loop.audio, loop.sample_rate)
        if measured <= SILENCE_DB:
            return loop, None
        gain_db = wanted - measured
        limit = PEAK_TARGET_DB - peak_db
        if gain_db > limit:
            warning = (
                f"{measured + limit:.1f} LUFS instead of {wanted:g}: more would pass the true peak of "
                f"{PEAK_TARGET_DB:g} dB"
            )
            gain_db = limit
    gain = np.float32(10 ** (gain_db / 20))
    stems = {name: stem * gain for name, stem in loop.stems.items()}
    return replace(loop, audio=loop.audio * gain, stems=stems), warning


def _channels(audio: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [audio] if audio.ndim == 1 else [audio[:, index] for index in range(audio.shape[1])]


def _wrap(signal: NDArray[np.float64], before: int, after: int) -> NDArray[np.float64]:
    """Return the loop with what comes before its start and after its end, however short it is."""
    import numpy as np

    return np.pad(signal, (before, after), mode="wrap")


@cache
def _interpolator(phase: int) -> NDArray[np.float64]:
    """Return the taps that read the waveform at ``phase / _OVERSAMPLING`` of the way between two samples."""
    import numpy as np

    at = np.arange(-_HALF_TAPS, _HALF_TAPS) + phase / _OVERSAMPLING
    span = np.sqrt(np.maximum(0.0, 1 - (at / _HALF_TAPS) ** 2))
    taps: NDArray[np.float64] = np.sinc(at) * np.i0(8.0 * span) / np.i0(8.0)
    taps.flags.writeable = False
    return taps


def _window_peaks(padded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest magnitude that the interpolator meets in each block of `_BLOCK` values between samples."""
    import numpy as np

    starts = np.arange(0, max(len(padded) - 2 * _HALF_TAPS + 1, 1), _BLOCK)
    # its window reaches less than a block into the next one
    blocks = np.maximum.reduceat(np.abs(padded), starts)
    highest: NDArray[np.float64] = np.maximum(blocks, np.append(blocks[1:], 0.0))
    return highest


def _runs(chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the start and the end of each run of true values."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _db(value: float) -> float:
    return 20 * math.log10(value) if value > 0 else -math.inf


def _k_weighted(channel: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Filter one channel circularly: with what comes before it, the steady state of the repeated loop."""
    import numpy as np

    from loopnet_cli.audio.fourier import irfft, next_fast_len, rfft

    samples = channel.shape[0]
    # many lengths of loops transform slowly: with a run-up, the length can be chosen
    size = next_fast_len(samples + round(_RUN_UP_SECONDS * sample_rate))
    lead = size - samples
    run_up = np.pad(channel, (lead, 0), mode="wrap").astype(np.float64)
    response = (_kept_response if size <= _KEPT_SIZE else _k_response)(size, sample_rate)
    weighted: NDArray[np.float64] = irfft(rfft(run_up) * response, size)[lead:]
    return weighted


def _k_response(size: int, sample_rate: int) -> NDArray[np.complex128]:
    """Return the response of K-weighting on the frequencies of a real transform of `size` points."""
    import numpy as np

    angle = np.arange(size // 2 + 1) * (2 * np.pi / size)
    z = np.empty(len(angle), np.complex128)
    z.real, z.imag = np.cos(angle), -np.sin(angle)
    (b, a), (d, c) = k_weighting(sample_rate)
    above = (b[0] + z * (b[1] + z * b[2])) * (d[0] + z * (d[1] + z * d[2]))
    response: NDArray[np.complex128] = above / ((a[0] + z * (a[1] + z * a[2])) * (c[0] + z * (c[1] + z * c[2])))
    return response


# loops of one length come one after the other
_kept_response = lru_cache(4)(_k_response)


Biquad = tuple[tuple[float, float, float], tuple[float, float, float]]


def k_weighting(sample_rate: int) -> tuple[Biquad, Biquad]:
    """Return the shelf and the high-pass of K-weighting as (b, a) for any sample rate.

    The analog prototypes are those that B. De Man derived from the 48 kHz
    coefficients of BS.1770 ("Evaluation of implementations of the EBU R128
    loudness measurement", 2018), as libebur128 uses them.
    """
    k = math.tan(math.pi * 1681.974450955533 / sample_rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    norm = 1 + k / q + k * k
    rise = band * k / q
    shelf = (
        ((high + rise + k * k) / norm, 2 * (k * k - high) / norm, (high - rise + k * k) / norm),
        (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm),
    )
    k = math.tan(math.pi * 38.13547087602444 / sample_rate)
    q = 0.5003270373238773
    norm = 1 + k / q + k * k
    high_pass = ((1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm))
    return shelf, high_pass

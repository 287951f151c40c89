"""Changing the sample rate of a loop without opening its seam."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loopnet_cli.controls import Loop
from loopnet_cli.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 8000, 192_000
_ROLL_OFF = 0.05


def resample_circular(audio: NDArray[np.float32], samples: int) -> NDArray[np.float32]:
    """Return one turn of a periodic signal with another number of samples.

    The spectrum of the whole circle is cut or extended, so the result is
    exact below the lower of both Nyquist frequencies and as seamless as the
    input. When samples are taken away, the top `_ROLL_OFF` of the band fades
    out, because a hard edge there rings around every hit.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        One period.
    samples : int
        Length of the result, at least 1.
    """
    import numpy as np

    old = audio.shape[0]
    if samples == old:
        return audio
    spectrum = np.fft.rfft(audio.astype(np.float64))
    bins = samples // 2 + 1
    if samples < old:
        spectrum = spectrum[:bins]
        top = np.clip((np.arange(bins) / (samples / 2) - (1 - _ROLL_OFF)) / _ROLL_OFF, 0, 1)
        spectrum = spectrum * (0.5 + 0.5 * np.cos(np.pi * top))
    else:
        spectrum = np.pad(spectrum, (0, bins - spectrum.shape[0]))
        if old % 2 == 0:
            # the old Nyquist bin stands for two lines of half its height
            spectrum[old // 2] *= 0.5
    out: NDArray[np.float32] = (np.fft.irfft(spectrum, samples) * (samples / old)).astype(np.float32)
    return out


def resample_loop(loop: Loop, sample_rate: int) -> Loop:
    """Return the loop at another sample rate, ``round(60 / tempo * beats * sample_rate)`` samples long.

    Raises
    ------
    UsageError
        If the rate lies outside `MIN_SAMPLE_RATE` to `MAX_SAMPLE_RATE`.
    """
    if not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
        raise UsageError(f"sample rate {sample_rate} Hz: must lie between {MIN_SAMPLE_RATE} and {MAX_SAMPLE_RATE}")
    if sample_rate == loop.sample_rate:
        return loop
    beats = loop.bars * loop.meter[0] * 4 / loop.meter[1]
    samples = round(60.0 / loop.tempo * beats * sample_rate)
    stems = {name: resample_circular(stem, samples) for name, stem in loop.stems.items()}
    return replace(loop, audio=resample_circular(loop.audio, samples), stems=stems, sample_rate=sample_rate)

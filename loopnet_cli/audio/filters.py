"""Filters made from magnitude curves, applied to loops as circles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.fourier import irfft, rfft


def minimum_phase_response(log_gain: NDArray[np.floating], samples: int) -> NDArray[np.complex64]:
    """Turn a log-magnitude curve into the spectrum of a minimum-phase filter.

    Minimum phase, because a zero-phase filter rings before each stroke.

    Parameters
    ----------
    log_gain : ndarray, shape (n // 2 + 1,)
        Natural logarithm of the gain on the bins of an n-point FFT.
    samples : int
        Length of the signal whose real FFT will be multiplied. A response longer than
        that wraps round, as it must on a circle.

    Returns
    -------
    ndarray of complex64, shape (samples // 2 + 1,)
        The spectrum. Method: folding the real cepstrum (Oppenheim and Schafer).
    """
    points = 2 * (len(log_gain) - 1)
    cepstrum = irfft(log_gain, points)
    fold = np.zeros(points)
    fold[0] = fold[points // 2] = 1
    fold[1 : points // 2] = 2
    impulse = irfft(np.exp(rfft(cepstrum * fold)), points)
    rounds = -(-points // samples)
    if rounds > 1:
        impulse = np.pad(impulse, (0, rounds * samples - points)).reshape(rounds, samples).sum(axis=0)
    padded = np.pad(impulse, (0, max(samples - len(impulse), 0)))
    spectrum: NDArray[np.complex64] = rfft(padded).astype(np.complex64)
    return spectrum


def high_pass(samples: int, hertz: float, sample_rate: int = 44100) -> NDArray[np.complex64]:
    """Spectrum of a second-order Butterworth high-pass on a circle.

    Parameters
    ----------
    samples : int
        Length of the signal whose real FFT will be multiplied.
    hertz : float
        Corner, -3 dB.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of complex64, shape (samples // 2 + 1,)
        The analogue filter's response on the circle's own frequencies; causal, exactly 0 at DC.
    """
    # of s = jf
    f = np.arange(samples // 2 + 1) * (sample_rate / samples / hertz)
    response: NDArray[np.complex64] = (f**2 / (f**2 - 1 - 1j * np.sqrt(2) * f)).astype(np.complex64)
    return response

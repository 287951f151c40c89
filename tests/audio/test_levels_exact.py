"""Short cuts of the level measures change nothing: compared with the plain formulas."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.audio import levels

RATE = 44100
LENGTHS = (1, 30, 511, 512, 513, 559, 560, 1071, 5000, 22051, 48 * 853)


def loop(samples: int) -> np.ndarray:
    """Decaying noise, loud at one end and faint at the other, as drums are."""
    noise = np.random.default_rng(samples).standard_normal(samples)
    return (0.3 * noise * np.exp(-5 * np.arange(samples) / samples)).astype(np.float32)


def whole_true_peak(audio: np.ndarray) -> float:
    """The interpolator everywhere."""
    padded = np.pad(audio.astype(np.float64), (24, 23), mode="wrap")
    peak = float(np.abs(audio).max())
    for phase in range(1, 4):
        at = np.arange(-24, 24) + phase / 4
        taps = np.sinc(at) * np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (at / 24) ** 2))) / np.i0(8.0)
        peak = max(peak, float(np.abs(np.convolve(padded, taps, mode="valid")).max()))
    return peak


@pytest.mark.parametrize("samples", LENGTHS)
def test_the_true_peak_is_found_where_it_is_looked_for(samples):
    assert levels.true_peak(loop(samples)) == whole_true_peak(loop(samples))


@pytest.mark.parametrize("samples", LENGTHS[3:])
def test_k_weighting_with_a_run_up_is_that_of_the_circle(samples):
    spectrum = np.fft.rfft(loop(samples).astype(np.float64))
    z = np.exp(-2j * np.pi * np.arange(len(spectrum)) / samples)
    for b, a in levels.k_weighting(RATE):
        spectrum *= (b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)
    np.testing.assert_allclose(levels._k_weighted(loop(samples), RATE), np.fft.irfft(spectrum, samples), atol=1e-12)

"""The transforms are scipy's, to the bit."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.fft

from loopnet_cli.audio import fourier

LENGTHS = (1, 2, 3, 7, 64, 945, 1024, 4410, 29538)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("samples", LENGTHS)
def test_transforms_are_those_of_scipy(samples, dtype):
    signal = np.random.default_rng(samples).standard_normal((3, samples)).astype(dtype)
    spectrum = fourier.rfft(signal)
    expected = scipy.fft.rfft(signal)
    assert spectrum.dtype == expected.dtype and np.array_equal(spectrum, expected)
    back = fourier.irfft(spectrum, samples)
    assert back.dtype == dtype and np.array_equal(back, scipy.fft.irfft(expected, samples))
    assert np.array_equal(fourier.rfft(signal.T, axis=0), spectrum.T)


@pytest.mark.parametrize("samples", [5, 6])
def test_what_the_compiled_module_does_not_take_goes_to_scipy(samples):
    whole = np.arange(6)
    assert np.array_equal(fourier.rfft(whole), scipy.fft.rfft(whole))
    half = np.arange(6, dtype=np.float16)
    assert np.array_equal(fourier.rfft(half), scipy.fft.rfft(half))
    curve = np.linspace(1, 0, 9)
    assert np.array_equal(fourier.irfft(curve, samples), scipy.fft.irfft(curve, samples))
    spectrum = scipy.fft.rfft(np.arange(20.0)).astype(np.complex64)
    assert np.array_equal(fourier.irfft(spectrum, samples), scipy.fft.irfft(spectrum, samples))


def test_without_the_compiled_module_scipy_is_asked(monkeypatch):
    signal = np.random.default_rng(0).standard_normal(300).astype(np.float32)
    spectrum = fourier.rfft(signal)
    monkeypatch.setattr(fourier, "_compiled", lambda: None)
    assert np.array_equal(fourier.rfft(signal), spectrum)
    assert np.array_equal(fourier.irfft(spectrum, 300), scipy.fft.irfft(spectrum, 300))


def test_fast_lengths_are_those_of_scipy():
    lengths = [*range(1, 3000), 65537, 88200, 89193, 117601, 1_000_003]
    assert [fourier.next_fast_len(n) for n in lengths] == [scipy.fft.next_fast_len(n, real=True) for n in lengths]


def test_scipy_is_not_imported_and_works_when_it_is():
    code = (
        "import json, sys, numpy as np\n"
        "from loopnet_cli.audio import fourier\n"
        "found = fourier.rfft(np.ones(9))\n"
        "alone = 'scipy.fft' not in sys.modules\n"
        "import scipy.fft\n"
        "print(json.dumps([alone, bool((scipy.fft.rfft(np.ones(9)) == found).all())]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    alone, same = json.loads(done.stdout)
    assert same
    if fourier._compiled() is None:
        pytest.skip("this scipy has its transforms elsewhere")
    assert alone

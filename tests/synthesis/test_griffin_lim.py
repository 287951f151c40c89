"""Magnitudes and back, on the circle."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.synthesis.griffin_lim import circular_stft, griffin_lim


def loop(samples: int = 16384) -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(samples) / 16000
    audio = np.zeros(samples)
    for place, pitch in ((0, 60), (4096, 220), (9000, 500), (samples - 800, 130)):
        stroke = np.sin(2 * np.pi * pitch * time) + 0.3 * rng.standard_normal(samples)
        audio += np.roll(stroke * np.exp(-time * 40), place)
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


def test_one_frame_by_hand():
    audio = loop()
    spectra = circular_stft(audio)
    assert spectra.shape == (513, 32)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    around = np.concatenate([audio[-512:], audio[:512]])
    np.testing.assert_allclose(spectra[:, 0], np.fft.rfft(around * window), atol=1e-4)


def test_a_turned_loop_has_turned_frames():
    audio = loop()
    np.testing.assert_allclose(circular_stft(np.roll(audio, 1024)), np.roll(circular_stft(audio), 2, axis=1), atol=1e-4)


@pytest.mark.parametrize(("size", "hop"), [(1024, 512), (1024, 256), (256, 64)])
def test_magnitudes_come_back(size, hop):
    audio = loop()
    wanted = np.abs(circular_stft(audio, size=size, hop=hop))
    errors = []
    for iterations in (1, 50):
        found = griffin_lim(wanted, hop=hop, iterations=iterations)
        assert found.shape == audio.shape and found.dtype == np.float32
        errors.append(
            np.linalg.norm(np.abs(circular_stft(found, size=size, hop=hop)) - wanted) / np.linalg.norm(wanted)
        )
    assert errors[1] < 0.25 and errors[1] < 0.7 * errors[0]


def test_the_seam_is_a_place_like_any_other():
    audio = loop()
    wanted = np.abs(circular_stft(audio))
    found = griffin_lim(wanted, iterations=50)
    # a stroke that sounds across the seam goes on across it
    steps = np.abs(np.diff(np.concatenate([found[-400:], found[:400]])))
    assert steps[399] <= steps.max() and steps[399] < 4 * np.median(steps) + 0.02


def test_chance_is_the_callers():
    wanted = np.abs(circular_stft(loop()))
    first, again, other = (griffin_lim(wanted, iterations=2, rng=np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert np.array_equal(griffin_lim(wanted, iterations=2), griffin_lim(wanted, iterations=2))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_loops(frames):
    assert griffin_lim(np.ones((513, frames), np.float32), iterations=3).shape == (512 * frames,)


def test_values_below_nothing_are_nothing():
    assert not griffin_lim(np.full((513, 4), -1, np.float32), iterations=3).any()

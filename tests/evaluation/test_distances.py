"""Distances between signals whose distance is known."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.evaluation.distances import all_distances, log_mel_distance, mel_bands, mel_power, stft_distance

RATE = 44100


def noise(seed: int, samples: int = 22050) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def test_a_loop_is_at_no_distance_from_itself():
    assert all(value == pytest.approx(0.0, abs=1e-9) for value in all_distances(noise(0), noise(0)).values())


def test_level_does_not_count():
    assert log_mel_distance(0.1 * noise(0), noise(0), floor_db=-40) == pytest.approx(0.0, abs=1e-6)
    assert stft_distance(0.1 * noise(0), noise(0)) == pytest.approx(0.0, abs=1e-6)


def test_two_noises_of_one_kind_are_nearer_than_noise_and_tone():
    tone = np.sin(2 * np.pi * 440 * np.arange(22050) / RATE).astype(np.float32)
    assert log_mel_distance(noise(1), noise(0), floor_db=-40) < 4
    assert log_mel_distance(tone, noise(0), floor_db=-40) > 15
    assert stft_distance(noise(1), noise(0)) < stft_distance(tone, noise(0))


def test_a_band_twice_as_strong_in_power_is_three_decibels_away():
    # two tones far apart: the higher one gains 3 dB, both are then brought to the same RMS
    t = np.arange(RATE) / RATE
    low, high = np.sin(2 * np.pi * 500 * t), np.sin(2 * np.pi * 6000 * t)
    power, changed = mel_power(low + high), mel_power((low + np.sqrt(2) * high) / np.sqrt(1.5))
    at_low, at_high = (np.argmax(np.where(side, power[5], 0)) for side in (np.arange(64) < 32, np.arange(64) >= 32))
    rise = 10 * np.log10((changed[5, at_high] / power[5, at_high]) / (changed[5, at_low] / power[5, at_low]))
    assert rise == pytest.approx(3.01, abs=0.02)


def test_what_lies_under_the_floor_is_not_heard():
    t = np.arange(RATE) / RATE
    loud = np.sin(2 * np.pi * 500 * t)
    with_hiss = loud + 1e-5 * noise(3, RATE)
    other_hiss = loud + 3e-5 * noise(4, RATE)
    assert log_mel_distance(other_hiss, with_hiss, floor_db=-40) < 0.01
    assert log_mel_distance(other_hiss, with_hiss, floor_db=-110) > 3


def test_frames_run_around_the_end():
    whole_hops = 44 * 512
    loop, other = noise(0, whole_hops) * np.linspace(0, 1, whole_hops, dtype=np.float32), noise(1, whole_hops)
    turned = (np.roll(audio, 5 * 512) for audio in (loop, other))
    assert log_mel_distance(*turned, floor_db=-40) == pytest.approx(log_mel_distance(loop, other, floor_db=-40))


def test_every_mel_band_hears_something():
    assert (mel_bands().sum(axis=0) > 0.05).all()


@pytest.mark.parametrize(
    ("audio", "original", "message"),
    [(noise(0, 100), noise(0, 200), "lengths"), (noise(0, 9000), np.zeros(9000), "silent")],
)
def test_what_cannot_be_compared_is_refused(audio, original, message):
    with pytest.raises(ValueError, match=message):
        log_mel_distance(audio, original, floor_db=-40)

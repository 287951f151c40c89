"""Distances that say how alike loops sound."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.likeness import (
    BANDS,
    METRICS,
    Profile,
    compare,
    log_mel_statistics,
    statistics_distance,
)

sys.path.insert(0, str(Path(__file__).parent))
from signals import RATE, hat, kick, play

ONSETS = [0, 22050, 44100, 60000]


def distance(one: np.ndarray, two: np.ndarray) -> float:
    return statistics_distance(log_mel_statistics(one), log_mel_statistics(two))


def test_level_and_rotation_do_not_count():
    loop = play(kick(), ONSETS, 2 * RATE)
    assert log_mel_statistics(loop).shape == (2, BANDS)
    assert distance(loop, 0.01 * loop) < 1e-6
    assert distance(loop, np.roll(loop, 12345)) < 0.2


def test_another_drum_is_farther_than_another_rhythm():
    loop = play(kick(), ONSETS, 2 * RATE)
    elsewhere = play(kick(), [5000, 30000, 40000, 70000], 2 * RATE)
    assert 0 < distance(loop, elsewhere) < 0.3 * distance(loop, play(hat(), ONSETS, 2 * RATE))


def test_a_steady_sound_differs_in_mean_by_what_a_filter_takes():
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    spectrum = np.fft.rfft(noise)
    half = np.where(np.arange(len(spectrum)) < len(spectrum) // 2, 1.0, 0.1)
    filtered = np.fft.irfft(spectrum * half)
    mean, spread = log_mel_statistics(filtered) - log_mel_statistics(noise)
    # 20 dB between the halves; the level is brought back by what was lost
    assert mean[-10:].mean() - mean[:60].mean() == pytest.approx(-20.0, abs=0.5)
    assert np.abs(spread).max() < 0.5


def test_what_lies_under_the_floor_does_not_count():
    noise = 1e-3 * np.random.default_rng(0).standard_normal(2 * RATE)
    loop = play(kick(), ONSETS, 2 * RATE)
    dirty = log_mel_statistics(loop + noise, -80.0) - log_mel_statistics(loop, -80.0)
    assert np.abs(dirty[0, 60:]).min() > 3.0
    assert np.abs(log_mel_statistics(loop + noise, -30.0) - log_mel_statistics(loop, -30.0)).max() < 0.5


def test_silence_is_refused():
    with pytest.raises(ValueError, match="silent"):
        log_mel_statistics(np.zeros(RATE))


SHIFTS = {"mel": 0.0, "mel80": 10.0}


def test_a_result_is_compared_by_every_distance_that_there_is():
    def profile(level: float, direction: list[float] | None) -> Profile:
        embedding = None if direction is None else np.array(direction)
        return Profile(
            {name: np.full((2, BANDS), level + shift) for name, shift in SHIFTS.items()},
            np.array([[level, level], [level + 2, level + 2]]),
            embedding,
            None if direction is None else np.array([direction, [-1.0, -1.0]]),
            [level] * 21,
        )

    others = {"a": profile(0.0, [1.0, 0.0]), "b": profile(3.0, [0.0, 1.0])}
    found = compare(profile(1.0, [0.0, 2.0]), others)
    assert found["mel"] == found["mel80"] == {"a": 1.0, "b": 2.0}
    assert found["embedding"] == {"a": pytest.approx(1.0), "b": pytest.approx(0.0)}
    assert found["strokes"] == {"a": pytest.approx(1.0), "b": pytest.approx(1.0)}  # 1 and 3 against 0, 2 and 3, 5
    assert found["stroke-embedding"] == {"a": pytest.approx(0.5), "b": pytest.approx(0.0)}
    assert found["features"] == [1.0] * 21
    assert not found["silent"]
    assert compare(profile(1.0, None), others)["embedding"] is None
    assert compare(profile(1.0, None), others)["stroke-embedding"] is None
    assert compare(None, others) == {"silent": True, **dict.fromkeys((*METRICS, "features"))}

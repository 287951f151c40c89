"""Resampling and repeating keep a loop a circle."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.audio.repeat import repeat_loop
from loopnet_cli.audio.resample import resample_circular, resample_loop
from loopnet_cli.controls import Loop
from loopnet_cli.errors import UsageError


def make_loop(tempo: float = 97.0, bars: int = 2, meter: tuple[int, int] = (7, 8)) -> Loop:
    n = round(60 / tempo * bars * meter[0] * 4 / meter[1] * 44100)
    rng = np.random.default_rng(1)
    stems = {name: (0.1 * rng.standard_normal(n)).astype(np.float32) for name in ("kick", "hat")}
    return Loop(sum(stems.values()), stems, 44100, tempo, bars, meter, 1)


@pytest.mark.parametrize(("old", "new"), [(1000, 1500), (1000, 1501), (1001, 1500), (1500, 1000), (1501, 1001)])
def test_a_periodic_tone_is_exact_in_phase_and_height(old, new):
    def tone(n: int) -> np.ndarray:
        turn = 2 * np.pi * np.arange(n) / n
        return np.sin(7 * turn + 0.3) + 0.5 * np.cos(400 * turn)

    out = resample_circular(tone(old).astype(np.float32), new)
    np.testing.assert_allclose(out, tone(new), atol=2e-5)


def test_what_is_above_the_new_nyquist_is_gone():
    tone = np.sin(2 * np.pi * 600 * np.arange(2000) / 2000).astype(np.float32)
    assert np.abs(resample_circular(tone, 1000)).max() < 1e-6


def test_up_and_down_again_gives_the_band_back():
    turn = 2 * np.pi * np.arange(3001) / 3001
    audio = sum(np.cos(k * turn + k) for k in range(0, 1300, 13)).astype(np.float32)
    np.testing.assert_allclose(resample_circular(resample_circular(audio, 4800), 3001), audio, atol=1e-4)


def test_a_turned_loop_resamples_to_the_turned_result():
    audio = np.random.default_rng(0).standard_normal(2000).astype(np.float32)
    turned = resample_circular(np.roll(audio, 200), 1000)
    np.testing.assert_allclose(turned, np.roll(resample_circular(audio, 1000), 100), atol=1e-5)


@pytest.mark.parametrize("rate", [16000, 22050, 48000, 96000])
def test_a_loop_has_the_exact_length_and_its_stems_still_sum(rate):
    loop = resample_loop(make_loop(), rate)
    assert loop.audio.shape == (round(60 / 97.0 * 7 * rate),)
    assert loop.sample_rate == rate
    np.testing.assert_allclose(sum(loop.stems.values()), loop.audio, atol=1e-5)


def test_same_rate_is_untouched():
    loop = make_loop()
    assert resample_loop(loop, 44100) is loop


@pytest.mark.parametrize("rate", [0, 7999, 192_001])
def test_rates_out_of_range(rate):
    with pytest.raises(UsageError, match="sample rate"):
        resample_loop(make_loop(), rate)


def test_repeats_are_the_same_turn_again():
    loop = make_loop()
    out = repeat_loop(loop, 3)
    assert out.bars == 6
    for turn in np.split(out.audio, 3):
        np.testing.assert_array_equal(turn, loop.audio)
    np.testing.assert_allclose(sum(out.stems.values()), out.audio, atol=1e-6)
    assert repeat_loop(loop, 1) is loop


@pytest.mark.parametrize("times", [0, -1, 10**7])
def test_repeats_out_of_range(times):
    with pytest.raises(UsageError, match="--repeat"):
        repeat_loop(make_loop(), times)

"""Loudness: levels in LUFS and patterns over the Bark scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loopnet_cli.analysis.loudness import integrated_loudness, level_to
from loopnet_cli.analysis.specific_loudness import specific_loudness, third_octave_levels

from .conftest import RATE, noise, tone


class TestLufs:
    def test_a_full_scale_sine_reads_minus_three(self):
        assert integrated_loudness(tone(997)) == pytest.approx(-3.01, abs=0.1)

    @pytest.mark.parametrize("seconds", [0.2, 0.5, 1.83, 4.0])
    def test_agrees_with_an_independent_meter(self, seconds):
        pyloudnorm = pytest.importorskip("pyloudnorm")
        clip = noise(seconds) * np.hanning(round(seconds * RATE))
        padded = np.pad(clip, (0, max(0, round(0.4 * RATE) - len(clip))))
        expected = pyloudnorm.Meter(RATE).integrated_loudness(padded)
        assert integrated_loudness(clip, circular=False) == pytest.approx(expected, abs=1e-6)

    def test_a_loop_is_as_loud_as_its_repetition(self, beat):
        assert integrated_loudness(beat) == pytest.approx(integrated_loudness(np.tile(beat, 3)), abs=0.15)

    def test_silence(self):
        assert integrated_loudness(np.zeros(RATE)) == -math.inf
        assert not level_to(np.zeros(RATE), -24).any()

    @pytest.mark.parametrize("gain", [1e-7, 1e-3, 1.0, 50.0])
    def test_levelling_reaches_the_target_from_anywhere(self, beat, gain):
        assert integrated_loudness(level_to(beat * gain, -24)) == pytest.approx(-24, abs=0.01)

    def test_levelling_does_not_clip(self):
        click = np.eye(1, RATE, 100)[0]
        assert np.abs(level_to(click, -10)).max() == pytest.approx(1)


class TestSpecificLoudness:
    def blocks(self, signal: np.ndarray) -> np.ndarray:
        return signal[: len(signal) // 4096 * 4096].reshape(-1, 4096)

    @pytest.mark.parametrize(("hertz", "index"), [(250, 10), (1000, 16), (8000, 25)])
    def test_a_tone_stands_in_its_third_octave(self, hertz, index):
        levels = third_octave_levels(self.blocks(tone(hertz)))[5]
        assert levels.argmax() == index
        assert levels[index] == pytest.approx(100 - 3.0, abs=1.5)

    @pytest.mark.parametrize(("hertz", "bark"), [(250, 2.5), (1000, 8.5), (4000, 17.2)])
    def test_a_tone_is_loudest_at_its_bark(self, hertz, bark):
        pattern, _ = specific_loudness(self.blocks(0.1 * tone(hertz)))
        assert pattern[5].argmax() / 10 == pytest.approx(bark, abs=1.0)

    def test_ten_decibels_double_the_sones(self):
        for decibels, sone in ((40, 1), (50, 2), (60, 4)):
            amplitude = math.sqrt(2) * 10 ** ((decibels - 100) / 20)
            _, total = specific_loudness(self.blocks(amplitude * tone(1000)))
            assert total[5] == pytest.approx(sone, rel=0.2)

    def test_masking_spreads_upwards(self):
        pattern, _ = specific_loudness(self.blocks(tone(1000)))
        centre = 85
        assert pattern[5, centre + 25] > 3 * pattern[5, centre - 25]

    def test_the_total_is_the_area_under_the_pattern(self):
        pattern, total = specific_loudness(self.blocks(noise(2.0)))
        assert total == pytest.approx(pattern.sum(axis=1) / 10, rel=0.05)

    @pytest.mark.filterwarnings("error")
    def test_silence_has_none(self):
        pattern, total = specific_loudness(np.zeros((2, 4096)))
        assert not pattern.any() and not total.any()

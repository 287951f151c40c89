"""Onsets, attacks and the hold-and-decay envelope."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis import onsets
from loopnet_cli.analysis.filters import extend

from .conftest import RATE, noise, tone


def slow_envelope(signal: np.ndarray, decay: float, hold: float) -> list[float]:
    """The follower's definition, sample by sample."""
    fall, level, held = np.abs(signal).max() / (decay * RATE), 0.0, 0
    out = []
    for sample in np.abs(signal).tolist():
        if sample >= level:
            level, held = sample, 0
        elif held < hold * RATE:
            held += 1
        else:
            level = max(level - fall, sample)
        out.append(level)
    return out


SIGNALS = {
    "noise": noise(0.3),
    "tone": tone(50, 0.3),
    "bursts": np.concatenate([np.zeros(2000), np.ones(300), np.zeros(9000), noise(0.1), np.zeros(700)]),
    "constant": np.full(3000, 0.5),
    "one sample": np.array([0.3]),
    "silence": np.zeros(100),
}


class TestHoldEnvelope:
    @pytest.mark.parametrize("name", SIGNALS)
    @pytest.mark.parametrize("decay", [0.1, 0.2])
    def test_follows_its_definition(self, name, decay):
        signal = SIGNALS[name].astype(np.float64)
        assert onsets.hold_envelope(signal, RATE, decay) == pytest.approx(slow_envelope(signal, decay, 0.01), abs=1e-9)

    def test_holds_for_ten_milliseconds_and_falls_in_a_line(self):
        found = onsets.hold_envelope(np.eye(1, RATE)[0], RATE, 0.1)
        assert (found[:442] == 1).all() and found[442] < 1
        assert found[442 + 2205] == pytest.approx(0.5, abs=0.001)
        assert found[6000] == 0


def find(signal: np.ndarray) -> list[int]:
    spectrum = onsets.short_time_spectrum(extend(signal, 1024, 1024, False))
    strength = onsets.onset_strength(onsets.mel_levels(spectrum, RATE))
    return onsets.find_onsets(onsets.hold_envelope(signal, RATE, 0.1), strength, RATE, margin=512)


class TestFindOnsets:
    def test_finds_each_sound_where_it_begins(self):
        starts = [9000, 25000, 38000]
        signal = np.zeros(round(1.2 * RATE))
        for start in starts:
            tail = np.arange(len(signal) - start)
            signal[start:] += np.sin(tail * 0.2) * np.exp(-tail / 2500)
        found = find(signal)
        assert len(found) == 3
        # the lowest point before the rise, up to 20 ms before it
        assert all(0 <= start - onset <= 900 for start, onset in zip(starts[1:], found[1:], strict=True))

    def test_steady_sounds_have_none_but_the_start(self):
        assert find(np.zeros(RATE)) == [0]
        assert len(find(noise(1.0))) <= 2

    def test_hits_closer_than_a_tenth_of_a_second_are_one(self):
        signal = 1e-4 * noise(1.0)
        for start in (20000, 22000):
            signal[start : start + 3000] += noise(1.0)[:3000] * np.exp(-np.arange(3000) / 500)
        assert len(find(signal)) == 1


class TestAttack:
    def test_time_of_a_ramp(self):
        ramp = np.concatenate([np.zeros(100), np.linspace(0, 1, 2000), np.linspace(1, 0, 3000)])
        start, rise = onsets.attack(ramp)
        assert start == pytest.approx(100, abs=1)
        seconds, _ = onsets.attack_time(rise, RATE, 0.1)
        assert seconds == pytest.approx(0.7 * 2000 / RATE, rel=0.05)

    def test_a_step_takes_one_sample(self):
        _, rise = onsets.attack(np.array([0.0, 0.0, 1.0, 0.5]))
        assert onsets.attack_time(rise, RATE, 0.1)[0] == pytest.approx(1 / RATE)

    def test_slow_attacks_are_cut(self):
        assert onsets.attack_time(np.linspace(0, 1, RATE), RATE, 0.1)[0] == pytest.approx(0.1, abs=1e-4)

    def test_a_sound_that_only_falls_has_none(self):
        assert onsets.attack(np.linspace(1, 0, 100)) is None

"""Crest, highs and decay of signals with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loopnet_cli.evaluation.crispness import crest_db, describe, difference, high_energy, mean_age, summarise

RATE = 44100
T = np.arange(RATE) / RATE


def test_crest_of_a_sine_and_of_a_square():
    assert crest_db(np.sin(2 * np.pi * 100 * T)) == pytest.approx(3.01, abs=0.01)
    assert crest_db(np.sign(np.sin(2 * np.pi * 100 * T + 0.1))) == pytest.approx(0.0, abs=0.01)


def test_energy_above_8_khz_is_counted_and_below_is_not():
    low, high = np.sin(2 * np.pi * 7000 * T), 0.1 * np.sin(2 * np.pi * 9000 * T)
    assert high_energy(low + high) == pytest.approx(0.005, rel=1e-6)
    assert high_energy(low) < 1e-12
    # the sum over all frequencies would be the mean square, for odd lengths too
    odd = np.random.default_rng(0).standard_normal(4001)
    odd -= np.fft.irfft(np.where(np.fft.rfftfreq(4001, 1 / RATE) > 8000, 0, np.fft.rfft(odd)), 4001)
    assert high_energy(odd) == pytest.approx(np.mean(odd**2))


def test_age_of_an_exponential_decay_is_half_its_time_constant():
    stroke = np.exp(-np.arange(RATE) / (0.05 * RATE))
    assert mean_age(stroke, [0]) == pytest.approx(0.025, rel=0.01)
    # turned so that the tail runs over the end
    assert mean_age(np.roll(stroke, RATE - 500), [RATE - 500]) == pytest.approx(0.025, rel=0.01)


def test_stems_are_levelled_with_their_mix_and_silent_ones_left_out():
    kick = np.sin(2 * np.pi * 60 * T).astype(np.float32)
    hat = (0.1 * np.sin(2 * np.pi * 10000 * T)).astype(np.float32)
    onsets = {part: [0] for part in ("kick", "hat", "rest", "mix")}
    found = describe({"kick": kick, "hat": hat, "rest": 1e-6 * hat}, onsets)
    assert set(found) == {"kick", "hat", "mix"}
    assert found["hat"]["high"] == pytest.approx(0.0, abs=0.01)
    assert found["hat"]["high_level"] == pytest.approx(-20.04, abs=0.02)
    assert found["mix"]["high"] == pytest.approx(found["mix"]["high_level"])


def row(crest: float, *, silent: bool = False) -> dict:
    part = {"crest": 10.0, "high": -20.0, "high_level": -20.0, "age": 0.1}
    model = {} if silent else {"kick": {**part, "crest": crest}}
    return {"original": {"kick": part}, "model": model, "kit": model, "sampler": model}


def test_differences_are_source_minus_original():
    assert difference(row(13.0), "model", "kick", "crest") == pytest.approx(3.0)
    assert math.isnan(difference(row(0, silent=True), "model", "kick", "crest"))


def crest_check(rows: list[dict]) -> bool:
    checks = summarise(rows, 0).checks
    return next(check for check in checks if "crest factor, kick" in check.requirement).met


def test_the_requirement_is_on_the_median_and_a_stem_that_fell_silent_fails_it():
    assert crest_check([row(11.0), row(11.5), row(19.0)])
    assert not crest_check([row(11.0), row(12.5), row(13.0)])
    assert not crest_check([row(7.5), row(7.5), row(10.0)])
    assert not crest_check([row(10.0), row(10.0), row(0, silent=True)])

"""Orderings, leakage and correlation of knobs that behave as told."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.evaluation.bench import triad
from loopnet_cli.evaluation.coherence import SETTINGS, leakage, orderings, own_values, summarise
from loopnet_cli.evaluation.harmony import agreement

COUNT = len(TIMBRE_NAMES)


def loops(respond, count: int = 4) -> np.ndarray:
    """Build (loops, asked feature, setting, measured feature); `respond(feature, value)` gives all features."""
    one = [[respond(feature, value) for value in SETTINGS] for feature in range(COUNT)]
    return np.array([one] * count, float)


def obedient(feature: int, value: float) -> np.ndarray:
    vector = np.full(COUNT, 0.5)
    vector[feature] = value
    return vector


def rows(measured: np.ndarray) -> list[dict]:
    return [
        {"kit": "held-out" if n % 2 else "bank", "measured": loop.tolist(), "natural": [0.5] * COUNT}
        for n, loop in enumerate(measured)
    ]


def test_only_what_was_asked_is_compared():
    own = own_values(loops(obedient))
    assert own.shape == (4, COUNT, 3)
    assert np.allclose(own, SETTINGS)


def test_obedient_knobs_pass_and_do_not_leak():
    moves = leakage(loops(obedient))
    assert np.allclose(moves["asked"], 0.6)
    assert all(np.allclose(moves[name], 0) for name in ("same band", "same attribute", "elsewhere"))
    section = summarise(rows(loops(obedient)), seed=0)
    assert len(section.checks) == 9
    assert all(check.met for check in section.checks)


@pytest.mark.parametrize("sign", [0.0, -1.0], ids=["dead", "backwards"])
def test_knobs_that_do_nothing_or_the_opposite_fail_everywhere(sign):
    def respond(feature, value):
        vector = np.full(COUNT, 0.5)
        vector[feature] += sign * value
        return vector

    section = summarise(rows(loops(respond)), seed=0)
    assert not any(check.met for check in section.checks)
    assert all(check.measured.value == 0.0 for check in section.checks)


def test_a_knob_that_saturates_passes_e1_and_e3_alone():
    held = orderings(own_values(loops(lambda feature, value: obedient(feature, min(value, 0.5)))))
    assert held["E1"].all()
    assert held["E3"].all()
    assert not held["E2"].any()


def test_one_dead_band_shows_in_that_band_alone():
    section = summarise(rows(loops(lambda f, v: obedient(f, v if f < 14 else 0.5))), seed=0)
    failed = {check.requirement.split(", ")[1] for check in section.checks if not check.met}
    assert failed == {"high band"}


def test_leakage_is_told_apart_by_where_it_goes():
    def respond(feature, value):
        vector = obedient(feature, value)
        band, attribute = divmod(feature, 7)
        vector[((band + 1) % 3) * 7 + attribute] += value  # the same attribute of the next band follows
        vector[band * 7 + (attribute + 1) % 7] -= value  # so does a neighbour in the band, the other way
        return vector

    moves = leakage(loops(respond))
    assert np.allclose(moves["same attribute"], 0.6 / 2)
    assert np.allclose(moves["same band"], 0.6 / 6)
    assert np.allclose(moves["elsewhere"], 0)


def test_triads_are_24_and_named_by_their_root():
    assert len({triad(number) for number in range(24)}) == 24
    assert [pitch for pitch, on in enumerate(triad(0)) if on] == [0, 4, 7]
    assert [pitch for pitch, on in enumerate(triad(19)) if on] == [0, 4, 9]  # A minor


def test_agreement_of_chromas():
    asked = triad(0)
    assert agreement(asked, asked) == {"correlation": pytest.approx(1.0), "top3": 1.0, "share": pytest.approx(1.0)}
    other = agreement(asked, triad(2))
    assert other["correlation"] < 0
    assert other["top3"] == 0.0
    assert agreement(asked, [0.0] * 12) == {"correlation": 0.0, "top3": 0.0, "share": 0.0}

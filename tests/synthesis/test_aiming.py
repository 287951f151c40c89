"""Rendering, measuring and correcting, on a loop whose features are known functions of the actuators."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern import Hit, Pattern
from loopnet_cli.synthesis.aiming import nearest_step, refined
from loopnet_cli.synthesis.shaping import ACTUATORS
from loopnet_cli.synthesis.studio import StudioModel

COUNT = len(TIMBRE_NAMES)
NATURAL = np.linspace(0.3, 0.7, COUNT).astype(np.float32)


class Loop:
    """Features follow actuators `gain` times as far as is expected; of the first, `spill` reaches the second."""

    def __init__(self, gain: float = 1.6, spill: float = 0.0) -> None:
        self.gain, self.spill = gain, spill
        self.measured: list[np.ndarray] = []

    def hand(self, change: np.ndarray) -> np.ndarray:
        vector = np.zeros(len(ACTUATORS), np.float32)
        vector[:COUNT] = change
        return vector

    def slopes(self, vector: np.ndarray) -> np.ndarray:
        expected = np.eye(COUNT, len(ACTUATORS), dtype=np.float32)
        expected[1, 0] = self.spill
        return expected

    def measure(self, vector: np.ndarray) -> np.ndarray:
        self.measured.append(vector)
        moved = vector[:COUNT]
        heard = NATURAL + self.gain * moved
        heard[1] += self.spill * moved[0]
        return heard

    def aim(self, knobs: dict[int, float], rounds: int, relative: bool = False) -> tuple[np.ndarray, np.ndarray]:
        given = np.isin(np.arange(COUNT), list(knobs))
        value = np.array([knobs.get(index, 0.0) for index in range(COUNT)], np.float32)
        start = self.hand(np.where(given, value if relative else value - NATURAL, 0))
        return refined(
            start,
            value,
            given=given,
            relative=given & relative,
            measure=self.measure,
            slopes=self.slopes,
            rounds=rounds,
        )


def test_each_round_comes_closer_to_what_is_asked():
    off = []
    for rounds in (0, 1, 2, 6):
        loop = Loop()
        vector, target = loop.aim({0: 0.6, 2: 0.1}, rounds)
        assert target[0] == np.float32(0.6) and target[2] == np.float32(0.1)
        assert np.array_equal(target[3:], NATURAL[3:])
        off.append(np.abs(loop.measure(vector) - target)[[0, 2]].mean())
        assert len(loop.measured) == rounds + 2 + 1
    assert off == sorted(off, reverse=True) and off[-1] < 0.02 < off[0]


def test_a_relative_knob_moves_what_is_measured():
    loop = Loop()
    vector, target = loop.aim({1: 0.2}, 6, relative=True)
    assert target[1] == pytest.approx(NATURAL[1] + 0.2)
    assert loop.measure(vector)[1] == pytest.approx(NATURAL[1] + 0.2, abs=0.01)


def test_the_others_are_brought_back():
    loop = Loop(gain=1.0, spill=0.5)
    start, vector = (loop.aim({0: 0.9}, rounds)[0] for rounds in (0, 8))
    before, after = (np.abs(loop.measure(v) - NATURAL)[1] for v in (start, vector))
    assert before == pytest.approx(0.3, abs=0.01)
    assert after < before / 3
    assert loop.measure(vector)[0] == pytest.approx(0.9, abs=0.02)


def test_what_would_be_worse_is_not_kept():
    loop = Loop(gain=-1.0)  # the hand is wrong in direction: corrections lead away
    given = np.arange(COUNT) == 0
    start = np.zeros(len(ACTUATORS), np.float32)
    value = np.full(COUNT, 0.5, np.float32)
    vector, _ = refined(
        start, value, given=given, relative=~given & given, measure=loop.measure, slopes=loop.slopes, rounds=5
    )
    assert np.array_equal(vector, start)


def test_the_nearest_step_may_be_none():
    asked = NATURAL + np.float32(0.2)
    loop = Loop()
    assert np.allclose(nearest_step(asked, loop.measure, loop.hand, (0.25, 0.5))[:3], 0.1)
    assert not nearest_step(asked, Loop(gain=-1.0).measure, loop.hand, (0.25, 0.5)).any()


def test_a_model_comes_closer_and_says_what_it_aimed_at(model: StudioModel, kit: Kit, pattern: Pattern):
    from loopnet_cli.analysis.timbre import timbre_features

    knobs = {"mid.brightness": Knob(0.6), "low.depth": Knob(-0.2, relative=True)}

    def unit(loop) -> dict[str, float]:
        return model.normalisation.to_unit(timbre_features(loop.audio, 44100))

    natural = unit(model.render(pattern, kit=kit, seed=1))
    loops = {rounds: model.render(pattern, kit=kit, timbre=knobs, seed=1, refine=rounds) for rounds in (0, 4)}
    asked = loops[4].settings["timbre_asked"]
    assert loops[4].settings["refine"] == 4 and "refine" not in loops[0].settings
    assert asked["mid.brightness"] == pytest.approx(0.6, abs=1e-4)
    assert asked["low.depth"] == pytest.approx(natural["low.depth"] - 0.2, abs=1e-3)
    assert asked["high.warmth"] == pytest.approx(natural["high.warmth"], abs=1e-3)

    def off(loop) -> float:
        heard = unit(loop)
        errors = {name: abs(heard[name] - asked[name]) for name in TIMBRE_NAMES}
        rest = [errors[name] for name in TIMBRE_NAMES if name not in knobs]
        return 2 * np.mean([errors[name] for name in knobs]) + np.mean(rest)

    assert off(loops[4]) <= off(loops[0]) + 1e-6
    again = model.render(pattern, kit=kit, timbre=knobs, seed=1, refine=4)
    assert again.audio.tobytes() == loops[4].audio.tobytes()


def test_what_is_too_long_to_be_measured_is_told_before_it_is_rendered(model: StudioModel, kit: Kit, monkeypatch):
    def rendered(*_: object, **__: object) -> None:
        pytest.fail("it was rendered")

    monkeypatch.setattr(model, "sound", rendered)
    pattern = Pattern((Hit(0, "kick"),), bars=128, tempo=20)
    with pytest.raises(AudioError, match="1536 s cannot be refined"):
        model.render(pattern, kit=kit, timbre={"low.depth": Knob(0.9)}, refine=1)


def test_without_knobs_there_is_nothing_to_refine(model: StudioModel, kit: Kit, pattern: Pattern):
    plain = model.render(pattern, kit=kit, seed=1).audio
    assert model.render(pattern, kit=kit, seed=1, refine=3).audio.tobytes() == plain.tobytes()

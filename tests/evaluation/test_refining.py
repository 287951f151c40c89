"""How true the knobs are: requests are drawn as told, and errors are of what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.controls import TIMBRE_NAMES, Knob
from loopnet_cli.evaluation import refining
from loopnet_cli.synthesis.studio import load_studio


@pytest.fixture(scope="module")
def model():
    return load_studio()


def test_every_second_request_is_for_one_band(model):
    drawn = refining.requests(model, 6, seed=2)
    assert [len(knobs) for _, _, knobs in drawn] == [3, 1, 3, 1, 3, 1]
    assert all(pattern.bars == 1 and kit.name in model.kit_names for pattern, kit, _ in drawn)
    values = [knob.value for _, _, knobs in drawn for knob in knobs.values()]
    assert all(refining.LOWEST <= value <= refining.HIGHEST for value in values)
    assert [knobs for *_, knobs in refining.requests(model, 6, seed=2)] == [knobs for *_, knobs in drawn]


def test_errors_are_of_what_was_asked_for(model, monkeypatch):
    natural = np.full(len(TIMBRE_NAMES), 0.5, np.float32)
    monkeypatch.setattr(refining, "ROUNDS", (0, 3))

    def measured(model, pattern, kit, knobs, rounds):
        heard = natural.copy()
        for index, name in enumerate(TIMBRE_NAMES):
            heard[index] = knobs[name].value - 0.2 / (rounds + 1) if name in knobs else 0.6 if knobs else 0.5
        return heard, 1.0 + rounds

    monkeypatch.setattr(refining, "_measured", measured)
    found = refining.errors_of(model, None, None, {"mid.warmth": Knob(0.9)})
    assert found["no knob"] == pytest.approx((0.4, 0, 0))
    assert found["as it is"] == pytest.approx((0.2, 0.1, 1))
    assert found["`--refine 3`"] == pytest.approx((0.05, 0.1, 4))
    text = refining.table([found, found], seed=0)
    assert "| `--refine 3` | 0.050 [0.050, 0.050] | 0.100 [0.100, 0.100] | 100 | 4.00 |" in text
    assert "| no knob | 0.400 [0.400, 0.400] |  | 0 |  |" in text

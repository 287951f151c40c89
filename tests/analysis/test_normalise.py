"""From points to knob values and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.controls import TIMBRE_NAMES


@pytest.fixture
def scale() -> Normalisation:
    return Normalisation(
        {name: 10.0 + index for index, name in enumerate(TIMBRE_NAMES)},
        {name: 60.0 + 2 * index for index, name in enumerate(TIMBRE_NAMES)},
    )


def test_the_ends_are_zero_and_one(scale):
    assert set(scale.to_unit(scale.low).values()) == {0.0}
    assert set(scale.to_unit(scale.high).values()) == {1.0}


def test_there_and_back(scale):
    points = {name: 7.0 * index for index, name in enumerate(TIMBRE_NAMES)}
    assert scale.from_unit(scale.to_unit(points)) == pytest.approx(points)


def test_clipping_is_a_choice(scale):
    assert scale.to_unit({"low.depth": -39.0})["low.depth"] < 0
    assert scale.to_unit({"low.depth": -39.0}, clip=True) == {"low.depth": 0.0}
    assert scale.to_unit({"low.depth": 1e9}, clip=True) == {"low.depth": 1.0}


def test_features_go_by_name_not_by_order(scale):
    points = {"high.warmth": 40.0, "low.depth": 20.0}
    turned = dict(reversed(points.items()))
    assert scale.to_unit(points) == scale.to_unit(turned)
    assert list(scale.to_unit(turned)) == list(turned)


def test_percentiles_of_the_training_set():
    points = np.arange(101.0)[:, None] + 1000 * np.arange(len(TIMBRE_NAMES))
    scale = Normalisation.from_percentiles(points)
    assert scale.low["low.hardness"] == pytest.approx(5) and scale.high["low.hardness"] == pytest.approx(95)
    assert scale.low[TIMBRE_NAMES[-1]] == pytest.approx(20005)


def test_storage(scale):
    assert Normalisation.from_dict(json.loads(json.dumps(scale.to_dict()))) == scale


def test_damaged_storage(scale):
    stored = scale.to_dict()
    del stored["low"]["mid.warmth"]
    with pytest.raises(KeyError, match=r"mid\.warmth"):
        Normalisation.from_dict(stored)
    stored = scale.to_dict()
    stored["high"]["mid.warmth"] = stored["low"]["mid.warmth"]
    with pytest.raises(ValueError, match=r"mid\.warmth"):
        Normalisation.from_dict(stored)

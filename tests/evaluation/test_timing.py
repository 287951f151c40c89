"""The onset finder and the score on signals whose onsets are known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.onsets import find_onsets
from loopnet_cli.evaluation.timing import events, f_measure, match, offset_of, score
from loopnet_cli.pattern import Hit, Pattern

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from signals import RATE, click, hat, kick, play

TOTAL = 2 * RATE
PATTERN = Pattern(tuple(Hit(beat / 2, "hat_closed", 0.8) for beat in range(8)))
ONSETS = PATTERN.onset_samples(RATE)
LEVELS = {"hat_closed": 0.4, "snare": 0.8, "kick": 1.0, "crash": 1.0}


@pytest.mark.parametrize("stroke", [click(), hat(), kick()], ids=["click", "hat", "kick"])
@pytest.mark.parametrize("first", [0, 1, 4999])
def test_onsets_are_found_to_a_tenth_of_a_millisecond(stroke, first):
    onsets = [(first + k * 11025) % TOTAL for k in range(8)]
    found = find_onsets(play(stroke, onsets, TOTAL))
    pairs = match(found, np.array(onsets, float), TOTAL, 20)
    assert len(found) == len(pairs) == 8
    assert max(abs(offset) for _, _, offset in pairs) < 0.1


def test_soft_hits_between_loud_ones_are_found():
    gains = [1.0, 0.3] * 4
    found = find_onsets(play(hat(), ONSETS, TOTAL, gains))
    assert len(match(found, np.array(ONSETS, float), TOTAL, 5)) == 8


def test_a_long_low_tone_has_one_onset():
    t = np.arange(RATE) / RATE
    tail = np.sin(2 * np.pi * 45 * t) * np.exp(-3 * t)
    assert len(find_onsets(play(tail, [1000], TOTAL))) == 1


def test_silence_has_no_onsets():
    assert len(find_onsets(np.zeros(TOTAL))) == 0


@pytest.mark.parametrize("milliseconds", [5.0, -5.0, 0.0])
def test_late_hits_are_reported_as_late_by_as_much(milliseconds):
    shift = round(milliseconds * RATE / 1000)
    found = find_onsets(play(hat(), [(onset + shift) % TOTAL for onset in ONSETS], TOTAL))
    scores = [score(found, events(PATTERN, "hat", LEVELS), TOTAL)] * 3
    assert offset_of(scores, seed=0).value == pytest.approx(milliseconds, abs=0.1)
    assert f_measure([s["10"] for s in scores], seed=0).value == 1.0


def test_hits_15_ms_late_count_at_20_ms_and_not_at_10():
    found = (np.array(ONSETS, float) + 0.015 * RATE) % TOTAL
    result = score(found, events(PATTERN, "hat", LEVELS), TOTAL)
    assert result["20"] == [8, 8, 8]
    assert result["10"] == [0, 8, 8]


def test_missing_and_surplus_hits_lower_f():
    found = np.array([*ONSETS[:6], 3000.0])  # two missing, one nobody asked for
    counts = score(found, events(PATTERN, "hat", LEVELS), TOTAL)["20"]
    assert counts == [6, 7, 8]
    assert f_measure([counts], seed=0).value == pytest.approx(12 / 15)


def test_one_onset_serves_one_hit():
    assert len(match(np.array([1000.0]), np.array([900.0, 1100.0]), TOTAL, 20)) == 1


def test_matching_goes_around_the_end_and_keeps_the_sign():
    pairs = match(np.array([TOTAL - 44.1]), np.array([0.0]), TOTAL, 20)
    assert pairs[0][2] == pytest.approx(-1.0)


def test_as_many_pairs_as_possible_come_before_near_ones():
    # the nearest partner of 500 is 600, but taking it would leave 1100 alone
    pairs = match(np.array([500.0, 1400.0]), np.array([100.0, 600.0]), TOTAL, 20)
    assert {(row, column) for row, column, _ in pairs} == {(0, 0), (1, 1)}


def test_a_ghost_note_is_neither_asked_for_nor_held_against():
    pattern = Pattern((Hit(0, "snare", 1.0), Hit(1, "snare", 1.0), Hit(2.5, "snare", 0.1)))
    asked = events(pattern, "snare", LEVELS)
    assert [event.judged for event in asked] == [True, True, False]
    samples = np.array([event.sample for event in asked])
    assert score(samples, asked, TOTAL)["20"] == [2, 2, 2]
    assert score(samples[:2], asked, TOTAL)["20"] == [2, 2, 2]


def test_a_soft_hit_right_after_a_loud_one_is_masked_and_the_same_later_is_not():
    def soft_after(seconds: float) -> bool:
        pattern = Pattern((Hit(0, "snare", 1.0), Hit(2 * seconds, "snare", 0.4)))
        return events(pattern, "snare", LEVELS)[1].judged

    assert not soft_after(0.04)
    assert soft_after(0.2)


def test_masking_and_merging_go_around_the_end():
    pattern = Pattern((Hit(0.0, "snare", 0.4), Hit(3.9, "snare", 1.0)))  # 50 ms before
    assert [event.judged for event in events(pattern, "snare", LEVELS)] == [False, True]
    flam = Pattern((Hit(0.0, "snare", 1.0), Hit(3.97, "snare", 0.9)))  # 15 ms before
    assert [event.sample for event in events(flam, "snare", LEVELS)] == [0.0]


def test_hits_with_neighbours_say_nothing_about_offsets():
    pattern = Pattern((Hit(0, "snare", 1.0), Hit(0.08, "snare", 1.0), Hit(2, "snare", 1.0)))  # 40 ms
    asked = events(pattern, "snare", LEVELS)
    assert [event.alone for event in asked] == [False, False, True]
    result = score(np.array([event.sample + 44.1 for event in asked]), asked, TOTAL)
    assert result["20"][0] == 3
    assert [offset for _, offset in result["offsets"]] == [pytest.approx(1.0)]

"""The seam's test on loops that do and do not click."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.seam import (
    beats_into_sound,
    beats_to_gap,
    flux_around,
    hit_at_wrap,
    jumps,
    seam_ok,
    smooth_locally,
)
from loopnet_cli.pattern import Hit, Pattern

sys.path.insert(0, str(Path(__file__).parent))
from signals import RATE, hat, kick, play


def test_a_whole_number_of_periods_is_seamless():
    loop = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE + 0.3)
    assert seam_ok(loop) == (True, True)
    assert smooth_locally(loop)


def test_a_broken_period_is_flagged_by_both_measures():
    loop = np.sin(2 * np.pi * 100.5 * np.arange(RATE) / RATE + 1.2)
    assert seam_ok(loop) == (False, False)
    assert not smooth_locally(loop)


def test_a_click_at_the_wrap_is_flagged_and_elsewhere_is_not():
    drums = play(kick(), [3000, 24000], RATE)
    clicking = drums.copy()
    clicking[0] += 0.5
    assert seam_ok(drums) == (True, True)
    assert seam_ok(clicking) == (False, False)
    assert seam_ok(np.roll(clicking, 33000))[0]


def test_a_tail_that_is_cut_instead_of_wrapped_is_flagged():
    whole = play(kick(), [RATE - 1600], RATE)
    cut = whole.copy()
    cut[: RATE // 2] = 0
    assert smooth_locally(whole)
    assert not smooth_locally(cut)
    assert not seam_ok(cut)[0]


def test_the_measures_turn_with_the_loop():
    loop = play(hat(), [5000, 20000], RATE - 44)
    assert np.allclose(np.roll(jumps(loop), 1000), jumps(np.roll(loop, 1000)))
    step = (RATE - 44) // round((RATE - 44) / 64)
    assert flux_around(loop).max() == pytest.approx(flux_around(np.roll(loop, step)).max(), rel=0.05)


@pytest.mark.parametrize(
    "hits", [[0.0, 1.0, 3.0], [0.0], [0.5, 2.0, 2.25], [3.99]], ids=lambda beats: ",".join(map(str, beats))
)
def test_the_wrap_is_brought_into_the_middle_of_the_widest_gap(hits):
    pattern = Pattern(tuple(Hit(beat, "kick") for beat in hits))
    turned = pattern.rotated(beats_to_gap(pattern))
    after = min(hit.beat for hit in turned.hits)
    before = 4 - max(hit.beat for hit in turned.hits)
    assert after == pytest.approx(before)
    ordered = sorted(hits)
    gaps = [b - a for a, b in zip(ordered, [*ordered[1:], ordered[0] + 4], strict=True)]
    assert after + before == pytest.approx(max(gaps))


def test_the_wrap_is_brought_into_the_sound_of_the_loudest_hit_that_stands_alone():
    pattern = Pattern((Hit(0.0, "snare", 1.0), Hit(0.05, "kick", 0.5), Hit(2.0, "kick", 0.9)))  # 25 ms apart
    turned = pattern.rotated(beats_into_sound(pattern))
    latest = max(turned.hits, key=lambda hit: hit.beat)
    assert latest.velocity == 0.5 or latest.velocity == 0.9
    assert (4 - latest.beat) * 0.5 == pytest.approx(0.030)
    assert latest.velocity == 0.9


def test_a_hit_just_before_the_end_is_at_the_wrap():
    assert hit_at_wrap(Pattern((Hit(0.0, "kick"),)))
    assert hit_at_wrap(Pattern((Hit(3.99, "kick"),)))  # 5 ms
    assert not hit_at_wrap(Pattern((Hit(3.9, "kick"),)))

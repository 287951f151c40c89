from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from loopnet_cli.analysis.rhythm import heard_pattern, quantized
from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern import Hit, Pattern

SECTION = SimpleNamespace(start=10.0, end=14.0, tempo=120.0, bars=2, meter=(4, 4))


def heard(*hits: tuple[float, str, float]) -> Transcription:
    return Transcription(tuple(HeardHit(*hit) for hit in hits), np.zeros((1, 3)), np.zeros((1, 10)), 4.0)


def test_hits_are_placed_by_time() -> None:
    pattern = heard_pattern(heard((0.0, "kick", 0.9), (0.513, "snare", 0.4)), SECTION)
    assert (pattern.bars, pattern.tempo, pattern.meter) == (2, 120.0, (4, 4))
    assert [(h.voice, h.velocity) for h in pattern.hits] == [("kick", 0.9), ("snare", 0.4)]
    assert pattern.hits[1].beat == pytest.approx(1.026)


def test_hits_around_the_bar_line_come_round() -> None:
    pattern = heard_pattern(heard((-0.05, "kick", 0.9), (4.1, "snare", 0.5)), SECTION)
    assert [h.beat for h in pattern.hits] == pytest.approx([0.2, 7.9])


def test_a_first_beat_heard_a_little_early_is_the_first_beat() -> None:
    pattern = heard_pattern(heard((3.997, "kick", 0.9), (-0.002, "snare", 0.5), (3.985, "hat_closed", 0.5)), SECTION)
    assert [(h.voice, round(h.beat, 3)) for h in pattern.hits] == [("kick", 0), ("snare", 0), ("hat_closed", 7.97)]


def test_one_stroke_seen_on_both_sides_of_the_seam_is_one() -> None:
    pattern = heard_pattern(heard((0.004, "kick", 0.6), (3.995, "kick", 0.8), (3.995, "snare", 0.5)), SECTION)
    assert sorted((h.voice, h.velocity) for h in pattern.hits) == [("kick", 0.8), ("snare", 0.5)]


def test_the_grid_takes_hits_as_far_as_asked() -> None:
    played = Pattern((Hit(0.06, "kick"), Hit(1.05, "snare"), Hit(3.95, "kick", 0.5)))
    assert [h.beat for h in quantized(played).hits] == pytest.approx([0.0, 1.0])  # 3.95 meets the kick at 0
    assert [h.beat for h in quantized(played, strength=0.5).hits] == pytest.approx([0.03, 1.025, 3.975])
    assert quantized(played, strength=0.0).hits == played.hits


def test_the_stronger_of_two_strokes_on_a_step_stays() -> None:
    played = Pattern((Hit(0.98, "snare", 0.3), Hit(1.02, "snare", 0.8)))
    assert quantized(played).hits == (Hit(1.0, "snare", 0.8),)


def test_swing_moves_every_second_step() -> None:
    played = Pattern(tuple(Hit(step / 4, "hat_closed") for step in range(8)))
    swung = quantized(played, 16, swing=2 / 3)
    assert [h.beat for h in swung.hits] == pytest.approx([0, 1 / 3, 0.5, 5 / 6, 1, 4 / 3, 1.5, 11 / 6])


@pytest.mark.parametrize("wrong", [{"steps": 5}, {"strength": 1.2}, {"swing": 0.4}])
def test_values_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        quantized(Pattern((Hit(0, "kick"),)), **wrong)  # type: ignore[arg-type]

"""Scores of hits that are known to be right, late, swapped, doubled or missing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from loopnet_cli.evaluation.matching import MISSED, NOTHING, Struck, hits_of_pattern, merged, pairs, score
from loopnet_cli.pattern import Hit, Pattern

PERIOD = 2.0
BAR = [Struck(0.5 * n, "kick" if n % 2 == 0 else "snare", 0.9) for n in range(4)]
BAR += [Struck(0.25 * n, "hat_closed", 0.3 + 0.05 * n) for n in range(8)]


def moved(hits: list[Struck], seconds: float) -> list[Struck]:
    return [hit._replace(seconds=(hit.seconds + seconds) % PERIOD) for hit in hits]


def counts(result: dict, group: str) -> tuple[int, int, int]:
    entry = result["groups"][group]
    return sum(event[1] is not None for event in entry["events"]), entry["found"], len(entry["events"])


def test_a_copy_is_right_in_every_way():
    result = score(BAR, BAR, PERIOD)
    assert {name: counts(result, name) for name in result["groups"]} == {
        "kick": (2, 2, 2),
        "snare": (2, 2, 2),
        "hat": (8, 8, 8),
    }
    assert all(event[0] == event[1] and event[2] == 0 for g in result["groups"].values() for event in g["events"])
    assert result["voices"] == {"kick": [2, 2, 2], "snare": [2, 2, 2], "hat_closed": [8, 8, 8]}
    assert result["merged"] == 0


@pytest.mark.parametrize(("late", "right", "strict"), [(0.02, 8, 8), (-0.02, 8, 8), (0.04, 8, 0), (0.06, 0, 0)])
def test_a_late_copy_counts_up_to_the_tolerance_and_around_the_seam(late, right, strict):
    result = score(moved(BAR, late), BAR, PERIOD)
    assert counts(result, "hat") == (right, 8, 8)
    assert result["groups"]["hat"]["right25"] == strict
    offsets = [event[2] for event in result["groups"]["hat"]["events"] if event[2] is not None]
    assert offsets == pytest.approx([1000 * late] * right, abs=0.02)


def test_a_recording_has_no_seam():
    early = [Struck(0.0, "kick", 0.9), Struck(1.99, "snare", 0.9)]
    around = [Struck(1.98, "kick", 0.9), Struck(0.01, "snare", 0.9)]
    assert len(pairs(early[:1], around[:1], PERIOD)) == 1
    assert len(pairs(early[:1], around[:1], None)) == 0
    assert score(early, around, None)["confusion"]["kick"]["snare"] == 1  # 1.98 s kick, heard as the snare at 1.99 s


def test_swapped_groups_are_confused_and_not_missed():
    swap = {"kick": "snare", "snare": "kick", "hat_closed": "hat_closed"}
    result = score([hit._replace(voice=swap[hit.voice]) for hit in BAR], BAR, PERIOD)
    assert counts(result, "kick") == (0, 2, 2)
    assert result["confusion"]["kick"] == {"kick": 0, "snare": 2, "hat": 0, "rest": 0, MISSED: 0}
    assert result["confusion"]["snare"]["kick"] == 2
    assert result["confusion"]["hat"]["hat"] == 8
    assert sum(result["confusion"][NOTHING].values()) == 0


def test_missing_and_invented_hits():
    heard = [hit for hit in BAR if hit.voice != "snare"] + [Struck(0.37, "tom", 0.5)]
    table = score(heard, BAR, PERIOD)["confusion"]
    assert table["snare"][MISSED] == 2
    assert table[NOTHING]["rest"] == 1
    assert sum(sum(row.values()) for name, row in table.items() if name != NOTHING) == len(BAR)


def test_voices_of_a_group_are_told_apart_only_in_the_voices():
    heard = [hit._replace(voice="hat_open") if hit.group == "hat" else hit for hit in BAR]
    result = score(heard, BAR, PERIOD)
    assert counts(result, "hat") == (8, 8, 8)
    assert result["voices"]["hat_closed"] == [0, 0, 8]
    assert result["voices"]["hat_open"] == [0, 8, 0]


def test_flams_are_one_event_of_the_stronger_and_are_counted():
    flam = [
        Struck(0.480, "snare", 0.3),
        Struck(0.5, "snare", 0.9),
        Struck(1.0, "snare", 0.8),
        Struck(1.1, "snare", 0.8),
    ]
    assert merged(flam, PERIOD) == flam[1:]
    result = score(flam[1:], flam, PERIOD)
    assert counts(result, "snare") == (3, 3, 3)
    assert result["groups"]["snare"]["raw"] == [3, 3, 4]
    assert result["merged"] == 1
    seam = [Struck(0.005, "kick", 0.9), Struck(1.99, "kick", 0.2)]
    assert merged(seam, PERIOD) == seam[:1]
    assert merged(seam, None) == seam
    assert merged([hit._replace(velocity=0.5 - hit.velocity / 2) for hit in seam], PERIOD)[0].seconds == 1.99


def test_a_doubled_hit_is_right_once():
    heard = [*BAR, *moved([hit for hit in BAR if hit.voice == "kick"], 0.045)]
    assert counts(score(heard, BAR, PERIOD), "kick") == (2, 4, 2)


def test_as_many_hits_as_possible_are_matched_then_the_nearest():
    asked = [Struck(0.10, "kick", 1.0), Struck(0.16, "kick", 1.0)]
    heard = [Struck(0.14, "kick", 1.0), Struck(0.19, "kick", 1.0)]
    # the nearest pair alone (0.14 with 0.16) would leave 0.10 and 0.19 without a partner
    assert sorted((pair.found, pair.asked) for pair in pairs(heard, asked, None)) == [(0, 0), (1, 1)]


def test_matches_are_as_many_as_by_trying_all():
    rng = np.random.default_rng(0)
    for _ in range(40):
        found, asked = ([Struck(float(t), "kick", 1.0) for t in rng.uniform(0, 0.4, size=4)] for _ in range(2))
        best = max(
            sum(abs(found[i].seconds - asked[j].seconds) <= 0.05 for i, j in enumerate(order))
            for order in itertools.permutations(range(4))
        )
        assert len(pairs(found, asked, None)) == best


def test_true_hits_of_a_pattern_are_where_the_renderer_puts_them():
    pattern = Pattern((Hit(0, "kick", 0.5), Hit(1.5, "clap", 0.7)), tempo=97.0)
    hits = hits_of_pattern(pattern)
    assert [hit.seconds * 44100 for hit in hits] == pytest.approx(pattern.onset_samples(44100))
    assert [(hit.voice, hit.group, hit.velocity) for hit in hits] == [("kick", "kick", 0.5), ("clap", "snare", 0.7)]

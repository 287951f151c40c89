"""Scores against labels that name a voice, an onset alone, or a doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation import beatbox
from loopnet_cli.evaluation.labels import ClipLabels, LabelledHit, beatbox_labels
from loopnet_cli.evaluation.matching import Struck

NAMES = {"kick": "kick", "snare": "clap", "hat": "hat_open", "hit": "perc"}
SOUNDS = [
    LabelledHit(at, label) for at, label in ((0.2, "kick"), (0.5, "hat"), (0.8, "snare"), (1.1, "hit"), (1.4, "kick"))
]
CLIP = ClipLabels("clip", "mouth", 0.0, 2.0, tuple(SOUNDS), (LabelledHit(1.7, "doubt"),), "", "", "")


def heard(*without: int) -> list[Struck]:
    return [Struck(hit.seconds, NAMES[hit.label], 0.7) for n, hit in enumerate(SOUNDS) if n not in without]


def test_all_that_is_labelled_and_nothing_else_is_perfect():
    found = beatbox.compare(heard(), CLIP)
    assert found["onsets"] == found["onsets25"] == [5, 5, 5]
    assert found["classes"] == {"kick": [2, 2, 2], "snare": [1, 1, 1], "hat": [1, 1, 1]}
    assert found["late"] == [0.0] * 5
    assert found["doubts"] == [0, 1]
    assert found["heard"] == {"kick": 2, "snare": 1, "hat": 1, "rest": 1}


def test_a_doubtful_sound_is_neither_right_nor_wrong():
    found = beatbox.compare([*heard(), Struck(1.72, "snare", 0.5)], CLIP)
    assert found["onsets"] == [5, 5, 5]
    assert found["doubts"] == [1, 1]
    assert found["classes"]["snare"] == [1, 1, 1]
    assert beatbox.compare([*heard(), Struck(1.55, "snare", 0.5)], CLIP)["onsets"] == [5, 6, 5]


def test_a_voice_where_only_the_onset_is_sure_is_neither_right_nor_wrong():
    taken_for_a_kick = [hit._replace(voice="kick") if hit.voice == "perc" else hit for hit in heard()]
    found = beatbox.compare(taken_for_a_kick, CLIP)
    assert found["onsets"] == [5, 5, 5]
    assert found["classes"]["kick"] == [2, 2, 2]
    taken_for_a_snare = [hit._replace(voice="snare") if hit.voice == "kick" else hit for hit in heard()]
    classes = beatbox.compare(taken_for_a_snare, CLIP)["classes"]
    assert classes["kick"] == [0, 0, 2]
    assert classes["snare"] == [1, 3, 1]


def test_missing_and_late_onsets_and_what_lies_outside():
    found = beatbox.compare(heard(1, 3), CLIP)
    assert found["onsets"] == [3, 3, 5]
    late = [hit._replace(seconds=hit.seconds + 0.04) for hit in heard()]
    found = beatbox.compare([*late, Struck(2.3, "kick", 0.9), Struck(2.02, "kick", 0.9)], CLIP)
    assert found["onsets"] == [5, 5, 5]
    assert found["onsets25"] == [0, 5, 5]
    assert found["late"] == pytest.approx([40.0] * 5)


def test_two_voices_at_once_are_one_onset():
    both = [*heard(), *(hit._replace(voice="hat_closed", seconds=hit.seconds + 0.01) for hit in heard())]
    assert beatbox.compare(both, CLIP)["onsets"] == [5, 5, 5]


def test_the_tables_add_up():
    rows = [{"clip": name, "kind": "mouth", **beatbox.compare(heard(n), CLIP)} for n, name in enumerate("ab")]
    section = beatbox.summarise(rows, 0)
    onsets = {row[0]: row for row in section.tables[0].rows}
    assert onsets["a"][3].value == pytest.approx(2 * 4 / 9)
    assert onsets["**all**"][2] == "10"
    assert onsets["**all**"][3].value == pytest.approx(16 / 18)
    assert onsets["**all**"][3].low is None  # two clips give no interval
    voices = {(row[0], row[1]): row for row in section.tables[1].rows}
    assert voices["kick", "all"][5].value == pytest.approx(0.75)
    assert voices["hat", "b"][5].value == 0.0


def test_there_is_a_case_for_every_labelled_clip():
    assert beatbox.cases() == len(beatbox_labels()) >= 5


def test_a_missing_recording_is_named():
    class Bench:
        data = Path("nowhere")

    with pytest.raises(LoopnetError, match=r"beatbox/.*\.flac: no such recording"):
        beatbox.measure(Bench(), 0)

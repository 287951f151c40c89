"""The hand-made labels: well-formed, where they say they are in the audio, and damaged ones told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.labels import CLIP_COLUMNS, KINDS, LABELS, TABLE_COLUMNS, beatbox_labels, parse_labels

CLIPS = Path(__file__).parents[2].parent / "shared" / "data" / "beatbox"
LABELLED = beatbox_labels()


def test_the_clips_that_must_be_there_are_there():
    assert len(LABELLED) >= 8
    assert {"tria_beatbox-1", "tria_tap-1", "olpc_mouth-loop-1"} <= LABELLED.keys()


@pytest.mark.parametrize("clip", LABELLED)
def test_the_labels_of_a_clip_are_well_formed(clip):
    labels = LABELLED[clip]
    assert labels.clip == clip and labels.kind in KINDS
    assert 0 <= labels.start < labels.end <= labels.start + 15
    for sounds in (labels.hits, labels.doubts):
        times = [sound.seconds for sound in sounds]
        assert times == sorted(times) and len(set(times)) == len(times)
        assert all(labels.start <= time < labels.end for time in times)
    assert {hit.label for hit in labels.hits} <= set(LABELS) - {"doubt"}
    assert all(doubt.label == "doubt" and doubt.note for doubt in labels.doubts)
    assert labels.author and labels.licence and labels.source.startswith("https://")


def test_the_beatbox_has_all_three_voices_and_nothing_else():
    beatbox = LABELLED["tria_beatbox-1"]
    assert beatbox.voiced
    assert [len(beatbox.onsets(voice)) for voice in ("kick", "snare", "hat")] == [4, 3, 4]
    assert not LABELLED["tria_tap-1"].voiced


def test_onsets_by_label_are_all_onsets():
    labels = LABELLED["olpc_mouth-loop-1"]
    assert sorted(labels.onsets("kick") + labels.onsets("hit")) == list(labels.onsets())
    assert labels.onsets("doubt") and not set(labels.onsets("doubt")) & set(labels.onsets())
    with pytest.raises(ValueError, match="no label 'cowbell'"):
        labels.onsets("cowbell")


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the recordings are not beside the repository")
@pytest.mark.parametrize("clip", LABELLED)
def test_the_sound_rises_at_every_certain_onset(clip):
    """Within 5 ms of a label the 10 ms that follow are louder, somewhere in the spectrum, than the 10 ms before."""
    soundfile = pytest.importorskip("soundfile")
    audio, rate = soundfile.read(CLIPS / f"{clip}.flac", dtype="float32", always_2d=True)
    labels = LABELLED[clip]
    assert labels.end <= len(audio) / rate
    window = round(0.01 * rate)
    mono = np.pad(audio.mean(axis=1), window + round(0.005 * rate))

    def bands(centre: int) -> np.ndarray:
        power = np.abs(np.fft.rfft(mono[centre : centre + window])) ** 2
        edges = [1, 2, 4, 10, 50]  # of bins 100 Hz wide: 100, 200, 400 Hz, 1 and 5 kHz
        return np.array([part.sum() for part in np.split(power, edges)[1:]]) + 1e-9

    def rise(seconds: float) -> float:
        at = round(seconds * rate) + window + round(0.005 * rate)
        shifts = range(-round(0.005 * rate), round(0.005 * rate) + 1, 44)
        return max(float((bands(at + s) / bands(at + s - window)).max()) for s in shifts)

    flat = [hit for hit in labels.hits if rise(hit.seconds) < 4]  # 6 dB
    assert not flat


HEADERS = ",".join(CLIP_COLUMNS) + "\n", ",".join(TABLE_COLUMNS) + "\n"
CLIP_ROW = "a,beatbox,0,2,me,MIT,https://example.org\n"


def test_a_small_table_is_read():
    labels = parse_labels(HEADERS[0] + CLIP_ROW, HEADERS[1] + 'a,0.5,kick,\na,1.0,doubt,"loud, late"\n')["a"]
    assert labels.onsets() == (0.5,) and labels.onsets("doubt") == (1.0,)
    assert labels.doubts[0].note == "loud, late"


@pytest.mark.parametrize(
    ("clips", "table", "message"),
    [
        (CLIP_ROW, "a,0.5,cowbell,\n", "beatbox.csv line 2: unknown label 'cowbell'"),
        (CLIP_ROW, "b,0.5,kick,\n", "clip 'b' is not in clips.csv"),
        (CLIP_ROW, "a,2.5,kick,\n", "outside the labelled span"),
        (CLIP_ROW, "a,1.5,kick,\na,1.0,hat,\n", "line 3: 1 s is not after"),
        (CLIP_ROW, "a,nan,kick,\n", "'nan' is not a number"),
        (CLIP_ROW, "a,soon,kick,\n", "'soon' is not a number"),
        (CLIP_ROW, "a,0.5,kick\n", "3 cells instead of 4"),
        (CLIP_ROW, "a,0.5,doubt,quiet\n", "no hit of a"),
        (CLIP_ROW + CLIP_ROW, "a,0.5,kick,\n", "clips.csv line 3: a stands there twice"),
        ("a,choir,0,2,me,MIT,x\n", "a,0.5,kick,\n", "unknown kind 'choir'"),
        ("a,beatbox,2,2,me,MIT,x\n", "a,0.5,kick,\n", "no span from 2 to 2 s"),
    ],
)
def test_a_damaged_table_is_told_by_line(clips, table, message):
    with pytest.raises(ValueError, match=message):
        parse_labels(HEADERS[0] + clips, HEADERS[1] + table)


def test_wrong_columns_are_told():
    with pytest.raises(ValueError, match="the columns must be clip,seconds,label,note"):
        parse_labels(HEADERS[0] + CLIP_ROW, "clip,time\na,0.5\n")

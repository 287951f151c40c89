"""Folders of audio compared with each other."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.analysis.transcriber import load_transcriber
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.evaluation.embeddings import log_mel
from loopnet_cli.evaluation.folders import (
    audio_files,
    compare_folders,
    compare_pair,
    f_measure,
    folder_statistics,
    paired_files,
    summary,
)

sys.path.insert(0, str(Path(__file__).parent))
from tiny_store import pattern_of, sound_of, write_pairs


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    return write_pairs(tmp_path_factory.mktemp("pairs"), late=0.012)


@pytest.fixture(scope="module")
def compared(folders):
    return compare_folders(*folders, {"logmel": log_mel()}, seed=0)


def test_pairs_are_found_by_name_in_sub_folders_too(tmp_path):
    for side in ("a", "b"):
        for name in ("x.wav", "sub/y.flac", f"only-{side}.wav", "note.txt"):
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "b" / "x.wav").rename(tmp_path / "b" / "x.flac")
    both, alone = paired_files(tmp_path / "a", tmp_path / "b")
    assert list(both) == ["sub/y", "x"]
    assert both["x"][1].name == "x.flac"
    assert [Path(path).name for path in alone] == ["only-a.wav", "only-b.wav"]


def test_folders_that_are_none(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no folder"):
        audio_files(tmp_path / "none")
    with pytest.raises(AudioError, match="no audio"):
        audio_files(tmp_path / "empty")
    for name in ("a/x.wav", "b/y.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(UsageError, match="called the same"):
        paired_files(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "x.flac").touch()
    with pytest.raises(UsageError, match=r"x\.flac and x\.wav have the same name"):
        audio_files(tmp_path / "a")


def test_hits_that_are_heard_agree_and_their_offset_is_found(compared):
    pairs, _, alone = compared
    assert [pair.name for pair in pairs] == ["0", "1", "2", "3"]
    assert not alone
    means = summary(pairs, seed=0)
    assert means["kick"].value > 0.85
    assert means["snare"].value > 0.7
    assert means["late"].value == pytest.approx(12, abs=3)
    assert 0.5 < means["log_mel"].value < 8
    assert means["log_mel"].loops == 4


def test_distances_tell_what_they_are_taken_from(compared):
    _, distances, _ = compared
    found = distances["logmel"]
    assert (found.vectors, found.dimension, found.axes_of) == (4 * 160, 64, None)
    assert found.estimate.low < found.estimate.value < found.estimate.high


def test_a_folder_and_itself(folders):
    pairs, distances, _ = compare_folders(folders[1], folders[1], {"logmel": log_mel()}, seed=0)
    assert all(pair.log_mel == 0 for pair in pairs)
    assert all(counts[0] == counts[1] == counts[2] for pair in pairs for counts in pair.hits.values())
    assert distances["logmel"].estimate.value == pytest.approx(0, abs=1e-6)


def test_other_lengths_are_said(folders):
    one, two = sound_of(pattern_of(0), 1), sound_of(pattern_of(0), 2)
    ears = load_transcriber()
    assert not compare_pair("x", (one[:-40], 44100), (two, 44100), ears).warning
    assert "differ by 50 %" in compare_pair("x", (one[: len(one) // 2], 44100), (two, 44100), ears).warning
    with pytest.raises(AudioError, match="x: the reference is silent"):
        compare_pair("x", (one, 44100), (np.zeros(81415, np.float32), 44100), ears)


def test_a_damaged_file_is_named(folders, tmp_path):
    shutil.copytree(folders[0], tmp_path / "made")
    (tmp_path / "made" / "2.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(AudioError, match=r"2\.wav"):
        compare_folders(tmp_path / "made", folders[1], {}, seed=0)


def test_statistics_of_a_folder(folders):
    found = folder_statistics(folders[1], log_mel())
    assert found.dimension == 64
    assert found.count == 4 * 160


def test_f_measure():
    assert f_measure((2, 4, 4)) == 0.5
    assert np.isnan(f_measure((0, 0, 0)))


def test_stereo_is_averaged(tmp_path, folders):
    shutil.copytree(folders[1], tmp_path / "stereo")
    for path in (tmp_path / "stereo").glob("*.wav"):
        audio, rate = soundfile.read(path)
        soundfile.write(path, np.stack([2 * audio, np.zeros_like(audio)], axis=1), rate, subtype="FLOAT")
    pairs, _, _ = compare_folders(tmp_path / "stereo", folders[1], {}, seed=0)
    assert all(pair.log_mel < 0.05 for pair in pairs)

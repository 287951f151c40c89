from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from dataset_sounds import fake_loop, fake_rows

from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.data.rows import COLUMNS, Rejected, pattern_text, read_pattern_text, to_float, to_int16
from loopnet_cli.data.store import BarStore
from loopnet_cli.data.store_writer import StoreWriter
from loopnet_cli.errors import DatasetError, UsageError
from loopnet_cli.pattern import Hit, Pattern

BEAT = Pattern((Hit(0.0, "kick", 0.9), Hit(1.125, "snare", 0.4), Hit(3.9, "hat_open", 1.0)), 1, (4, 4), 130.0)


@pytest.fixture
def path(tmp_path) -> Path:
    """Two loops, of 3 and 2 bars; the second is for tests."""
    first, second = fake_rows(3, seed=1), fake_rows(2, seed=2)
    first = replace(first, patterns=(pattern_text(BEAT), "", ""))
    with StoreWriter(tmp_path / "bars.h5", {"seed": 3}, studio=True, exact={"activations": True}) as writer:
        writer.append([fake_loop("a.wav", bars=3)], first)
        writer.append([fake_loop("b.wav", split="test", bars=2)], second)
        writer.reject([Rejected("c.wav", "silent", "never"), Rejected("d.wav", "too long", "x")])
    return tmp_path / "bars.h5"


def test_rows_come_in_the_order_asked(path):
    with BarStore(path) as store:
        assert len(store) == 5 and store.settings == {"seed": 3}
        assert store.indices("train").tolist() == [0, 1, 2] and store.indices("test").tolist() == [3, 4]
        bars = store.read([4, 0, 4, 1])
        first, second = fake_rows(3, seed=1), fake_rows(2, seed=2)
        for at, (rows, row) in enumerate([(second, 1), (first, 0), (second, 1), (first, 1)]):
            np.testing.assert_array_equal(bars.audio[at], to_float(rows.audio_paper[row]))
            np.testing.assert_array_equal(bars.activations[at], rows.activations[row])
            np.testing.assert_array_equal(bars.envelope[at], rows.envelope[row].astype(np.float32))
            np.testing.assert_array_equal(bars.timbre[at], rows.timbre[row])
        assert bars.loop.tolist() == [1, 0, 1, 0]
        assert bars.audio.dtype == bars.envelope.dtype == bars.timbre.dtype == np.float32
        np.testing.assert_array_equal(store.studio_audio([3])[0], to_float(second.audio_studio[0]))
        assert len(store.read([])) == 0


def test_loops_patterns_and_what_was_left_out(path):
    with BarStore(path) as store:
        assert store.patterns([1, 0]) == [None, BEAT]
        assert [loop.name for loop in store.loops()] == ["a.wav", "b.wav"]
        assert store.loops()[1] == fake_loop("b.wav", split="test", bars=2)
        assert store.loop_of([0, 4]).tolist() == [0, 1]
        assert store.rejected() == [Rejected("c.wav", "silent", "never"), Rejected("d.wav", "too long", "x")]


def test_columns_are_named_and_found_by_name(path):
    with BarStore(path) as store:
        before = store.read(range(5))
    with h5py.File(path, "r+") as file:
        assert list(file["timbre"].attrs["columns"]) == list(TIMBRE_NAMES)
        assert list(file["chroma"].attrs["columns"]) == list(PITCH_CLASSES)
        assert list(file["activations"].attrs["columns"]) == ["kick", "snare", "hat"]
        for name, columns in COLUMNS.items():
            order = np.roll(np.random.default_rng(2).permutation(len(columns)), 1)
            assert (order != np.arange(len(columns))).any()
            file[name][...] = file[name][...][..., order]
            file[name].attrs["columns"] = [columns[n] for n in order]
    with BarStore(path) as store:
        after = store.read(range(5))
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_others_can_open_it(path):
    with h5py.File(path) as file:
        assert file.attrs["format"] == "loopnet-dataset" and file.attrs["version"] == 1
        assert json.loads(file.attrs["settings"]) == {"seed": 3}
        assert (file.attrs["sample_rate_paper"], file.attrs["sample_rate_studio"]) == (16000, 44100)
        assert file["audio_paper"].shape == (5, 29538) and file["audio_studio"].shape == (5, 81415)
        assert file["activations"].attrs["frame_rate"] == 100 and file["timbre"].attrs["unit"] == "AudioCommons points"
        assert bool(file["activations"].attrs["exact"]) and not bool(file["patterns"].attrs["exact"])
        assert file["loops/name"].asstr()[:].tolist() == ["a.wav", "b.wav"]


def test_it_can_be_handed_to_another_process(path):
    with BarStore(path) as store, pickle.loads(pickle.dumps(store)) as other:
        np.testing.assert_array_equal(store.read([2]).audio, other.read([2]).audio)


def test_without_studio_audio(tmp_path):
    with StoreWriter(tmp_path / "s.h5", {}, studio=False) as writer:
        writer.append([fake_loop()], fake_rows(1, studio=False))
    with BarStore(tmp_path / "s.h5") as store:
        assert not store.has_studio_audio and len(store.read([0])) == 1
        with pytest.raises(DatasetError, match="--no-studio"):
            store.studio_audio([0])


def test_what_is_asked_wrongly(path):
    with BarStore(path) as store:
        with pytest.raises(IndexError):
            store.read([5])
        with pytest.raises(IndexError):
            store.read([-1])
        with pytest.raises(UsageError, match="train or test"):
            store.indices("dev")


def _set(name, value):
    def change(file):
        file.attrs[name] = value

    return change


def _columns(file):
    file["timbre"].attrs["columns"] = [*TIMBRE_NAMES[:-1], "low.nonsense"]


def _shape(file):
    del file["chroma"]
    file["chroma"] = np.zeros((4, 12), np.float32)


def _no_loops(file):
    del file["loops"]


def _kind(file):
    del file["audio_paper"]
    file["audio_paper"] = np.zeros((5, 29538), np.float64)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (_set("format", "other"), "no loopnet data set"),
        (_set("version", 7), "version 7"),
        (_set("settings", "{"), "damaged"),
        (_set("settings", 4), "damaged"),
        (_columns, "low.nonsense"),
        (_shape, "damaged"),
        (_no_loops, "damaged"),
        (_kind, "float64"),
    ],
)
def test_files_that_are_no_data_set(path, change, part):
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(DatasetError, match=part) as caught:
        BarStore(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"kick: x...", b"\x89HDF\r\n\x1a\n" + bytes(40)])
def test_files_that_are_no_hdf5(tmp_path, content):
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="no data set"):
        BarStore(path)


def test_a_file_that_was_cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DatasetError):
        BarStore(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(DatasetError, match="no such file"):
        BarStore(tmp_path / "none.h5")
    with pytest.raises(DatasetError, match="folder"):
        BarStore(tmp_path)


def test_audio_survives_16_bits():
    audio = np.array([0.0, 1.0, -1.0, 0.5, 1.7, -2.0, 1e-6], np.float32)
    np.testing.assert_allclose(to_float(to_int16(audio)), np.clip(audio, -1, 1), atol=0.5 / 32767 + 1e-7)


def test_patterns_are_written_down():
    assert read_pattern_text(pattern_text(BEAT)) == BEAT
    assert read_pattern_text("") is None

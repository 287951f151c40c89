"""What fuzzing has found, made small: each of these once ended in a traceback, a hang, or something worse.

The number of tests here is the number that docs/RELIABILITY.md tells.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import samples

from loopnet_cli.audio.files import write_whole
from loopnet_cli.audio.read import read_audio
from loopnet_cli.audio.stream import open_audio
from loopnet_cli.audio.survey import survey
from loopnet_cli.audio.write import read_loop_metadata
from loopnet_cli.data.inspect import inspect_store
from loopnet_cli.data.parts import read_part
from loopnet_cli.data.probe import probe
from loopnet_cli.data.store import BarStore
from loopnet_cli.errors import AudioError, DatasetError, LoopnetError
from loopnet_cli.evaluation.frechet import StatisticsError, read_statistics


@pytest.fixture
def data_set(tmp_path) -> Path:
    path = tmp_path / "bars.h5"
    path.write_bytes(samples.data_sets()[0])
    return path


def test_a_file_named_raw_is_no_raw_audio(tmp_path):
    """soundfile guesses at headerless audio by the name, and raised TypeError for want of a sample rate."""
    path = tmp_path / "loop.raw"
    path.write_bytes(samples.other_audio_files()[-1])  # FLAC
    assert read_loop_metadata(path).settings["kit"] == "some"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(AudioError):
        read_loop_metadata(path)


def test_decoder_of_mp3_prints_nothing(tmp_path, capfd):
    """libsndfile's decoder wrote notes of its own to standard error."""
    found = bytearray(samples.other_audio_files()[-2])
    assert found[:1] == b"\xff"
    found[200:] = bytes(len(found) - 200)
    for content in (bytes(found), b"\xff\xfb" + bytes(3000), b"ID3" + bytes(3000)):
        try:
            with open_audio(content) as stream:
                for _ in stream.blocks():
                    pass
        except AudioError as error:
            assert "\n" not in str(error)
    assert capfd.readouterr().err == ""
    os.write(2, b"still there")
    assert capfd.readouterr().err == "still there"


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("value", [3e38, 1e20, np.inf])
def test_floats_beyond_all_measure(value):
    """Samples of 1e38 overflowed in all that was counted, with warnings of numpy on standard error."""
    import io

    import soundfile

    audio = np.tile(np.array([value, -value], np.float32), 1000)
    stream = io.BytesIO()
    soundfile.write(stream, audio, 8000, format="WAV", subtype="FLOAT")
    for reader in (survey, read_audio):
        with pytest.raises(AudioError, match="no numbers"):
            reader(stream.getvalue())


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_seeks_past_the_end_of_any_file(tmp_path, capfd):
    """A W64 file whose chunk claims 2**62 bytes: OSError within libsndfile's callback, printed as a traceback."""
    found = next(content for content in samples.other_audio_files() if content[:4] == b"riff")
    path = tmp_path / "a.w64"
    path.write_bytes(found[:96] + (2**62).to_bytes(8, "little") + found[104:])
    try:
        with open_audio(path) as stream:
            list(stream.blocks())
    except AudioError as error:
        assert "\n" not in str(error)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["format", "version"])
def test_attributes_of_another_kind(data_set, name):
    """An array where a word should be: ValueError while it was compared."""
    with h5py.File(data_set, "r+") as file:
        del file.attrs[name]
        file.attrs[name] = np.arange(3)
    with pytest.raises(DatasetError):
        BarStore(data_set)


def test_texts_that_cannot_be_read(data_set):
    """Damage where an attribute's text lies."""
    content = data_set.read_bytes().replace(b"GCOL", b"GLOC")
    data_set.write_bytes(content)
    with pytest.raises(DatasetError):
        inspect_store(data_set)


def test_more_rows_than_there_can_be(data_set):
    """What is never written takes no room: a small file claimed 2**40 rows, and memory for them was asked."""
    with h5py.File(data_set, "r+") as file:
        kept = {name: dict(data.attrs) for name, data in file.items() if isinstance(data, h5py.Dataset)}
        for name, attributes in kept.items():
            shape, kind = file[name].shape, file[name].dtype
            del file[name]
            made = file.create_dataset(name, (2**40, *shape[1:]), kind, chunks=(1, *shape[1:]))
            made.attrs.update(attributes)
    with pytest.raises(DatasetError, match="shape"):
        BarStore(data_set)


def test_tables_in_other_files(data_set, tmp_path):
    """HDF5 lets a table lie in any file of the computer, which then is read."""
    (tmp_path / "secret").write_bytes(bytes(24))
    with h5py.File(data_set, "r+") as file:
        attributes = dict(file["chroma"].attrs)
        del file["chroma"]
        found = file.create_dataset("chroma", (2, 12), np.float32, external=[(str(tmp_path / "secret"), 0, 96)])
        found.attrs.update(attributes)
    with pytest.raises(DatasetError, match="another file"):
        BarStore(data_set)


def test_values_that_are_no_numbers(data_set):
    with h5py.File(data_set, "r+") as file:
        file["timbre"][1, 3] = np.nan
    with BarStore(data_set) as store:
        store.read([0])
        with pytest.raises(DatasetError, match="no numbers"):
            store.read([1])


def _zero_page(content: bytes) -> bytes:
    at = content.index(b"GCOL") + 16
    return content[:at] + bytes(4080) + content[at + 4080 :]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="how a process ends is told otherwise here")
def test_a_data_set_that_the_library_reads_for_ever(data_set):
    """A page of zeros where texts should be, as an interrupted copy leaves it."""
    probe(data_set)
    data_set.write_bytes(_zero_page(data_set.read_bytes()))
    with pytest.raises(DatasetError, match="HDF5 library"):
        probe(data_set, seconds=4)


@pytest.mark.parametrize(
    "text", ['{"bars": Infinity, "meter": [4, 4], "tempo": 130.0, "hits": []}',
             '{"bars": 0, "meter": [4, 4], "tempo": 130.0, "hits": [[0, "kick", 1]]}',
             '{"bars": 1, "meter": [4, 0], "tempo": 130.0, "hits": [[0, "kick", 1]]}',
             "[" * 10**5],
)  # fmt: skip
def test_patterns_of_no_length(data_set, text):
    """Patterns within a data set: OverflowError, ZeroDivisionError, RecursionError."""
    with h5py.File(data_set, "r+") as file:
        file["patterns"][0] = text
    with BarStore(data_set) as store, pytest.raises(DatasetError, match="pattern"):
        store.patterns([0])


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOOPNET_DATA": str(cwd / "data")}
    return subprocess.run(
        [sys.executable, "-m", "loopnet_cli", *words], cwd=cwd, env=where, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    "words",
    ["kits export tight-studio -o", "analyze a.wav --midi", "train a.h5 --model multi -o", "kits morph a b --out-dir"],
)
def test_a_name_that_no_file_system_takes(tmp_path, words):
    """ "File name too long" is raised by functions that only ask whether a file is there."""
    if words.startswith("train"):
        pytest.importorskip("torch")
    done = run(*words.split(), "x" * 300, cwd=tmp_path)
    (line,) = done.stderr.splitlines()
    assert done.returncode in (1, 2) and "unexpected" not in line


def test_control_characters_in_names_of_loops():
    """A line break in ``--name``, or in the column of a job file, became a line break in a file's name."""
    from loopnet_cli.cli.outputs import fill_name

    for bad in ("a\nb", "\r", "\x1b[31m", "\x85", "\u2028"):
        with pytest.raises(LoopnetError, match="control characters"):
            fill_name(bad, {})
    assert fill_name("🥁 é", {}) == "🥁 é"


def test_statistics_whose_packing_is_damaged(tmp_path):
    """zlib.error, of which numpy and zipfile say nothing."""
    content = bytearray(samples.statistics()[1])
    name, extra = struct.unpack_from("<HH", content, 26)
    content[30 + name + extra] = 0x07  # a block of a type that there is not
    (tmp_path / "s.npz").write_bytes(content)
    with pytest.raises(StatisticsError, match="damaged"):
        read_statistics(tmp_path / "s.npz")


def test_parts_of_data_sets_of_another_name(tmp_path):
    """zipfile tells both names in full, 64 KB of them."""
    content = bytearray(samples.parts()[0])
    struct.pack_into("<H", content, 26, 4000)  # the length of the first name
    (tmp_path / "p.npz").write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        read_part(tmp_path / "p.npz")
    assert len(str(caught.value)) < 500


def test_loops_that_take_more_memory_than_there_is(capsys):
    """One failure was told twice, and as unexpected."""
    from loopnet_cli.cli.console import Console
    from loopnet_cli.cli.loops import Tally

    tally = Tally(Console())
    tally.fail(MemoryError("Unable to allocate 9 GiB"), "beat.mid")
    assert tally.bug is None and tally.failed == 1
    assert capsys.readouterr().err == "loopnet: error: beat.mid: not enough memory: use fewer bars or repeats\n"


def test_a_file_where_a_folder_should_be(tmp_path):
    """What removed the half-written file failed too, and its error hid the first."""
    (tmp_path / "a.wav").write_bytes(b"mine")
    with pytest.raises(AudioError, match="not a directory"):
        write_whole(tmp_path / "a.wav" / "x", b"content")
    assert (tmp_path / "a.wav").read_bytes() == b"mine"


def test_names_that_are_no_text(tmp_path):
    """Bytes that are no UTF-8 are a name, but could not be printed."""
    words = [
        "grid",
        "kick: x...x...x...x...",
        "--sweep",
        "seed=1",
        "-o",
        "out",
        "--dry-run",
        "--name",
        os.fsdecode(b"a\xff"),
    ]
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 0 and "\\udcff" in done.stdout and not done.stderr

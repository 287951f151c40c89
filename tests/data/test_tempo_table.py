from __future__ import annotations

from pathlib import Path

import pytest

from loopnet_cli.data.tempo_table import Entry, read_tempo_table
from loopnet_cli.errors import DatasetError


def table(tmp_path: Path, text: str | bytes):
    path = tmp_path / "tempos.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_tempo_table(path)


def test_a_name_is_the_end_of_a_path(tmp_path):
    found = table(tmp_path, "file,bpm\nkick/a.wav,121\nb.wav,122\na.wav,123\n")
    assert found.of(Path("/x/kick/a.wav")) == Entry(121.0)  # the longest
    assert found.of(Path("/x/snare/a.wav")) == Entry(123.0)
    assert found.of(Path("b.wav")) == Entry(122.0)
    assert found.of(Path("/x/bb.wav")) is None and found.of(Path("/b.wav/c")) is None


def test_columns_are_found_by_name_and_others_do_not_matter(tmp_path):
    found = table(tmp_path, "\ufeffnote,BPM,meter, File \nx,99.5,7/8,d\\a.wav\ny,100,,b.wav\n")
    assert found.of(Path("/d/a.wav")) == Entry(99.5, (7, 8))
    assert found.of(Path("/b.wav")) == Entry(100.0, (4, 4))


def test_names_without_a_file_are_known(tmp_path):
    found = table(tmp_path, "file,bpm\na.wav,121\nkick/b.wav,122\n")
    found.of(Path("/x/a.wav"))
    assert found.unused == ["kick/b.wav"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("file,tempo\na.wav,120\n", ["'bpm'"]),
        ("a.wav,120\n", ["'file'"]),
        ("", ["'file'"]),
        ("file,bpm\na.wav,fast\n", ["line 2", "'fast'"]),
        ("file,bpm\na.wav,120\nb.wav,-3\n", ["line 3", "'-3'"]),
        ("file,bpm\na.wav,nan\n", ["line 2"]),
        ("file,bpm\na.wav\n", ["line 2", "''"]),
        ("file,bpm,meter\na.wav,120,waltz\n", ["line 2", "'waltz'"]),
        (b"file,bpm\n\xff\xfe,120\n", ["UTF-8"]),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path, text, parts):
    with pytest.raises(DatasetError) as caught:
        table(tmp_path, text)
    assert all(part in str(caught.value) for part in ["tempos.csv", *parts])
    assert "\n" not in str(caught.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(DatasetError, match="No such file"):
        read_tempo_table(tmp_path / "none.csv")

"""Drum maps: every built-in map, and map files with mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import VOICES, drum_map, read_drum_map
from loopnet_cli.pattern.maps import DRUM_MAPS, NOTE_OF_VOICE


def test_gm_covers_its_whole_range_and_all_voices() -> None:
    gm = drum_map("gm")
    assert sorted(gm) == list(range(27, 88))
    assert set(gm.values()) == set(VOICES)


@pytest.mark.parametrize(
    ("name", "note", "voice"),
    [
        ("gm", 36, "kick"), ("gm", 40, "snare"), ("gm", 39, "clap"), ("gm", 37, "rim"), ("gm", 44, "hat_closed"),
        ("gm", 46, "hat_open"), ("gm", 50, "tom"), ("gm", 57, "crash"), ("gm", 53, "ride"), ("gm", 58, "perc"),
        ("roland", 22, "hat_closed"), ("roland", 26, "hat_open"), ("roland", 58, "tom"),
        ("alesis", 23, "hat_open"), ("xg", 33, "kick"), ("xg", 31, "snare"), ("ROLAND", 36, "kick"),
    ],
)  # fmt: skip
def test_known_notes(name: str, note: int, voice: str) -> None:
    assert drum_map(name)[note] == voice


@pytest.mark.parametrize("name", sorted(DRUM_MAPS))
def test_every_voice_is_read_back_from_the_note_it_is_written_as(name: str) -> None:
    assert {voice: DRUM_MAPS[name][note] for voice, note in NOTE_OF_VOICE.items()} == {v: v for v in VOICES}


def test_auto_takes_roland_where_its_own_notes_are_played() -> None:
    assert drum_map("auto", [36, 58])[58] == "perc"
    assert drum_map("auto", [36, 58, 22])[58] == "tom"


def test_unknown_map_suggests_a_near_one() -> None:
    with pytest.raises(PatternError, match="did you mean roland"):
        drum_map("rolland")


def test_files_in_toml_and_json(tmp_path: Path) -> None:
    toml = tmp_path / "my.toml"
    toml.write_text('60 = "kick"\n[notes]\n"Cowbell" = "rim"\n"hand-clap" = "snare"\n')
    json = tmp_path / "my.json"
    json.write_text('{"base": "none", "60": "kick", "notes": {"56": "rim", "39": "snare"}}')
    assert {n: read_drum_map(toml)[n] for n in (60, 56, 39, 38)} == {60: "kick", 56: "rim", 39: "snare", 38: "snare"}
    assert dict(read_drum_map(json)) == {60: "kick", 56: "rim", 39: "snare"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('36 = "kik"', "36 = 'kik' is not a voice: did you mean kick"),
        ('36 = "zzz"', "use one of kick, snare"),
        ("36 = 5", "36 = '5' is not a voice"),
        ('128 = "kick"', "note 128 must lie between 0 and 127"),
        ('"99999999999999999999" = "kick"', "must lie between"),
        ('"Cowbel" = "perc"', "no percussion note named 'Cowbel': did you mean 'Cowbell'"),
        ('base = "rolan"', "did you mean roland"),
        ("base = 3", "'base' must be"),
        ('base = "none"', "is empty"),
        ("36 =", "not valid TOML"),
    ],
)
def test_mistakes_in_files_are_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(PatternError) as caught:
        read_drum_map(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_maps(tmp_path: Path) -> None:
    binary = tmp_path / "x.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    rows = tmp_path / "list.json"
    rows.write_text("[1, 2]")
    for path in (binary, deep, rows, tmp_path / "absent.toml", tmp_path):
        with pytest.raises(PatternError, match="drum map"):
            read_drum_map(path)

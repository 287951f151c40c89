"""Kits of one's own: what is stored comes back, and nothing hostile gets in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from loopnet_cli.controls import TIMBRE_NAMES, Kit
from loopnet_cli.errors import KitError, LoopnetError, UsageError
from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis import kit_store
from loopnet_cli.synthesis.bank import DEFAULT_KIT, read_bank


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LOOPNET_DATA", str(tmp_path))
    return tmp_path / "kits"


@pytest.fixture
def mine() -> Kit:
    """One of the bank's under another name."""
    return replace(read_bank()[DEFAULT_KIT], name="mine", description="heard in a stairwell")


def test_a_kit_comes_back_as_it_was(mine, folder):
    path = kit_store.save_kit(mine)
    assert path == folder / "mine.json" and path.stat().st_size < 20_000
    assert kit_store.user_kits() == ({"mine": mine}, [])
    assert kit_store.find_kit("mine") == mine
    assert list(kit_store.all_kits())[-1] == "mine" and DEFAULT_KIT in kit_store.all_kits()
    assert kit_store.remove_kit("mine") == path and not path.exists()
    with pytest.raises(UsageError, match="unknown kit 'mine'"):
        kit_store.find_kit("mine")


def test_the_file_is_readable_text(mine, folder):
    kit_store.save_kit(mine)
    text = (folder / "mine.json").read_text()
    assert '\n  "description": "heard in a stairwell",\n' in text
    assert '\n    "low.warmth": ' in text and max(map(len, text.splitlines())) < 1000


def test_without_the_variable_the_folder_is_that_of_the_platform(monkeypatch):
    monkeypatch.delenv("LOOPNET_DATA")
    assert kit_store.kit_folder().name == "kits" and "loopnet" in kit_store.kit_folder().parts


def test_no_folder_is_no_kits():
    assert kit_store.user_kits() == ({}, []) and kit_store.own_names() == []


def test_a_kit_is_replaced_only_on_request_and_what_others_wrote_into_it_stays(mine, folder):
    path = kit_store.save_kit(mine)
    path.write_text(json.dumps({**json.loads(path.read_text()), "tags": ["dry", "room"]}))
    assert kit_store.find_kit("mine") == mine  # unknown fields do no harm
    with pytest.raises(KitError, match="kit mine exists"):
        kit_store.save_kit(mine)
    kit_store.save_kit(replace(mine, description="again"), overwrite=True)
    stored = json.loads(path.read_text())
    assert stored["description"] == "again" and stored["tags"] == ["dry", "room"]


BAD_NAMES = ["", ".", "..", "a/b", "a\\b", "../up", "/etc/x", ".hidden", "a..b", "-rf", "x" * 65, "a\0b", "a\nb",
             "end.", "end ", "a:b", "\x1b[31m", "~", "*"]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_are_no_names(mine, folder, name):
    with pytest.raises(UsageError) as caught:
        kit_store.save_kit(replace(mine, name=name))
    assert str(caught.value).isprintable() and not folder.exists()
    # a colon makes it a mix
    with pytest.raises(UsageError, match="is no weight" if ":" in name else "unknown kit"):
        kit_store.find_kit(name)


@pytest.mark.parametrize("name", ["a", "My kit 2", "room_1.5", "x" * 64, "größe", "808+snare"])
def test_names_that_are_fine(mine, name):
    kit_store.save_kit(replace(mine, name=name))
    assert kit_store.find_kit(name).name == name


@pytest.mark.parametrize("name", [DEFAULT_KIT, DEFAULT_KIT.upper()])
def test_built_in_kits_cannot_be_overwritten(mine, name):
    with pytest.raises(UsageError, match="built-in"):
        kit_store.save_kit(replace(mine, name=name), overwrite=True)


def test_built_in_kits_cannot_be_shadowed_or_removed(mine, folder):
    path = kit_store.save_kit(mine)
    path.rename(folder / f"{DEFAULT_KIT}.json")
    assert kit_store.find_kit(DEFAULT_KIT) == read_bank()[DEFAULT_KIT]
    kits, problems = kit_store.user_kits()
    assert kits == {} and len(problems) == 1 and "built-in" in problems[0]
    with pytest.raises(UsageError, match="built-in"):
        kit_store.remove_kit(DEFAULT_KIT)
    assert (folder / f"{DEFAULT_KIT}.json").exists()


def test_a_renamed_file_is_a_renamed_kit(mine, folder):
    kit_store.save_kit(mine).rename(folder / "other.json")
    assert kit_store.find_kit("other") == replace(mine, name="other")


def test_near_names_are_suggested(mine):
    kit_store.save_kit(mine)
    with pytest.raises(UsageError, match="did you mean mine"):
        kit_store.find_kit("mime")


def changed(**fields):
    return lambda entry: {**entry, **fields}


def within(field, key, value):
    return lambda entry: {**entry, field: {**entry[field], key: value}}


def without(field):
    return lambda entry: {key: value for key, value in entry.items() if key != field}


DAMAGE = {
    "no format": (without("format"), "format"),
    "another format": (changed(format="zip"), "format"),
    "another version": (changed(version=2), "version 2"),
    "a version that is no number": (changed(version=[1]), "version"),
    "other weights": (changed(model="0" * 16), "other weights"),
    "no codes": (without("codes"), '"codes" is no table'),
    "codes as a list": (changed(codes=[1, 2]), '"codes" is no table'),
    "a voice missing": (lambda e: {**e, "codes": {"kick": e["codes"]["kick"]}}, '"codes" lacks snare'),
    "a short code": (within("codes", "kick", [0.0] * 3), "codes of kick: 3 numbers, 64 are needed"),
    "a code as text": (within("codes", "kick", "0" * 64), "codes of kick: no list"),
    "text in a code": (within("codes", "kick", ["0"] * 64), "codes of kick: '0' is not a number"),
    "a wild code": (within("codes", "kick", [1e30] * 64), "codes of kick: 1e\\+30"),
    "nan": (within("levels", "kick", float("nan")), "levels of kick: nan"),
    "infinity": (within("timbre", "low.depth", float("inf")), "timbre of low.depth: inf"),
    "true": (within("levels", "kick", True), "levels of kick: True"),
    "a negative level": (within("levels", "kick", -1), "levels of kick: -1"),
    "a huge whole number": (within("levels", "kick", 10**400), "levels of kick: 1000"),
    "eleven pitches": (changed(chroma=[0.5] * 11), "chroma: 11 numbers, 12"),
    "a loud pitch": (changed(chroma=[1.5] * 12), "chroma: 1.5"),
    "a timbre missing": (changed(timbre={}), '"timbre" lacks low.hardness'),
    "a description that is no text": (changed(description={}), "description"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_kits(mine, kind):
    damage, reason = DAMAGE[kind]
    path = kit_store.save_kit(mine)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(KitError, match=reason) as caught:
        kit_store.find_kit("mine")
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
    assert kit_store.user_kits() == ({}, [str(caught.value)])  # the others can still be used
    assert DEFAULT_KIT in kit_store.all_kits()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no JSON"), (b"[1]", "no JSON object"), (b"\xff\xfe", "UTF-8"), (b"[" * 100_000, "nested|no JSON"),
     (b" " * (1 << 20) + b"{}", "megabyte"),
     (b'{"format": "loopnet-kit", "version": ' + b"9" * 5000 + b"}", "not a usable kit")],
)  # fmt: skip
def test_files_that_are_no_kits(folder, content, reason):
    folder.mkdir()
    (folder / "bad.json").write_bytes(content)
    with pytest.raises(KitError, match=reason):
        kit_store.find_kit("bad")
    assert len(kit_store.user_kits()[1]) == 1
    assert kit_store.own_names() == ["bad"]
    kit_store.remove_kit("bad")
    assert kit_store.own_names() == []


def test_a_description_cannot_move_the_cursor(mine):
    path = kit_store.save_kit(mine)
    path.write_text(json.dumps({**json.loads(path.read_text()), "description": "a\x1b[2Jb\nc" + "x" * 5000}))
    text = kit_store.find_kit("mine").description
    assert text.isprintable() and text.startswith("a?[2Jb c") and len(text) <= 200


def test_a_kit_with_numbers_that_no_kit_has_is_not_stored(mine, folder):
    for broken in (
        replace(mine, levels={**mine.levels, "kick": float("nan")}),
        replace(mine, codes=dict.fromkeys(VOICES, (0.0,))),
        replace(mine, timbre=dict.fromkeys(TIMBRE_NAMES, 1e9)),
    ):
        with pytest.raises(KitError, match="kit mine"):
            kit_store.save_kit(broken)
    assert not folder.exists()


def test_a_folder_that_cannot_be_made(mine, folder):
    folder.write_text("a file where the folder should be")
    with pytest.raises(LoopnetError, match="cannot make the folder"):
        kit_store.save_kit(mine)
    assert kit_store.user_kits() == ({}, [])

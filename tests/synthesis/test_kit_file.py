"""The file of a kit: comes back as written, keeps what it does not know, and lets nothing hostile in."""

from __future__ import annotations

import gzip
import io
import json
import math
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import KitError
from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis import kit_file
from loopnet_cli.synthesis.bank import DEFAULT_KIT, read_bank
from loopnet_cli.synthesis.kit_making import read_kit

KIT = replace(read_bank()[DEFAULT_KIT], name="mine")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NUMBERS = st.floats(-50, 50).map(lambda x: round(x, 5))


def read(content: bytes) -> dict:
    return read_kit(io.BytesIO(content), "it")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key not in kit_file.FIELDS), JSON, max_size=4))
def test_unknown_fields_come_back(extra):
    entry = read(kit_file.text_of(kit_file.entry_of(KIT, "made so", extra)))
    assert kit_file.unknown_fields(entry) == extra and entry["made"] == "made so"
    again = kit_file.entry_of(kit_file.kit_of(entry, "mine"), "made so", kit_file.unknown_fields(entry))
    assert kit_file.text_of(again) == kit_file.text_of(entry)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_kit_comes_back(data):
    kit = replace(
        KIT,
        levels={voice: data.draw(st.floats(0, 10).map(lambda x: round(x, 5))) for voice in VOICES},
        timbre={name: data.draw(NUMBERS) for name in TIMBRE_NAMES},
        shift={name: data.draw(NUMBERS.filter(bool)) for name in TIMBRE_NAMES if data.draw(st.booleans())},
        chroma=tuple(data.draw(st.lists(st.floats(0, 1).map(lambda x: round(x, 5)), min_size=12, max_size=12))),
    )
    assert kit_file.kit_of(read(kit_file.text_of(kit_file.entry_of(kit))), "mine") == kit


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(kit_file.FIELDS), JSON)
def test_whatever_stands_in_a_field_is_fine_or_told_in_a_line(field, value):
    content = json.dumps({**kit_file.entry_of(KIT), field: value}).encode()
    try:
        kit = kit_file.kit_of(read(content), "mine")
    except KitError as error:
        assert str(error).isprintable() and len(str(error)) < 1500
    else:
        assert all(math.isfinite(number) for number in (*kit.levels.values(), *kit.timbre.values(), *kit.chroma))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_told_in_a_line(content):
    with pytest.raises(KitError) as caught:
        read(content)
    assert "\n" not in str(caught.value)


def bomb(kind: str) -> bytes:
    zeros = b"0" * (1 << 24)
    if kind == "gzip":
        return gzip.compress(zeros)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kit.json", zeros)
    return stream.getvalue()


def entry_with(text: str) -> bytes:
    return kit_file.text_of(kit_file.entry_of(KIT)).replace(b'"format"', f'"x": {text},\n"format"'.encode(), 1)


HOSTILE = {
    "gzip bomb": (bomb("gzip"), "compressed: unpack it first"),
    "zip bomb": (bomb("zip"), "compressed: unpack it first"),
    "large": (b" " * (kit_file.MAX_BYTES + 10), "larger than a megabyte"),
    "deep lists": (entry_with("[" * 50 + "]" * 50), "field 'x' is nested too deeply"),
    "very deep lists": (entry_with("[" * 200_000 + "]" * 200_000), "nested too deeply"),
    "deep tables": (entry_with('{"a":' * 100 + "1" + "}" * 100), "field 'x' is nested too deeply"),
    "nan in an unknown field": (entry_with("[NaN]"), "field 'x' holds nan"),
    "a float out of range in an unknown field": (entry_with("1e999"), "field 'x' holds inf"),
    "a number of 5000 digits": (entry_with("9" * 5000), "digits"),
    "not text": (b"\xff\xfe\x00", "not UTF-8"),
    "a WAV of nothing": (b"RIFF\0\0\0\0WAVE", "tells of no kit"),
    "a WAV that is none": (b"RIFF1234", "not a RIFF/WAVE file"),
    "a FLAC that is none": (b"fLaC" + bytes(100), "not audio that can be read"),
    "a WAV of empty chunks": (b"RIFF\0\0\0\0WAVE" + b"junk\0\0\0\0" * 100_000, "tells of no kit"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files(kind):
    content, reason = HOSTILE[kind]
    with pytest.raises(KitError, match=reason) as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_no_more_is_read_than_a_kit_may_have():
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self):
            return True

        def read(self, size=-1):
            assert 0 <= size <= kit_file.MAX_BYTES + 1
            self.taken += size
            return b" " * size

    stream = Endless()
    with pytest.raises(KitError, match="larger than a megabyte"):
        read_kit(stream, "it")
    assert stream.taken < 2 * kit_file.MAX_BYTES


def test_other_weights_are_told_with_the_way_back(tmp_path):
    entry = kit_file.entry_of(KIT, "loopnet kits save mine 'my break.wav' --start=3")
    path = tmp_path / "mine.json"
    path.write_bytes(kit_file.text_of({**entry, "model": "1234567890abcdef", "loopnet": "9.9"}))
    with pytest.raises(KitError) as caught:
        read_kit(path, "mine.json")
    assert str(caught.value) == (
        "mine.json is not a usable kit: made for other weights, 1234567890abcdef of loopnet 9.9, and these are "
        f"{kit_file.model_mark()}: make it again: loopnet kits save mine 'my break.wav' --start=3"
    )
    path.write_bytes(kit_file.text_of({**entry, "version": 2, "made": ["\x1b[2J"]}))
    with pytest.raises(KitError, match="of version 2, and this loopnet reads 1: use the loopnet that made it"):
        read_kit(path, "mine.json")


def test_a_folder_or_nothing_is_no_kit(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(KitError, match="cannot read"):
            read_kit(path, str(path))

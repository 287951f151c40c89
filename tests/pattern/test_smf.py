"""The MIDI parser: agrees with mido on good files, refuses bad ones with their place."""

from __future__ import annotations

import io
import random
from pathlib import Path

import mido
import pytest
from smf_bytes import header, hits, marker, meter, name, song, tempo, track, varint

from loopnet_cli.pattern.smf import MAX_BYTES, MAX_NOTES, SmfError, parse_smf

GROOVES = Path(__file__).parents[2].parent / "shared" / "data" / "grooves"


def mido_notes(data: bytes) -> list[tuple[int, int, int, int]]:
    notes = []
    for part in mido.MidiFile(file=io.BytesIO(data)).tracks:
        tick = 0
        for message in part:
            tick += message.time
            if message.type == "note_on" and message.velocity:
                notes.append((tick, message.channel, message.note, message.velocity))
    return notes


@pytest.mark.skipif(not GROOVES.is_dir(), reason="needs the groove files in ../shared/data")
def test_agrees_with_mido_on_real_files() -> None:
    for path in sorted(GROOVES.glob("*.mid"))[::100]:
        data = path.read_bytes()
        smf = parse_smf(data)
        assert [n for t in smf.tracks for n in t.notes] == mido_notes(data)
        assert smf.tempos[0][1] == next(m.tempo for t in mido.MidiFile(path).tracks for m in t if m.type == "set_tempo")


def test_running_status_survives_meta_events_and_zero_velocity_is_no_stroke() -> None:
    body = b"\x00\x99\x24\x64" + b"\x78\x24\x00" + marker("a", 10) + b"\x0a\x26\x50"
    assert parse_smf(song(body)).tracks[0].notes == [(0, 9, 36, 100), (140, 9, 38, 80)]


def test_skips_sysex_foreign_chunks_and_system_messages() -> None:
    body = b"\x00\xf0\x03\x01\x02\xf7" + b"\x05\xf2\x00\x00" + b"\x05\x99\x24\x64"
    data = header() + b"XFIH\x00\x00\x00\x02ab" + track(body)
    assert parse_smf(data).tracks[0].notes == [(10, 9, 36, 100)]


def test_reads_long_header_riff_wrapper_and_track_without_end_event() -> None:
    plain = b"MThd\x00\x00\x00\x08\x00\x00\x00\x01\x01\xe0\xff\xff" + track(hits(0.0, 1.0), end=None)
    wrapped = b"RIFF\x00\x00\x00\x00RMIDdata\x00\x00\x00\x00" + plain
    for data in (plain, wrapped):
        assert [n[0] for n in parse_smf(data).tracks[0].notes] == [0, 480]


def test_reads_tempos_meters_markers_names_and_track_end() -> None:
    body = name("Kit A") + tempo(500_000) + meter(7, 3) + hits(0.0) + marker("loopEnd", 960)
    smf = parse_smf(song(body, end=240))
    assert (smf.tempos, smf.meters, smf.markers) == ([(0, 500_000)], [(0, 7, 8)], [(960, "loopEnd")])
    assert (smf.tracks[0].name, smf.tracks[0].end) == ("Kit A", 1200)


def test_velocity_beyond_seven_bits_is_clipped() -> None:
    assert parse_smf(song(b"\x00\x99\x24\xc8")).tracks[0].notes == [(0, 9, 36, 127)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"hello, this is text and not a song", "not a MIDI file"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "not a MIDI file"),
        (b"RIFF\x00\x00\x00\x00RMIDdata", "not a MIDI file"),
        (b"MThd\x00\x00", "cut short in its header"),
        (header(division=0) + track(b""), "resolution of 0"),
        (header(), "0 of its 1 tracks"),
        (header(tracks=3) + track(hits(0.0)), "1 of its 3 tracks"),
        (song(hits(0.0, 1.0))[:-9], "cut short: track 1 lacks its last 9 bytes"),
        (song(b"\x00\x24\x64"), "data where an event should start"),
        (song(b"\x00\x99\xa4\x64"), "164 where data up to 127"),
        (song(b"\x81\x82\x83\x84\x05\x99\x24\x64"), "more than four bytes"),
        (header() + track(b"\x00\x99\x24", end=None), "past the end of its track"),
        (header() + track(b"\x00\xff\x03\x7fabc", end=None), "past the end of its track"),
        (header() + track(b"\x00\xf0\x7fabc", end=None), "past the end of its track"),
        (bytes(MAX_BYTES + 1), "too large"),
    ],
)
def test_refuses_bad_files(data: bytes, words: str) -> None:
    with pytest.raises(SmfError, match=words) as caught:
        parse_smf(data)
    assert "\n" not in str(caught.value)


def test_an_event_may_not_reach_into_the_next_track() -> None:
    first = track(b"\x00\x99\x24", end=None)
    with pytest.raises(SmfError, match="past the end"):
        parse_smf(header(tracks=2) + first + track(hits(0.0)))


def test_too_many_notes_are_refused() -> None:
    data = song(b"\x00\x99\x24\x64" + b"\x01\x24\x64" * (MAX_NOTES + 1))
    with pytest.raises(SmfError, match="200,000 notes"):
        parse_smf(data)


def test_too_many_tempos_are_refused() -> None:
    with pytest.raises(SmfError, match="tempos"):
        parse_smf(song(tempo(500_000, 1) * 50_001))


def test_damaged_files_never_raise_anything_else() -> None:
    good = song(name("Drums") + tempo(500_000) + meter(4, 2) + hits(*range(16)) + varint(3) + b"\xf0\x01\xf7")
    rng = random.Random(1)
    refused = 0
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            parse_smf(bytes(data[: rng.randint(1, len(data))] if rng.random() < 0.3 else data))
        except SmfError:
            refused += 1
    assert 500 < refused < 3000

"""What a file says of its own tempo."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from loopnet_cli.analysis.hints import Hints, file_hints, named_tempo
from loopnet_cli.audio import riff


def wav(*chunks: bytes) -> bytes:
    return riff.wave_bytes(
        b"\0\0" * 100, sample_rate=44100, channels=1, bits=16, floating=False, chunks=b"".join(chunks)
    )


def acid(flags: int = 4, beats: int = 8, meter: tuple[int, int] = (4, 4), tempo: float = 120.0) -> bytes:
    return riff.chunk(b"acid", struct.pack("<IHHfIHHf", flags, 60, 0x8000, 0.0, beats, meter[1], meter[0], tempo))


@pytest.mark.parametrize(
    ("name", "tempo"),
    [
        ("loop_120bpm.wav", 120.0),
        ("120 BPM groove.flac", 120.0),
        ("break-174bpm.aiff", 174.0),
        ("Drums_15-16_95BPM.wav", 95.0),
        ("amen 92.5 bpm.wav", 92.5),
        ("amen_92,5bpm", 92.5),
        ("bpm120.wav", 120.0),
        ("BPM_92.5.wav", 92.5),
        ("track 01 - 128 bpm.mp3", 128.0),
        ("120bpm_again_120bpm.wav", 120.0),
    ],
)
def test_a_tempo_in_a_name_stands_beside_bpm(name: str, tempo: float) -> None:
    assert named_tempo(name) == tempo


@pytest.mark.parametrize(
    "name",
    ["loop 120.wav", "take_140.wav", "808 kick.wav", "2120bpm.wav", "120bpm_to_140bpm.wav", "9bpm.wav", "999bpm.wav",
     "120 bpmx.wav", "1.120bpm.wav", "bpm.wav", ""],
)  # fmt: skip
def test_other_numbers_are_no_tempo(name: str) -> None:
    assert named_tempo(name) is None


def test_the_chunk_comes_before_the_name(tmp_path: Path) -> None:
    path = tmp_path / "loop_90bpm.wav"
    path.write_bytes(wav(acid(tempo=120.0, beats=14, meter=(7, 8))))
    assert file_hints(path) == Hints(120.0, "acid chunk", 14, (7, 8))
    assert file_hints(Path("loop_90bpm.wav"), path.read_bytes()) == file_hints(path)


def test_what_the_package_writes_is_read_back() -> None:
    content = wav(riff.acid_chunk(97.25, (4, 4), 16))
    assert file_hints(Path("x.wav"), content) == Hints(97.25, "acid chunk", 16, (4, 4))


def test_a_one_shot_has_no_tempo_of_its_own() -> None:
    found = file_hints(Path("kick.wav"), wav(acid(flags=1)))
    assert found == Hints(one_shot=True)
    assert file_hints(Path("kick_120bpm.wav"), wav(acid(flags=1))).bpm == 120.0


@pytest.mark.parametrize("tempo", [0.0, -1.0, float("nan"), float("inf"), 1e30])
def test_a_senseless_tempo_is_ignored(tempo: float) -> None:
    found = file_hints(Path("x.wav"), wav(acid(tempo=tempo, beats=0)))
    assert found.bpm is None and found.beats is None


def test_beats_count_without_a_tempo() -> None:
    assert file_hints(Path("x.wav"), wav(acid(tempo=0.0, beats=8))) == Hints(None, None, 8, (4, 4))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not audio at all", wav()[:30], wav(acid()[:20])])
def test_damaged_files_say_nothing(content: bytes) -> None:
    assert file_hints(Path("x.wav"), content) == Hints()


def test_a_chunk_that_claims_too_much_is_not_believed() -> None:
    huge = b"acid" + struct.pack("<I", 0xFFFFFFF0) + b"\0" * 40
    assert file_hints(Path("x.wav"), wav(huge)) == Hints()


def test_endless_empty_chunks_are_given_up() -> None:
    flood = riff.chunk(b"junk", b"") * 5000 + acid()
    assert file_hints(Path("x.wav"), wav(flood)) == Hints()


def test_a_missing_file_leaves_its_name(tmp_path: Path) -> None:
    assert file_hints(tmp_path / "gone_100bpm.wav") == Hints(100.0, "file name")

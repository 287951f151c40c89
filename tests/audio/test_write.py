"""Files read back by a parser of their own and by libsndfile, not by the code that wrote them."""

from __future__ import annotations

import errno
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.audio import riff
from loopnet_cli.audio.files import write_whole
from loopnet_cli.audio.write import encode_loop, read_loop_metadata, write_loop
from loopnet_cli.controls import Loop
from loopnet_cli.errors import AudioError, UsageError


def make_loop(samples: int = 1001, meter: tuple[int, int] = (4, 4), bars: int = 1, tempo: float = 96.5) -> Loop:
    audio = np.linspace(-1, 1, samples, dtype=np.float32)
    return Loop(audio, {"kick": audio}, 44100, tempo, bars, meter, 42, {"kit": "warm-808", "chroma": None})


def chunks_of(content: bytes) -> dict[bytes, bytes]:
    """Walk a RIFF file by the letter of its specification, checking every size on the way."""
    form, size, kind = struct.unpack("<4sI4s", content[:12])
    assert (form, kind) == (b"RIFF", b"WAVE")
    assert size == len(content) - 8
    found, rest = {}, content[12:]
    while rest:
        name, size = struct.unpack("<4sI", rest[:8])
        assert len(rest) >= 8 + size + size % 2
        found[name] = rest[8 : 8 + size]
        rest = rest[8 + size + size % 2 :]
    return found


@pytest.mark.parametrize("samples", [1000, 1001])
@pytest.mark.parametrize(("subtype", "tolerance"), [("16", 1 / 32767), ("24", 1 / 8388607), ("float", 0)])
def test_wav_samples_come_back(tmp_path, samples, subtype, tolerance):
    loop = make_loop(samples)
    write_loop(loop, tmp_path / "a.wav", subtype=subtype)
    audio, rate = soundfile.read(tmp_path / "a.wav", dtype="float64")
    assert rate == 44100 and audio.shape == (samples,)
    np.testing.assert_allclose(audio, loop.audio, atol=tolerance + 1e-9)
    info = soundfile.info(tmp_path / "a.wav")
    assert info.subtype == {"16": "PCM_16", "24": "PCM_24", "float": "FLOAT"}[subtype]


@pytest.mark.parametrize("subtype", ["16", "24", "float"])
def test_wav_chunks_by_the_letter(subtype):
    found = chunks_of(encode_loop(make_loop(1001, bars=2), subtype=subtype))
    smpl = struct.unpack("<9I6I", found[b"smpl"])
    assert smpl[2] == round(1e9 / 44100)  # nanoseconds a sample
    assert smpl[7] == 1  # one loop
    assert smpl[9:] == (0, 0, 0, 1000, 0, 0)  # forward, first and last sample, endless
    flags, _, _, _, beats, denominator, numerator, tempo = struct.unpack("<IHHfIHHf", found[b"acid"])
    assert flags & 1 == 0  # a loop, no one-shot
    assert (beats, numerator, denominator, tempo) == (8, 4, 4, 96.5)
    info = found[b"LIST"]
    assert info[:4] == b"INFO" and b"loopnet" in info
    text = info[info.index(b"ICMT") + 8 :].split(b"\0")[0]
    settings = json.loads(text)
    assert settings["seed"] == 42 and settings["kit"] == "warm-808"
    assert settings["meter"] == [4, 4] and settings["bars"] == 2


@pytest.mark.parametrize(
    ("meter", "bars", "beats"),
    [((3, 4), 1, 3), ((6, 8), 1, 3), ((7, 8), 2, 7), ((7, 8), 1, 4), ((5, 4), 3, 15)],
)
def test_acid_counts_quarter_notes(meter, bars, beats):
    found = chunks_of(encode_loop(make_loop(meter=meter, bars=bars)))
    assert struct.unpack("<IHHf", found[b"acid"][12:]) == (beats, meter[1], meter[0], 96.5)


def test_libsndfile_reads_tempo_and_loop_points(tmp_path):
    """acid by SFC_GET_LOOP_INFO and smpl by SFC_GET_INSTRUMENT, through the C interface."""
    path = tmp_path / "a.wav"
    write_loop(make_loop(1001, meter=(6, 8), bars=2), path)
    library, ffi = soundfile._snd, soundfile._ffi
    with soundfile.SoundFile(path) as file:
        loop_info = ffi.new("char[44]")  # short, short, int, int, float, int, int[6]
        assert library.sf_command(file._file, 0x10E0, loop_info, 44)
        raw = bytes(ffi.buffer(loop_info))
        numerator, denominator, mode, beats, bpm = struct.unpack_from("<hhiif", raw)
        instrument = ffi.new("char[272]")  # gain, 6 chars, loop_count, then (mode, start, end, count) each
        assert library.sf_command(file._file, 0x10D0, instrument, 272)
        gains = bytes(ffi.buffer(instrument))
    assert (numerator, denominator, beats, bpm) == (6, 8, 6, 96.5)
    assert mode in (800, 801)  # none or forward, never backward
    count, _, start, end = struct.unpack_from("<iiII", gains, 12)
    assert count == 1 and start == 0 and end in (1000, 1001)


@pytest.mark.parametrize("subtype", ["16", "24"])
def test_flac_comes_back_with_its_comment(tmp_path, subtype):
    loop = make_loop()
    write_loop(loop, tmp_path / "a.flac", format="flac", subtype=subtype)
    with soundfile.SoundFile(tmp_path / "a.flac") as file:
        assert file.subtype == f"PCM_{subtype}"
        np.testing.assert_allclose(file.read(), loop.audio, atol=1 / 32767)
        assert json.loads(file.comment)["seed"] == 42


@pytest.mark.parametrize(("format", "subtype"), [("wav", "24"), ("wav", "float"), ("flac", "16")])
def test_same_loop_same_bytes_and_metadata_returns(tmp_path, format, subtype):
    loop = make_loop(bars=2, meter=(7, 8))
    path = tmp_path / f"a.{format}"
    write_loop(loop, path, format=format, subtype=subtype)
    assert path.read_bytes() == encode_loop(loop, format=format, subtype=subtype)
    found = read_loop_metadata(path)
    assert found.loop_points == (0, 1000)
    assert (found.tempo, found.meter, found.beats) == (96.5, (7, 8), 7)
    assert found.software.startswith("loopnet")
    assert found.settings["seed"] == 42


def test_long_settings_survive_in_both_formats(tmp_path):
    audio = np.zeros(100, np.float32)
    hits = [[i / 4, "hat_closed", 0.5] for i in range(20_000)]
    loop = Loop(audio, {}, 44100, 120.0, 1, (4, 4), 1, {"pattern": hits})
    for format in ("wav", "flac"):
        write_loop(loop, tmp_path / f"a.{format}", format=format)
        assert read_loop_metadata(tmp_path / f"a.{format}").settings["pattern"] == hits


def test_float_keeps_what_is_beyond_full_scale_and_integers_clip(tmp_path):
    audio = np.array([1.5, -1.5, 0.5], np.float32)
    loop = Loop(audio, {}, 44100, 120.0, 1, (4, 4), 1)
    write_loop(loop, tmp_path / "f.wav", subtype="float")
    write_loop(loop, tmp_path / "i.wav", subtype="16")
    np.testing.assert_array_equal(soundfile.read(tmp_path / "f.wav")[0], audio)
    np.testing.assert_allclose(soundfile.read(tmp_path / "i.wav")[0], [1, -1, 0.5], atol=1e-4)


@pytest.mark.parametrize(("format", "subtype"), [("ogg", "16"), ("wav", "32"), ("flac", "float")])
def test_formats_that_do_not_exist(format, subtype):
    with pytest.raises(UsageError):
        encode_loop(make_loop(), format=format, subtype=subtype)


@pytest.mark.parametrize("bad", [np.zeros(0), np.array([0.1, np.nan]), np.array([np.inf, 0])])
def test_audio_that_is_no_audio(tmp_path, bad):
    loop = Loop(bad.astype(np.float32), {}, 44100, 120.0, 1, (4, 4), 1)
    with pytest.raises(AudioError):
        write_loop(loop, tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_wav_over_4_gb_is_refused(monkeypatch):
    monkeypatch.setattr(riff, "MAX_RIFF_BYTES", 1000)
    with pytest.raises(AudioError, match="4 GB"):
        encode_loop(make_loop())


class TestWriteWhole:
    def test_replaces_and_keeps_ordinary_permissions(self, tmp_path):
        umask = os.umask(0o022)
        try:
            write_whole(tmp_path / "a", b"one")
            write_whole(tmp_path / "a", b"two")
        finally:
            os.umask(umask)
        assert (tmp_path / "a").read_bytes() == b"two"
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
        assert [p.name for p in tmp_path.iterdir()] == ["a"]

    @pytest.mark.parametrize("failing", ["write", "replace"])
    def test_a_failure_leaves_the_old_file_and_nothing_else(self, tmp_path, monkeypatch, failing):
        target = tmp_path / "a"
        target.write_bytes(b"old")

        def full(*_args, **_kwargs):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        if failing == "replace":
            monkeypatch.setattr(Path, "replace", full)
        else:
            real_open = Path.open

            def open_full(self, mode="r", *args):
                stream = real_open(self, mode, *args)
                if "x" in mode:
                    real_close = stream.close
                    stream = type("Full", (), {"write": full, "close": real_close})()
                    type(stream).__enter__ = lambda s: s
                    type(stream).__exit__ = lambda s, *_: real_close()
                return stream

            monkeypatch.setattr(Path, "open", open_full)
        with pytest.raises(AudioError, match="no space left on device"):
            write_whole(target, b"new")
        monkeypatch.undo()
        assert target.read_bytes() == b"old"
        assert [p.name for p in tmp_path.iterdir()] == ["a"]

    def test_missing_folder_and_folder_in_the_way(self, tmp_path):
        with pytest.raises(AudioError, match="does not exist"):
            write_whole(tmp_path / "no" / "a", b"")
        with pytest.raises(AudioError, match="folder"):
            write_whole(tmp_path, b"")

    def test_a_link_is_followed(self, tmp_path):
        (tmp_path / "real").write_bytes(b"old")
        (tmp_path / "link").symlink_to(tmp_path / "real")
        write_whole(tmp_path / "link", b"new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_bytes() == b"new"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
    def test_a_device_is_written_to_not_replaced(self):
        with pytest.raises(AudioError, match="no space left"):
            write_whole("/dev/full", b"x" * 100_000)
        write_whole("/dev/null", b"x")
        assert not Path("/dev/null").is_file()

    def test_names_as_long_as_the_file_system_takes(self, tmp_path):
        write_whole(tmp_path / ("a" * 251 + ".wav"), b"x")
        with pytest.raises(AudioError, match="name too long"):
            write_whole(tmp_path / ("a" * 300), b"x")

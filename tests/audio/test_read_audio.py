"""Files from outside: what is read, and what is refused in one line."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from loopnet_cli.audio.read import read_audio
from loopnet_cli.audio.write import read_loop_metadata
from loopnet_cli.errors import AudioError


def encoded(audio: np.ndarray, format: str = "WAV", subtype: str | None = None, rate: int = 22050) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, audio, rate, format=format, subtype=subtype)
    return stream.getvalue()


NOISE = (0.2 * np.random.default_rng(0).standard_normal(5000)).astype(np.float32)


@pytest.mark.parametrize(
    ("format", "subtype", "tolerance"),
    [("WAV", "PCM_24", 1e-6), ("WAV", "FLOAT", 0), ("WAV", "PCM_U8", 0.01), ("FLAC", "PCM_16", 1e-4),
     ("AIFF", "PCM_16", 1e-4), ("W64", "PCM_24", 1e-6), ("CAF", "FLOAT", 0)],
)  # fmt: skip
def test_formats(tmp_path, format, subtype, tolerance):
    (tmp_path / "a").write_bytes(encoded(NOISE, format, subtype))
    audio, rate = read_audio(tmp_path / "a")
    assert rate == 22050 and audio.dtype == np.float32 and audio.shape == NOISE.shape
    np.testing.assert_allclose(audio, NOISE, atol=tolerance + 1e-7)


@pytest.mark.parametrize("format", ["OGG", "MP3"])
def test_lossy_formats(format):
    if format not in soundfile.available_formats():
        pytest.skip(f"this libsndfile has no {format}")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(22050) / 22050)
    audio, _ = read_audio(encoded(tone, format))
    assert 22050 <= len(audio) < 26000
    assert np.abs(audio).max() == pytest.approx(0.5, abs=0.1)


def test_channels():
    stereo = np.stack([NOISE, -0.5 * NOISE], axis=1)
    assert read_audio(encoded(stereo, subtype="FLOAT"))[0].shape == (5000, 2)
    np.testing.assert_allclose(read_audio(encoded(stereo, subtype="FLOAT"), mono=True)[0], 0.25 * NOISE, atol=1e-6)
    six = np.stack([NOISE] * 6, axis=1)
    np.testing.assert_allclose(read_audio(encoded(six, subtype="FLOAT"))[0], NOISE, atol=1e-6)


def test_longer_than_one_block_is_whole():
    long = np.tile(NOISE, 40)
    np.testing.assert_array_equal(read_audio(encoded(long, subtype="FLOAT"))[0], long)


def test_a_data_chunk_that_claims_more_than_there_is():
    content = bytearray(encoded(NOISE, subtype="PCM_16"))
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", 10_000_000)
    with pytest.raises(AudioError, match=r"cut short.*10000000.*10000"):
        read_audio(bytes(content))
    with pytest.raises(AudioError, match="cut short"):
        read_audio(encoded(NOISE)[:-2000])


def test_a_streamed_wav_with_open_size_is_read():
    content = bytearray(encoded(NOISE, subtype="PCM_16"))
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    content[4:8] = b"\xff\xff\xff\xff"
    assert read_audio(bytes(content))[0].shape == (5000,)


def test_a_flac_cut_short():
    with pytest.raises(AudioError, match=r"cut short|not audio"):
        read_audio(encoded(np.tile(NOISE, 10), "FLAC", "PCM_16")[:-20000])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(value):
    bad = NOISE.copy()
    bad[100] = value
    with pytest.raises(AudioError, match="NaN"):
        read_audio(encoded(bad, subtype="FLOAT"))


def test_empty_and_foreign(tmp_path):
    with pytest.raises(AudioError, match="0 samples"):
        read_audio(encoded(NOISE[:0]))
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("hello " * 100)
    for path, reason in [
        (tmp_path / "empty.wav", "empty"),
        (tmp_path / "text.wav", "not audio"),
        (tmp_path / "missing.wav", "[Nn]o such file"),
        (tmp_path, "folder"),
    ]:
        with pytest.raises(AudioError, match=reason) as caught:
            read_audio(path)
        assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def test_too_long_is_refused_before_all_is_read():
    with pytest.raises(AudioError, match="longer than 2 s"):
        read_audio(encoded(np.zeros(22050 * 3)), max_seconds=2)


def test_random_damage_never_raises_anything_else(tmp_path):
    rng = np.random.default_rng(0)
    for format in ("WAV", "FLAC", "AIFF"):
        whole = encoded(NOISE, format, "PCM_16")
        for _ in range(60):
            content = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.5 else whole)
            for _ in range(4):
                content[rng.integers(0, min(len(content), 120))] = rng.integers(0, 256)
            (tmp_path / "x").write_bytes(content)
            for read in (read_audio, read_loop_metadata):
                try:
                    read(tmp_path / "x")
                except AudioError as error:
                    assert "\n" not in str(error)

"""The plain facts about a recording, and parts of files, whatever the block size."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
import soundfile

from loopnet_cli.audio.read import read_audio, read_part
from loopnet_cli.audio.stream import BLOCK
from loopnet_cli.audio.survey import survey
from loopnet_cli.errors import AudioError, UsageError

RATE = 8000


def encoded(audio: np.ndarray, format: str = "WAV", subtype: str = "FLOAT", rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, audio, rate, format=format, subtype=subtype)
    return stream.getvalue()


def sine(seconds: float = 1.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * 100 * np.arange(round(seconds * RATE)) / RATE)


def test_the_facts():
    audio = np.stack([sine(), sine() + 0.1], axis=1)
    facts = survey(encoded(audio, "FLAC", "PCM_16"))
    assert (facts.format, facts.subtype, facts.channels, facts.sample_rate) == ("FLAC", "PCM_16", 2, RATE)
    assert (facts.start, facts.stop, facts.seconds) == (0, RATE, 1.0)
    assert facts.peak == pytest.approx(0.6, abs=1e-3) and facts.dc == pytest.approx(0.05, abs=1e-3)
    assert facts.clipped == 0 and facts.warnings == ()


def clipped(audio: np.ndarray, subtype: str) -> int:
    return survey(encoded(audio, subtype=subtype)).clipped


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"])
def test_clipped_samples_are_runs_at_full_scale(subtype):
    audio = sine(level=0.5)
    audio[100:103] = audio[200:210] = 1.0
    audio[300:304] = -1.0
    assert clipped(audio, subtype) == 17
    peak = sine(level=0.5)
    peak[[100, 200, 201]] = 1.0  # what a recording levelled to its peak looks like
    assert clipped(peak, subtype) == 0


@pytest.mark.parametrize("place", [BLOCK - 1, BLOCK - 2, BLOCK - 3, BLOCK - 5, BLOCK, 0])
@pytest.mark.parametrize("length", [2, 3, 4, 7])
def test_runs_across_blocks(place, length):
    audio = 0.5 * np.sin(np.arange(BLOCK + 1000) / 9)
    audio[place : place + length] = 1.0
    assert clipped(audio, "FLOAT") == (length if length >= 3 else 0)


def test_a_run_of_several_blocks():
    audio = 0.1 * np.ones(3 * BLOCK)
    audio[10:-10] = -2.0
    assert clipped(audio, "FLOAT") == 3 * BLOCK - 20


def test_every_channel_counts_for_clipping():
    audio = np.stack([sine(), sine()], axis=1)
    audio[10:20, 0] = audio[15:25, 1] = 1.0
    assert survey(encoded(audio)).clipped == 20


BAD = {
    "silence": (np.zeros(RATE), "is silent: there is nothing"),
    "the last bits of 16": (3e-5 * np.sign(sine()), "is silent"),
    "an offset alone": (np.full(RATE, 0.2), r"is silent \(a steady offset of \+0.2\)"),
    "10 ms": (sine(0.01), "is too short, 10 ms: at least 50 ms"),
    "one sample": (np.ones(1), "is too short, 0.125 ms"),
    "no sample": (np.zeros(0), "holds no audio"),
    "channels that cancel": (np.stack([sine(), -sine()], axis=1), "silent in mono, its channels cancel each other"),
}


@pytest.mark.parametrize("kind", BAD)
def test_recordings_that_cannot_be_heard(kind):
    audio, reason = BAD[kind]
    with pytest.raises(AudioError, match=reason) as caught:
        survey(encoded(audio), name="x.wav")
    assert str(caught.value).startswith("x.wav ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_are_named_by_place(value):
    audio = sine(20)
    audio[12 * RATE] = value
    with pytest.raises(AudioError, match=r"first at 12\.000 s.*--start"):
        survey(encoded(audio))
    assert survey(encoded(audio), end=11).seconds == 11
    with pytest.raises(AudioError, match=r"first at 12\.000 s"):
        survey(encoded(audio), start=5)
    assert survey(encoded(audio), start=13).seconds == 7


@pytest.mark.parametrize(
    "format", [("WAV", "PCM_16"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("FLAC", "PCM_16")]
)
def test_a_part_is_the_same_part_whatever_the_format(format):
    if format[0] not in soundfile.available_formats():
        pytest.skip(f"this libsndfile has no {format[0]}")
    rng = np.random.default_rng(0)
    content = encoded(0.1 * rng.standard_normal(3 * BLOCK), *format, rate=16000)
    whole, _ = read_audio(content)
    for start, stop in ((0, 10), (5, BLOCK + 7), (BLOCK, 2 * BLOCK), (2 * BLOCK - 1, 2 * BLOCK + 1)):
        np.testing.assert_array_equal(read_part(content, start, stop), whole[start:stop])
    facts = survey(content, start=1.0, end=1.5)
    assert (facts.start, facts.stop) == (16000, 24000)
    assert facts.peak == float(np.abs(whole[16000:24000]).max())


def test_ends_of_the_part():
    content = encoded(sine(2))
    facts = survey(content, start=1, end=5)
    assert facts.stop == 2 * RATE and facts.warnings == ("it ends at 2.000 s, before 5 s",)
    with pytest.raises(AudioError, match="x ends before 3 s, where it was to start"):
        survey(content, start=3, name="x")
    for start, end in ((1, 1), (1, 0.5), (-1, None), (None, -1), (math.nan, None), (None, math.inf)):
        with pytest.raises(UsageError):
            survey(content, start=start, end=end)


def test_an_hour_is_the_most():
    content = encoded(np.tile(sine(4, 0.5), 902)[: 3601 * 1000], subtype="PCM_U8", rate=1000)
    with pytest.raises(AudioError, match=r"longer than an hour: choose a part of it by --start and --end"):
        survey(content)
    assert survey(content, end=3600).seconds == 3600
    assert survey(content, start=1).seconds == 3600


def test_a_part_of_a_stereo_file():
    audio = np.stack([sine(), 0.5 * sine()], axis=1)
    assert read_part(encoded(audio), 10, 20, mono=False).shape == (10, 2)
    np.testing.assert_allclose(read_part(encoded(audio), 10, 20), 0.75 * sine()[10:20], atol=1e-6)
    with pytest.raises(AudioError, match="no audio from 2 s on"):
        read_part(encoded(audio), 2 * RATE, 3 * RATE)

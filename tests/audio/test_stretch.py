"""Loops stretched by Rubber Band: length, beats, seam, and what is said where the program is missing."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.audio import stretch
from loopnet_cli.audio.stretch import stretch_loop
from loopnet_cli.errors import AudioError

RATE = 16000
BEATS = (0.0, 0.125, 0.25, 0.3724, 0.5, 0.61, 0.75, 0.88)

needs_program = pytest.mark.skipif(not stretch.has_rubberband(), reason="rubberband is not installed")


def clicks(samples: int, *, level: float = 0.5) -> np.ndarray:
    audio = np.zeros(samples, np.float32)
    audio[np.round(np.array(BEATS) * samples).astype(int)] = level
    return audio


def strokes(samples: int, rate: int = RATE) -> np.ndarray:
    """Kicks and bursts of noise on the same beats."""
    rng = np.random.default_rng(1)
    time = np.arange(int(0.15 * rate)) / rate
    audio = np.zeros(samples)
    for number, place in enumerate(BEATS):
        stroke = np.sin(2 * np.pi * 60 * time) if number % 2 else rng.standard_normal(len(time)) * 0.3
        at = (round(place * samples) + np.arange(len(time))) % samples
        np.add.at(audio, at, stroke * np.exp(-time * 40))
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


def offsets(audio: np.ndarray, rate: int = RATE) -> np.ndarray:
    """Milliseconds from each beat to the fastest rise of level near it."""
    width = int(0.005 * rate) | 1
    pad, reach = int(0.1 * rate), int(0.04 * rate)
    window = np.hanning(width)
    power = np.concatenate([audio[-pad:], audio, audio[:pad]]).astype(float) ** 2
    rise = np.gradient(np.sqrt(np.convolve(power, window / window.sum(), "same")))
    found = []
    for place in BEATS:
        first = round(place * len(audio)) + pad - reach
        found.append((np.argmax(rise[first : first + 2 * reach]) - reach) / rate * 1000)
    return np.array(found)


@needs_program
@pytest.mark.parametrize("tempo", [90, 110, 128, 174, 220])
@pytest.mark.parametrize("make", [clicks, strokes])
def test_onsets_are_within_5_ms_of_where_they_should_be(make, tempo):
    audio = make(29538)
    samples = round(29538 * 130 / tempo)
    stretched = stretch_loop(audio, RATE, samples)
    assert stretched.shape == (samples,) and stretched.dtype == np.float32
    assert np.abs(offsets(stretched) - offsets(audio)).max() < 5


@needs_program
def test_at_44_khz_too():
    audio = strokes(81415, 44100)
    stretched = stretch_loop(audio, 44100, 100000)
    assert np.abs(offsets(stretched, 44100) - offsets(audio, 44100)).max() < 5


@needs_program
@pytest.mark.parametrize(("count", "samples"), [(300, 200), (29538, 900), (2000, 20000), (118154, 88333)])
def test_any_length_is_exact(count, samples):
    assert stretch_loop(strokes(4000)[:count] if count < 4000 else strokes(count), RATE, samples).shape == (samples,)


@needs_program
def test_the_seam_is_no_click():
    # two whole turns of a low tone and its octave: nothing jumps anywhere
    turn = np.arange(32000) / 32000
    tone = (0.5 * np.sin(2 * np.pi * 110 * turn) + 0.3 * np.sin(2 * np.pi * 221 * turn)).astype(np.float32)
    stretched = stretch_loop(tone, RATE, 41000)
    steps = np.abs(np.diff(np.concatenate([stretched, stretched[:1]])))
    assert steps[-1] < 1.5 * steps[1000:-1000].max()
    assert np.abs(stretched).max() > 0.5


@needs_program
def test_pitch_stays():
    turn = np.arange(32000)
    tone = np.sin(2 * np.pi * 440 * turn / RATE).astype(np.float32)
    stretched = stretch_loop(tone, RATE, 44000)
    spectrum = np.abs(np.fft.rfft(stretched * np.hanning(len(stretched))))
    assert np.argmax(spectrum) * RATE / 44000 == pytest.approx(440, rel=0.01)


@needs_program
def test_loud_audio_is_neither_clipped_nor_turned_down():
    audio = strokes(29538)
    quiet, loud = stretch_loop(audio, RATE, 25000), stretch_loop(audio * 8, RATE, 25000)
    np.testing.assert_allclose(loud, quiet * 8, atol=2e-3)
    assert np.abs(loud).max() > 1


@needs_program
def test_the_same_twice():
    audio = strokes(29538)
    assert np.array_equal(stretch_loop(audio, RATE, 31000), stretch_loop(audio, RATE, 31000))


def test_nothing_is_called_where_nothing_is_to_be_stretched(monkeypatch):
    monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
    audio = strokes(1000)
    assert np.array_equal(stretch_loop(audio, RATE, 1000), audio)
    assert not stretch_loop(np.zeros(1000, np.float32), RATE, 1500).any()


def test_a_missing_program_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(stretch, "PROGRAM", "no-such-program")
    with pytest.raises(AudioError, match="sudo apt install rubberband-cli"):
        stretch_loop(strokes(1000), RATE, 1200)


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="a shell script stands for the program")
def test_a_failing_program_is_one_line(monkeypatch, tmp_path):
    program = tmp_path / "rubberband"
    program.write_text("#!/bin/sh\necho 'no\nway' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(stretch, "PROGRAM", str(program))
    with pytest.raises(AudioError, match=r"^rubberband failed: no way$"):
        stretch_loop(strokes(1000), RATE, 1200)


@pytest.mark.parametrize("audio", [np.zeros(0, np.float32), np.zeros((4, 2), np.float32)])
def test_what_is_no_loop(audio):
    with pytest.raises(AudioError, match="cannot be stretched"):
        stretch_loop(audio, RATE, 10)


def test_ratios_out_of_range():
    with pytest.raises(AudioError, match="times its length"):
        stretch_loop(strokes(1000), RATE, 100_000)

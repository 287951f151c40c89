"""Chroma: note names, chords, essentia's own pipeline, loops and bad input."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from loopnet_cli.analysis.chroma import FRAME, HOP, MOST_PEAKS, THRESHOLD, chroma
from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.errors import AudioError

from .conftest import RATE, noise, tone

pytest.importorskip("essentia")


def pitch(name: str, octave: int) -> float:
    return 440.0 * 2 ** ((PITCH_CLASSES.index(name) - 9) / 12 + octave - 4)


@pytest.mark.parametrize("name", PITCH_CLASSES)
@pytest.mark.parametrize("octave", [3, 5])
def test_each_note_stands_in_its_place(name, octave):
    found = chroma(tone(pitch(name, octave), 2.0))
    assert PITCH_CLASSES[int(found.argmax())] == name
    assert found.max() > 0.9
    assert np.sort(found)[-2] < 0.5 * found.max()


@pytest.mark.parametrize("notes", [("C", "E", "G"), ("A", "C", "E"), ("F#", "A#", "C#"), ("D", "G", "A")])
def test_the_notes_of_a_chord_stand_out(notes):
    found = chroma(sum(tone(pitch(name, 4), 2.0) for name in notes) / 3)
    assert {PITCH_CLASSES[index] for index in np.argsort(found)[-3:]} == set(notes)
    assert np.sort(found)[-3] > 2 * np.sort(found)[-4]


def test_agrees_with_a_plain_essentia_pipeline(beat):
    import essentia.standard as es

    audio = (beat + 0.2 * tone(220, 2.0) + 0.2 * tone(277.18, 2.0)).astype(np.float32)
    audio /= np.abs(audio).max()
    window, spectrum, profile = es.Windowing(type="blackmanharris62"), es.Spectrum(), es.HPCP()
    peaks = es.SpectralPeaks(orderBy="magnitude", magnitudeThreshold=THRESHOLD, maxPeaks=MOST_PEAKS)
    frames = es.FrameGenerator(audio, frameSize=FRAME, hopSize=HOP)
    plain = np.mean([profile(*peaks(spectrum(window(frame)))) for frame in frames], axis=0)
    assert chroma(audio, circular=False) == pytest.approx(np.roll(plain, -3), abs=1e-5)


def test_where_a_loop_is_cut_hardly_matters():
    audio = noise(2.0) + tone(110, 2.0) + tone(164.81, 2.0)
    assert chroma(np.roll(audio, 33333)) == pytest.approx(chroma(audio), abs=0.05)


def test_a_tone_across_the_seam_has_no_click():
    assert np.roll(chroma(tone(440, 0.5)), 3)[1:].max() < 0.05


def test_level_does_not_matter(beat):
    assert chroma(beat * np.float32(0.01)) == pytest.approx(chroma(beat), abs=1e-4)


def test_range_type_and_silence(beat):
    found = chroma(beat)
    assert found.shape == (12,) and found.dtype == np.float32
    assert found.min() >= 0 and found.max() <= 1
    assert not chroma(np.zeros(RATE, np.float32)).any()


def test_short_loops_and_other_rates():
    assert PITCH_CLASSES[int(chroma(tone(440, 0.05)).argmax())] == "A"
    assert PITCH_CLASSES[int(chroma(tone(440, 1.0, 48000), 48000).argmax())] == "A"


@pytest.mark.parametrize(
    ("audio", "rate", "says"),
    [
        (np.zeros(0), RATE, "mono"),
        (np.zeros((2, 5)), RATE, "mono"),
        (np.array([0, np.nan]), RATE, "not numbers"),
        (np.ones(9), 8000, "8000 Hz"),
    ],
)
def test_bad_input(audio, rate, says):
    with pytest.raises(AudioError, match=says):
        chroma(audio, rate)


def test_without_essentia_it_says_so(monkeypatch, beat):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("essentia"):
            raise ImportError("no essentia here")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(AudioError, match="pip install essentia"):
        chroma(beat)

from __future__ import annotations

import numpy as np
import pytest
from dataset_sounds import drum_loop

from loopnet_cli.analysis.hints import Hints
from loopnet_cli.analysis.tempo import Hypothesis, LoopReading
from loopnet_cli.data import tempo_fit
from loopnet_cli.data.tempo_fit import Fit, estimated_fit, fit_length, fold, folded, stated_fit

RATE = 8000


def noise(seconds: float) -> np.ndarray:
    """Loud to its ends."""
    audio = np.random.default_rng(1).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)
    audio[[0, -1]] = 0.5
    return audio


@pytest.mark.parametrize(
    ("beats", "confidence"),
    [(8, 1.0), (8.005, 0.99), (7.995, 0.99), (8.1, 0.8), (8.25, 0.5), (8.5, 0.0), (0.75, 0.5), (0.3, 0.0)],
)
def test_the_confidence_is_one_less_the_distance_in_half_beats(beats, confidence):
    fit = fit_length(noise(beats * 0.5), RATE, 120.0, "table")
    assert fit.confidence == pytest.approx(confidence, abs=2e-3)


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.13), (0.13, 0.0), (0.13, 0.17)])
def test_silence_around_a_loop_does_not_count_against_it(before, after):
    loop = noise(4.0)
    audio = np.concatenate([np.zeros(round(before * RATE)), loop, np.zeros(round(after * RATE))]).astype(np.float32)
    fit = fit_length(audio, RATE, 120.0, "table")
    assert fit.confidence > 0.999 and fit.beats == 8
    assert (fit.start, fit.end) == (pytest.approx(before), pytest.approx(before + 4.0))


def test_silence_that_belongs_to_the_loop_is_kept():
    audio = np.concatenate([noise(3.3), np.zeros(round(0.7 * RATE), np.float32)])
    fit = fit_length(audio, RATE, 120.0, "table")
    assert (fit.start, fit.end, fit.confidence) == (0.0, 4.0, 1.0)


def test_quiet_is_not_silence():
    tail = noise(0.2) * 0.01  # 40 dB below
    fit = fit_length(np.concatenate([noise(4.0), tail]), RATE, 120.0, "table")
    assert fit.confidence == pytest.approx(1 - 0.4 / 0.5, abs=0.01)


@pytest.mark.parametrize(
    ("tempo", "factor"),
    [(130, 1), (120, 1), (140, 1), (65, 2), (60, 2), (260, 0.5), (32, 4), (520, 0.25), (90, None), (59.9, None)],
)
def test_folding_is_by_octaves(tempo, factor):
    assert fold(tempo, 120, 140) == factor


def test_a_folded_tempo_is_compared_again():
    # 5 beats at 240 BPM are 2.5 at 120: no whole number any more
    audio = noise(5 * 0.25)
    fit = fit_length(audio, RATE, 240.0, "table")
    assert fit.confidence == 1.0
    again = folded(fit, audio, RATE, 120.0, 140.0)
    assert again is not None and again.confidence == 0.0 and (again.tempo, again.folded) == (120.0, 0.5)
    assert folded(Fit(90.0, "table", 1.0, 0.0, 4.0), audio, RATE, 120.0, 140.0) is None


def test_of_name_and_chunk_the_one_that_fits_is_believed():
    audio = noise(4.0)
    chunk = Hints(120.0, "acid chunk")
    assert stated_fit(audio, RATE, "loop_125bpm.wav", chunk).tempo_from == "acid chunk"
    assert stated_fit(audio, RATE, "loop_120bpm.wav", Hints(125.0, "acid chunk")).tempo_from == "file name"
    assert stated_fit(audio, RATE, "loop_120bpm.wav", chunk).tempo_from == "file name"  # both fit
    assert stated_fit(audio, RATE, "loop.wav", Hints()) is None


def test_a_chunk_that_counts_beats_gives_the_tempo():
    fit = stated_fit(noise(4.0), RATE, "loop.wav", Hints(beats=8))
    assert fit.tempo == pytest.approx(120.0) and fit.confidence == pytest.approx(1.0)


def reading(tempo: float, **estimates: float) -> LoopReading:
    return LoopReading((Hypothesis(2, (4, 4), tempo, 1.0),), 1.0, estimates, False)


@pytest.mark.parametrize(
    ("estimates", "tempo", "sure"),
    [
        ({"a": 120.2}, 120.0, True),  # in whole BPM
        ({"a": 60.1}, 120.0, True),  # in the octave of the reading
        ({"a": 239.8, "b": 93.0}, 120.0, True),
        ({"a": 119.0}, 119.0, False),  # agrees, but the length does not
    ],
)
def test_an_estimate_does_not_come_from_the_length(monkeypatch, estimates, tempo, sure):
    monkeypatch.setattr(tempo_fit, "read_loop", lambda *a, **k: reading(120.0, **estimates))
    fit = estimated_fit(noise(4.0), RATE, 0.99)
    assert fit is not None and fit.tempo == tempo and (fit.confidence > 0.99) == sure
    assert fit.tempo_from == "estimate"


def test_trackers_that_disagree_with_the_reading_give_no_tempo(monkeypatch):
    monkeypatch.setattr(tempo_fit, "read_loop", lambda *a, **k: reading(120.0, a=100.0, b=150.0))
    assert estimated_fit(noise(4.0), RATE, 0.99) is None


def test_what_is_too_long_for_a_loop_is_not_estimated():
    assert estimated_fit(np.ones(65 * 1000, np.float32), 1000, 0.99) is None


@pytest.mark.parametrize("bpm", [123.0, 136.0])
def test_a_real_estimate_despite_silence_at_the_end(bpm):
    audio = np.concatenate([drum_loop(bars=1, bpm=bpm), np.zeros(13671, np.float32)])
    fit = estimated_fit(audio, 44100, 0.99)
    assert fit is not None and fit.tempo == bpm and fit.confidence > 0.99 and fit.beats == 4


def test_a_real_estimate():
    audio = drum_loop(bars=4, bpm=126.0)
    fit = estimated_fit(audio, 44100, 0.99)
    assert fit is not None and fit.tempo == 126.0 and fit.confidence > 0.99 and fit.beats == 16

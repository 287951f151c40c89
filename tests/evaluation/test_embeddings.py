"""Bars as circles, and the embedding that needs no weights."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.evaluation.embeddings import (
    all_embeddings,
    around,
    at_rate,
    embed_bars,
    log_mel,
    log_mel_frames,
    same_patches,
)
from loopnet_cli.evaluation.frechet import Gaussian, frechet_distance

sys.path.insert(0, str(Path(__file__).parent))
from yamnet import sounds, write_yamnet


def bars(count: int = 24, gain: float = 1.0) -> list[np.ndarray]:
    strokes = [sound for name, sound in sounds(44100, 40000).items() if name.startswith("strokes")]
    rng = np.random.default_rng(5)
    return [gain * (strokes[n % 4] + 0.3 * np.roll(strokes[(n + 1) % 4], rng.integers(40000))) for n in range(count)]


def distance(one: list[np.ndarray], two: list[np.ndarray]) -> float:
    return frechet_distance(
        *(Gaussian.of(np.concatenate([log_mel_frames(bar) for bar in side])) for side in (one, two))
    )


def test_pieces_go_round_the_circle_evenly():
    circle = np.arange(100)
    pieces = around(circle, 30, 24.0)
    assert pieces.shape == (4, 30)
    assert pieces[:, 0].tolist() == [0, 25, 50, 75]
    assert pieces[3, -1] == 4
    assert around(circle, 250, 1000.0).shape == (1, 250)  # a short loop is heard over and over
    assert around(circle, 250, 1000.0)[0, 200] == 0


def test_a_bar_of_the_paper_is_heard_twice_by_vggish_and_four_times_by_yamnet():
    bar = np.zeros(29538, np.float32)
    assert len(around(bar, 15600, 15360)) == 2
    assert len(around(bar, 15600, 7800)) == 4


def test_rates():
    tone = np.sin(2 * np.pi * 100 * np.arange(16000) / 16000).astype(np.float32)
    assert len(at_rate(tone, 16000, 44100)) == 44100
    assert at_rate(tone, 16000, 16000) is tone


def test_log_mel_frames_hear_what_lies_above_8_khz():
    own = bars()
    spectra = [np.fft.rfft(bar) for bar in own]
    for spectrum in spectra:
        spectrum[round(8000 / 44100 * 40000) :] = 0
    dull = [np.fft.irfft(spectrum, 40000) for spectrum in spectra]
    floor = distance(own[:12], own[12:])
    assert distance(dull, own) > 5 * floor
    assert distance(own, own) == pytest.approx(0, abs=1e-6)


def test_log_mel_frames_are_levels():
    bar = bars(1)[0]
    quiet = log_mel_frames(0.1 * bar)
    assert (log_mel_frames(bar) - quiet) == pytest.approx(20.0, abs=1e-3)
    assert np.ptp(log_mel_frames(np.concatenate([bar, np.zeros(40000)]))) == pytest.approx(60.0, abs=0.01)
    assert np.isfinite(log_mel_frames(np.zeros(40000))).all()


def test_where_a_loop_is_cut_hardly_matters():
    own = bars()
    turned = [np.roll(bar, 7 * 512 + 256) for bar in own]
    assert distance(own, turned) < 0.2 * distance(own[:12], own[12:])


def test_few_bars_are_projected_on_few_axes():
    each = log_mel()
    assert each.axes_for(64 * 4) is None
    assert each.axes_for(100) == 25
    assert each.axes_for(2) == 1


def test_files_of_other_lengths_count_the_same():
    short, long = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0], [5.0], [6.0]])
    assert same_patches([short, long])[0].ravel().tolist() == [1, 1, 2, 2]
    assert same_patches([short, short]).shape == (2, 2, 1)


def test_embeddings_are_named_by_their_weights(tmp_path):
    assert list(all_embeddings(None, None)) == ["logmel"]
    found = all_embeddings(write_yamnet(tmp_path / "yamnet.tflite"), None)
    assert list(found) == ["yamnet", "logmel"]
    both = embed_bars(bars(2), 44100, found)
    assert both["yamnet"].shape == (2, 2, 1024)
    assert both["logmel"].shape == (2, 79, 64)
    assert found["yamnet"].axes_for(5000) == 64

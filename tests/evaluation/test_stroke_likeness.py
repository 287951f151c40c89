"""Strokes of one loop among those of another, whatever the rhythm."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.evaluation.likeness import log_mel_statistics, statistics_distance
from loopnet_cli.evaluation.stroke_likeness import (
    LONGEST,
    SHORTEST,
    cosine_farness,
    cut_strokes,
    farness,
    stroke_spectra,
)

RATE = 44100


def drum(low: float, high: float, seed: int) -> np.ndarray:
    from scipy.signal import butter, sosfilt

    noise = np.random.default_rng(seed).standard_normal(RATE // 4)
    sound = sosfilt(butter(2, (low, high), "bandpass", fs=RATE, output="sos"), noise)
    return sound / np.abs(sound).max() * np.exp(-np.arange(len(sound)) / 2000)


def loop_of(drums: list[np.ndarray], beats: list[tuple[float, int]]) -> np.ndarray:
    audio = np.zeros(2 * RATE)
    for beat, which in beats:
        start = int(beat * RATE / 2)
        index = (start + np.arange(len(drums[which]))) % len(audio)
        audio[index] += drums[which]
    return audio


KIT = [drum(60, 200, 1), drum(400, 3000, 2), drum(6000, 15000, 3)]
OTHER = [drum(120, 500, 4), drum(1500, 9000, 5), drum(3000, 7000, 6)]


def test_a_loop_is_cut_where_something_begins():
    strokes = cut_strokes(loop_of(KIT, [(0, 0), (1, 1), (1.5, 2), (3, 1)]))
    assert len(strokes) == 4
    assert all(SHORTEST <= len(stroke) <= LONGEST for stroke in strokes)
    assert len(cut_strokes(np.sin(np.arange(RATE) * 0.05))) >= 1


def test_the_same_drums_in_another_rhythm_are_near_where_statistics_are_not():
    own = loop_of(KIT, [(0, 0), (1, 1), (2, 0), (3, 1)])
    busy = loop_of(KIT, [(b / 2, b % 3) for b in range(8)])
    stranger = loop_of(OTHER, [(0, 0), (1, 1), (2, 0), (3, 1)])
    spectra = {name: stroke_spectra(loop) for name, loop in (("own", own), ("busy", busy), ("stranger", stranger))}
    assert farness(spectra["own"], spectra["own"]) == 0
    assert farness(spectra["own"], spectra["busy"]) < 0.5 * farness(spectra["own"], spectra["stranger"])
    statistics = {name: log_mel_statistics(x) for name, x in (("own", own), ("busy", busy), ("stranger", stranger))}
    ratio = statistics_distance(statistics["own"], statistics["busy"]) / statistics_distance(
        statistics["own"], statistics["stranger"]
    )
    assert ratio > farness(spectra["own"], spectra["busy"]) / farness(spectra["own"], spectra["stranger"])


def test_what_the_other_loop_plays_besides_costs_nothing():
    few, many = np.array([[0.0, 1.0]]), np.array([[5.0, 5.0], [0.0, 1.0]])
    assert farness(few, many) == 0
    assert farness(many, few) > 0
    assert cosine_farness(few, many) == pytest.approx(0)
    assert cosine_farness(2 * few, many) == pytest.approx(0)
    assert cosine_farness(many, few) == pytest.approx((1 - np.sqrt(0.5)) / 2)

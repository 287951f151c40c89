from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.spectrogram import BANDS, HIGHEST, HOP, LOWEST, SAMPLE_RATE, band_powers, loudness_scale

EDGES = np.geomspace(LOWEST, HIGHEST, BANDS + 1)


@pytest.mark.parametrize("hertz", [60.0, 440.0, 5000.0])
def test_a_sine_stands_in_its_band(hertz: float) -> None:
    audio = np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    powers = band_powers(audio, 20, 40)[0].mean(axis=1)
    assert abs(int(powers.argmax()) - int(np.searchsorted(EDGES, hertz) - 1)) <= 1


def test_a_click_stands_in_the_frame_of_its_time() -> None:
    audio = np.zeros(SAMPLE_RATE, np.float32)
    audio[37 * HOP] = 1.0
    short = band_powers(audio, 0, 90)[1].sum(axis=0)
    assert int(short.argmax()) == 37
    assert short[35] == short[39] == 0


def test_pieces_are_cut_from_the_whole() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    whole = band_powers(audio, 0, 100)
    np.testing.assert_allclose(band_powers(audio, 30, 25), whole[:, :, 30:55], rtol=1e-5)


def test_level_is_not_taken_away_and_silence_stays_silence() -> None:
    audio = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE // 2).astype(np.float32)
    loud, soft = loudness_scale(band_powers(audio, 5, 30)), loudness_scale(band_powers(audio / 10, 5, 30))
    assert np.median(loud - soft) == pytest.approx(1.0, abs=0.01)  # 20 dB are one unit
    np.testing.assert_allclose(loudness_scale(band_powers(np.zeros(4410, np.float32), 0, 10)), -2.0, atol=1e-5)

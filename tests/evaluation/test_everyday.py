from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.evaluation.everyday import lighter, spectral_distance

RATE = 44100


def noise(low: float, high: float, seed: int) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=RATE))
    hertz = np.fft.rfftfreq(RATE, 1 / RATE)
    return np.fft.irfft(spectrum * ((hertz > low) & (hertz < high)), RATE)


def test_two_draws_of_one_colour_are_close_and_two_colours_are_not() -> None:
    low, again, high = noise(100, 500, 0), noise(100, 500, 1), noise(4000, 9000, 0)
    assert spectral_distance(low, again) < 2.0
    assert spectral_distance(low, high) > 15.0


def test_level_does_not_count() -> None:
    sound = noise(100, 5000, 0)
    assert spectral_distance(sound, 0.01 * sound) == pytest.approx(0.0, abs=1e-6)


def test_pictures_get_lighter_and_stay_pictures() -> None:
    import io

    from PIL import Image

    rows = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    heavy = io.BytesIO()
    Image.fromarray(rows).save(heavy, "PNG")
    light = lighter(heavy.getvalue())
    assert len(light) < len(heavy.getvalue())
    assert Image.open(io.BytesIO(light)).size == (64, 64)

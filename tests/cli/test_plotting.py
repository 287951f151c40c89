"""The picture of a loop."""

from __future__ import annotations

import struct
import sys
from dataclasses import replace

import numpy as np
import pytest
from fake_studio import BANK, FakeStudio, beat

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.plotting import FLOOR_DB, HIGH_HZ, LOW_HZ, log_spectrogram, plot_loop

ASKED = dict.fromkeys(TIMBRE_NAMES, 0.5)


def row_of(frequency: float, rows: int) -> int:
    return round(np.log(frequency / LOW_HZ) / np.log(HIGH_HZ / LOW_HZ) * (rows - 1))


@pytest.mark.parametrize("frequency", [60, 300, 1000, 8000, 15000])
def test_a_tone_stands_at_its_frequency(frequency):
    tone = np.sin(2 * np.pi * frequency * np.arange(44100) / 44100).astype(np.float32)
    level = log_spectrogram(tone, 44100)
    assert level.max() == pytest.approx(0, abs=0.1) and level.min() >= FLOOR_DB
    found = int(level.mean(axis=1).argmax())
    assert abs(found - row_of(frequency, level.shape[0])) <= 2


def test_a_click_stands_at_its_time_also_across_the_seam():
    click = np.zeros(44100, np.float32)
    click[[22050, 0]] = 1
    high = log_spectrogram(click, 44100)[-60:].mean(axis=0)
    columns = len(high)
    assert high[columns // 2] > -30 and high[0] > -30 and high[-1] > -30
    assert high[columns // 4] < -60


def test_nothing_above_the_nyquist_frequency():
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    level = log_spectrogram(noise, 16000)
    assert (level[row_of(8500, level.shape[0]) :] == FLOOR_DB).all()


@pytest.mark.parametrize("change", ["plain", "repeated", "silent", "unmeasured", "odd", "tiny", "out of range"])
def test_pictures_of_all_kinds_of_loops(change):
    pattern = beat(meter=(7, 8), tempo=170) if change == "odd" else beat(tempo=400 if change == "tiny" else 120)
    loop = FakeStudio().render(pattern, kit=BANK["warm-808"], seed=1)
    measured = dict.fromkeys(TIMBRE_NAMES, -0.4 if change == "out of range" else 0.7)
    if change == "repeated":
        loop = replace(loop, audio=np.tile(loop.audio, 3), bars=3)
    if change == "silent":
        loop = replace(loop, audio=np.zeros_like(loop.audio))
    found = None if change == "unmeasured" else measured
    picture = plot_loop(loop, pattern, asked=ASKED, measured=found, given={"low.depth"})
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    assert width > 1000 and height > 900


def test_the_same_loop_gives_the_same_bytes():
    loop = FakeStudio().render(beat(), kit=BANK["warm-808"], seed=1)
    assert plot_loop(loop, beat(), asked=ASKED, measured=ASKED) == plot_loop(loop, beat(), asked=ASKED, measured=ASKED)


def test_no_screen_is_looked_for():
    loop = FakeStudio().render(beat(), kit=BANK["warm-808"], seed=1)
    plot_loop(loop, beat(), asked=ASKED, measured=None)
    assert "matplotlib.pyplot" not in sys.modules

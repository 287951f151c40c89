"""The picture of a transfer."""

from __future__ import annotations

import struct
import sys

import numpy as np
import pytest
from fake_studio import BANK, FakeStudio, beat

from loopnet_cli.plotting_transfer import Part, plot_transfer


def part(title: str, *, tempo: float = 120.0, meter: tuple[int, int] = (4, 4), audio: bool = True, heard: bool = False):
    pattern = beat(meter=meter, tempo=tempo)
    loop = FakeStudio().render(pattern, kit=BANK["warm-808"])
    curves = np.linspace(0, 1, 3 * 200, dtype=np.float32).reshape(-1, 3) if heard else None
    return Part(title, pattern, loop.audio if audio else None, 44100, curves)


def size(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", picture[16:24])


def test_what_is_written_down_takes_less_room_than_what_sounds():
    result = part("result", tempo=97, meter=(7, 8))
    width, height = size(plot_transfer([part("rhythm", heard=True), part("sound", heard=True), result]))
    _, less = size(plot_transfer([part("rhythm", audio=False), part("sound", heard=True), result]))
    assert width > 1200 and less < height - 300


def test_hits_and_activations_are_drawn():
    with_hits = plot_transfer([part("x", audio=False)])
    without = plot_transfer([Part("x", beat().only(["tom"]))])
    with_curves = plot_transfer([part("x", audio=False, heard=True)])
    assert len({with_hits, without, with_curves}) == 3


@pytest.mark.parametrize("title", ["$x$ \x1b[2J\n" + 300 * "long", ""])
def test_any_title(title):
    assert size(plot_transfer([part(title, audio=False)]))


def test_silence_and_many_bars():
    silent = Part("x", beat(bars=300), np.zeros(4410, np.float32))
    assert size(plot_transfer([silent]))


def test_no_screen_is_looked_for():
    plot_transfer([part("x", audio=False)])
    assert "matplotlib.pyplot" not in sys.modules

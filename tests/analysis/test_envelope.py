"""The amplitude envelope."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.envelope import envelope, frame_envelope
from loopnet_cli.errors import AudioError

from .conftest import RATE, noise, tone


def test_agrees_with_essentia_from_rest(beat):
    es = pytest.importorskip("essentia.standard")
    follower = es.Envelope(attackTime=5, releaseTime=100)
    assert envelope(beat, circular=False) == pytest.approx(follower(beat), abs=1e-4)


def test_falls_with_its_time_constant():
    found = envelope(np.eye(1, RATE)[0], attack=0.0, release=0.1, circular=False)
    assert found[0] == 1
    assert found[4410] == pytest.approx(np.exp(-1), rel=1e-3)


def test_follows_at_once_without_time_constants(beat):
    assert envelope(beat, attack=0, release=0) == pytest.approx(np.abs(beat))


@pytest.mark.parametrize("shift", [1, 30000])
def test_a_loop_has_no_beginning(beat, shift):
    assert envelope(np.roll(beat, shift)) == pytest.approx(np.roll(envelope(beat), shift), abs=1e-5)
    assert envelope(np.tile(beat, 2)) == pytest.approx(np.tile(envelope(beat), 2), abs=1e-5)


def test_short_loops_settle():
    short = noise(0.01)
    assert envelope(np.tile(short, 50))[: len(short)] == pytest.approx(envelope(short), rel=1e-3)


def test_lies_between_nothing_and_the_peak(beat):
    found = envelope(beat)
    assert found.min() >= 0 and found.max() <= np.abs(beat).max()
    assert found.dtype == np.float32 and found.shape == beat.shape


def test_frames(beat):
    found = frame_envelope(beat)
    assert found.shape == (200,)
    assert found.max() == envelope(beat).max()
    assert frame_envelope(beat, frames=16).shape == (16,)
    assert frame_envelope(tone(100, 0.001)).shape == (1,)


def test_bad_input(beat):
    for audio in (np.zeros(0), np.zeros((2, 3)), np.array([np.nan])):
        with pytest.raises(AudioError):
            envelope(audio)
    with pytest.raises(AudioError, match="0 frames"):
        frame_envelope(beat, frames=0)

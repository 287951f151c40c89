"""The speed of hearing, on a transcriber that was never trained."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation import hearing_speed

sys.path.insert(0, str(Path(__file__).parent))
from signals import RATE, kick, play
from tiny import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_weights(tmp_path_factory.mktemp("model") / "weights")


def test_a_bar_is_written_over_and_over_without_a_gap(tmp_path):
    bar = 0.5 * play(kick(), [0, RATE // 2], RATE).astype(np.float32)
    path = hearing_speed._write(tmp_path / "long.wav", bar, 61.5)
    audio, rate = soundfile.read(path, dtype="float32")
    assert (rate, len(audio)) == (RATE, 61.5 * RATE)
    for second in (0, 59, 60):
        np.testing.assert_allclose(audio[second * RATE : (second + 1) * RATE], bar, atol=1e-4)


def test_every_run_is_timed_and_memory_is_read(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(hearing_speed, "WARM_UP", 0)
    bar = 0.5 * play(kick(), [0, RATE // 2], RATE).astype(np.float32)
    path = hearing_speed._write(tmp_path / "short.wav", bar, 4)
    found = hearing_speed.warm(path, weights, runs=1)
    assert {name: len(seconds) for name, seconds in found.items()} == {"transcription": 1, "whole analysis": 1}
    assert 0 < min(found["transcription"]) < max(found["whole analysis"])
    memory = hearing_speed.long(path, weights)
    assert 0 < memory["before"] <= memory["peak"]
    assert memory["seconds"] > 0


def test_a_child_that_fails_says_why(tmp_path):
    with pytest.raises(LoopnetError, match="cannot be read"):
        hearing_speed._child(["--long", str(tmp_path / "none.wav"), "--weights", str(tmp_path)], 1)

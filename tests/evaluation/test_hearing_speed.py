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


def test_the_figures_of_the_children_are_put_in_tables(weights, monkeypatch):
    asked = []

    def child(arguments, threads):
        asked.append((arguments[0], Path(arguments[1]).name, threads))
        assert soundfile.info(arguments[1]).duration == int(Path(arguments[1]).stem)
        if arguments[0] == "--warm":
            return {"transcription": [0.6 / threads] * 3, "whole analysis": [2.0] * 3}
        return {"before": 100.0, "peak": 300.0 + int(Path(arguments[1]).stem), "seconds": 4.0}

    monkeypatch.setattr(hearing_speed, "LENGTHS", {"10 s": 1, "4 minutes": 2, "an hour": 3})
    monkeypatch.setattr(hearing_speed, "_child", child)
    section = hearing_speed.section(weights=weights)
    assert asked == [("--warm", "1.wav", n) for n in (1, 2)] + [("--long", f"{n}.wav", 2) for n in (1, 2, 3)]
    assert [row[2].value for row in section.tables[0].rows] == [0.6, 2.0, 0.3, 2.0]
    assert [row[2].value for row in section.tables[1].rows] == [301.0, 302.0, 303.0]
    assert [(check.measured.value, check.met) for check in section.checks] == [(0.3, True), (1.0, True)]

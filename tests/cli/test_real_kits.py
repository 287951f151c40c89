"""Kits with the real model: what is stored sounds as what was typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fake_studio import GRID
from sounds import drum_loop, encoded

from loopnet_cli.synthesis import kit_store

REPOSITORY = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run ``loopnet WORDS...`` as a process of its own in an empty folder."""
    data = tmp_path / "data"
    monkeypatch.setenv("LOOPNET_DATA", str(data))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}

    def call(*words: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "loopnet_cli", *map(str, words)],
            capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def audio(path: Path) -> np.ndarray:
    return soundfile.read(path)[0]


def test_kits_that_are_stored_sound_as_they_were_typed(run, tmp_path):
    def loop(name: str, *words: object) -> np.ndarray:
        run("generate", GRID, "--seed", 1, "-o", name, "-q", *words)
        return audio(tmp_path / name)

    plain = loop("plain.wav", "--kit", "warm-808")
    run("kits", "save", "bright", "warm-808", "--brightness", "+.2")
    typed, stored = loop("typed.wav", "--kit", "warm-808", "--brightness", "+.2"), loop("stored.wav", "--kit", "bright")
    assert np.array_equal(typed, stored) and not np.allclose(plain, stored, atol=0.01)
    # on top of it: up again by as much as it went
    assert np.abs(loop("back.wav", "--kit", "bright", "--brightness", "-.2") - plain).max() < 1e-6
    # a mix, out of the loop that was made with it
    mix = loop("mix.wav", "--kit", "bright:1,tight-studio:2")
    assert run("kits", "import", "mix.wav", "--name", "again") == ""
    assert np.abs(loop("again.wav", "--kit", "again") - mix).max() < 1e-2
    assert (tmp_path / "mix.wav").stat().st_size - (tmp_path / "plain.wav").stat().st_size < 20_000


def test_the_sound_of_a_recording_comes_out_of_the_loop_that_has_it(run, tmp_path):
    (tmp_path / "break.wav").write_bytes(encoded(drum_loop(bars=2, bpm=120)))
    run("transfer", "-r", GRID, "-t", "break.wav", "--timbre-start", 0, "--seed", 1, "-o", "o.wav", "-q")
    imported = json.loads(run("kits", "import", "o.wav", "--json"))["imported"]
    assert list(imported) == ["break"]
    kit = kit_store.find_kit("break")
    assert kit.description == "heard in break.wav"
    run("kits", "save", "same", "break.wav")
    assert kit.codes == kit_store.find_kit("same").codes

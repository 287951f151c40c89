"""The command line driven in this process, with a model that costs nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

import loopnet_cli.synthesis
from loopnet_cli.cli import produce
from loopnet_cli.cli.app import app
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.pattern.write import write_midi

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from fake_studio import BANK, FakeStudio, beat


@dataclass
class Outcome:
    code: int
    stdout: str
    stderr: str
    stdout_bytes: bytes

    @property
    def loops(self) -> list[dict]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def refused(self, code: int, *parts: str) -> None:
        """Check for an exit code and one error line that holds all parts."""
        assert self.code == code, self
        lines = [line for line in self.stderr.splitlines() if line.startswith("loopnet: error: ")]
        assert len(lines) == 1, self.stderr
        for part in parts:
            assert part in lines[0], lines[0]
        assert "Traceback" not in self.stderr


@pytest.fixture
def studio(monkeypatch) -> FakeStudio:
    """Put a fake in the place of the model: `load_studio` and `read_bank` are where the command line gets it."""
    model = FakeStudio()
    model.loaded = 0

    def load():
        model.loaded += 1
        return model

    monkeypatch.setattr(loopnet_cli.synthesis, "load_studio", load, raising=False)
    monkeypatch.setattr("loopnet_cli.synthesis.bank.read_bank", lambda: BANK)
    # the analysis takes longer than all else here; test_generate has one run with the real one
    measured = produce.Measured(dict.fromkeys(TIMBRE_NAMES, 0.25), (0.5,) * 12)
    monkeypatch.setattr(produce, "analyse", lambda model, loop: measured)
    return model


@pytest.fixture
def own_kits(tmp_path_factory, monkeypatch) -> Path:
    """The folder of the user's kits: a new one, wherever the tests run."""
    data = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("LOOPNET_DATA", str(data))
    return data / "kits"


@pytest.fixture
def loopnet(studio, own_kits, tmp_path, monkeypatch):
    """Run ``loopnet WORDS...`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, input: bytes | None = None) -> Outcome:
        result = CliRunner().invoke(app, [str(word) for word in words], input=input)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr, result.stdout_bytes)

    return run


@pytest.fixture
def midi(tmp_path) -> Path:
    """A MIDI file of one bar at 120 BPM."""
    path = tmp_path / "beat.mid"
    write_midi(beat(), path)
    return path

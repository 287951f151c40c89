"""The whole way with the model that comes with the package, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.errors import WeightsError
from loopnet_cli.synthesis.bank import DEFAULT_KIT, weights_folder

GRID = "bpm=97 meter=7/8\nkick: x.....x...x... snare: ....x.....x..."

try:
    weights_folder()
except WeightsError as error:
    pytest.skip(f"no weights to test: {error}", allow_module_level=True)


def loopnet(*words: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "loopnet_cli", *words]
    return subprocess.run(command, capture_output=True, cwd=cwd, env=env, timeout=300)


def test_a_loop_with_everything(tmp_path):
    done = loopnet(
        "generate", GRID, "-o", "a.wav", "--stems", "s", "--plot", "a.png", "--json", "--seed", "3",
        "--low-boominess", "+.3", "--subtype", "float", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    audio, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 44100 and audio.shape == (round(60 / 97 * 3.5 * 44100),)
    stems = [soundfile.read(path)[0] for path in sorted((tmp_path / "s").iterdir())]
    np.testing.assert_allclose(sum(stems), audio, atol=1e-5)
    assert told["controls"]["kit"] == DEFAULT_KIT and told["clipped"] == 0
    assert told["true_peak_db"] == pytest.approx(-1, abs=0.05)
    assert {value["measured"] is None for value in told["controls"]["timbre"].values()} == {False}


def test_the_seed_reproduces_the_bytes_across_processes(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert loopnet("generate", GRID, "-o", f"{name}.wav", "--seed", seed, cwd=tmp_path).returncode == 0
    a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert a == b != c


def test_the_bank(tmp_path):
    listed = json.loads(loopnet("kits", "list", "--json", cwd=tmp_path).stdout)
    assert len(listed) >= 24 and DEFAULT_KIT in {kit["name"] for kit in listed}
    assert all(kit["description"] for kit in listed)

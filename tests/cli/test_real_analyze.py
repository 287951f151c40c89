"""``loopnet analyze`` with nothing faked: processes of their own, the transcriber and the model of the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import drum_loop, encoded

from loopnet_cli.errors import WeightsError
from loopnet_cli.pattern.midi import read_midi
from loopnet_cli.synthesis.bank import weights_folder

GRID = "bpm=97\nkick: x.....x...x..... snare: ....x.......x... hat: x.x.x.x.x.x.x.x."

try:
    FOUND = {path.name for path in weights_folder().iterdir()}
except WeightsError as error:
    pytest.skip(f"no weights to test: {error}", allow_module_level=True)
if "ear.safetensors" not in FOUND:
    pytest.skip("the weights hold no transcriber (ear.safetensors)", allow_module_level=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a loop that the model made, whose pattern is known."""
    folder = tmp_path_factory.mktemp("real")
    assert loopnet("generate", GRID, "-o", "beat.wav", "--seed", "1", cwd=folder).returncode == 0
    return folder


def loopnet(*words: str, cwd: Path, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOOPNET_DATA": str(cwd / "data")}
    command = [sys.executable, "-m", "loopnet_cli", *words]
    return subprocess.run(command, capture_output=True, cwd=cwd, env=env, timeout=600, input=input)


def refused(done: subprocess.CompletedProcess[bytes], code: int, *parts: str) -> None:
    text = done.stderr.decode()
    assert done.returncode == code and done.stdout == b"", text
    assert text.startswith("loopnet: error: ") and text.count("\n") == 1
    for part in parts:
        assert part in text


def test_a_loop_with_everything(place):
    done = loopnet("analyze", "beat.wav", "--json", "--plot", "beat.png", "--midi", "beat.mid", cwd=place)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["section"]["bpm"] == pytest.approx(97, abs=0.01) and told["section"]["is_loop"] is True
    beats = {voice: [h["beat"] for h in told["pattern"] if h["voice"] == voice] for voice in told["counts"]}
    assert beats["kick"] == pytest.approx([0, 1.5, 2.5], abs=0.05)
    assert beats["snare"] == pytest.approx([1, 3], abs=0.05)
    assert beats["hat_closed"] == pytest.approx(list(np.arange(8) / 2), abs=0.05)
    assert (place / "beat.png").read_bytes()[:4] == b"\x89PNG"
    assert len(read_midi(place / "beat.mid").pattern.hits) == len(told["pattern"])


@pytest.mark.skipif("strokes.safetensors" not in FOUND, reason="the weights hold no prior of strokes")
def test_a_kit(place):
    done = loopnet("analyze", "beat.wav", "--json", "--save-kit", "mine", cwd=place)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["outputs"]["kit"] == str(place / "data" / "kits" / "mine.json")
    again = loopnet("generate", GRID, "--kit", "mine", "-o", "again.wav", cwd=place)
    assert again.returncode == 0, again.stderr.decode()
    assert soundfile.info(place / "again.wav").frames == soundfile.info(place / "beat.wav").frames
    listed = loopnet("kits", cwd=place).stdout.decode().splitlines()
    assert listed[-1].split()[:2] == ["mine", "+"]


def test_the_table(place):
    done = loopnet("analyze", "beat.wav", cwd=place)
    assert done.returncode == 0 and done.stderr == b""
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "beat.wav" and any(line.startswith("tempo") and "97.00 BPM" in line for line in lines)


def test_no_torch_is_loaded(place):
    code = (
        "import sys, atexit\n"
        "heavy = {'torch', 'librosa', 'matplotlib', 'pretty_midi'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        "from loopnet_cli.cli.app import main\n"
        "main()"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code, "analyze", "beat.wav", "-q"]
    done = subprocess.run(command, capture_output=True, cwd=place, env=env, timeout=120)
    assert done.stdout == b"[]\n", done


def test_standard_input_to_standard_output(place):
    done = loopnet("analyze", "-", "--midi", "-", cwd=place, input=(place / "beat.wav").read_bytes())
    assert done.returncode == 0 and done.stderr == b""
    assert read_midi(done.stdout).pattern.tempo == pytest.approx(97, abs=0.01)


ODD = {
    "silence": (np.zeros(44100), "is silent"),
    "offset": (np.full(44100, 0.25), "a steady offset of +0.25"),
    "nan": (np.full(44100, np.nan), "NaN"),
    "short": (drum_loop()[:441], "too short, 10 ms"),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_recordings(tmp_path, kind):
    audio, reason = ODD[kind]
    (tmp_path / "x.wav").write_bytes(encoded(audio, subtype="FLOAT"))
    refused(loopnet("analyze", "x.wav", "--midi", "x.mid", cwd=tmp_path), 1, "x.wav", reason)
    assert {path.name for path in tmp_path.iterdir()} == {"x.wav"}


def test_clipping_and_offset(tmp_path):
    (tmp_path / "x.wav").write_bytes(encoded(np.clip(4 * drum_loop() + 0.1, -1, 1)))
    done = loopnet("analyze", "x.wav", "--json", cwd=tmp_path)
    assert done.returncode == 0
    warnings = json.loads(done.stdout)["warnings"]
    assert len(warnings) == 2 and "samples clipped" in warnings[0] and "removed" in warnings[1]


def test_noise_makes_no_hits(tmp_path):
    noise = 0.05 * np.random.default_rng(0).standard_normal(4 * 44100)
    (tmp_path / "x.wav").write_bytes(encoded(noise))
    told = json.loads(loopnet("analyze", "x.wav", "--json", cwd=tmp_path).stdout)
    assert sum(told["counts"].values()) <= 8  # two a second; docs/RESULTS.md counts them over minutes


@pytest.mark.slow
def test_four_minutes_are_heard_in_pieces(tmp_path):
    (tmp_path / "x.flac").write_bytes(encoded(np.tile(drum_loop(bars=8), 15), "FLAC", "PCM_16"))
    done = loopnet("analyze", "x.flac", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["source"]["seconds"] == 240 and "long: bars were looked for" in told["warnings"][0]
    assert told["section"]["bpm"] == pytest.approx(120, rel=0.01)
    assert told["recording"]["hits"] > 1000

"""``loopnet transfer`` with nothing faked: processes of their own, the transcriber and the model of the package."""

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
from loopnet_cli.synthesis.bank import weights_folder

try:
    FOUND = {path.name for path in weights_folder().iterdir()}
except WeightsError as error:
    pytest.skip(f"no weights to test: {error}", allow_module_level=True)
if "ear.safetensors" not in FOUND:
    pytest.skip("the weights hold no transcriber (ear.safetensors)", allow_module_level=True)

RHYTHM = "bpm=97\nkick: x.....x...x..... snare: ....x.......x... hat: x.x.x.x.x.x.x.x."
KICKS, SNARES = [0.0, 1.5, 2.5], [1.0, 3.0]
OTHER = "bpm=124\nkick: x.......x.x..... snare: ....x.......x... hat: ..x...x...x...x."


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with two loops that the model made, whose patterns are known."""
    folder = tmp_path_factory.mktemp("real")
    for words in ((RHYTHM, "-o", "a.wav"), (OTHER, "-o", "b.wav", "--kit", "boomy-808")):
        assert loopnet("generate", *words, "--seed", "1", cwd=folder).returncode == 0
    return folder


def loopnet(*words: str, cwd: Path, start: str = "") -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOOPNET_DATA": str(cwd / "data")}
    command = [sys.executable, "-c", f"{start}\nfrom loopnet_cli.cli.app import main\nmain()", *words]
    return subprocess.run(command, capture_output=True, cwd=cwd, env=env, timeout=600)


def told(done: subprocess.CompletedProcess[bytes]) -> list[dict]:
    """Return the JSON lines of a run that went well."""
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_rhythm_is_kept_and_the_sound_is_carried_over(place):
    words = ("-r", "a.wav", "-t", "b.wav", "-o", "out.wav", "--plot", "out.png", "--stems", "s", "--seed", "2")
    (made,) = told(loopnet("transfer", *words, "--json", cwd=place))
    assert made["bpm"] == pytest.approx(97, abs=0.01) and made["hits"]["kick"] == 3 and made["hits"]["snare"] == 2
    assert soundfile.info(place / "out.wav").frames == soundfile.info(place / "a.wav").frames
    assert (place / "out.png").read_bytes().startswith(b"\x89PNG")

    a, b, out = told(loopnet("analyze", "a.wav", "b.wav", "out.wav", "--json", cwd=place))
    beats = {voice: [hit["beat"] for hit in out["pattern"] if hit["voice"] == voice] for voice in ("kick", "snare")}
    for voice, asked in (("kick", KICKS), ("snare", SNARES)):
        # heard again, by ears that err now and then: all that was struck, and next to nothing else
        assert all(any(abs(beat - there) < 0.05 for there in beats[voice]) for beat in asked), voice
        assert len(beats[voice]) <= len(asked) + 1, voice
    # the result has B's 21 numbers rather than A's
    numbers = [{name: entry["value"] for name, entry in heard["timbre"].items()} for heard in (a, b, out)]
    to_a, to_b = (sum(abs(there[name] - value) for name, value in numbers[2].items()) for there in numbers[:2])
    assert to_b < to_a


BLOCKED = """
import atexit, sys
from importlib.machinery import PathFinder
real = PathFinder.find_spec
def find_spec(name, path=None, target=None):
    return None if name.split(".")[0] in ("madmom", "pyrubberband") else real(name, path, target)
PathFinder.find_spec = find_spec
heavy = {"madmom", "pyrubberband", "torch", "librosa"}
atexit.register(lambda: print(sorted(heavy & set(sys.modules)), file=sys.stderr))
"""
"""As if neither were installed; says at the end what was loaded that should not have been."""


@pytest.mark.parametrize("kind", ["cut as a loop", "longer"])
def test_with_madmom_and_rubberband_absent(place, kind):
    """Beats are looked for in what is not cut as a loop: that is where madmom would be used."""
    rhythm = "a.wav"
    if kind == "longer":
        audio, rate = soundfile.read(place / "a.wav")
        rhythm = "long.wav"
        soundfile.write(place / rhythm, np.concatenate([audio[-9000:], np.tile(audio, 4), audio[:20000]]), rate)
    words = ("-r", rhythm, "-t", "b.wav", "--bpm", "120", "--bars", "1", "-o", "absent.wav", "--overwrite", "-q")
    done = loopnet("transfer", *words, "--json", cwd=place, start=BLOCKED)
    (made,) = told(done)
    assert done.stderr == b"[]\n"
    assert soundfile.info(place / "absent.wav").frames == 88200
    assert made["rhythm"]["bpm"] == pytest.approx(97, rel=0.02) and made["hits"]["kick"] == 3

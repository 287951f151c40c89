"""The messages on the page of troubles are those that the tool gives."""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loopnet_cli.cli.app import app

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from blocks import prints

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "TROUBLESHOOTING.md"

LINES = """
generate nothing.mid -o x.wav
generate tone.wav -o x.wav
generate cut.mid -o x.wav
generate 'kik: x...' -o x.wav
generate 'kick: x..' -o x.wav
generate late.grid --bars 1 -o x.wav
generate piano.mid -o x.wav
generate odd.mid -o x.wav
generate beat.grid --kit warm-809 -o x.wav
kits save warm-808 tight-studio
kits save mine tight-studio
generate beat.grid --brightness 2 -o x.wav
generate beat.grid --brightness high -o x.wav
generate beat.grid --chroma H -o x.wav
generate beat.grid --warmth .7 --refine 3 --model multi -o x.wav
generate beat.grid --bars 128 --bpm 20 --warmth .7 --refine 1 -o x.wav
kits import mute.json
generate beat.grid --kit mute -o x.wav
analyze beat.grid
analyze cut.wav
analyze silent.wav
generate beat.grid -o first.wav
generate beat.grid -o nowhere/x.wav
generate beat.grid -o x.mp3
generate beat.grid -o loops
generate beat.grid beat.grid -o x.wav
generate beat.grid beat.grid --seed 1 --out-dir . --name same
batch column.csv
batch cell.csv
batch twice.csv
grid beat.grid --sweep brightnes=0:1:5 -o g
grid beat.grid --sweep brightness=0:1:2000 -o g
grid beat.grid --sweep kit=a:0.3,b:0.7 -o g
batch - --format csv --resume
batch good.csv --engine dask
"""

ELSEWHERE = {
    "playing needs sounddevice: pip install 'loopnet[play]'": "loopnet_cli/audio/play.py",
    "playing needs the PortAudio library ...: install it (Debian: apt install libportaudio2)": "loopnet_cli/audio",
    "no audio device to play on": "loopnet_cli/audio/play.py",
    "the program rubberband is needed to stretch audio: install it ...": "loopnet_cli/audio/stretch.py",
    "the weights of ... do not come with this version: train them (loopnet train --model ...": "loopnet_cli/synthesis",
    "no weights found in ...: install loopnet again": "loopnet_cli/synthesis/bank.py",
    "--engine dask needs dask.distributed: pip install 'loopnet[dask]'": "loopnet_cli",
    "another run is writing ...: wait for it, or name another --record": "loopnet_cli/jobs",
    "... and is not what this row has made: use --overwrite": "loopnet_cli/jobs/plan.py",
    "...: made for other weights, ...": "loopnet_cli/synthesis",
    "...: ... LUFS instead of -16: more would pass the true peak of -1 dB": "loopnet_cli",
    "... notes have no voice: ...": "loopnet_cli/pattern/midi.py",
}
"""Messages that need another machine or a long run: their fixed parts are looked for in the code."""


def messages() -> list[str]:
    return [match[1] for match in re.finditer(r"^\| `(.+?)`(?: \(a warning\))? \|", PAGE.read_text(), re.MULTILINE)]


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> list[str]:
    """Give the tool all that is wrong, and return what it says."""
    folder = tmp_path_factory.mktemp("troubles")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("LOOPNET_DATA", str(folder / "data"))
        make_inputs(folder)
        results = [CliRunner().invoke(app, shlex.split(line), input="seed\n1\n") for line in LINES.strip().splitlines()]
        results.append(CliRunner().invoke(app, ["kits", "save", "mine", "tight-studio"]))
    assert not any("Traceback" in result.stderr for result in results)
    lines = [line for result in results for line in result.stderr.splitlines()]
    return [line.partition(": error: ")[2] for line in lines if line.startswith("loopnet: error: ")]


def make_inputs(folder: Path) -> None:
    import mido
    import numpy as np
    import soundfile

    from loopnet_cli.synthesis.bank import read_bank
    from loopnet_cli.synthesis.kit_file import entry_of

    sound = np.sin(np.arange(44100) * 0.05).astype(np.float32)
    for name in ("tone.wav", "first.wav"):
        soundfile.write(folder / name, sound, 44100)
    soundfile.write(folder / "silent.wav", 0 * sound, 44100)
    (folder / "cut.wav").write_bytes((folder / "tone.wav").read_bytes()[:3000])
    (folder / "cut.mid").write_bytes(b"MThd\0\0\0\6\0\1")
    for name, channels, note in (("piano.mid", (0, 1), 60), ("odd.mid", (9,), 3)):
        notes = [mido.Message("note_on", channel=channel, note=note, time=10) for channel in channels]
        mido.MidiFile(tracks=[mido.MidiTrack(notes)]).save(folder / name)
    (folder / "beat.grid").write_text("kick: x...x...x...x...\n")
    (folder / "late.grid").write_text("kick: ................ | x...x...x...x...\n")
    (folder / "column.csv").write_text("input,kitt\nbeat.grid,warm-808\n")
    (folder / "cell.csv").write_text("input,seed\nbeat.grid,1\nbeat.grid,x\n")
    (folder / "twice.csv").write_text("input,seed\nbeat.grid,1\nbeat.grid,1\n")
    levels = dict.fromkeys(read_bank()["tight-studio"].levels, 0.0)
    mute = replace(read_bank()["tight-studio"], name="mute", levels=levels)
    (folder / "mute.json").write_text(json.dumps(entry_of(mute)))
    (folder / "loops").mkdir()
    (folder / "good.csv").write_text("input,seed\nbeat.grid,1\n")


def test_messages_are_found_on_the_page():
    assert len(messages()) > 30
    assert set(ELSEWHERE) <= set(messages())


@pytest.mark.parametrize("message", [message for message in messages() if message not in ELSEWHERE])
def test_the_tool_says_so(message, said):
    assert any(prints(message, line) for line in said), "\n".join(said)


@pytest.mark.parametrize("message", sorted(ELSEWHERE))
def test_the_code_has_it(message):
    place = REPOSITORY / ELSEWHERE[message]
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    code = "\n".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8")) for path in files)
    for part in message.replace("-16", "...").replace("-1 dB", "...").split("..."):
        for words in re.findall(r"[\w ,]{4,}", part):
            assert words.strip() in code, words

"""The shell scripts of examples/, run as they are, with the fake model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loopnet_cli.pattern.write import write_midi

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
CLI_TESTS = REPOSITORY / "tests" / "cli"
sys.path.insert(0, str(CLI_TESTS))
from fake_studio import beat  # noqa: E402 - after the path to it

if shutil.which("bash") is None:
    pytest.skip("there is no bash", allow_module_level=True)


@pytest.fixture
def shell(tmp_path):
    """Run a script of examples/ in a folder with two MIDI files in ``midi``, one with a blank in its name."""
    loopnet = tmp_path / "bin" / "loopnet"
    loopnet.parent.mkdir()
    loopnet.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CLI_TESTS / "fake_main.py"}" "$@"\n')
    loopnet.chmod(0o755)
    (tmp_path / "midi").mkdir()
    for name in ("one", "two beats"):
        write_midi(beat(), tmp_path / "midi" / f"{name}.mid")
    env = {
        **os.environ,
        "PATH": f"{loopnet.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(CLI_TESTS)]),
    }

    def run(name: str, *words: object, code: int = 0, input: bytes | None = None, **more: str):
        command = [str(EXAMPLES / name), *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, env={**env, **more}, input=input, capture_output=True, timeout=180, check=False
        )
        assert done.returncode == code, done.stderr.decode()
        return done

    return run


def loops(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.wav")}


def test_all_scripts_are_tried_here():
    text = Path(__file__).read_text() + (REPOSITORY / "tests/packaging/test_setup_commands.py").read_text()
    others = {"reproduce_paper.sh", "render_all.sh"}
    for path in [*EXAMPLES.glob("*.sh"), *EXAMPLES.glob("*.mk")]:
        assert path.name in others or f'"{path.name}"' in text
        assert path.name in others or path.name in (REPOSITORY / "docs/SHELL.md").read_text()


def test_find_and_xargs(shell, tmp_path):
    shell("xargs.sh", "midi", "out", "--kit", "warm-808")
    assert loops(tmp_path / "out") == {"one_warm-808_1.wav", "two beats_warm-808_1.wav"}
    (tmp_path / "midi" / "bad.mid").write_bytes(b"no")
    assert b"bad.mid" in shell("xargs.sh", "midi", "out", code=123).stderr


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_gnu_parallel(shell, tmp_path):
    shell("parallel.sh", "out", "warm-808,dusty-vinyl", "midi/one.mid", "midi/two beats.mid")
    assert loops(tmp_path / "out") == {
        f"{stem}_{kit}.wav" for stem in ("one", "two beats") for kit in ("warm-808", "dusty-vinyl")
    }
    assert len((tmp_path / "out" / "joblog.tsv").read_text().splitlines()) == 5


def test_a_pipe(shell, tmp_path):
    midi = (tmp_path / "midi" / "one.mid").read_bytes()
    done = shell("pipe.sh", "--seed", 1, input=midi)
    assert done.stdout[:4] == b"RIFF" and done.stderr == b""
    assert not list(tmp_path.rglob("*.wav"))
    assert shell("pipe.sh", code=1, input=b"no").stdout == b""


def test_a_loop_over_seeds(shell, tmp_path):
    shell("seeds.sh", "midi/one.mid", "out", 3, 4, "--bpm", 100)
    assert loops(tmp_path / "out") == {"seed-3.wav", "seed-4.wav"}
    told = [json.loads(line) for line in (tmp_path / "out" / "loops.jsonl").read_text().splitlines()]
    assert [(loop["seed"], loop["bpm"]) for loop in told] == [(3, 100), (4, 100)]


def test_watching_a_folder(shell, tmp_path):
    (tmp_path / "midi" / "bad.mid").write_bytes(b"no")
    done = shell("watch.sh", "midi", "out", ROUNDS="2", EVERY="0")
    assert loops(tmp_path / "out") == {"one.wav", "two beats.wav"}
    assert done.stderr.count(b"bad.mid") == 2, "what cannot be read is tried again, and stops nothing"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_makefile_rule(tmp_path, shell):
    (tmp_path / "midi" / "two beats.mid").unlink()  # make knows no blanks in names
    command = ["make", "-f", EXAMPLES / "loops.mk", "MIDI=midi", "OUT=out", "KIT=warm-808"]
    env = {
        **os.environ, "LOOPNET": str(tmp_path / "bin" / "loopnet"), "MAKEFLAGS": "",
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(CLI_TESTS)]),
    }  # fmt: skip

    def make() -> str:
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout

    assert "generate" in make() and loops(tmp_path / "out") == {"one.wav"}
    assert "generate" not in make()
    later = time.time() + 10
    os.utime(tmp_path / "midi" / "one.mid", (later, later))
    assert "generate" in make()


def test_a_table_from_the_shell(shell, tmp_path):
    (tmp_path / "midi" / "one.mid").unlink()
    shell("batch.sh", "midi", "out", "--jobs", 1)
    assert loops(tmp_path / "out") == {f"two beats-{bpm}.wav" for bpm in (90, 120, 150)}
    assert b"3 rows complete before" in shell("batch.sh", "midi", "out", "--jobs", 1).stderr

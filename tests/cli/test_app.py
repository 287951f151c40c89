"""The root command and how it meets the shell: help, version, errors, pipes, completion, imports."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_studio import GRID, make_kit

from loopnet_cli.synthesis import kit_store
from loopnet_cli.version import __version__

HEAVY = ("torch", "essentia", "madmom", "scipy.signal", "librosa", "matplotlib", "soundfile", "mido", "pretty_midi")

HELP = [
    ["--help"],
    ["--version"],
    ["-h"],
    [],
    ["generate", "--help"],
    ["analyze", "--help"],
    ["kits", "--help"],
    ["kits", "list", "--help"],
    ["kits", "show", "--help"],
    ["kits", "path"],
    ["kits", "remove", "--help"],
]

FAKE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import loopnet_cli.synthesis, loopnet_cli.synthesis.bank as bank
from fake_studio import BANK, FakeStudio
bank.read_bank = lambda: BANK
loopnet_cli.synthesis.load_studio = FakeStudio
from loopnet_cli.cli.app import main
"""


def python(*words: str, input: bytes | None = None, env: dict[str, str] | None = None, cwd: Path | None = None):
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(env or {})}
    return subprocess.run([sys.executable, *words], capture_output=True, input=input, env=where, cwd=cwd, timeout=120)


def fake_main(*words: str, **rest):
    """Run the console script's function in a process of its own, with the fake model."""
    return python("-c", FAKE + "main()", *words, **rest)


@pytest.mark.parametrize("words", HELP, ids=" ".join)
def test_help_loads_nothing_heavy(words):
    code = (
        "import sys, atexit, json\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print(json.dumps([m for m in heavy if m in sys.modules]), file=sys.stderr))\n"
        "from loopnet_cli.cli.app import main\n"
        "main()"
    )
    done = python("-c", code, *words)
    assert done.returncode == 0 and done.stdout
    assert json.loads(done.stderr.splitlines()[-1]) == []


def has_transforms() -> bool:
    """Tell whether scipy's compiled transforms lie where they are found without importing it (up to scipy 1.17)."""
    from loopnet_cli.audio import fourier

    return fourier._compiled() is not None


def test_generating_with_a_light_model_loads_only_what_it_needs(tmp_path):
    code = FAKE + (
        "import atexit, json\n"
        f"heavy = {[m for m in HEAVY if m != 'soundfile'] + ['scipy'] * has_transforms()!r}\n"
        "atexit.register(lambda: print(json.dumps([m for m in heavy if m in sys.modules]), file=sys.stderr))\n"
        "main()"
    )
    done = python("-c", code, "generate", GRID, "-o", "a.wav", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "a.wav").is_file()
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_version_by_module():
    done = python("-m", "loopnet_cli", "--version")
    assert done.stdout.decode().strip() == f"loopnet {__version__}"


def test_help_calls_the_program_by_its_name():
    assert b"loopnet generate [OPTIONS]" in python("-m", "loopnet_cli", "generate", "--help").stdout


def test_a_misspelt_command():
    done = python("-m", "loopnet_cli", "genrate")
    assert done.returncode == 2 and done.stdout == b""
    line = done.stderr.decode()
    assert line.startswith("loopnet: error: ") and "generate" in line and line.count("\n") == 1


def test_an_error_of_the_user_in_a_real_process(tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"no")
    done = fake_main("generate", "bad.mid", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.decode().startswith("loopnet: error: bad.mid") and done.stderr.count(b"\n") == 1


def test_a_bug_is_one_line_and_debug_shows_where(loopnet, studio, midi, monkeypatch):
    def broken(*_args, **_rest):
        raise ZeroDivisionError("somewhere")

    monkeypatch.setattr(studio, "render", broken)
    done = loopnet("generate", midi, "-o", "a.wav")
    assert done.code == 1 and "Traceback" not in done.stderr
    assert "unexpected ZeroDivisionError: somewhere" in done.stderr and "--debug" in done.stderr
    for words in (["--debug", "generate", midi, "-o", "a.wav"], ["generate", midi, "-o", "a.wav", "--debug"]):
        shown = loopnet(*words)
        assert shown.code == 1 and "Traceback" in shown.stderr and "in broken" in shown.stderr


def test_debug_shows_where_an_error_of_the_user_comes_from(loopnet, midi):
    done = loopnet("generate", midi, "--kit", "none", "--debug")
    assert done.code == 2 and "Traceback" in done.stderr and "loopnet: error: " in done.stderr


def test_ctrl_c(loopnet, studio, midi, tmp_path, monkeypatch):
    def interrupted(*_args, **_rest):
        raise KeyboardInterrupt

    monkeypatch.setattr(studio, "render", interrupted)
    done = loopnet("generate", midi, "-o", "a.wav")
    assert done.code == 130 and "Traceback" not in done.stderr
    assert not (tmp_path / "a.wav").exists()


def test_memory_error(loopnet, studio, midi, monkeypatch):
    def greedy(*_args, **_rest):
        raise MemoryError

    monkeypatch.setattr(studio, "render", greedy)
    done = loopnet("generate", midi, "-o", "a.wav")
    assert done.code == 1 and "not enough memory" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_reader_that_goes_away_is_no_reason_to_complain(tmp_path):
    script = tmp_path / "main.py"
    script.write_text(FAKE + "main()")
    shell = f"'{sys.executable}' '{script}' generate '{GRID}' --bars 64 -o - -q | head -c 10 >/dev/null"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(["sh", "-c", shell], capture_output=True, timeout=120, cwd=tmp_path, env=env)
    assert done.stderr == b""


def test_stdin_and_stdout_of_a_real_process(tmp_path, midi):
    done = fake_main("generate", "-", "-o", "-", "-q", input=midi.read_bytes(), cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == b"" and done.stdout[:4] == b"RIFF"


COMPLETIONS = [
    ("gen", "generate"),
    ("generate --low-b", "--low-brightness"),
    ("generate --kit war", "warm-808"),
    ("kits show du", "dusty-vinyl"),
    ("generate --kit mi", "mine"),
    ("kits remove mi", "mine"),
]


@pytest.mark.parametrize(("words", "expected"), COMPLETIONS)
def test_completion_in_bash(words, expected, own_kits, studio):
    kit_store.save_kit(make_kit("mine", "one of my own", 0.4))
    line = f"loopnet {words}"
    env = {"_LOOPNET_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = fake_main(env=env)
    assert expected in done.stdout.decode().split()


def test_the_completion_script_asks_the_program():
    env = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # so that the shell can be named
    done = python("-m", "loopnet_cli", "--show-completion", "bash", env=env)
    assert b"_LOOPNET_COMPLETE=complete_bash" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_on_a_terminal_a_bar_moves_and_lines_stay_clear_of_it(tmp_path):
    import pty

    (tmp_path / "main.py").write_text(FAKE + "main()")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "main.py", "generate", GRID, "--variations", "3", "--seed", "1"]
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, cwd=tmp_path, env=env) as process:
        os.close(slave)
        shown = b""
        # at the end of the process Linux answers with an error, others with nothing
        with contextlib.suppress(OSError):
            while part := os.read(master, 4096):
                shown += part
        assert process.stdout is not None and process.stdout.read() == b""
    os.close(master)
    text = shown.decode()
    assert "3/3" in text
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text))
    told = [line.strip() for line in lines if "kit tight-studio" in line]
    assert len(told) == 3 and all(line.startswith("grid_tight-studio_") for line in told)


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_bar_on_the_terminal_takes_nothing_away_from_standard_output(tmp_path):
    import pty

    (tmp_path / "main.py").write_text(FAKE + "main()")
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm", "COLUMNS": "40"}
    command = [sys.executable, "main.py", "generate", GRID, "--variations", "2", "--seed", "1", "--json"]
    master, slave = pty.openpty()
    with open(tmp_path / "out.jsonl", "wb") as out:  # noqa: PTH123 - a stream for the process
        subprocess.run(command, stdout=out, stderr=slave, cwd=tmp_path, env=env, timeout=120, check=True)
    os.close(slave)
    os.close(master)
    told = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [loop["seed"] for loop in told] == [1, 2]


def test_no_colour_codes_where_nobody_looks(tmp_path):
    done = fake_main("generate", GRID, "--variations", "2", cwd=tmp_path)
    assert done.returncode == 0 and b"\x1b" not in done.stderr + done.stdout

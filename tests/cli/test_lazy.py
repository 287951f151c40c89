"""Commands are imported when they are asked for, each by its line in the table, and are all there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from loopnet_cli.cli.app import app
from loopnet_cli.cli.commands import COMMANDS
from loopnet_cli.cli.lazy import LazyCommands, load_command

ROOT = Path(__file__).parents[2]
GROUPS = {name for name, place in COMMANDS.items() if place.endswith(":app")}
NOT_FOR_GENERATE = (
    "torch", "essentia", "madmom", "librosa", "matplotlib", "pretty_midi", "mido", "scipy", "h5py", "yaml", "PIL",
    "pydantic", "rich", "numpy.testing", "numpy.ma", "numpy.f2py", "multiprocessing", "asyncio", "importlib.metadata",
    "loopnet_cli.cli.transfer", "loopnet_cli.cli.batch", "loopnet_cli.cli.analyze", "loopnet_cli.cli.train",
    "loopnet_cli.training", "loopnet_cli.report", "loopnet_cli.data",
)  # fmt: skip


def loaded_after(code: str, *words: str) -> set[str]:
    """Run code in a process of its own; return the modules that it has loaded at its end."""
    end = "import atexit, json, sys\natexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
    where = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", end + code, *words], capture_output=True, text=True, env=where)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def commands_of(group: object) -> dict:
    return group.commands  # type: ignore[attr-defined]


def test_the_app_loads_no_command():
    loaded = loaded_after("import loopnet_cli.cli.app")
    places = {f"loopnet_cli.cli.{place.partition(':')[0]}" for place in COMMANDS.values()}
    assert not loaded & places
    assert not loaded & {"numpy", "soundfile", "pydantic", "rich", *NOT_FOR_GENERATE}


def test_generate_loads_nothing_that_it_does_not_use(tmp_path):
    words = ["generate", str(ROOT / "examples/patterns/boom-bap.mid"), "-o", str(tmp_path / "x.wav"), "--seed", "1"]
    loaded = loaded_after("from loopnet_cli.cli.app import main\nmain()", *words)
    assert (tmp_path / "x.wav").exists() and "loopnet_cli.synthesis.studio" in loaded
    from loopnet_cli.audio import fourier

    spared = set(NOT_FOR_GENERATE)
    if fourier._compiled() is None:
        spared -= {"scipy", "numpy.testing", "numpy.ma", "numpy.f2py"}  # this scipy has its transforms elsewhere
    assert not loaded & spared


@pytest.mark.parametrize("name", COMMANDS)
def test_every_line_of_the_table_is_a_command_with_a_help(name):
    place = COMMANDS[name]
    command = load_command(name.split()[-1], place)
    assert command.name == name.split()[-1]
    assert command.help and (hasattr(command, "commands") == (name in GROUPS))


def test_all_commands_are_in_the_help_in_the_order_of_the_table():
    root = get_command(app)
    assert list(commands_of(root)) == [name for name in COMMANDS if " " not in name]
    text = CliRunner().invoke(app, ["--help"]).stdout
    at = [text.index(f" {name} ") for name in commands_of(root)]
    assert at == sorted(at)
    for group in GROUPS:
        below = [name.partition(" ")[2] for name in COMMANDS if name.startswith(f"{group} ")]
        assert set(below) <= set(commands_of(commands_of(root)[group]))


def test_asking_for_one_builds_no_other():
    commands = LazyCommands({"generate": "generate:generate", "broken": "no_such_module:x"})
    assert list(commands) == ["generate", "broken"] and "broken" in commands and len(commands) == 2
    assert commands["generate"] is commands["generate"]
    assert commands.get("none") is None
    with pytest.raises(ModuleNotFoundError):
        commands["broken"]


def test_commands_of_the_usual_kind_are_kept():
    commands = LazyCommands({"doctor": "doctor:doctor", "kits save": "kits_files:save"}, {"own": "built"})
    assert list(commands) == ["own", "doctor"] and commands["own"] == "built"
    commands["more"] = "later"
    del commands["own"]
    assert list(commands) == ["doctor", "more"]

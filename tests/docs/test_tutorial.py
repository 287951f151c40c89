"""The tutorial does what it says: its commands are run in order, and print what stands under them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode adds no test folder
from blocks import prints, runnable

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = REPOSITORY / "docs" / "TUTORIAL.md"


def shell_environment(folder: Path) -> dict[str, str]:
    """Return an environment with this tree's ``loopnet`` on the path and kits of its own."""
    tools = folder / "bin"
    tools.mkdir(parents=True)
    loopnet = tools / "loopnet"
    loopnet.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m loopnet_cli "$@"\n')
    loopnet.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(REPOSITORY),
        "LOOPNET_DATA": str(folder / "data"),
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C",
    }


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_tutorial_runs_as_it_stands(tmp_path: Path) -> None:
    environment = shell_environment(tmp_path)
    folder = tmp_path / "album"
    folder.mkdir()
    blocks = runnable(TUTORIAL.read_text(encoding="utf-8"))
    assert len(blocks) > 15
    for block in blocks:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.commands],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        where = f"{TUTORIAL.name}:{block.line}"
        assert done.returncode == 0, f"{where}: exit code {done.returncode}\n{block.commands}\n{done.stdout}"
        assert "Traceback" not in done.stdout, f"{where}:\n{done.stdout}"
        if block.printed is not None:
            assert prints(block.printed, done.stdout), f"{where} says\n{block.printed}\nand printed\n{done.stdout}"
    # what is made is what the page talks about
    assert len(list(folder.glob("album/*.wav"))) == 96
    assert (folder / "take.html").stat().st_size > 100_000


def test_blocks_are_found_and_compared() -> None:
    text = "# A\n\n```sh run\necho a\n```\n```text\na\n```\n\n```sh\nno\n```\n\n"
    text += "```sh run\ntrue\n```\n\nb\n\n```text\nc\n```\n"
    first, second = runnable(text)
    assert (first.line, first.commands, first.printed) == (3, "echo a\n", "a\n")
    assert (second.commands, second.printed) == ("true\n", None)
    assert prints("x: ... LUFS\n...\nend", "x: -3 LUFS\nany\nlines\nend\n")
    assert not prints("x: ... LUFS", "y: -3 LUFS")
    assert not prints("a\n", "a\nb\n")

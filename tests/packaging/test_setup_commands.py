"""`make` and its helper say plainly what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs the program make")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # a make that runs these tests hands its own flags down through the environment
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "VENV", "PYTHON")}
    return subprocess.run(
        ["make", *arguments], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("interpreter", ["", "false", "no-such-python"])
def test_an_unfit_python_is_refused_before_anything_is_made(tmp_path: Path, interpreter: str) -> None:
    result = make("lint", f"VENV={tmp_path / 'venv'}", f"PYTHON={interpreter}")
    assert result.returncode != 0
    assert f"loopnet needs Python 3.11, 3.12 or 3.13 and found {interpreter or 'none'}." in result.stderr
    assert not (tmp_path / "venv").exists()


def test_an_environment_that_exists_is_not_set_up_again(tmp_path: Path) -> None:
    (tmp_path / ".ready").touch()
    result = make("--dry-run", "lint", f"VENV={tmp_path}")
    assert "ruff check" in result.stdout
    assert "pip" not in result.stdout


def test_missing_system_packages_are_named_and_do_not_stop_the_setup(tmp_path: Path) -> None:
    """On a machine without apt-get, compiler or rubberband."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "mktemp", "rm", "id", "tail"):
        tools.joinpath(name).symlink_to(str(shutil.which(name)))
    result = subprocess.run(
        [str(REPOSITORY / ".ci" / "system-packages"), sys.executable],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "NOTE: not installed: rubberband-cli gcc" in result.stderr
    assert "apt-get install rubberband-cli" in result.stderr

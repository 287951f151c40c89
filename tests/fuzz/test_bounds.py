"""Inputs that are huge, or claim to be: the command line ends by itself, in bounded time and memory, with one line."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import giants
import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are set and read as on Linux")

SECONDS = 60
"""Far above what any of these takes, far below what they would ask for."""
MEGABYTES = 700
"""Resident; an ordinary run of `analyze` has about as much."""


@pytest.mark.parametrize("case", giants.CASES, ids=lambda case: case.__name__)
def test_it_ends(case, command_worker):
    """In a process that may take a gigabyte beyond its libraries."""
    verdict = command_worker.attempt("giant", case.__name__.encode())
    assert verdict.kind == "refused", verdict.told


@pytest.mark.parametrize("case", [giants.big_midi, giants.recording_of_3_hours, giants.gzip_kit, giants.yaml_of_merges])
def test_the_program_itself_ends(tmp_path, case):
    words = case(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    refused(tmp_path, *words)
    assert {path.name for path in tmp_path.iterdir()} == before, "something was written"


def refused(folder: Path, *words: str) -> str:
    """Run a command, see that it ends with one line in time and within memory, and return the line."""
    where = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LOOPNET_DATA": str(folder / "data"),
             "OMP_NUM_THREADS": "1"}  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "loopnet_cli", *words], cwd=folder, env=where, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)),
    )  # fmt: skip
    watch = threading.Timer(SECONDS, process.kill)
    watch.start()
    try:
        said, told = process.stderr.read().decode(), process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        watch.cancel()
        process.stdout.close()
        process.stderr.close()
    assert process.returncode in (1, 2), f"exit code {process.returncode}: {said}"
    assert not told
    (line,) = said.splitlines()
    assert line.startswith("loopnet: error: ") and "unexpected" not in line and len(line) < 1000, line
    # what a process began with as a copy of this one counts as its own
    most = max(MEGABYTES << 10, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + 1024)
    assert used.ru_maxrss < most, f"{used.ru_maxrss >> 10} MB"
    return line

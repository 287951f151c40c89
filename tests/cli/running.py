"""Running the console script with the fake model in processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SCRIPT = Path(__file__).with_name("fake_main.py")
REPOSITORY = Path(__file__).parents[2]


def environment(**more: object) -> dict[str, str]:
    path = os.pathsep.join([str(REPOSITORY), str(SCRIPT.parent)])
    return {**os.environ, "PYTHONPATH": path, **{key: str(value) for key, value in more.items()}}


def start(*words: object, cwd: Path, **env: object) -> subprocess.Popen:
    """Start ``loopnet WORDS`` in a process group of its own, so that all of it can be ended."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *map(str, words)], cwd=cwd, env=environment(**env), start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(*words: object, cwd: Path, **env: object) -> subprocess.CompletedProcess:
    process = start(*words, cwd=cwd, **env)
    try:
        out, err = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(what: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.02)


def table(folder: Path, count: int, midi: str = "beat.mid") -> Path:
    """Write a table of loops with the seeds 0, 1, ..."""
    path = folder / "jobs.csv"
    rows = [f"{midi},out/{seed}.wav,{seed}" for seed in range(count)]
    (folder / "out").mkdir(exist_ok=True)
    path.write_text("inputs,output,seed\n" + "\n".join(rows) + "\n")
    return path


def lines(record: Path, status: str | None = None) -> list[dict]:
    """The lines of a record, those of one status or all but its head."""
    found = [json.loads(line) for line in record.read_text().splitlines()[1:]]
    return [line for line in found if status in (None, line["status"])]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}

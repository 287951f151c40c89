from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("h5py")

SCRIPT = Path(__file__).parents[2] / "examples" / "reproduce_paper.sh"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("rubberband") is None, reason="the program rubberband is not installed")
def test_the_paper_from_start_to_end(tmp_path: Path) -> None:
    command = tmp_path / "loopnet"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from loopnet_cli.cli.app import main; main()" "$@"\n')
    command.chmod(0o755)
    small = {"BARS": "80", "STEPS": "2", "TEST_BARS": "8", "LOOPS": "1", "FULL_LOOPS": "0", "LOOPNET": str(command)}
    out = tmp_path / "paper"
    paths = os.pathsep.join([str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        ["bash", str(SCRIPT), str(out)],
        env={**os.environ, **small, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads((out / "results.json").read_text())
    assert {"paper-table-1", "paper-table-2"} <= set(results)
    lines = (out / "RESULTS.md").read_text().splitlines()
    first, second = ([line for line in lines if line.startswith(f"| {row} | ")] for row in ("MULTI", "studio model"))
    assert len(first) >= 2 <= len(second)  # a row of each table
    for row in ("STFT", "WAV", "WAVSPEC", "MULTI_NOENV", "Griffin-Lim of the originals", "training set itself"):
        assert any(line.startswith(f"| {row} | ") for line in lines), row
    for number in (1, 2):
        assert (out / "img" / f"paper_table_{number}.png").read_bytes()[:4] == b"\x89PNG"
    assert (out / "curated.h5").stat().st_size > 100_000
    assert "house" in done.stdout
    for model in ("stft", "wav", "wavspec", "multi", "multi-noenv"):
        assert (out / model / "weights.safetensors").stat().st_size < 6_000_000
    assert (out / "boom-bap.wav").stat().st_size > 100_000

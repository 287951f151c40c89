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
    small = {"BARS": "80", "STEPS": "2", "TEST_BARS": "8", "LOOPS": "1", "LOOPNET": str(command)}
    out = tmp_path / "paper"
    paths = os.pathsep.join([str(SCRIPT.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        ["bash", str(SCRIPT), str(out)],
        env={**os.environ, **small, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads((out / "results.json").read_text())
    assert {"paper-table-1", "paper-table-2"} <= set(results)
    page = (out / "RESULTS.md").read_text()
    for row in ("STFT", "WAV", "WAVSPEC", "MULTI", "MULTI_NOENV", "Griffin-Lim", "sampler", "studio"):
        assert row.lower() in page.lower(), row
    for model in ("stft", "wav", "wavspec", "multi", "multi-noenv"):
        assert (out / model / "weights.safetensors").stat().st_size < 6_000_000
    assert (out / "boom-bap.wav").stat().st_size > 100_000

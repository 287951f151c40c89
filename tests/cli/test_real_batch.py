"""``loopnet batch`` with the real model: a row is, byte for byte, what generate makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from running import digests, environment

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not (REPOSITORY / "weights" / "studio.safetensors").is_file(), reason="the weights are not in this checkout"
)


def loopnet(*words: object, cwd: Path) -> str:
    """Run the real command, on one thread as the workers of batch."""
    done = subprocess.run(
        [sys.executable, "-m", "loopnet_cli", *map(str, words)], cwd=cwd, env=environment(OMP_NUM_THREADS=1),
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rows_are_what_generate_makes(tmp_path):
    midi = REPOSITORY / "examples" / "patterns" / "house.mid"
    (tmp_path / "jobs.csv").write_text(
        f"inputs,output,seed,bars,low-brightness,chroma\n{midi},out/a.wav,1,1,.8,Am\n{midi},out/b.wav,2,1,,\n"
    )
    (tmp_path / "out").mkdir()
    loopnet("batch", "jobs.csv", "--jobs", 2, "--quiet", cwd=tmp_path)
    (tmp_path / "same").mkdir()
    words = ("--seed", 1, "--bars", 1, "--low-brightness", ".8", "--chroma", "Am")
    loopnet("generate", midi, "-o", "same/a.wav", *words, cwd=tmp_path)
    assert digests(tmp_path / "same")["a.wav"] == digests(tmp_path / "out")["a.wav"]
    loopnet("batch", "jobs.csv", "--jobs", 1, "--overwrite", "--quiet", cwd=tmp_path)
    assert digests(tmp_path / "same")["a.wav"] == digests(tmp_path / "out")["a.wav"]
    assert "complete" in loopnet("batch", "jobs.csv", "--resume", "--dry-run", cwd=tmp_path)

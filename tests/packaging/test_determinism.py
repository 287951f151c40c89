"""The same command gives the same bytes, whatever the process, its seed of hashes, threads, folder and workers.

With the models that come with the package; tests beside the code ask the same of batch, grid and data sets in detail.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from loopnet_cli.errors import WeightsError
from loopnet_cli.synthesis.bank import weights_folder
from loopnet_cli.threads import THREAD_VARIABLES

GRID = "bpm=110 kick: x...x...x.x.x... snare: ....x.......x... hat: x.xxx.x.x.xxx.x."

try:
    weights_folder()
except WeightsError as error:
    pytest.skip(f"no weights to test: {error}", allow_module_level=True)

# each row is a process: seed of hashes, threads of numerical libraries ("": nothing is said, and the command takes one)
PROCESSES = [("0", "1"), ("1", ""), ("random", "1")]


def loopnet(cwd: Path, *words: str, hashes: str = "0", threads: str = "1") -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    variables = dict.fromkeys(THREAD_VARIABLES, threads) if threads else {}
    env = {**inherited, **variables, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": hashes,
           "LOOPNET_DATA": str(cwd / "data")}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "loopnet_cli", *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def same(tmp_path: Path, *words: str) -> dict[str, str]:
    """Run a command that writes into ``out`` once in each kind of process, and return what it wrote each time."""
    found = []
    for number, (hashes, threads) in enumerate(PROCESSES):
        folder = tmp_path / str(number)
        (folder / "out").mkdir(parents=True)
        loopnet(folder, *words, hashes=hashes, threads=threads)
        found.append(digests(folder / "out"))
    assert found[0] and found[1] == found[0] and found[2] == found[0]
    return found[0]


@pytest.fixture
def recording(tmp_path) -> Path:
    """Two bars of drums at 110 BPM, made of sines and noise."""
    rate, rng = 22050, np.random.default_rng(1)
    audio = np.zeros(round(8 * 60 / 110 * rate))
    time = np.arange(round(0.15 * rate)) / rate
    for beat in range(8):
        low, high = np.sin(2 * np.pi * 60 * time), rng.standard_normal(len(time))
        stroke = (low if beat % 2 == 0 else 0.4 * high) * np.exp(-time * 25)
        at = round(beat * 60 / 110 * rate)
        audio[at : at + len(stroke)] += stroke
    soundfile.write(tmp_path / "a.wav", 0.7 * audio, rate)
    return tmp_path / "a.wav"


def test_generate(tmp_path):
    words = (
        "generate",
        GRID,
        "--seed",
        "3",
        "-o",
        "out/a.wav",
        "--stems",
        "out/stems",
        "--chroma",
        "Am",
        "--warmth",
        "+0.2",
    )
    assert len(same(tmp_path, *words)) == 5


def test_generate_refined(tmp_path):
    same(tmp_path, "generate", GRID, "--bars", "1", "--seed", "3", "--warmth", ".7", "--refine", "2", "-o", "out/a.wav")


def test_transfer(tmp_path, recording):
    same(tmp_path, "transfer", "-r", GRID, "-t", str(recording), "--bpm", "110", "--seed", "3", "-o", "out/a.flac")


def test_rows_of_a_batch_are_what_generate_makes(tmp_path):
    """One worker, two workers, and the plain command."""
    rows = [{"inputs": GRID, "seed": seed, "kit": kit} for seed, kit in ((3, "tight-studio"), (4, "boomy-808"))]
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for workers, hashes in (("1", "0"), ("2", "random")):
        loopnet(
            tmp_path, "batch", "jobs.jsonl", "--jobs", workers, "-d", f"by{workers}", "--record", f"{workers}.jsonl",
            hashes=hashes,
        )  # fmt: skip
    for row in rows:
        loopnet(
            tmp_path, "generate", row["inputs"], "--seed", str(row["seed"]), "--kit", row["kit"], "--out-dir", "alone"
        )
    alone = digests(tmp_path / "alone")
    assert len(alone) == 2 and digests(tmp_path / "by1") == alone == digests(tmp_path / "by2")


def test_data_sets(tmp_path):
    """HDF5 files hold no time of day either."""
    found = []
    for workers, hashes in (("0", "0"), ("2", "random")):
        path = tmp_path / f"{workers}.h5"
        loopnet(
            tmp_path,
            "dataset",
            "render",
            "--bars",
            "2",
            "--workers",
            workers,
            "-o",
            path.name,
            "--no-studio",
            hashes=hashes,
        )
        found.append(path.read_bytes())
    assert found[0] == found[1]

"""``make bench``: how long things take, in one table, against the figures that were saved before.

``python -m loopnet_cli.evaluation.benchmark [--save] [--file docs/bench.json]``. Each figure comes from processes of
its own, with the files in the disk cache; run it on a machine that has nothing else to do. What cannot be measured
(no weights, no examples) is a dash, and why is said on standard error.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.benchmark_table import MEASURES, ROWS, described, machine, read_figures, table
from loopnet_cli.threads import thread_settings
from loopnet_cli.version import __version__

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "bench.json"
PATTERNS = ROOT / "examples" / "patterns"
COLD_RUNS = 7
PAPER = "multi"
"""The one of the paper's models that is timed; their networks differ little."""
LIMIT = 600
"""Seconds after which a process counts as failed."""

Figures = dict[str, float | None]


def measure() -> Figures:
    """Measure everything; None for what cannot be measured here, with the reason on standard error."""
    figures: Figures = {item.key: None for item in MEASURES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (_cold, _long, _warm, _batch, _paper):
            figures |= _tried(part, folder)
    return figures


def _tried(part: Callable[[Path], Mapping[str, float]], folder: Path) -> Mapping[str, float]:
    try:
        return part(folder)
    except (LoopnetError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        print(f"bench: {part.__name__[1:]}: {type(error).__name__}: {error}", file=sys.stderr)
        return {}


class Run(NamedTuple):
    """What a command took: seconds by the clock and of computing, and its highest memory in MB."""

    seconds: float
    computing: float
    megabytes: float


def run(words: Sequence[str], threads: int | None = None) -> Run:
    """Run ``loopnet`` with the words given, in a process of its own; its children's computing counts, too.

    Raises
    ------
    LoopnetError
        If it fails; with its last line.
    """
    with tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        command = [sys.executable, "-m", "loopnet_cli", *words]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=_environment(threads))
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            last = (errors.read().strip().splitlines() or ["it said nothing"])[-1]
            raise LoopnetError(f"{' '.join(words[:2])} failed: {last}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)


def _environment(threads: int | None) -> dict[str, str]:
    environment = dict(os.environ)
    # not installed, the package is found all the same; its compiled files are kept, as they are for who uses it
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if threads is not None:
        environment |= thread_settings(threads)
    return environment


def _patterns() -> list[Path]:
    found = sorted(PATTERNS.glob("*.mid"))
    if not found:
        raise LoopnetError(f"{PATTERNS}: no MIDI files: a checkout has them")
    return found


def _median(words: Sequence[str], runs: int) -> Run:
    """Run a command once for the disk cache, and then as often as said."""
    run(words)
    taken = [run(words) for _ in range(runs)]
    return Run(*(float(np.median(values)) for values in zip(*taken, strict=True)))


def _cold(folder: Path) -> dict[str, float]:
    generate = ["generate", str(_patterns()[0]), "-o", str(folder / "loop.wav"), "--overwrite", "--seed", "1"]
    taken = _median(generate, COLD_RUNS)
    return {
        "cold_generate": taken.seconds,
        "cold_generate_cpu": taken.computing,
        "memory_generate": taken.megabytes,
        "cold_help": _median(["--version"], COLD_RUNS).seconds,
    }


def _long(folder: Path) -> dict[str, float]:
    """Time what takes a recording, each of them by itself: one may be had without the other."""
    recording = folder / "recording.wav"
    pattern = str(_patterns()[0])
    run(["generate", pattern, "-o", str(recording), "--bpm", "96", "--bars", "4", "--seed", "2"])  # 4 bars: 10 s

    def analysed(_: Path) -> dict[str, float]:
        return {"cold_analyze": _median(["analyze", str(recording), "--json"], 3).seconds}

    def transferred(_: Path) -> dict[str, float]:
        words = [
            "transfer",
            "--rhythm",
            pattern,
            "--timbre",
            str(recording),
            "-o",
            str(folder / "moved.wav"),
            "--overwrite",
        ]
        return {"cold_transfer": _median(words, 3).seconds}

    return {**_tried(analysed, folder), **_tried(transferred, folder)}


def _warm(folder: Path) -> dict[str, float]:
    found = {}
    for threads in (1, 2):
        told = _child(["loopnet_cli.evaluation.speed", "--warm"], threads)
        for product in ("plain", "knobs", "chroma"):
            found[f"warm_{product}_{threads}"] = float(np.median(told[product]))
    return found


def _batch(folder: Path) -> dict[str, float]:
    from loopnet_cli.synthesis.bank import read_bank

    kits, patterns, found = list(read_bank()), _patterns(), {}
    for workers in (1, 2):
        table = folder / f"jobs-{workers}.csv"
        with table.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["input", "output", "kit", "bars", "seed"])
            for row in range(ROWS):
                output = f"batch-{workers}/{row}.wav"
                writer.writerow([patterns[row % len(patterns)], output, kits[row % len(kits)], 1, row])
        (folder / f"batch-{workers}").mkdir()
        taken = run(["batch", str(table), "-C", str(folder), "--jobs", str(workers), "--quiet"])
        made = len(list((folder / f"batch-{workers}").glob("*.wav")))
        if made != ROWS:
            raise LoopnetError(f"{made} loops instead of {ROWS}")
        found[f"batch_{workers}"] = ROWS / taken.seconds
        found["memory_batch"] = max(found.get("memory_batch", 0.0), taken.megabytes)
    return found


def _paper(folder: Path) -> dict[str, float]:
    return {"paper_bar": float(np.median(_child(["loopnet_cli.evaluation.benchmark", "--paper"], 1)["ms"]))}


def _child(words: Sequence[str], threads: int) -> dict[str, Any]:
    """Run a module that prints JSON in a process of its own."""
    command = [sys.executable, "-m", *words]
    done = subprocess.run(
        command, env=_environment(threads), capture_output=True, text=True, check=False, timeout=LIMIT
    )
    if done.returncode:
        raise LoopnetError(f"{words[0]} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def paper_bars(bars: int = 6) -> list[float]:
    """Time bars of one of the paper's models in this process, in ms, after one that does not count."""
    from loopnet_cli.pattern import read_midi
    from loopnet_cli.synthesis.bank import DEFAULT_KIT
    from loopnet_cli.synthesis.kit_store import find_kit
    from loopnet_cli.synthesis.paperloop import load_player
    from loopnet_cli.synthesis.papernet import PAPER_TEMPO

    player, kit = load_player(PAPER), find_kit(DEFAULT_KIT)
    pattern = read_midi(_patterns()[0], tempo=PAPER_TEMPO).pattern.with_bars(1)
    taken = []
    for seed in range(bars + 1):
        began = time.perf_counter()
        player.render(pattern, kit=kit, seed=seed)
        taken.append(1000 * (time.perf_counter() - began))
    return taken[1:]


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code says whether the arguments made sense."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.evaluation.benchmark", description=__doc__)
    parser.add_argument("--save", action="store_true", help="keep the figures, to compare with the next time")
    parser.add_argument("--file", type=Path, default=FILE, help="where they are kept (default: docs/bench.json)")
    parser.add_argument("--paper", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    try:
        if asked.paper:
            print(json.dumps({"ms": paper_bars()}))
            return 0
        before = read_figures(asked.file)
        here = machine()
        figures = measure()
        print(table(figures, before.get("figures", {})))
        print(f"\nNow: {described(here)}.")
        if before:
            print(f"Before: {described(before['machine'])}; loopnet {before.get('version')}, {before.get('date')}.")
        if asked.save:
            kept = {
                "version": __version__,
                "date": datetime.now(UTC).date().isoformat(),
                "machine": here,
                "figures": {key: None if value is None else round(value, 4) for key, value in figures.items()},
            }
            asked.file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
            print(f"Saved to {asked.file}.")
    except (LoopnetError, OSError) as error:
        print(f"bench: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

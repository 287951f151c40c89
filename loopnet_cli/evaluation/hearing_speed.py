"""How fast a recording is heard, and how much memory an hour of it takes; each figure from a process of its own.

``python -m loopnet_cli.evaluation.hearing_speed`` prints the figures. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.report import Cell, Check, Section, Table, tables_as_text
from loopnet_cli.evaluation.speed import PATTERNS, peak_megabytes
from loopnet_cli.evaluation.statistics import median_of
from loopnet_cli.threads import thread_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

MATERIAL = "a pattern of examples/, played over and over"
SECONDS = 10.0
RUNS, WARM_UP = 15, 2
LENGTHS = {"10 s": 10, "4 minutes": 240, "an hour": 3600}
REQUIRED_SECONDS = 1.0
REQUIRED_GROWTH_MB = 200.0
RATE = 44100

METHOD = f"""\
Warm: a recording of {SECONDS:g} s (`boom-bap` played by the default kit, 44.1 kHz, mono) is heard {RUNS} times in one
process after {WARM_UP} times that do not count; median, intervals over runs. Transcription: `Transcriber.transcribe`
alone. Whole analysis: `loopnet_cli.analysis.hearing.hear` on a WAV file, with tempo, timbre and chroma. Threads are
set by OMP_NUM_THREADS and OPENBLAS_NUM_THREADS. Memory: the highest resident size of a process that hears one WAV
file (16 bit, mono) of that length by `hear`, from file to pattern."""


def section(*, weights: Path | None = None) -> Section:
    """Measure everything; `weights` as in `load_transcriber`."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    given = [] if weights is None else ["--weights", str(weights)]
    rows: list[list[str | Cell]] = []
    checks = []
    with tempfile.TemporaryDirectory() as folder:
        bar = _bar(weights)
        paths = {name: _write(Path(folder) / f"{seconds}.wav", bar, seconds) for name, seconds in LENGTHS.items()}
        for threads in (1, 2):
            found = _child(["--warm", str(paths["10 s"]), "--runs", str(RUNS), *given], threads)
            for key in ("transcription", "whole analysis"):
                rows.append([key, str(threads), Cell.of(median_of(found[key], seed=0), ".3f")])
            if threads == 2:
                estimate = median_of(found["transcription"], seed=0)
                text = f"hearing-speed: {SECONDS:g} s transcribed warm on 2 threads, under {REQUIRED_SECONDS:g} s"
                checks.append(Check(text, Cell.of(estimate, ".3f"), estimate.value < REQUIRED_SECONDS))
        found_long = {name: _child(["--long", str(path), *given], 2) for name, path in paths.items()}
    growth = found_long["an hour"]["peak"] - found_long["4 minutes"]["peak"]
    text = f"hearing-speed: an hour takes at most {REQUIRED_GROWTH_MB:g} MB more than 4 minutes"
    checks.append(Check(text, Cell(growth, form=".0f"), growth <= REQUIRED_GROWTH_MB))
    tables = [
        Table(f"A recording of {SECONDS:g} s, warm", ["what", "threads", "seconds"], rows),
        Table(
            "Memory of `hear`, highest resident size of its process, MB, on 2 threads",
            ["recording", "before", "at its highest", "seconds it took"],
            [
                [
                    name,
                    *(Cell(entry[key], form=".0f") for key in ("before", "peak")),
                    Cell(entry["seconds"], form=".1f"),
                ]
                for name, entry in found_long.items()
            ],
        ),
    ]
    method = f"{METHOD} Load average of the machine at the start: {load:.1f} (0 is idle)."
    return Section("Speed of hearing", method, tables, checks, {"load_average": load})


def _bar(weights: Path | None) -> NDArray[np.float32]:
    from loopnet_cli.pattern import read_midi
    from loopnet_cli.synthesis.studio import load_studio

    path = PATTERNS / "boom-bap.mid"
    if not path.exists():
        raise LoopnetError(f"{path} is missing: the speed is measured in a checkout, with its examples")
    model = load_studio(weights)
    return model.render(read_midi(path).pattern, kit=model.kit(model.default_kit)).audio


def _write(path: Path, bar: NDArray[np.float32], seconds: float) -> Path:
    """Write a bar over and over, a minute at a time."""
    import soundfile

    total, done = round(seconds * RATE), 0
    with soundfile.SoundFile(path, "w", RATE, 1, subtype="PCM_16") as file:
        while done < total:
            count = min(60 * RATE, total - done)
            file.write(np.take(bar, np.arange(done, done + count), mode="wrap"))
            done += count
    return path


def _child(arguments: Sequence[str], threads: int) -> dict[str, Any]:
    """Run this module in a process of its own and read what it prints."""
    environment = {**os.environ, **thread_settings(threads)}
    command = [sys.executable, "-m", "loopnet_cli.evaluation.hearing_speed", *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise LoopnetError(f"hearing-speed: {(result.stderr.strip().splitlines() or ['?'])[-1]}")
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def warm(path: Path, weights: Path | None, runs: int = RUNS) -> dict[str, list[float]]:
    """Time the hearing of a file in this process; return seconds of every run."""
    from loopnet_cli.analysis.hearing import hear
    from loopnet_cli.analysis.transcriber import load_transcriber
    from loopnet_cli.audio.read import read_audio
    from loopnet_cli.synthesis.bank import read_normalisation

    ears, normalisation = load_transcriber(weights), read_normalisation(weights)
    audio, rate = read_audio(path, mono=True)
    found: dict[str, list[float]] = {}
    for name, run in (
        ("transcription", lambda: ears.transcribe(audio, rate)),
        ("whole analysis", lambda: hear(path, transcriber=ears, normalisation=normalisation)),
    ):
        seconds = []
        for _ in range(WARM_UP + runs):
            began = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - began)
        found[name] = seconds[WARM_UP:]
    return found


def long(path: Path, weights: Path | None) -> dict[str, float]:
    """Hear a file in this process; return its highest resident size in MB before and after, and the seconds."""
    from loopnet_cli.analysis.hearing import hear
    from loopnet_cli.analysis.transcriber import load_transcriber
    from loopnet_cli.synthesis.bank import read_normalisation

    ears, normalisation = load_transcriber(weights), read_normalisation(weights)
    before, began = peak_megabytes(), time.perf_counter()
    hear(path, transcriber=ears, normalisation=normalisation)
    return {"before": before, "peak": peak_megabytes(), "seconds": time.perf_counter() - began}


def main() -> int:
    """Measure and print; the hidden options are for the child processes."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.evaluation.hearing_speed", description=__doc__)
    parser.add_argument("--weights", type=Path, help="folder with weights (default: the package's own)")
    parser.add_argument("--warm", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=RUNS, help=argparse.SUPPRESS)
    parser.add_argument("--long", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.warm is not None:
            print(json.dumps(warm(options.warm, options.weights, options.runs)))
        elif options.long is not None:
            print(json.dumps(long(options.long, options.weights)))
        else:
            print(tables_as_text(section(weights=options.weights)))
    except LoopnetError as error:
        print(f"hearing-speed: error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Speed: warm bars, memory, the cold command and batches, each in a process of its own.

``python -m loopnet_cli.evaluation.speed`` prints the figures; the patterns are those
of ``examples/``. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import median_of
from loopnet_cli.threads import thread_settings

WARM_BARS, WARM_UP = 48, 4
COLD_RUNS = 5
BATCH_VARIATIONS = 4
REQUIRED_MS = 60.0
MATERIAL = "the patterns of examples/"
PATTERNS = Path(__file__).resolve().parents[2] / "examples" / "patterns"
TRIAD = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
PRODUCTS = {"plain": "kit alone", "knobs": "kit and 3 knobs", "chroma": "kit, 3 knobs and a chord"}

METHOD = f"""\
Every figure comes from fresh processes. Warm: {WARM_BARS} first bars of the patterns in `examples/` (random kits
and seeds) in one process after {WARM_UP} that do not count; time of `StudioModel.render` alone; median, intervals
over bars. Threads are set by OMP_NUM_THREADS and OPENBLAS_NUM_THREADS. Memory: the process's highest resident
size. Cold: `python -m loopnet_cli generate PATTERN -o FILE`, median of {COLD_RUNS} runs with the files in the
disk cache; its parts from a script that takes the same steps. Batch: `generate` of all examples with
{BATCH_VARIATIONS} variations each, start included."""


def section(*, weights: Path | None = None) -> Section:
    """Measure everything.

    Parameters
    ----------
    weights : Path, optional
        For the warm figures; the command always uses the package's own, and is left out if there are none.
    """
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    warm = {threads: _child(["--warm", *_weights(weights)], threads) for threads in (1, 2)}
    rows: list[list[str | Cell]] = []
    for threads, found in warm.items():
        for key, label in PRODUCTS.items():
            estimate = median_of(found[key], seed=0)
            share = float(np.median(np.array(found[key]) / 1000 / np.array(found["seconds"])))
            rows.append([label, str(threads), Cell.of(estimate, ".1f"), Cell(share, form=".3f")])
    bar_ms = median_of(warm[2]["knobs"], seed=0)
    checks = [
        Check(
            "speed: a warm bar on 2 threads with knobs, at most 60 ms",
            Cell.of(bar_ms, ".1f"),
            bar_ms.value <= REQUIRED_MS,
        )
    ]
    length = float(np.median(warm[2]["seconds"]))
    tables = [
        Table(
            f"Warm bars (median length {length:.2f} s)",
            ["asked", "threads", "ms per bar", "share of the bar's own length"],
            rows,
        ),
        Table(
            "Memory, MB, highest resident size up to this point",
            ["imports", "model loaded", "bars rendered"],
            [[Cell(warm[1]["memory"][step], form=".0f") for step in ("imports", "model", "bars")]],
        ),
    ]
    from loopnet_cli.errors import WeightsError
    from loopnet_cli.synthesis.bank import weights_folder

    try:
        weights_folder()
    except WeightsError:
        checks.append(Check("speed: the cold command (no weights in the package)", Cell(float("nan")), False))
    else:
        tables += _command_tables()
    method = f"{METHOD} Load average of the machine at the start: {load:.1f} (0 is idle)."
    return Section("Speed", method, tables, checks, {"load_average": load})


def _command_tables() -> list[Table]:
    cold = _cold()
    parts = [_child(["--parts"], None) for _ in range(COLD_RUNS)]
    rows: list[list[str | Cell]] = [
        [name, Cell(float(np.median([p[name] for p in parts])), form=".0f")] for name in parts[0]
    ]
    whole = median_of(cold, seed=0)
    known = sum(cell.value for row in rows for cell in row if isinstance(cell, Cell))
    rows.append(["the rest: arguments, reports, exit", Cell(whole.value - known, form=".0f")])
    rows.append(["**the command as a whole**", Cell.of(whole, ".0f")])
    loops, seconds = _batch()
    return [
        Table("Cold `generate`, ms", ["step", "median"], rows),
        Table(
            "Batch",
            ["loops", "seconds", "loops per second"],
            [[str(loops), Cell(seconds, form=".1f"), Cell(loops / seconds, form=".1f")]],
        ),
    ]


def _child(arguments: Sequence[str], threads: int | None) -> dict[str, Any]:
    """Run this module in a process of its own and read what it prints."""
    environment = dict(os.environ)
    if threads is not None:
        environment |= thread_settings(threads)
    began = time.time()
    command = [sys.executable, "-m", "loopnet_cli.evaluation.speed", *arguments, "--began", repr(began)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        raise LoopnetError(f"speed: {' '.join(arguments)} failed: {(result.stderr.strip().splitlines() or ['?'])[-1]}")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _weights(folder: Path | None) -> list[str]:
    return [] if folder is None else ["--weights", str(folder)]


def _generate(arguments: Sequence[str]) -> float:
    """Run the command; return its wall time in seconds."""
    command = [sys.executable, "-m", "loopnet_cli", "generate", "--quiet", "--seed", "1", *arguments]
    began = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if result.returncode:
        raise LoopnetError(f"speed: generate failed: {(result.stderr.strip().splitlines() or ['?'])[-1]}")
    return seconds


def _cold() -> list[float]:
    """Return wall times of the cold command in ms."""
    pattern = str(_patterns()[0])
    with tempfile.TemporaryDirectory() as folder:
        output = ["-o", str(Path(folder) / "loop.wav"), "--overwrite"]
        _generate([pattern, *output])
        return [1000 * _generate([pattern, *output]) for _ in range(COLD_RUNS)]


def _batch() -> tuple[int, float]:
    patterns = [str(path) for path in _patterns()]
    with tempfile.TemporaryDirectory() as folder:
        seconds = _generate([*patterns, "--out-dir", folder, "--variations", str(BATCH_VARIATIONS)])
        return len(list(Path(folder).glob("*.wav"))), seconds


def _patterns() -> list[Path]:
    paths = sorted(PATTERNS.glob("*.mid"))
    if not paths:
        raise LoopnetError(f"{PATTERNS}: no MIDI files: the speed is measured in a checkout, with its examples")
    return paths


def warm(weights: Path | None, bars: int = WARM_BARS) -> dict[str, Any]:
    """Time bars in this process.

    Returns
    -------
    dict
        For each of `PRODUCTS` the ms per bar; ``seconds``: lengths of the bars; ``memory``: MB after each step.
    """
    from loopnet_cli.controls import TIMBRE_NAMES, Knob
    from loopnet_cli.pattern import read_midi
    from loopnet_cli.synthesis.studio import load_studio

    memory = {"imports": peak_megabytes()}
    model = load_studio(weights)
    memory["model"] = peak_megabytes()
    rng = np.random.default_rng(0)
    patterns = [read_midi(path).pattern.with_bars(1) for path in _patterns()]
    found: dict[str, Any] = {name: [] for name in PRODUCTS}
    found["seconds"] = []
    for number in range(WARM_UP + bars):
        pattern = patterns[number % len(patterns)]
        # each with a kit of its own: a model may keep what it made of one
        kits = rng.choice(model.kit_names, size=len(PRODUCTS), replace=len(model.kit_names) < len(PRODUCTS))
        names = rng.choice(TIMBRE_NAMES, size=3, replace=False)
        knobs = {str(name): Knob(float(rng.uniform())) for name in names}
        asked: Mapping[str, dict[str, Any]] = {
            "plain": {},
            "knobs": {"timbre": knobs},
            "chroma": {"timbre": knobs, "chroma": np.roll(TRIAD, rng.integers(12)).tolist()},
        }
        for (name, controls), kit_name in zip(asked.items(), kits, strict=True):
            kit = model.kit(str(kit_name))
            began = time.perf_counter()
            model.render(pattern, kit=kit, seed=number, **controls)
            if number >= WARM_UP:
                found[name].append(1000 * (time.perf_counter() - began))
        if number >= WARM_UP:
            found["seconds"].append(pattern.seconds)
    memory["bars"] = peak_megabytes()
    return {**found, "memory": memory}


def parts(began: float) -> dict[str, float]:
    """Take the steps of a cold `generate` in this process; return ms for each. `began`: when it was started."""
    marks = [("interpreter, numpy, this script", time.time() - began)]

    def lap(name: str, since: float) -> float:
        now = time.perf_counter()
        marks.append((name, now - since))
        return now

    at = time.perf_counter()
    import loopnet_cli.cli.app
    import loopnet_cli.cli.produce  # noqa: F401

    at = lap("imports of the command line", at)
    from loopnet_cli.pattern import read_midi
    from loopnet_cli.synthesis.studio import load_studio

    at = lap("imports of the model", at)
    pattern = read_midi(_patterns()[0]).pattern
    at = lap("reading the MIDI file", at)
    model = load_studio()
    at = lap("weights", at)
    loop = model.render(pattern, kit=model.kit(model.default_kit), seed=1)
    at = lap("net and sound", at)
    from loopnet_cli.audio.files import write_together
    from loopnet_cli.audio.levels import measure, normalize
    from loopnet_cli.audio.write import encode_loop

    loop, _ = normalize(loop)
    measure(loop.audio, loop.sample_rate)
    at = lap("levels", at)
    with tempfile.TemporaryDirectory() as folder:
        write_together([(Path(folder) / "loop.wav", encode_loop(loop, format="wav", subtype="24"))])
    lap("encoding and writing", at)
    return {name: 1000 * seconds for name, seconds in marks}


def peak_megabytes() -> float:
    """Return the highest resident size of this process so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> int:
    """Measure and print; the hidden options are for the child processes."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.evaluation.speed", description=__doc__)
    parser.add_argument("--weights", type=Path, help="folder with weights (default: the package's own)")
    parser.add_argument("--warm", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--parts", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, default=time.time(), help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.warm:
            print(json.dumps(warm(options.weights)))
        elif options.parts:
            print(json.dumps(parts(options.began)))
        else:
            from loopnet_cli.evaluation.report import tables_as_text

            print(tables_as_text(section(weights=options.weights)))
    except LoopnetError as error:
        print(f"speed: error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

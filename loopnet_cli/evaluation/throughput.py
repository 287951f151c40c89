"""Throughput of ``loopnet batch``: many one-bar loops with 1 and 2 workers, and whether memory stays flat.

``python -m loopnet_cli.evaluation.throughput`` prints a table. Run it on a machine that has nothing else to do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopnet_cli.errors import LoopnetError
from loopnet_cli.synthesis.bank import DEFAULT_KIT, read_bank

LOOPS = 1000
WORKERS = (1, 2)
PATTERNS = Path(__file__).resolve().parents[2] / "examples" / "patterns"
INTERVAL = 0.25
"""Seconds between two looks at the memory."""
WARM = 0.1
"""Share of the run after which memory should not grow any more."""


@dataclass(frozen=True)
class Run:
    """What was measured.

    Attributes
    ----------
    workers, loops : int
        What was asked for.
    seconds : float
        From the call of the command to its end.
    warm_rate : float
        Loops a second after the first tenth: without starting, checking the table and loading the model.
    row_seconds : float
        Median time of a row in its worker.
    memory_warm, memory_end : float
        Mean resident megabytes of a worker, after the first tenth of the run and in its last tenth; NaN where the
        system does not tell.
    parent : float
        Highest resident megabytes of the process that gives out the rows.
    digest : str
        Of all files: the same for any number of workers.
    """

    workers: int
    loops: int
    seconds: float
    warm_rate: float
    row_seconds: float
    memory_warm: float
    memory_end: float
    parent: float
    digest: str


def measure(loops: int, workers: int, folder: Path, kits: int = 1) -> Run:
    """Render `loops` one-bar loops of the example patterns with `workers` workers and so many kits in turn.

    Raises
    ------
    LoopnetError
        If the command fails.
    """
    patterns = sorted(PATTERNS.glob("*.mid"))
    names = sorted(read_bank(), key=lambda name: (name != DEFAULT_KIT, name))[:kits]
    out = folder / f"out-{workers}"
    table = folder / f"jobs-{workers}.jsonl"
    rows: list[dict[str, Any]] = [
        {"inputs": str(patterns[index % len(patterns)]), "bars": 1, "kit": names[index % len(names)],
         "seed": index, "output": str(out / f"{index}.wav")}
        for index in range(loops)
    ]  # fmt: skip
    out.mkdir()
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "loopnet_cli", "batch", str(table), "--jobs", str(workers), "--quiet"]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    memory: list[tuple[float, float]] = []
    parent = 0.0
    ends: list[float] = []
    record = Path(f"{table}.record.jsonl")
    while process.poll() is None:
        time.sleep(INTERVAL)
        now = time.perf_counter() - begin
        own = [_resident(worker) for worker in _workers(process.pid)]
        if own:
            memory.append((now, sum(own) / len(own)))
        parent = max(parent, _resident(process.pid))
        done = _done(record)
        ends += [now] * (len(done) - len(ends))
    seconds = time.perf_counter() - begin
    lines = _done(record)
    if process.returncode or len(lines) != loops:
        raise LoopnetError(f"batch left with {process.returncode} after {len(lines)} of {loops} loops")
    ends += [seconds] * (loops - len(ends))
    warm = max(1, int(loops * WARM))
    first = ends[warm - 1]
    rest = max(seconds - first, INTERVAL)
    late = seconds - rest * WARM
    digest = hashlib.sha256()
    for path in sorted(out.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    times = sorted(float(line["seconds"]) for line in lines)
    return Run(
        workers, loops, seconds, (loops - warm) / rest, times[len(times) // 2],
        _mean([value for at, value in memory if first <= at <= first + rest * WARM]),
        _mean([value for at, value in memory if at >= late]),
        parent, digest.hexdigest(),
    )  # fmt: skip


def table(runs: Sequence[Run]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| workers | loops | seconds | loops/s, warm | a row, ms | worker MB, warm | worker MB, end | parent MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in runs:
        lines.append(
            f"| {run.workers} | {run.loops} | {run.seconds:.1f} | {run.warm_rate:.1f} | {run.row_seconds * 1000:.0f} | "
            f"{run.memory_warm:.0f} | {run.memory_end:.0f} | {run.parent:.0f} |"
        )
    same = len({run.digest for run in runs}) == 1
    return "\n".join([*lines, "", f"The bytes are {'the same' if same else 'NOT THE SAME'} in all runs."])


def _done(record: Path) -> list[dict[str, Any]]:
    try:
        lines = record.read_text(encoding="utf-8").split("\n")[1:-1]
    except OSError:
        return []
    return [found for found in map(json.loads, lines) if found["status"] == "done"]


def _workers(parent: int) -> list[int]:
    """Return the worker processes of a process, where the system tells (Linux)."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        # beside the workers there is a small process that looks after semaphores
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:
        return []


def _resident(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) / 1024 if found else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--loops", type=int, default=LOOPS)
    parser.add_argument("--kits", type=int, default=1, help="how many kits take turns: a new one has to be computed")
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        runs = [measure(wanted.loops, workers, Path(folder), wanted.kits) for workers in wanted.workers]
    print(table(runs))
    if len({run.digest for run in runs}) > 1:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

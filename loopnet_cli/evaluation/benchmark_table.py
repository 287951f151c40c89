"""The rows of ``make bench``, the table they make, and the file that keeps the figures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loopnet_cli.errors import LoopnetError

ROWS = 96
"""Loops of a batch."""
SECONDS = 10.0
"""Length of the recording that is analysed."""


class Measure(NamedTuple):
    """A row of the table."""

    key: str
    title: str
    unit: str
    digits: int
    more_is_better: bool = False


MEASURES = (
    Measure("cold_generate", "generate, from the shell to the file", "s", 2),
    Measure("cold_generate_cpu", "generate, computing", "s of CPU", 2),
    Measure("cold_help", "--version", "s", 2),
    Measure("cold_transfer", "transfer of a rhythm to a recording, from the shell", "s", 2),
    Measure("cold_analyze", f"analyze of {SECONDS:g} s, from the shell", "s", 2),
    Measure("warm_plain_1", "bar, warm, 1 thread", "ms", 1),
    Measure("warm_knobs_1", "bar with 3 knobs, 1 thread", "ms", 1),
    Measure("warm_chroma_1", "bar with 3 knobs and a chord, 1 thread", "ms", 1),
    Measure("warm_plain_2", "bar, warm, 2 threads", "ms", 1),
    Measure("warm_knobs_2", "bar with 3 knobs, 2 threads", "ms", 1),
    Measure("warm_chroma_2", "bar with 3 knobs and a chord, 2 threads", "ms", 1),
    Measure("batch_1", f"batch of {ROWS} one-bar loops, 1 worker", "loops/s", 1, True),
    Measure("batch_2", f"batch of {ROWS} one-bar loops, 2 workers", "loops/s", 1, True),
    Measure("paper_bar", "bar of the paper's model multi, 1 thread", "ms", 1),
    Measure("memory_generate", "memory of generate, at most", "MB", 0),
    Measure("memory_batch", "memory of a process of the batch, at most", "MB", 0),
)


def machine() -> dict[str, Any]:
    """Say what was measured on."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "load": None if load is None else round(load, 1),
    }


def table(figures: Mapping[str, float | None], before: Mapping[str, Any]) -> str:
    """Write the table.

    Parameters
    ----------
    figures : Mapping of key to number or None
        From `measure`.
    before : Mapping
        The figures saved before, by the same keys; those that are missing or no numbers are dashes.

    Returns
    -------
    str
        Markdown. The ratio says how much better it has become: over 1 is faster, or smaller.
    """
    rows = [("", "now", "before", "unit", "times better")]
    for item in MEASURES:
        now, then = _number(figures.get(item.key)), _number(before.get(item.key))
        ratio = None
        if now and then:
            ratio = now / then if item.more_is_better else then / now
        rows.append((item.title, _shown(now, item.digits), _shown(then, item.digits), item.unit, _shown(ratio, 2)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    words = (0, 3)  # columns of words, the others are of numbers
    lines = []
    for row in rows:
        cells = [
            text.ljust(width) if column in words else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"| {' | '.join(cells)} |")
    rules = ["-" * (width + 1) + ("-" if column in words else ":") for column, width in enumerate(widths)]
    return "\n".join([lines[0], f"|{'|'.join(rules)}|", *lines[1:]])


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def read_figures(file: Path) -> dict[str, Any]:
    """Read what was saved; empty if there is none.

    Raises
    ------
    LoopnetError
        If there is a file that is none of ours.
    """
    if not file.exists():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found["figures"], dict) or not isinstance(found["machine"], dict):
            raise TypeError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LoopnetError(f"{file}: not figures of `make bench`: restore or delete it") from error
    return dict(found)


def described(found: Mapping[str, Any]) -> str:
    """Describe a machine in a line."""
    load = found.get("load")
    busy = "" if load is None else f", load {load} at the start"
    return (
        f"{found.get('processor')}, {found.get('cores')} cores, {found.get('system')}, "
        f"Python {found.get('python')}, numpy {found.get('numpy')}{busy}"
    )

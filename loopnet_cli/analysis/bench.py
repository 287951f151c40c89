"""Compare the timbre analysis with reference values: ``python -m loopnet_cli.analysis.bench FOLDER``.

The folder holds ``timbre.csv`` (clip, band, the seven attributes, and the seconds that the reference took) and
``clips/``. Prints, per attribute, the mean absolute error in points, Spearman's rank correlation and the largest
error, then the speed in CPU time, best of three (set OMP_NUM_THREADS=1). Rows without a value (the reference
failed) are left out of that attribute.
"""

from __future__ import annotations

import argparse
import csv
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.timbre import band_filter, timbre_attributes, timbre_features
from loopnet_cli.controls import ATTRIBUTES

if TYPE_CHECKING:
    from numpy.typing import NDArray


TRIES = 3


@dataclass(frozen=True)
class Row:
    """One line of the reference: a clip, whole or in one band."""

    clip: Path
    band: str
    values: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Agreement:
    """How well one attribute agrees with the reference, over `count` rows."""

    attribute: str
    count: int
    mean_error: float
    largest_error: float
    spearman: float


def read_golden(folder: Path) -> list[Row]:
    """Read the reference's values."""
    with (folder / "timbre.csv").open(newline="") as file:
        return [
            Row(
                folder / "clips" / line["clip"],
                line["band"],
                tuple(float(line[name]) for name in ATTRIBUTES),
                float(line["seconds"]),
            )
            for line in csv.DictReader(file)
        ]


def analyse(row: Row) -> tuple[list[float], float]:
    """Measure one row as the reference did, not circularly; return its attributes and the CPU seconds it took."""
    import soundfile

    audio, sample_rate = soundfile.read(row.clip, dtype="float32")
    start = time.process_time()
    signal = audio if row.band == "full" else band_filter(audio, row.band, sample_rate, circular=False)
    found = timbre_attributes(signal, sample_rate, circular=False)
    return [found[name] for name in ATTRIBUTES], time.process_time() - start


def best(row: Row) -> tuple[list[float], float]:
    """Measure one row `TRIES` times and return the shortest time: what disturbs a process only adds to it."""
    tries = [analyse(row) for _ in range(TRIES)]
    return tries[0][0], min(seconds for _, seconds in tries)


def agreement(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> list[Agreement]:
    """Compare measured with reference values, both of shape (rows, 7)."""
    from scipy.stats import spearmanr

    found = []
    for column, name in enumerate(ATTRIBUTES):
        known = np.isfinite(theirs[:, column])
        a, b = ours[known, column], theirs[known, column]
        error = np.abs(a - b)
        rank = float(spearmanr(a, b).statistic)
        found.append(Agreement(name, len(a), float(error.mean()), float(error.max()), rank))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.analysis.bench", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with timbre.csv and clips/")
    folder = parser.parse_args(arguments).folder
    if not (folder / "timbre.csv").is_file():
        parser.error(f"{folder}: no timbre.csv in it")
    rows = read_golden(folder)
    analyse(rows[0])  # the first call designs filters and imports
    measured = [best(row) for row in rows]
    ours = np.array([values for values, _ in measured])
    print("| attribute | rows | mean error | largest error | Spearman |")
    print("|---|---|---|---|---|")
    for line in agreement(ours, np.array([row.values for row in rows])):
        print(
            f"| {line.attribute} | {line.count} | {line.mean_error:.3f} | {line.largest_error:.2f} "
            f"| {line.spearman:.4f} |"
        )
    spent, reference = sum(seconds for _, seconds in measured), sum(row.seconds for row in rows)
    print(f"\n{len(rows)} rows in {spent:.2f} s of CPU, the reference in {reference:.0f} s: ", end="")
    print(f"{reference / spent:.0f} times faster")
    ratios = sorted(row.seconds / seconds for row, (_, seconds) in zip(rows, measured, strict=True))
    print(f"per row: median {ratios[len(ratios) // 2]:.0f} times faster, least {ratios[0]:.0f}")
    _time_bars(rows)
    return 0


def _time_bars(rows: list[Row]) -> None:
    """Time the whole analysis of a loop: 21 numbers."""
    import soundfile

    clips = sorted({row.clip for row in rows})
    spent, length = [], 0.0
    for clip in clips:
        audio, sample_rate = soundfile.read(clip, dtype="float32")
        tries = []
        for _ in range(TRIES):
            start = time.process_time()
            timbre_features(audio, sample_rate)
            tries.append(time.process_time() - start)
        spent.append(min(tries))
        length += len(audio) / sample_rate
    spent.sort()
    print(
        f"21 features of a loop ({length / len(clips):.2f} s on average): "
        f"median {spent[len(spent) // 2] * 1e3:.0f} ms, longest {math.ceil(spent[-1] * 1e3)} ms"
    )


if __name__ == "__main__":
    raise SystemExit(main())

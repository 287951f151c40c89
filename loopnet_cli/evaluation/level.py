"""Level: no clipping, no DC, no silence; true peak and loudness of what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loopnet_cli.audio.levels import measure as measure_levels
from loopnet_cli.evaluation.bench import Bench, user_request
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import share_of
from loopnet_cli.pattern import STEM_OF_VOICE

MAX_DC = 10 ** (-60 / 20)
SILENT_PEAK = 10 ** (-60 / 20)
STEM_SILENT = 10 ** (-80 / 20)

METHOD = """\
Loops as the model renders them, before `generate` brings them to a level: held-out patterns of one or two bars,
bank kits and held-out kits, 0 to 6 knobs at random, a triad in one of four. DC: the mean sample, at most -60 dB
of full scale. Silence: a peak below -60 dBFS, or a stem with hits asked whose peak lies below -80 dBFS. Levels
after ITU-R BS.1770-4, circular."""


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Measure the levels of one request."""
    request = user_request(bench, number)
    loop = request.render(bench.model)
    found = measure_levels(loop.audio, loop.sample_rate)
    wanted = {STEM_OF_VOICE[hit.voice] for hit in request.pattern.hits}
    total = np.sum(list(loop.stems.values()), axis=0, dtype=np.float64)
    return {
        "peak": found.peak,
        "true_peak": found.true_peak_db,
        "loudness": found.loudness_lufs,
        "clipped": found.clipped,
        "dc": abs(found.dc),
        "finite": bool(np.isfinite(loop.audio).all()),
        "silent_stems": sum(float(np.abs(loop.stems[stem]).max()) < STEM_SILENT for stem in wanted),
        "stem_error": float(np.abs(total - loop.audio).max()),
    }


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into a table and checks."""
    tests = {
        "level: no clipped samples, % of loops": [row["clipped"] == 0 for row in rows],
        "level: no DC, % of loops": [row["dc"] <= MAX_DC for row in rows],
        "level: no silence, % of loops": [row["peak"] > SILENT_PEAK and not row["silent_stems"] for row in rows],
        "level: all samples finite, stems sum to the loop, % of loops": [
            row["finite"] and row["stem_error"] < 1e-5 for row in rows
        ],
    }
    checks = [
        Check(text, Cell.of(share_of(passed, seed=seed), ".1f", 100), all(passed)) for text, passed in tests.items()
    ]
    table: list[list[str | Cell]] = []
    for label, key in (("true peak, dBTP", "true_peak"), ("loudness, LUFS", "loudness")):
        points = np.percentile([row[key] for row in rows], [0, 5, 50, 95, 100]) if rows else [float("nan")] * 5
        table.append([label, *(Cell(float(point), form=".1f") for point in points)])
    dc = [20 * np.log10(max(row["dc"], 1e-9)) for row in rows]
    points = np.percentile(dc, [0, 5, 50, 95, 100]) if rows else [float("nan")] * 5
    table.append(["DC, dB", *(Cell(float(point), form=".0f") for point in points)])
    columns = ["measure", "lowest", "5 %", "median", "95 %", "highest"]
    return Section("Level", METHOD, [Table(f"Ranges over {len(rows)} loops", columns, table)], checks)

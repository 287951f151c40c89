"""Hearing: what the transcriber makes of held-out bars whose hits are known exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.transcription import Transcription
from loopnet_cli.data.renderer import SAMPLE_RATE
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.degrade import degraded
from loopnet_cli.evaluation.matching import (
    GROUPS,
    MISSED,
    NOTHING,
    hits_of_pattern,
    hits_of_transcription,
    score,
)
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, bootstrap, median_of, ratio_of_means, spearman
from loopnet_cli.evaluation.timing import f_measure
from loopnet_cli.pattern import VOICES

HEARD = ("kick", "snare", "hat")
REQUIRED_F = {"kick": 0.95, "snare": 0.92, "hat": 0.90}
REQUIRED_MS, REQUIRED_SPEARMAN = 5.0, 0.8
SETS = {
    "plain": "as rendered",
    "once": "as rendered, heard once from start to end, not as a loop",
    "degraded": "degraded: bass or chord, room, low-pass, noise, 20 dB down",
}
EMPTY = {"silence": "silence", "noise": "noise, white or pink, -60 to -20 dBFS", "tones": "bass or chord alone"}
VELOCITY_EDGES = (0.0, 0.35, 0.7, 1.01)
LEAST_MATCHES = 5
"""Matched hits from which a bar has a rank correlation of its own."""
RANK_RESAMPLES = 500

METHOD = """\
Bars of the renderer of training bars, from held-out kits and held-out groove sessions, as it makes them (a bass or
chord under a quarter of them), transcribed as the loops that they are; hits are known to the sample. Degraded: a
bass or chord under every bar, the whole mix in a room (60 dB in 0.2 to 0.9 s, -15 to -3 dB against the dry sound),
a causal low-pass of fourth order at 3 to 12 kHz, white noise 40 dB under the RMS, then 20 dB down. All hits of
a pattern count, however soft and however covered by louder ones. Hits of one group closer than 30 ms (flams,
open and closed hat at once) are one event, the stronger, on both sides; the column "not merged" leaves that out.
Matching is one to one, as many pairs as possible within the tolerance, across the loop's seam, as in mir_eval; F
counts hits over all bars, intervals are over bars. Errors in time (heard minus struck; late is positive) are of hits
matched within 50 ms. Velocities: Spearman's correlation over matched hits, all bars together (so that bars must
be put in order, too), and the median over bars of the correlation within a bar."""

Counts = NDArray[np.float64]


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Transcribe one bar in every way, and what has no hits."""
    rng = bench.rng(number, 20)
    bar, tonal = bench.usual.bar(number), bench.tonal.bar(number)
    asked = hits_of_pattern(bar.pattern)
    period = len(bar.audio) / SAMPLE_RATE

    def heard(audio: NDArray[np.float32], *, circular: bool = True) -> Transcription:
        return bench.transcriber.transcribe(audio, SAMPLE_RATE, circular=circular)

    result: dict[str, Any] = {}
    for name, transcription, around in (
        ("plain", heard(bar.audio), period),
        ("once", heard(bar.audio, circular=False), None),
        ("degraded", heard(degraded(tonal.audio, rng)), period),
    ):
        result[name] = score(hits_of_transcription(transcription), asked, around)
    empty = {
        "silence": np.zeros(len(bar.audio), np.float32),
        "noise": noise(len(bar.audio), rng),
        "tones": tonal.tonal,
    }
    result["empty"] = {}
    for name, audio in empty.items():
        groups = [hit.group for hit in heard(audio).hits]
        result["empty"][name] = {"seconds": period, **{group: groups.count(group) for group in GROUPS}}
    return result


def noise(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return white or pink noise at an RMS of -60 to -20 dBFS."""
    from scipy import fft

    white = rng.standard_normal(count)
    if rng.random() < 0.5:
        spectrum = fft.rfft(white)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
        white = fft.irfft(spectrum, count)
    scale = 10 ** (float(rng.uniform(-60, -20)) / 20) / float(np.sqrt(np.mean(np.square(white))))
    result: NDArray[np.float32] = (white * scale).astype(np.float32)
    return result


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    tables = [
        _groups_table(rows, seed),
        _timing_table(rows, seed),
        _recall_table(rows, seed),
        _voices_table(rows, seed),
        *(_confusion_table(rows, name) for name in ("plain", "degraded")),
        _empty_table(rows, seed),
    ]
    checks = []
    for group, required in REQUIRED_F.items():
        estimate = f_measure([counts_of(row["plain"], group) for row in rows], seed)
        text = f"hearing: F at 50 ms, {group}, at least {required:.2f}"
        checks.append(Check(text, Cell.of(estimate, ".3f"), estimate.value >= required))
    error = timing(rows, "plain", HEARD, seed)[0]
    text = f"hearing: mean absolute error in time of matched hits, at most {REQUIRED_MS:g} ms"
    checks.append(Check(text, Cell.of(error), error.value <= REQUIRED_MS))
    pooled = velocities(rows, "plain", HEARD, seed)[0]
    text = f"hearing: Spearman of velocities of matched hits, at least {REQUIRED_SPEARMAN:.1f}"
    checks.append(Check(text, Cell.of(pooled), pooled.value >= REQUIRED_SPEARMAN))
    merged = {name: sum(row[name]["merged"] for row in rows) for name in SETS}
    asked = sum(entry["raw"][2] for row in rows for entry in row["plain"]["groups"].values())
    method = f"{METHOD} Of {asked} hits, {merged['plain']} were merged into another."
    return Section("Hearing", method, tables, checks, {"merged": merged, "hits": asked})


def events_of(row: Mapping[str, Any], groups: Sequence[str]) -> list[list[Any]]:
    """Return the events struck in some groups: velocity, velocity heard or None, milliseconds late or None."""
    return [event for group in groups if group in row["groups"] for event in row["groups"][group]["events"]]


def counts_of(row: Mapping[str, Any], group: str, measure: str = "50") -> list[int]:
    """Return matches, found and asked of one bar: at ``50`` or ``25`` ms, or ``raw``, without merging."""
    entry = row["groups"].get(group)
    if entry is None:
        return [0, 0, 0]
    if measure == "raw":
        return list(entry["raw"])
    right = entry["right25"] if measure == "25" else sum(event[1] is not None for event in entry["events"])
    return [right, entry["found"], len(entry["events"])]


def share(top: Sequence[int], bottom: Sequence[int], seed: int) -> Estimate:
    """Return the share of all hits of all bars, with an interval over bars; not measured where there are none."""
    if not sum(bottom):
        return Estimate(float("nan"), float("nan"), float("nan"), len(bottom))
    return ratio_of_means(top, bottom, seed=seed)


def timing(rows: Sequence[Mapping[str, Any]], name: str, groups: Sequence[str], seed: int) -> tuple[Estimate, Estimate]:
    """Return the mean absolute and the mean signed error of matched hits, in ms."""
    late = [[event[2] for event in events_of(row[name], groups) if event[2] is not None] for row in rows]
    counts = [len(bar) for bar in late]
    if not sum(counts):
        nothing = share([], [], seed)
        return nothing, nothing
    size, signed = ([float(np.sum(bar)) for bar in side] for side in ([np.abs(bar) for bar in late], late))
    return ratio_of_means(size, counts, seed=seed), ratio_of_means(signed, counts, seed=seed)


def velocities(
    rows: Sequence[Mapping[str, Any]], name: str, groups: Sequence[str], seed: int
) -> tuple[Estimate, Estimate]:
    """Return Spearman's correlation of velocities over all matched hits, and its median over bars."""
    bars = [
        np.array([event[:2] for event in events_of(row[name], groups) if event[1] is not None]).reshape(-1, 2)
        for row in rows
    ]
    bars = [bar for bar in bars if len(bar)]

    def pooled(drawn: Counts) -> Counts:
        together = [np.concatenate([bars[index] for index in draw.astype(int)]) for draw in drawn]
        return np.array([float(spearman(hits[:, 0], hits[:, 1])) for hits in together])

    if not bars:
        nothing = share([], [], seed)
        return nothing, nothing
    every = bootstrap(np.arange(len(bars), dtype=np.float64), pooled, seed=seed, resamples=RANK_RESAMPLES)
    single = [float(spearman(bar[:, 0], bar[:, 1])) for bar in bars if len(bar) >= LEAST_MATCHES]
    return every, median_of(single, seed=seed)


def _groups_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for name, label in SETS.items():
        for group in GROUPS:
            counts = [counts_of(row[name], group) for row in rows]
            right, found, asked = (list(side) for side in zip(*counts, strict=True))
            cells: list[str | Cell] = [label, group, str(sum(asked))]
            cells.append(Cell.of(f_measure(counts, seed), ".3f"))
            for other in ("25", "raw"):
                cells.append(Cell.of(f_measure([counts_of(row[name], group, other) for row in rows], seed), ".3f"))
            cells += [Cell.of(share(right, found, seed), ".3f"), Cell.of(share(right, asked, seed), ".3f")]
            table.append(cells)
    columns = ["bars", "group", "hits", "F 50 ms", "F 25 ms", "F 50 ms, not merged", "precision", "recall"]
    return Table(f"Hits heard against hits struck, {len(rows)} bars", columns, table)


def _timing_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for name, label in SETS.items():
        for groups in ((group,) for group in HEARD):
            table.append([label, *groups, *_timing_cells(rows, name, groups, seed)])
        table.append([label, "all three", *_timing_cells(rows, name, HEARD, seed)])
    columns = ["bars", "group", "mean absolute error, ms", "mean error, ms", "velocity, Spearman, all hits"]
    return Table("Time and velocity of matched hits", [*columns, "velocity, Spearman, median bar"], table)


def _timing_cells(rows: Sequence[Mapping[str, Any]], name: str, groups: Sequence[str], seed: int) -> list[Cell]:
    size, signed = timing(rows, name, groups, seed)
    pooled, median = velocities(rows, name, groups, seed)
    return [Cell.of(size), Cell.of(signed, "+.2f"), Cell.of(pooled), Cell.of(median)]


def _recall_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for group in HEARD:
        for low, high in pairwise(VELOCITY_EDGES):
            cells: list[str | Cell] = [group, f"{low:g} to {min(high, 1.0):g}"]
            for name in ("plain", "degraded"):
                inside = [[e for e in events_of(row[name], [group]) if low <= e[0] < high] for row in rows]
                found = [sum(event[1] is not None for event in bar) for bar in inside]
                asked = [len(bar) for bar in inside]
                if name == "plain":
                    cells.append(str(sum(asked)))
                cells.append(Cell.of(share(found, asked, seed), ".3f"))
            table.append(cells)
    return Table("Recall by velocity, 50 ms", ["group", "velocity", "hits", "as rendered", "degraded"], table)


def _voices_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for voice in VOICES:
        cells: list[str | Cell] = [voice]
        for name in ("plain", "degraded"):
            counts = [row[name]["voices"].get(voice, [0, 0, 0]) for row in rows]
            if name == "plain":
                cells.append(str(sum(count[2] for count in counts)))
            heard = any(sum(count) for count in counts)
            cells.append(Cell.of(f_measure(counts, seed), ".3f") if heard else "none struck, none heard")
        table.append(cells)
    return Table("F at 50 ms of each voice by itself", ["voice", "hits", "as rendered", "degraded"], table)


def _confusion_table(rows: Sequence[Mapping[str, Any]], name: str) -> Table:
    table: list[list[str | Cell]] = []
    for struck in (*GROUPS, NOTHING):
        sums = {heard: sum(row[name]["confusion"][struck][heard] for row in rows) for heard in (*GROUPS, MISSED)}
        cells = [str(sums[heard]) for heard in GROUPS]
        table.append([struck, *cells, "" if struck == NOTHING else str(sums[MISSED])])
    caption = f"What was struck (rows) and what it was taken for (columns), events at 50 ms; {SETS[name]}"
    return Table(caption, ["struck", *GROUPS, MISSED], table)


def _empty_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for name, label in EMPTY.items():
        parts = [row["empty"][name] for row in rows]
        seconds = [part["seconds"] for part in parts]
        cells: list[str | Cell] = [label, f"{sum(seconds):.0f}"]
        cells += [
            Cell.of(ratio_of_means([part[group] for part in parts], seconds, seed=seed), ".3f") for group in GROUPS
        ]
        table.append(cells)
    return Table("Hits a second heard where there are none", ["audio", "seconds", *GROUPS], table)

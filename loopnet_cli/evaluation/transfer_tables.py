"""The tables and checks of the section Transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import BANDS, TIMBRE_NAMES
from loopnet_cli.evaluation.hearing import counts_of
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, bootstrap, mean_of, share_of, spearman
from loopnet_cli.evaluation.timing import f_measure

ROWS = {
    "transfer": "transfer, from the two recordings",
    "code": "model, the kit found in B's audio, nothing else matched",
    "bank": "model, kit of the bank that is nearest to B (no code from audio)",
    "known": "model, codes of B's own one-shots (what a perfect finder of kits would reach)",
    "sampler": "sampler, A's true hits on B's own one-shots",
    "itself": "A itself",
}
GROUPS = ("kick", "snare", "hat")
REQUIRED_F = {"kick": 0.90, "snare": 0.90}
REQUIRED_SHARE = 0.90
METRICS = {
    "mel": "log-mel statistics, floor -50 dB",
    "mel80": "log-mel statistics, floor -80 dB",
    "strokes": "log-mel spectra stroke by stroke",
    "embedding": "YAMNet embedding",
    "stroke-embedding": "YAMNet embedding stroke by stroke",
}
"""Names of `loopnet_cli.evaluation.likeness.METRICS`."""
RANK_RESAMPLES = 500

METHOD = """\
A, B and C are held-out bars (drums only) of the renderer of training bars: three grooves, and drums of A, B and C
from different held-out kits (where twelve draws manage that). The library is given the audio of A and of B with the
places of their bar lines, not their hits; it transcribes both, finds a kit for B, and plays A's rhythm with it.
Rhythm: the result is transcribed like A and compared with A's *true* hits, matched as in the section Hearing, so
that errors of both transcriptions count; the row "A itself" is the transcriber's own share. Timbre: the result must
be nearer to B than to A, and nearer to B than to C, a random loop. Distances: log-mel statistics
(`loopnet_cli/evaluation/likeness.py`: mean and standard deviation over time of 128 bands in dB at one RMS, at two
floors) and the cosine distance of YAMNet embeddings averaged over the loop (`loopnet_cli/evaluation/embedding.py`).
Rhythm is part of these: which drums play, how often and how hard. Stroke by stroke it is not
(`loopnet_cli/evaluation/stroke_likeness.py`): both loops are cut where something begins, and each stroke of the result
looks for the nearest one. Even B's own one-shots, struck as A has them, do not always pass; that row says how much a
distance can tell, and is no upper limit, as the library may also bring its balance to B's. The bank's kit is the one,
of the eight nearest in another pattern, that comes nearest to B in log-mel statistics when it plays B's transcription.
Intervals of shares are Wilson's, others are over pairs."""


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    checks = []
    for group, required in REQUIRED_F.items():
        estimate = rhythm_f(rows, "transfer", group, seed)
        text = f"transfer: F at 50 ms of the result against A's true hits, {group}, at least {required:.2f}"
        checks.append(Check(text, Cell.of(estimate, ".3f"), estimate.value >= required))
    for metric, label in METRICS.items():
        passed = [verdict["both"] for verdict in verdicts(rows, "transfer", metric)]
        estimate = share_of(passed, seed=seed)
        text = f"transfer: nearer to B than to A and to a random loop, {label}, % of pairs, at least 90 %"
        checks.append(Check(text, Cell.of(estimate, ".1f", 100), estimate.value >= REQUIRED_SHARE))
    tables = [
        _rhythm_table(rows, seed),
        *(_distance_table(rows, metric, seed) for metric in METRICS),
        _bands_table(rows, seed),
        _features_table(rows, seed),
    ]
    return Section("Transfer", METHOD, tables, checks)


def rhythm_f(rows: Sequence[Mapping[str, Any]], name: str, group: str, seed: int) -> Estimate:
    """Return F at 50 ms over all hits of a group."""
    return f_measure([counts_of({"groups": row["rows"][name]["rhythm"]}, group) for row in rows], seed)


def verdicts(rows: Sequence[Mapping[str, Any]], name: str, metric: str) -> list[dict[str, bool]]:
    """Say for each pair whether the result is nearer to B than to A, than to C, and both; none where unmeasured."""
    found = []
    for row in rows:
        result = row["rows"][name]
        if result["silent"]:
            found.append({"a": False, "c": False, "both": False})
        elif result[metric] is not None:
            nearer = {key: result[metric]["b"] < result[metric][key] for key in ("a", "c")}
            found.append({**nearer, "both": all(nearer.values())})
    return found


def _rhythm_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for name, label in ROWS.items():
        table.append([label, *(Cell.of(rhythm_f(rows, name, group, seed), ".3f") for group in GROUPS)])
    hits = [sum(counts_of({"groups": row["rows"]["itself"]["rhythm"]}, g)[2] for row in rows) for g in GROUPS]
    columns = ["result", *(f"{group}, {count} hits" for group, count in zip(GROUPS, hits, strict=True))]
    return Table(f"Rhythm: F at 50 ms against A's true hits, {len(rows)} pairs", columns, table)


def _distance_table(rows: Sequence[Mapping[str, Any]], metric: str, seed: int) -> Table:
    table: list[list[str | Cell]] = []
    form = ".3f" if "embedding" in metric else ".2f"
    for name, label in ROWS.items():
        measured = [row["rows"][name][metric] for row in rows if row["rows"][name][metric] is not None]
        cells: list[str | Cell] = [label]
        cells += [Cell.of(mean_of([entry[key] for entry in measured], seed=seed), form) for key in ("b", "a", "c")]
        found = verdicts(rows, name, metric)
        cells += [Cell.of(share_of([v[key] for v in found], seed=seed), ".0f", 100) for key in ("a", "c", "both")]
        table.append(cells)
    columns = ["result", "to B", "to A", "to C", "nearer to B than to A, %", "than to C, %", "both, %"]
    return Table(f"Timbre: {METRICS[metric]}, mean distances and shares of pairs", columns, table)


def _vectors(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    """Return features of B and of a result, shape (pairs, 2, 21), of pairs that have both."""
    found = [[row["b"], row["rows"][name]["features"]] for row in rows if row["rows"][name]["features"] is not None]
    return np.array(found, np.float64).reshape(-1, 2, len(TIMBRE_NAMES))


def _bands_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for band in (*BANDS, "all"):
        columns = [i for i, name in enumerate(TIMBRE_NAMES) if band == "all" or name.startswith(f"{band}.")]
        for name, label in ROWS.items():
            both = _vectors(rows, name)[:, :, columns]
            error = np.abs(both[:, 1] - both[:, 0]).mean(axis=1)
            cells: list[str | Cell] = [band, label, Cell.of(rank_correlation(both, seed))]
            table.append([*cells, Cell.of(mean_of(error, seed=seed), ".3f")])
    caption = "How much of B's 21 numbers is reached, on the scale of the knobs, mean over the features of a band"
    return Table(caption, ["band", "result", "Spearman with B's", "mean absolute error against B's"], table)


def _features_table(rows: Sequence[Mapping[str, Any]], seed: int) -> Table:
    table: list[list[str | Cell]] = []
    for index, feature in enumerate(TIMBRE_NAMES):
        cells: list[str | Cell] = [feature]
        for name in ("transfer", "sampler"):
            both = _vectors(rows, name)[:, :, [index]]
            cells += [
                Cell.of(rank_correlation(both, seed)),
                Cell.of(mean_of(np.abs(both[:, 1] - both[:, 0]).ravel(), seed=seed), ".3f"),
            ]
        table.append(cells)
    columns = ["feature", "transfer: Spearman", "transfer: error", "sampler: Spearman", "sampler: error"]
    return Table("The same for each feature", columns, table)


def rank_correlation(both: NDArray[np.float64], seed: int) -> Estimate:
    """Return the mean over features of Spearman's correlation over pairs, from (pairs, 2, features)."""

    def value(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        sides = drawn.transpose(2, 0, 3, 1)
        return np.asarray(spearman(sides[0], sides[1]).mean(axis=1))

    return bootstrap(both, value, seed=seed, resamples=RANK_RESAMPLES)

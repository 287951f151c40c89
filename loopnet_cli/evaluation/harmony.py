"""Chroma: does a loop sound in the chord that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.evaluation.bench import Bench, triad
from loopnet_cli.evaluation.report import Cell, Section, Table
from loopnet_cli.evaluation.statistics import mean_of, share_of

METHOD = """\
Every loop is rendered twice from the same seed: without a chroma, and with one of the 24 major and minor triads,
drawn at random (chord tones 1, others 0). Chroma is measured as everywhere in loopnet
(`loopnet_cli/analysis/chroma.py`). Correlation: Pearson, asked against measured over the 12 pitch classes.
Held-out patterns of one bar, bank kits and held-out kits in turn, no knobs."""


def agreement(asked: Sequence[float], found: Sequence[float]) -> dict[str, float]:
    """Compare a measured chroma with an asked one.

    Returns
    -------
    dict
        ``correlation``: Pearson; 0 where the measured chroma is flat. ``top3``: 1 if the strongest pitch classes, as
        many as the chord has notes, are the chord's. ``share``: how much of the measured chroma's sum lies in it.
    """
    wanted, heard = np.asarray(asked, float), np.asarray(found, float)
    notes = set(np.flatnonzero(wanted > 0).tolist())
    strongest = set(np.argsort(-heard, kind="stable")[: len(notes)].tolist())
    flat = np.ptp(heard) == 0
    return {
        "correlation": 0.0 if flat else float(np.corrcoef(wanted, heard)[0, 1]),
        "top3": float(not flat and strongest == notes),
        "share": float(heard[sorted(notes)].sum() / max(heard.sum(), 1e-12)),
    }


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Render one loop without and with a triad."""
    from loopnet_cli.analysis.chroma import chroma

    rng = bench.rng(number, 6)
    pattern = bench.dry.grooves.draw(rng)
    kit = bench.any_kit(number, pattern, rng)
    chord = int(rng.integers(24))
    asked = triad(chord)
    before = bench.model.render(pattern, kit=kit, seed=number)
    after = bench.model.render(pattern, kit=kit, chroma=asked, seed=number)
    return {
        "chord": PITCH_CLASSES[chord // 2] + ("m" if chord % 2 else ""),
        "before": agreement(asked, [float(x) for x in chroma(before.audio, before.sample_rate)]),
        "after": agreement(asked, [float(x) for x in chroma(after.audio, after.sample_rate)]),
    }


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into a table."""
    table: list[list[str | Cell]] = []
    for key, label in (("before", "no chroma asked"), ("after", "triad asked")):
        top = share_of([row[key]["top3"] == 1.0 for row in rows], seed=seed)
        cells = [Cell.of(mean_of([row[key][name] for row in rows], seed=seed)) for name in ("correlation", "share")]
        table.append([label, *cells, Cell.of(top, ".0f", 100)])
    columns = ["loop", "correlation", "share of the chroma in the chord", "three strongest are the chord, %"]
    return Section("Chroma", METHOD, [Table(f"Asked against measured, {len(rows)} loops", columns, table)])

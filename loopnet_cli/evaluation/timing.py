"""Timing: hits found in the stems, by a finder that does not know the pattern, against the hits asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import TIMBRE_NAMES, Knob
from loopnet_cli.data.renderer import SAMPLE_RATE, render_voices
from loopnet_cli.dynamics import velocity_gain
from loopnet_cli.evaluation.bench import Bench, stems_of, untreated
from loopnet_cli.evaluation.onsets import find_onsets
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, bootstrap
from loopnet_cli.pattern import STEMS, Pattern

TOLERANCES_MS = (50, 20, 10)
MERGE_MS = 30.0
FLOOR_DB = -15.0
MASK_MS, MASK_START_DB, MASK_RISE_DB = 150.0, 6.0, 12.0
ALONE_MS = 50.0
REQUIRED_F = {"kick": 0.95, "snare": 0.95, "hat": 0.90}
REQUIRED_OFFSET_MS = 1.0

SOURCES = {
    "model": "model (kit and features of the original)",
    "kit": "model (kit alone)",
    "knobs": "model (bank kit, five random knobs)",
    "original": "the originals before the bus: the finder's own error",
    "sampler": "sampler, another held-out kit: the finder's own error",
}

METHOD = f"""\
An onset finder that sees one stem's audio and nothing else (`loopnet_cli/evaluation/onsets.py`: circular spectral
flux every 1.45 ms, then the foot of the attack) against the hits asked. Hits of a stem closer than {MERGE_MS:g}
ms are one event at the time of the louder. An event is judged if its level (velocity and level of its voice) lies
at most {-FLOOR_DB:g} dB under the stem's loudest and it is not masked by an earlier event of the stem: one within
{MASK_MS:g} ms that is louder by more than {MASK_START_DB:g} dB (at no distance) to
{MASK_START_DB + MASK_RISE_DB:g} dB (at {MASK_MS:g} ms). Finding an event that is not judged is neither right nor
wrong. The rule looks at the pattern alone and is the same for all rows. F counts hits over all loops. Offsets
(found minus asked; late is positive) are of matched events with no other hit of the stem within {ALONE_MS:g} ms,
within 20 ms. One-shots seldom begin at full strength at their first sample, so the originals too are "late" by
this measure; the last column takes that out: the median over hits of the offset less that in the original."""


class Event(NamedTuple):
    """A stroke of a stem: its sample, whether it is judged, whether it stands alone."""

    sample: float
    judged: bool
    alone: bool


def events(pattern: Pattern, stem: str, levels: Mapping[str, float]) -> list[Event]:
    """Return what a listener to a stem is asked to hear (see `METHOD`).

    Parameters
    ----------
    pattern : Pattern
    stem : str
        One of `STEMS`.
    levels : Mapping from voice to float
        Peak level of each voice at full velocity.
    """
    total = pattern.samples(SAMPLE_RATE)
    hits = sorted(
        (onset, 20 * np.log10(levels[hit.voice] * velocity_gain(hit.velocity) + 1e-9))
        for hit, onset in zip(pattern.hits, pattern.onset_samples(SAMPLE_RATE), strict=True)
        if hit.voice in STEMS[stem]
    )
    merged: list[tuple[int, float]] = []
    for onset, level in hits:
        if merged and _ms(onset - merged[-1][0]) < MERGE_MS:
            merged[-1] = max(merged[-1], (onset, level), key=lambda event: event[1])
        else:
            merged.append((onset, level))
    if len(merged) > 1 and _ms(merged[0][0] + total - merged[-1][0]) < MERGE_MS:
        last = merged.pop()
        merged[0] = max(merged[0], last, key=lambda event: event[1])
    loudest = max((level for _, level in merged), default=0.0)
    result = []
    for onset, level in sorted(merged):
        judged = level >= loudest + FLOOR_DB
        for other, other_level in merged:
            gap = _ms((onset - other) % total)
            if 0 < gap < MASK_MS and other_level - level > MASK_START_DB + MASK_RISE_DB * gap / MASK_MS:
                judged = False
        near = sum(_ms(_circular(onset - other, total)) < ALONE_MS for other, _ in hits)
        result.append(Event(float(onset), judged, near == 1))
    return result


def score(found: NDArray[np.float64], asked: Sequence[Event], total: int) -> dict[str, Any]:
    """Match found onsets with events.

    Parameters
    ----------
    found : ndarray
        Samples.
    asked : sequence of Event
    total : int
        Length of the loop in samples.

    Returns
    -------
    dict
        For each tolerance in ms, ``[right, found and counted, judged]``; ``offsets``: event sample and offset in ms of
        the judged, lone events matched within 20 ms.
    """
    judged = [event for event in asked if event.judged]
    other = np.array([event.sample for event in asked if not event.judged])
    result: dict[str, Any] = {}
    for tolerance in TOLERANCES_MS:
        pairs = match(found, np.array([event.sample for event in judged]), total, tolerance)
        spare = sorted(set(range(len(found))) - {row for row, _, _ in pairs})
        wrong = len(spare)
        if len(other) and spare:
            distance = np.abs(_circular_array(found[spare][:, None] - other, total)) * 1000 / SAMPLE_RATE
            wrong -= int((distance.min(axis=1) <= tolerance).sum())
        result[str(tolerance)] = [len(pairs), len(pairs) + wrong, len(judged)]
        if tolerance == 20:
            result["offsets"] = [
                [judged[column].sample, round(offset, 4)] for _, column, offset in pairs if judged[column].alone
            ]
    return result


def match(
    found: NDArray[np.float64], asked: NDArray[np.float64], total: int, tolerance_ms: float
) -> list[tuple[int, int, float]]:
    """Pair as many onsets as possible within a tolerance, at the least sum of distances.

    Returns
    -------
    list of (index into found, index into asked, found minus asked in ms)
    """
    from scipy.optimize import linear_sum_assignment

    if not len(found) or not len(asked):
        return []
    offset = _circular_array(found[:, None] - asked, total) * 1000 / SAMPLE_RATE
    # a pair out of reach costs more than all others together: as many pairs as possible come first
    cost = np.where(np.abs(offset) <= tolerance_ms, np.abs(offset), 1e6)
    rows, columns = linear_sum_assignment(cost)
    return [(int(r), int(c), float(offset[r, c])) for r, c in zip(rows, columns, strict=True) if cost[r, c] < 1e6]


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Score every source on one case."""
    case = bench.case(number)
    pattern, drums = case.bar.pattern, case.bar.drums
    rng = bench.rng(number, 3)
    kit = bench.bank_kit(rng)
    knobs = {str(name): Knob(float(rng.uniform())) for name in rng.choice(TIMBRE_NAMES, size=5, replace=False)}
    other = untreated(bench.other_drums(case))
    own = {voice: drum.level for voice, drum in drums.items()}
    sources = {
        "model": (bench.resynthesis(case).stems, own),
        "kit": (bench.model.render(pattern, kit=case.kit, seed=case.seed).stems, own),
        "knobs": (bench.model.render(pattern, kit=kit, timbre=knobs, seed=case.seed).stems, kit.levels),
        # before the bus: its compressor and clipper let other drums modulate a stem, which then has onsets of theirs
        "original": (stems_of(render_voices(pattern, drums)), own),
        "sampler": (stems_of(render_voices(pattern, other)), {v: drum.level for v, drum in other.items()}),
    }
    total = pattern.samples(SAMPLE_RATE)
    return {
        name: {
            stem: score(find_onsets(stems[stem]), asked, total)
            for stem in STEMS
            if (asked := events(pattern, stem, levels))
        }
        for name, (stems, levels) in sources.items()
    }


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    table, checks = [], []
    for stem in STEMS:
        for source, label in SOURCES.items():
            scores = [row[source][stem] for row in rows if stem in row[source]]
            by_tolerance = [f_measure([s[str(ms)] for s in scores], seed) for ms in TOLERANCES_MS]
            offset = offset_of(scores, seed)
            pairs = [(row[source][stem], row["original"][stem]) for row in rows if stem in row[source]]
            against = offset_against(pairs, seed)
            cells = [Cell.of(estimate, ".3f") for estimate in by_tolerance]
            offsets = [Cell.of(offset, "+.2f"), "0" if source == "original" else Cell.of(against, "+.2f")]
            if source == "sampler":
                offsets[1] = ""
            hits = str(sum(s["20"][2] for s in scores))
            table.append([stem, label, str(len(scores)), hits, *cells, *offsets])
            if source == "model" and stem in REQUIRED_F:
                required, at_20 = REQUIRED_F[stem], by_tolerance[1]
                text = f"timing: F at 20 ms, {stem}, at least {required:.2f}"
                checks.append(Check(text, Cell.of(at_20, ".3f"), at_20.value >= required))
                met = abs(offset.value) <= REQUIRED_OFFSET_MS
                text = f"timing: mean signed offset, {stem}, at most {REQUIRED_OFFSET_MS:g} ms either way"
                checks.append(Check(text, Cell.of(offset, "+.2f"), met))
    columns = ["stem", "source", "loops", "hits judged", "F 50 ms", "F 20 ms", "F 10 ms"]
    columns += ["mean offset, ms", "against the original's, median, ms"]
    return Section("Timing", METHOD, [Table("Hits found against hits asked", columns, table)], checks)


def f_measure(counts: Sequence[Sequence[int]], seed: int) -> Estimate:
    """Return F over all hits of all loops, from ``[right, found, judged]`` per loop."""

    def value(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        right, found, judged = np.moveaxis(drawn.sum(axis=1), -1, 0)
        return np.asarray(2 * right / (found + judged))

    return bootstrap(np.reshape(counts, (len(counts), 3)), value, seed=seed)


def offset_of(scores: Sequence[Mapping[str, Any]], seed: int) -> Estimate:
    """Return the mean signed offset over all hits, in ms."""
    return _pooled_mean([[offset for _, offset in score["offsets"]] for score in scores], seed)


def offset_against(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], seed: int) -> Estimate:
    """Return the median difference of offsets between two sources, over hits found in both, in ms."""
    differences = []
    for one, two in pairs:
        reference = dict(two["offsets"])
        differences.append([o - reference[s] for s, o in one["offsets"] if s in reference])
    groups = [np.array(group) for group in differences if group]

    def median(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([np.median(np.concatenate([groups[index] for index in row.astype(int)])) for row in drawn])

    return bootstrap(np.arange(len(groups), dtype=np.float64), median, seed=seed)


def _pooled_mean(groups: Sequence[Sequence[float]], seed: int) -> Estimate:
    sums = np.array([[sum(group), len(group)] for group in groups if group]).reshape(-1, 2)
    return bootstrap(sums, lambda drawn: drawn[..., 0].sum(axis=1) / drawn[..., 1].sum(axis=1), seed=seed)


def _ms(samples: float) -> float:
    return samples * 1000 / SAMPLE_RATE


def _circular(samples: float, total: int) -> float:
    return abs((samples + total / 2) % total - total / 2)


def _circular_array(samples: NDArray[np.float64], total: int) -> NDArray[np.float64]:
    return (samples + total / 2) % total - total / 2

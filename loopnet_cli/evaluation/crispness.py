"""Crispness: crest factor, energy above 8 kHz and decay of the model's stems against the originals'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.renderer import SAMPLE_RATE, render_voices
from loopnet_cli.evaluation.bench import Bench, mix_of, stems_of, untreated
from loopnet_cli.evaluation.distances import rms
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import median_of
from loopnet_cli.pattern import STEMS

HIGH_HZ = 8000.0
AUDIBLE_DB = -50.0
REQUIRED_DB = 2.0
PARTS = (*STEMS, "mix")
SOURCES = {"model": "model (kit and features)", "kit": "model (kit alone)", "sampler": "sampler, another held-out kit"}
MEASURES = {
    "crest": "crest factor, dB",
    "high": "above 8 kHz / total, dB",
    "high_level": "above 8 kHz, level, dB",
    "age": "decay, %",
}

METHOD = f"""\
Differences to the original, stem by stem and for the mix: source minus original, median over loops; in italics
below each the median of the *absolute* differences, which does not cancel. Crest factor: peak over RMS of the
whole loop. Energy above 8 kHz: against the stem's own total, and as a level once both mixes have the same RMS
(for the mix the two are the same). Decay: energy-weighted mean of the time since the stem's latest asked hit (the
temporal centroid of its strokes), in per cent of the original's. A stem counts where the original's lies at most
{-AUDIBLE_DB:g} dB under its mix."""


def crest_db(audio: NDArray[np.floating]) -> float:
    """Return peak over RMS in dB."""
    return float(20 * np.log10(np.abs(audio).max() / rms(audio)))


def high_energy(audio: NDArray[np.floating]) -> float:
    """Return the mean square of what lies above 8 kHz in a loop."""
    spectrum = np.fft.rfft(np.asarray(audio, np.float64))
    power = np.square(np.abs(spectrum))
    power[1 : (len(audio) + 1) // 2] *= 2
    hertz = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE)
    return float(power[hertz > HIGH_HZ].sum() / len(audio) ** 2)


def mean_age(audio: NDArray[np.floating], onsets: Sequence[int]) -> float:
    """Return the energy-weighted mean time since the latest onset of a loop, in seconds."""
    total = len(audio)
    starts = np.unique(np.asarray(onsets) % total)
    positions = np.arange(total)
    latest = starts[np.searchsorted(starts, positions, side="right") - 1]
    ages = (positions - latest) % total
    power = np.square(audio, dtype=np.float64)
    return float((ages * power).sum() / power.sum() / SAMPLE_RATE)


def describe(stems: Mapping[str, NDArray[np.float32]], onsets: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Measure all parts of a loop; silent parts are left out."""
    mix = mix_of(stems)
    parts = {**stems, "mix": mix}
    level = rms(mix)
    result = {}
    for name, audio in parts.items():
        if rms(audio) <= level * 10 ** (AUDIBLE_DB / 20):
            continue
        high = max(high_energy(audio), 1e-20)
        result[name] = {
            "crest": crest_db(audio),
            "high": 10 * np.log10(high / rms(audio) ** 2),
            "high_level": 10 * np.log10(high / level**2),
            "age": mean_age(audio, onsets[name]),
        }
    return result


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Describe the original and every source of one case."""
    case = bench.case(number)
    pattern = case.bar.pattern
    at = pattern.onset_samples(SAMPLE_RATE)
    onsets = {
        stem: [sample for hit, sample in zip(pattern.hits, at, strict=True) if hit.voice in voices]
        for stem, voices in STEMS.items()
    }
    onsets["mix"] = at
    sampler = stems_of(render_voices(pattern, untreated(bench.other_drums(case))))
    sources = {
        "original": case.bar.stems,
        "model": bench.resynthesis(case).stems,
        "kit": bench.model.render(pattern, kit=case.kit, seed=case.seed).stems,
        "sampler": sampler,
    }
    return {name: describe(stems, onsets) for name, stems in sources.items()}


def difference(row: Mapping[str, Any], source: str, part: str, measure: str) -> float:
    """Return source minus original in dB, or in per cent for the decay; NaN where either is silent."""
    found, wanted = row[source].get(part), row["original"].get(part)
    if found is None or wanted is None:
        # a stem that fell silent is missed by the median: it is counted in the table
        return float("nan")
    if measure == "age":
        return float(100 * (found[measure] / max(wanted[measure], 1e-9) - 1))
    return float(found[measure] - wanted[measure])


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    table, checks = [], []
    for part in PARTS:
        present = [row for row in rows if part in row["original"]]
        for source, label in SOURCES.items():
            lost = sum(part not in row[source] for row in present)
            signed: list[str | Cell] = [part, label, f"{len(present)}" + (f" ({lost} silent)" if lost else "")]
            absolute: list[str | Cell] = ["", "*absolute*", ""]
            for name in MEASURES:
                values = [difference(row, source, part, name) for row in present]
                form = "+.0f" if name == "age" else "+.2f"
                middle = median_of(values, seed=seed)
                signed.append(Cell.of(middle, form))
                absolute.append(Cell.of(median_of(np.abs(values), seed=seed), form.replace("+", "")))
                if source == "model" and name in ("crest", "high"):
                    text = f"crispness: {MEASURES[name].removesuffix(', dB')}, {part}, within {REQUIRED_DB:g} dB"
                    met = abs(middle.value) <= REQUIRED_DB and lost == 0
                    checks.append(Check(text, Cell.of(middle, "+.2f"), met))
            table += [signed, absolute]
    columns = ["part", "source", "loops", *MEASURES.values()]
    return Section("Crispness", METHOD, [Table("Difference to the originals, median", columns, table)], checks)

"""The paper's Table 2: coherence, from what `paper_tasks` measured; the paper's own figures stand beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import ATTRIBUTES, BANDS
from loopnet_cli.evaluation.coherence import orderings
from loopnet_cli.evaluation.contenders import title_of
from loopnet_cli.evaluation.paper_published import NOT_IN_PAPER, PUBLISHED_COHERENCE, ordered
from loopnet_cli.evaluation.paper_tasks import SETTINGS
from loopnet_cli.evaluation.report import Cell, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, mean_of, spearman

SPEARMAN_RESAMPLES = 200

COHERENCE_METHOD = """\
One feature at a time is asked at 0.2, 0.5 and 0.8, and measured at 44.1 kHz in what comes out, on the scale of the
model's own knobs. E1: 0.8 above 0.2; E2: 0.8 above 0.5; E3: 0.5 above 0.2; ties and silence count as failures; the
three renders of a feature share their noise. A paper model is given the controls of a test bar with the one feature
replaced; the studio model the pattern of the bar and a kit of its bank, and only the one feature is asked. Each loop
has one attribute turned in each band, in rotation. Spearman: asked against measured, over the loops of a feature,
mean over features (0.94 at most, as three values are asked). "The paper's way": fewer loops, all 21 features, all
bands together; beside it the paper's own data. (Its published script drops the band from its key, so that its table
covers one band alone: of its best model low 87.5 / 77.7 / 77.7, mid 79.5 / 81.2 / 71.4, high 0 / 0 / 0 %.) The
paper's models make 16 kHz: their high band, a gentle high-pass at 9 kHz, hears only what that leaves below 8 kHz, and
can hardly carry what is asked."""

Turned = Sequence[Mapping[str, NDArray[Any]]]
"""What `paper_tasks` measured for each loop: ``features``, ``everywhere`` and ``measured``."""


def coherence_section(turned: Mapping[str, Turned], *, full: int, seed: int, missing: Sequence[str] = ()) -> Section:
    """Make Table 2.

    Parameters
    ----------
    turned : Mapping of contender to its loops
    full : int
        How many of the first loops had all features turned.
    seed : int
        Of the bootstrap.
    missing : sequence of str
        Sentences on rows that could not be had.
    """
    by_band: list[list[str | Cell]] = []
    paper_way: list[list[str | Cell]] = []
    leaks: list[list[str | Cell]] = []
    figures: dict[str, Any] = {}
    for name in ordered(list(turned)):
        loops = turned[name]
        every = [_own(loop, full=False) for loop in loops]
        for band in (*BANDS, "all"):
            shares = _shares(every, band, seed)
            cells = [Cell.of(share, ".1f", 100) for share in shares]
            by_band.append([title_of(name), band, str(len(loops)), *cells, Cell.of(_rank(every, band, seed))])
            figures[f"{name} {band}"] = [share._asdict() for share in shares]
        leaks += _leak_rows(name, loops, seed)
        published = PUBLISHED_COHERENCE.get(name)
        texts = [NOT_IN_PAPER] * 3 if published is None else [f"{value:.2f}" for value in published]
        some = [_own(loop, full=True) for loop in loops[:full]]
        own = [Cell.of(each, ".1f", 100) for each in _shares(some, "all", seed)] if some else [NOT_IN_PAPER] * 3
        paper_way.append([title_of(name), str(len(some)), *own, *texts])
    measures = ["E1, %", "E2, %", "E3, %"]
    published_columns = (f"the paper's data: {name}" for name in measures)
    tables = [
        Table("Table 2: orderings that hold, per band", ["model", "band", "loops", *measures, "Spearman"], by_band),
        Table(
            "Table 2, the paper's way: all features of all bands together",
            ["model", "loops", *measures, *published_columns],
            paper_way,
        ),
        Table(
            "Leakage: how far features move when one goes from 0.2 to 0.8, on the scale of the knobs",
            ["model", "band", "itself (signed)", "its band", "same attribute, other bands", "elsewhere"],
            leaks,
        ),
    ]
    method = "\n".join([COHERENCE_METHOD, *missing])
    return Section("The paper's Table 2: coherence", method, tables, (), {"values": figures})


def _own(loop: Mapping[str, NDArray[Any]], *, full: bool) -> dict[int, NDArray[np.float64]]:
    """Return by feature what was measured of it at each setting; without `full` only features in rotation."""
    rows = zip(loop["features"].tolist(), loop["everywhere"].tolist(), loop["measured"], strict=True)
    return {feature: measured[:, feature] for feature, rotating, measured in rows if full or rotating}


def _of_band(feature: int, band: str) -> bool:
    return band == "all" or feature // len(ATTRIBUTES) == BANDS.index(band)


def _shares(loops: Sequence[Mapping[int, NDArray[np.float64]]], band: str, seed: int) -> list[Estimate]:
    """Return E1, E2 and E3 with intervals over loops."""
    held: dict[str, list[float]] = {"E1": [], "E2": [], "E3": []}
    for loop in loops:
        own = np.array([values for feature, values in loop.items() if _of_band(feature, band)])
        for name, results in orderings(own).items():
            held[name].append(float(results.mean()))
    return [mean_of(values, seed=seed) for values in held.values()]


def _rank(loops: Sequence[Mapping[int, NDArray[np.float64]]], band: str, seed: int) -> Estimate:
    """Return the mean over features of Spearman's correlation of asked and measured, with an interval over loops."""
    by_feature: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
    for number, loop in enumerate(loops):
        for feature, values in loop.items():
            if _of_band(feature, band) and np.isfinite(values).all():
                by_feature.setdefault(feature, []).append((number, values))
    tables = [(np.array([n for n, _ in rows]), np.stack([v for _, v in rows])) for rows in by_feature.values()]

    def value(times: NDArray[np.int64]) -> float:
        found = []
        for numbers, values in tables:
            drawn = np.repeat(values, times[numbers], axis=0)
            if len(drawn):
                found.append(float(spearman(np.tile(SETTINGS, len(drawn)), drawn.reshape(-1))))
        return float(np.nanmean(found)) if np.isfinite(found).any() else float("nan")

    count = len(loops)
    rng = np.random.default_rng(seed)
    drawn = [value(np.bincount(rng.integers(count, size=count), minlength=count)) for _ in range(SPEARMAN_RESAMPLES)]
    finite = [each for each in drawn if np.isfinite(each)]
    low, high = np.percentile(finite, [2.5, 97.5]) if finite else (float("nan"), float("nan"))
    return Estimate(value(np.ones(count, np.int64)), float(low), float(high), count)


def _leak_rows(name: str, loops: Turned, seed: int) -> list[list[str | Cell]]:
    size = len(ATTRIBUTES)
    index = np.arange(len(BANDS) * size)
    rows: list[list[str | Cell]] = []
    for place, band in enumerate(BANDS):
        moves: dict[str, list[float]] = {"itself": [], "band": [], "attribute": [], "elsewhere": []}
        for loop in loops:
            for feature, measured in zip(loop["features"].tolist(), loop["measured"], strict=True):
                moved = measured[-1] - measured[0]
                if feature // size != place or not np.isfinite(moved).all():
                    continue
                same_band, same_attribute = index // size == place, index % size == feature % size
                moves["itself"].append(float(moved[feature]))
                moves["band"].append(float(np.abs(moved[same_band & ~same_attribute]).mean()))
                moves["attribute"].append(float(np.abs(moved[~same_band & same_attribute]).mean()))
                moves["elsewhere"].append(float(np.abs(moved[~same_band & ~same_attribute]).mean()))
        rows.append([title_of(name), band, *(Cell.of(mean_of(values, seed=seed)) for values in moves.values())])
    return rows

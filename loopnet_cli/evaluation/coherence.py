"""Coherence: does each knob move what it names, and only that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import ATTRIBUTES, BANDS, TIMBRE_NAMES, Knob
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import Estimate, bootstrap, mean_of, spearman
from loopnet_cli.synthesis.timbrenet import as_vector

SETTINGS = (0.2, 0.5, 0.8)
REQUIRED = {"E1": 0.85, "E2": 0.75, "E3": 0.75}
SPEARMAN_RESAMPLES = 500

METHOD = """\
As in the paper: one feature at a time is asked at 0.2, 0.5 and 0.8, the others are not asked, and the 21 features
of what comes out are measured (`loopnet_cli/analysis/timbre.py`) on the scale of the knobs. E1: high above low,
E2: high above mid, E3: mid above low; ties count as failures. Held-out patterns of one bar; even loops with a kit
of the bank, odd ones with a held-out kit that the encoder heard; the three renders of a feature share their
noise, as they do for a user who keeps the seed. Spearman: asked against measured over all loops, so that it also
asks for the same value in different loops (0.94 at most, as only three values are asked). Intervals are over
loops."""

Array = NDArray[np.float64]


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Turn every knob of one loop; 64 renders and analyses."""
    rng = bench.rng(number, 5)
    pattern = bench.dry.grooves.draw(rng)
    kit = bench.any_kit(number, pattern, rng)

    def heard(knobs: dict[str, Knob]) -> list[float]:
        loop = bench.model.render(pattern, kit=kit, timbre=knobs, seed=number)
        return [round(float(value), 5) for value in as_vector(bench.measured(loop.audio))]

    return {
        "kit": "held-out" if number % 2 else "bank",
        "natural": heard({}),
        "measured": [[heard({name: Knob(value)}) for value in SETTINGS] for name in TIMBRE_NAMES],
    }


def own_values(measured: Array) -> Array:
    """Pick from (loops, asked feature, setting, measured feature) what was asked: (loops, feature, setting)."""
    index = np.arange(len(TIMBRE_NAMES))
    return measured[:, index, :, index].transpose(1, 0, 2)


def orderings(own: Array) -> dict[str, Array]:
    """Say for (loops, feature, setting) whether each ordering holds; arrays of 0 and 1, shape (loops, feature)."""
    low, mid, high = own[..., 0], own[..., 1], own[..., 2]
    return {
        "E1": (high > low).astype(float),
        "E2": (high > mid).astype(float),
        "E3": (mid > low).astype(float),
    }


def leakage(measured: Array) -> dict[str, Array]:
    """Say how far features move when one goes from its lowest to its highest setting.

    Parameters
    ----------
    measured : ndarray, shape (loops, asked feature, setting, measured feature)

    Returns
    -------
    dict of ndarray, shape (loops, asked feature)
        ``asked``: its own movement, signed. Mean absolute movements: ``same band`` (its other attributes),
        ``same attribute`` (in the other bands), and ``elsewhere`` (other attributes in other bands).
    """
    moved = measured[:, :, -1] - measured[:, :, 0]
    index = np.arange(len(TIMBRE_NAMES))
    band, attribute = index // len(ATTRIBUTES), index % len(ATTRIBUTES)
    same_band = band[:, None] == band
    same_attribute = attribute[:, None] == attribute
    masks = {
        "same band": same_band & ~same_attribute,
        "same attribute": ~same_band & same_attribute,
        "elsewhere": ~same_band & ~same_attribute,
    }
    size = np.abs(moved)
    result = {"asked": moved[:, index, index]}
    for name, mask in masks.items():
        result[name] = (size * mask).sum(axis=2) / mask.sum(axis=1)
    return result


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    measured = np.array([row["measured"] for row in rows], np.float64)
    own, order = own_values(measured), orderings(own_values(measured))
    kits = np.array([row["kit"] for row in rows])
    groups = {"all": np.ones(len(rows), bool), "bank kits": kits == "bank", "held-out kits": kits == "held-out"}
    by_band, checks = [], []
    for band in BANDS:
        columns = [index for index, name in enumerate(TIMBRE_NAMES) if name.startswith(f"{band}.")]
        for group, chosen in groups.items():
            cells: list[str | Cell] = [band, group, str(int(chosen.sum()))]
            for name, held in order.items():
                share = mean_of(held[chosen][:, columns].mean(axis=1), seed=seed)
                cells.append(Cell.of(share, ".1f", 100))
                if group == "all":
                    text = f"coherence: {name}, {band} band, at least {100 * REQUIRED[name]:.0f} %"
                    checks.append(Check(text, Cell.of(share, ".1f", 100), share.value >= REQUIRED[name]))
            cells.append(Cell.of(_rank_correlation(own[chosen][:, columns], seed)))
            by_band.append(cells)
    by_feature = []
    for index, name in enumerate(TIMBRE_NAMES):
        cells = [name, *(Cell.of(mean_of(held[:, index], seed=seed), ".0f", 100) for held in order.values())]
        cells.append(Cell.of(_rank_correlation(own[:, [index]], seed)))
        cells += [Cell.of(mean_of(own[:, index, setting], seed=seed)) for setting in range(len(SETTINGS))]
        by_feature.append(cells)
    return Section(
        "Coherence",
        METHOD,
        [
            Table(
                "Per band, mean over its seven attributes",
                ["band", "kits", "loops", "E1, %", "E2, %", "E3, %", "Spearman"],
                by_band,
            ),
            Table(
                f"Per feature, {len(rows)} loops; the last columns are what was measured when 0.2, 0.5, 0.8 was asked",
                ["feature", "E1, %", "E2, %", "E3, %", "Spearman", "at 0.2", "at 0.5", "at 0.8"],
                by_feature,
            ),
            _leakage_table(measured, seed),
        ],
        checks,
        # for the picture of the knobs' sweep
        {
            "sweep": {
                name: {
                    "quartiles": np.percentile(own[:, index], [25, 50, 75], axis=0).T.tolist(),
                    "settings": list(SETTINGS),
                }
                for index, name in enumerate(TIMBRE_NAMES)
            }
        },
    )


def _leakage_table(measured: Array, seed: int) -> Table:
    moves = leakage(measured)
    rows: list[list[str | Cell]] = []
    for band in BANDS:
        columns = [index for index, name in enumerate(TIMBRE_NAMES) if name.startswith(f"{band}.")]
        cells = [Cell.of(mean_of(move[:, columns].mean(axis=1), seed=seed)) for move in moves.values()]
        rows.append([f"{band} band", *cells])
    for index, name in enumerate(TIMBRE_NAMES):
        rows.append([name, *(Cell.of(mean_of(move[:, index], seed=seed)) for move in moves.values())])
    caption = (
        "Leakage: movement on the scale of the knobs when 0.2 and 0.8 are asked (0.60 would be exact); of the feature "
        "itself with its sign, of the others as mean absolute movement"
    )
    columns_named = ["asked", "the feature itself", "others in its band", "same attribute, other bands", "all others"]
    return Table(caption, columns_named, rows)


def _rank_correlation(own: Array, seed: int) -> Estimate:
    """Return the mean over features of Spearman's correlation, from (loops, feature, setting)."""

    def value(drawn: Array) -> Array:
        draws, loops, features, settings = drawn.shape
        heard = drawn.transpose(0, 2, 1, 3).reshape(draws, features, loops * settings)
        asked = np.broadcast_to(np.tile(SETTINGS, loops), heard.shape)
        return np.asarray(spearman(asked, heard).mean(axis=1))

    return bootstrap(own, value, seed=seed, resamples=SPEARMAN_RESAMPLES)

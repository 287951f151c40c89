"""Fit the weights of `loopnet_cli.analysis.tempo`: ``python -m loopnet_cli.analysis.tempo_fit DATA``.

A conditional logit over the hypotheses of each loop: softmax of a weighted sum of the evidence, with a ridge, and
with the signs that each piece of evidence must have. The loops are bars rendered from performances of the Groove
MIDI Dataset on the training side (their tempo and length are exact) and the real loops of the training side that
are cut as loops; none of the held-out ones. The weight of the usual tempo is set by hand: the performances are
played by drummers, and keep closer to 115 BPM than loops do. Writes the lines of ``tempo_weights.py``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis import tempo_estimators as trackers
from loopnet_cli.analysis.loop_evidence import EVIDENCE, MADMOM_EVIDENCE, Meter, gather
from loopnet_cli.analysis.madmom_compat import has_madmom
from loopnet_cli.analysis.pulse import onset_curves
from loopnet_cli.analysis.tempo import bar_counts
from loopnet_cli.audio.read import read_audio
from loopnet_cli.data.splits import held_out

if TYPE_CHECKING:
    from numpy.typing import NDArray

RENDERED, SEED, BARS_SEED = 300, 77, 5
BARS, SHARES = (1, 2, 4, 8, 3, 6), (0.22, 0.3, 0.3, 0.1, 0.04, 0.04)
"""How often rendered loops have so many bars: about as in sample packs."""
REAL_WEIGHT, RIDGE = 8.0, 15.0
"""Chosen by leaving out one real loop, or a third of the rendered ones, at a time."""
USUAL_TEMPO_WEIGHT = 5.0
ANY_SIGN = ("one bar", "off beat", "madmom offbeats")
NEGATIVE = ("odd bars",)


@dataclass(frozen=True)
class Example:
    """A loop's evidence, shape (hypotheses, pieces of evidence), and which hypothesis is true."""

    table: NDArray[np.float64]
    true: int
    weight: float


def rendered(data: Path, count: int) -> Iterator[tuple[NDArray[np.float32], int, Meter, int]]:
    """Yield audio, its rate, meter and bars: rendered performances in 4/4."""
    from loopnet_cli.data.corpus import load_corpus
    from loopnet_cli.data.grooves import Grooves
    from loopnet_cli.data.renderer import SAMPLE_RATE, BarRenderer

    grooves = Grooves(data)
    grooves.paths = [path for path in grooves.paths if path.name.startswith("gmd_")]
    renderer = BarRenderer(load_corpus(data), grooves, seed=SEED)
    rng = np.random.default_rng(BARS_SEED)
    number = 0
    while count:
        bars = int(rng.choice(BARS, p=SHARES))
        number += 1
        bar = renderer.bar(number, bars=bars)
        if bar.pattern.meter == (4, 4) and bar.pattern.bars == bars:
            count -= 1
            yield bar.audio, SAMPLE_RATE, (4, 4), bars


def real(data: Path) -> Iterator[tuple[NDArray[np.float32], int, Meter, int]]:
    """Yield the same of the real loops that are cut as loops and not held out."""
    held = held_out("loops")
    with (data / "loops" / "loops.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            bars = float(row["bars"])
            if Path(row["file"]).name not in held and row["cut_as_loop"] == "yes" and bars.is_integer():
                audio, rate = read_audio(data / row["file"], mono=True)
                top, bottom = row["meter"].split("/")
                yield audio, rate, (int(top), int(bottom)), int(bars)


def example(
    audio: NDArray[np.float32], rate: int, meter: Meter, bars: int, weight: float, madmom: bool
) -> Example | None:
    """Gather the evidence of one loop; None if its tempo lies outside what is considered."""
    counts = bar_counts(len(audio) / rate, meter)
    if bars not in counts:
        return None
    heard = trackers.at_estimator_rate(audio, rate)
    estimates = trackers.essentia_estimates(heard)
    activations = trackers.madmom_activations(trackers.tiled(heard)[0]) if madmom else None
    curves = onset_curves(audio, rate, circular=True)
    table, _ = gather(curves, len(audio) / rate, counts, meter, estimates, activations)
    return Example(table, counts.index(bars), weight)


def fit(examples: Sequence[Example], names: Sequence[str]) -> dict[str, float]:
    """Fit the weights of the evidence `names`, the columns of the examples' tables from the first on."""
    from scipy.optimize import minimize

    tables = [one.table[:, : len(names)] for one in examples]
    scale = np.vstack([table - table.mean(axis=0) for table in tables]).std(axis=0) + 1e-6

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total, slope = float(RIDGE * weights @ weights / 2), RIDGE * weights
        for one, table in zip(examples, tables, strict=True):
            score = table @ (weights / scale)
            chance = np.exp(score - score.max())
            chance /= chance.sum()
            total -= one.weight * float(np.log(chance[one.true] + 1e-12))
            slope = slope + one.weight * (chance @ table - table[one.true]) / scale
        return total, slope

    def bound(name: str, scale: float) -> tuple[float | None, float | None]:
        if name == "usual tempo":
            return USUAL_TEMPO_WEIGHT * scale, USUAL_TEMPO_WEIGHT * scale
        return (None if name in ANY_SIGN + NEGATIVE else 0.0), (0.0 if name in NEGATIVE else None)

    bounds = [bound(name, float(scale[at])) for at, name in enumerate(names)]
    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=bounds).x / scale
    return {name: float(weight) for name, weight in zip(names, found, strict=True)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the weights."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.analysis.tempo_fit", description=__doc__)
    parser.add_argument("data", type=Path, help="training material")
    parser.add_argument("--count", type=int, default=RENDERED, help="rendered loops")
    options = parser.parse_args(arguments)
    madmom = has_madmom()
    examples = [example(*one, 1.0, madmom) for one in rendered(options.data, options.count)]
    examples += [example(*one, REAL_WEIGHT, madmom) for one in real(options.data)]
    usable = [one for one in examples if one is not None]
    sets = {"WEIGHTS": EVIDENCE} | ({"WEIGHTS_WITH_MADMOM": EVIDENCE + MADMOM_EVIDENCE} if madmom else {})
    for name, columns in sets.items():
        weights = fit(usable, columns)
        print(f"{name}: dict[str, float] = {{")
        print("".join(f'    "{key}": {weight:.3f},\n' for key, weight in weights.items()), end="}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""How true the knobs are, and what ``generate --refine`` makes of it.

``python -m loopnet_cli.evaluation.refining`` prints a table; nothing but the package and its examples is needed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.controls import ATTRIBUTES, BANDS, TIMBRE_NAMES, Kit, Knob
from loopnet_cli.evaluation.statistics import Estimate, mean_of
from loopnet_cli.pattern import Pattern, read_midi
from loopnet_cli.synthesis.studio import StudioModel, load_studio
from loopnet_cli.synthesis.timbrenet import as_vector

PATTERNS = Path(__file__).resolve().parents[2] / "examples" / "patterns"
ROUNDS = (0, 1, 3, 8)
LOWEST, HIGHEST = 0.2, 0.8
"""What is asked for lies between: where the knobs of the training loops are, mostly."""


def requests(model: StudioModel, count: int, seed: int) -> list[tuple[Pattern, Kit, dict[str, Knob]]]:
    """Draw a pattern, a kit, and one attribute with a value, for all bands or, every second time, for one."""
    rng = np.random.default_rng(seed)
    patterns = [read_midi(path, bars=1).pattern for path in sorted(PATTERNS.glob("*.mid"))]
    found = []
    for number in range(count):
        attribute, value = str(rng.choice(ATTRIBUTES)), round(float(rng.uniform(LOWEST, HIGHEST)), 2)
        bands = BANDS if number % 2 == 0 else (str(rng.choice(BANDS)),)
        kit = model.kit(str(rng.choice(model.kit_names)))
        knobs = {f"{band}.{attribute}": Knob(value) for band in bands}
        found.append((patterns[int(rng.integers(len(patterns)))], kit, knobs))
    return found


def errors_of(
    model: StudioModel, pattern: Pattern, kit: Kit, knobs: dict[str, Knob]
) -> dict[str, tuple[float, float, float]]:
    """Return how far off the asked features are and how far the others move, as knob values, and the seconds taken."""
    given = np.array([name in knobs for name in TIMBRE_NAMES])
    natural = _measured(model, pattern, kit, {}, 0)[0]
    wanted = np.array([knobs[name].value if name in knobs else 0.0 for name in TIMBRE_NAMES])
    found = {"no knob": (float(np.abs(natural - wanted)[given].mean()), 0.0, 0.0)}
    for rounds in ROUNDS:
        heard, seconds = _measured(model, pattern, kit, knobs, rounds)
        off, moved = np.abs(heard - wanted)[given].mean(), np.abs(heard - natural)[~given].mean()
        found["as it is" if rounds == 0 else f"`--refine {rounds}`"] = (float(off), float(moved), seconds)
    return found


def _measured(
    model: StudioModel, pattern: Pattern, kit: Kit, knobs: dict[str, Knob], rounds: int
) -> tuple[NDArray[np.float32], float]:
    began = time.perf_counter()
    loop = model.render(pattern, kit=kit, timbre=knobs, refine=rounds, seed=1)
    seconds = time.perf_counter() - began
    return as_vector(model.normalisation.to_unit(timbre_features(loop.audio, loop.sample_rate))), seconds


def table(found: list[dict[str, tuple[float, float, float]]], seed: int) -> str:
    """Return the figures as a Markdown table: means over requests with 95 % bootstrap intervals."""
    lines = [
        "| knobs | off by, features asked for | moved, the others | within 0.1, % of requests | seconds a bar |",
        "|---|---|---|---|---|",
    ]
    for row in found[0]:
        values = np.array([each[row] for each in found])
        off, moved = (mean_of(values[:, column], seed=seed) for column in (0, 1))
        near = 100 * float((values[:, 0] <= 0.1).mean())
        seconds = "" if row == "no knob" else f"{np.median(values[:, 2]):.2f}"
        lines.append(f"| {row} | {_text(off)} | {'' if row == 'no knob' else _text(moved)} | {near:.0f} | {seconds} |")
    return "\n".join(lines)


def _text(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    model = load_studio()
    asked = requests(model, wanted.requests, wanted.seed)
    print(table([errors_of(model, *each) for each in asked], wanted.seed))


if __name__ == "__main__":
    main()

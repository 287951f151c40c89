"""What the paper published, the order of rows in its tables, and the table of speeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from loopnet_cli.evaluation.contenders import GRIFFIN_LIM, LOW, SAMPLER, STUDIO, STUDIO_AUDIO, TRAINING, title_of
from loopnet_cli.evaluation.report import Cell, Section, Table
from loopnet_cli.evaluation.statistics import median_of

HALVES = "halves"
ORDER = (HALVES, LOW, GRIFFIN_LIM, "stft", "wav", "wavspec", "multi", "multi-noenv", STUDIO, STUDIO_AUDIO, SAMPLER)
PUBLISHED_DISTANCE = {
    GRIFFIN_LIM: 1.26, "stft": 24.97, "wav": 13.83, "wavspec": 9.06, "multi": 3.73, "multi-noenv": 3.35,
}  # fmt: skip
"""The paper's Table 1: VGGish, 4 048 test bars."""
PUBLISHED_COHERENCE = {
    "stft": (87.50, 77.68, 79.46), "wav": (67.44, 62.86, 52.14), "wavspec": (76.79, 75.89, 74.11),
    "multi": (87.50, 77.68, 75.00), "multi-noenv": (83.93, 77.68, 75.00),
}  # fmt: skip
"""The paper's Table 2: E1, E2, E3 in percent, 16 loops."""
PUBLISHED_SECONDS = 0.5
EXPECTED_ORDER = (("multi", "wavspec"), ("multi-noenv", "wavspec"), ("wavspec", "wav"))
NOT_IN_PAPER = "–"

SPEED_METHOD = """\
One bar alone, one after the other in one process, two before that do not count, the same controls as in Table 1; the
studio model renders a few times to come near to 21 features, and a bar with a kit alone takes it a tenth of that
(section Speed). Median, 95 % bootstrap interval over bars. "First": to load the weights and make a first bar."""


def ordered(names: Sequence[str]) -> list[str]:
    """Put rows in the order of the table: floor and ceiling, models, others, the training set."""
    known = [name for name in ORDER if name in names]
    others = [name for name in names if name not in ORDER and name != TRAINING]
    place = next((known.index(name) for name in (STUDIO, STUDIO_AUDIO, SAMPLER) if name in known), len(known))
    return [*known[:place], *others, *known[place:], *([TRAINING] if TRAINING in names else [])]


def speed_section(
    seconds: Mapping[str, Sequence[tuple[float, float]]], warm: int, bar: float, facts: str, seed: int
) -> Section:
    """Make the table of speeds.

    Parameters
    ----------
    seconds : Mapping of contender to sequence of (float, float)
        Of each bar in turn: by the clock, and of the processor.
    warm : int
        How many of the first do not count.
    bar : float
        Seconds that a bar lasts.
    facts : str
        On the machine.
    seed : int
        Of the bootstrap.
    """
    rows: list[list[str | Cell]] = []
    for name in ordered(list(seconds)):
        first, others = seconds[name][0][0], np.array(seconds[name][warm:])
        each, own = (median_of(column, seed=seed) for column in others.T)
        published = f"about {PUBLISHED_SECONDS}" if name in PUBLISHED_COHERENCE else NOT_IN_PAPER
        cells: list[str | Cell] = [
            Cell.of(each, ".3f"),
            Cell.of(own, ".3f"),
            Cell.of(own, ".3f", 1 / bar),
            f"{first:.2f}",
            published,
        ]
        rows.append([title_of(name), str(each.loops), *cells])
    columns = [
        "model", "bars", "seconds a loop", "seconds of the processor", "the same, of the loop's own length", "first, s",
        "the paper's data: s a loop",
    ]  # fmt: skip
    title = "Speed of the paper's models"
    return Section(title, f"{SPEED_METHOD} {facts}", [Table("Seconds a loop of one bar", columns, rows)])

"""Hits that were heard against hits that were struck.

Conventions
-----------
Times are seconds. In a loop of ``period`` seconds the end joins the start; a recording
that is none has the period None. Hits are matched one to one within a tolerance: as many
as possible, and of all such matchings the one with the least sum of distances
(`scipy.optimize.linear_sum_assignment`), so that the number of matches is that of
mir_eval's onset evaluation (Raffel et al., ISMIR 2014).

Hits of one group closer than 30 ms (flams, an open and a closed hat at once, the two hands
of a clap) are one event on both sides, at the time and velocity of the stronger: closer
onsets are not told apart by ear. How many that were is counted, and the matching
without it is kept beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from loopnet_cli.analysis.transcription import Transcription
from loopnet_cli.data.renderer import SAMPLE_RATE
from loopnet_cli.evaluation.timing import match
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, VOICES, Pattern

SAME_EVENT = 0.030
TOLERANCE, STRICT = 0.050, 0.025
GROUPS = tuple(STEMS)
MISSED, NOTHING = "missed", "nothing"
"""The column of events that were heard as nothing, and the row of what was heard where nothing was struck."""


class Struck(NamedTuple):
    """One hit."""

    seconds: float
    voice: str
    velocity: float

    @property
    def group(self) -> str:
        """Kick, snare, hat or rest."""
        return STEM_OF_VOICE[self.voice]


@dataclass(frozen=True)
class Pair:
    """Two hits that belong together, by their places in the lists: `late` is found minus asked, in seconds."""

    found: int
    asked: int
    late: float


def hits_of_pattern(pattern: Pattern) -> list[Struck]:
    """Return the hits of a pattern where the renderer puts them, to the sample."""
    return [
        Struck(onset / SAMPLE_RATE, hit.voice, hit.velocity)
        for hit, onset in zip(pattern.hits, pattern.onset_samples(SAMPLE_RATE), strict=True)
    ]


def hits_of_transcription(transcription: Transcription) -> list[Struck]:
    """Return what a transcriber heard."""
    return [Struck(hit.seconds, hit.voice, hit.velocity) for hit in transcription.hits]


def merged(hits: Iterable[Struck], period: float | None, least: float = SAME_EVENT) -> list[Struck]:
    """Make hits closer than `least` seconds one event, the stronger; hits of one voice or group.

    Returns
    -------
    list of Struck
        In order of time.
    """
    events: list[Struck] = []
    for hit in sorted(hits):
        if events and hit.seconds - events[-1].seconds < least:
            events[-1] = max(events[-1], hit, key=lambda event: event.velocity)
        else:
            events.append(hit)
    if period is not None and len(events) > 1 and events[0].seconds + period - events[-1].seconds < least:
        last = events.pop()
        events[0] = max(events[0], last, key=lambda event: event.velocity)
    return sorted(events)


def pairs(
    found: Sequence[Struck], asked: Sequence[Struck], period: float | None, tolerance: float = TOLERANCE
) -> list[Pair]:
    """Match hits one to one, whatever their voices."""
    times = [np.array([hit.seconds for hit in hits], np.float64) * SAMPLE_RATE for hits in (found, asked)]
    longest = max((hit.seconds for hit in (*found, *asked)), default=0.0)
    # without a seam: a circle so long that nobody meets around it
    total = round((period if period is not None else longest + 10 * tolerance + 1) * SAMPLE_RATE)
    return [Pair(i, j, late / 1000) for i, j, late in match(times[0], times[1], total, 1000 * tolerance)]


def score(found: Sequence[Struck], asked: Sequence[Struck], period: float | None) -> dict[str, Any]:
    """Compare what was heard with what was struck.

    Returns
    -------
    dict
        ``groups``: for each group that was struck or heard, ``events`` (velocity asked, velocity heard or None, found
        minus asked in ms or None, for each event), ``found`` (events heard), ``right25`` (matches at 25 ms), ``raw``
        (matches, hits found, hits asked without merging); ``voices``: matches, found, asked for each voice;
        ``confusion``: see `confusion`; ``merged``: hits that another of their group swallowed.
    """
    heard, struck = (_by_group(hits, period) for hits in (found, asked))
    groups, swallowed = {}, 0
    for name in GROUPS:
        mine = [[hit for hit in hits if hit.group == name] for hits in (found, asked)]
        if not mine[0] and not mine[1]:
            continue
        events: list[list[float | None]] = [[round(hit.velocity, 4), None, None] for hit in struck[name]]
        for pair in pairs(heard[name], struck[name], period):
            events[pair.asked][1:] = [round(heard[name][pair.found].velocity, 4), round(1000 * pair.late, 3)]
        groups[name] = {
            "events": events,
            "found": len(heard[name]),
            "right25": len(pairs(heard[name], struck[name], period, STRICT)),
            "raw": [len(pairs(mine[0], mine[1], period)), len(mine[0]), len(mine[1])],
        }
        swallowed += len(mine[1]) - len(struck[name])
    voices = {}
    for voice in VOICES:
        own = [merged((hit for hit in hits if hit.voice == voice), period) for hits in (found, asked)]
        if own[0] or own[1]:
            voices[voice] = [len(pairs(own[0], own[1], period)), len(own[0]), len(own[1])]
    return {
        "groups": groups,
        "voices": voices,
        "confusion": confusion(heard, struck, period),
        "merged": swallowed,
    }


def confusion(
    heard: Mapping[str, Sequence[Struck]], struck: Mapping[str, Sequence[Struck]], period: float | None
) -> dict[str, dict[str, int]]:
    """Say what each event was taken for, at 50 ms.

    Events that their own group accounts for come first; what is left on both sides is then matched across groups.

    Returns
    -------
    dict of dict
        By what was struck, `NOTHING` included, then by what was heard, `MISSED` included.
    """
    table = {row: dict.fromkeys((*GROUPS, MISSED), 0) for row in (*GROUPS, NOTHING)}
    left: tuple[list[Struck], list[Struck]] = ([], [])
    for name in GROUPS:
        done = pairs(heard[name], struck[name], period)
        table[name][name] = len(done)
        for side, taken, hits in (
            (left[0], {pair.found for pair in done}, heard[name]),
            (left[1], {pair.asked for pair in done}, struck[name]),
        ):
            side += [hit for index, hit in enumerate(hits) if index not in taken]
    across = pairs(left[0], left[1], period)
    for pair in across:
        table[left[1][pair.asked].group][left[0][pair.found].group] += 1
    for index, hit in enumerate(left[1]):
        table[hit.group][MISSED] += index not in {pair.asked for pair in across}
    for index, hit in enumerate(left[0]):
        table[NOTHING][hit.group] += index not in {pair.found for pair in across}
    return table


def _by_group(hits: Sequence[Struck], period: float | None) -> dict[str, list[Struck]]:
    return {name: merged([hit for hit in hits if hit.group == name], period) for name in GROUPS}

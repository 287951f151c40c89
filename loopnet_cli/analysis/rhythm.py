"""From hits in seconds to a pattern in beats, as played or moved towards a grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.model import Hit, Pattern

if TYPE_CHECKING:
    from loopnet_cli.analysis.section import Section
    from loopnet_cli.analysis.transcription import Transcription

SAME_STROKE = 0.025
"""Seconds within which two hits of a voice are one stroke."""
EARLY = 0.006
"""Seconds before the seam within which a stroke is on it: the ear errs by 2 to 3 ms, and a first beat at the
end of the bar would be nobody's wish."""
MIN_SWING, MAX_SWING = 0.5, 0.75
STEPS = (4, 8, 12, 16, 24, 32, 48, 64)
"""Grids that hits can be moved to: steps in a whole note."""


def heard_pattern(transcription: Transcription, section: Section) -> Pattern:
    """Place what was heard in bars, by time: nothing is snapped.

    Parameters
    ----------
    transcription : Transcription
        Of the section; times counted from its start. Hits from outside come round the circle,
        so that a stroke before the first bar line is kept, at the end of the loop.
    section : Section
        Its length in beats.

    Returns
    -------
    Pattern
        As long as the section, at its tempo.
    """
    shape = Pattern((), section.bars, section.meter, section.tempo)
    length = section.end - section.start
    hits = []
    for heard in transcription.hits:
        seconds = heard.seconds % length
        beat = 0.0 if length - seconds < EARLY else seconds / length * shape.beats
        hits.append(Hit(beat % shape.beats, heard.voice, heard.velocity))
    return replace(shape, hits=_merged(hits, shape.beats, SAME_STROKE * section.tempo / 60))


def quantized(pattern: Pattern, steps: int = 16, *, strength: float = 1.0, swing: float = 0.5) -> Pattern:
    """Move hits towards a grid.

    Parameters
    ----------
    pattern : Pattern
        What was played.
    steps : int
        Steps in a whole note, one of `STEPS`: 16 for sixteenths, 12 for eighth triplets.
    strength : float
        0 leaves the hits, 1 puts them on the grid.
    swing : float
        Where every second step lies between its neighbours: 0.5 is straight, 2/3 a triplet's.

    Returns
    -------
    Pattern
        Two strokes of a voice that meet on one step become one, the stronger.

    Raises
    ------
    UsageError
        If a value lies outside its range.
    """
    if steps not in STEPS:
        raise UsageError(f"a grid of {steps} steps: use one of {', '.join(map(str, STEPS))}")
    if not 0 <= strength <= 1:
        raise UsageError(f"strength {strength:g} must lie between 0 and 1")
    if not MIN_SWING <= swing <= MAX_SWING:
        raise UsageError(f"swing {swing:g} must lie between {MIN_SWING:g} (straight) and {MAX_SWING:g}")
    step = 4.0 / steps
    hits = []
    for hit in pattern.hits:
        pair = int(hit.beat // (2 * step))
        grid = [(2 * n + offset) * step for n in (pair, pair + 1) for offset in (0.0, 2 * swing)]
        nearest = min(grid, key=lambda beat: abs(beat - hit.beat))
        beat = (hit.beat + strength * (nearest - hit.beat)) % pattern.beats
        hits.append(replace(hit, beat=beat % pattern.beats))
    return replace(pattern, hits=_merged(hits, pattern.beats, 1e-6))


def _merged(hits: Iterable[Hit], beats: float, least: float) -> tuple[Hit, ...]:
    """Drop the weaker of two hits of a voice that lie closer than `least` beats, on the circle."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda h: -h.velocity):
        gaps = (abs(hit.beat - other.beat) for other in kept if other.voice == hit.voice)
        if all(min(gap, beats - gap) >= least for gap in gaps):
            kept.append(hit)
    return tuple(sorted(kept))

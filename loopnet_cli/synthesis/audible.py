"""Whether the rhythm of a loop is heard, and a mix in which more of it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.controls import Loop
from loopnet_cli.pattern.model import STEM_OF_VOICE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.transcriber import Transcriber
    from loopnet_cli.pattern.model import Pattern

SAME_STROKE = 0.05
"""Seconds between a stroke asked and a stroke heard."""
LISTENED_FOR = ("kick", "snare", "hat")
STEP_DB, MOST_DB = 3.0, 6.0
"""How far a stem is moved at a time, and in all."""
ROUNDS = 4
"""Moves at most: no pattern asks for more than a few stems to move."""
LEAST_GAIN = 0.01
"""Of the F-measure; a move that brings less is not worth another mix."""


def rhythm_kept(loop: Loop, pattern: Pattern, ears: Transcriber, stems: tuple[str, ...] = ("kick", "snare")) -> float:
    """Listen to a loop and say how much of its rhythm is heard, as an F-measure at 50 ms.

    Parameters
    ----------
    loop : Loop
    pattern : Pattern
        What is played in it.
    ears : Transcriber
    stems : tuple of str
        Whose strokes count.

    Returns
    -------
    float
        0..1; 1 where the pattern has none of them and none is heard.
    """
    seconds = pattern.seconds
    heard = ears.transcribe(loop.audio, loop.sample_rate, circular=True).hits
    right = total = 0
    for stem in stems:
        found = [hit.seconds for hit in heard if hit.group == stem]
        asked = [hit.beat / pattern.beats * seconds for hit in pattern.hits if STEM_OF_VOICE[hit.voice] == stem]
        total += len(found) + len(asked)
        for second in asked:
            gaps = [abs((other - second + seconds / 2) % seconds - seconds / 2) for other in found]
            if gaps and min(gaps) < SAME_STROKE:
                found.pop(int(np.argmin(gaps)))
                right += 1
    return 2 * right / total if total else 1.0


def audible_levels(loop: Loop, pattern: Pattern, ears: Transcriber) -> dict[str, float]:
    """Find levels of the stems at which the rhythm is heard, as far as levels can do that.

    Stem by stem, `STEP_DB` up or down at a time, the move that helps most first: a drowned kick comes up, a tom
    that is taken for a kick goes down. Where nothing helps, nothing is moved.

    Parameters
    ----------
    loop : Loop
    pattern : Pattern
        What is played in it.
    ears : Transcriber

    Returns
    -------
    dict of stem name to float
        In dB against what they are, for the stems that sound; for `remixed`.
    """
    levels = {name: 0.0 for name, stem in loop.stems.items() if stem.any()}
    kept = rhythm_kept(loop, pattern, ears, LISTENED_FOR)
    for _ in range(ROUNDS):
        if kept >= 1.0 or len(levels) < 2:
            break
        tries = [
            {**levels, name: level + step}
            for name, level in levels.items()
            for step in (STEP_DB, -STEP_DB)
            if abs(level + step) <= MOST_DB
        ]
        scores = [rhythm_kept(remixed(loop, moved), pattern, ears, LISTENED_FOR) for moved in tries]
        first = int(np.argmax(scores))
        if scores[first] < kept + LEAST_GAIN:
            break
        levels, kept = tries[first], scores[first]
    return levels


def remixed(loop: Loop, levels_db: Mapping[str, float]) -> Loop:
    """Return a loop with the levels of its stems moved, in dB, at the peak that it had."""
    if not any(levels_db.values()):
        return loop
    stems = {name: stem * np.float32(10 ** (levels_db.get(name, 0.0) / 20)) for name, stem in loop.stems.items()}
    audio: NDArray[np.float32] = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    gain = np.float32(float(np.abs(loop.audio).max()) / max(float(np.abs(audio).max()), 1e-9))
    return replace(loop, audio=audio * gain, stems={name: stem * gain for name, stem in stems.items()})

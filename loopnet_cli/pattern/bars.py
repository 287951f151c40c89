"""How many bars strokes fill, and how they lie on the circle of those bars.

A recording rarely says where its loop begins and ends. The rules, in order:

1. Loop markers, where they enclose whole bars, are obeyed to the tick.
2. A track that ends on a bar line ends the music there, unless that is later than the next 4, 8, 16 ..
   bars after the music.
3. Otherwise the music ends with the bar of its last stroke. Strokes less than `LATE` beats past
   the last bar line are that loop's downbeat come round again: they wrap to the start, unless
   they make the bars 4, 8, 16 ..
4. Strokes less than `PICKUP` beats before the first bar of the music are a pickup: the bar that
   they stand in is left out and they wrap to the end. Silent bars before the music are left out
   where they are at least two and half the file (a count-in, or a clip exported at its place in a song).
5. A wrapped stroke less than `LATE` beats from one of its own voice gives way to it. Where the length was guessed,
   so does a last stroke less than `EARLY` beats before a downbeat of its own voice: in a performance
   it is the next bar's downbeat, and both would sound as a flam at the seam.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.model import MAX_BARS, Hit

LATE = 0.2
"""Beats past the last bar line that still count as its downbeat: less than a sixteenth note."""

PICKUP = 0.5
"""Beats before the first bar line that count as a pickup."""

EARLY = 0.06
"""Beats before the last bar line that count as the next downbeat, in a performance (30 ms at 120 BPM)."""

_SHORT = 4  # bars: a track that ends on a bar line this early means it, whatever it plays


@dataclass(frozen=True, slots=True)
class Fitted:
    """Strokes on a circle of whole bars, with what was done to them."""

    hits: tuple[Hit, ...]
    bars: int
    warnings: tuple[str, ...]
    dropped: int


def fit_bars(
    hits: Sequence[Hit],
    bar: float,
    *,
    end: float = 0.0,
    loop: tuple[float, float] | None = None,
    tick: float = 1e-6,
    bars: int | None = None,
) -> Fitted:
    """Lay strokes on a circle of whole bars.

    Parameters
    ----------
    hits : sequence of Hit, at least one
        Strokes, with beats from the start of the recording.
    bar : float
        Quarter notes in a bar.
    end : float
        Where the recording ends, in beats; 0 if unknown.
    loop : (float, float), optional
        Where it says that its loop starts and ends, in beats.
    tick : float
        Resolution in beats: what "on the bar line" means.
    bars : int, optional
        Keep only that many bars from the start of the music.

    Raises
    ------
    PatternError
        If the music is longer than `MAX_BARS` and `bars` is not given.
    """
    warnings: list[str] = []
    first, last = min(h.beat for h in hits), max(h.beat for h in hits)
    if loop and (whole := _whole_bars(loop[1] - loop[0], bar, tick)):
        start, total, exact, stated = loop[0], whole, True, True
    else:
        if loop:
            warnings.append("its loop markers do not enclose whole bars and were ignored")
        start, total, stated = _guess(first, last, bar, end, tick, warnings)
        exact = False
    if bars is None and total > MAX_BARS:
        raise PatternError(f"{total} bars: a loop has 1 to {MAX_BARS}; use --bars N to take the first N")

    length = total * bar
    keep = min(total, bars if bars is not None else total)
    span = keep * bar
    placed: list[Hit] = []
    wrapped: list[Hit] = []
    dropped = 0
    for hit in sorted(hits, key=lambda h: h.beat):
        beat = hit.beat - start
        if exact and not 0 <= beat < length:
            dropped += 1
        elif 0 <= beat < span:
            placed.append(Hit(beat, hit.voice, hit.velocity))
        elif not exact and (beat < 0 or length <= beat):
            # a pickup wraps to the end of what is kept, a late downbeat to the start
            turned = (beat + span) if beat < 0 else beat - length
            if 0 <= turned < span:
                wrapped.append(Hit(turned, hit.voice, hit.velocity))
        elif bars is None:
            dropped += 1
    placed, doubled = _merge(placed)
    wrapped, doubled_too = _merge(wrapped)
    beats: dict[str, list[float]] = {}
    for hit in placed:
        beats.setdefault(hit.voice, []).append(hit.beat)
    free = [h for h in wrapped if _nearest(h.beat, beats.get(h.voice, []), span) >= LATE]
    dropped += doubled + doubled_too + len(wrapped) - len(free)
    merged = placed + free
    if not stated:
        down = {h.voice for h in merged if h.beat < EARLY}
        kept = [h for h in merged if not (span - h.beat < EARLY and h.voice in down)]
        dropped += len(merged) - len(kept)
        merged = kept
    return Fitted(tuple(sorted(merged)), keep, tuple(warnings), dropped)


def _whole_bars(beats: float, bar: float, tick: float) -> int:
    """Return how many bars the beats make, or 0 if not a whole number of them (to the tick)."""
    whole = round(beats / bar)
    return whole if whole > 0 and abs(beats - whole * bar) <= tick * 1.01 else 0


def _guess(
    first: float, last: float, bar: float, end: float, tick: float, warnings: list[str]
) -> tuple[float, int, bool]:
    """Return where the music starts, in beats, how many bars it has, and whether the end said so."""
    music = max(1, math.floor(last / bar + 1e-9) + 1)
    # but 4, 8, 16 .. bars need no closing downbeat to be what was meant
    if music > 1 and last - (music - 1) * bar < LATE and not (music >= 4 and music & (music - 1) == 0):
        music -= 1
    total, stated = music, _whole_bars(end, bar, tick)
    # the music may rest at its end, but a clip is then filled up to 2, 4, 8 .. bars; an end past
    # that is the song's, or chance
    if music <= stated <= max(_SHORT, 1 << (music - 1).bit_length()):
        total = stated
    else:
        stated = 0

    lead = min(math.floor(first / bar + 1e-9), total - 1)
    to_next = (math.floor(first / bar + 1e-9) + 1) * bar - first
    pickup = 0 < to_next <= PICKUP and lead + 1 < total
    # a stated length of 4 bars that starts with a lone stroke is 4 bars; one of 5 is a pickup and 4
    if pickup and (not stated or (lead == 0 and total % 2 == 1)):
        lead += 1
        warnings.append("a pickup before its first bar was wrapped to the end of the loop")
        if lead > 1:
            warnings.append(f"its first {lead - 1} bars are silent and were left out")
        return lead * bar, total - lead, bool(stated)
    if lead >= 2 and 2 * lead >= total:
        warnings.append(f"its first {lead} bars are silent and were left out")
        return lead * bar, total - lead, bool(stated)
    return 0.0, total, bool(stated)


def _merge(hits: list[Hit]) -> tuple[list[Hit], int]:
    """Keep the strongest of the strokes of one voice at one time; return them and how many went."""
    strongest: dict[tuple[float, str], Hit] = {}
    for hit in hits:
        key = (hit.beat, hit.voice)
        if key not in strongest or strongest[key].velocity < hit.velocity:
            strongest[key] = hit
    return list(strongest.values()), len(hits) - len(strongest)


def _nearest(beat: float, others: list[float], span: float) -> float:
    """Return the distance on the circle to the nearest of the others, which are sorted."""
    if not others:
        return span
    index = bisect_left(others, beat)
    distances = [abs(beat - others[i % len(others)]) for i in (index - 1, index)]
    return min(min(d, span - d) for d in distances)

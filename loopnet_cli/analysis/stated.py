"""Sections of which the user states something: bars, tempo and bars, where they start and end."""

from __future__ import annotations

import math
from dataclasses import replace

from loopnet_cli.analysis.pulse import onset_curves
from loopnet_cli.analysis.search import CHOSEN_BARS, FITS_SHARE, LOOP_FIT, Search, Section
from loopnet_cli.analysis.tempo import HIGHEST_TEMPO, LOWEST_TEMPO, pulse_fit
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.model import MAX_TEMPO, MIN_TEMPO


def of_bars(search: Search, bars: int) -> Section:
    """Find a stated number of bars."""
    tempo = 60 * bars * search.a_bar / search.seconds
    plain = search.section(0.0, search.seconds, bars, True, 0.9, "length and bars stated")
    sensible = LOWEST_TEMPO <= tempo <= HIGHEST_TEMPO
    if sensible and search.short:
        curves = onset_curves(search.audio, search.sample_rate, circular=False)
        if search.starts_with_attack() or pulse_fit(curves, bars * search.a_bar) >= LOOP_FIT:
            return plain
    if tempo < HIGHEST_TEMPO:
        found = search.bars_heard(bars=bars)
        if found is not None and found.bars == bars:
            return search.section(found.start, found.end, bars, False, found.confidence, f"bars stated, {found.method}")
    if not MIN_TEMPO <= tempo <= MAX_TEMPO:
        raise UsageError(
            f"--bars {bars}: {search.seconds:.3f} s would then go at {tempo:.4g} BPM "
            f"({MIN_TEMPO:g} to {MAX_TEMPO:g} are possible): give other bars, or --bpm"
        )
    return plain


def bars_at_tempo(search: Search, bars: int, bpm: float) -> Section:
    """Find a stated number of bars at a stated tempo."""
    needed = 60 * bars * search.a_bar / bpm
    for first, last in search.spans():
        if abs(last - first - needed) <= FITS_SHARE * needed:
            return search.section(first, last, bars, True, 1.0, "length, tempo and bars stated")
    if needed > search.seconds + 60 / bpm:
        raise UsageError(
            f"--bars {bars} --bpm {bpm:g} last {needed:.3f} s, the audio only {search.seconds:.3f} s: "
            "leave one of them out"
        )
    if not search.starts_with_attack():
        found = search.bars_heard(bars=bars, tempo=bpm)
        if found is not None and found.bars == bars:
            return search.section(
                found.start, found.end, bars, False, found.confidence, f"tempo and bars stated, {found.method}"
            )
    return search.section(0.0, needed, bars, False, 0.8, "tempo and bars stated, from the start")


def from_start(search: Search, start: float, end: float | None, bpm: float | None, bars: int | None) -> Section:
    """Find bars from a stated start on, to a stated end if there is one."""
    first = round(start * search.sample_rate)
    last = None if end is None else round(end * search.sample_rate)
    rest = replace(search, audio=search.audio[first:last])
    if end is not None:
        found = whole(rest, bpm, bars)
    elif bpm is not None and bars is not None:
        needed = 60 * bars * search.a_bar / bpm
        if needed > rest.seconds + 60 / bpm:
            raise UsageError(
                f"--bars {bars} --bpm {bpm:g} last {needed:.3f} s, after --start {start:g} there are only "
                f"{rest.seconds:.3f} s: leave one of them out"
            )
        found = rest.section(0.0, needed, bars, False, 1.0, "start, tempo and bars stated")
    else:
        tempo, way, sure = (bpm, "start and tempo stated", 1.0) if bpm is not None else rest.tempo()
        most = max(1, math.floor(rest.seconds * tempo / 60 / search.a_bar + 1 / search.a_bar))
        if bars is not None and bars > most:
            raise UsageError(
                f"--bars {bars}: after --start {start:g} there are about {most} at {tempo:.4g} BPM: "
                "give fewer bars, or --bpm"
            )
        count = bars or min(CHOSEN_BARS, most)
        found = rest.section(0.0, 60 * count * search.a_bar / tempo, count, False, sure, f"start stated, {way}")
    return replace(found, start=found.start + start, end=found.end + start)


def whole(search: Search, bpm: float | None, bars: int | None) -> Section:
    """Take all of the audio, of which the user has said where it starts and ends."""
    if bars is None:
        tempo, way, sure = (bpm, "tempo stated", 1.0) if bpm is not None else search.tempo()
        count = max(1, round(search.seconds * tempo / 60 / search.a_bar))
    else:
        tempo, way, sure, count = bpm or 60 * bars * search.a_bar / search.seconds, "bars stated", 1.0, bars
    exact = 60 * count * search.a_bar / search.seconds
    off = abs(exact / tempo - 1)
    if bars is not None and bpm is not None and off > FITS_SHARE:
        raise UsageError(
            f"--bars {bars} --bpm {bpm:g} last {60 * bars * search.a_bar / bpm:.3f} s, --start to --end "
            f"{search.seconds:.3f} s: leave one of them out"
        )
    if not MIN_TEMPO <= exact <= MAX_TEMPO:
        raise UsageError(
            f"--start to --end last {search.seconds:.3f} s: {count} bars of {search.meter_text} would go at "
            f"{exact:.4g} BPM ({MIN_TEMPO:g} to {MAX_TEMPO:g} are possible)"
        )
    note = "" if off <= FITS_SHARE else f"; the length does not fit {tempo:.4g} BPM"
    return search.section(
        0.0, search.seconds, count, not note, sure if not note else 0.5 * sure, f"start and end stated, {way}{note}"
    )

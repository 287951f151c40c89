"""The tonal layer of training bars: a bass line or a chord in time with the drums."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.mixing import place
from loopnet_cli.pattern import Pattern

SAMPLE_RATE = 44100
Audio = NDArray[np.float32]

CHORDS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7), (0, 3, 7, 10), (0, 4, 7, 11), (0, 5, 7), (0, 4, 7, 10))
"""Intervals over the root in semitones: single note, fifth, major, minor, sevenths, suspended."""


def tonal_layer(instruments: Mapping[str, Mapping[int, Audio]], pattern: Pattern, rng: np.random.Generator) -> Audio:
    """Play a bass line or a chord in time with a pattern.

    Parameters
    ----------
    instruments : Mapping of instrument name to Mapping of MIDI note to audio
    pattern : Pattern
        Its kicks place the notes; without kicks, the bar lines do.
    rng : numpy Generator

    Returns
    -------
    ndarray of float32, shape (samples,)
        Circular, at a peak of 0.15 to 0.5.
    """
    total = pattern.samples(SAMPLE_RATE)
    layer = np.zeros(total, np.float32)
    names = sorted(instruments)
    notes = instruments[names[int(rng.integers(len(names)))]]
    keys = np.array(sorted(notes))
    root = int(rng.integers(12))
    chord = CHORDS[int(rng.integers(len(CHORDS)))]
    beats = sorted({h.beat for h in pattern.hits if h.voice == "kick"}) or [
        bar * pattern.beats_per_bar for bar in range(pattern.bars)
    ]
    starts = [round(beat / pattern.beats * total) % total for beat in beats[:: int(rng.integers(1, 3))]]
    low = int(keys.min())
    for index, start in enumerate(starts):
        gap = (starts[(index + 1) % len(starts)] - start) % total or total
        for interval in chord:
            wanted = low + (root + interval - low) % 12
            nearest = int(keys[np.abs(keys - wanted).argmin()])
            note = _repitched(notes[nearest], wanted - nearest)[: gap + 2205].copy()
            fade = min(2205, len(note) // 2)
            note[len(note) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
            place(layer, note, start)
    peak = float(np.abs(layer).max(initial=0.0))
    layer *= np.float32(rng.uniform(0.15, 0.5) / max(peak, 1e-6))
    return layer


def _repitched(note: Audio, semitones: int) -> Audio:
    if semitones == 0:
        return note
    position = np.arange(0, len(note) - 1, 2 ** (semitones / 12))
    repitched: Audio = np.interp(position, np.arange(len(note)), note).astype(np.float32)
    return repitched

"""The mix bus and the tonal layer of training bars. Bus effects are gain curves, so that stems still sum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.pattern import Pattern

SAMPLE_RATE = 44100
Audio = NDArray[np.float32]

CHORDS = ((0,), (0, 7), (0, 4, 7), (0, 3, 7), (0, 3, 7, 10), (0, 4, 7, 11), (0, 5, 7), (0, 4, 7, 10))
"""Intervals over the root in semitones: single note, fifth, major, minor, sevenths, suspended."""


def compress(mix: Audio, *, threshold_db: float, ratio: float, release: float = 0.12) -> Audio:
    """Gain curve of a bus compressor over a loop.

    Parameters
    ----------
    mix : ndarray of float32, shape (samples,)
        The mix, peak near 1.
    threshold_db : float
        Level above which the gain falls.
    ratio : float
        1 leaves the level alone.
    release : float
        Time constant of the level detector, seconds.

    Returns
    -------
    ndarray of float32, shape (samples,)
        Gains up to 1; continuous across the wrap, as the detector has run once round before.
    """
    from scipy.signal import lfilter

    hop = 64
    blocks = -(-len(mix) // hop)
    power = np.square(np.resize(np.abs(mix), blocks * hop)).reshape(blocks, hop).mean(axis=1)
    decay = np.exp(-hop / (release * SAMPLE_RATE))
    level = lfilter([1 - decay], [1, -decay], np.tile(power, 3))[-blocks:]
    over = np.maximum(0.0, 10 * np.log10(level + 1e-9) + 3.0 - threshold_db)
    gain_db = -over * (1 - 1 / ratio)
    position = np.arange(len(mix)) / hop
    curve = np.interp(position, np.arange(blocks + 1), np.append(gain_db, gain_db[0]))
    gains: Audio = (10 ** (curve / 20)).astype(np.float32)
    return gains


def saturate(mix: Audio, *, drive: float) -> Audio:
    """Gain curve that bends a mix through a soft clipper.

    Returns
    -------
    ndarray of float32, shape (samples,)
        ``tanh(a x) / (tanh(a) x)`` at each sample, for ``a = 1 + 2 drive``.
    """
    amount = 1 + 2 * drive
    peak = max(float(np.abs(mix).max(initial=0.0)), 1e-6)
    x = np.maximum(np.abs(mix) / peak, 1e-4)
    curve: Audio = (np.tanh(amount * x) / (np.tanh(amount) * x)).astype(np.float32)
    return curve


def place(target: Audio, stroke: Audio, start: int) -> None:
    """Add a stroke to a circle of audio in place, wrapping as often as needed."""
    total = len(target)
    while len(stroke):
        count = min(len(stroke), total - start)
        target[start : start + count] += stroke[:count]
        stroke, start = stroke[count:], 0


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
    return layer * np.float32(rng.uniform(0.15, 0.5) / max(peak, 1e-6))


def _repitched(note: Audio, semitones: int) -> Audio:
    if semitones == 0:
        return note
    position = np.arange(0, len(note) - 1, 2 ** (semitones / 12))
    return np.interp(position, np.arange(len(note)), note).astype(np.float32)

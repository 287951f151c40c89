"""Notes out of oscillators, for the bass and chord layers that the transcriber is to hear no drums in.

Recorded instruments are few, and what begins as sharply as a drum differs from one to the next.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.corpus import SAMPLE_RATE
from loopnet_cli.training.synthetic import between

SECONDS = 2.2
HIGHEST_PARTIAL = 40
KEYS = (0, 3, 6, 9)
"""Semitones over the lowest note; those between are tuned from them."""

Array = NDArray[np.float64]
Audio = NDArray[np.float32]
Rng = np.random.Generator


def synthetic_notes(rng: Rng) -> dict[int, Audio]:
    """Draw an instrument, from a bass to a bell.

    Parameters
    ----------
    rng : Generator

    Returns
    -------
    dict of MIDI note to ndarray of float32, shape (samples,)
        Mono, 44.1 kHz, peak 1.
    """
    lowest = int(rng.integers(26, 68))
    colour = _colour(rng)
    attack, decay = between(rng, 0.0005, 0.15), between(rng, 0.1, 5.0)
    sustain = float(rng.choice([0.0, 0.0, 0.3, 0.8]))
    pluck = float(rng.choice([0.0, 1.0])) * float(10 ** (rng.uniform(-36, -12) / 20))
    notes = {}
    for key in KEYS:
        pitch = 440 * 2 ** ((lowest + key - 69) / 12)
        seconds = np.arange(int(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
        envelope = np.minimum(seconds / attack, 1) * ((1 - sustain) * np.exp(-6.9 * seconds / decay) + sustain)
        note = colour(pitch, seconds) * envelope
        if pluck:
            # a finger, a hammer, a breath
            note += pluck * rng.standard_normal(len(seconds)) * np.exp(-seconds / 0.006)
        notes[lowest + key] = (note / max(float(np.abs(note).max()), 1e-9)).astype(np.float32)
    return notes


def _colour(rng: Rng) -> Callable[[float, Array], Array]:
    """Draw what sounds under the envelope: two operators, or partials that a filter closes over."""
    if rng.random() < 0.3:
        ratio, depth, fall = float(rng.choice([0.5, 1, 2, 3, 3.5, 7])), between(rng, 0.3, 6), between(rng, 0.05, 2)

        def operators(pitch: float, seconds: Array) -> Array:
            bend = depth * np.exp(-seconds / fall) * np.sin(2 * np.pi * pitch * ratio * seconds)
            result: Array = np.sin(2 * np.pi * pitch * seconds + bend)
            return result

        return operators

    slope, odd = float(rng.uniform(0.5, 3)), float(rng.choice([0.05, 1.0, 1.0]))
    stretch = float(rng.choice([0.0, 0.0, rng.uniform(0, 2e-3)]))
    detuned = float(rng.choice([0.0, rng.uniform(0.001, 0.01)]))
    corner, fall = between(rng, 400, 12000), between(rng, 0.04, 1.5)
    vibrato, beats = float(rng.choice([0.0, rng.uniform(0, 0.004)])), float(rng.uniform(3, 7))
    phases = rng.random(HIGHEST_PARTIAL)

    def partials(pitch: float, seconds: Array) -> Array:
        result = np.zeros(len(seconds))
        turns = seconds + vibrato / (2 * np.pi * beats) * np.sin(2 * np.pi * beats * seconds)
        for number in range(1, HIGHEST_PARTIAL + 1):
            frequency = pitch * number * np.sqrt(1 + stretch * number**2)
            if frequency > 0.4 * SAMPLE_RATE:
                break
            level = number**-slope * (odd if number % 2 == 0 else 1.0)
            # a partial above the corner dies away the sooner the higher it lies
            closing = np.exp(-seconds / fall * max(0.0, np.log2(frequency / corner) + 1))
            tone = np.sin(2 * np.pi * (frequency * turns + phases[number - 1]))
            if detuned:
                tone = tone + np.sin(2 * np.pi * frequency * (1 + detuned) * turns)
            result += level * tone * closing
        return result

    return partials

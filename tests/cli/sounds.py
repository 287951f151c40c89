"""Recordings made of sines and noise, for tests that need some."""

from __future__ import annotations

import io

import numpy as np
import soundfile

KICKS, SNARES = (0.0, 0.5, 0.625), (0.25, 0.75)
"""Where strokes lie in a bar of 4/4, as shares of it."""


def drum_loop(bars: int = 2, bpm: float = 120.0, rate: int = 44100, level: float = 0.8) -> np.ndarray:
    """Kicks, snares and hats, cut as a loop, mono."""
    bar = 240.0 / bpm
    total = round(bars * bar * rate)
    audio = np.zeros(total)
    rng = np.random.default_rng(5)
    time = np.arange(round(0.12 * rate)) / rate
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-time * 30)
    noise = rng.standard_normal(len(time))
    snare = 0.5 * (np.sin(2 * np.pi * 190 * time) + 0.4 * noise) * np.exp(-time * 40)
    hat = 0.25 * np.diff(noise, prepend=0) * np.exp(-time * 120)
    strokes = [(kick, KICKS), (snare, SNARES), (hat, [(n + 0.5) / 8 for n in range(8)])]
    for n in range(bars):
        for stroke, places in strokes:
            for place in places:
                at = round((n + place) * bar * rate)
                np.add.at(audio, (at + np.arange(len(stroke))) % total, stroke)
    return (level * audio / np.abs(audio).max()).astype(np.float32)


def encoded(audio: np.ndarray, format: str = "WAV", subtype: str | None = None, rate: int = 44100) -> bytes:
    """Return audio as the content of a file."""
    stream = io.BytesIO()
    soundfile.write(stream, audio, rate, format=format, subtype=subtype)
    return stream.getvalue()

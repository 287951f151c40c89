"""Synthetic drumming with a known tempo."""

from __future__ import annotations

import numpy as np

RATE = 44100


def stroke(
    seconds: float = 0.3, hertz: float = 55.0, noise: float = 0.0, decay: float = 12.0, rate: int = RATE
) -> np.ndarray:
    """A decaying thump, with some noise if asked."""
    time = np.arange(round(seconds * rate)) / rate
    body = np.sin(2 * np.pi * (hertz * time + 3 * (1 - np.exp(-time * 50)))) * (1 - noise)
    hiss = noise * np.random.default_rng(0).standard_normal(len(time))
    return ((body + hiss) * np.exp(-decay * time)).astype(np.float32)


def drums(tempo: float, bars: int, *, beats_per_bar: int = 4, rate: int = RATE) -> np.ndarray:
    """Kick on the first beat and before the third, snare on the even ones, hats on eighths: a seamless loop."""
    count = round(60 / tempo * bars * beats_per_bar * rate)
    loop = np.zeros(count)
    kick = stroke(rate=rate)
    snare = 0.8 * stroke(0.2, 190.0, 0.6, 20.0, rate)
    hat = 0.25 * np.diff(stroke(0.05, 0.0, 1.0, 80.0, rate), prepend=0)
    beat = 60 / tempo * rate
    for bar in range(bars):
        for step in range(2 * beats_per_bar):
            at = round((bar * beats_per_bar + step / 2) * beat)
            for sound, plays in ((kick, step in (0, 5)), (snare, step % 4 == 2), (hat, True)):
                if plays:
                    loop[(at + np.arange(len(sound))) % count] += sound
    return (0.5 * loop).astype(np.float32)

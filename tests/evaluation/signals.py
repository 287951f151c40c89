"""Drum-like sounds with onsets that are exact to the sample."""

from __future__ import annotations

import numpy as np

RATE = 44100


def click() -> np.ndarray:
    return np.array([1.0])


def hat(seed: int = 0, seconds: float = 0.08) -> np.ndarray:
    count = int(3 * seconds * RATE)
    return np.random.default_rng(seed).standard_normal(count) * np.exp(-np.arange(count) / (seconds * RATE / 3))


def kick() -> np.ndarray:
    t = np.arange(int(0.35 * RATE)) / RATE
    return np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t * 40)))) * np.exp(-t * 12)


def play(stroke: np.ndarray, onsets: list[int], total: int, gains: list[float] | None = None) -> np.ndarray:
    """Add a stroke to a circle at each onset."""
    loop = np.zeros(total)
    for onset, gain in zip(onsets, gains or [1.0] * len(onsets), strict=True):
        np.add.at(loop, (onset + np.arange(len(stroke))) % total, gain * stroke)
    return loop

"""Sounds to analyse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

RATE = 44100
SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="session")
def golden() -> Path:
    """Reference values; they are not part of the repository."""
    folder = SHARED / "golden"
    if not (folder / "timbre.csv").is_file():
        pytest.skip(f"no reference values at {folder}")
    return folder


def tone(hertz: float, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    """A sine of a whole number of cycles, so that it repeats without a seam."""
    count = round(seconds * rate)
    cycles = round(hertz * count / rate)
    return np.sin(2 * np.pi * cycles * np.arange(count) / count).astype(np.float32)


def noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


@pytest.fixture(scope="session")
def beat() -> np.ndarray:
    """A bar of kick, snare and hats at 120 BPM, tails wrapped around its end."""
    rng = np.random.default_rng(7)
    count = 2 * RATE
    loop = np.zeros(count)
    time = np.arange(RATE // 2) / RATE
    kick = np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-time * 40)))) * np.exp(-time * 9)
    snare = (0.5 * np.sin(2 * np.pi * 190 * time) + rng.standard_normal(len(time)) * 0.4) * np.exp(-time * 18)
    for step in range(16):
        hat = np.diff(rng.standard_normal(len(time) + 1)) * np.exp(-time * 70) * 0.15
        for sound, plays in ((kick, step in (0, 7, 10)), (snare, step in (4, 12)), (hat, step % 2 == 0)):
            if plays:
                loop[(step * count // 16 + np.arange(len(sound))) % count] += sound
    return (0.5 * loop).astype(np.float32)

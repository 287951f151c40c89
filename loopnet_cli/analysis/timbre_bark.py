"""The attributes that live on the Bark scale: boominess, sharpness, and the levels of Bark regions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import extend
from loopnet_cli.analysis.specific_loudness import STEPS, specific_loudness

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 4096
SILENT_SONE = 0.0005
"""A frame below this total loudness has neither boom nor sharpness."""


def log10(value: float, floor: float = 1e-3) -> float:
    """Return the logarithm of a non-negative measure, limited from below so that nothing is infinite."""
    return math.log10(max(float(value), floor))


@dataclass(frozen=True)
class BarkFrames:
    """Loudness patterns of the 93 ms frames of one signal.

    Attributes
    ----------
    pattern : ndarray, shape (frames, 240)
        Specific loudness.
    total : ndarray, shape (frames,)
        Loudness in sone.
    rms : ndarray, shape (frames,)
        Level of each frame.
    """

    pattern: NDArray[np.float64]
    total: NDArray[np.float64]
    rms: NDArray[np.float64]

    def average(self, values: NDArray[np.float64], power: int) -> float:
        """Average over frames, weighted by RMS to some `power`."""
        weights = self.rms**power
        total = float(weights.sum())
        return float((values * weights).sum() / total) if total > 0 else float(values.mean())


def bark_frames(signals: list[NDArray[np.float64]], sample_rate: int, circular: bool) -> list[BarkFrames]:
    """Analyse several signals at once (the tables are walked once for all of them).

    The last frame of a loop goes on into its start, that of a clip into silence.
    """
    blocks = []
    for signal in signals:
        # a clip of whole frames still gets one of silence, as in the reference
        missing = -len(signal) % BLOCK if circular else BLOCK - len(signal) % BLOCK
        blocks.append(extend(signal, 0, missing, circular).reshape(-1, BLOCK))
    pattern, total = specific_loudness(np.concatenate(blocks), sample_rate)
    edges = np.cumsum([0] + [len(block) for block in blocks])
    return [
        BarkFrames(pattern[a:b], total[a:b], np.sqrt(np.mean(block**2, axis=1)))
        for a, b, block in zip(edges, edges[1:], blocks, strict=False)
    ]


@lru_cache(maxsize=8)
def region(low: int, high: int) -> NDArray[np.float64]:
    """Return a bump over the Bark scale from tenth `low` to tenth `high`: 1 in the middle, 0 outside."""
    tenths = np.arange(low, high)
    bump = np.exp(-0.5 * (0.01 * (tenths - (low + high) / 2)) ** 2)
    weights = np.zeros(STEPS)
    weights[low:high] = (bump - bump.min()) / (bump.max() - bump.min())
    return weights


@lru_cache(maxsize=1)
def _boom_weights() -> tuple[NDArray[np.float64], int]:
    """Design the weights of the booming index (Hatano and Hashimoto) and the first step at or above 280 Hz."""
    hertz = 600 * np.sinh(np.arange(1, STEPS + 1) / 60)
    third_octave = np.log10(hertz / 25) / math.log10(31.5 / 25) + 1
    weights = 2.13 * np.exp(-0.151 * third_octave)
    weights[:4] = 0.8, 1.05, 1.10, 1.18
    return weights, int(np.argmax(hertz >= 280))


def boominess(frames: BarkFrames) -> float:
    """Score boominess: the booming index, less what the low frequencies have of loudness by themselves."""
    weights, below = _boom_weights()
    audible = frames.total >= SILENT_SONE
    loudness = np.where(audible, frames.pattern.sum(axis=1), 1.0)
    summed = 10 * np.log10((10 ** (frames.pattern * weights / 10)).sum(axis=1))
    index = np.where(audible, summed * frames.pattern[:, :below].sum(axis=1) / loudness, 0.0)
    low = float((frames.pattern @ region(0, 70)).mean())
    return 43.67402696195865 * log10(frames.average(index, 2)) - 10.90054738389845 * log10(low) + 26.836530575185435


def sharpness(frames: BarkFrames) -> float:
    """Score sharpness: the loudness-weighted mean Bark, with more weight above 14 Bark (Fastl)."""
    bark = np.arange(1, STEPS + 1) / 10
    curve = 0.00012 * bark**4 - 0.0056 * bark**3 + 0.1 * bark**2 - 0.81 * bark + 3.5
    weights = np.where(bark > 14.05, curve, 1.0) * bark
    audible = frames.total >= SILENT_SONE
    loudness = np.where(audible, frames.pattern.sum(axis=1), 1.0)
    values = np.where(audible, 0.11 * (frames.pattern @ weights) / loudness, 0.0)
    return 102.50508921364404 * log10(frames.average(values, 2)) + 34.432655185001735

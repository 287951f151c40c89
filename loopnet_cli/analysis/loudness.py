"""Loudness in LUFS (ITU-R BS.1770-4, gated), and levelling to it.

The weighting filters are the widely used cookbook biquads (a +4 dB shelf at 1.5 kHz and a high-pass at
38 Hz), so that figures agree with pyloudnorm.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import Section, extend, run_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_SECONDS, BLOCK_STEP = 0.4, 0.25
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_DB = -70.0, -10.0
OFFSET_DB = -0.691
"""The standard's constant that makes a 997 Hz full-scale sine read -3.01."""


@lru_cache(maxsize=8)
def weighting(sample_rate: int) -> tuple[Section, ...]:
    """Design the two sections of the K weighting."""
    amplitude, w = 10 ** (4.0 / 40), 2 * math.pi * 1500.0 / sample_rate
    cosine, alpha = math.cos(w), math.sin(w) / math.sqrt(2)
    root = 2 * math.sqrt(amplitude) * alpha
    up, down = amplitude + 1, amplitude - 1
    b = (
        amplitude * (up + down * cosine + root),
        -2 * amplitude * (down + up * cosine),
        amplitude * (up + down * cosine - root),
    )
    a = (up - down * cosine + root, 2 * (down - up * cosine), up - down * cosine - root)
    w = 2 * math.pi * 38.0 / sample_rate
    cosine, alpha = math.cos(w), math.sin(w)  # quality 0.5
    high_b = ((1 + cosine) / 2, -(1 + cosine), (1 + cosine) / 2)
    high_a = (1 + alpha, -2 * cosine, 1 - alpha)
    return (b, a), (high_b, high_a)


def integrated_loudness(audio: NDArray[np.floating], sample_rate: int = 44100, *, circular: bool = True) -> float:
    """Measure gated loudness in LUFS; ``-inf`` if every block lies below the absolute gate.

    Over a loop the 400 ms blocks wrap around the end; a clip shorter than a block is padded with silence.
    """
    power = run_filter(audio, weighting(sample_rate), circular, sample_rate) ** 2
    block, step = BLOCK_SECONDS * sample_rate, BLOCK_SECONDS * BLOCK_STEP * sample_rate
    if circular:
        count = max(1, round(len(power) / step))
        power = extend(power, 0, math.ceil(block), True)
    else:
        power = extend(power, 0, max(0, int(block) - len(power)), False)
        count = round((len(power) - block) / step) + 1
    total = np.concatenate(([0.0], np.cumsum(power)))
    starts = (np.arange(count) * step).astype(np.int64)
    ends = np.minimum((np.arange(count) * step + block).astype(np.int64), len(power))
    mean = (total[ends] - total[starts]) / block
    with np.errstate(divide="ignore"):
        level = OFFSET_DB + 10 * np.log10(np.maximum(mean, 0.0))
    above = level >= ABSOLUTE_GATE_LUFS
    if not above.any():
        return -math.inf
    gate = OFFSET_DB + 10 * math.log10(mean[above].mean()) + RELATIVE_GATE_DB
    return OFFSET_DB + 10 * math.log10(mean[above & (level > gate)].mean())


def level_to(
    audio: NDArray[np.floating], target: float, sample_rate: int = 44100, *, circular: bool = True
) -> NDArray[np.float64]:
    """Scale `audio` to a loudness of `target` LUFS, or less if its peak would exceed 1.

    Audio too quiet for the gate is measured after its peak is brought to 1. Silence comes back unchanged.
    """
    signal = np.asarray(audio, dtype=np.float64)
    loudness = integrated_loudness(signal, sample_rate, circular=circular)
    if loudness == -math.inf:
        peak = float(np.abs(signal).max(initial=0.0))
        if peak == 0:
            return signal
        signal = signal / peak
        loudness = integrated_loudness(signal, sample_rate, circular=circular)
        if loudness == -math.inf:  # nothing the ear hears, e.g. a steady offset
            return signal
    signal = signal * 10 ** ((target - loudness) / 20)
    peak = float(np.abs(signal).max(initial=0.0))
    return signal / peak if peak > 1 else signal

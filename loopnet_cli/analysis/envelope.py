"""The amplitude envelope of a loop: a peak follower with a fast rise and a slow fall (Zölzer, DAFX).

The paper gives its networks an amplitude envelope without saying which; this is the follower that essentia's
``Envelope`` implements, on the rectified signal, with times that suit drums. Its equation is
``e[n] = |x[n]| + g (e[n-1] - |x[n]|)`` with ``g = exp(-1 / (rate * time))``, the time being that of the rise
while ``|x|`` lies above the envelope and that of the fall while it lies below.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ATTACK_SECONDS, RELEASE_SECONDS = 0.005, 0.1
FRAME_SECONDS = 0.01
"""Frames of the paper's activations: 10 ms."""


def envelope(
    audio: NDArray[np.float32],
    sample_rate: int = 44100,
    *,
    attack: float = ATTACK_SECONDS,
    release: float = RELEASE_SECONDS,
    circular: bool = True,
) -> NDArray[np.float32]:
    """Follow the amplitude of a loop at audio rate.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono.
    sample_rate : int
        In Hz.
    attack, release : float
        Time constants in seconds; 0 follows at once.
    circular : bool
        Whether the audio repeats; the follower then begins as it ends.

    Returns
    -------
    ndarray of float32, shape (samples,)
        Never negative, never above the audio's peak.

    Raises
    ------
    AudioError
        If the audio is empty, not mono or not finite.
    """
    signal = np.abs(np.asarray(audio, dtype=np.float64))
    if signal.ndim != 1 or not len(signal):
        raise AudioError(f"an envelope needs mono audio, got shape {signal.shape}")
    if not np.isfinite(signal).all():
        raise AudioError("the audio holds values that are not numbers or infinite: repair it first")
    rise = math.exp(-1 / (sample_rate * attack)) if attack > 0 else 0.0
    fall = math.exp(-1 / (sample_rate * release)) if release > 0 else 0.0
    samples = signal.tolist()
    level = 0.0
    if circular:
        # Each turn shrinks the memory of the level it began with, so the follower settles onto its own circle.
        for _ in range(SETTLING_TURNS):
            before = level
            level = _follow(samples, level, rise, fall)[-1]
            if abs(level - before) <= SETTLED * max(level, 1e-12):
                break
    return np.array(_follow(samples, level, rise, fall), dtype=np.float32)


SETTLING_TURNS, SETTLED = 64, 1e-6


def _follow(samples: list[float], level: float, rise: float, fall: float) -> list[float]:
    """Run the follower over one turn, from `level`."""
    out: list[float] = []
    append = out.append
    for sample in samples:
        level = sample + (rise if sample > level else fall) * (level - sample)
        append(level)
    return out


def frame_envelope(
    audio: NDArray[np.float32],
    sample_rate: int = 44100,
    *,
    frames: int | None = None,
    attack: float = ATTACK_SECONDS,
    release: float = RELEASE_SECONDS,
    circular: bool = True,
) -> NDArray[np.float32]:
    """Follow the amplitude of a loop at frame rate: the highest value of `envelope` within each frame.

    Parameters
    ----------
    frames : int, optional
        Into how many equal parts the loop is cut; by default the whole number nearest to 10 ms each.

    Returns
    -------
    ndarray of float32, shape (frames,)
    """
    fine = envelope(audio, sample_rate, attack=attack, release=release, circular=circular)
    count = frames if frames is not None else max(1, round(len(fine) / (FRAME_SECONDS * sample_rate)))
    if not 1 <= count <= len(fine):
        raise AudioError(f"{count} frames from {len(fine)} samples: ask for 1 to {len(fine)}")
    starts = np.arange(count) * len(fine) // count
    return np.maximum.reduceat(fine, starts)

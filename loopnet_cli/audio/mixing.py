"""Mixing on a circle: placing strokes, and bus effects as gain curves, so that stems still sum to the loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
Audio = NDArray[np.float32]


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


def saturate(mix: Audio, *, drive: float, peak: float | None = None) -> Audio:
    """Gain curve that bends a mix through a soft clipper.

    Parameters
    ----------
    mix : ndarray of float32, shape (samples,)
    drive : float
        From 0.
    peak : float, optional
        Level that stays as it is; the mix's own peak if not given.

    Returns
    -------
    ndarray of float32, shape (samples,)
        ``tanh(a x) / (tanh(a) x)`` at each sample, for ``a = 1 + 2 drive``.
    """
    amount = 1 + 2 * drive
    peak = max(float(np.abs(mix).max(initial=0.0)) if peak is None else peak, 1e-6)
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

"""What the transcriber hears: log powers in log-spaced bands, through a long and a short window.

The long window tells a kick from a tom, the short one when it was struck. Nothing
is scaled to the recording: the transcriber is trained at all levels, so that
silence stays silence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
HOP = 441
"""Samples between frames: 100 frames a second, as the paper's activations."""
WINDOWS = (2048, 512)
"""Samples of the long and the short window."""
BANDS = 72
LOWEST, HIGHEST = 30.0, 18000.0
FLOOR = 1e-8
"""Power of what counts as nothing; a full-scale sine has 1."""

Array = NDArray[np.float32]


def band_powers(audio: Array, first: int, frames: int) -> Array:
    """Measure the powers of frames.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono, 44.1 kHz. Before the start and after the end is silence.
    first : int
        Number of the first frame; frame ``n`` is centred on sample ``n * HOP``.
    frames : int
        How many.

    Returns
    -------
    ndarray of float32, shape (windows, bands, frames)
        Powers, not yet logarithms.
    """
    from scipy import fft

    reach = max(WINDOWS) // 2
    start = first * HOP - reach
    stop = (first + frames - 1) * HOP + reach
    piece = np.zeros(stop - start, np.float32)
    inside = audio[max(start, 0) : max(stop, 0)]
    piece[max(-start, 0) : max(-start, 0) + len(inside)] = inside
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    result = np.empty((len(WINDOWS), BANDS, frames), np.float32)
    for row, size in enumerate(WINDOWS):
        offset = reach - size // 2
        view = np.lib.stride_tricks.sliding_window_view(piece[offset:], size)[::HOP][:frames]
        window = np.hanning(size + 1)[:-1].astype(np.float32)
        power = np.abs(fft.rfft(view * window, axis=1)) ** 2
        power *= np.float32(4.0 / window.sum() ** 2)
        result[row] = (power @ _filters(size, edges)).T
    return result


def _filters(size: int, edges: NDArray[np.float64]) -> Array:
    """Matrix from bins to bands, shape (bins, bands): the mean over each band, with fractional bins at its edges."""
    bins = size // 2 + 1
    position = np.clip(edges * size / SAMPLE_RATE + 0.5, 0, bins)
    # how much of each bin lies below each edge
    below = np.clip(position[None, :] - np.arange(bins)[:, None], 0.0, 1.0)
    inside = np.diff(below, axis=1)
    filters: Array = (inside / inside.sum(axis=0)).astype(np.float32)
    return filters


def loudness_scale(power: Array) -> Array:
    """Map powers to what the network takes: about -2 (nothing) to 2 (full scale)."""
    scaled: Array = np.log10(power + np.float32(FLOOR)) * np.float32(0.5) + np.float32(2.0)
    return scaled

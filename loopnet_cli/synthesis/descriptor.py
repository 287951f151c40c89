"""What a single stroke sounds like, as a fixed-length vector: the input of the kit encoder.

Log powers on a grid of time and frequency that is fine in time at the attack and
fine in frequency below 1 kHz, where the pitch of a kick or a tom lies.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.fourier import rfft

SAMPLE_RATE = 44100
FLOOR_DB = -90.0


class Grid(NamedTuple):
    """One resolution: FFT size, hop, band edges in Hz, edges of the pooled times in ms."""

    size: int
    hop: int
    bands: NDArray[np.float64]
    times: tuple[float, ...]


GRIDS = (
    Grid(256, 64, np.geomspace(1000, 20000, 31), (0, 1.5, 3, 6, 12, 24, 48, 96, 190, 380, 760, 1480)),
    Grid(1024, 256, np.geomspace(180, 1100, 17), (0, 12, 24, 48, 96, 190, 380, 760, 1480)),
    Grid(8192, 2048, np.geomspace(28, 1000, 42), (0, 46, 140, 400, 1480)),
)
SAMPLES = int(1.5 * SAMPLE_RATE)
SIZE = sum((len(grid.bands) - 1) * (len(grid.times) - 1) for grid in GRIDS)
"""Length of a descriptor."""


def describe(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Describe a stroke.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        The stroke at 44.1 kHz, its onset at the first sample. The first 1.5 s count.

    Returns
    -------
    ndarray of float32, shape (`SIZE`,)
        Log powers in units of 20 dB, relative to the peak of the stroke, floored at -90 dB.
    """
    x = np.zeros(SAMPLES + GRIDS[-1].size, np.float32)
    count = min(len(audio), SAMPLES)
    x[:count] = audio[:count]
    x /= max(float(np.abs(x).max()), 1e-6)
    return log_powers(x)


def log_powers(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure the same of audio as it is, floored at `FLOOR_DB` of full scale.

    Parameters
    ----------
    x : ndarray of float32, shape (at least `SAMPLES` + the longest window,)
        From an onset on.
    """
    return np.concatenate([_pooled(x, grid) for grid in GRIDS])


def _pooled(x: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    frames = np.lib.stride_tricks.sliding_window_view(x, grid.size)[: SAMPLES : grid.hop]
    # the falling half of a Hann window: the onset is at the start and must not be faded in
    window = np.cos(np.linspace(0, np.pi / 2, grid.size, dtype=np.float32)) ** 2
    power = np.abs(rfft(frames * window, axis=1)) ** 2 / grid.size
    starts = np.round(np.array(grid.times) / 1000 * SAMPLE_RATE / grid.hop).astype(int)
    ends = np.maximum(starts[1:], starts[:-1] + 1)
    # times first: fewer rows to pool over frequency
    rows = np.stack([power[a:b].mean(axis=0) for a, b in zip(starts[:-1], ends, strict=True)]).astype(np.float64)
    cumulative = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    position = grid.bands / (SAMPLE_RATE / grid.size)
    # fractional bin edges, so that bands narrower than a bin still differ
    left = np.floor(position).astype(int)
    edge = cumulative[:, left] + (position - left) * rows[:, left]
    pooled = np.maximum(np.diff(edge, axis=1), 0.0)
    decibels = 10 * np.log10(pooled + 10 ** (FLOOR_DB / 10))
    cells: NDArray[np.float32] = (decibels.ravel() / 20).astype(np.float32)
    return cells

"""What the network starts from: a linear map from codes to gains that already sounds roughly right.

A code is a projection of a descriptor, so its inverse gives back log powers on the
descriptor's grid; read at the bands, oscillators and ages of the network they are
gains. Without this start every kick gets the same two oscillators: which of 76 tones
is the right one is something that a spectral loss hardly tells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.synthesis import descriptor
from loopnet_cli.synthesis.hitnet import HitNetConfig

Array = NDArray[np.float64]

FINE_BELOW, MIDDLE_BELOW = 420.0, 1100.0
"""Up to where the finest and the middle grid of the descriptor are read."""
SHARED_BELOW = 500.0
"""Below this both noise and tones sound what was measured; the noise is held back."""
NOISE_BACK = 1.2
"""By how much, nepers."""


def read_grid(hertz: Array, seconds: Array) -> tuple[Array, NDArray[np.int64]]:
    """Interpolate a descriptor over log frequency and log age.

    Parameters
    ----------
    hertz : ndarray, shape (frequencies,)
    seconds : ndarray, shape (ages,)

    Returns
    -------
    weights : ndarray, shape (frequencies, ages, `descriptor.SIZE`)
        Rows that sum to 1.
    grid : ndarray of int, shape (frequencies,)
        Which grid each frequency was read from.
    """
    weights = np.zeros((len(hertz), len(seconds), descriptor.SIZE))
    which = np.where(hertz < FINE_BELOW, 2, np.where(hertz < MIDDLE_BELOW, 1, 0))
    start = 0
    for index, grid in enumerate(descriptor.GRIDS):
        bands, times = len(grid.bands) - 1, len(grid.times) - 1
        centres = np.log(np.sqrt(grid.bands[:-1] * grid.bands[1:]))
        edges = np.array(grid.times) / 1000
        # a frame's window reaches past its start; the age that a cell speaks of is about its middle
        ages = np.log((edges[:-1] + edges[1:]) / 2 + 0.2 * grid.size / descriptor.SAMPLE_RATE)
        for row in np.flatnonzero(which == index):
            for column, age in enumerate(np.log(seconds + 1e-4)):
                for b, wb in _between(np.log(hertz[row]), centres):
                    for t, wt in _between(age, ages):
                        weights[row, column, start + t * bands + b] += wb * wt
        start += bands * times
    return weights, which


def _between(x: float, points: Array) -> tuple[tuple[int, float], tuple[int, float]]:
    left = int(np.clip(np.searchsorted(points, x) - 1, 0, len(points) - 2))
    fraction = float(np.clip((x - points[left]) / (points[left + 1] - points[left]), 0, 1))
    return (left, 1 - fraction), (left + 1, fraction)


def prior_of(config: HitNetConfig, mean: Array, directions: Array) -> tuple[Array, Array]:
    """Make the linear map from codes to log gains.

    Parameters
    ----------
    config : HitNetConfig
    mean : ndarray, shape (descriptor,)
        Descriptor of a code of zeros.
    directions : ndarray, shape (descriptor, code)
        What each number of a code adds to the descriptor.

    Returns
    -------
    weight : ndarray, shape ((bands + oscillators) * frames, code)
    bias : ndarray, shape ((bands + oscillators) * frames,)
        Natural logarithms of noise gains, then of tone amplitudes.

    Notes
    -----
    The constants follow from Parseval's theorem for the descriptor's half-Hann window of N
    points: a pooled power P is a sine of amplitude sqrt(32 P / 3N), or noise of variance
    16 P / 3N in the band.
    """
    nepers = np.log(10)  # a descriptor is in units of 20 dB
    sizes = np.array([grid.size for grid in descriptor.GRIDS])
    per_octave = np.array([(len(g.bands) - 1) / np.log2(g.bands[-1] / g.bands[0]) for g in descriptor.GRIDS])
    ages = config.frame_seconds
    noise, which = read_grid(config.band_hertz, ages)
    ours = (config.bands - 1) / np.log2(config.band_hertz[-1] / config.band_hertz[0])
    noise_offset = 0.5 * np.log(16 / (3 * sizes) * per_octave / ours)[which]
    noise_offset = noise_offset - np.where(config.band_hertz < SHARED_BELOW, NOISE_BACK, 0.0)
    tones, which_tones = read_grid(config.tone_hertz, ages)
    ours_tones = (config.oscillators - 1) / np.log2(config.tone_hertz[-1] / config.tone_hertz[0])
    tone_offset = 0.5 * np.log(32 / (3 * sizes) * np.minimum(per_octave / ours_tones, 1.0))[which_tones]
    # above the shared range what is measured is mostly noise
    tone_offset = tone_offset - np.where(config.tone_hertz > SHARED_BELOW, 2.0, 0.0)
    matrix = np.concatenate([noise, tones]).reshape(-1, descriptor.SIZE)
    offset = np.concatenate([noise_offset, tone_offset]).repeat(config.frames)
    return nepers * matrix @ directions, nepers * matrix @ mean + offset

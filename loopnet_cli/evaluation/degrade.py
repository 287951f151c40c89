"""Make a clean loop sound like a bad recording of it; circular, so that its hits stay where they were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.renderer import SAMPLE_RATE

CORNER_HERTZ = (3000.0, 12000.0)
ROOM_SECONDS, ROOM_DB = (0.2, 0.9), (-15.0, -3.0)
NOISE_DB = -40.0
LEVEL_DB = -20.0
BEGINNING = 0.003
"""Seconds after the stroke at which the room begins to answer."""

Audio = NDArray[np.float32]


def degraded(loop: Audio, rng: np.random.Generator) -> Audio:
    """Put a loop in a room, cut its highs, add noise and turn it down.

    Parameters
    ----------
    loop : ndarray of float32, shape (samples,)
        44.1 kHz, circular.
    rng : numpy Generator
        Draws the room's length (60 dB in 0.2 to 0.9 s) and level (-15 to -3 dB against what is played), the corner of
        the low-pass (3 to 12 kHz, fourth order, causal) and the noise (white, 40 dB under the loop's RMS).

    Returns
    -------
    ndarray of float32, shape (samples,)
        20 dB under the loop's level.
    """
    from scipy import fft

    count = len(loop)
    spectrum = fft.rfft(loop.astype(np.float64))
    spectrum *= 1 + _room(count, rng)
    corner = float(np.exp(rng.uniform(*np.log(CORNER_HERTZ))))
    spectrum *= low_pass(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), corner)
    wet = fft.irfft(spectrum, count)
    level = float(np.sqrt(np.mean(np.square(loop, dtype=np.float64))))
    wet *= level / max(float(np.sqrt(np.mean(np.square(wet)))), 1e-12)
    wet += level * 10 ** (NOISE_DB / 20) * rng.standard_normal(count)
    result: Audio = (wet * 10 ** (LEVEL_DB / 20)).astype(np.float32)
    return result


def low_pass(hertz: NDArray[np.floating], corner: float) -> NDArray[np.complex128]:
    """Return the response of a Butterworth low-pass of fourth order, which delays but never rings ahead."""
    s = 1j * hertz / corner
    response: NDArray[np.complex128] = np.ones(len(hertz), np.complex128)
    for angle in (np.pi / 8, 3 * np.pi / 8):
        response = response / (s * s + 2 * np.cos(angle) * s + 1)
    return response


def _room(count: int, rng: np.random.Generator) -> NDArray[np.complex128]:
    """Return what a room adds to a circle of `count` samples: exponentially decaying noise."""
    from scipy import fft

    seconds, level_db = float(rng.uniform(*ROOM_SECONDS)), float(rng.uniform(*ROOM_DB))
    length = round(seconds * SAMPLE_RATE)
    tail = rng.standard_normal(length) * np.exp(-np.log(1000) * np.arange(length) / length)
    tail *= 10 ** (level_db / 20) / float(np.sqrt(np.square(tail).sum()))
    response = np.zeros(count)
    np.add.at(response, (np.arange(length) + round(BEGINNING * SAMPLE_RATE)) % count, tail)
    spectrum: NDArray[np.complex128] = fft.rfft(response)
    return spectrum

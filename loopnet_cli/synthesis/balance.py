"""Tonal balance: the smooth equaliser that brings the long-term spectrum of one loop to that of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.filters import minimum_phase_response
from loopnet_cli.audio.fourier import irfft, rfft
from loopnet_cli.controls import Loop

Array = NDArray[np.float32]

BANDS, LOWEST, HIGHEST = 48, 35.0, 18000.0
WIDTH = 2.0
"""Standard deviation of the smoothing, in bands: about a third of an octave."""
MOST_DB = 6.0
"""An equaliser that does more makes noise of what is not there, and drowns what the other loop lacks."""
FAINT_DB = -50.0
"""Bands so far under the loudest are left alone."""
CURVE_POINTS = 4096


def band_levels(audio: Array, sample_rate: int) -> NDArray[np.float64]:
    """Measure the mean power of a loop in log-spaced bands, in dB, shape (`BANDS`,)."""
    power = np.square(np.abs(rfft(audio)), dtype=np.float64)
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1) * len(audio) / sample_rate
    total = np.concatenate([[0.0], np.cumsum(power)])
    # fractional bins: the lowest bands of a short loop are narrower than one
    position = np.clip(edges, 0, len(power) - 1)
    left = position.astype(int)
    below = total[left] + (position - left) * power[left]
    levels: NDArray[np.float64] = 10 * np.log10(np.diff(below) + 1e-12)
    return levels


def balance_curve(levels: NDArray[np.float64], wanted: NDArray[np.float64], amount: float = 1.0) -> NDArray[np.float64]:
    """Find the gains that bring one balance to another.

    Parameters
    ----------
    levels, wanted : ndarray, shape (`BANDS`,)
        From `band_levels`.
    amount : float
        0 leaves the balance, 1 goes all the way, within `MOST_DB`.

    Returns
    -------
    ndarray, shape (`BANDS`,)
        Smooth gains in dB; the overall level is left alone.
    """
    from scipy.ndimage import gaussian_filter1d

    sounding = np.minimum(levels - levels.max(), wanted - wanted.max()) > FAINT_DB
    if not sounding.any():
        return np.zeros(BANDS)
    difference = wanted - levels
    difference = difference - np.median(difference[sounding])
    # where one of them is silent, the curve runs on from its neighbours
    difference = np.interp(np.arange(BANDS), np.flatnonzero(sounding), difference[sounding])
    gains: NDArray[np.float64] = np.clip(gaussian_filter1d(difference, WIDTH, mode="nearest"), -MOST_DB, MOST_DB)
    return amount * gains


def equalised(loop: Loop, gains_db: NDArray[np.float64]) -> Loop:
    """Return a loop through an equaliser, at its old peak; the stems still sum to it.

    Parameters
    ----------
    loop : Loop
    gains_db : ndarray, shape (`BANDS`,)
        From `balance_curve`.
    """
    if not np.any(gains_db):
        return loop
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    hertz = np.maximum(np.fft.rfftfreq(CURVE_POINTS, 1 / loop.sample_rate), 1.0)
    curve = np.interp(np.log(hertz), np.log(np.sqrt(edges[:-1] * edges[1:])), gains_db) / 20 * np.log(10)
    total = len(loop.audio)
    response = minimum_phase_response(curve, total)
    stems = {
        name: irfft(rfft(stem) * response, total).astype(np.float32) if stem.any() else stem
        for name, stem in loop.stems.items()
    }
    audio: Array = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    gain = np.float32(float(np.abs(loop.audio).max()) / max(float(np.abs(audio).max()), 1e-9))
    return replace(loop, audio=audio * gain, stems={name: stem * gain for name, stem in stems.items()})

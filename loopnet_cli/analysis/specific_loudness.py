"""Loudness over the critical-band scale (Zwicker; DIN 45631 / ISO 532 B), for many short frames at once.

The tables are those of the standard; the procedure follows the BASIC program published with it (Zwicker,
Fastl, Widmann, Kurakata, Kuwano, Namba: J. Acoust. Soc. Jpn. (E) 12, 1, 1991). A frame is analysed by itself,
from silence, as the AudioCommons models do, with third-octave filters that run at half the rate per octave.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCE_DB = 100.0
"""Sound pressure level of a signal whose RMS is 1."""
STEPS = 240
"""The Bark scale in tenths: 0.1 to 24.0."""

# Levels (dB) at which the ear's correction at low frequencies changes, and the corrections of the third
# octaves 25 to 250 Hz for each such range.
_RANGES = np.array([45, 55, 65, 71, 80, 90, 100])
_LOW_CORRECTION = np.array(
    [
        [-32, -24, -16, -10, -5, 0, -7, -3, 0, -2, 0],
        [-29, -22, -15, -10, -4, 0, -7, -2, 0, -2, 0],
        [-27, -19, -14, -9, -4, 0, -6, -2, 0, -2, 0],
        [-25, -17, -12, -9, -3, 0, -5, -2, 0, -2, 0],
        [-23, -16, -11, -7, -3, 0, -4, -1, 0, -1, 0],
        [-20, -14, -10, -6, -3, 0, -4, -1, 0, -1, 0],
        [-18, -12, -9, -6, -2, 0, -3, -1, 0, -1, 0],
        [-15, -10, -8, -4, -2, 0, -3, -1, 0, -1, 0],
    ]
)
# Per critical band: threshold in quiet, transmission from free field to inner ear, and the correction from
# third octaves to critical bands.
_THRESHOLD = np.array([30, 18, 12, 8, 7, 6, 5, 4] + [3] * 12)
_EAR = np.array([0] * 10 + [-0.5, -1.6, -3.2, -5.4, -5.6, -4, -1.5, 2, 5, 12])
_WIDTH_CORRECTION = np.array(
    [-0.25, -0.6, -0.8, -0.8, -0.5, 0, 0.5, 1.1, 1.5, 1.7, 1.8, 1.8, 1.7, 1.6, 1.4, 1.2, 0.8, 0.5, 0, -0.5]
)
# Upper edges of the critical bands in tenths of a Bark.
_EDGES = (9, 18, 28, 35, 44, 54, 66, 79, 92, 106, 123, 138, 152, 167, 181, 193, 206, 218, 227, 236, 240)
# Specific loudness at which the upper slope of a masking pattern changes, and the slopes (sone/Bark per Bark)
# for each such range and critical band.
_SLOPE_FROM = np.array(
    [21.5, 18, 15.1, 11.5, 9, 6.1, 4.4, 3.1, 2.13, 1.36, 0.82, 0.42, 0.30, 0.22, 0.15, 0.10, 0.035, 0]
)
_SLOPES = np.array(
    [
        [13.0, 8.2, 6.3, 5.5, 5.5, 5.5, 5.5, 5.5],
        [9.0, 7.5, 6.0, 5.1, 4.5, 4.5, 4.5, 4.5],
        [7.8, 6.7, 5.6, 4.9, 4.4, 3.9, 3.9, 3.9],
        [6.2, 5.4, 4.6, 4.0, 3.5, 3.2, 3.2, 3.2],
        [4.5, 3.8, 3.6, 3.2, 2.9, 2.7, 2.7, 2.7],
        [3.7, 3.0, 2.8, 2.35, 2.2, 2.2, 2.2, 2.2],
        [2.9, 2.3, 2.1, 1.9, 1.8, 1.7, 1.7, 1.7],
        [2.4, 1.7, 1.5, 1.35, 1.3, 1.3, 1.3, 1.3],
        [1.95, 1.45, 1.3, 1.15, 1.1, 1.1, 1.1, 1.1],
        [1.5, 1.2, 0.94, 0.86, 0.82, 0.82, 0.82, 0.82],
        [0.72, 0.67, 0.64, 0.63, 0.62, 0.62, 0.62, 0.62],
        [0.59, 0.53, 0.51, 0.50, 0.42, 0.42, 0.42, 0.42],
        [0.40, 0.33, 0.26, 0.24, 0.24, 0.22, 0.22, 0.22],
        [0.27, 0.21, 0.20, 0.18, 0.17, 0.17, 0.17, 0.17],
        [0.16, 0.15, 0.14, 0.12, 0.11, 0.11, 0.11, 0.11],
        [0.12, 0.11, 0.10, 0.08, 0.08, 0.08, 0.08, 0.08],
        [0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.06, 0.05],
        [0.06, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02],
    ]
)


@lru_cache(maxsize=4)
def _third_octaves(sample_rate: int) -> tuple[list[tuple[Any, Any]], tuple[Any, Any]]:
    """Design the four highest third-octave filters (6.3 to 12.5 kHz) and the filter before halving the rate."""
    from scipy.signal import butter, cheby1

    designs = []
    for step in (8, 9, 10, 11):
        centre = 1000.0 * 2 ** (step / 3)
        edges = np.array([centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)]) / (sample_rate / 2)
        designs.append(butter(4, np.minimum(edges, 0.9999999999), "bandpass"))
    return designs, cheby1(2, 0.1, 0.4)


def third_octave_levels(blocks: NDArray[np.floating], sample_rate: int = 44100) -> NDArray[np.float64]:
    """Measure the levels of the 28 third octaves from 25 Hz to 12.5 kHz.

    Parameters
    ----------
    blocks : ndarray, shape (count, size)
        Frames; `size` a multiple of 256.

    Returns
    -------
    ndarray, shape (count, 28)
        In dB; ``-inf`` where a band holds nothing.
    """
    from scipy.signal import lfilter

    designs, halving = _third_octaves(sample_rate)
    signal = np.asarray(blocks, dtype=np.float64)
    power = np.empty((len(signal), 28))

    def measure(index: int, design: tuple[Any, Any]) -> None:
        output = lfilter(*design, signal)
        power[:, index] = np.einsum("ij,ij->i", output, output) / output.shape[1]

    for offset, design in enumerate(designs):
        measure(24 + offset, design)
    for lowest in range(21, -1, -3):
        signal = lfilter(*halving, signal)[:, 1::2]
        for offset in range(3):
            # at half the rate the same three filters lie one octave lower
            measure(lowest + offset, designs[offset])
    with np.errstate(divide="ignore"):
        return 10 * np.log10(power) + REFERENCE_DB


def _main_loudness(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn third-octave levels, shape (count, 28), into the loudness of 21 critical bands (the last one empty)."""
    low = levels[:, :11]
    row = (low[:, None, :] > _RANGES[:, None] - _LOW_CORRECTION[:7]).sum(axis=1)
    intensity = 10 ** ((low + np.take_along_axis(_LOW_CORRECTION, row, axis=0)) / 10)
    summed = np.stack([intensity[:, :6].sum(1), intensity[:, 6:9].sum(1), intensity[:, 9:11].sum(1)], axis=1)
    level = levels[:, 8:].copy()
    with np.errstate(divide="ignore"):
        level[:, :3] = np.where(summed > 0, 10 * np.log10(summed), 0.0)
    excitation = level - _EAR - _WIDTH_CORRECTION
    loudness = (0.0635 * 10 ** (0.025 * _THRESHOLD)) * (
        (0.75 + 0.25 * 10 ** (0.1 * (excitation - _THRESHOLD))) ** 0.25 - 1
    )
    main = np.zeros((len(levels), 21))
    main[:, :20] = np.where(level > _THRESHOLD, np.maximum(loudness, 0.0), 0.0)
    main[:, 0] *= np.minimum(0.4 + 0.32 * main[:, 0] ** 0.2, 1.0)
    return main


def specific_loudness(
    blocks: NDArray[np.floating], sample_rate: int = 44100
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Measure loudness over the Bark scale, masking included.

    Parameters
    ----------
    blocks : ndarray, shape (count, size)
        Frames; `size` a multiple of 256.

    Returns
    -------
    pattern : ndarray, shape (count, 240)
        Specific loudness (sone per Bark) at 0.1, 0.2, ... 24.0 Bark.
    total : ndarray, shape (count,)
        Loudness in sone.
    """
    main = _main_loudness(third_octave_levels(blocks, sample_rate))
    count = len(main)
    pattern = np.zeros((count, STEPS + 1))  # column k is k tenths of a Bark
    total = np.zeros(count)
    position = np.zeros(count, dtype=np.int64)
    height = np.zeros(count)
    slope_row = np.full(count, 17)
    start = 0
    for band, edge in enumerate(_EDGES):
        column = max(0, min(band - 1, 7))
        target = main[:, band]
        rising = height < target
        slope_row = np.where(rising, (target[:, None] < _SLOPE_FROM).sum(1), slope_row)
        steps = np.arange(start, edge + 1)
        while True:
            # a frame that has reached the edge of this band waits; the others go on one piece of their curve
            active = position < edge
            if not active.any():
                break
            flat = height <= target
            slope = np.where(flat, 0.0, _SLOPES[slope_row, column])
            floor = np.where(flat, target, np.maximum(_SLOPE_FROM[slope_row], target))
            with np.errstate(divide="ignore", invalid="ignore"):
                width = np.rint((height - floor) / slope * 10)
            width = np.where(flat, edge, np.maximum(np.nan_to_num(width, posinf=edge), 1)).astype(np.int64)
            beyond = position + width > edge
            width = np.where(beyond, edge - position, width)
            from_height = np.where(flat, target, height)
            to_height = np.where(beyond & ~flat, height - width * 0.1 * slope, floor)
            total += np.where(active, width * 0.1 * (from_height + to_height) / 2, 0.0)
            piece = from_height[:, None] - (steps - position[:, None]) * (0.1 * slope[:, None])
            write = active[:, None] & (steps >= position[:, None])
            pattern[:, start : edge + 1] = np.where(write, piece, pattern[:, start : edge + 1])
            next_row = np.minimum(slope_row + (to_height == _SLOPE_FROM[slope_row]), 17)
            slope_row = np.where(active, next_row, slope_row)
            height = np.where(active, to_height, height)
            position = np.where(active, position + width, position)
        start = edge
    return pattern[:, 1:], total

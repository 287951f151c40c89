"""Spectrograms and spectral peaks, as the timbral models need them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import extend, frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 16
EDGE = -2.0
"""What lies beyond both ends of a spectrum: lower than any value, so that an end can be a peak."""


@lru_cache(maxsize=16)
def window(kind: str, size: int) -> NDArray[np.float64]:
    """Return a periodic window: ``hamming``, or ``tukey`` with a quarter of the frame tapered."""
    if kind == "hamming":
        return 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(size) / size)
    from scipy.signal import get_window

    return np.asarray(get_window(("tukey", 0.25), size))


def power_spectrogram(
    signal: NDArray[np.floating], kind: str, size: int, hop: int, circular: bool, fft_size: int | None = None
) -> NDArray[np.float64]:
    """Return one-sided power spectra of frames without their mean, shape ``(frames, size // 2 + 1)``.

    Scaled so that a sine's power stands in its bin (divided by the window's squared sum). A loop's frames go
    around its end; a clip shorter than a frame is one frame.
    """
    from scipy.fft import rfft

    if circular:
        signal = extend(signal, 0, size - hop, True)
    elif len(signal) < size:
        signal = extend(signal, 0, size - len(signal), False)
    view = frames(signal, size, hop)
    shape = window(kind, size).astype(view.dtype)
    power = np.empty((len(view), (fft_size or size) // 2 + 1), dtype=view.dtype)
    # a few frames at a time stay in the cache
    for start in range(0, len(view), CHUNK):
        part = view[start : start + CHUNK]
        spectrum = rfft((part - part.mean(axis=1, keepdims=True)) * shape, fft_size, axis=1)
        power[start : start + CHUNK] = spectrum.real**2 + spectrum.imag**2
    power[:, 1:-1] *= 2
    power *= 1 / float(shape.sum()) ** 2
    return power


def peaks(spectrum: NDArray[np.floating], contrast: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the peaks of spectra that stand out from both sides by `contrast`.

    Parameters
    ----------
    spectrum : ndarray, shape (frames, bins)
        Scaled to 0..1.
    contrast : float
        Least height above the valleys towards any higher peak.

    Returns
    -------
    frame, bin : ndarray of int
        One entry per peak, in the order of frames and bins.
    """
    from scipy.signal import find_peaks

    count, bins = spectrum.shape
    # edge values between the rows make one long curve of them in which no peak sees past its own row
    line = np.full((count, bins + 2), EDGE, dtype=spectrum.dtype)
    line[:, 1:-1] = spectrum
    curve = line.ravel()
    middle = curve[1:-1]
    candidates = 1 + np.flatnonzero((middle >= contrast) & (middle > curve[:-2]) & (middle >= curve[2:]))
    if not len(candidates):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # The reference never looks at the value just before a peak when it measures the valley between two;
    # a valley of a single value therefore does not part them.
    spans = np.stack([candidates[:-1], np.maximum(candidates[1:] - 1, candidates[:-1] + 1)], axis=1)
    outline = np.full(2 * len(candidates) + 1, EDGE)
    outline[1::2] = curve[candidates]
    if len(spans):
        outline[2:-1:2] = np.minimum.reduceat(curve, spans.ravel())[::2]
    found, _ = find_peaks(outline, prominence=contrast)
    row, column = np.divmod(candidates[found // 2], bins + 2)
    return row, column - 1


def refine(
    spectrum: NDArray[np.floating], frame: NDArray[np.int64], index: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a parabola through each peak; return its position in bins and its height (ends stay as they are)."""
    last = spectrum.shape[1] - 1
    inner = (index > 0) & (index < last)
    centre = spectrum[frame, index].astype(np.float64)
    before = spectrum[frame, np.maximum(index - 1, 0)].astype(np.float64)
    after = spectrum[frame, np.minimum(index + 1, last)].astype(np.float64)
    curvature = 2 * (2 * centre - after - before)
    inner &= curvature > 0
    shift = np.where(inner, (after - before) / np.where(inner, curvature, 1.0), 0.0)
    return index.astype(np.float64) + shift, centre + np.where(inner, 0.25 * (after - before) * shift, 0.0)

"""How far a loop lies from an original.

Conventions
-----------
Both signals are loops of the same length at 44.1 kHz. Both are scaled to the same
RMS before they are compared, so that overall level does not count; the balance of
the drums does. Frames start every hop and run around the loop's end.

Log-mel distance: FFT 2048, Hann, hop 512; 64 triangular mel bands (HTK scale) from
30 Hz to 20 kHz on power; levels in dB; both spectra are cut off from below at a floor
of so many dB under the *original's* highest band level; the distance is the mean
absolute difference over all frames and bands, in dB. Cells where both lie under
the floor count as equal, so quiet loops have small distances: compare rows, not loops.

Multi-size STFT distance: for FFT sizes 2048, 1024, 512, 256, 128 and 64 with a hop of a
quarter, the mean absolute difference of log magnitudes (natural logarithm, floored at
-60 dB under the original's highest magnitude of that size) plus spectral convergence,
``|A - B| / |A|`` in the Frobenius norm; averaged over the sizes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
MEL_FFT, MEL_HOP, MEL_BANDS = 2048, 512, 64
MEL_LOW, MEL_HIGH = 30.0, 20000.0
STFT_SIZES = (2048, 1024, 512, 256, 128, 64)
STFT_FLOOR_DB = -60.0

Audio = NDArray[np.floating]


def rms(audio: Audio) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64)))) if len(audio) else 0.0


def matched(audio: Audio, reference: Audio) -> NDArray[np.float64]:
    """Scale audio to the RMS of a reference; silence stays silence."""
    return np.asarray(audio, np.float64) * (rms(reference) / max(rms(audio), 1e-12))


def circular_frames(audio: Audio, size: int, hop: int) -> NDArray[np.float64]:
    """Cut a loop into frames that run around its end, shape (ceil(samples / hop), size)."""
    starts = np.arange(0, len(audio), hop)
    frames: NDArray[np.float64] = np.asarray(audio, np.float64)[(starts[:, None] + np.arange(size)) % len(audio)]
    return frames


def magnitudes(audio: Audio, size: int, hop: int) -> NDArray[np.float64]:
    """Return magnitudes of circular Hann-windowed frames, shape (frames, size // 2 + 1)."""
    from scipy import fft

    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    return np.asarray(np.abs(fft.rfft(circular_frames(audio, size, hop) * window, axis=1)))


@lru_cache(maxsize=2)
def mel_bands(bands: int = MEL_BANDS) -> NDArray[np.float64]:
    """Return the mel filters, shape (bins, bands); triangles narrower than a bin share it by area."""
    mel = np.linspace(2595 * np.log10(1 + MEL_LOW / 700), 2595 * np.log10(1 + MEL_HIGH / 700), bands + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    # a finer grid than the FFT's, then summed into bins, so that no band is empty
    fine = 16
    hertz = (np.arange((MEL_FFT // 2 + 1) * fine) - fine // 2 + 0.5) * SAMPLE_RATE / MEL_FFT / fine
    rise = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rise, fall))
    return np.asarray(triangles.reshape(-1, fine, bands).mean(axis=1))


def mel_power(audio: Audio, bands: int = MEL_BANDS) -> NDArray[np.float64]:
    """Return mel band powers of a loop, shape (frames, bands)."""
    return np.asarray(np.square(magnitudes(audio, MEL_FFT, MEL_HOP)) @ mel_bands(bands))


def log_mel_distance(audio: Audio, original: Audio, *, floor_db: float) -> float:
    """Return the log-mel distance in dB (see the module's head).

    Parameters
    ----------
    audio, original : ndarray, shape (samples,)
        Loops of one length.
    floor_db : float
        Negative; under the original's highest band level nothing counts.

    Raises
    ------
    ValueError
        If the lengths differ or the original is silent.
    """
    _check(audio, original)
    wanted = mel_power(original)
    found = mel_power(matched(audio, original))
    floor = wanted.max() * 10 ** (floor_db / 10)
    return float(np.mean(np.abs(10 * np.log10(np.maximum(found, floor) / np.maximum(wanted, floor)))))


def stft_distance(audio: Audio, original: Audio) -> float:
    """Return the multi-size STFT distance (see the module's head); errors as `log_mel_distance`."""
    _check(audio, original)
    level = matched(audio, original)
    total = 0.0
    for size in STFT_SIZES:
        wanted, found = magnitudes(original, size, size // 4), magnitudes(level, size, size // 4)
        floor = wanted.max() * 10 ** (STFT_FLOOR_DB / 20)
        total += float(np.mean(np.abs(np.log(np.maximum(found, floor) / np.maximum(wanted, floor)))))
        total += float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))
    return total / len(STFT_SIZES)


def all_distances(audio: Audio, original: Audio) -> dict[str, float]:
    """Return every distance by name."""
    return {
        "mel60": log_mel_distance(audio, original, floor_db=-60.0),
        "mel40": log_mel_distance(audio, original, floor_db=-40.0),
        "mel20": log_mel_distance(audio, original, floor_db=-20.0),
        "stft": stft_distance(audio, original),
    }


def _check(audio: Audio, original: Audio) -> None:
    if len(audio) != len(original):
        raise ValueError(f"lengths differ: {len(audio)} and {len(original)} samples")
    if rms(original) == 0.0:
        raise ValueError("the original is silent")

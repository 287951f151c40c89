"""From magnitudes to audio by Griffin and Lim's iteration (1984), on the circle.

Frame ``n`` is centred on sample ``n * hop``; the first and the last are neighbours. A loop of ``frames * hop``
samples therefore has exactly as many frames, and what comes out repeats without a seam.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.synthesis.papernet import FFT_SIZE, HOP

if TYPE_CHECKING:
    from numpy.typing import NDArray

ITERATIONS = 50
"""As in the paper."""
TINY = 1e-12


def circular_stft(audio: NDArray[np.float32], *, size: int = FFT_SIZE, hop: int = HOP) -> NDArray[np.complex64]:
    """Return the spectra of a loop under a Hann window.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        One turn of the circle.
    size, hop : int
        Of the FFT, and from frame to frame.

    Returns
    -------
    ndarray of complex64, shape (size / 2 + 1, frames)
        Frames begin on the circle: ``samples / hop`` of them, rounded up.
    """
    frames = -(-len(audio) // hop)
    spectra: NDArray[np.complex64] = np.fft.rfft(_places(audio, frames, size, hop) * _window(size)).astype(np.complex64)
    return spectra.T


def griffin_lim(
    magnitudes: NDArray[np.float32],
    *,
    hop: int = HOP,
    iterations: int = ITERATIONS,
    rng: np.random.Generator | None = None,
) -> NDArray[np.float32]:
    """Find audio whose spectra have these magnitudes, as nearly as can be.

    Parameters
    ----------
    magnitudes : ndarray of float32, shape (size / 2 + 1, frames)
        What `circular_stft` would measure; values below 0 count as 0.
    hop : int
        From frame to frame; a divisor of the FFT's size.
    iterations : int
        How often phases are taken from the audio found so far.
    rng : Generator, optional
        Draws the phases to begin with; by default always the same.

    Returns
    -------
    ndarray of float32, shape (frames * hop,)
        One turn of the circle.
    """
    wanted = np.maximum(np.asarray(magnitudes, np.float32), 0.0).T
    size = 2 * (wanted.shape[1] - 1)
    chance = np.random.default_rng(0) if rng is None else rng
    turns = chance.random(wanted.shape, np.float32) * np.float32(2 * np.pi)
    window = _window(size)
    spectra = wanted * np.exp(1j * turns).astype(np.complex64)
    audio = _joined(spectra, window, hop)
    for _ in range(iterations):
        found = np.fft.rfft(_places(audio, len(wanted), size, hop) * window, axis=1)
        spectra = wanted * (found / np.maximum(np.abs(found), TINY))
        audio = _joined(spectra, window, hop)
    return audio


def _window(size: int) -> NDArray[np.float32]:
    """Hann, periodic."""
    return np.hanning(size + 1)[:-1].astype(np.float32)


def _places(audio: NDArray[np.float32], frames: int, size: int, hop: int) -> NDArray[np.float32]:
    """Return what each frame sees, shape (frames, size)."""
    longer = np.take(audio, np.arange(-size // 2, (frames - 1) * hop + size - size // 2), mode="wrap")
    return np.lib.stride_tricks.sliding_window_view(longer, size)[::hop]


def _joined(spectra: NDArray[np.complexfloating], window: NDArray[np.float32], hop: int) -> NDArray[np.float32]:
    """Add frames up around the circle: the audio whose spectra differ least from these."""
    pieces = np.fft.irfft(spectra, len(window), axis=1) * window
    frames, size = pieces.shape
    total = np.zeros((frames, hop), np.float64)
    weight = np.zeros((frames, hop))
    # a piece is cut into parts of a hop; each falls on the place of another frame
    for part in range(size // hop):
        turn = part - size // hop // 2
        total += np.roll(pieces[:, part * hop : (part + 1) * hop], turn, axis=0)
        weight += np.square(window[part * hop : (part + 1) * hop])
    audio: NDArray[np.float32] = (total / np.maximum(weight, TINY)).reshape(-1).astype(np.float32)
    return audio

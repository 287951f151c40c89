"""Chroma: how much each pitch class sounds (HPCP, harmonic pitch class profile), by essentia."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.analysis.filters import extend
from loopnet_cli.controls import PITCH_CLASSES
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAME, HOP = 4096, 2048
BIN_OF_C = 3
"""Essentia's bin 0 is the A of its reference frequency; C lies three semitones above."""
HIGHEST_HZ = 5000.0
"""Up to where essentia looks for peaks by default."""
THRESHOLD, MOST_PEAKS = 1e-3, 100
"""Only peaks above -60 dB of the loop's own peak count, the strongest first. Essentia's default of no threshold
lets rounding noise through, which HPCP, scaling the range above 500 Hz by itself, would raise to full level."""
MAX_SECONDS = 600.0
SILENCE = 1e-6


def chroma(audio: NDArray[np.float32], sample_rate: int = 44100, *, circular: bool = True) -> NDArray[np.float32]:
    """Measure the chroma of a loop.

    Blackman-Harris windows of `FRAME` samples every `HOP`, the strongest spectral peaks, HPCP with essentia's
    default settings (each frame scaled to a maximum of 1), mean over frames. The loop's level does not matter.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        Mono.
    sample_rate : int
        In Hz, at least 10 000.
    circular : bool
        Whether the audio repeats: frames then wrap around its end. If not, they are centred on multiples of
        the hop from its first sample on, as essentia's frame cutter does.

    Returns
    -------
    ndarray of float32, shape (12,)
        0 to 1, C first; all 0 for silence.

    Raises
    ------
    AudioError
        If the audio is empty, not mono, too long, not finite, or sampled too slowly; or if essentia cannot be
        imported.
    """
    signal = np.asarray(audio, dtype=np.float32)
    if signal.ndim != 1 or not len(signal):
        raise AudioError(f"chroma needs mono audio, got shape {signal.shape}")
    if len(signal) > MAX_SECONDS * sample_rate:
        raise AudioError(f"chroma of {len(signal) / sample_rate:.0f} s of audio: cut it to {MAX_SECONDS:g} s or less")
    if sample_rate < 2 * HIGHEST_HZ:
        raise AudioError(f"chroma at a sample rate of {sample_rate} Hz: resample to 44100 Hz first")
    if not np.isfinite(signal).all():
        raise AudioError("the audio holds values that are not numbers or infinite: repair it first")
    peak = float(np.abs(signal).max())
    if peak < SILENCE:
        return np.zeros(len(PITCH_CLASSES), dtype=np.float32)
    standard = _essentia()
    windowing = standard.Windowing(type="blackmanharris62", size=FRAME)
    spectrum = standard.Spectrum(size=FRAME)
    peaks = standard.SpectralPeaks(
        sampleRate=sample_rate, orderBy="magnitude", magnitudeThreshold=THRESHOLD, maxPeaks=MOST_PEAKS
    )
    profile = standard.HPCP(sampleRate=sample_rate)
    found = [profile(*peaks(spectrum(windowing(frame)))) for frame in _frames(signal / peak, circular)]
    mean: NDArray[np.float32] = np.roll(np.mean(found, axis=0), -BIN_OF_C).astype(np.float32)
    return mean


def _frames(signal: NDArray[np.float32], circular: bool) -> list[NDArray[np.float32]]:
    """Cut centred frames that cover a clip, or a loop evenly (its hop is then the nearest that divides it)."""
    if circular:
        count = max(1, round(len(signal) / HOP))
        starts = np.round(np.arange(count) * len(signal) / count).astype(np.int64)
    else:
        starts = np.arange(0, len(signal) + FRAME // 2, HOP)
    padded = extend(signal, FRAME // 2, FRAME, circular)
    return [np.ascontiguousarray(padded[start : start + FRAME]) for start in starts]


def _essentia() -> Any:
    """Import essentia without its greeting."""
    try:
        import essentia

        essentia.log.infoActive = False
        import essentia.standard
    except ImportError as error:
        raise AudioError(f"chroma needs essentia, which does not load ({error}): pip install essentia") from error
    return essentia.standard

"""Chroma: drums are tuned to the nearest pitch class asked for, and every hit sets tuned resonators ringing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.synthesis.hitnet import SAMPLE_RATE, HitNetConfig, Strokes

A4 = 440.0
C0 = A4 * 2 ** (-57 / 12)
PRESENT = 0.3
"""Pitch classes this strong, against the strongest, are targets for tuning."""
OCTAVES: dict[str, tuple[int, ...]] = {"kick": (2, 3), "snare": (3, 4, 5), "hat": (5, 6), "rest": (3, 4, 5)}
"""Octaves of the resonators that each stem excites."""
WET: dict[str, float] = {"kick": 0.18, "snare": 0.3, "hat": 0.25, "rest": 0.3}
"""Level of the ringing against the stem itself, RMS."""
KEPT_SAMPLES = 2**19
"""Loops up to this long have their resonators' response kept for the next of the same length; 4 MB each."""
RING_SECONDS = 0.25
"""Time for a resonator to fall by 8.7 dB, at C3; higher ones ring shorter."""


def resonate(
    spectrum: NDArray[np.complex64], samples: int, stem: str, chroma: Sequence[float]
) -> NDArray[np.complex64]:
    """Add the ringing of tuned resonators to a stem.

    Parameters
    ----------
    spectrum : ndarray of complex64, shape (samples // 2 + 1,)
        Real FFT of the stem, a circle.
    samples : int
        Length of the stem.
    stem : str
        Says which octaves ring, and how much.
    chroma : sequence of 12 float
        Strength of each pitch class, C first.

    Returns
    -------
    ndarray of complex64
        The spectrum with the ringing; the same if the chroma is all zeros.
    """
    strengths = np.asarray(chroma, np.float64)
    if strengths.max() <= 0:
        return spectrum
    given = tuple((strengths / strengths.max()).tolist())
    made = _kept_response if samples <= KEPT_SAMPLES else _response
    response = made(samples, stem, given)
    ringing = spectrum * response
    level = np.sqrt(np.sum(np.abs(spectrum) ** 2) / max(float(np.sum(np.abs(ringing) ** 2)), 1e-20))
    result: NDArray[np.complex64] = (spectrum + WET[stem] * level * ringing).astype(np.complex64)
    return result


def _response(samples: int, stem: str, strengths: tuple[float, ...]) -> NDArray[np.complex128]:
    """Sum up the resonators of a stem; `strengths` of the pitch classes are relative to the strongest."""
    radians = 2 * np.pi * np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    response = np.zeros(len(radians), np.complex128)
    for pitch_class, strength in enumerate(strengths):
        if strength <= 0.02:
            continue
        for octave in OCTAVES[stem]:
            pitch = C0 * 2 ** (octave + pitch_class / 12)
            damping = (1 / RING_SECONDS) * (pitch / (8 * C0)) ** 0.5
            centre = 2 * np.pi * pitch
            # Laplace transform of a damped sine, sampled on the circle's own frequencies
            mode = 2 * damping * centre / ((damping + 1j * radians) ** 2 + centre**2)
            response += strength**2 * mode / octave
    return response


# loops of one length and chroma come one after the other
_kept_response = lru_cache(8)(_response)


def tuning(strokes: Strokes, config: HitNetConfig, chroma: Sequence[float]) -> float:
    """Find the ratio that brings the strongest tone of a voice to the nearest pitch class of a chroma.

    Parameters
    ----------
    strokes : Strokes
        Of one voice.
    config : HitNetConfig
    chroma : sequence of 12 float

    Returns
    -------
    float
        Factor for the oscillators' frequencies; 1 where the voice has no clear tone.
    """
    strengths = np.asarray(chroma, np.float64)
    if strengths.max() <= 0:
        return 1.0
    amplitudes = np.square(strokes.tones)
    by_tone = amplitudes[:, : config.oscillators] + amplitudes[:, config.oscillators :]
    duration = np.gradient(config.frame_seconds)
    # what rings, not what clicks: the first 20 ms say little about pitch
    ringing = by_tone[..., config.frame_seconds > 0.02] * duration[config.frame_seconds > 0.02]
    energy = ringing.sum(axis=(0, 2))
    audible = config.tone_hertz > 35.0
    peak = int(np.argmax(np.where(audible, energy, 0)))
    if energy[peak] <= 0:
        return 1.0
    near = slice(max(peak - 1, 0), peak + 2)
    hertz = float(np.exp(np.average(np.log(config.tone_hertz[near]), weights=energy[near] + 1e-12)))
    semitone = 12 * np.log2(hertz / C0)
    targets = np.flatnonzero(strengths >= PRESENT * strengths.max())
    distance = (targets - semitone + 6) % 12 - 6
    return float(2 ** (distance[np.abs(distance).argmin()] / 12))

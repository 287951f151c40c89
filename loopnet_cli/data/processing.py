"""What happens to a drum between the stick and the record: tuning, decay, drive, tone, room.

A `Treatment` is drawn once for a kit and applied to each of its strokes, so that
the drums of a bar share a room. Everything here is linear in level or follows the
stroke's own peak, so that soft strokes stay soft.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.filters import minimum_phase_response

SAMPLE_RATE = 44100
MAX_SAMPLES = 3 * SAMPLE_RATE
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Treatment:
    """How a stroke is processed.

    Attributes
    ----------
    semitones : float
        Tuning by resampling, so that the length changes with it.
    decay : float
        Extra decay in dB a second; 0 leaves it.
    attack_db : float
        Gain of the first 10 ms against the rest.
    tilt_db : float
        Gain at 10 kHz minus gain at 100 Hz, a straight line over log frequency.
    bump_hz, bump_db : float
        One bell an octave wide.
    drive : float
        0 is clean; 1 about 12 dB into a soft clipper.
    room : float
        Level of the room against the stroke, linear.
    room_seconds : float
        Time for the room to fall by 60 dB.
    room_tone : float
        Corner of the room's low-pass, Hz.
    room_seed : int
        The room's noise.
    """

    semitones: float = 0.0
    decay: float = 0.0
    attack_db: float = 0.0
    tilt_db: float = 0.0
    bump_hz: float = 1000.0
    bump_db: float = 0.0
    drive: float = 0.0
    room: float = 0.0
    room_seconds: float = 0.3
    room_tone: float = 8000.0
    room_seed: int = 0

    def varied(self, rng: np.random.Generator) -> Treatment:
        """Return this treatment with a tuning and decay of its own, for one drum of the kit."""
        semitones = self.semitones + float(rng.normal(0, 1.0))
        decay = max(0.0, self.decay + float(rng.normal(0, 12.0))) if rng.random() < 0.5 else self.decay
        return replace(self, semitones=semitones, decay=decay)


def draw_treatment(rng: np.random.Generator) -> Treatment:
    """Draw a treatment within musical taste: half the kits nearly dry and clean, a few extreme."""

    def maybe(probability: float, value: float) -> float:
        return value if rng.random() < probability else 0.0

    return Treatment(
        semitones=maybe(0.6, float(np.clip(rng.normal(0, 2.0), -6, 6))),
        decay=maybe(0.35, float(rng.uniform(10, 120))),
        attack_db=maybe(0.3, float(rng.uniform(-6, 6))),
        tilt_db=maybe(0.6, float(np.clip(rng.normal(0, 5), -12, 12))),
        bump_hz=float(np.exp(rng.uniform(np.log(60), np.log(9000)))),
        bump_db=maybe(0.4, float(rng.uniform(-8, 8))),
        drive=maybe(0.3, float(rng.uniform(0.1, 1.0))),
        room=maybe(0.45, float(10 ** rng.uniform(-2.0, -0.7))),
        room_seconds=float(rng.uniform(0.12, 0.9)),
        room_tone=float(np.exp(rng.uniform(np.log(2500), np.log(14000)))),
        room_seed=int(rng.integers(2**31)),
    )


def apply_treatment(audio: Audio, treatment: Treatment) -> Audio:
    """Process one stroke.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        The stroke, its onset at the first sample.
    treatment : Treatment
        What to do.

    Returns
    -------
    ndarray of float32, shape (other samples,)
        At most three seconds; the peak is kept except for what the room adds.
    """
    from scipy import fft

    x = audio.astype(np.float32)
    peak = float(np.abs(x).max(initial=0.0))
    if peak == 0.0:
        return x
    x = x / peak
    if abs(treatment.semitones) > 0.05:
        x = _retune(x, treatment.semitones)
    seconds = np.arange(len(x), dtype=np.float32) / SAMPLE_RATE
    if treatment.decay or treatment.attack_db:
        gain_db = -treatment.decay * seconds + treatment.attack_db * np.exp(-seconds / 0.010)
        x = x * (10 ** (gain_db / 20)).astype(np.float32)
    wet = int(treatment.room_seconds * SAMPLE_RATE) if treatment.room else 0
    if treatment.tilt_db or treatment.bump_db or wet:
        size = fft.next_fast_len(min(len(x) + wet, MAX_SAMPLES) + 512, real=True)
        spectrum = fft.rfft(x, size)
        if treatment.tilt_db or treatment.bump_db:
            spectrum = spectrum * _tone(size, treatment)
        if wet:
            spectrum = spectrum * _room(size, wet, treatment)
        x = fft.irfft(spectrum, size)[: min(len(x) + wet, MAX_SAMPLES)].astype(np.float32)
    x = x / max(float(np.abs(x).max()), 1e-9)
    if treatment.drive:
        amount = 1 + 3 * treatment.drive
        x = (np.tanh(amount * x) / np.tanh(amount)).astype(np.float32)
    return fade_out(x * peak)


def fade_out(audio: Audio, samples: int = 512) -> Audio:
    """Bring the last samples down to silence, so that a cut tail does not click."""
    count = min(samples, len(audio) // 4)
    if count:
        audio = audio.copy()
        audio[-count:] *= np.cos(np.linspace(0, np.pi / 2, count, dtype=np.float32)) ** 2
    return audio


def soften(audio: Audio, velocity: float) -> Audio:
    """Make a hard stroke sound struck softly: duller, at the same peak level.

    For kits without recorded soft strokes. In the kits that have them, the median kick
    or tom loses 3 to 7 dB above 1.5 kHz between its hardest and its soft strokes, the
    median snare or hat next to nothing; a shelf of 4 dB lies between.
    """
    from scipy import fft

    if velocity > 0.98:
        return audio
    size = fft.next_fast_len(len(audio) + 256, real=True)
    f = np.fft.rfftfreq(2048, 1 / SAMPLE_RATE)
    shelf_db = -4.0 * (1 - velocity) / (1 + (1500 / np.maximum(f, 1.0)) ** 2)
    spectrum = fft.rfft(audio, size) * minimum_phase_response(shelf_db / 20 * np.log(10), size)
    soft: Audio = fft.irfft(spectrum, size)[: len(audio)].astype(np.float32)
    scale = float(np.abs(audio).max(initial=0.0)) / max(float(np.abs(soft).max(initial=0.0)), 1e-9)
    return soft * np.float32(scale)


def _retune(x: Audio, semitones: float) -> Audio:
    from scipy.signal import resample_poly

    ratio = Fraction(2 ** (-semitones / 12)).limit_denominator(24)
    tuned: Audio = resample_poly(x, ratio.numerator, ratio.denominator)[:MAX_SAMPLES]
    return tuned


def _tone(size: int, treatment: Treatment) -> NDArray[np.complex64]:
    # minimum phase, or an equaliser would ring before the stroke
    f = np.maximum(np.fft.rfftfreq(4096, 1 / SAMPLE_RATE), 20.0)
    db = treatment.tilt_db * np.clip(np.log10(f / 1000), -1.3, 1.2) / 2
    db = db + treatment.bump_db * np.exp(-0.5 * (np.log2(f / treatment.bump_hz) / 0.6) ** 2)
    return minimum_phase_response(db / 20 * np.log(10), size)


def _room(size: int, wet: int, treatment: Treatment) -> NDArray[np.complex64]:
    from scipy import fft

    rng = np.random.default_rng(treatment.room_seed)
    tail = rng.standard_normal(wet).astype(np.float32)
    tail *= np.exp(-6.9 * np.arange(wet, dtype=np.float32) / wet)
    tail[: min(wet, 200)] *= np.linspace(0, 1, min(wet, 200), dtype=np.float32)
    spectrum = fft.rfft(tail, size)
    corner = np.fft.rfftfreq(size, 1 / SAMPLE_RATE) / treatment.room_tone
    spectrum = spectrum / (1 + corner**2)
    energy = float(np.sqrt(np.mean(np.abs(spectrum) ** 2)))
    response: NDArray[np.complex64] = (1 + 2 * treatment.room * spectrum / max(energy, 1e-9)).astype(np.complex64)
    return response

"""The actuators that the timbre network moves: what can be done to strokes and stems.

Each has a name, a range and a neutral value of 0; all of them together are one
vector of numbers between -1 and 1, so that the network that drives them needs to
know nothing of decibels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.synthesis.hitnet import HOP, SAMPLE_RATE, HitNetConfig, Strokes

Array = NDArray[np.float32]

EQ_HERTZ = np.geomspace(40.0, 17000.0, 14)
"""Centres of the equaliser's points."""
REGION_EDGES = (250.0, 3500.0)
"""Where low meets mid and mid meets high in the per-region actuators."""
REGIONS = ("low", "mid", "high")

EQ_DB = 20.0
ATTACK_DB = 10.0
ATTACK_SECONDS = 0.008
DECAY_DB = 30.0
DECAY_SECONDS = 0.25
BEATING_HERTZ = 70.0
"""Amplitude modulation at the rate where roughness is strongest (Vassilakis 2001; Zwicker and Fastl)."""
TONE_DB = 12.0
DRIVE = 2.0

ACTUATORS: tuple[str, ...] = (
    *(f"eq_{round(hertz)}" for hertz in EQ_HERTZ),
    *(f"attack_{region}" for region in REGIONS),
    *(f"decay_{region}" for region in REGIONS),
    *(f"beating_{region}" for region in REGIONS),
    "tone_low",
    "tone_high",
    "drive",
)
"""Names of the actuators, in the order of the vector."""

_LIMITS = {"eq": 0.8, "attack": 0.8, "decay": 0.5, "beating": 0.2, "tone": 0.8, "drive": 0.6}
LIMITS: NDArray[np.float32] = np.array([_LIMITS[name.partition("_")[0]] for name in ACTUATORS], np.float32)
"""How far the timbre network may move each actuator: further, a stroke falls apart into several,
or a tail covers the next hit. Measuring goes further, so that the ears know the way."""


@dataclass(frozen=True)
class Shape:
    """A setting of all actuators, in their own units.

    Attributes
    ----------
    eq_db : ndarray, shape (points,)
        Gains at `EQ_HERTZ`.
    attack_db, decay_db : ndarray, shape (3,)
        Gain of the first 8 ms, and gain after a quarter of a second, per region.
    beating : ndarray, shape (3,)
        Depth of 70 Hz modulation, 0..1, per region.
    tone_db : ndarray, shape (2,)
        Gain of oscillators against noise, below and above 250 Hz.
    drive : float
        Amount of soft clipping of the mix, from 0.
    """

    eq_db: Array
    attack_db: Array
    decay_db: Array
    beating: Array
    tone_db: Array
    drive: float

    @staticmethod
    def from_vector(vector: NDArray[np.floating]) -> Shape:
        """Read a vector of -1..1, shape (actuators,), in the order of `ACTUATORS`."""
        v = np.clip(np.asarray(vector, np.float32), -1, 1)
        n = len(EQ_HERTZ)
        return Shape(
            eq_db=v[:n] * EQ_DB,
            attack_db=v[n : n + 3] * ATTACK_DB,
            decay_db=v[n + 3 : n + 6] * DECAY_DB,
            beating=np.maximum(v[n + 6 : n + 9], 0),
            tone_db=v[n + 9 : n + 11] * TONE_DB,
            drive=float(max(v[n + 11], 0.0)) * DRIVE,
        )


def region_weights(hertz: NDArray[np.floating]) -> Array:
    """Share of each frequency in the low, mid and high region, shape (frequencies, 3), rows sum to 1."""
    octaves = np.log2(np.maximum(hertz, 1.0))
    low = 1 / (1 + np.exp((octaves - np.log2(REGION_EDGES[0])) / 0.25))
    high = 1 / (1 + np.exp((np.log2(REGION_EDGES[1]) - octaves) / 0.25))
    return np.stack([low, 1 - low - high, high], axis=1).astype(np.float32)


def shape_strokes(strokes: Strokes, shape: Shape, config: HitNetConfig) -> Strokes:
    """Apply what belongs to the strokes themselves: attack, decay and the balance of tone and noise.

    Parameters
    ----------
    strokes : Strokes
        From the hit network.
    shape : Shape
    config : HitNetConfig

    Returns
    -------
    Strokes
        Of the same shapes.
    """
    age = config.frame_seconds
    attack = np.exp(-age / ATTACK_SECONDS)
    decay = np.minimum(age / DECAY_SECONDS, 1.5)
    db = shape.attack_db[:, None] * attack + shape.decay_db[:, None] * decay
    bands, tones = region_weights(config.band_hertz), region_weights(config.tone_hertz)
    nepers = np.float32(np.log(10) / 20)
    low = tones[:, :1]
    balance = low * shape.tone_db[0] + (1 - low) * shape.tone_db[1]
    noise_low = bands[:, :1]
    noise_balance = noise_low * shape.tone_db[0] + (1 - noise_low) * shape.tone_db[1]
    noise = strokes.noise + nepers * (bands @ db - noise_balance / 2).astype(np.float32)
    gain = np.exp(nepers * (tones @ db + balance / 2)).astype(np.float32)
    click = np.float32(np.exp(nepers * float(shape.attack_db[1:].mean())))
    return Strokes(noise, strokes.tones * np.concatenate([gain, gain]), strokes.burst * click)


def beating_gains(shape: Shape, hertz: NDArray[np.floating], count: int) -> Array | None:
    """Amplitude modulation over hops, shape (frequencies, count), or None where it does nothing."""
    if float(shape.beating.max()) < 1e-3:
        return None
    depth = region_weights(hertz) @ shape.beating
    wave = np.cos(2 * np.pi * BEATING_HERTZ * np.arange(count) * HOP / SAMPLE_RATE)
    gains: Array = (1 + 0.8 * depth[:, None] * (wave - 1)).astype(np.float32)
    return gains


def equaliser(shape: Shape, samples: int) -> NDArray[np.complex64]:
    """Spectrum of the equaliser over a loop of `samples`, minimum phase, shape (samples // 2 + 1,)."""
    from loopnet_cli.audio.filters import minimum_phase_response

    grid = np.maximum(np.fft.rfftfreq(8192, 1 / SAMPLE_RATE), 20.0)
    db = np.interp(np.log(grid), np.log(EQ_HERTZ), shape.eq_db)
    return minimum_phase_response(db * np.log(10) / 20, samples)

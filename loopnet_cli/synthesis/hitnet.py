"""The hit network: from a voice's code and a velocity to the sound of one stroke, in numpy.

A Wave-U-Net over frames that are fixed to the onset of the hit and grow longer
with its age (0.6 ms at the attack, 0.3 s at the end), so that 64 frames hold three
seconds. It drives noise bands, a bank of low oscillators that start at the onset,
and a short learned burst. Because time is counted from the onset, hits are
sample-exact and a loop is a circle by construction.

Numpy, because importing torch takes longer than rendering a loop.
`loopnet_cli.training.network` holds the same network in torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.fourier import irfft, next_fast_len, rfft
from loopnet_cli.pattern import VOICES

SAMPLE_RATE = 44100
HOP = 64
"""Samples between gain values; gains move in straight lines in between."""
LOWEST_BAND, HIGHEST_BAND = 60.0, 20000.0
LOWEST_TONE, HIGHEST_TONE = 28.0, 6000.0
TOGETHER = 8
"""Noise bands that are transformed at once: as many as processors do side by side."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class HitNetConfig:
    """Sizes of the network; stored with the weights.

    Attributes
    ----------
    code : int
        Numbers in a voice's code.
    frames : int
        Frames of the onset-fixed time grid; a multiple of 8.
    growth, scale : float
        Frame ``j`` lies at ``scale * (exp(growth * j) - 1)`` seconds.
    bands : int
        Noise bands, log-spaced from 60 Hz to 20 kHz.
    oscillators : int
        Log-spaced from 28 Hz to 6 kHz.
    burst : int
        Samples of the learned burst at the onset.
    channels : tuple of int
        Width at each level of the U-Net.
    condition : int
        Width of the conditioning vector.
    """

    code: int = 64
    frames: int = 64
    growth: float = 0.1
    scale: float = 0.0055
    bands: int = 80
    oscillators: int = 76
    burst: int = 768
    channels: tuple[int, ...] = (128, 160, 192, 192)
    condition: int = 256

    def to_dict(self) -> dict[str, object]:
        """Return plain values for storage."""
        return asdict(self)

    @property
    def frame_seconds(self) -> NDArray[np.float64]:
        """Age of each frame in seconds, shape (frames,)."""
        seconds: NDArray[np.float64] = self.scale * np.expm1(self.growth * np.arange(self.frames))
        return seconds

    @property
    def band_hertz(self) -> NDArray[np.float64]:
        """Centre of each noise band, shape (bands,)."""
        return np.geomspace(LOWEST_BAND, HIGHEST_BAND, self.bands)

    @property
    def tone_hertz(self) -> NDArray[np.float64]:
        """Frequency of each oscillator, shape (oscillators,)."""
        return np.geomspace(LOWEST_TONE, HIGHEST_TONE, self.oscillators)


class Strokes(NamedTuple):
    """What drives the synthesis of a batch of strokes.

    Attributes
    ----------
    noise : ndarray of float32, shape (batch, bands, frames)
        Natural logarithms of the noise bands' gains.
    tones : ndarray of float32, shape (batch, 2 * oscillators, frames)
        Amplitudes of sines, then of cosines.
    burst : ndarray of float32, shape (batch, burst)
        Samples added at the onset.
    """

    noise: Array
    tones: Array
    burst: Array

    def take(self, rows: list[int]) -> Strokes:
        """Return some of the strokes."""
        return Strokes(self.noise[rows], self.tones[rows], self.burst[rows])


class HitNet:
    """The trained network.

    Parameters
    ----------
    config : HitNetConfig
        Sizes.
    weights : Mapping from name to ndarray of float32
        As in the torch module's state.
    """

    def __init__(self, config: HitNetConfig, weights: Mapping[str, Array]) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}
        # convolutions as one matrix product: the taps side by side
        self._kernels = {
            name.removesuffix(".weight"): (np.ascontiguousarray(w.transpose(0, 2, 1)).reshape(len(w), -1), w.shape[2])
            for name, w in self._weights.items()
            if w.ndim == 3
        }
        decay = np.exp(-np.arange(config.burst) / (config.burst / 5)) * 0.3
        self._burst_decay = decay.astype(np.float32)

    def encode(self, descriptors: Array) -> Array:
        """Map descriptors of strokes, shape (batch, descriptor), to codes, shape (batch, code)."""
        return self._linear("encoder", descriptors)

    def strokes(self, codes: Array, voices: list[str], velocities: Array) -> Strokes:
        """Predict what drives the synthesis of strokes.

        Parameters
        ----------
        codes : ndarray of float32, shape (batch, code)
        voices : list of str
            Names from `VOICES`.
        velocities : ndarray of float32, shape (batch,)
            0..1.
        """
        one_hot = np.eye(len(VOICES), dtype=np.float32)[[VOICES.index(voice) for voice in voices]]
        strength = np.stack([velocities, np.log(velocities + 0.02)], axis=1).astype(np.float32)
        condition = np.concatenate([codes, one_hot, strength], axis=1)
        for layer in (0, 2, 4):
            condition = _silu(self._linear(f"condition.{layer}", condition))
        x = self._linear("enter", condition)[..., None] + self._weights["position"]
        x = self._block("first", x, condition)
        skips = []
        for level in range(len(self.config.channels) - 1):
            skips.append(x)
            x = self._block(f"down.{level}", np.float32(0.5) * (x[..., ::2] + x[..., 1::2]), condition)
        x = self._block("middle", x, condition)
        for level in range(len(self.config.channels) - 1):
            x = self._block(f"up.{level}", np.concatenate([_upsampled(x), skips.pop()], axis=1), condition)
        out = self._conv("head", self._block("last", x, condition))
        bands, count = self.config.bands, self.config.oscillators
        prior = self._linear("prior", codes).reshape(len(codes), bands + count, -1)
        envelope = np.exp(np.clip(out[:, bands + 2 * count :] + prior[:, bands:], -12, 2))
        tones = np.clip(out[:, bands : bands + 2 * count], -8, 8) * np.concatenate([envelope, envelope], axis=1)
        burst = self._linear("burst.2", _silu(self._linear("burst.0", condition))) * self._burst_decay
        return Strokes(np.clip(out[:, :bands] + prior[:, :bands], -12, 2), tones, burst)

    def _linear(self, name: str, x: Array) -> Array:
        # row by row: what comes out for one stroke must not depend, in its last bits, on those beside it
        product = np.matmul(x[:, None], self._weights[f"{name}.weight"].T)[:, 0]
        result: Array = product + self._weights[f"{name}.bias"]
        return result

    def _conv(self, name: str, x: Array) -> Array:
        weight, taps = self._kernels[name]
        if taps > 1:
            padded = np.concatenate([x[..., :1], x, x[..., -1:]], axis=2)
            frames = x.shape[2]
            x = np.concatenate([padded[..., tap : tap + frames] for tap in range(taps)], axis=1)
        result: Array = weight @ x + self._weights[f"{name}.bias"][:, None]
        return result

    def _block(self, name: str, x: Array, condition: Array) -> Array:
        gain, bias = np.split(self._linear(f"{name}.film", condition)[..., None], 2, axis=1)
        hidden = self._conv(f"{name}.conv", x) * (1 + gain) + bias
        skip = self._conv(f"{name}.skip", x) if f"{name}.skip.weight" in self._weights else x
        result: Array = skip + self._conv(f"{name}.mix", np.where(hidden > 0, hidden, 0.1 * hidden))
        return result


def _silu(x: Array) -> Array:
    result: Array = x / (1 + np.exp(-x))
    return result


def _upsampled(x: Array) -> Array:
    """Double the frames by linear interpolation between their centres."""
    before = np.concatenate([x[..., :1], x[..., :-1]], axis=2)
    after = np.concatenate([x[..., 1:], x[..., -1:]], axis=2)
    return np.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], axis=3).reshape(*x.shape[:2], -1)


def warp(config: HitNetConfig, count: int) -> Array:
    """Matrix that reads the onset-fixed frames at multiples of `HOP`.

    Returns
    -------
    ndarray of float32, shape (frames, count + 1)
        Column ``t`` interpolates linearly at ``t * HOP`` samples after the onset.
    """
    ages = np.minimum(np.arange(count + 1) * HOP / SAMPLE_RATE, config.frame_seconds[-1])
    position = np.log1p(ages / config.scale) / config.growth
    left = np.minimum(position.astype(int), config.frames - 2)
    fraction = position - left
    matrix = np.zeros((config.frames, count + 1), np.float32)
    columns = np.arange(count + 1)
    matrix[left, columns] = 1 - fraction
    matrix[left + 1, columns] += fraction
    return matrix


def noise_bands(config: HitNetConfig, samples: int, rng: np.random.Generator) -> Array:
    """Draw one noise and split it into bands that sum to it.

    Returns
    -------
    ndarray of float32, shape (bands, samples)
        Triangular in amplitude over log frequency, so that equal gains give back the
        same flat noise without ridges; scaled to unit power a band.
    """
    result = np.empty((config.bands, samples), np.float32)
    for first, group in band_groups(config, samples, rng):
        result[first : first + len(group)] = group
    return result


def band_groups(config: HitNetConfig, samples: int, rng: np.random.Generator) -> Iterator[tuple[int, Array]]:
    """Draw what `noise_bands` does, a few bands at a time: the first one's number, and an array (bands, samples)."""
    size = next_fast_len(samples)
    spectrum = rfft(rng.standard_normal(size).astype(np.float32))
    f = np.maximum(np.fft.rfftfreq(size, 1 / SAMPLE_RATE), 1.0)
    octaves = np.log(HIGHEST_BAND / LOWEST_BAND)
    position = np.log(f / LOWEST_BAND) / octaves * (config.bands - 1)
    position = np.clip(position, 0, config.bands - 1)
    audible = 1 / (1 + (30.0 / f) ** 4)
    # one gain for neighbours alike keeps the sum flat: the power per band is smooth in frequency
    widths = config.band_hertz * octaves / (config.bands - 1)
    scale = np.sqrt(widths / (SAMPLE_RATE / 2) * 2 / 3).astype(np.float32)[:, None]
    for first in range(0, config.bands, TOGETHER):
        bands = range(first, min(first + TOGETHER, config.bands))
        spectra = np.zeros((len(bands), len(spectrum)), spectrum.dtype)
        for row, band in enumerate(bands):
            # a band reaches as far as its neighbours' centres
            low, high = np.searchsorted(position, [band - 1, band + 1])
            shape = np.maximum(0, 1 - np.abs(position[low:high] - band)) * audible[low:high]
            spectra[row, low:high] = spectrum[low:high] * shape.astype(np.float32)
        yield first, irfft(spectra, size)[:, :samples] / scale[first : first + len(bands)]

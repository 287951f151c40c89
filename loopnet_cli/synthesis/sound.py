"""From the parameters of strokes to audio: noise bands, oscillators and bursts, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.recent import Recent
from loopnet_cli.synthesis.hitnet import HOP, SAMPLE_RATE, HitNetConfig, Strokes, band_groups, warp
from loopnet_cli.synthesis.shaping import Shape, beating_gains

Array = NDArray[np.float32]

TABLE_HOPS = 1024
"""Length of the noise table: 1.49 s, read from any hop on as a circle."""
MAX_HOPS = 2067
"""Three seconds, the longest that a stroke sounds."""
TABLE_SEED = 20210611
"""The table is one fixed noise; a loop's seed says where each voice starts to read it."""
SILENCE_DB = -72.0
FADE_SAMPLES = 256
PIECE = 128
"""Hops that are sounded at a time."""
TURN_STEP = 256
"""Hops by which tables of phases grow."""
TUNINGS = 16
"""Tunings whose tables are kept, of up to 1.3 MB each."""


class Sounder:
    """Sounds strokes; holds the noise table (21 MB), made once.

    Parameters
    ----------
    config : HitNetConfig
        Sizes of the network whose strokes are sounded.
    """

    def __init__(self, config: HitNetConfig) -> None:
        self.config = config
        self._noise = np.empty((TABLE_HOPS, config.bands, HOP), np.float32)
        for first, bands in band_groups(config, TABLE_HOPS * HOP, np.random.default_rng(TABLE_SEED)):
            hops = bands.reshape(-1, TABLE_HOPS, HOP)
            self._noise[:, first : first + len(hops)] = hops.transpose(1, 0, 2)
        self._warp = warp(config, MAX_HOPS)
        self._radians = 2 * np.pi * config.tone_hertz / SAMPLE_RATE
        self._oscillators: Recent[float, Oscillators] = Recent(TUNINGS)

    def hops(self, strokes: Strokes) -> int:
        """Find how many hops the longest of the strokes sounds before it is inaudible."""
        power = np.exp(2 * strokes.noise).sum(axis=1) + 0.5 * np.square(strokes.tones).sum(axis=1)
        loud = power > power.max(axis=1, keepdims=True) * 10 ** (SILENCE_DB / 10)
        last = int(np.flatnonzero(loud.any(axis=0))[-1])
        seconds = self.config.frame_seconds[min(last + 1, self.config.frames - 1)]
        floor = -(-self.config.burst // HOP)
        return int(np.clip(np.ceil(seconds * SAMPLE_RATE / HOP), floor, MAX_HOPS))

    def sound(self, strokes: Strokes, *, offset: int, shape: Shape | None = None, tuning: float = 1.0) -> Array:
        """Sound strokes of one voice.

        Parameters
        ----------
        strokes : Strokes
            The batch.
        offset : int
            Where in the noise table the strokes start; all start alike.
        shape : Shape, optional
            Its modulation is applied here.
        tuning : float
            Factor for the frequencies of the oscillators.

        Returns
        -------
        ndarray of float32, shape (batch, samples)
            From the onset on, faded out at the end.
        """
        count = self.hops(strokes)
        matrix = self._warp[:, : count + 1]
        noise_gain = np.exp(strokes.noise @ matrix)
        tone_gain = strokes.tones @ matrix
        if shape is not None:
            noise_beat = beating_gains(shape, self.config.band_hertz, count + 1)
            tone_beat = beating_gains(shape, self.config.tone_hertz, count + 1)
            if noise_beat is not None and tone_beat is not None:
                noise_gain = noise_gain * noise_beat
                tone_gain = tone_gain * np.concatenate([tone_beat, tone_beat])
        batch, oscillators = len(strokes.noise), self._tuned(tuning)
        turn = oscillators.turn(count)
        ramp = np.arange(HOP, dtype=np.float32) / np.float32(HOP)
        whole = np.empty((batch, count, HOP), np.float32)
        # a piece at a time, so that what it takes stays in the processor's cache
        for first in range(0, count, PIECE):
            last = min(first + PIECE, count)
            piece = slice(first, last + 1)
            # start and end of each hop side by side: one product with the table serves both
            gains = noise_gain[..., piece].transpose(2, 0, 1)
            blocks = self._noise_blocks(np.concatenate([gains[:-1], gains[1:]], axis=1), offset + first)
            blocks += _tone_blocks(tone_gain[..., piece], turn[first:last], oscillators.basis)
            start, end = blocks[:, :batch], blocks[:, batch:]
            end -= start
            end *= ramp
            end += start
            whole[:, first:last] = end.transpose(1, 0, 2)
        audio: Array = whole.reshape(batch, -1)
        length = min(strokes.burst.shape[1], audio.shape[1])
        audio[:, :length] += strokes.burst[:, :length]
        audio[:, -FADE_SAMPLES:] *= np.linspace(1, 0, FADE_SAMPLES, dtype=np.float32)
        return audio

    def _noise_blocks(self, gains: Array, offset: int) -> Array:
        """Weigh the noise bands, shape (hops, rows, bands), reading the table as a circle from `offset` on."""
        blocks = np.empty((*gains.shape[:2], HOP), np.float32)
        done = 0
        while done < len(gains):
            first = (offset + done) % TABLE_HOPS
            count = min(len(gains) - done, TABLE_HOPS - first)
            np.matmul(gains[done : done + count], self._noise[first : first + count], out=blocks[done : done + count])
            done += count
        return blocks

    def _tuned(self, tuning: float) -> Oscillators:
        return self._oscillators.get(tuning, lambda: Oscillators(self._radians, tuning))


class Oscillators:
    """Tables of the oscillators at one tuning.

    Parameters
    ----------
    radians : ndarray, shape (oscillators,)
        Radians a sample, untuned.
    tuning : float
        Factor.

    Attributes
    ----------
    basis : ndarray of float32, shape (2 * oscillators, HOP)
        From the parts of a phasor to the samples of a hop.
    """

    def __init__(self, radians: NDArray[np.float64], tuning: float) -> None:
        self._radians = radians if tuning == 1.0 else radians * tuning
        within = np.exp(1j * radians[:, None] * tuning * np.arange(HOP))
        self.basis = np.stack([within.real, -within.imag], axis=1).reshape(2 * len(radians), HOP).astype(np.float32)
        self._turn = np.zeros((0, len(radians)), np.complex64)

    def turn(self, count: int) -> NDArray[np.complex64]:
        """Phase of each oscillator at the start of each hop, shape (count, oscillators)."""
        have = len(self._turn)
        if have < count:
            # most strokes are short: no more of the table is made than was needed so far
            more = min(-(-count // TURN_STEP) * TURN_STEP, MAX_HOPS)
            phases = np.outer(np.arange(have, more) * HOP, self._radians)
            self._turn = np.concatenate([self._turn, np.exp(1j * phases).astype(np.complex64)])
        return self._turn[:count]


def _tone_blocks(gain: Array, turn: NDArray[np.complex64], basis: Array) -> Array:
    """Sound the oscillators, shape (hops, rows, HOP), from amplitudes of shape (batch, 2 * oscillators, hops + 1).

    An oscillator is the real part of a phasor. Turned by the phase that it has reached at
    the start of a hop, amplitudes meet the same sines and cosines in every hop; both the
    gains at the hop's start and those at its end are turned by the phase at its start.
    """
    (batch, parts, edges), number = gain.shape, turn.shape[1]
    by_hop = gain.transpose(2, 0, 1)
    phasors = np.empty((edges, batch, number), np.complex64)
    phasors.real, phasors.imag = by_hop[..., number:], -by_hop[..., :number]
    turned = np.empty((edges - 1, 2 * batch, number), np.complex64)
    np.multiply(phasors[:-1], turn[:, None], out=turned[:, :batch])
    np.multiply(phasors[1:], turn[:, None], out=turned[:, batch:])
    flat: Array = turned.reshape(-1, number).view(np.float32).reshape(-1, parts) @ basis
    return flat.reshape(edges - 1, -1, HOP)

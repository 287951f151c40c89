"""The hit network in torch, for training; `loopnet_cli.synthesis.hitnet` runs it in numpy.

A Wave-U-Net over frames that are fixed to the onset of the hit and grow longer
with its age (0.6 ms at the attack, a third of a second at the end), so that 64 frames hold
three seconds. It drives noise bands, a bank of low oscillators that start at the
onset, and a short learned burst. Because time is counted from the onset, hits are
sample-exact and a loop is a circle by construction.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis import descriptor
from loopnet_cli.synthesis.hitnet import HOP, SAMPLE_RATE, HitNetConfig


class Block(nn.Module):
    """A residual convolution over frames with feature-wise modulation by the condition."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, 3)
        self.film = nn.Linear(condition, 2 * outputs)
        self.mix = nn.Conv1d(outputs, outputs, 1)
        self.skip = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.normal_(self.film.weight, std=0.05)
        nn.init.zeros_(self.film.bias)
        nn.init.normal_(self.mix.weight, std=0.05)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Map (batch, inputs, frames) and (batch, condition) to (batch, outputs, frames)."""
        hidden = self.conv(functional.pad(x, (1, 1), mode="replicate"))
        gain, bias = self.film(condition)[..., None].chunk(2, dim=1)
        result: Tensor = self.skip(x) + self.mix(functional.leaky_relu(hidden * (1 + gain) + bias, 0.1))
        return result


class HitNet(nn.Module):
    """Codes and velocities to the parameters of strokes, and strokes to audio."""

    def __init__(self, config: HitNetConfig) -> None:
        super().__init__()
        self.config = config
        c, width = config.condition, config.channels
        self.encoder = nn.Linear(descriptor.SIZE, config.code)
        self.condition = nn.Sequential(
            nn.Linear(config.code + len(VOICES) + 2, c),
            nn.SiLU(),
            nn.Linear(c, c),
            nn.SiLU(),
            nn.Linear(c, c),
            nn.SiLU(),
        )
        self.position = nn.Parameter(torch.randn(width[0], config.frames) * 0.3)
        self.enter = nn.Linear(c, width[0])
        self.down = nn.ModuleList(Block(a, b, c) for a, b in pairwise(width))
        self.first = Block(width[0], width[0], c)
        self.middle = Block(width[-1], width[-1], c)
        self.up = nn.ModuleList(Block(a + b, b, c) for a, b in zip(width[:0:-1], width[-2::-1], strict=True))
        self.last = Block(width[0], width[0], c)
        self.head = nn.Conv1d(width[0], config.bands + 3 * config.oscillators, 1)
        self.burst = nn.Sequential(nn.Linear(c, 384), nn.SiLU(), nn.Linear(384, config.burst))
        self.prior = nn.Linear(config.code, (config.bands + config.oscillators) * config.frames)
        nn.init.normal_(self.head.weight, std=0.02)
        with torch.no_grad():
            assert self.head.bias is not None
            self.head.bias.zero_()
            # sines at the onset: full amplitudes from the prior, no cosines, no step
            self.head.bias[config.bands : config.bands + config.oscillators] = 1.0
        with torch.no_grad():
            last = self.burst[2]
            assert isinstance(last, nn.Linear)
            last.weight.normal_(std=0.02)
        decay = torch.exp(-torch.arange(config.burst) / (config.burst / 5))
        self.register_buffer("burst_decay", decay * 0.3, persistent=False)

    def encode(self, descriptors: Tensor) -> Tensor:
        """Map descriptors (batch, descriptor) to codes (batch, code)."""
        codes: Tensor = self.encoder(descriptors)
        return codes

    def parameters_of(self, codes: Tensor, voices: Tensor, velocities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict what drives the synthesis of strokes.

        Parameters
        ----------
        codes : Tensor, shape (batch, code)
        voices : Tensor of int64, shape (batch,)
            Indices into `VOICES`.
        velocities : Tensor, shape (batch,)
            0..1.

        Returns
        -------
        noise : Tensor, shape (batch, bands, frames)
            Natural logarithms of band gains.
        tones : Tensor, shape (batch, 2 * oscillators, frames)
            Amplitudes of sines, then of cosines.
        burst : Tensor, shape (batch, burst)
            Samples.
        """
        one_hot = functional.one_hot(voices, len(VOICES)).to(codes.dtype)
        strength = torch.stack([velocities, torch.log(velocities + 0.02)], dim=1)
        condition = self.condition(torch.cat([codes, one_hot, strength], dim=1))
        x = self.enter(condition)[..., None] + self.position
        x = self.first(x, condition)
        skips = []
        for block in self.down:
            skips.append(x)
            x = block(functional.avg_pool1d(x, 2), condition)
        x = self.middle(x, condition)
        for block in self.up:
            x = functional.interpolate(x, scale_factor=2, mode="linear", align_corners=False)
            x = block(torch.cat([x, skips.pop()], dim=1), condition)
        out = self.head(self.last(x, condition))
        bands, count = self.config.bands, self.config.oscillators
        prior = self.prior(codes).reshape(len(codes), bands + count, -1)
        envelope = torch.exp((out[:, bands + 2 * count :] + prior[:, bands:]).clamp(-12, 2))
        tones = out[:, bands : bands + 2 * count].clamp(-8, 8) * torch.cat([envelope, envelope], dim=1)
        burst = self.burst(condition) * self.burst_decay
        return (out[:, :bands] + prior[:, :bands]).clamp(-12, 2), tones, burst


def oscillator_bank(config: HitNetConfig, samples: int) -> NDArray[np.float32]:
    """Sines, then cosines, that start at the onset.

    Returns
    -------
    ndarray of float32, shape (2 * oscillators, samples)
    """
    frequencies = config.tone_hertz
    phase = 2 * np.pi * frequencies[:, None] * np.arange(samples) / SAMPLE_RATE
    return np.concatenate([np.sin(phase), np.cos(phase)]).astype(np.float32)


def synthesise(noise: Tensor, tones: Tensor, burst: Tensor, basis: Tensor, matrix: Tensor) -> Tensor:
    """Sound the parameters of strokes.

    Parameters
    ----------
    noise, tones, burst
        From `HitNet.parameters_of`.
    basis : Tensor, shape (count, bands + 2 * oscillators, HOP)
        Noise bands and oscillators, cut into hops.
    matrix : Tensor, shape (frames, count + 1)
        From `warp`.

    Returns
    -------
    Tensor, shape (batch, count * HOP)
        Audio from the onset on.
    """
    count = basis.shape[0]
    gains = torch.cat([torch.exp(noise @ matrix), tones @ matrix], dim=1).permute(2, 0, 1)
    ramp = torch.arange(HOP, dtype=basis.dtype, device=basis.device) / HOP
    # gains move in straight lines between hops: out = (1 - r) * g0 . basis + r * g1 . basis
    start = torch.bmm(gains[:-1], basis)
    end = torch.bmm(gains[1:], basis)
    audio = (start + (end - start) * ramp).permute(1, 0, 2).reshape(-1, count * HOP)
    length = min(burst.shape[1], audio.shape[1])
    return audio + functional.pad(burst[:, :length], (0, audio.shape[1] - length))

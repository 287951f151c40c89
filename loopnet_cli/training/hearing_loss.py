"""Batches for the transcriber: what happens to a clip between the drums and the microphone, and its targets.

All of it happens to band powers, so that every visit to a clip hears it another way at
next to no cost: other music, noise, equalisers, phones, tuning, level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loopnet_cli.analysis.ear import GROUPS
from loopnet_cli.analysis.spectrogram import BANDS, FLOOR, HIGHEST, HOP, LOWEST, band_powers, loudness_scale
from loopnet_cli.pattern import VOICES
from loopnet_cli.training.clips import Clip

PEAK_WIDTH = 0.8
"""Standard deviation of the target around an onset, in frames: wide enough to find the onset between frames."""
DRUMLESS = 0.12
"""Share of clips without a drum: bass, chords and noise alone hold no hits."""
QUIETEST_NOISE, LOUDEST_NOISE = -85.0, -38.0
"""Powers of a band, dB; where there is no drum, noise alone may be louder."""
LOUDEST_NOISE_ALONE = -22.0
NOISE_FRAMES = 12_000
"""Two minutes to cut noise from."""
AS_RENDERED = 0.35
"""Share of clips that only change their level."""
FAINT, FAINT_WEIGHT = 0.12, 0.3
"""Strokes so soft that they may be inaudible count less."""
Array = NDArray[np.float32]
Rng = np.random.Generator
_CENTRES = np.sqrt(np.geomspace(LOWEST, HIGHEST, BANDS + 1)[:-1] * np.geomspace(LOWEST, HIGHEST, BANDS + 1)[1:])
_OCTAVES = np.log2(_CENTRES / 1000)


class Batch(NamedTuple):
    """Inputs and targets; shapes (batch, windows, bands, frames), then (batch, rows, frames)."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor
    velocities: Tensor
    struck: Tensor


def draw_batch(clips: list[Clip], size: int, frames: int, rng: Rng) -> Batch:
    """Draw clips, cut them, and change how they sound."""
    inputs, labels = [], []
    for index in rng.integers(len(clips), size=size):
        powers, hits = heard_once(clips[int(index)], clips, rng, frames)
        inputs.append(powers)
        labels.append(targets(hits, frames))
    return _stacked(inputs, labels)


def heard_once(clip: Clip, clips: list[Clip], rng: Rng, frames: int | None = None) -> tuple[Array, Array]:
    """Cut a clip, or leave it whole, and change how it sounds.

    Returns
    -------
    powers : ndarray of float32, shape (windows, bands, frames)
        Scaled for the ear.
    hits : ndarray of float32, shape (hits, 3)
        Frame, index of the voice, velocity.
    """
    frames = frames or clip.powers.shape[2]
    first = int(rng.integers(clip.powers.shape[2] - frames + 1))
    powers = 10.0 ** clip.powers[:, :, first : first + frames].astype(np.float32)
    hits = clip.hits
    if without := rng.random() < DRUMLESS:
        powers, hits = np.full_like(powers, FLOOR / 100), hits[:0]
    if without or rng.random() < 0.45:
        other = clip if rng.random() < 0.5 else clips[int(rng.integers(len(clips)))]
        start = first if other is clip else int(rng.integers(clip.powers.shape[2] - frames + 1))
        layer = 10.0 ** other.tonal[:, start : start + frames].astype(np.float32)
        powers = powers + np.float32(10 ** (rng.uniform(-20, 9) / 10)) * layer
    if without and rng.random() < 0.5:
        powers = _noisy(powers, rng, LOUDEST_NOISE_ALONE)
    return loudness_scale(_heard(powers, rng)), hits - np.array([first, 0, 0], np.float32)


def plain_batch(clips: list[Clip]) -> Batch:
    """Return clips whole and as they were rendered, with their tonal layer."""
    inputs, labels = [], []
    for clip in clips:
        powers = 10.0 ** clip.powers.astype(np.float32) + 10.0 ** clip.tonal.astype(np.float32)
        inputs.append(loudness_scale(powers))
        labels.append(targets(clip.hits, clip.powers.shape[2]))
    return _stacked(inputs, labels)


def _stacked(inputs: list[Array], labels: Sequence[tuple[Array, ...]]) -> Batch:
    rows = [torch.from_numpy(np.stack(column)) for column in zip(*labels, strict=True)]
    return Batch(torch.from_numpy(np.stack(inputs)), *rows)


def targets(hits: Array, frames: int) -> tuple[Array, Array, Array, Array]:
    """Draw the targets of a clip.

    Parameters
    ----------
    hits : ndarray of float32, shape (hits, 3)
        Frame, index of the voice, velocity.
    frames : int

    Returns
    -------
    presence, weights : ndarray of float32, shape (voices + groups, frames)
        A bump of height 1 at each onset, and how much each value counts.
    velocities, struck : ndarray of float32, shape (voices, frames)
        The velocity near each onset, and where it is one.
    """
    presence = np.zeros((len(VOICES) + len(GROUPS), frames), np.float32)
    weights = np.ones_like(presence)
    velocities = np.zeros((len(VOICES), frames), np.float32)
    struck = np.zeros_like(velocities)
    for frame, index, velocity in hits:
        low, high = max(0, int(frame) - 3), min(frames, int(frame) + 5)
        if low >= high:
            continue
        voice = int(index)
        bump = np.exp(-0.5 * ((np.arange(low, high) - frame) / PEAK_WIDTH) ** 2).astype(np.float32)
        rows = [voice] + [len(VOICES) + i for i, members in enumerate(GROUPS.values()) if VOICES[voice] in members]
        for row in rows:
            np.maximum(presence[row, low:high], bump, out=presence[row, low:high])
            if velocity < FAINT:
                weights[row, low:high] = FAINT_WEIGHT
        near = bump > 0.4
        velocities[voice, low:high][near] = velocity
        struck[voice, low:high][near] = 1.0
    return presence, weights, velocities, struck


def _heard(powers: Array, rng: Rng) -> Array:
    """Change how a clip sounds: tuning, equaliser, microphone, level, noise; a third keep all but the level."""
    if rng.random() < AS_RENDERED:
        return powers * np.float32(10 ** (-rng.uniform(0, 12) / 10))
    if rng.random() < 0.3:
        shift = int(rng.integers(-3, 4))
        powers = np.concatenate([powers[:, :1]] * max(shift, 0) + [powers] + [powers[:, -1:]] * max(-shift, 0), axis=1)
        powers = powers[:, max(-shift, 0) : max(-shift, 0) + BANDS]
    gain_db = np.zeros(BANDS)
    if rng.random() < 0.6:
        gain_db += rng.normal(0, 1.5) * _OCTAVES
        for _ in range(2):
            gain_db += rng.normal(0, 4) * np.exp(-0.5 * ((_OCTAVES - rng.uniform(-5, 4)) / rng.uniform(0.3, 1.5)) ** 2)
    if rng.random() < 0.15:  # small loudspeakers and phones
        gain_db -= 24 * np.maximum(0, np.log2(rng.uniform(50, 200)) - np.log2(_CENTRES))
    if rng.random() < 0.25:  # lossy coders, old records
        gain_db -= 60 * np.maximum(0, np.log2(_CENTRES) - np.log2(rng.uniform(3500, 16000)))
    gain_db -= rng.uniform(0, 12) if rng.random() < 0.7 else rng.uniform(0, 36)
    powers = powers * (10 ** (gain_db / 10)).astype(np.float32)[:, None]
    if rng.random() < 0.6:
        powers = _noisy(powers, rng, LOUDEST_NOISE)
    return np.maximum(powers, np.float32(FLOOR / 100))


def _noisy(powers: Array, rng: Rng, loudest_db: float) -> Array:
    """Add noise of any colour, steady or swelling."""
    tilt, bend = rng.normal(-1.0, 2.5), rng.normal(0, 0.4)
    shape_db = rng.uniform(QUIETEST_NOISE, loudest_db) + tilt * _OCTAVES + bend * np.square(_OCTAVES)
    frames, hiss = powers.shape[2], white_noise()
    first = int(rng.integers(hiss.shape[2] - frames + 1))
    noise = hiss[:, :, first : first + frames] * (10 ** (shape_db / 10)).astype(np.float32)[:, None]
    if rng.random() < 0.2:
        # wind, breath, traffic
        swell_db = 8 * np.sin(2 * np.pi * (rng.uniform(0.2, 1.5) * np.arange(frames) / 100 + rng.random()))
        noise = noise * (10 ** (swell_db / 10)).astype(np.float32)
    return powers + noise


@cache
def white_noise() -> Array:
    """Measure the band powers of white noise, which fluctuate less the wider a band and the longer a window is.

    Returns
    -------
    ndarray of float32, shape (windows, bands, frames)
        Their mean is 1 in each band of the long window, and as much more in the short one as noise has there.
    """
    reach = 5
    audio = np.random.default_rng(0).standard_normal((NOISE_FRAMES + 2 * reach) * HOP).astype(np.float32)
    powers = band_powers(audio, 0, NOISE_FRAMES + 2 * reach)[:, :, reach:-reach]
    result: Array = powers / powers[0].mean(axis=1)[:, None]
    return result

"""Bars of a data set as batches for the paper's models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data.store import Bars, BarStore
from loopnet_cli.errors import DatasetError
from loopnet_cli.synthesis.paperinputs import audio_rate, frames_of, network_inputs
from loopnet_cli.synthesis.papernet import PaperConfig
from loopnet_cli.training.paper_losses import STFT_UNIT, magnitudes, on_whole_frames

DEVELOPMENT_SHARE = 0.05
"""Of the training loops, kept aside to choose the best epoch: the test bars choose nothing."""
FEWEST = 4


@dataclass(frozen=True)
class Division:
    """Which bars are for what; rows of the data set."""

    training: NDArray[np.int64]
    development: NDArray[np.int64]
    test: NDArray[np.int64]


def divide(store: BarStore, seed: int) -> Division:
    """Part the training loops into those that teach and those that choose the epoch.

    Raises
    ------
    DatasetError
        If there are too few training bars.
    """
    rows = store.indices("train")
    if len(rows) < FEWEST:
        raise DatasetError(f"{store.path}: {len(rows)} training bars are too few: at least {FEWEST} are needed")
    loops = store.loop_of(rows)
    names = np.random.default_rng(seed).permutation(np.unique(loops))
    if len(names) < 2:
        # one loop: its last bars
        aside = np.arange(len(rows)) >= len(rows) - max(1, round(DEVELOPMENT_SHARE * len(rows)))
    else:
        aside = np.isin(loops, names[: max(1, round(DEVELOPMENT_SHARE * len(names)))])
    return Division(rows[~aside], rows[aside], store.indices("test"))


def measured_range(store: BarStore, rows: NDArray[np.int64]) -> Normalisation:
    """Take 0 and 1 of every timbre feature from training bars: their 5th and 95th percentile.

    A feature that does not vary would have an empty range; it gets one of a point.
    """
    points = store.features("timbre", rows).astype(np.float64)
    spread = np.percentile(points, 95, axis=0) - np.percentile(points, 5, axis=0)
    flat = spread < 1e-3
    ramp = np.linspace(-0.5, 0.5, len(points))[:, None]
    return Normalisation.from_percentiles(np.where(flat, points.mean(axis=0) + ramp / 0.9, points))


def unit_timbre(points: NDArray[np.float32], ranges: Normalisation) -> NDArray[np.float32]:
    """Turn points, shape (n, 21), into unit values by name; what lies far outside is held."""
    low = np.array([ranges.low[name] for name in TIMBRE_NAMES], np.float32)
    high = np.array([ranges.high[name] for name in TIMBRE_NAMES], np.float32)
    return np.clip((points - low) / (high - low), -1.0, 2.0).astype(np.float32)


def inputs_of(config: PaperConfig, bars: Bars, ranges: Normalisation, rng: np.random.Generator) -> Tensor:
    """Return the input channels of bars, shape (n, inputs, time)."""
    return torch.from_numpy(
        network_inputs(
            config,
            activations=audio_rate(bars.activations, bars.audio.shape[1]),
            envelope=bars.envelope if config.has_envelope else None,
            chroma=bars.chroma,
            timbre=unit_timbre(bars.timbre, ranges),
            rng=rng,
        )
    )


def wanted_of(config: PaperConfig, bars: Bars) -> Tensor:
    """Return what the model should answer: samples (n, time), or magnitudes (n, 513, frames)."""
    audio = torch.from_numpy(np.ascontiguousarray(bars.audio, np.float32))
    if not config.is_spectral:
        return audio
    return magnitudes(on_whole_frames(audio, frames_of(audio.shape[1]))) / STFT_UNIT

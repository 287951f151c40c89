"""What bars are turned into before a Fréchet distance is taken: VGGish, YAMNet, and log-mel frames at 44.1 kHz.

A bar is a circle here. Patches of the networks begin at points spread evenly around it and run over its seam, so that
all of it is heard, whatever its length. The log-mel embedding needs no weights and hears what the networks
do not, 8 to 20 kHz: every frame of a mel spectrogram (`loopnet_cli/evaluation/distances.py`: 64 bands, 30 Hz to
20 kHz, FFT 2048, hop 512) in dB, floored at so many dB under the bar's loudest band and frame. It is called
"log-mel, 44.1 kHz", and compares which spectra sound and how they vary together, not in what order.

Why frames: 170 rendered bars were compared with 170 others (the floor), and with themselves smeared in time
(phases of short frames drawn at random), low-passed at 8 kHz, and played on other kits. Against the floor, smearing
counts 2.2 times with frames, 1.2 with mean and standard deviation over a bar, 1.2 with patches of 20 frames by 16
bands on 64 axes; other kits 2.2, 1.6 and 1.4; the low-pass 13, 7.6 and 7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.evaluation import embedding as yamnet
from loopnet_cli.evaluation import vggish
from loopnet_cli.evaluation.distances import mel_power

LOG_MEL = "logmel"
FULL_RATE, LOW_RATE = 44100, 16000
FLOOR_DB = -60.0
QUIETEST = 1e-6
"""Power under which nothing is told apart, so that silence has a level."""
YAMNET_AXES = 64
EXAMPLES_PER_AXIS = 4
"""The reference has so many embeddings for each dimension, or it is projected on fewer axes."""

Embeddings = NDArray[np.float32]


@dataclass(frozen=True)
class Embedding:
    """One way to turn a bar into vectors.

    Attributes
    ----------
    name, title : str
        For options and files, and for tables.
    sample_rate : int
        What it listens at.
    dimension : int
        Numbers in a vector.
    axes : int or None
        On how many principal axes of the reference distances are taken; None for as many as there are dimensions.
    embed : callable
        From a bar at `sample_rate` to vectors, shape (patches, dimension).
    """

    name: str
    title: str
    sample_rate: int
    dimension: int
    axes: int | None
    embed: Callable[[NDArray[np.float32]], Embeddings]

    def of(self, audio: NDArray[np.float32], sample_rate: int) -> Embeddings:
        """Embed a bar of any sample rate: it is resampled on its circle."""
        return self.embed(at_rate(audio, sample_rate, self.sample_rate))

    def axes_for(self, count: int) -> int | None:
        """Return how many axes to project on where the smallest set has `count` vectors; None for none."""
        most = min(self.axes or self.dimension, max(1, count // EXAMPLES_PER_AXIS))
        return None if most == self.dimension else most


def at_rate(audio: NDArray[np.float32], sample_rate: int, wanted: int) -> NDArray[np.float32]:
    """Return a loop at another sample rate."""
    return resample_circular(audio, max(1, round(len(audio) * wanted / sample_rate)))


def around(audio: NDArray[np.float32], length: int, apart: float) -> NDArray[np.float32]:
    """Cut pieces out of a circle that begin about `apart` samples from each other, evenly spread; (pieces, length)."""
    count = max(1, round(len(audio) / apart))
    starts = np.round(np.arange(count) * len(audio) / count).astype(np.int64)
    pieces: NDArray[np.float32] = audio[(starts[:, None] + np.arange(length)) % len(audio)]
    return pieces


def log_mel_frames(audio: NDArray[np.float32]) -> Embeddings:
    """Return a loop's log-mel spectrogram in dB, shape (frames, 64)."""
    power = mel_power(audio)
    floor = max(float(power.max()) * 10 ** (FLOOR_DB / 10), QUIETEST)
    levels: Embeddings = (10 * np.log10(np.maximum(power, floor))).astype(np.float32)
    return levels


def log_mel() -> Embedding:
    """Return the embedding that needs no weights."""
    return Embedding(LOG_MEL, "Fréchet log-mel, 44.1 kHz (dB²)", FULL_RATE, 64, None, log_mel_frames)


def yamnet_embedding(path: Path) -> Embedding:
    """Return YAMNet with weights from a file; its 1024 numbers are too many for most N, so 64 axes are taken.

    Raises
    ------
    WeightsError
        If the file is not YAMNet.
    """
    model = yamnet.Embedder(path)

    def embed(audio: NDArray[np.float32]) -> Embeddings:
        pieces = around(audio, yamnet.PATCH_SAMPLES, yamnet.PATCH_SAMPLES / 2)
        return model.embed(np.stack([model.log_mel(piece) for piece in pieces]))

    return Embedding("yamnet", "YAMNet, 16 kHz", yamnet.SAMPLE_RATE, yamnet.SIZE, YAMNET_AXES, embed)


def vggish_embedding(path: Path) -> Embedding:
    """Return VGGish with weights from a file, all 128 numbers.

    Raises
    ------
    WeightsError
        If the file does not hold its weights.
    """
    model = vggish.VGGish(path)

    def embed(audio: NDArray[np.float32]) -> Embeddings:
        pieces = around(audio, vggish.EXAMPLE_SAMPLES, vggish.EXAMPLE_FRAMES * vggish.HOP)
        return model.embed(np.stack([vggish.log_mel(piece) for piece in pieces]))

    return Embedding("vggish", "VGGish FAD, 16 kHz", vggish.SAMPLE_RATE, vggish.SIZE, None, embed)


def all_embeddings(yamnet_weights: Path | None, vggish_weights: Path | None) -> dict[str, Embedding]:
    """Return the embeddings that there are weights for, by name, in the order of tables.

    Raises
    ------
    WeightsError
        If a file does not hold what it should.
    """
    found = [] if vggish_weights is None else [vggish_embedding(vggish_weights)]
    found += [] if yamnet_weights is None else [yamnet_embedding(yamnet_weights)]
    return {each.name: each for each in [*found, log_mel()]}


def same_patches(parts: list[Embeddings]) -> Embeddings:
    """Stack the embeddings of bars, shape (bars, patches, dimension); bars of one length have as many patches."""
    counts = {len(part) for part in parts}
    if len(counts) == 1:
        return np.stack(parts)
    # files of a folder may differ: each counts the same, its patches spread over as many as the longest has
    most = max(counts)
    return np.stack([part[np.arange(most) * len(part) // most] for part in parts])


def embed_bars(
    bars: list[NDArray[np.float32]], sample_rate: int, embeddings: Mapping[str, Embedding]
) -> dict[str, Embeddings]:
    """Embed bars of one sample rate with each embedding; arrays of shape (bars, patches, dimension)."""
    return {
        name: same_patches([each.of(np.asarray(bar, np.float32), sample_rate) for bar in bars])
        for name, each in embeddings.items()
    }

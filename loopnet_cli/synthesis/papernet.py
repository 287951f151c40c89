"""The paper's five models: names, sizes and inputs, shared by training (torch) and rendering (numpy).

A Wave-U-Net (Stoller et al., 2018) as LoopNet (Chandna et al., ICASSP 2021) uses it. Time is a circle here:
every convolution wraps, so that a bar has no seam, and any whole number of bars goes through in one piece.
Inputs are found by name, never by position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAPER_RATE = 16000
"""Hz."""
PAPER_TEMPO = 130.0
"""Beats a minute."""
PAPER_SAMPLES = 29538
"""A bar of 4/4."""
PAPER_MODELS: tuple[str, ...] = ("stft", "wav", "wavspec", "multi", "multi-noenv")
VARIANTS: dict[str, int] = {"text": 3, "code": 2}
"""After how many layers the filters double: as the paper says, and as its published code does."""
LAYERS, TAPS, FIRST_FILTERS = 10, 5, 32
FFT_SIZE, HOP = 1024, 512
"""Of the STFT model, and of the spectral loss of WAVSPEC."""
BINS = FFT_SIZE // 2 + 1
BAR_FRAMES = round(PAPER_SAMPLES / HOP)
"""Frames of a bar for the STFT model: its circle is resampled to this many whole hops."""

NOISE, ENVELOPE = "noise", "envelope"
CURVES: tuple[str, ...] = ("kick", "snare", "hat")
CHROMA_INPUTS: tuple[str, ...] = tuple(f"chroma.{name}" for name in PITCH_CLASSES)


@dataclass(frozen=True)
class PaperConfig:
    """Which of the five models, and its sizes.

    Attributes
    ----------
    model : str
        One of `PAPER_MODELS`.
    variant : str
        ``text``: filters double every third layer; ``code``: every second one.
    noise : bool
        Whether a channel of white noise is among the inputs. The paper has none, and smooths hats and snares
        into averages; without it the network is the paper's to the parameter.
    layers, first_filters : int
        The paper's by default; smaller in tests.

    Raises
    ------
    UsageError
        If there is no such model or variant, or a size is out of range.
    """

    model: str
    variant: str = "text"
    noise: bool = True
    layers: int = LAYERS
    first_filters: int = FIRST_FILTERS

    def __post_init__(self) -> None:
        """Check what was asked."""
        if self.model not in PAPER_MODELS:
            raise UsageError(f"no paper model {self.model!r}: use {', '.join(PAPER_MODELS)}")
        if self.variant not in VARIANTS:
            raise UsageError(f"no variant {self.variant!r}: use {' or '.join(VARIANTS)}")
        if not 1 <= self.layers <= 12 or not 1 <= self.first_filters <= 64:
            raise UsageError(f"a network of {self.layers} layers and {self.first_filters} filters is out of range")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the input channels, in their order."""
        noise = (NOISE,) if self.noise else ()
        envelope = (ENVELOPE,) if self.has_envelope else ()
        return (*noise, *envelope, *CURVES, *CHROMA_INPUTS, *TIMBRE_NAMES)

    @property
    def has_envelope(self) -> bool:
        """Whether the amplitude envelope is among the inputs."""
        return self.model != "multi-noenv"

    @property
    def is_spectral(self) -> bool:
        """Whether the network works on frames and gives magnitudes."""
        return self.model == "stft"

    @property
    def filters(self) -> tuple[int, ...]:
        """Channels of each encoder layer."""
        every = VARIANTS[self.variant]
        return tuple(self.first_filters * 2 ** (layer // every) for layer in range(self.layers))

    @property
    def outputs(self) -> int:
        """Channels of the result: samples, or magnitudes of a frame."""
        return BINS if self.is_spectral else 1

    @property
    def decoder_channels(self) -> tuple[tuple[int, int, int], ...]:
        """Of each decoder layer, the shallowest first: channels from below, of the skip, and out."""
        filters = self.filters
        out = (self.first_filters, *filters[:-1])
        skips = (len(self.inputs), *filters[:-1])
        below = (*out[1:], filters[-1])
        return tuple(zip(below, skips, out, strict=True))


def to_frames(curves: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Bring audio-rate curves to the frames of the STFT model, on the circle.

    Each frame holds the mean under the Hann window that the frame's magnitudes are seen through, so that
    where an onset lies between two frames can be told from both.

    Parameters
    ----------
    curves : ndarray of float32, shape (..., samples)
        One turn of the circle.
    frames : int

    Returns
    -------
    ndarray of float32, shape (..., frames)
    """
    samples = curves.shape[-1]
    width = 2 * max(1, round(samples / frames))
    window = np.hanning(width + 1)[:-1].astype(np.float32)
    window /= window.sum()
    starts = np.round(np.arange(frames) * samples / frames).astype(np.int64) - width // 2
    wrapped = np.concatenate([curves[..., -width:], curves, curves[..., :width]], axis=-1)
    views = np.lib.stride_tricks.sliding_window_view(wrapped, width, axis=-1)[..., starts + width, :]
    means: NDArray[np.float32] = np.ascontiguousarray(views @ window)
    return means

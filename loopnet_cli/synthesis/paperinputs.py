"""From controls to the input channels of a paper model; the same lines for training and for rendering."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import FRAME_RATE, at_audio_rate
from loopnet_cli.errors import UsageError
from loopnet_cli.synthesis.papernet import BAR_FRAMES, PAPER_RATE, PAPER_SAMPLES, PaperConfig, to_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray


def frames_of(samples: int) -> int:
    """Return how many frames the STFT model has for a loop of this many samples at 16 kHz."""
    return max(1, round(samples * BAR_FRAMES / PAPER_SAMPLES))


def audio_rate(activations: NDArray[np.float32], samples: int = PAPER_SAMPLES) -> NDArray[np.float32]:
    """Bring frame curves of bars, shape (n, frames, 3), to samples at 16 kHz by the paper's spline.

    The last frame lies before the bar's end: one more, from its beginning, leads the spline around.
    """
    count, frames, columns = activations.shape
    past = min(max(frames - samples / PAPER_RATE * FRAME_RATE, 0.0), 1.0)
    around = (1 - past) * activations[:, :1] + past * activations[:, 1 % frames : 1 % frames + 1]
    longer = np.concatenate([activations, around], axis=1)
    side_by_side = np.moveaxis(longer, 0, 1).reshape(frames + 1, count * columns)
    curves = at_audio_rate(side_by_side, samples, PAPER_RATE)
    return np.moveaxis(curves.reshape(samples, count, columns), 1, 0)


def network_inputs(
    config: PaperConfig,
    *,
    activations: NDArray[np.float32],
    envelope: NDArray[np.float32] | None,
    chroma: NDArray[np.float32],
    timbre: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Put the input channels together, in the order of ``config.inputs``.

    Parameters
    ----------
    config : PaperConfig
    activations : ndarray of float32, shape (batch, samples, 3)
        Kick, snare and hat at 16 kHz, 0..1.
    envelope : ndarray of float32, shape (batch, samples), or None
        Only where ``config.has_envelope``.
    chroma : ndarray of float32, shape (batch, 12)
        C first, 0..1.
    timbre : ndarray of float32, shape (batch, 21)
        Unit values: 0 and 1 are the 5th and 95th percentile of the bars the model was trained on.
    rng : Generator
        What the noise channel is drawn from, if there is one.

    Returns
    -------
    ndarray of float32, shape (batch, inputs, time)
        Time is samples, for the STFT model frames. Global features are the same at all times.

    Raises
    ------
    UsageError
        If the model wants an envelope and there is none.
    """
    curves = varying_inputs(config, activations=activations, envelope=envelope, rng=rng)
    batch, count, time = curves.shape
    inputs = np.empty((batch, len(config.inputs), time), np.float32)
    inputs[:, :count] = curves
    inputs[:, count:] = np.concatenate([chroma, timbre], axis=1)[:, :, None]
    return inputs


def varying_inputs(
    config: PaperConfig,
    *,
    activations: NDArray[np.float32],
    envelope: NDArray[np.float32] | None,
    rng: np.random.Generator,
    bars: int = 1,
) -> NDArray[np.float32]:
    """Put those input channels together that vary over time: the first of ``config.inputs``.

    Parameters
    ----------
    config, activations, envelope, rng
        As for `network_inputs`.
    bars : int
        Of how many equal bars each is; for the STFT model each has its own whole number of frames.

    Returns
    -------
    ndarray of float32, shape (batch, inputs but the 33 global ones, time)
    """
    curves = np.moveaxis(np.asarray(activations, np.float32), 2, 1)
    if config.has_envelope:
        if envelope is None:
            raise UsageError(f"model {config.model} needs an envelope")
        curves = np.concatenate([np.asarray(envelope, np.float32)[:, None], curves], axis=1)
    if config.is_spectral:
        curves = to_frames(curves, bars * frames_of(curves.shape[2] // bars))
    if config.noise:
        noise = rng.standard_normal((len(curves), 1, curves.shape[2]), np.float32)
        curves = np.concatenate([noise, curves], axis=1)
    return curves

"""What was heard in a recording: hits in seconds, and the activations they were picked from.

Conventions
-----------
Times are seconds from the start of the recording. The paper's three activations are
groups: ``snare`` holds clap and rim, ``hat`` the closed and the open one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loopnet_cli.pattern.model import STEM_OF_VOICE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ACTIVATIONS: tuple[str, ...] = ("kick", "snare", "hat")
"""The paper's time-varying features, in the order of the columns of `Transcription.activations`."""
FRAME_RATE = 100.0
"""Frames a second of every activation."""


@dataclass(frozen=True, slots=True, order=True)
class HeardHit:
    """One stroke that was heard.

    Attributes
    ----------
    seconds : float
        When it was struck, from the start of the recording.
    voice : str
        One of `loopnet_cli.pattern.VOICES`.
    velocity : float
        Estimated strength, above 0 and up to 1.
    confidence : float
        The activation at its peak, 0..1.
    """

    seconds: float
    voice: str
    velocity: float
    confidence: float = 1.0

    @property
    def group(self) -> str:
        """The stem that the voice sounds in: kick, snare, hat or rest."""
        return STEM_OF_VOICE[self.voice]


@dataclass(frozen=True)
class Transcription:
    """The rhythm of a recording.

    Attributes
    ----------
    hits : tuple of HeardHit
        Sorted by time.
    activations : ndarray of float32, shape (frames, 3)
        How present kick, snare and hat are, 0..1, not scaled to the recording: where nothing
        is struck they stay near 0. Frame ``n`` lies at ``n / FRAME_RATE`` seconds.
    voices : ndarray of float32, shape (frames, 10)
        The same for each of `loopnet_cli.pattern.VOICES`.
    seconds : float
        Length of the recording.
    """

    hits: tuple[HeardHit, ...]
    activations: NDArray[np.float32]
    voices: NDArray[np.float32]
    seconds: float

    def activation(self, name: str) -> NDArray[np.float32]:
        """Return one of `ACTIVATIONS`, shape (frames,)."""
        column: NDArray[np.float32] = self.activations[:, ACTIVATIONS.index(name)]
        return column

    def between(self, start: float, end: float) -> Transcription:
        """Return what was heard from `start` to `end` seconds, times counted from `start`."""
        first, last = round(start * FRAME_RATE), round(end * FRAME_RATE)
        hits = tuple(
            HeardHit(h.seconds - start, h.voice, h.velocity, h.confidence)
            for h in self.hits
            if start <= h.seconds < end
        )
        return Transcription(hits, self.activations[first:last], self.voices[first:last], end - start)


def at_audio_rate(activations: NDArray[np.float32], samples: int, sample_rate: int) -> NDArray[np.float32]:
    """Interpolate activations to audio rate by a cubic spline, as the paper does.

    Parameters
    ----------
    activations : ndarray of float32, shape (frames, columns)
        At `FRAME_RATE`.
    samples : int
        Length of the result.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (samples, columns)
        0..1: overshoot of the spline is cut off.
    """
    import numpy as np
    from scipy.interpolate import CubicSpline

    frames = len(activations)
    if frames < 2:
        return np.broadcast_to(activations[:1], (samples, activations.shape[1])).astype(np.float32)
    times = np.minimum(np.arange(samples) / sample_rate, (frames - 1) / FRAME_RATE)
    spline = CubicSpline(np.arange(frames) / FRAME_RATE, activations)
    curves: NDArray[np.float32] = np.clip(spline(times), 0.0, 1.0).astype(np.float32)
    return curves

"""The time-varying inputs of the paper's models: activations of a pattern, and an envelope where none was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE
from loopnet_cli.dynamics import velocity_gain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.pattern.model import Pattern

BUMP_FRAMES = 0.8
"""Standard deviation of an activation around its onset, in frames: what the transcriber is taught to answer."""
RISE_SECONDS = 0.003
FALL_SECONDS = {
    "kick": 0.16, "snare": 0.13, "clap": 0.12, "rim": 0.05, "hat_closed": 0.05, "hat_open": 0.2,
    "tom": 0.2, "crash": 0.5, "ride": 0.3, "perc": 0.12,
}  # fmt: skip
"""Typical decay of a voice as the follower of `analysis.envelope` sees it."""
LEVELS = {
    "kick": 0.8, "snare": 0.64, "clap": 0.5, "rim": 0.4, "hat_closed": 0.3, "hat_open": 0.3,
    "tom": 0.56, "crash": 0.4, "ride": 0.3, "perc": 0.4,
}  # fmt: skip
"""Typical peak of a voice in a mix, linear."""
FLOOR = 1e-4


def frame_count(seconds: float) -> int:
    """Return how many activation frames cover a loop of this length."""
    return max(1, int(np.ceil(seconds * FRAME_RATE - 1e-6)))


def pattern_activations(pattern: Pattern, frames: int | None = None) -> NDArray[np.float32]:
    """Draw the activations that an ideal transcriber would give, with velocities.

    Parameters
    ----------
    pattern : Pattern
        At its own tempo. Voices of the stem ``rest`` are in none of the paper's activations.
    frames : int, optional
        How many frames; by default enough to cover the loop.

    Returns
    -------
    ndarray of float32, shape (frames, 3)
        Columns as in `loopnet_cli.analysis.transcription.ACTIVATIONS`: a bump at each onset as high as its
        velocity, 0 where nothing is struck. Frame ``n`` lies at ``n / FRAME_RATE`` seconds; time is a circle.
    """
    total = pattern.seconds
    count = frame_count(total) if frames is None else frames
    times = np.arange(count) / FRAME_RATE
    curves = np.zeros((count, len(ACTIVATIONS)), np.float32)
    for name, column in zip(ACTIVATIONS, curves.T, strict=True):
        for hit in pattern.only([name]).hits:
            away = times - hit.beat / pattern.beats * total
            away -= total * np.round(away / total)
            bump = hit.velocity * np.exp(-0.5 * (away * FRAME_RATE / BUMP_FRAMES) ** 2)
            np.maximum(column, bump, out=column)
    return curves


def pattern_envelope(pattern: Pattern, samples: int, sample_rate: int) -> NDArray[np.float32]:
    """Draw the envelope that drums of ordinary level and length would have.

    Parameters
    ----------
    pattern : Pattern
        At its own tempo.
    samples : int
        Length of the loop.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of float32, shape (samples,)
        0..1, on the circle: every stroke rises at once and falls exponentially, the loudest is heard.
    """
    curve = np.zeros(samples, np.float32)
    rise = max(1, round(RISE_SECONDS * sample_rate))
    for hit in pattern.hits:
        peak, fall = LEVELS[hit.voice] * velocity_gain(hit.velocity), FALL_SECONDS[hit.voice] * sample_rate
        length = max(rise, int(fall * np.log(max(peak, FLOOR) / FLOOR)))
        stroke = np.full(length, peak, np.float32) * np.exp(-np.arange(length) / fall).astype(np.float32)
        stroke[:rise] *= np.linspace(0, 1, rise, endpoint=False, dtype=np.float32)
        start = round(hit.beat / pattern.beats * samples)
        for first in range(0, length, samples):
            piece = stroke[first : first + samples]
            places = np.arange(start, start + len(piece)) % samples
            curve[places] = np.maximum(curve[places], piece)
    return curve

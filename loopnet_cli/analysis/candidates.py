"""Moments at which something may have been struck: what the ear says of each, and what can be seen there.

Nearly every stroke lies near a moment at which some activation of the ear peaks, if only faintly. There are
some thirty such moments in five seconds against five hundred frames, so that each can be compared with all others
(`loopnet_cli.analysis.judge`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.ear import GROUPS
from loopnet_cli.analysis.spectrogram import BANDS
from loopnet_cli.pattern.model import VOICES

LEAST = 0.02
"""Activation from which a peak is a candidate."""
GAP = 2
"""Frames around a candidate in which no activation is higher."""
NEAR = 3
"""Frames around a candidate within which each activation's own peak is sought."""
SURE = 0.05
"""Activation from which such a peak says when its voice was struck."""
LONG_AT, SHORT_AT = (-4, -1, 1, 4, 8, 14), (-2, -1, 0, 1, 2, 4)
"""Frames from the candidate whose band powers are looked at: through the long and through the short window."""
ROWS = len(VOICES) + len(GROUPS)
PICTURE = (len(LONG_AT) + len(SHORT_AT)) * BANDS
FURTHEST = 12.0
"""Logits are cut off here."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Candidates:
    """Moments at which something may have been struck, in order.

    Attributes
    ----------
    frames : ndarray of int, shape (candidates,)
    hidden : ndarray of float32, shape (candidates, width of the ear)
        What the ear derives its activations from.
    logits : ndarray of float32, shape (candidates, voices + groups + voices)
        Of activations and velocities at the frame.
    picture : ndarray of float32, shape (candidates, `PICTURE`)
        Band powers around the frame, scaled as the ear hears them.
    places : ndarray of float32, shape (candidates, `ROWS`)
        Frames from the candidate to each activation's own peak; 0 where it has none.
    values : ndarray of float32, shape (candidates, `ROWS`)
        Highest value of each activation within `NEAR` frames.
    """

    frames: NDArray[np.int64]
    hidden: Array
    logits: Array
    picture: Array
    places: Array
    values: Array


def find_candidates(x: Array, hidden: Array, logits: Array) -> Candidates:
    """Find the moments at which something may have been struck.

    Parameters
    ----------
    x : ndarray of float32, shape (windows, bands, frames)
        What the ear was given.
    hidden : ndarray of float32, shape (width, frames)
    logits : ndarray of float32, shape (voices + groups + voices, frames)
        What it made of it.

    Returns
    -------
    Candidates
    """
    logits = np.clip(logits, -FURTHEST, FURTHEST)
    activations: Array = np.reciprocal(1 + np.exp(-logits[:ROWS]))
    strongest = activations.max(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(strongest, GAP), 2 * GAP + 1)
    # the first of equals
    is_peak = (strongest >= LEAST) & (strongest >= windows.max(axis=1)) & (strongest > windows[:, :GAP].max(axis=1))
    frames = np.flatnonzero(is_peak)
    last = x.shape[2] - 1
    seen = [x[window][:, np.clip(frames + at, 0, last)] for window, ats in enumerate((LONG_AT, SHORT_AT)) for at in ats]
    picture = np.stack(seen).transpose(2, 0, 1).reshape(len(frames), PICTURE)
    places, values = _own_peaks(activations, frames)
    return Candidates(frames, hidden[:, frames].T, logits[:, frames].T, picture, places, values)


def _own_peaks(activations: Array, frames: NDArray[np.int64]) -> tuple[Array, Array]:
    """Find where each activation peaks near each candidate, between frames, and how high."""
    last = activations.shape[1] - 1
    around = np.clip(frames[:, None] + np.arange(-NEAR, NEAR + 1), 0, last)
    near = activations[:, around]
    values = near.max(axis=2)
    peaks = np.take_along_axis(np.broadcast_to(around, near.shape), near.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    rows = np.arange(len(activations))[:, None]
    left, middle, right = (
        np.log(np.maximum(activations[rows, np.clip(peaks + step, 0, last)], 1e-4)) for step in (-1, 0, 1)
    )
    bend = left - 2 * middle + right
    is_peak = (values >= SURE) & (bend < -1e-6) & (middle >= left) & (middle >= right)
    shift = 0.5 * (left - right) / np.where(is_peak, bend, -1.0)
    places = np.where(is_peak, peaks - frames + np.clip(shift, -0.5, 0.5), 0.0)
    return places.T.astype(np.float32), values.T.astype(np.float32)

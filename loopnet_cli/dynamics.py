"""How hits of one kit relate: velocity to level, and which voice cuts which. Shared by renderer and model."""

from __future__ import annotations

from collections.abc import Sequence

from loopnet_cli.pattern import Hit

VELOCITY_EXPONENT = 1.5
"""Peak amplitude is velocity to this power: between linear and the GM recommendation (2)."""

CHOKES: dict[str, tuple[str, ...]] = {"hat_open": ("hat_closed", "hat_open")}
"""Voices that stop a sounding voice, as a closing hi-hat stops the open one."""

CHOKE_SECONDS = 0.015
"""Time for a choked sound to fall to silence."""


def velocity_gain(velocity: float) -> float:
    """Peak amplitude of a hit relative to full velocity.

    Parameters
    ----------
    velocity : float
        0..1.

    Returns
    -------
    float
        0..1.
    """
    return float(velocity**VELOCITY_EXPONENT)


def choke_lengths(hits: Sequence[Hit], onsets: Sequence[int], total: int) -> list[int | None]:
    """Find how long each hit sounds before another one cuts it.

    Parameters
    ----------
    hits : sequence of Hit
        The hits of a loop.
    onsets : sequence of int
        Their sample positions, in ``[0, total)``.
    total : int
        Length of the loop in samples; time is a circle.

    Returns
    -------
    list of int or None
        Samples from the hit to the one that chokes it; None where nothing does.
    """
    lengths: list[int | None] = []
    for hit, onset in zip(hits, onsets, strict=True):
        cutters = CHOKES.get(hit.voice, ())
        gaps = [
            (other_onset - onset) % total or total
            for other, other_onset in zip(hits, onsets, strict=True)
            if other.voice in cutters and other is not hit and other_onset != onset
        ]
        lengths.append(min(gaps, default=None))
    return lengths

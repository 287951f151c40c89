"""One recording's rhythm in another one's sound, by the paper's models: their own way of transfer.

The rhythm gives its activations as the ear heard them, unsmoothed and unpicked, and its envelope; the sound gives
21 features and 12 pitch classes, nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import FRAME_RATE
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.controls import TIMBRE_NAMES, Kit
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.synthesis.kit_mix import check_amount
from loopnet_cli.synthesis.paperloop import Curves, paper_samples
from loopnet_cli.synthesis.papernet import PAPER_RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.hearing import Heard
    from loopnet_cli.analysis.normalise import Normalisation

    Array = NDArray[np.float32]

HEARD_PEAK = 0.7
"""Level that a recording's envelope is brought to: about the mean peak of a training bar."""
WRAPPED_FRAMES = 8
"""Frames that the spline sees beyond the seam."""


def heard_kit(name: str, points: Mapping[str, float], chroma: Sequence[float], units: Normalisation) -> Kit:
    """Return what a recording sounds like as the paper knows it: a kit of features and chroma, with no codes.

    Parameters
    ----------
    name : str
    points : Mapping from feature name to float
        AudioCommons points.
    chroma : sequence of 12 float
    units : Normalisation
        What kits count their features in.
    """
    timbre = units.to_unit({feature: points[feature] for feature in TIMBRE_NAMES})
    return Kit(name, f"features of {name}", {}, {}, timbre, tuple(float(value) for value in chroma))


def blended_features(a: Kit, b: Kit, amount: float) -> Kit:
    """Return the features and the chroma that lie so far on the way from one kit to another.

    Raises
    ------
    UsageError
        If `amount` lies outside 0..1.
    """
    check_amount(amount)
    if amount in (0.0, 1.0):
        return b if amount else a
    return Kit(
        f"{a.name}+{b.name}",
        f"{1 - amount:.0%} {a.name}, {amount:.0%} {b.name}",
        {},
        {},
        {name: (1 - amount) * a.timbre[name] + amount * b.timbre[name] for name in TIMBRE_NAMES},
        tuple((1 - amount) * x + amount * y for x, y in zip(a.chroma, b.chroma, strict=True)),
    )


def heard_curves(heard: Heard, bars: int) -> Curves:
    """Bring what was heard in a recording to 130 BPM.

    Parameters
    ----------
    heard : Heard
        The recording's bars.
    bars : int
        How many are wanted: the first ones, or all of them repeated.
    """
    section = heard.section
    one_turn = Pattern((), section.bars, section.meter, section.tempo)
    samples = paper_samples(Pattern((), bars, section.meter, section.tempo))
    # where each sample lies in the recording's section, 0..1
    places = np.arange(samples) / samples * bars / section.bars % 1.0
    activations = _spline(heard.transcription.activations, section.end - section.start, places)
    return Curves(activations, _envelope(heard.audio, paper_samples(one_turn), places))


def _spline(frames: Array, seconds: float, places: NDArray[np.float64]) -> Array:
    """Evaluate activations anywhere on their circle, by the paper's cubic spline."""
    from scipy.interpolate import CubicSpline

    times = np.arange(len(frames)) / FRAME_RATE
    # a last frame on the seam says the same as the first one
    whole = max(1, int(np.count_nonzero(times < seconds - 0.5 / FRAME_RATE)))
    numbers = np.arange(-WRAPPED_FRAMES, whole + WRAPPED_FRAMES)
    turns, index = np.divmod(numbers, whole)
    spline = CubicSpline(times[index] + turns * seconds, frames[index])
    curves: Array = np.clip(spline(places * seconds), 0.0, 1.0).astype(np.float32)
    return curves


def _envelope(audio: Array, samples: int, places: NDArray[np.float64]) -> Array:
    """Follow a recording at the speed of 130 BPM: what the follower's time constants are for."""
    from loopnet_cli.analysis.envelope import envelope

    turn = resample_circular(audio, samples)
    peak = float(np.abs(turn).max(initial=0.0))
    if peak > 0:
        turn = turn * np.float32(HEARD_PEAK / peak)
    curve: Array = envelope(turn, PAPER_RATE)[np.round(places * samples).astype(np.int64) % samples]
    return curve

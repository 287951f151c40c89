"""How a loop shall sound: knobs, chroma, kits; and the `Loop` that comes out. No heavy imports here.

A timbre feature is named ``band.attribute``, e.g. ``low.boominess``; it is never
addressed by position outside this module. Knob values run from 0 to 1, where 0
and 1 are the 5th and 95th percentile of the training set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ATTRIBUTES: tuple[str, ...] = (
    "hardness", "depth", "brightness", "roughness", "boominess", "warmth", "sharpness",
)  # fmt: skip
BANDS: tuple[str, ...] = ("low", "mid", "high")
TIMBRE_NAMES: tuple[str, ...] = tuple(f"{band}.{attribute}" for band in BANDS for attribute in ATTRIBUTES)
"""The 21 timbre features, in the order used inside weights files."""

PITCH_CLASSES: tuple[str, ...] = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""The 12 bins of a chroma, C first."""


@dataclass(frozen=True, slots=True)
class Knob:
    """A setting of one timbre feature.

    Attributes
    ----------
    value : float
        0..1 if absolute, -1..1 if relative.
    relative : bool
        Whether `value` is added to what the kit has by itself.
    """

    value: float
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """A named sound.

    Attributes
    ----------
    name : str
        How it is addressed (``--kit NAME``): lower case words joined by hyphens.
    description : str
        One line on how it sounds.
    codes : Mapping from voice to tuple of float
        The learned timbre code of each voice; all ten voices are present.
    levels : Mapping from voice to float
        Peak level of each voice at full velocity, linear.
    timbre : Mapping from feature name to float
        The 21 features, 0..1, measured on a reference pattern.
    chroma : tuple of float
        The 12 pitch classes, 0..1, measured on a reference pattern.
    shift : Mapping from feature name to float
        How far its knobs are turned: added to what its codes sound like in a pattern, before any knob of the
        user's. Empty for kits that sound as their codes do.
    """

    name: str
    description: str
    codes: Mapping[str, tuple[float, ...]]
    levels: Mapping[str, float]
    timbre: Mapping[str, float]
    chroma: tuple[float, ...]
    shift: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Loop:
    """Audio that repeats without a seam.

    Attributes
    ----------
    audio : ndarray of float32, shape (samples,)
        The sum of the stems.
    stems : Mapping from stem name to ndarray of float32, shape (samples,)
        ``kick``, ``snare``, ``hat``, ``rest``.
    sample_rate : int
        In Hz.
    tempo, bars, meter
        As in the pattern.
    seed : int
        What the noise was drawn from.
    settings : Mapping
        What was asked, as plain values: kit, timbre, chroma, model; enough to make the loop again.
    """

    audio: NDArray[np.float32]
    stems: Mapping[str, NDArray[np.float32]]
    sample_rate: int
    tempo: float
    bars: int
    meter: tuple[int, int]
    seed: int
    settings: Mapping[str, object] = field(default_factory=dict)

"""Find the onsets in a stem without knowing the pattern.

Circular in time. Two steps:

1. *Where*: half-wave rectified flux of log-compressed magnitudes over 512-sample Hann
   frames every 64 samples (1.45 ms), each compared with the maximum over neighbouring bins
   of the frame 5 hops before (as in SuperFlux: Böck and Widmer, DAFx 2013), so that beating
   partials raise little; a peak counts where it exceeds the local median by a share of the
   stem's highest peak and is the highest within 30 ms.
2. *When*: the foot of the attack. In the pre-emphasised signal (first difference, so that the
   tail of a kick does not hide the click of the next), the level over 1 ms rises from what was before
   to the attack's peak; the onset is where the level last was under a tenth of that peak,
   or under 1.5 times what was before, whichever is later.

The same settings serve all stems and all sources; the tables give the finder's own
figures on the originals, whose onsets are exact to the sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 44100
FRAME, HOP = 512, 64
LAG = 5
"""Hops between the frames that are compared: 7 ms."""
COMPRESSION = 100.0
"""Magnitudes, relative to the stem's highest, times this go through log(1 + x)."""
SHARE = 0.12
"""A peak's least height above the local median, relative to the stem's highest."""
MEDIAN_SECONDS = 0.12
APART_SECONDS = 0.03
LEVEL_SAMPLES = 44
BEFORE, ATTACK = (-620, -350), (-350, 350)
"""Samples around the flux's peak where the level before the attack, and the attack, are looked for."""
PERIOD = (-1300, -400)
"""20 ms, one period of 50 Hz, that end 9 ms before the flux's peak."""
RISE = 1.1
FOOT, ABOVE_BEFORE, CEILING = 0.1, 1.5, 0.7

Array = NDArray[np.float64]


def find_onsets(audio: NDArray[np.floating], sample_rate: int = SAMPLE_RATE) -> Array:
    """Find the onsets of a loop's stem.

    Parameters
    ----------
    audio : ndarray, shape (samples,)
        Mono, repeats without a gap.
    sample_rate : int
        Must be 44100, which the settings are made for.

    Returns
    -------
    ndarray, shape (onsets,)
        Sample positions in ``[0, samples)``, ascending; empty for silence.

    Raises
    ------
    ValueError
        If the sample rate is another.
    """
    if sample_rate != SAMPLE_RATE:
        raise ValueError(f"the onset finder is made for {SAMPLE_RATE} Hz, not {sample_rate}")
    x = np.asarray(audio, np.float64)
    if len(x) < 2 * FRAME or float(np.abs(x).max()) < 1e-5:
        return np.zeros(0)
    curve, positions = flux(x)
    peaks = pick(curve)
    level = attack_level(x)
    found = sorted({foot(level, int(positions[peak])) for peak in peaks if rises(level, int(positions[peak]))})
    return np.array(found, np.float64)


def flux(x: Array) -> tuple[Array, Array]:
    """Return the onset strength of each frame and the sample at each frame's centre."""
    from scipy import fft
    from scipy.ndimage import maximum_filter1d

    positions = np.arange(0, len(x), HOP)
    frames = x[(positions[:, None] + np.arange(-FRAME // 2, FRAME // 2)) % len(x)]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    spectrum = np.abs(fft.rfft(frames * window, axis=1))
    level = np.log1p(COMPRESSION * spectrum / spectrum.max())
    before = maximum_filter1d(np.roll(level, LAG, axis=0), 3, axis=1)
    strength = np.maximum(0.0, level - before).sum(axis=1)
    return strength, positions.astype(np.float64)


def pick(curve: Array) -> NDArray[np.int64]:
    """Return the frames where the onset strength peaks above its surroundings."""
    from scipy.ndimage import maximum_filter1d, median_filter

    span = 2 * round(MEDIAN_SECONDS * SAMPLE_RATE / HOP / 2) + 1
    apart = 2 * round(APART_SECONDS * SAMPLE_RATE / HOP) + 1
    height = curve - median_filter(curve, span, mode="wrap")
    highest = maximum_filter1d(curve, apart, mode="wrap")
    chosen = np.flatnonzero((curve >= highest) & (height > SHARE * height.max()))
    # a plateau counts once
    return chosen[np.diff(chosen, prepend=-2) > 1]


def attack_level(x: Array) -> Array:
    """Return the RMS of the pre-emphasised loop over the 1 ms that begins at each sample."""
    rise = x - np.roll(x, 1)
    total = np.concatenate([[0.0], np.cumsum(np.square(np.concatenate([rise, rise[:LEVEL_SAMPLES]])))])
    level: Array = np.sqrt(np.maximum(total[LEVEL_SAMPLES:-1] - total[: -LEVEL_SAMPLES - 1], 0.0) / LEVEL_SAMPLES)
    return level[: len(x)]


def rises(level: Array, near: int) -> bool:
    """Tell an attack from the ripple of a low tone: the level must pass all that came in the period before."""
    total = len(level)
    period = level[(near + np.arange(*PERIOD)) % total].max()
    return bool(level[(near + np.arange(*ATTACK)) % total].max() > RISE * period)


def foot(level: Array, near: int) -> int:
    """Find the foot of the attack near a sample.

    Parameters
    ----------
    level : ndarray
        From `attack_level`.
    near : int
        A sample within some 10 ms of the onset.

    Returns
    -------
    int
        The sample where the attack begins.
    """
    total = len(level)
    before = level[(near + np.arange(*BEFORE)) % total].max()
    around = level[(near + np.arange(*ATTACK)) % total]
    top = int(np.argmax(around))
    threshold = min(max(FOOT * around[top], ABOVE_BEFORE * before), CEILING * around[top])
    first = int(np.argmax(around[: top + 1] >= threshold))
    # the level at a sample looks 1 ms ahead: it rises when the attack enters its far end
    return (near + ATTACK[0] + min(first + LEVEL_SAMPLES - 1, top + LEVEL_SAMPLES - 1)) % total

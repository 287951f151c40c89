"""Where the sounds of a signal begin: onset strength, a hold-and-decay envelope, and exact onset samples.

The timbral models judge a sound by its attacks. Candidates come from the rise of a mel spectrogram (as in
librosa, whose defaults the constants below are); each is then walked back along the envelope to the sample
where the sound leaves what was before it, and doubtful ones are dropped.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.filters import butterworth, frames, power_response

if TYPE_CHECKING:
    from numpy.typing import NDArray

FFT, HOP, MELS = 2048, 512, 128
CHUNK = 16
AUDIBLE_FROM_HZ = 20.0
"""Depth and brightness disregard what lies below this."""
FLOOR_POWER, DYNAMIC_RANGE_DB = 1e-10, 80.0
MIN_STRENGTH = 3.0
"""An onset whose strength (mean rise in dB over the mel bands) never reaches this is none."""
LOOK_BACK_SECONDS, HYSTERESIS_SECONDS, MIN_GAP_SECONDS = 0.02, 0.3, 0.1
NOISE_SHARE = 0.1
"""Rises smaller than this share of the envelope's range are taken for noise."""


def short_time_spectrum(signal: NDArray[np.floating]) -> NDArray[np.complex64]:
    """Return Hann-windowed spectra, shape ``(frames, 1025)``, of `signal` which holds its own margins."""
    from scipy.fft import rfft

    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
    view = frames(signal.astype(np.float32), FFT, HOP)
    spectrum = np.empty((len(view), FFT // 2 + 1), dtype=np.complex64)
    for start in range(0, len(view), CHUNK):
        spectrum[start : start + CHUNK] = rfft(view[start : start + CHUNK] * window, axis=1)
    return spectrum


@lru_cache(maxsize=4)
def mel_weights(sample_rate: int) -> NDArray[np.float32]:
    """Design 128 triangular filters on the Slaney mel scale with equal areas, shape ``(1025, 128)``."""
    top = sample_rate / 2
    knee, per_mel, log_step = 1000.0, 200 / 3, math.log(6.4) / 27
    top_mel = knee / per_mel + math.log(top / knee) / log_step if top > knee else top / per_mel
    mels = np.linspace(0, top_mel, MELS + 2)
    hertz = np.where(mels < knee / per_mel, mels * per_mel, knee * np.exp(log_step * (mels - knee / per_mel)))
    bins = np.arange(FFT // 2 + 1)[:, None] * (sample_rate / FFT)
    rise = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    fall = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    weights: NDArray[np.float32] = (np.maximum(0, np.minimum(rise, fall)) * (2 / (hertz[2:] - hertz[:-2]))).astype(
        np.float32
    )
    return weights


def mel_levels(spectrum: NDArray[np.complex64], sample_rate: int, from_hz: float | None = None) -> NDArray[np.float32]:
    """Turn spectra, shape ``(frames, 1025)``, into levels of mel bands in dB, shape ``(frames, 128)``.

    With `from_hz`, as if the signal had gone through three second-order high-passes before.
    """
    power = spectrum.real**2 + spectrum.imag**2
    weights = mel_weights(sample_rate)
    if from_hz is not None:
        response = power_response(butterworth("high", 2, from_hz, sample_rate, 3), FFT)
        weights = weights * response[:, None].astype(np.float32)
    levels: NDArray[np.float32] = 10 * np.log10(np.maximum(power @ weights, FLOOR_POWER))
    np.maximum(levels, levels.max() - DYNAMIC_RANGE_DB, out=levels)
    return levels


def onset_strength(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure how much each frame rises over the one before it.

    Parameters
    ----------
    levels : ndarray, shape (frames, 128)
        From `mel_levels`, of frames centred on multiples of `HOP`.

    Returns
    -------
    ndarray, shape (frames,)
        Mean rise in dB, moved two frames later so that it points at the attack and not before it.
    """
    strength = np.zeros(len(levels), dtype=np.float32)
    delay = FFT // (2 * HOP)
    rise = np.maximum(np.diff(levels, axis=0), 0).mean(axis=1)
    strength[1 + delay :] = rise[: max(0, len(levels) - 1 - delay)]
    return strength


def pick_onsets(strength: NDArray[np.float32], sample_rate: int) -> list[int]:
    """Find peaks of `strength` and return the frames of the valleys before them."""
    per_frame = sample_rate / HOP
    before_max = before_wait = int(0.03 * per_frame)
    around_mean, delta = int(0.1 * per_frame), 0.07
    curve = strength - strength.min()
    if curve.max() <= 0:
        return []
    curve = (curve / curve.max()).astype(np.float64)
    valley = np.zeros(len(curve), dtype=bool)
    valley[1:-1] = (curve[1:-1] <= curve[:-2]) & (curve[1:-1] < curve[2:])
    valley[0] = True
    valleys = np.flatnonzero(valley)
    count = len(curve)
    index = np.arange(count)
    total = np.concatenate(([0.0], np.cumsum(curve)))
    first, last = np.maximum(index - around_mean, 0), np.minimum(index + around_mean + 1, count)
    mean = (total[last] - total[first]) / (last - first)
    earlier = np.concatenate((np.zeros(before_max), curve))
    highest = np.lib.stride_tricks.sliding_window_view(earlier, before_max + 1).max(axis=1)
    found: list[int] = []
    free = 0
    for n in np.flatnonzero((curve >= highest) & (curve >= mean + delta)).tolist():
        if n >= free:
            found.append(int(valleys[np.searchsorted(valleys, n, side="right") - 1]))
            free = n + before_wait + 1
    return found


def hold_envelope(
    signal: NDArray[np.floating], sample_rate: float, decay_seconds: float, hold_seconds: float = 0.01
) -> NDArray[np.float64]:
    """Follow the peaks of ``|signal|``: rise at once, hold, then fall in a straight line.

    Parameters
    ----------
    decay_seconds : float
        Time that a fall from the signal's peak to zero takes.
    hold_seconds : float
        Time that a peak is held before the fall.

    Returns
    -------
    ndarray, shape (samples,)
        Never below ``|signal|``.
    """
    from scipy.ndimage import maximum_filter1d

    rectified = np.abs(signal, dtype=np.float64)
    count = len(rectified)
    hold = math.ceil(hold_seconds * sample_rate)
    fall = float(rectified.max()) / (decay_seconds * sample_rate)
    # the largest of the next `hold` samples: a peak above it is held to the end and then falls
    ahead = maximum_filter1d(np.append(rectified[1:], -1.0), hold, origin=-(hold // 2), mode="constant", cval=-1.0)
    unrenewed = np.flatnonzero(rectified > ahead)
    tilted = rectified + fall * np.arange(count)
    envelope = np.empty(count)
    start = 0
    while start < count:
        # rise, with every higher sample starting the hold anew, to the peak that is held to the end
        peak = int(unrenewed[np.searchsorted(unrenewed, start)])
        np.maximum.accumulate(rectified[start : peak + 1], out=envelope[start : peak + 1])
        level = rectified[peak]
        position = min(peak + hold + 1, count)
        envelope[peak:position] = level
        # fall, never below the signal, until a sample is no lower than the value before it
        top, size = level + fall * (position - 1), hold
        start = count
        while position < count:
            piece = tilted[position : position + size]
            line = np.maximum.accumulate(np.concatenate(([top], piece)))
            risen = piece >= line[:-1] + fall
            length = int(risen.argmax())
            found = bool(risen[length])
            length = length if found else len(piece)
            envelope[position : position + length] = line[1 : length + 1] - fall * np.arange(
                position, position + length
            )
            position, top, size = position + length, line[length], 2 * size
            if found:
                start = position
                break
    return envelope


def _walk_back(onset: int, envelope: NDArray[np.float64], sample_rate: int, rise: float, margin: int) -> int:
    """Go back along `envelope` from `onset` to where its rise begins; 0 if that lies within `margin` of the start."""
    look = int(LOOK_BACK_SECONDS * sample_rate)
    memory = int(HYSTERESIS_SECONDS * sample_rate)
    while True:
        current = envelope[onset]
        if onset <= look:
            return 0
        near = envelope[onset - look - 1 if onset > look else 0 : onset]
        lowest = int(near.argmin())
        if near[lowest] <= current:
            onset += lowest - look - 1
            if onset <= margin:
                return 0
            continue
        past = envelope[max(0, onset - memory - 1) : onset]
        lower = np.flatnonzero(past < current)
        if not len(lower):
            return onset
        since = past[lower[-1] :]
        if since.max() - since.min() >= rise:
            return onset
        onset += int(lower[-1]) - len(past)
        if onset < margin:
            return 0


def find_onsets(
    envelope: NDArray[np.float64], strength: NDArray[np.float32], sample_rate: int, margin: int
) -> list[int]:
    """Find the samples where sounds begin.

    Parameters
    ----------
    envelope : ndarray, shape (samples,)
        From `hold_envelope`.
    strength : ndarray
        From `onset_strength`, frames every `HOP` samples of the same signal.
    margin : int
        An onset closer than this to the start counts as the start.

    Returns
    -------
    list of int
        Sorted; ``[0]`` if no onset stands out.
    """
    span = float(envelope.max() - envelope.min())
    onsets: list[int] = []
    for frame in pick_onsets(strength, sample_rate):
        sample = min(frame * HOP, len(envelope) - 1)
        if onsets and sample + HOP - 1 >= len(envelope):
            continue
        exact = _walk_back(sample, envelope, sample_rate, NOISE_SHARE * span, margin) if sample else 0
        # only the first onset may be the start itself: later ones that fell back to it were ripples
        if exact not in onsets and (exact or not onsets):
            onsets.append(exact)
    if not onsets:
        return [0]
    onsets = _drop_noise(onsets, envelope, NOISE_SHARE * span)
    onsets = _drop_crowded(onsets, MIN_GAP_SECONDS * sample_rate)
    starts = [onset // HOP for onset in onsets]
    kept = []
    # from the last to the first: a dropped onset lends its stretch to the one before it
    for index in reversed(range(len(onsets))):
        end = None if starts[index] == starts[-1] else starts[index + 1]
        if strength[starts[index] : end].max(initial=0.0) < MIN_STRENGTH:
            del starts[index]
            if not starts:
                break
        else:
            kept.append(onsets[index])
    return sorted(kept) or [0]


def _drop_noise(onsets: list[int], envelope: NDArray[np.float64], threshold: float) -> list[int]:
    """Leave out onsets whose attack rises by less than `threshold`."""
    if len(onsets) < 2:
        return onsets
    kept = list(onsets)
    for index in reversed(range(len(kept))):
        last = kept[index] == kept[-1]
        segment = envelope[kept[index] : None if last else kept[index + 1]]
        peak = int(segment.argmax()) if len(segment) > 1 else 0
        if peak == 0 or segment[peak] - segment[:peak].min() < threshold:
            del kept[index]
            if not kept:
                break
    return kept


def _drop_crowded(onsets: list[int], gap: float) -> list[int]:
    """Leave out onsets that follow another one too closely, until none does."""
    while len(onsets) > 1 and min(b - a for a, b in pairwise(onsets)) < gap:
        pairs = pairwise(onsets)
        onsets = onsets[:1] + [b for a, b in pairs if abs(b - a) >= gap]
    return onsets


def attack(envelope: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]] | None:
    """Cut the rise to the peak out of a sound's envelope.

    Returns
    -------
    (start, rise) or None
        Index of the last minimum before the peak, and the envelope from there to the peak; None if the peak
        comes first.
    """
    peak = int(envelope.argmax())
    if peak == 0:
        return None
    before = envelope[:peak]
    start = peak - 1 - int(before[::-1].argmin())
    return start, envelope[start : peak + 1]


def attack_time(rise: NDArray[np.float64], sample_rate: int, longest: float) -> tuple[float, int]:
    """Measure a rise by the weakest-effort method (Peeters): the steep part, without a slow foot or head.

    Returns
    -------
    seconds : float
        At least one sample, at most `longest` (and a sample).
    start : int
        Index at which the steep part begins.
    """
    low, high = float(rise.min()), float(rise.max())
    levels = low + np.linspace(0.1, 0.9, 9) * (high - low)
    crossed = np.searchsorted(np.maximum.accumulate(rise), levels, side="left")
    crossed = np.minimum(crossed, len(rise) - 1)
    effort = np.diff(crossed)
    limit = 3 * effort.mean()
    first = int(np.argmax(effort <= limit))
    # the end is the first step that takes too long, or the last
    last = first + (int(np.argmax(effort[first:] >= limit)) or len(effort) - first - 1)
    start, end = int(crossed[first]), int(crossed[last])
    if start == end:
        start, end = int(crossed[0]), int(crossed[-1])
    length = 1 if start == end else end - start + 1
    return min(length / sample_rate, (int(longest * sample_rate) + 1) / sample_rate), start

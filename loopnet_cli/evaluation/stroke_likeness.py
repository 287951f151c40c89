"""How far the strokes of one loop are from those of another, whatever is played.

Statistics over a loop's time hear its rhythm, too: which drums play, how often and how hard. Here a loop is cut
into strokes where its spectrum rises, in bands that are as wide low down as high up, each up to the next one and
0.2 s at most, and every stroke of the result looks for the nearest stroke of the other loop; the distance is the mean
over the strokes of the result. What the other loop plays besides costs nothing, and no rhythm is heard. The sampler's
row in the section Transfer of docs/RESULTS.md says how often that tells B's own drums from others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.evaluation.distances import SAMPLE_RATE, magnitudes, mel_power, rms
from loopnet_cli.evaluation.embedding import MELS, PATCH_FRAMES, PATCH_SAMPLES, Embedder
from loopnet_cli.evaluation.embedding import SAMPLE_RATE as EMBEDDING_RATE

RISE_FFT, RISE_HOP, RISE_BANDS = 512, 256, 25
RISE_FLOOR, RISE_SHARE = 1e-5, 0.15
"""Of the loop's loudest band; of its steepest rise."""
APART = 8
"""Frames to each side in which no rise is steeper."""
LEAD = 128
"""Samples before the middle of the rise."""
SHORTEST, LONGEST = 1764, 8820
"""Samples of a stroke: 40 to 200 ms."""
FADE = 400
PICTURE_SAMPLES, PICTURE_FRAMES = 12288, 18
"""A stroke and silence after it, and the frames of 512 samples that are looked at."""
BANDS = 64
FLOOR_DB = -50.0
EMBEDDED_RMS = 0.1
EMBEDDED_LEAD = 800
"""Samples of silence before a stroke that is embedded."""

Vectors = NDArray[np.float64]


def rises(audio: NDArray[np.floating]) -> NDArray[np.int64]:
    """Find the samples of a loop at which its spectrum rises; its first one where it never does."""
    from scipy.ndimage import maximum_filter1d

    power = np.square(magnitudes(audio, RISE_FFT, RISE_HOP))[:, 1:]
    edges = np.unique(np.geomspace(1, power.shape[1], RISE_BANDS).astype(int))[:-1] - 1
    bands = np.add.reduceat(power, edges, axis=1)
    levels = np.log10(bands + max(float(bands.max()) * RISE_FLOOR, 1e-12))
    before = np.maximum(np.roll(levels, 1, axis=0), np.roll(levels, 2, axis=0))
    steepness = np.maximum(levels - before, 0).sum(axis=1)
    if not steepness.any():
        return np.zeros(1, np.int64)
    steepest = maximum_filter1d(steepness, 2 * APART + 1, mode="wrap")
    # frames begin where they are counted from
    return (
        np.flatnonzero((steepness >= steepest) & (steepness >= RISE_SHARE * steepness.max())) * RISE_HOP + RISE_FFT // 2
    )


def cut_strokes(audio: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """Cut a loop at 44.1 kHz into strokes."""
    onsets = rises(audio) % len(audio)
    strokes = []
    for start, following in zip(onsets, np.roll(onsets, -1), strict=True):
        until = (following - start) % len(audio) or len(audio)
        size = min(LONGEST, max(until - 2 * LEAD, SHORTEST))
        stroke = np.take(np.asarray(audio, np.float64), np.arange(start - LEAD, start - LEAD + size), mode="wrap")
        count = min(FADE, size // 4)
        stroke[-count:] *= np.linspace(1, 0, count)
        strokes.append(stroke)
    return strokes


def stroke_spectra(audio: NDArray[np.floating]) -> Vectors:
    """Return the log-mel spectrograms of a loop's strokes, in dB at one RMS of the loop, shape (strokes, numbers)."""
    loop = np.asarray(audio, np.float64) / rms(audio)
    highest = float(mel_power(loop, BANDS).max())
    powers = [
        mel_power(np.pad(stroke, (0, PICTURE_SAMPLES - len(stroke))), BANDS)[:PICTURE_FRAMES]
        for stroke in cut_strokes(loop)
    ]
    levels: Vectors = 10 * np.log10(np.maximum(np.stack(powers), highest * 10 ** (FLOOR_DB / 10)))
    return levels.reshape(len(levels), -1)


def stroke_embeddings(embedder: Embedder, audio: NDArray[np.floating]) -> Vectors:
    """Embed each stroke of a loop by itself, in silence, shape (strokes, 1024)."""
    from scipy.signal import resample_poly

    common = int(np.gcd(SAMPLE_RATE, EMBEDDING_RATE))
    mels = np.empty((0, PATCH_FRAMES, MELS), np.float32)
    for stroke in cut_strokes(np.asarray(audio, np.float64) * (EMBEDDED_RMS / rms(audio))):
        low = resample_poly(stroke, EMBEDDING_RATE // common, SAMPLE_RATE // common)
        alone = np.pad(low, (EMBEDDED_LEAD, PATCH_SAMPLES - EMBEDDED_LEAD - len(low))).astype(np.float32)
        mels = np.concatenate([mels, embedder.log_mel(alone)[None, :PATCH_FRAMES]])
    return embedder.embed(mels).astype(np.float64)


def farness(own: Vectors, other: Vectors) -> float:
    """Return the mean over the strokes of one loop of the RMS difference to the nearest stroke of another."""
    differences = np.sqrt(np.mean(np.square(own[:, None] - other[None]), axis=2))
    return float(differences.min(axis=1).mean())


def cosine_farness(own: Vectors, other: Vectors) -> float:
    """Return the same of cosine distances."""
    one, two = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (own, other))
    return float((1 - one @ two.T).min(axis=1).mean())

"""How far the strokes of one loop are from those of another, whatever is played.

Statistics over a loop's time hear its rhythm, too: which drums play, how often and how hard. Here a loop is cut into
strokes where something begins (`loopnet_cli.evaluation.onsets`, which knows no pattern), each up to the next
one and 0.2 s at most, and every stroke of the result looks for the nearest stroke of the other loop; the distance is the
mean over the strokes of the result. What the other loop plays besides costs nothing, and no rhythm is heard. The
sampler's row in the section Transfer of docs/RESULTS.md says how often that tells B's own drums from others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.evaluation.distances import mel_power, rms
from loopnet_cli.evaluation.embedding import MELS, PATCH_FRAMES, PATCH_SAMPLES, Embedder
from loopnet_cli.evaluation.embedding import SAMPLE_RATE as EMBEDDING_RATE
from loopnet_cli.evaluation.onsets import SAMPLE_RATE, find_onsets

LEAD = 128
"""Samples before the onset."""
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


def cut_strokes(audio: NDArray[np.floating]) -> list[NDArray[np.float64]]:
    """Cut a loop at 44.1 kHz into strokes; the whole of its beginning where no onset is found."""
    onsets = find_onsets(audio).astype(int)
    if not len(onsets):
        onsets = np.zeros(1, int)
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

"""How alike two loops sound: statistics of the log-mel spectrogram, embeddings, and both stroke by stroke.

128 triangular mel bands (HTK scale) from 30 Hz to 20 kHz on power, FFT 2048, hop 512 at
44.1 kHz, circular. Loops are brought to one RMS; levels in dB, cut off so many dB under the
loop's highest; the mean and the standard deviation over time of each band are 256 numbers, and the
distance of two loops is the root of their mean squared difference, in dB.

The floor decides what is compared. Far down it is the decay of the last stroke into silence, and with
it how busy the loop is. At -50 dB loops of the same drums in another rhythm are told from others most
often (50 pairs of bars: 74 %, against 54 % at -80 dB, 68 % at -60 and 62 % at -30).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.evaluation.distances import mel_power, rms
from loopnet_cli.evaluation.embedding import cosine_distance
from loopnet_cli.evaluation.stroke_likeness import Vectors, cosine_farness, farness

BANDS = 128
FLOORS_DB = {"mel": -50.0, "mel80": -80.0}

METRICS = (*FLOORS_DB, "strokes", "embedding", "stroke-embedding")

Statistics = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What a loop sounds like.

    Attributes
    ----------
    statistics : dict of ndarray, shape (2, 128)
        Of its log-mel spectrogram, at each of `FLOORS_DB`.
    strokes : ndarray, shape (strokes, numbers)
        `stroke_spectra`.
    embedding : ndarray, shape (1024,), or None
        None where no file was named.
    embedded_strokes : ndarray, shape (strokes, 1024), or None
        Likewise.
    features : list of float
        The 21 timbre features on the scale of the knobs.
    """

    statistics: Mapping[str, Statistics]
    strokes: Vectors
    embedding: NDArray[np.float64] | None
    embedded_strokes: Vectors | None
    features: list[float]

    def distances(self, other: Profile) -> dict[str, float | None]:
        """Return the distance to another loop by each of `METRICS`."""
        found: dict[str, float | None] = dict.fromkeys(METRICS)
        for name in FLOORS_DB:
            found[name] = statistics_distance(self.statistics[name], other.statistics[name])
        found["strokes"] = farness(self.strokes, other.strokes)
        if self.embedding is not None and other.embedding is not None:
            found["embedding"] = cosine_distance(self.embedding, other.embedding)
        if self.embedded_strokes is not None and other.embedded_strokes is not None:
            found["stroke-embedding"] = cosine_farness(self.embedded_strokes, other.embedded_strokes)
        return found


def log_mel_statistics(audio: NDArray[np.floating], floor_db: float = FLOORS_DB["mel"]) -> Statistics:
    """Return mean and standard deviation over time of each band in dB.

    Parameters
    ----------
    audio : ndarray, shape (samples,)
        A loop at 44.1 kHz.
    floor_db : float
        Negative; levels further under the loop's highest count as that.

    Returns
    -------
    ndarray, shape (2, 128)

    Raises
    ------
    ValueError
        If the loop is silent.
    """
    level = rms(audio)
    if not level > 0:
        raise ValueError("the loop is silent")
    power = mel_power(np.asarray(audio, np.float64) / level, BANDS)
    decibels = 10 * np.log10(np.maximum(power, power.max() * 10 ** (floor_db / 10)))
    return np.stack([decibels.mean(axis=0), decibels.std(axis=0)])


def statistics_distance(one: Statistics, two: Statistics) -> float:
    """Return the distance of two loops from their statistics, in dB."""
    return float(np.sqrt(np.mean(np.square(one - two))))


def compare(own: Profile | None, others: Mapping[str, Profile]) -> dict[str, Any]:
    """Compare a result with A, B and C.

    Returns
    -------
    dict
        ``silent``; ``mel`` and ``embedding``: distances by name, or None where they cannot be measured; ``features``.
    """
    if own is None:
        return {"silent": True, **dict.fromkeys(METRICS), "features": None}
    found = {name: own.distances(profile) for name, profile in others.items()}
    result: dict[str, Any] = {"silent": False, "features": own.features}
    for metric in METRICS:
        values = {name: distances[metric] for name, distances in found.items()}
        result[metric] = None if None in values.values() else values
    return result

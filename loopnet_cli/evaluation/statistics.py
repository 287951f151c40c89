"""Bootstrap intervals over loops, and rank correlation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 95.0
CHUNK = 250
"""Resamples computed at once."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval. ``loops`` says how many are behind it."""

    value: float
    low: float
    high: float
    loops: int


Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From draws, shape (draws, loops, ...), to one number per draw."""


def bootstrap(
    rows: NDArray[np.floating] | Sequence[object], statistic: Statistic, *, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """Estimate a statistic with a percentile bootstrap over rows.

    Parameters
    ----------
    rows : array-like, shape (loops, ...)
        One entry per loop: loops are drawn with replacement, never the hits or knobs within one.
    statistic : callable
        From draws of shape (draws, loops, ...) to numbers of shape (draws,). Draws that give NaN are left out.
    seed : int
        Of the draws.
    resamples : int
        How many.

    Returns
    -------
    Estimate
        NaN throughout where there are no rows.
    """
    table = np.asarray(rows, dtype=np.float64)
    count = len(table)
    if not count:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(statistic(table[None])[0])
        parts = [statistic(table[rng.integers(count, size=(CHUNK, count))]) for _ in range(-(-resamples // CHUNK))]
    drawn = np.concatenate(parts)[:resamples]
    drawn = drawn[np.isfinite(drawn)]
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail]) if len(drawn) else (float("nan"), float("nan"))
    return Estimate(value, float(low), float(high), count)


def mean_of(rows: NDArray[np.floating] | Sequence[object], *, seed: int) -> Estimate:
    """Bootstrap the mean; NaN entries (loops that lack what is measured) are left out first."""
    return bootstrap(_finite(rows), lambda drawn: drawn.mean(axis=1), seed=seed)


def median_of(rows: NDArray[np.floating] | Sequence[object], *, seed: int) -> Estimate:
    """Bootstrap the median; NaN entries are left out first."""
    return bootstrap(_finite(rows), lambda drawn: np.median(drawn, axis=1), seed=seed)


def ratio_of_means(top: Sequence[float], bottom: Sequence[float], *, seed: int) -> Estimate:
    """Bootstrap the mean of `top` divided by the mean of `bottom`, pairs drawn together."""
    pairs = np.stack([np.asarray(top, float), np.asarray(bottom, float)], axis=1)
    return bootstrap(pairs, lambda drawn: drawn[..., 0].mean(axis=1) / drawn[..., 1].mean(axis=1), seed=seed)


def share_of(passed: Sequence[bool], *, seed: int) -> Estimate:
    """Return the share that passed with a Wilson score interval, which is honest at 0 and at 1 (`seed` unused)."""
    del seed
    count = len(passed)
    if not count:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    z = 1.959964
    share = sum(passed) / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * float(np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))) / (1 + z * z / count)
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), count)


def spearman(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return Spearman's rank correlation along the last axis; NaN where one side is constant."""
    from scipy.stats import rankdata

    a, b = (rankdata(side, axis=-1) for side in (x, y))
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray((a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1)))


def _finite(rows: NDArray[np.floating] | Sequence[object]) -> NDArray[np.float64]:
    table = np.asarray(rows, dtype=np.float64)
    return table[np.isfinite(table)]

"""The Fréchet distance of two sets of embeddings, each taken as a Gaussian (Kilgour et al. 2019, FAD).

``|a - b|^2 + tr(A + B - 2 (A B)^(1/2))`` of means ``a``, ``b`` and covariances ``A``, ``B``. All in double
precision. The trace of the root is that of ``(A^(1/2) B A^(1/2))^(1/2)``, whose argument is symmetric: two
eigen-decompositions of symmetric matrices, no complex numbers, and eigenvalues that rounding made negative count as
0. It holds for covariances without full rank, too.

With few examples the distance is too large, the more so the more dimensions there are: compare figures of one N and
one dimension only, and look at the floor (two halves of the originals). Where the dimension is large against N,
embeddings are projected on the principal axes of the reference first (`Axes`); what lies across them is not seen.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.statistics import CONFIDENCE, Estimate

Array = NDArray[np.float64]

RESAMPLES = 200
MOST_DIMENSIONS = 2048
MOST_BYTES = 16 * MOST_DIMENSIONS * (MOST_DIMENSIONS + 2)
SYMMETRY, NEGATIVE = 1e-3, -1e-3
"""How far a stored covariance may be from symmetric, and its eigenvalues below 0, against its largest entry."""


class StatisticsError(LoopnetError):
    """Stored statistics cannot be read, or two of them cannot be compared."""


@dataclass(frozen=True)
class Gaussian:
    """What is known of a set of embeddings.

    Attributes
    ----------
    mean : ndarray, shape (dimension,)
    covariance : ndarray, shape (dimension, dimension)
    count : int or None
        How many embeddings are behind it; None where a file does not say.
    """

    mean: Array
    covariance: Array
    count: int | None = None

    @property
    def dimension(self) -> int:
        """Numbers in an embedding."""
        return len(self.mean)

    @staticmethod
    def of(embeddings: NDArray[np.floating]) -> Gaussian:
        """Return the statistics of embeddings, shape (count, dimension); the covariance divides by count - 1."""
        accumulator = Accumulator(embeddings.shape[1])
        accumulator.add(embeddings)
        return accumulator.result()


class Accumulator:
    """Statistics of embeddings that come piece by piece; pieces are merged as Chan et al. (1983) do, without loss.

    Parameters
    ----------
    dimension : int
        Numbers in an embedding.
    """

    def __init__(self, dimension: int) -> None:
        self._count = 0
        self._mean = np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))

    def add(self, embeddings: NDArray[np.floating]) -> None:
        """Take more embeddings, shape (count, dimension)."""
        piece = np.asarray(embeddings, np.float64)
        count = len(piece)
        if not count:
            return
        mean = piece.mean(axis=0)
        centred = piece - mean
        away = mean - self._mean
        total = self._count + count
        self._scatter += centred.T @ centred + np.outer(away, away) * (self._count * count / total)
        self._mean += away * (count / total)
        self._count = total

    def result(self) -> Gaussian:
        """Return the statistics so far.

        Raises
        ------
        StatisticsError
            If there were fewer than two embeddings.
        """
        if self._count < 2:
            raise StatisticsError(f"{self._count} embeddings have no covariance: two are needed, better hundreds")
        return Gaussian(self._mean.copy(), self._scatter / (self._count - 1), self._count)


def frechet_distance(one: Gaussian, two: Gaussian) -> float:
    """Return the Fréchet distance of two Gaussians.

    Raises
    ------
    StatisticsError
        If their dimensions differ.
    """
    if one.dimension != two.dimension:
        raise StatisticsError(f"{one.dimension} and {two.dimension} dimensions: these are different embeddings")
    values, vectors = np.linalg.eigh(_symmetric(one.covariance))
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    inner = np.linalg.eigvalsh(_symmetric(root @ two.covariance @ root))
    traces = np.trace(one.covariance) + np.trace(two.covariance)
    distance = float(np.square(one.mean - two.mean).sum() + traces - 2 * np.sqrt(np.maximum(inner, 0.0)).sum())
    return max(distance, 0.0)


@dataclass(frozen=True)
class Axes:
    """The directions in which a reference varies most.

    Attributes
    ----------
    centre : ndarray, shape (dimension,)
    directions : ndarray, shape (dimension, axes)
        Orthonormal, the largest variance first; not scaled.
    share : float
        Of the reference's variance that lies along them.
    """

    centre: Array
    directions: Array
    share: float

    @staticmethod
    def of(reference: Gaussian, count: int) -> Axes:
        """Find the `count` principal axes of a reference."""
        values, vectors = np.linalg.eigh(_symmetric(reference.covariance))
        values = np.maximum(values, 0.0)
        total = float(values.sum())
        share = float(values[-count:].sum()) / total if total > 0 else 1.0
        return Axes(reference.mean, vectors[:, ::-1][:, :count], share)

    def along(self, gaussian: Gaussian) -> Gaussian:
        """Return what is left of a Gaussian along the axes."""
        mean = (gaussian.mean - self.centre) @ self.directions
        return Gaussian(mean, self.directions.T @ gaussian.covariance @ self.directions, gaussian.count)

    def project(self, embeddings: NDArray[np.floating]) -> Array:
        """Return embeddings along the axes, shape (..., axes)."""
        return np.asarray((np.asarray(embeddings, np.float64) - self.centre) @ self.directions)


def frechet_interval(
    found: NDArray[np.floating],
    reference: NDArray[np.floating],
    *,
    seed: int,
    paired: bool,
    groups: NDArray[np.integer] | None = None,
    resamples: int = RESAMPLES,
) -> Estimate:
    """Return the Fréchet distance of two sets of bars with a bootstrap interval over bars.

    Parameters
    ----------
    found, reference : ndarray, shape (bars, patches, dimension)
        Embeddings; all patches of all bars of a side make one Gaussian.
    seed : int
        Of the draws.
    paired : bool
        Whether bar n of one side was made from bar n of the other; such are drawn together.
    groups : ndarray of int, shape (bars,), optional
        Bars of a group (cut from one loop) are drawn together; of `reference`, and of `found` where paired.
    resamples : int
        How many draws.

    Returns
    -------
    Estimate
        Draws repeat bars, which makes every drawn distance too large by itself. So the interval is the spread of the
        draws around their own median, put around the value: how far the figure may be off at this N, not what it
        would come to at a larger N.
    """
    if paired and len(found) != len(reference):
        raise ValueError(f"{len(found)} and {len(reference)} bars are no pairs")
    value = frechet_distance(_pooled(found), _pooled(reference))
    centre = reference.reshape(-1, reference.shape[-1]).mean(axis=0, dtype=np.float64)
    mine = _Moments.of(reference, centre, groups)
    theirs = _Moments.of(found, centre, groups if paired else None)
    rng = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for number in range(resamples):
        times = _times(mine.size, rng)
        other = times if paired else _times(theirs.size, rng)
        drawn[number] = frechet_distance(theirs.drawn(other), mine.drawn(times))
    tail = (100 - CONFIDENCE) / 2
    low, middle, high = np.percentile(drawn, [tail, 50, 100 - tail])
    return Estimate(value, max(0.0, value + float(low - middle)), value + float(high - middle), len(found))


@dataclass(frozen=True)
class _Moments:
    """Sums over the embeddings of each group of bars, from which those of any draw of groups follow.

    Attributes
    ----------
    counts : ndarray, shape (groups,)
    sums : ndarray, shape (groups, dimension)
        Away from a centre that is near all means, so that no digits are lost.
    products : ndarray, shape (groups, dimension * dimension)
    """

    counts: Array
    sums: Array
    products: Array

    @property
    def size(self) -> int:
        return len(self.counts)

    @staticmethod
    def of(embeddings: NDArray[np.floating], centre: Array, groups: NDArray[np.integer] | None) -> _Moments:
        dimension = embeddings.shape[-1]
        members = _members(groups, len(embeddings))
        counts, sums = np.empty(len(members)), np.empty((len(members), dimension))
        products = np.empty((len(members), dimension * dimension))
        for number, bars in enumerate(members):
            away = embeddings[bars].reshape(-1, dimension).astype(np.float64) - centre
            counts[number], sums[number] = len(away), away.sum(axis=0)
            products[number] = (away.T @ away).reshape(-1)
        return _Moments(counts, sums, products)

    def drawn(self, times: Array) -> Gaussian:
        """Return the statistics of a draw; `times` says how often each group is in it."""
        count = float(times @ self.counts)
        mean = times @ self.sums / count
        scatter = (times @ self.products).reshape(len(mean), -1) - count * np.outer(mean, mean)
        return Gaussian(mean, scatter / (count - 1), int(count))


def read_statistics(path: Path) -> Gaussian:
    """Read statistics stored as ``.npz``: arrays ``mu`` (dimension,) and ``sigma`` (dimension, dimension).

    An integer ``count`` is read where there is one. The file may come from anywhere: nothing in it is executed, and
    no more than `MOST_DIMENSIONS` dimensions are unpacked.

    Raises
    ------
    StatisticsError
        If the file is missing, damaged, too large, or holds no Gaussian.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        missing = sorted({"mu.npy", "sigma.npy"} - sizes.keys())
        if missing:
            raise StatisticsError(f"{path}: holds no {missing[0].removesuffix('.npy')}: expected arrays mu and sigma")
        if sum(sizes.values()) > MOST_BYTES:
            raise StatisticsError(f"{path}: too large: at most {MOST_DIMENSIONS} dimensions can be read")
        with np.load(path, allow_pickle=False) as stored:
            mean, covariance = stored["mu"], stored["sigma"]
            count = stored["count"] if "count.npy" in sizes else None
    except OSError as error:
        raise StatisticsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (
        ValueError,
        KeyError,
        EOFError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise StatisticsError(f"{path}: not statistics in .npz form, or damaged ({type(error).__name__})") from error
    return _checked(path, mean, covariance, count)


def write_statistics(path: Path, gaussian: Gaussian) -> None:
    """Write statistics as `read_statistics` reads them.

    Raises
    ------
    LoopnetError
        If the file cannot be written.
    """
    import io

    from loopnet_cli.audio.files import write_whole

    stream = io.BytesIO()
    arrays = {"mu": gaussian.mean, "sigma": gaussian.covariance}
    if gaussian.count is not None:
        arrays["count"] = np.int64(gaussian.count)  # type: ignore[assignment]
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    write_whole(path, stream.getvalue())


def _checked(path: Path, mean: NDArray[np.generic], covariance: NDArray[np.generic], count: object) -> Gaussian:
    for name, array in (("mu", mean), ("sigma", covariance)):
        if array.dtype.kind != "f":
            raise StatisticsError(f"{path}: {name} is of type {array.dtype}, not of floating point numbers")
    size = mean.shape[0] if mean.ndim == 1 else 0
    if not 1 <= size <= MOST_DIMENSIONS or covariance.shape != (size, size):
        raise StatisticsError(f"{path}: mu has shape {mean.shape} and sigma {covariance.shape}: no Gaussian")
    a, b = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise StatisticsError(f"{path}: holds values that are no numbers (NaN or infinity)")
    scale = float(np.abs(b).max())
    if float(np.abs(b - b.T).max()) > SYMMETRY * scale:
        raise StatisticsError(f"{path}: sigma is not symmetric, so it is no covariance")
    if scale > 0 and float(np.linalg.eigvalsh(_symmetric(b))[0]) < NEGATIVE * scale:
        raise StatisticsError(f"{path}: sigma has negative eigenvalues, so it is no covariance")
    known = count is not None and np.ndim(count) == 0 and np.asarray(count).dtype.kind in "iu"  # type: ignore[arg-type]
    return Gaussian(a, _symmetric(b), int(np.asarray(count)) if known else None)


def _symmetric(matrix: NDArray[np.floating]) -> Array:
    return np.asarray((matrix + matrix.T) / 2, np.float64)


def _pooled(embeddings: NDArray[np.floating]) -> Gaussian:
    return Gaussian.of(embeddings.reshape(-1, embeddings.shape[-1]))


def _members(groups: NDArray[np.integer] | None, count: int) -> list[NDArray[np.int64]]:
    if groups is None:
        return [np.array([bar]) for bar in range(count)]
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(np.asarray(groups)[order])) + 1
    return np.split(order, edges)


def _times(size: int, rng: np.random.Generator) -> Array:
    """Draw `size` of as many with replacement; say how often each was drawn."""
    return np.bincount(rng.integers(size, size=size), minlength=size).astype(np.float64)
